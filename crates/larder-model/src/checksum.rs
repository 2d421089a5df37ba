//! The digest of a table's declaration.
//!
//! Invariant: two declarations have one checksum if and only if they declare the same content;
//! what only the source text knows does not count.

use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::{
    CheckModel, ColumnModel, DataType, DefaultModel, DefaultValue, ForeignKeyModel, Identifier,
    IndexModel, IndexTermModel, TableModel, UniqueModel,
};

/// The digest of a [`TableModel`]'s content.
///
/// **Counts:** the table's schema and name; of every column its name, type, nullability, default,
/// collation, how it is numbered and computed; the key with the order of its columns; unique
/// constraints, indexes, references and checks, in each of them everything. **Does not count:**
/// the order of the columns, constraints and indexes; comments; former names; the name of the Rust
/// struct and of its fields; docs.
///
/// Shown as `v1:sha256:` and 64 hexadecimal digits; another version of the encoding, or another
/// algorithm, would show so at its beginning.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Checksum([u8; 32]);

impl Checksum {
    pub(crate) fn of(table: &TableModel) -> Self {
        let mut encoder = Encoder(b"larder model 1\0".to_vec());
        encoder.table(table);
        Self(Sha256::digest(&encoder.0).into())
    }

    /// The digest alone.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("v1:sha256:")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Checksum({self})")
    }
}

/// Everything of variable length is preceded by its length, and every choice by its name, so that
/// parts never run into each other. What is written here never changes within one version.
struct Encoder(Vec<u8>);

impl Encoder {
    fn table(&mut self, table: &TableModel) {
        self.option(table.schema.as_ref().map(Identifier::as_str));
        self.text(table.name.as_str());
        self.sorted(&table.columns, Self::column);
        self.names(&table.key);
        self.sorted(&table.uniques, Self::unique);
        self.sorted(&table.indexes, Self::index);
        self.sorted(&table.foreign_keys, Self::foreign_key);
        self.sorted(&table.checks, Self::check);
    }

    fn column(&mut self, column: &ColumnModel) {
        self.text(column.name.as_str());
        self.data_type(&column.data_type);
        self.flag(column.nullable);
        self.flag(column.auto_increment);
        self.default(column.default.as_ref());
        self.option(column.generated.as_deref());
        self.option(column.collation.as_deref());
    }

    fn data_type(&mut self, data_type: &DataType) {
        match data_type {
            DataType::Char { length } => {
                self.text("char");
                self.number(u64::from(*length));
            }
            DataType::Decimal { precision, scale } => {
                self.text("decimal");
                self.number(u64::from(*precision));
                self.number(u64::from(*scale));
            }
            DataType::Enum { name, labels } => {
                self.text("enum");
                self.text(name.as_str());
                self.count(labels.len());
                labels.iter().for_each(|label| self.text(label));
            }
            DataType::Kind(kind) => {
                self.text("kind");
                self.text(kind.as_str());
            }
            DataType::Native { kind, mysql, postgres, sqlite } => {
                self.text("native");
                self.text(kind.as_str());
                self.option(mysql.as_deref());
                self.option(postgres.as_deref());
                self.option(sqlite.as_deref());
            }
            DataType::Temporal { kind, digits } => {
                self.text("temporal");
                self.text(kind.as_str());
                self.number(u64::from(*digits));
            }
            DataType::Varchar { length } => {
                self.text("varchar");
                self.number(u64::from(*length));
            }
        }
    }

    fn default(&mut self, default: Option<&DefaultModel>) {
        match default {
            None => self.text("none"),
            Some(DefaultModel::Now) => self.text("now"),
            Some(DefaultModel::Sql(sql)) => {
                self.text("sql");
                self.text(sql);
            }
            Some(DefaultModel::Value(value)) => self.value(value),
        }
    }

    fn value(&mut self, value: &DefaultValue) {
        match value {
            DefaultValue::Blob(bytes) => {
                self.text("blob");
                self.bytes(bytes);
            }
            DefaultValue::Boolean(is) => {
                self.text("boolean");
                self.flag(*is);
            }
            DefaultValue::Number(digits) => {
                self.text("number");
                self.text(digits);
            }
            DefaultValue::Text(text) => {
                self.text("text");
                self.text(text);
            }
        }
    }

    fn unique(&mut self, unique: &UniqueModel) {
        self.names(&unique.columns);
    }

    fn index(&mut self, index: &IndexModel) {
        self.option(index.name.as_ref().map(Identifier::as_str));
        self.flag(index.unique);
        self.option(index.method.as_deref());
        self.count(index.parts.len());
        for part in &index.parts {
            match &part.of {
                IndexTermModel::Column(name) => {
                    self.text("column");
                    self.text(name.as_str());
                }
                IndexTermModel::Expression(sql) => {
                    self.text("expression");
                    self.text(sql);
                }
            }
            self.flag(part.descending);
        }
        self.option(index.predicate.as_deref());
    }

    fn foreign_key(&mut self, key: &ForeignKeyModel) {
        self.names(&key.columns);
        self.option(key.target_schema.as_ref().map(Identifier::as_str));
        self.text(key.target.as_str());
        self.names(&key.target_columns);
        self.text(key.on_delete.as_sql());
        self.text(key.on_update.as_sql());
    }

    fn check(&mut self, check: &CheckModel) {
        self.option(check.name.as_ref().map(Identifier::as_str));
        self.text(&check.expression);
    }

    /// Encodes each item by itself and puts them into the order of their encodings.
    fn sorted<T>(&mut self, items: &[T], encode: impl Fn(&mut Self, &T)) {
        let encoded = items.iter().map(|item| {
            let mut one = Self(Vec::new());
            encode(&mut one, item);
            one.0
        });
        let mut encoded: Vec<_> = encoded.collect();
        encoded.sort_unstable();
        self.count(encoded.len());
        encoded.iter().for_each(|one| self.bytes(one));
    }

    fn names(&mut self, names: &[Identifier]) {
        self.count(names.len());
        names.iter().for_each(|name| self.text(name.as_str()));
    }

    fn option(&mut self, text: Option<&str>) {
        self.flag(text.is_some());
        self.text(text.unwrap_or_default());
    }

    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        self.0.extend_from_slice(bytes);
    }

    fn count(&mut self, count: usize) {
        self.number(count as u64);
    }

    fn number(&mut self, number: u64) {
        self.0.extend_from_slice(&number.to_be_bytes());
    }

    fn flag(&mut self, flag: bool) {
        self.0.push(u8::from(flag));
    }
}

#[cfg(test)]
mod tests;
