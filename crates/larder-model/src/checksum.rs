//! The digest of a table's declaration.
//!
//! Invariant: two declarations have one checksum if and only if they declare the same content;
//! what only the source text knows does not count.

use std::fmt;

use crate::{
    CheckModel, ColumnModel, DataType, DefaultModel, DefaultValue, ForeignKeyModel, Identifier,
    IndexModel, IndexTermModel, TableModel, UniqueModel,
    encoder::{Encode, Encoder, shown},
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
        Self(Encoder::digest(b"larder model 1\0", |encoder| table.encode(encoder)))
    }

    /// The digest alone.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&shown(&self.0))
    }
}

impl fmt::Debug for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Checksum({self})")
    }
}

impl Encode for TableModel {
    fn encode(&self, into: &mut Encoder) {
        into.option(self.schema.as_ref().map(Identifier::as_str));
        into.text(self.name.as_str());
        into.sorted(&self.columns);
        names(into, &self.key);
        into.sorted(&self.uniques);
        into.sorted(&self.indexes);
        into.sorted(&self.foreign_keys);
        into.sorted(&self.checks);
    }
}

impl Encode for ColumnModel {
    fn encode(&self, into: &mut Encoder) {
        into.text(self.name.as_str());
        self.data_type.encode(into);
        into.flag(self.nullable);
        into.flag(self.auto_increment);
        match &self.default {
            None => into.text("none"),
            Some(default) => default.encode(into),
        }
        into.option(self.generated.as_deref());
        into.option(self.collation.as_deref());
    }
}

impl Encode for DataType {
    fn encode(&self, into: &mut Encoder) {
        match self {
            Self::Char { length } => {
                into.text("char");
                into.number(u64::from(*length));
            }
            Self::Decimal { precision, scale } => {
                into.text("decimal");
                into.number(u64::from(*precision));
                into.number(u64::from(*scale));
            }
            Self::Enum { name, labels } => {
                into.text("enum");
                into.text(name.as_str());
                into.texts(labels);
            }
            Self::Kind(kind) => {
                into.text("kind");
                into.text(kind.as_str());
            }
            Self::Native { kind, mysql, postgres, sqlite } => {
                into.text("native");
                into.text(kind.as_str());
                into.option(mysql.as_deref());
                into.option(postgres.as_deref());
                into.option(sqlite.as_deref());
            }
            Self::Temporal { kind, digits } => {
                into.text("temporal");
                into.text(kind.as_str());
                into.number(u64::from(*digits));
            }
            Self::Varchar { length } => {
                into.text("varchar");
                into.number(u64::from(*length));
            }
        }
    }
}

impl Encode for DefaultModel {
    fn encode(&self, into: &mut Encoder) {
        match self {
            Self::Now => into.text("now"),
            Self::Sql(sql) => {
                into.text("sql");
                into.text(sql);
            }
            Self::Value(value) => value.encode(into),
        }
    }
}

impl Encode for DefaultValue {
    fn encode(&self, into: &mut Encoder) {
        match self {
            Self::Blob(bytes) => {
                into.text("blob");
                into.bytes(bytes);
            }
            Self::Boolean(is) => {
                into.text("boolean");
                into.flag(*is);
            }
            Self::Number(digits) => {
                into.text("number");
                into.text(digits);
            }
            Self::Text(text) => {
                into.text("text");
                into.text(text);
            }
        }
    }
}

impl Encode for UniqueModel {
    fn encode(&self, into: &mut Encoder) {
        names(into, &self.columns);
    }
}

impl Encode for IndexModel {
    fn encode(&self, into: &mut Encoder) {
        into.option(self.name.as_ref().map(Identifier::as_str));
        into.flag(self.unique);
        into.option(self.method.as_deref());
        into.count(self.parts.len());
        for part in &self.parts {
            match &part.of {
                IndexTermModel::Column(name) => {
                    into.text("column");
                    into.text(name.as_str());
                }
                IndexTermModel::Expression(sql) => {
                    into.text("expression");
                    into.text(sql);
                }
            }
            into.flag(part.descending);
        }
        into.option(self.predicate.as_deref());
    }
}

impl Encode for ForeignKeyModel {
    fn encode(&self, into: &mut Encoder) {
        names(into, &self.columns);
        into.option(self.target_schema.as_ref().map(Identifier::as_str));
        into.text(self.target.as_str());
        names(into, &self.target_columns);
        into.text(self.on_delete.as_sql());
        into.text(self.on_update.as_sql());
    }
}

impl Encode for CheckModel {
    fn encode(&self, into: &mut Encoder) {
        into.option(self.name.as_ref().map(Identifier::as_str));
        into.text(&self.expression);
    }
}

fn names(into: &mut Encoder, names: &[Identifier]) {
    into.count(names.len());
    names.iter().for_each(|name| into.text(name.as_str()));
}

#[cfg(test)]
mod tests;
