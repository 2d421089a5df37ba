//! A model in PostgreSQL's terms.
//!
//! Guards that what PostgreSQL can not have is refused here and not by the server, and that every
//! part has a name of ours, so that a later plan finds it.

use std::collections::BTreeSet;

use super::{constant, names::Names, types};
use crate::{
    Check, CheckModel, Column, ColumnModel, DataType, Dialect, EnumType, ForeignKey,
    ForeignKeyModel, Generated, Identifier, Identity, Index, IndexModel, IndexPart, IndexPartModel,
    IndexTermModel, Lowered, ModelError, PrimaryKey, Table, TableModel, TableName, Unique,
    UniqueModel,
};

/// Where a table lives whose schema nobody names.
const DEFAULT_SCHEMA: &str = "public";

/// Index methods of other databases.
const FOREIGN_METHODS: [&str; 2] = ["fulltext", "spatial"];

pub(crate) fn lower(model: &TableModel, schema: Option<&str>) -> Result<Lowered, ModelError> {
    let schema = model.schema().map(Identifier::as_str).or(schema).unwrap_or(DEFAULT_SCHEMA);
    let enums = enums(model, schema);
    let mut table = Table::new(TableName::in_schema(schema, model.name().as_str()));
    table.comment = model.comment().map(str::to_owned);
    table.renamed_from = model.renamed_from().map(|name| name.as_str().to_owned());
    table.columns = model.columns().iter().map(|of| column(of, schema)).collect();
    let mut names = Names::new(model.name().as_str(), chosen(model));
    let key: Vec<_> = model.key().map(|column| column.name.as_str().to_owned()).collect();
    if !key.is_empty() {
        let name = Some(names.make("", "pkey"));
        table.primary_key = Some(PrimaryKey { name, columns: key });
    }
    table.uniques = model.uniques().iter().map(|of| unique(of, &mut names)).collect();
    let indexes = model.indexes().iter().map(|of| index(of, &mut names));
    table.indexes = indexes.collect::<Result<_, _>>()?;
    let keys = model.foreign_keys().iter();
    table.foreign_keys = keys.map(|of| foreign_key(of, schema, &mut names)).collect();
    table.checks = checks(model, &mut names);
    Ok(Lowered { enums, table })
}

const fn unsupported(feature: &'static str) -> ModelError {
    ModelError::Unsupported { dialect: Dialect::Postgres, feature }
}

fn texts(names: &[Identifier]) -> Vec<String> {
    names.iter().map(|name| name.as_str().to_owned()).collect()
}

/// The names that the model's author chose.
fn chosen(model: &TableModel) -> BTreeSet<String> {
    let indexes = model.indexes().iter().filter_map(|of| of.name.as_ref());
    let checks = model.checks().iter().filter_map(|of| of.name.as_ref());
    indexes.chain(checks).map(|name| name.as_str().to_owned()).collect()
}

fn enums(model: &TableModel, schema: &str) -> Vec<EnumType> {
    let mut enums: Vec<EnumType> = Vec::new();
    for column in model.columns() {
        let DataType::Enum { name, labels } = &column.data_type else { continue };
        let name = TableName::in_schema(schema, name.as_str());
        // Several columns may have one type, which then has one list of labels.
        if enums.iter().all(|of| of.name != name) {
            enums.push(EnumType { name, labels: labels.clone() });
        }
    }
    enums
}

fn column(of: &ColumnModel, schema: &str) -> Column {
    let kind = of.data_type.kind();
    let ty = types::declared(&of.data_type, schema);
    let default = of.default.as_ref().map(|default| constant::default(default, kind, &ty));
    let generated = of.generated.as_ref();
    Column {
        nullable: of.nullable,
        default,
        identity: of.auto_increment.then_some(Identity::ByDefault),
        generated: generated.map(|sql| Generated { expression: sql.clone(), stored: true }),
        collation: of.collation.as_deref().map(collation),
        comment: of.comment.clone(),
        kind: of.data_type.is_plain().then_some(kind),
        renamed_from: of.renamed_from.as_ref().map(|name| name.as_str().to_owned()),
        ..Column::new(of.name.as_str(), ty)
    }
}

/// A collation's name in quotes; one with a schema comes with quotes.
fn collation(name: &str) -> String {
    if name.starts_with('"') { name.to_owned() } else { Dialect::Postgres.quoted(name) }
}

fn unique(of: &UniqueModel, names: &mut Names<'_>) -> Unique {
    let columns = texts(&of.columns);
    Unique {
        name: Some(names.make(&columns.join("_"), "key")),
        columns,
        nulls_not_distinct: false,
        deferrable: None,
        include: Vec::new(),
    }
}

