//! From a model to a table of MySQL or MariaDB.
//!
//! Invariant: types and constants are written as the server prints them. What the server has not,
//! such as a partial index, is an error and never left out.

use std::fmt::Write as _;

use super::types::{self, ParsedType};
use crate::{
    Check, Column, ColumnKind, ColumnModel, DataType, DefaultModel, DefaultValue, Dialect,
    ForeignKey, ForeignKeyModel, Generated, Identifier, Identity, Index, IndexModel, IndexPart,
    IndexTermModel, Lowered, ModelError, PrimaryKey, ReferentialAction, Table, TableModel,
    TableName, Unique,
    short_name::{NameUnit, short_name},
};

/// Texts compare by their characters and nothing else, as they do on PostgreSQL and SQLite, and
/// every text can be stored whatever the database's own default is.
const COLLATION: &str = "utf8mb4_bin";

/// The longest text that a column for a short text holds, in characters.
const SHORT_TEXT_MAX: usize = 255;

pub(crate) fn lower(dialect: Dialect, model: &TableModel) -> Result<Lowered, ModelError> {
    let lowering = Lowering { dialect, model };
    let mut table = Table::new(TableName::new(model.name().as_str()));
    for column in model.columns() {
        table.columns.push(lowering.column(column)?);
    }
    if model.key().next().is_some() {
        let columns = model.key().map(|column| column.name.as_str().to_owned()).collect();
        table.primary_key = Some(PrimaryKey { name: None, columns });
    }
    for unique in model.uniques() {
        let columns = names(&unique.columns);
        let name = format!("{}_{}_key", model.name(), columns.join("_"));
        let name = lowering.free_name(&table, &name, &columns);
        table.uniques.push(lowering.unique(name, columns)?);
    }
    for index in model.indexes() {
        lowering.index(index, &mut table)?;
    }
    for key in model.foreign_keys() {
        table.foreign_keys.push(lowering.foreign_key(key)?);
    }
    for (at, check) in model.checks().iter().enumerate() {
        let name = match &check.name {
            Some(name) => name.as_str().to_owned(),
            None => lowering.name(&format!("{}_check{}", model.name(), at + 1)),
        };
        let expression = check.expression.clone();
        table.checks.push(Check { name: Some(name), expression, validated: true });
    }
    table.collation = Some(COLLATION.to_owned());
    table.comment = model.comment().map(str::to_owned);
    table.renamed_from = model.renamed_from().map(|name| name.as_str().to_owned());
    Ok(Lowered { enums: Vec::new(), table })
}

struct Lowering<'a> {
    dialect: Dialect,
    model: &'a TableModel,
}

