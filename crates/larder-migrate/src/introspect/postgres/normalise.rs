//! Models as the server itself prints them.
//!
//! Invariant: nothing is left behind, and nothing that is there is touched, locked or needed:
//! tables and types are made under names that nobody else uses, in a transaction that is rolled
//! back. References are not made at all; they are names, which need no printing.

use std::collections::{BTreeMap, BTreeSet};

use larder_model::{Catalog, Check, Column, Dialect, EnumType, Index, Lowered, Table, TableName};

use super::{
    describe::describe,
    frame::{Access, Frame, unexpected},
};
use crate::{Cell, Param, Session, SessionError, SessionErrorKind, Target};

/// How many models are made in one transaction: each holds some locks until its end, and the
/// server has places for some thousands.
const MODELS_AT_ONCE: usize = 200;

/// Where scratch tables are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// In a schema of their own.
    Schema,
    /// Among the session's temporary tables, for roles that may make no schema.
    Temporary,
}

pub(in crate::introspect) async fn normalise(
    session: &mut dyn Session,
    models: Vec<Lowered>,
) -> Result<Catalog, SessionError> {
    let mut by_schema = BTreeMap::<Option<String>, Vec<Lowered>>::new();
    for model in models {
        by_schema.entry(model.table.name.schema.clone()).or_default().push(model);
    }
    let mut catalog = Catalog::default();
    let mut known = BTreeSet::new();
    for (schema, mut models) in by_schema {
        for models in models.chunks_mut(MODELS_AT_ONCE) {
            normalise_some(session, schema.as_deref(), models).await?;
        }
        for model in models {
            let enums = model.enums.into_iter().filter(|of| known.insert(of.name.clone()));
            catalog.enums.extend(enums);
            catalog.tables.push(model.table);
        }
    }
    Ok(catalog)
}

