//! References come and go.
//!
//! Guards that the index that the server makes for a reference goes with it, and only that one.

use super::{COPIED, indexes::index_columns};
use crate::{
    Change, Class, ForeignKey, LockLevel, Table, TableName, Undo,
    missing::BROKEN_OFF,
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
        if let Some(undo) = self.undo_reference(table, key, all) {
            draft.undo = Undo::Statements(vec![undo]);
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

    /// A reference that a run which was broken off left off: rows that came since may break it.
    pub(in crate::mysql) fn restore(&self, table: &TableName, key: &ForeignKey) -> Draft {
        let draft = self.resume(table, key).after(self.before.orphans(table, key));
        draft.of(Class::Additive, LockLevel::Writers).because(BROKEN_OFF)
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

    /// What takes a new reference away again, with the index that the server made for it. That one
    /// took the place of those that the server had made for other references and that it covers.
    fn undo_reference(&self, table: &TableName, key: &ForeignKey, all: &[Work]) -> Option<String> {
        let mut there = Table::new(table.clone());
        for side in [self.found(table), self.wanted(table)].into_iter().flatten() {
            there.primary_key = side.primary_key.clone().or(there.primary_key);
            there.uniques.extend(side.uniques.iter().cloned());
            there.indexes.extend(side.indexes.iter().cloned());
        }
        let name = self.ddl.name(key.name.as_deref()?);
        let mut clauses = vec![format!("DROP FOREIGN KEY {name}")];
        let others = self.earlier_references(table, key, all);
        let is_covered = index_columns(&there).any(|(_, of)| of.starts_with(&key.columns))
            || others.iter().any(|other| {
                other.columns.len() > key.columns.len() && other.columns.starts_with(&key.columns)
            });
        if !is_covered {
            clauses.push(format!("DROP INDEX {name}"));
            let replaced = others.iter().filter(|other| key.columns.starts_with(&other.columns));
            let bare = replaced.filter(|other| {
                !index_columns(&there).any(|(_, of)| of.starts_with(&other.columns))
            });
            clauses.extend(bare.filter_map(|other| {
                let name = self.ddl.name(other.name.as_deref()?);
                Some(format!("ADD KEY {name} ({})", self.ddl.names(&other.columns)))
            }));
        }
        Some(self.alter(table, &clauses, Way::Any))
    }

    /// The references that a table has when a new one comes.
    fn earlier_references(
        &self,
        table: &TableName,
        key: &ForeignKey,
        all: &[Work],
    ) -> Vec<ForeignKey> {
        let mut earlier = self.references(table, all);
        for change in all.iter().flat_map(Work::changes) {
            match change {
                Change::AddForeignKey(of, other) if of == table && other == key => break,
                Change::AddForeignKey(of, other) if of == table => earlier.push(other.clone()),
                Change::CreateTable(created) if created.name == *table => {
                    earlier.extend(created.foreign_keys.iter().cloned());
                }
                _ => {}
            }
        }
        earlier
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
