//! Several tables, and the types that they share.

use serde::{Deserialize, Serialize};

use crate::{Fingerprint, Table, TableName};

/// The tables and enumerated types of a database, or those that somebody asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "plain data that others build")]
pub struct Catalog {
    /// Enumerated types, PostgreSQL's only; sorted by name.
    pub enums: Vec<EnumType>,
    /// Tables and what else has a table's name; sorted by name.
    pub tables: Vec<Table>,
}

/// An enumerated type of PostgreSQL.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "plain data that others build")]
pub struct EnumType {
    /// Its name, with its schema.
    pub name: TableName,
    /// Its labels in their order.
    pub labels: Vec<String>,
}

impl Catalog {
    /// The table of this name.
    #[must_use]
    pub fn table(&self, name: &TableName) -> Option<&Table> {
        self.tables.iter().find(|table| table.name == *name)
    }

    /// The enumerated type of this name.
    #[must_use]
    pub fn enum_type(&self, name: &TableName) -> Option<&EnumType> {
        self.enums.iter().find(|found| found.name == *name)
    }

    /// Brings tables and types into the order of their names.
    pub fn sort(&mut self) {
        self.enums.sort_by(|one, other| one.name.cmp(&other.name));
        self.tables.sort_by(|one, other| one.name.cmp(&other.name));
    }

    /// The digest of everything in it, see [`Fingerprint`].
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(self)
    }
}