fn index(of: &IndexModel, names: &mut Names<'_>) -> Result<Index, ModelError> {
    let method = of.method.as_deref().map(str::to_ascii_lowercase);
    let method = method.filter(|method| method != "btree");
    if method.as_deref().is_some_and(|method| FOREIGN_METHODS.contains(&method)) {
        return Err(unsupported("index of this method"));
    }
    let middle = |part: &IndexPartModel| match &part.of {
        IndexTermModel::Column(name) => name.as_str().to_owned(),
        IndexTermModel::Expression(_) => "expr".to_owned(),
    };
    let middle: Vec<_> = of.parts.iter().map(middle).collect();
    let name = match &of.name {
        Some(name) => name.as_str().to_owned(),
        None => names.make(&middle.join("_"), "idx"),
    };
    let part = |part: &IndexPartModel| IndexPart {
        descending: part.descending,
        ..match &part.of {
            IndexTermModel::Column(name) => IndexPart::column(name.as_str()),
            IndexTermModel::Expression(sql) => IndexPart::expression(sql.as_str()),
        }
    };
    Ok(Index {
        unique: of.unique,
        method,
        parts: of.parts.iter().map(part).collect(),
        predicate: of.predicate.clone(),
        ..Index::new(name, &[])
    })
}

fn foreign_key(of: &ForeignKeyModel, schema: &str, names: &mut Names<'_>) -> ForeignKey {
    let columns = texts(&of.columns);
    let target_schema = of.target_schema.as_ref().map_or(schema, Identifier::as_str);
    ForeignKey {
        name: Some(names.make(&columns.join("_"), "fkey")),
        columns,
        target: TableName::in_schema(target_schema, of.target.as_str()),
        target_columns: texts(&of.target_columns),
        on_delete: of.on_delete,
        on_update: of.on_update,
        deferrable: None,
        validated: true,
    }
}

/// The checks; those without a name are counted in the order of their expressions.
fn checks(model: &TableModel, names: &mut Names<'_>) -> Vec<Check> {
    let mut unnamed: Vec<_> = model.checks().iter().filter(|of| of.name.is_none()).collect();
    unnamed.sort_by(|one, other| one.expression.cmp(&other.expression));
    let name = |of: &CheckModel, names: &mut Names<'_>| match &of.name {
        Some(name) => name.as_str().to_owned(),
        None => {
            let at = unnamed.iter().position(|other| std::ptr::eq(*other, of));
            names.make("", &format!("check{}", at.unwrap_or_default() + 1))
        }
    };
    let check = |of: &CheckModel| Check {
        name: Some(name(of, names)),
        expression: of.expression.clone(),
        validated: true,
    };
    model.checks().iter().map(check).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ColumnKind, DefaultModel, DefaultValue};

    fn id(name: &'static str) -> Identifier {
        Identifier::from_static(name)
    }

    fn mood(labels: &[&str]) -> DataType {
        let labels = labels.iter().map(|label| (*label).to_owned()).collect();
        DataType::Enum { name: id("mood"), labels }
    }

    #[test]
    fn a_model_gets_types_names_and_a_schema() {
        let key =
            ColumnModel { key: true, auto_increment: true, ..ColumnModel::of::<i64>(id("id")) };
        let default = Some(DefaultModel::Value(DefaultValue::Text("ok".into())));
        let feeling = ColumnModel { default, ..ColumnModel::new(id("mood"), mood(&["ok", "sad"])) };
        let name = ColumnModel { unique: true, ..ColumnModel::of::<String>(id("name")) };
        let mut by_name = IndexModel::over([id("name")]);
        by_name.method = Some("BTREE".into());
        let model = TableModel::builder(id("person"))
            .column(key)
            .column(feeling)
            .column(name)
            .index(by_name)
            .index(IndexModel::over([id("mood")]))
            .foreign_key(ForeignKeyModel::new(id("id"), id("other"), id("id")))
            .check(CheckModel { name: None, expression: "id > 1".into() })
            .check(CheckModel { name: None, expression: "id > 0".into() })
            .build()
            .unwrap();
        let Lowered { enums, table } = lower(&model, Some("app")).unwrap();
        assert_eq!(enums[0].name, TableName::in_schema("app", "mood"));
        assert_eq!(table.name, TableName::in_schema("app", "person"));
        assert_eq!(table.columns[0].identity, Some(Identity::ByDefault));
        assert_eq!(table.columns[1].ty, "app.mood");
        assert_eq!(table.columns[1].default.as_deref(), Some("'ok'::app.mood"));
        assert_eq!(table.columns[1].kind, None);
        assert_eq!(table.columns[2].kind, Some(ColumnKind::Text));
        let names: Vec<_> = table.indexes.iter().map(|index| index.name.as_str()).collect();
        assert_eq!(names, ["person_name_idx", "person_mood_idx"]);
        assert_eq!(table.indexes[0].method, None);
        assert_eq!(table.uniques[0].name.as_deref(), Some("person_name_key"));
        assert_eq!(table.foreign_keys[0].target, TableName::in_schema("app", "other"));
        let checks: Vec<_> = table.checks.iter().map(|check| check.name.as_deref()).collect();
        assert_eq!(checks, [Some("person_check2"), Some("person_check1")]);
        assert_eq!(lower(&model, None).unwrap().table.name.schema.as_deref(), Some("public"));
    }

    #[test]
    fn an_index_of_another_database_is_refused() {
        let text = ColumnModel::new(id("a"), DataType::Kind(ColumnKind::Text));
        let mut index = IndexModel::over([id("a")]);
        index.method = Some("FULLTEXT".into());
        let table = TableModel::builder(id("mood")).column(text).index(index).build().unwrap();
        assert_eq!(lower(&table, None).unwrap_err(), unsupported("index of this method"));
    }
}
