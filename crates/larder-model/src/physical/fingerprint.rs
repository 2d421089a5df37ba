//! The digest of a schema as a database describes it.
//!
//! Invariant: two descriptions have one fingerprint if and only if they differ in nothing that a
//! program could notice: names that only people see, comments and the order of columns do not
//! count.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    Catalog, Check, Column, EnumType, ForeignKey, Index, Table, TableName, Unique,
    encoder::{Encode, Encoder, shown},
};

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
        fingerprint(|encoder| {
            encoder.sorted(&catalog.enums);
            encoder.sorted(&catalog.tables);
        })
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
        fingerprint(|encoder| self.encode(encoder))
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

fn fingerprint(of: impl FnOnce(&mut Encoder)) -> Fingerprint {
    Fingerprint(shown(&Encoder::digest(b"larder schema 1\0", of)))
}

impl Encode for TableName {
    fn encode(&self, into: &mut Encoder) {
        into.option(self.schema.as_deref());
        into.text(&self.name);
    }
}

impl Encode for EnumType {
    fn encode(&self, into: &mut Encoder) {
        self.name.encode(into);
        into.texts(&self.labels);
    }
}

impl Encode for Table {
    fn encode(&self, into: &mut Encoder) {
        self.name.encode(into);
        into.text(&format!("{:?}", self.kind));
        into.flag(self.strict);
        into.flag(self.without_rowid);
        into.option(self.collation.as_deref());
        into.option(self.opaque.as_deref());
        into.sorted(&self.columns);
        let key = self.primary_key.as_ref().map(|key| key.columns.as_slice());
        into.texts(key.unwrap_or_default());
        into.sorted(&self.uniques);
        into.sorted(&self.indexes);
        into.sorted(&self.foreign_keys);
        into.sorted(&self.checks);
    }
}

impl Encode for Column {
    fn encode(&self, into: &mut Encoder) {
        into.text(&self.name);
        into.text(&self.ty);
        into.flag(self.nullable);
        into.option(self.default.as_deref());
        into.text(&format!("{:?}", self.identity));
        into.option(self.generated.as_ref().map(|of| of.expression.as_str()));
        into.flag(self.generated.as_ref().is_some_and(|of| of.stored));
        into.option(self.on_update.as_deref());
        into.option(self.collation.as_deref());
    }
}

impl Encode for Unique {
    fn encode(&self, into: &mut Encoder) {
        into.texts(&self.columns);
        into.flag(self.nulls_not_distinct);
        into.text(&format!("{:?}", self.deferrable));
        into.texts(&self.include);
    }
}

impl Encode for Index {
    fn encode(&self, into: &mut Encoder) {
        into.text(&self.name);
        into.flag(self.unique);
        into.option(self.method.as_deref());
        into.count(self.parts.len());
        for part in &self.parts {
            into.text(&part.text);
            into.flag(part.is_expression);
            into.flag(part.descending);
            into.text(&format!("{:?}", part.nulls));
            into.option(part.collation.as_deref());
            into.option(part.opclass.as_deref());
            into.text(&format!("{:?}", part.prefix));
        }
        into.texts(&self.include);
        into.option(self.predicate.as_deref());
        into.flag(self.nulls_not_distinct);
        into.flag(self.valid);
    }
}

impl Encode for ForeignKey {
    fn encode(&self, into: &mut Encoder) {
        into.texts(&self.columns);
        self.target.encode(into);
        into.texts(&self.target_columns);
        into.text(self.on_delete.as_sql());
        into.text(self.on_update.as_sql());
        into.text(&format!("{:?}", self.deferrable));
        into.flag(self.validated);
    }
}

impl Encode for Check {
    fn encode(&self, into: &mut Encoder) {
        into.text(&self.expression);
        into.flag(self.validated);
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

    /// A schema that has everything once.
    fn everything() -> Catalog {
        let name = TableName::in_schema("app", "airline");
        let mut table = table(&["id", "name", "lower"]);
        table.name = name.clone();
        table.collation = Some("utf8mb4_bin".into());
        table.opaque = Some("it is partitioned".into());
        (table.strict, table.without_rowid) = (true, true);
        table.columns[0].identity = Some(crate::Identity::ByDefault);
        table.columns[0].nullable = false;
        table.columns[1].default = Some("'x'::text".into());
        table.columns[1].on_update = Some("now()".into());
        table.columns[1].collation = Some("\"C\"".into());
        table.columns[2].generated =
            Some(crate::Generated { expression: "lower(name)".into(), stored: true });
        table.primary_key = Some(crate::PrimaryKey { name: None, columns: vec!["id".into()] });
        table.uniques.push(Unique {
            name: None,
            columns: vec!["name".into()],
            nulls_not_distinct: true,
            deferrable: Some(false),
            include: vec!["lower".into()],
        });
        let mut part = crate::IndexPart::column("name");
        (part.descending, part.nulls) = (true, Some(crate::NullsOrder::Last));
        (part.collation, part.opclass, part.prefix) = (Some("c".into()), Some("o".into()), Some(5));
        table.indexes.push(Index {
            method: Some("gin".into()),
            parts: vec![part, crate::IndexPart::expression("name || 'x'")],
            include: vec!["id".into()],
            predicate: Some("id > 0".into()),
            ..Index::new("i", &[])
        });
        table.foreign_keys.push(ForeignKey {
            name: None,
            columns: vec!["id".into()],
            target: name,
            target_columns: vec!["id".into()],
            on_delete: crate::ReferentialAction::Cascade,
            on_update: crate::ReferentialAction::SetNull,
            deferrable: Some(true),
            validated: false,
        });
        table.checks.push(Check { name: None, expression: "id > 0".into(), validated: true });
        let mood = TableName::in_schema("app", "mood");
        let labels = vec!["ok".into(), "sad".into()];
        Catalog { enums: vec![EnumType { name: mood, labels }], tables: vec![table] }
    }

    #[test]
    fn the_encoding_stays_what_it_is() {
        let printed = "v1:sha256:5d4e86dcc75fad60cfe3196c5440c65b5851a482a064a42633d2b66ab1ef05b2";
        assert_eq!(everything().fingerprint().as_str(), printed);
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
