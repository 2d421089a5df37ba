//! From the rows of the answer to tables.
//!
//! Invariant: what pragmas and the text of a table say goes together, or the table is opaque.

use std::collections::BTreeSet;

use larder_model::{
    Check, Column, Dependent, Dialect, ForeignKey, Generated, Identity, Index, IndexPart,
    PrimaryKey, ReferentialAction, Table, TableKind, TableName, Unique, sql_tokens,
};

use super::{
    canonical, index_text,
    rows::{Answer, ColumnRow, IndexRow, NameRow, PartRow, ReferenceRow},
    table_text::{self, TableText},
    words::Unclear,
};

const DISAGREES: Unclear = Unclear("its text and its pragmas say different things");

/// The tables, and what else has a table's name.
pub(super) fn describe(answer: Answer) -> Vec<Table> {
    let mentions: Vec<BTreeSet<String>> = answer
        .dependents
        .iter()
        .map(|dependent| {
            let tokens = sql_tokens(Dialect::Sqlite, &dependent.sql);
            tokens
                .iter()
                .filter_map(|token| token.name())
                .map(|name| name.to_ascii_lowercase())
                .collect()
        })
        .collect();
    let describe = |(name, sql): &(String, Option<String>)| {
        let row = answer.names.get(name);
        let mut table = Table::new(TableName::new(name));
        table.kind = match row.map(|row| row.kind.as_str()) {
            Some("table") => TableKind::Table,
            Some("view") => TableKind::View,
            _ => TableKind::Other,
        };
        if let (TableKind::Table, Some(row)) = (table.kind, row) {
            let of = Description { answer: &answer, name, row };
            of.fill(&mut table, sql.as_deref().unwrap_or_default());
            table.dependents = dependents(&answer, &mentions, name);
        }
        table
    };
    answer.tables.iter().map(describe).collect()
}

/// The triggers of the table, and whatever mentions its name.
fn dependents(answer: &Answer, mentions: &[BTreeSet<String>], name: &str) -> Vec<Dependent> {
    let lower = name.to_ascii_lowercase();
    let mut found = Vec::new();
    for (row, mentioned) in answer.dependents.iter().zip(mentions) {
        let is_own = row.is_trigger && row.table.eq_ignore_ascii_case(name);
        if is_own || mentioned.contains(&lower) {
            found.push(Dependent { name: row.name.clone(), sql: row.sql.clone(), is_own });
        }
    }
    found
}

/// One table under description.
struct Description<'a> {
    answer: &'a Answer,
    name: &'a str,
    row: &'a NameRow,
}

