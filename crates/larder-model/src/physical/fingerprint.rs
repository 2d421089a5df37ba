//! The digest of a schema as a database describes it.
//!
//! Invariant: two descriptions have one fingerprint if and only if they differ in nothing that a
//! program could notice: names that only people see, comments and the order of columns do not
//! count.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{Catalog, Check, Column, EnumType, ForeignKey, Index, Table, TableName, Unique};

/// The digest of a [`Catalog`] or a [`Table`].
///
/// **Counts:** of a table its name, kind, options, columns with types, defaults, NULL, identity,
/// generation and collation; the order of the key's columns; unique constraints, indexes with
/// their names, foreign keys, checks; of an enumerated type its labels in order. **Does not
/// count:** comments, the order of columns, names of constraints, what a model knows beyond.
///
/// Shown as `v1:sha256:` and 64 hexadecimal digits; another version of the encoding would show so
/// at its beginning, and is then no sign of a difference.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(String);

impl Fingerprint {
    pub(crate) fn of(catalog: &Catalog) -> Self {
        let mut encoder = Encoder::new();
        encoder.sorted(&catalog.enums, Encoder::enum_type);
        encoder.sorted(&catalog.tables, Encoder::table);
        encoder.finish()
    }

    /// A fingerprint as it was shown; any text is one, because a later version may look otherwise.
    #[must_use]
    pub fn from_text(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// As it is shown.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Table {
    /// The digest of the table alone, see [`Fingerprint`].
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        let mut encoder = Encoder::new();
        encoder.table(self);
        encoder.finish()
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

/// Everything of variable length is preceded by its length, so that parts never run into each
/// other.
struct Encoder(Vec<u8>);

impl Encoder {
    fn new() -> Self {
        Self(b"larder schema 1\0".to_vec())
    }

    fn finish(self) -> Fingerprint {
        let digest = Sha256::digest(&self.0);
        let mut text = "v1:sha256:".to_owned();
        for byte in digest {
            text.push_str(&format!("{byte:02x}"));
        }
        Fingerprint(text)
    }

    fn text(&mut self, text: &str) {
        self.0.extend_from_slice(&(text.len() as u64).to_be_bytes());
        self.0.extend_from_slice(text.as_bytes());
    }

    fn flag(&mut self, flag: bool) {
        self.0.push(u8::from(flag));
    }

    fn option(&mut self, text: Option<&str>) {
        self.flag(text.is_some());
        self.text(text.unwrap_or_default());
    }

    fn texts(&mut self, texts: &[String]) {
        self.0.extend_from_slice(&(texts.len() as u64).to_be_bytes());
        texts.iter().for_each(|text| self.text(text));
    }

    /// Encodes each item by itself and puts them into the order of their encodings.
    fn sorted<T>(&mut self, items: &[T], encode: impl Fn(&mut Self, &T)) {
        let mut encoded: Vec<_> = items
            .iter()
            .map(|item| {
                let mut one = Self(Vec::new());
                encode(&mut one, item);
                one.0
            })
            .collect();
        encoded.sort_unstable();
        self.0.extend_from_slice(&(encoded.len() as u64).to_be_bytes());
        for one in encoded {
            self.0.extend_from_slice(&(one.len() as u64).to_be_bytes());
            self.0.extend_from_slice(&one);
        }
    }

    fn name(&mut self, name: &TableName) {
        self.option(name.schema.as_deref());
        self.text(&name.name);
    }

    fn enum_type(&mut self, of: &EnumType) {
        self.name(&of.name);
        self.texts(&of.labels);
    }

    fn table(&mut self, table: &Table) {
        self.name(&table.name);
        self.text(&format!("{:?}", table.kind));
        self.flag(table.strict);
        self.flag(table.without_rowid);
        self.option(table.collation.as_deref());
        self.option(table.opaque.as_deref());
        self.sorted(&table.columns, Self::column);
        let key = table.primary_key.as_ref().map(|key| key.columns.as_slice());
        self.texts(key.unwrap_or_default());
        self.sorted(&table.uniques, Self::unique);
        self.sorted(&table.indexes, Self::index);
        self.sorted(&table.foreign_keys, Self::foreign_key);
        self.sorted(&table.checks, Self::check);
    }

    fn column(&mut self, column: &Column) {
        self.text(&column.name);
        self.text(&column.ty);
        self.flag(column.nullable);
        self.option(column.default.as_deref());
        self.text(&format!("{:?}", column.identity));
        self.option(column.generated.as_ref().map(|of| of.expression.as_str()));
        self.flag(column.generated.as_ref().is_some_and(|of| of.stored));
        self.option(column.on_update.as_deref());
        self.option(column.collation.as_deref());
    }

    fn unique(&mut self, unique: &Unique) {
        self.texts(&unique.columns);
        self.flag(unique.nulls_not_distinct);
        self.text(&format!("{:?}", unique.deferrable));
        self.texts(&unique.include);
    }

    fn index(&mut self, index: &Index) {
        self.text(&index.name);
        self.flag(index.unique);
        self.option(index.method.as_deref());
        self.0.extend_from_slice(&(index.parts.len() as u64).to_be_bytes());
        for part in &index.parts {
            self.text(&part.text);
            self.flag(part.is_expression);
            self.flag(part.descending);
            self.text(&format!("{:?}", part.nulls));
            self.option(part.collation.as_deref());
            self.option(part.opclass.as_deref());
            self.text(&format!("{:?}", part.prefix));
        }
        self.texts(&index.include);
        self.option(index.predicate.as_deref());
        self.flag(index.nulls_not_distinct);
        self.flag(index.valid);
    }

    fn foreign_key(&mut self, key: &ForeignKey) {
        self.texts(&key.columns);
        self.name(&key.target);
        self.texts(&key.target_columns);
        self.text(key.on_delete.as_sql());
        self.text(key.on_update.as_sql());
        self.text(&format!("{:?}", key.deferrable));
        self.flag(key.validated);
    }

    fn check(&mut self, check: &Check) {
        self.text(&check.expression);
        self.flag(check.validated);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(columns: &[&str]) -> Table {
        let mut table = Table::new(TableName::new("t"));
        table.columns = columns.iter().map(|name| Column::new(*name, "text")).collect();
        table
    }

    #[test]
    fn what_only_people_see_does_not_count() {
        let one = table(&["a", "b"]);
        let mut other = table(&["b", "a"]);
        other.comment = Some("about".into());
        other.columns[0].comment = Some("about b".into());
        let check = |name: &str| Check {
            name: Some(name.into()),
            expression: "a > b".into(),
            validated: true,
        };
        assert_eq!(one.fingerprint(), other.fingerprint());
        let (mut one, mut other) = (one, other);
        one.checks.push(check("first"));
        other.checks.push(check("second"));
        assert_eq!(one.fingerprint(), other.fingerprint());
    }

    #[test]
    fn what_a_program_notices_counts() {
        let plain = || table(&["a", "b"]);
        let with = |change: fn(&mut Table)| {
            let mut table = plain();
            change(&mut table);
            table.fingerprint()
        };
        let prints = [
            plain().fingerprint(),
            table(&["a"]).fingerprint(),
            with(|table| table.name.schema = Some("s".into())),
            with(|table| table.columns[0].ty = "integer".into()),
            with(|table| table.columns[0].nullable = false),
            with(|table| table.columns[0].default = Some(String::new())),
            with(|table| table.indexes.push(Index::new("i", &["a", "b"]))),
            with(|table| table.indexes.push(Index::new("i", &["b", "a"]))),
            with(|table| table.kind = crate::TableKind::View),
            with(|table| table.strict = true),
        ];
        for (at, one) in prints.iter().enumerate() {
            assert!(!prints[at + 1..].contains(one), "{at}");
        }
    }
}
