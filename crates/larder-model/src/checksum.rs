//! The digest of a table's declaration.
//!
//! Invariant: two declarations have one checksum if and only if they declare the same content;
//! what only the source text knows does not count.

use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::{ColumnModel, DefaultValue, TableModel};

/// The digest of a [`TableModel`]'s content.
///
/// **Counts:** the table's name; of every column its name, kind, nullability, default, and
/// whether it is key or unique. **Does not count:** the order of the columns, the name of the
/// Rust struct and of its fields, comments.
///
/// Shown as `v1:sha256:` and 64 hexadecimal digits; another version of the encoding, or another
/// algorithm, would show so at its beginning.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Checksum([u8; 32]);

impl Checksum {
    pub(crate) fn of(table: &TableModel) -> Self {
        let mut columns: Vec<_> = table.columns().iter().collect();
        columns.sort_unstable_by_key(|column| column.name());
        let mut encoder = Encoder(Sha256::new_with_prefix(b"larder table 1\0"));
        encoder.part(table.name().as_str().as_bytes());
        for column in columns {
            encoder.column(column);
        }
        Self(encoder.0.finalize().into())
    }

    /// The digest alone.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Everything of variable length is preceded by its length, so that parts never run into each
/// other; everything else has a fixed one.
struct Encoder(Sha256);

impl Encoder {
    fn part(&mut self, bytes: &[u8]) {
        self.0.update((bytes.len() as u64).to_be_bytes());
        self.0.update(bytes);
    }

    fn column(&mut self, column: &ColumnModel) {
        self.part(column.name().as_str().as_bytes());
        self.part(column.kind().as_str().as_bytes());
        let flags = [column.is_nullable(), column.is_key(), column.is_unique()];
        self.0.update(flags.map(u8::from));
        match column.default_value() {
            None => self.part(b"none"),
            Some(DefaultValue::Blob(bytes)) => self.default(b"blob", bytes),
            Some(DefaultValue::Boolean(value)) => self.default(b"boolean", &[u8::from(*value)]),
            Some(DefaultValue::Number(digits)) => self.default(b"number", digits.as_bytes()),
            Some(DefaultValue::Text(text)) => self.default(b"text", text.as_bytes()),
        }
    }

    fn default(&mut self, tag: &[u8], value: &[u8]) {
        self.part(tag);
        self.part(value);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ColumnKind, Identifier};

    fn name(name: &'static str) -> Identifier {
        Identifier::from_static(name)
    }

    fn column(column: &'static str) -> ColumnModel {
        ColumnModel::new(name(column), ColumnKind::Text, false, None)
    }

    fn checksum(table: &'static str, columns: &[ColumnModel]) -> Checksum {
        TableModel::new(name(table), columns.to_vec()).unwrap().checksum()
    }

    #[test]
    fn the_order_of_columns_does_not_count() {
        let (a, b) = (column("a"), column("b").with_key());
        assert_eq!(checksum("t", &[a.clone(), b.clone()]), checksum("t", &[b, a]));
    }

    #[test]
    fn everything_else_counts() {
        let default = |value| ColumnModel::new(name("a"), ColumnKind::Text, false, Some(value));
        let sums = [
            checksum("t", &[column("a")]),
            checksum("u", &[column("a")]),
            checksum("t", &[column("b")]),
            checksum("t", &[column("a"), column("b")]),
            checksum("t", &[column("a").with_key()]),
            checksum("t", &[column("a").with_unique()]),
            checksum("t", &[ColumnModel::new(name("a"), ColumnKind::Text, true, None)]),
            checksum("t", &[ColumnModel::new(name("a"), ColumnKind::Json, false, None)]),
            checksum("t", &[default(DefaultValue::Text("".into()))]),
            checksum("t", &[default(DefaultValue::Text("none".into()))]),
        ];
        for (at, one) in sums.iter().enumerate() {
            assert!(!sums[at + 1..].contains(one), "{at}");
        }
    }

    #[test]
    fn the_encoding_is_the_one_of_version_1() {
        let default = Some(DefaultValue::Number("0.10".into()));
        let fare = ColumnModel::new(name("fare"), ColumnKind::Decimal, true, default);
        assert_eq!(
            checksum("ticket", &[column("id").with_key(), fare]).to_string(),
            "v1:sha256:b6085a4c728498b4a987c998119b4b5702e0be3d2f468f40f99ea12fcc9913d2"
        );
    }
}