impl<'a> Description<'a> {
    fn fill(&self, table: &mut Table, sql: &str) {
        table.strict = self.row.strict;
        table.without_rowid = self.row.without_rowid;
        let text = table_text::parse(sql).and_then(|text| self.agree(text));
        let default = TableText::default();
        let (text, unclear) = match &text {
            Ok(text) => (text, None),
            Err(unclear) => (&default, Some(*unclear)),
        };
        table.primary_key = self.primary_key(text);
        table.columns = self.columns(text, table.primary_key.as_ref());
        let names: Vec<_> = table.columns.iter().map(|column| column.name.clone()).collect();
        table.uniques = self.uniques(text);
        table.foreign_keys = self.foreign_keys(text);
        let check = |check: &table_text::CheckText<'_>| Check {
            name: check.name.clone(),
            expression: canonical::expression(&check.expression, &names),
            validated: true,
        };
        table.checks = text.checks.iter().map(check).collect();
        let indexes: Result<Vec<_>, _> =
            self.indexes().filter(|row| row.origin == "c").map(|row| index(row, table)).collect();
        let unclear = unclear.or(indexes.as_ref().err().copied());
        table.indexes = indexes.unwrap_or_default();
        table.opaque = unclear.map(|Unclear(reason)| reason.to_owned());
    }

    fn column_rows(&self) -> &'a [ColumnRow] {
        self.answer.columns.get(self.name).map(Vec::as_slice).unwrap_or_default()
    }

    fn indexes(&self) -> impl Iterator<Item = &'a IndexRow> {
        self.answer.indexes.get(self.name).into_iter().flatten()
    }

    /// The references, each with its columns together; in the order of the text.
    fn references(&self) -> Vec<&'a [ReferenceRow]> {
        let rows = self.answer.references.get(self.name).map(Vec::as_slice).unwrap_or_default();
        let mut references: Vec<_> = rows.chunk_by(|one, other| one.id == other.id).collect();
        references.reverse();
        references
    }

    /// Whether the text has the columns, constraints and references that pragmas list.
    fn agree<'t>(&self, text: TableText<'t>) -> Result<TableText<'t>, Unclear> {
        let rows = self.column_rows();
        let columns = text.columns.len() == rows.len()
            && text.columns.iter().zip(rows).all(|(text, row)| {
                text.name == row.name && text.generated.is_some() == matches!(row.hidden, 2 | 3)
            });
        let references = self.references();
        let references = text.references.len() == references.len()
            && text.references.iter().zip(&references).all(|(text, rows)| {
                rows.iter().all(|row| row.parent.eq_ignore_ascii_case(&text.target))
            });
        let key = text.key.is_some() == rows.iter().any(|row| row.key > 0);
        // Two equal constraints share an index.
        let uniques = self.indexes().filter(|row| row.origin == "u").count() <= text.uniques.len();
        if columns && references && key && uniques { Ok(text) } else { Err(DISAGREES) }
    }

    fn primary_key(&self, text: &TableText<'_>) -> Option<PrimaryKey> {
        let mut columns: Vec<_> = self.column_rows().iter().filter(|row| row.key > 0).collect();
        columns.sort_by_key(|row| row.key);
        let name = text.key.as_ref().and_then(|key| key.name.clone());
        let columns: Vec<_> = columns.into_iter().map(|row| row.name.clone()).collect();
        (!columns.is_empty()).then_some(PrimaryKey { name, columns })
    }

    fn columns(&self, text: &TableText<'_>, key: Option<&PrimaryKey>) -> Vec<Column> {
        let names: Vec<_> = self.column_rows().iter().map(|row| row.name.clone()).collect();
        let is_only_key = key.is_some_and(|key| key.columns.len() == 1);
        let has_key_index = self.indexes().any(|row| row.origin == "pk");
        let is_numbered = text.key.as_ref().is_some_and(|key| key.autoincrement);
        let column = |(at, row): (usize, &ColumnRow)| {
            let ty = canonical::type_name(&row.ty);
            // The row number under another name: never NULL, and without an index of its own.
            let is_alias = row.key > 0
                && is_only_key
                && ty == "INTEGER"
                && !self.row.without_rowid
                && !has_key_index;
            let text = text.columns.get(at);
            let collation = text.and_then(|text| text.collation.as_deref());
            let generated = text.and_then(|text| text.generated.as_ref());
            Column {
                nullable: !row.not_null && !is_alias,
                default: row.default.as_deref().and_then(canonical::default),
                identity: (is_alias && is_numbered).then_some(Identity::AutoIncrement),
                generated: generated.map(|tokens| Generated {
                    expression: canonical::expression(tokens, &names),
                    stored: row.hidden == 3,
                }),
                collation: collation.and_then(own_collation),
                ..Column::new(&row.name, ty)
            }
        };
        self.column_rows().iter().enumerate().map(column).collect()
    }

    fn uniques(&self, text: &TableText<'_>) -> Vec<Unique> {
        let unique = |row: &IndexRow| {
            let columns: Vec<_> = row.parts.iter().filter_map(|part| part.column.clone()).collect();
            let same = |key: &&table_text::KeyText| {
                key.columns.len() == columns.len()
                    && key.columns.iter().zip(&columns).all(|(a, b)| a.eq_ignore_ascii_case(b))
            };
            Unique {
                name: text.uniques.iter().find(same).and_then(|key| key.name.clone()),
                columns,
                nulls_not_distinct: false,
                deferrable: None,
                include: Vec::new(),
            }
        };
        self.indexes().filter(|row| row.origin == "u").map(unique).collect()
    }

    fn foreign_keys(&self, text: &TableText<'_>) -> Vec<ForeignKey> {
        let references = self.references();
        let key = |(at, rows): (usize, &&[ReferenceRow])| {
            let first = rows.first()?;
            let text = text.references.get(at);
            Some(ForeignKey {
                name: text.and_then(|text| text.name.clone()),
                columns: rows.iter().map(|row| row.column.clone()).collect(),
                target: TableName::new(self.real_name(&first.parent)),
                target_columns: self.target_columns(rows),
                on_delete: action(&first.on_delete),
                on_update: action(&first.on_update),
                deferrable: text.and_then(|text| text.deferrable),
                validated: true,
            })
        };
        references.iter().enumerate().filter_map(key).collect()
    }

    /// A table's name as the table has it, not as a reference spells it.
    fn real_name(&self, mentioned: &str) -> String {
        let exact = self.answer.names.get_key_value(mentioned);
        let real = exact.or_else(|| {
            self.answer.names.iter().find(|(name, _)| name.eq_ignore_ascii_case(mentioned))
        });
        real.map_or(mentioned, |(name, _)| name).to_owned()
    }

    /// The columns that a reference names, or the key of the table that it refers to.
    fn target_columns(&self, rows: &[ReferenceRow]) -> Vec<String> {
        let parent = rows.first().map(|row| row.parent.to_ascii_lowercase());
        let columns = parent.and_then(|parent| self.answer.parents.get(&parent));
        let columns = columns.map(Vec::as_slice).unwrap_or_default();
        if rows.iter().all(|row| row.target.is_none()) {
            let mut key: Vec<_> = columns.iter().filter(|column| column.key > 0).collect();
            key.sort_by_key(|column| column.key);
            return key.into_iter().map(|column| column.name.clone()).collect();
        }
        let real = |mentioned: &String| {
            let found = columns.iter().find(|column| column.name.eq_ignore_ascii_case(mentioned));
            found.map_or(mentioned, |column| &column.name).clone()
        };
        rows.iter().filter_map(|row| row.target.as_ref()).map(real).collect()
    }
}