/// Normalises models of one schema, in the best place that the role has the right to.
async fn normalise_some(
    session: &mut dyn Session,
    schema: Option<&str>,
    models: &mut [Lowered],
) -> Result<(), SessionError> {
    for place in [Place::Schema, Place::Temporary] {
        let frame = Frame::open(session, Access::Scratch).await?;
        let printed = in_scratch(session, &frame, place, schema, models).await;
        let closed = frame.close(session).await;
        match printed {
            Err(error) if error.kind() == SessionErrorKind::Permission => closed?,
            printed => {
                let printed = printed?;
                closed?;
                for (model, printed) in models.iter_mut().zip(printed) {
                    take_over(&mut model.table, printed);
                }
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Makes the models and describes what they became, in their order.
async fn in_scratch(
    session: &mut dyn Session,
    frame: &Frame,
    place: Place,
    schema: Option<&str>,
    models: &[Lowered],
) -> Result<Vec<Table>, SessionError> {
    let name = match place {
        Place::Schema => format!("larder_scratch_{:016x}", rand::random::<u64>()),
        Place::Temporary => "pg_temp".to_owned(),
    };
    let mut types = BTreeMap::new();
    for of in models.iter().flat_map(|model| &model.enums) {
        types.entry(&of.name).or_insert(of);
    }
    let scratch = Scratch { place, name, types: types.into_values().collect() };
    session.run(&scratch.statements(frame, models)).await?;
    let actual = scratch.actual_schema(session).await?;
    let names = models.iter().map(|model| TableName {
        schema: Some(actual.clone()),
        name: model.table.name.name.clone(),
    });
    let mut printed = describe(session, frame, &Target::Tables(names.collect())).await?;
    let quoted = scratch.quoted_names(session, schema).await?;
    let mut found = Vec::new();
    for model in models {
        let name = &model.table.name.name;
        let at = printed.tables.iter().position(|table| table.name.name == *name);
        let mut table = printed.tables.swap_remove(at.ok_or_else(unexpected)?);
        each_text(&mut table, |text| *text = scratch.back(text, &quoted));
        found.push(table);
    }
    Ok(found)
}

/// Tables and types in the making.
struct Scratch<'a> {
    place: Place,
    name: String,
    types: Vec<&'a EnumType>,
}

/// Names as the server prints them.
struct Quoted {
    schema: String,
    /// The types, each with its schema and its name.
    types: Vec<(String, String)>,
}

impl Scratch<'_> {
    /// Everything in one text, which is one round trip.
    fn statements(&self, frame: &Frame, models: &[Lowered]) -> String {
        let dialect = Dialect::Postgres;
        let mut statements = Vec::new();
        if self.place == Place::Schema {
            statements.push(format!("CREATE SCHEMA {}", dialect.quoted(&self.name)));
        }
        // What the model's author wrote without a schema means what it means to the session, but
        // types of the model come before those that are there.
        let path = [self.name.as_str(), frame.search_path.as_str()];
        let path = path.iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>();
        let path = dialect.text(&path.join(", "));
        statements.push(format!("SELECT pg_catalog.set_config('search_path', {path}, true)"));
        for of in &self.types {
            let name = dialect.quoted_table(&self.named(&of.name));
            let labels: Vec<_> = of.labels.iter().map(|label| dialect.text(label)).collect();
            statements.push(format!("CREATE TYPE {name} AS ENUM ({})", labels.join(", ")));
        }
        for (at, model) in models.iter().enumerate() {
            statements.extend(dialect.create_table(&self.table(at, model)));
        }
        statements.push("SET LOCAL search_path = pg_catalog".to_owned());
        statements.join(";\n")
    }

    fn named(&self, name: &TableName) -> TableName {
        TableName { schema: Some(self.name.clone()), name: name.name.clone() }
    }

    /// What is made of a model: columns, checks and indexes, under names that tell them apart.
    fn table(&self, at: usize, model: &Lowered) -> Table {
        let mut table = Table::new(self.named(&model.table.name));
        let columns = model.table.columns.iter();
        table.columns = columns.map(|column| Column { comment: None, ..column.clone() }).collect();
        let check = |(number, check): (usize, &Check)| Check {
            name: Some(part_name(number)),
            ..check.clone()
        };
        table.checks = model.table.checks.iter().enumerate().map(check).collect();
        let index = |(number, index): (usize, &Index)| Index {
            name: format!("larder_{at}_{number}"),
            // What it forbids has nothing to do with how it is printed.
            unique: false,
            nulls_not_distinct: false,
            ..index.clone()
        };
        table.indexes = model.table.indexes.iter().enumerate().map(index).collect();
        each_text(&mut table, |text| *text = self.forth(text));
        table
    }

    /// SQL with the model's types under their scratch names.
    fn forth(&self, sql: &str) -> String {
        let mut sql = sql.to_owned();
        for of in &self.types {
            let Some(schema) = &of.name.schema else { continue };
            let scratch = Dialect::Postgres.quoted_table(&self.named(&of.name));
            let both = |text: &str| [text.to_owned(), Dialect::Postgres.quoted(text)];
            for schema in both(schema) {
                for name in both(&of.name.name) {
                    sql = replaced(&sql, &format!("{schema}.{name}"), &scratch);
                }
            }
        }
        sql
    }

    /// SQL as the server prints it, with the model's types under their own names.
    fn back(&self, sql: &str, quoted: &Quoted) -> String {
        let types = quoted.types.iter();
        match self.place {
            Place::Schema => {
                let of_types = types.fold(sql.to_owned(), |sql, (schema, name)| {
                    let scratch = format!("{}.{name}", self.name);
                    replaced(&sql, &scratch, &format!("{schema}.{name}"))
                });
                // Nothing else contains the scratch schema's random name.
                of_types.replace(&format!("{}.", self.name), &format!("{}.", quoted.schema))
            }
            // The server prints temporary types without a schema.
            Place::Temporary => types.fold(sql.to_owned(), |sql, (schema, name)| {
                let is_type = |rest: &&str| rest.is_empty() || *rest == "[]";
                match sql.strip_prefix(name.as_str()).filter(is_type) {
                    Some(rest) => format!("{schema}.{name}{rest}"),
                    None => replaced(&sql, &format!("::{name}"), &format!("::{schema}.{name}")),
                }
            }),
        }
    }

    /// The name under which the catalog has the schema.
    async fn actual_schema(&self, session: &mut dyn Session) -> Result<String, SessionError> {
        if self.place == Place::Schema {
            return Ok(self.name.clone());
        }
        let sql = "SELECT nspname::text FROM pg_namespace WHERE oid = pg_my_temp_schema()";
        let rows = session.fetch(sql, &[]).await?;
        let name = rows.first().and_then(|row| row.first()).and_then(|cell| cell.as_text());
        name.map(str::to_owned).ok_or_else(unexpected)
    }

    async fn quoted_names(
        &self,
        session: &mut dyn Session,
        schema: Option<&str>,
    ) -> Result<Quoted, SessionError> {
        let types =
            self.types.iter().flat_map(|of| [of.name.schema.as_deref(), Some(&of.name.name)]);
        let names = [schema].into_iter().chain(types).map(Option::unwrap_or_default);
        let names = serde_json::Value::from_iter(names).to_string();
        let sql = "SELECT quote_ident(name) FROM json_array_elements_text($1::json) \
                     WITH ORDINALITY AS n(name, at) ORDER BY at";
        let rows = session.fetch(sql, &[Param::Text(&names)]).await?;
        let text = |row: &Vec<Cell>| Some(row.first()?.as_text()?.to_owned());
        let mut quoted = rows.iter().filter_map(text);
        let schema = quoted.next().ok_or_else(unexpected)?;
        let mut types = Vec::new();
        while let (Some(schema), Some(name)) = (quoted.next(), quoted.next()) {
            types.push((schema, name));
        }
        Ok(Quoted { schema, types })
    }
}

fn part_name(number: usize) -> String {
    format!("larder_{number}")
}

/// All SQL of a table: types, expressions, conditions.
fn each_text(table: &mut Table, mut change: impl FnMut(&mut String)) {
    for column in &mut table.columns {
        change(&mut column.ty);
        column.default.iter_mut().for_each(&mut change);
        column.generated.iter_mut().for_each(|of| change(&mut of.expression));
    }
    table.checks.iter_mut().for_each(|check| change(&mut check.expression));
    for index in &mut table.indexes {
        index.predicate.iter_mut().for_each(&mut change);
        let expressions = index.parts.iter_mut().filter(|part| part.is_expression);
        expressions.for_each(|part| change(&mut part.text));
    }
}

/// Replaces a name where it is not a part of a longer one.
fn replaced(sql: &str, name: &str, by: &str) -> String {
    let is_part =
        |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '$' | '"' | '.');
    let mut result = String::with_capacity(sql.len());
    let mut rest = sql;
    while let Some(at) = rest.find(name) {
        let (before, after) = (&rest[..at], &rest[at + name.len()..]);
        let is_whole = !before.chars().next_back().is_some_and(is_part)
            && !after.chars().next().is_some_and(is_part);
        result.push_str(before);
        result.push_str(if is_whole { by } else { name });
        rest = after;
    }
    result.push_str(rest);
    result
}

/// Gives a model the texts of the table that was made of it.
fn take_over(model: &mut Table, mut printed: Table) {
    for column in &mut model.columns {
        let at = printed.columns.iter().position(|found| found.name == column.name);
        let Some(at) = at else { continue };
        let found = printed.columns.swap_remove(at);
        column.ty = found.ty;
        column.default = found.default;
        column.generated = found.generated;
        column.collation = found.collation;
    }
    for (number, check) in model.checks.iter_mut().enumerate() {
        let name = Some(part_name(number));
        let at = printed.checks.iter().position(|found| found.name == name);
        if let Some(at) = at {
            check.expression = printed.checks.swap_remove(at).expression;
        }
    }
    for (number, index) in model.indexes.iter_mut().enumerate() {
        let end = format!("_{number}");
        let at = printed.indexes.iter().position(|found| found.name.ends_with(&end));
        if let Some(at) = at {
            let found = printed.indexes.swap_remove(at);
            let name = std::mem::take(&mut index.name);
            let (unique, nulls_not_distinct) = (index.unique, index.nulls_not_distinct);
            *index = Index { name, unique, nulls_not_distinct, ..found };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_replaced_where_it_is_whole() {
        let replace = |sql: &str| replaced(sql, "a.mood", "s.m");
        assert_eq!(replace("'x'::a.mood"), "'x'::s.m");
        assert_eq!(replace("a.mood[]"), "s.m[]");
        assert_eq!(replace("a.moods, ba.mood, a.mood"), "a.moods, ba.mood, s.m");
        assert_eq!(replace("\"a.mood\""), "\"a.mood\"");
    }

    #[test]
    fn temporary_types_get_their_schema_back() {
        let of = EnumType { name: TableName::in_schema("s", "mood"), labels: vec!["x".into()] };
        let scratch = Scratch { place: Place::Temporary, name: "pg_temp".into(), types: vec![&of] };
        let quoted = Quoted { schema: "s".into(), types: vec![("s".into(), "mood".into())] };
        for (printed, expected) in [
            ("mood", "s.mood"),
            ("mood[]", "s.mood[]"),
            ("mood > 'x'::mood", "mood > 'x'::s.mood"),
            ("moody", "moody"),
        ] {
            assert_eq!(scratch.back(printed, &quoted), expected, "{printed}");
        }
        assert_eq!(scratch.forth("'x'::\"s\".mood"), "'x'::\"pg_temp\".\"mood\"");
    }
}