impl Lowering<'_> {
    const fn is_mariadb(&self) -> bool {
        matches!(self.dialect, Dialect::MariaDb)
    }

    fn unsupported(&self, feature: &'static str) -> ModelError {
        ModelError::Unsupported { dialect: self.dialect, feature }
    }

    /// A name that the server takes.
    fn name(&self, text: &str) -> String {
        let max = self.dialect.name_length_max().unwrap_or(usize::MAX);
        short_name(text, max, NameUnit::Chars)
    }

    fn column(&self, column: &ColumnModel) -> Result<Column, ModelError> {
        let is_limited = self.is_limited(column);
        let mut lowered = Column::new(column.name.as_str(), self.ty(column, is_limited));
        // MariaDB computes what it computes, and does not say that it may not be NULL.
        lowered.nullable = column.nullable || (self.is_mariadb() && column.generated.is_some());
        let default = column.default.as_ref();
        lowered.default = default.map(|default| self.default(column, default, &lowered.ty));
        lowered.identity = column.auto_increment.then_some(Identity::AutoIncrement);
        lowered.generated =
            column.generated.clone().map(|expression| Generated { expression, stored: true });
        lowered.collation = column.collation.clone().filter(|name| name != COLLATION);
        lowered.comment.clone_from(&column.comment);
        lowered.kind = column.data_type.is_plain().then(|| column.data_type.kind());
        lowered.renamed_from = column.renamed_from.as_ref().map(|name| name.as_str().to_owned());
        Ok(lowered)
    }

    /// Whether the server takes no text or blob of any length for the column: it is part of a key
    /// or an index, or refers to one, or has a default that rows which are there are to have.
    fn is_limited(&self, column: &ColumnModel) -> bool {
        let is_it = |name: &Identifier| name.is_alike(column.name.as_str());
        let in_index = |index: &IndexModel| {
            let is_part = index.parts.iter().any(|part| match &part.of {
                IndexTermModel::Column(name) => is_it(name),
                IndexTermModel::Expression(_) => false,
            });
            is_part && index_method(index).is_none_or(|method| !method.starts_with("fulltext"))
        };
        let is_short = match &column.default {
            Some(DefaultModel::Value(DefaultValue::Text(text))) => {
                text.chars().count() <= SHORT_TEXT_MAX
            }
            Some(DefaultModel::Value(DefaultValue::Blob(bytes))) => bytes.len() <= SHORT_TEXT_MAX,
            Some(_) => true,
            None => false,
        };
        column.key
            || is_short
            || self.model.uniques().iter().any(|unique| unique.columns.iter().any(is_it))
            || self.model.indexes().iter().any(in_index)
            || self.model.foreign_keys().iter().any(|key| key.columns.iter().any(is_it))
    }

    fn ty(&self, column: &ColumnModel, is_limited: bool) -> String {
        let of = |kind| types::declared(self.dialect, kind, is_limited).to_owned();
        match &column.data_type {
            DataType::Char { length } => format!("char({length})"),
            DataType::Varchar { length } => format!("varchar({length})"),
            DataType::Decimal { precision, scale } => format!("decimal({precision},{scale})"),
            DataType::Enum { labels, .. } => {
                let labels: Vec<_> = labels.iter().map(|label| self.dialect.text(label)).collect();
                format!("enum({})", labels.join(","))
            }
            DataType::Kind(kind) => of(*kind),
            DataType::Native { kind, mysql, .. } => mysql.clone().unwrap_or_else(|| of(*kind)),
            DataType::Temporal { kind, digits } => {
                let base = match kind {
                    ColumnKind::Time => "time",
                    ColumnKind::TimestampUtc => "timestamp",
                    _ => "datetime",
                };
                if *digits == 0 { base.to_owned() } else { format!("{base}({digits})") }
            }
        }
    }

    fn default(&self, column: &ColumnModel, default: &DefaultModel, ty: &str) -> String {
        let ty = ParsedType::parse(ty);
        let is_long = ty.bytes_max().is_some() || ty.base == "json";
        // MySQL has expressions only as defaults of what may be long.
        let has_literal = self.is_mariadb() || !is_long;
        match default {
            DefaultModel::Now => self.now(column),
            // An expression stands in parentheses; the server knows how it prints it.
            DefaultModel::Sql(sql) => format!("({sql})"),
            DefaultModel::Value(DefaultValue::Boolean(value)) => {
                self.constant(if *value { "1" } else { "0" })
            }
            DefaultModel::Value(DefaultValue::Number(digits)) => {
                self.constant(&self.number(column, digits))
            }
            DefaultModel::Value(DefaultValue::Blob(bytes)) => {
                let hex = bytes.iter().fold(String::new(), |mut hex, byte| {
                    let _ = write!(hex, "{byte:02x}");
                    hex
                });
                // A literal would be printed as text, and cut off at a NUL.
                match self.dialect {
                    Dialect::MariaDb => format!("unhex('{hex}')"),
                    _ => format!("(unhex(_utf8mb4'{hex}'))"),
                }
            }
            DefaultModel::Value(DefaultValue::Text(text)) => {
                if has_literal {
                    self.dialect.text(text)
                } else {
                    // Within an expression MySQL escapes a quote by a backslash.
                    let text = text.replace('\\', "\\\\").replace('\'', "\\'");
                    format!("(_utf8mb4'{text}')")
                }
            }
        }
    }

    /// A number as a default: MySQL prints it in quotes.
    fn constant(&self, digits: &str) -> String {
        if self.is_mariadb() { digits.to_owned() } else { format!("'{digits}'") }
    }

    /// A number with as many digits behind the point as its column keeps.
    fn number(&self, column: &ColumnModel, digits: &str) -> String {
        let scale = match column.data_type {
            DataType::Decimal { scale, .. } => usize::from(scale),
            DataType::Kind(ColumnKind::Decimal) => 30,
            _ => return digits.to_owned(),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        if fraction.len() > scale {
            return digits.to_owned();
        }
        match scale {
            0 => whole.to_owned(),
            _ => format!("{whole}.{fraction:0<scale$}"),
        }
    }

    fn now(&self, column: &ColumnModel) -> String {
        let digits = match column.data_type {
            DataType::Temporal { digits, .. } => digits,
            _ => 6,
        };
        let arguments = if digits == 0 { String::new() } else { digits.to_string() };
        match (column.data_type.kind(), self.is_mariadb()) {
            (ColumnKind::Date, true) => "curdate()".to_owned(),
            (ColumnKind::Date, false) => "(curdate())".to_owned(),
            (ColumnKind::Time, true) => format!("curtime({arguments})"),
            (ColumnKind::Time, false) => format!("(curtime({arguments}))"),
            (_, true) => format!("current_timestamp({arguments})"),
            (_, false) if digits == 0 => "CURRENT_TIMESTAMP".to_owned(),
            (_, false) => format!("CURRENT_TIMESTAMP({arguments})"),
        }
    }

    /// A name that no index of the table has yet. Two lists of columns may read as one text: `a_b`
    /// with `c`, and `a` with `b_c`.
    fn free_name(&self, table: &Table, text: &str, columns: &[String]) -> String {
        let given = self.model.indexes().iter().filter_map(|index| index.name.as_ref());
        let mut taken: Vec<_> = given.map(|name| name.as_str().to_lowercase()).collect();
        taken.extend(table.uniques.iter().filter_map(|of| Some(of.name.as_ref()?.to_lowercase())));
        taken.extend(table.indexes.iter().map(|index| index.name.to_lowercase()));
        let mut name = self.name(text);
        let mut count = 1;
        while taken.contains(&name.to_lowercase()) {
            count += 1;
            name = self.name(&format!("{}_{count}_{text}", columns.len()));
        }
        name
    }

    fn unique(&self, name: String, columns: Vec<String>) -> Result<Unique, ModelError> {
        self.refuse_documents(&columns)?;
        Ok(Unique {
            name: Some(name),
            columns,
            nulls_not_distinct: false,
            deferrable: None,
            include: Vec::new(),
        })
    }

    /// A document is no key: it would have to be the same in every byte.
    fn refuse_documents(&self, columns: &[String]) -> Result<(), ModelError> {
        let is_document = |name: &String| {
            let column = self.model.column(name);
            column.is_some_and(|column| column.data_type.kind() == ColumnKind::Json)
        };
        match columns.iter().any(is_document) {
            true => Err(self.unsupported("index over a JSON document")),
            false => Ok(()),
        }
    }

    fn index(&self, index: &IndexModel, table: &mut Table) -> Result<(), ModelError> {
        if index.predicate.is_some() {
            return Err(self.unsupported("partial index"));
        }
        let method = index_method(index);
        let is_known = |method: &str| matches!(method, "fulltext" | "spatial");
        if method.as_deref().is_some_and(|method| !is_known(method)) {
            return Err(self.unsupported("index of this kind"));
        }
        let mut parts = Vec::new();
        for part in &index.parts {
            let lowered = match &part.of {
                IndexTermModel::Column(name) => IndexPart::column(name.as_str()),
                IndexTermModel::Expression(_) if self.is_mariadb() => {
                    return Err(self.unsupported("index over an expression"));
                }
                IndexTermModel::Expression(sql) => IndexPart::expression(sql.as_str()),
            };
            parts.push(IndexPart { descending: part.descending, ..lowered });
        }
        let columns: Vec<_> =
            parts.iter().filter(|part| !part.is_expression).map(|part| part.text.clone()).collect();
        self.refuse_documents(&columns)?;
        let is_plain =
            method.is_none() && parts.iter().all(|part| !part.is_expression && !part.descending);
        let name = match &index.name {
            Some(name) => name.as_str().to_owned(),
            None => self.free_name(table, &index_name(self.model.name(), &parts), &columns),
        };
        if index.unique && is_plain {
            // The server tells a unique index from a unique constraint as little as we do.
            table.uniques.push(self.unique(name, columns)?);
            return Ok(());
        }
        table.indexes.push(Index { unique: index.unique, method, parts, ..Index::new(name, &[]) });
        Ok(())
    }

    fn foreign_key(&self, key: &ForeignKeyModel) -> Result<ForeignKey, ModelError> {
        let action = |action| match action {
            ReferentialAction::SetDefault => Err(self.unsupported("SET DEFAULT of a foreign key")),
            // The same there, since nothing is checked later than at once.
            ReferentialAction::Restrict => Ok(ReferentialAction::NoAction),
            action => Ok(action),
        };
        let columns = names(&key.columns);
        // The names of foreign keys are the database's and not the table's, so that two tables
        // may not lead to one name: `a` with `b_c` and `a_b` with `c`.
        let name = format!("{}__{}_fkey", self.model.name(), columns.join("_"));
        Ok(ForeignKey {
            name: Some(self.name(&name)),
            columns,
            target: TableName::new(key.target.as_str()),
            target_columns: names(&key.target_columns),
            on_delete: action(key.on_delete)?,
            on_update: action(key.on_update)?,
            deferrable: None,
            validated: true,
        })
    }
}

fn names(identifiers: &[Identifier]) -> Vec<String> {
    identifiers.iter().map(|name| name.as_str().to_owned()).collect()
}

/// How an index is kept, if not as a B-tree. The server keeps what is declared as a hash as a
/// B-tree as well.
fn index_method(index: &IndexModel) -> Option<String> {
    let method = index.method.as_ref()?.to_ascii_lowercase();
    (!matches!(method.as_str(), "btree" | "hash")).then_some(method)
}

/// `<table>_<columns>_idx`.
fn index_name(table: &Identifier, parts: &[IndexPart]) -> String {
    let mut name = table.as_str().to_owned();
    for part in parts {
        name.push('_');
        name.push_str(if part.is_expression { "expr" } else { &part.text });
    }
    name.push_str("_idx");
    name
}