fn own_collation(name: &str) -> Option<String> {
    let name = name.to_ascii_uppercase();
    (name != "BINARY").then_some(name)
}

fn action(text: &str) -> ReferentialAction {
    match text {
        "CASCADE" => ReferentialAction::Cascade,
        "RESTRICT" => ReferentialAction::Restrict,
        "SET DEFAULT" => ReferentialAction::SetDefault,
        "SET NULL" => ReferentialAction::SetNull,
        _ => ReferentialAction::NoAction,
    }
}

fn index(row: &IndexRow, table: &Table) -> Result<Index, Unclear> {
    let text = index_text::parse(row.sql.as_deref().unwrap_or_default())?;
    if text.parts.len() != row.parts.len() {
        return Err(DISAGREES);
    }
    let names: Vec<_> = table.columns.iter().map(|column| column.name.clone()).collect();
    let part = |(part, tokens): (&PartRow, &Vec<_>)| {
        let plain = match &part.column {
            Some(name) => IndexPart::column(name),
            // A collation stands within the expression.
            None => IndexPart::expression(canonical::expression(tokens, &names)),
        };
        let collation = match &part.column {
            Some(name) => other_collation(part.collation.as_deref(), table.column(name)),
            None => None,
        };
        IndexPart { descending: part.descending, collation, ..plain }
    };
    let predicate = text.predicate.as_ref();
    Ok(Index {
        unique: row.unique,
        parts: row.parts.iter().zip(&text.parts).map(part).collect(),
        predicate: predicate.map(|tokens| canonical::expression(tokens, &names)),
        ..Index::new(&row.name, &[])
    })
}

/// The collation of a part, if it is not its column's.
fn other_collation(of_part: Option<&str>, column: Option<&Column>) -> Option<String> {
    let of_part = of_part?.to_ascii_uppercase();
    let of_column = column.and_then(|column| column.collation.as_deref()).unwrap_or("BINARY");
    (of_part != of_column).then_some(of_part)
}
