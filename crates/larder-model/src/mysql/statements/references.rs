//! References come and go.
//!
//! Guards that the index that the server makes for a reference goes with it, and only that one.

use super::{COPIED, indexes::index_columns};
use crate::{
    Change, Class, ForeignKey, LockLevel, Table, TableName, Undo,
    mysql::{
        order::Work,
        steps::{Draft, Planner, Way},
    },
};

impl Planner<'_> {
    /// A new reference of a table that was created just now has nothing to check.
    pub(in crate::mysql) fn add_foreign_key(
        &self,
        table: &TableName,
        key: &ForeignKey,
        all: &[Work],
    ) -> Draft {
        let mut draft = self.resume(table, key);
        if let (Some(name), true) = (&key.name, self.makes_index(table, key, all)) {
            let name = self.ddl.name(name);
            let drop = [format!("DROP FOREIGN KEY {name}"), format!("DROP INDEX {name}")];
            draft.undo = Undo::Statements(vec![self.alter(table, &drop, Way::Any)]);
        }
        if self.before.is_created(table) {
            return Draft { reason: None, ..draft.of(Class::Additive, LockLevel::None) };
        }
        draft
            .of(Class::DataDependent, LockLevel::Writers)
            .after(self.before.orphans(table, key))
            .because(COPIED)
    }

    /// The rows kept to the reference until it went.
    pub(in crate::mysql) fn resume(&self, table: &TableName, key: &ForeignKey) -> Draft {
        let way = if self.before.is_created(table) { Way::Any } else { Way::Copy };
        let statement = self.alter(table, &[format!("ADD {}", self.ddl.foreign_key(key))], way);
        let undo = match &key.name {
            Some(name) => {
                let drop = format!("DROP FOREIGN KEY {}", self.ddl.name(name));
                Undo::Statements(vec![self.alter(table, &[drop], Way::Any)])
            }
            None => Undo::Irreversible,
        };
        let draft = Draft::metadata(statement, String::new()).because(COPIED);
        Draft { undo, ..draft.of(Class::Rewrite, LockLevel::Writers) }
    }

    pub(in crate::mysql) fn suspend(&self, table: &TableName, key: &ForeignKey) -> Option<Draft> {
        let drop = format!("DROP FOREIGN KEY {}", self.ddl.name(key.name.as_deref()?));
        let add = format!("ADD {}", self.ddl.foreign_key(key));
        let statement = self.alter(table, &[drop], Way::InPlace);
        let draft = Draft::metadata(statement, self.alter(table, &[add], Way::Any));
        Some(draft.because("its columns can not be changed while it is there"))
    }

    /// With a reference goes the index that the server made for it.
    pub(in crate::mysql) fn drop_foreign_key(
        &self,
        table: &TableName,
        key: &ForeignKey,
    ) -> Option<Draft> {
        let name = self.ddl.name(key.name.as_deref()?);
        let mut clauses = vec![format!("DROP FOREIGN KEY {name}")];
        let found = self.found(table);
        if found.is_some_and(|found| has_implicit_index(found, key)) {
            clauses.push(format!("DROP INDEX {name}"));
        }
        let add = format!("ADD {}", self.ddl.foreign_key(key));
        Some(Draft::metadata(
            self.alter(table, &clauses, Way::InPlace),
            self.alter(table, &[add], Way::Any),
        ))
    }

    /// Whether the server makes an index for a new reference.
    pub(in crate::mysql) fn makes_index(
        &self,
        table: &TableName,
        key: &ForeignKey,
        all: &[Work],
    ) -> bool {
        let sides = [self.found(table), self.wanted(table)];
        let mut there = Table::new(table.clone());
        for side in sides.into_iter().flatten() {
            there.primary_key = side.primary_key.clone().or(there.primary_key);
            there.uniques.extend(side.uniques.iter().cloned());
            there.indexes.extend(side.indexes.iter().cloned());
        }
        there.foreign_keys.extend(self.references(table, all));
        let added = all.iter().flat_map(Work::changes).map_while(|change| match change {
            Change::AddForeignKey(of, other) if of == table && other == key => None,
            Change::AddForeignKey(of, other) if of == table => Some(Some(other.clone())),
            _ => Some(None),
        });
        there.foreign_keys.extend(added.flatten());
        has_implicit_index(&there, key)
    }

    /// The references of a table that stay.
    pub(in crate::mysql) fn references(&self, table: &TableName, all: &[Work]) -> Vec<ForeignKey> {
        let is_dropped = |key: &ForeignKey| {
            all.iter().flat_map(Work::changes).any(|change| {
                matches!(change, Change::DropForeignKey(of, gone)
                    if of == table && gone.name == key.name)
            })
        };
        let found = self.found(table).into_iter();
        let keys = found.flat_map(|found| &found.foreign_keys).filter(|key| !is_dropped(key));
        keys.cloned().collect()
    }
}

/// Whether the server made an index for a reference: no other one would do, also none that it made
/// for another reference.
pub(in crate::mysql) fn has_implicit_index(table: &Table, key: &ForeignKey) -> bool {
    let is_covered = index_columns(table).any(|(_, columns)| columns.starts_with(&key.columns));
    let is_shared = table.foreign_keys.iter().any(|other| {
        other.name != key.name
            && (other.columns.starts_with(&key.columns) || key.columns.starts_with(&other.columns))
    });
    !is_covered && !is_shared
}
