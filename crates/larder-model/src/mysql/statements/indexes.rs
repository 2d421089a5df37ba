//! Indexes and unique constraints, which are one thing here.
//!
//! Guards that no reference that stays is left without an index.

use super::references::has_implicit_index;
use crate::{
    Change, Class, ForeignKey, Index, LockLevel, Table, TableName, Unique,
    mysql::{
        alter::is_fulltext,
        order::Work,
        steps::{Draft, Planner, Way},
    },
};

impl Planner<'_> {
    pub(in crate::mysql) fn add_unique(
        &self,
        table: &TableName,
        unique: &Unique,
        all: &[Work],
    ) -> Draft {
        let name = unique.name.as_deref().unwrap_or_default();
        let way = if self.has_fulltext(table) { Way::Any } else { Way::InPlace };
        let statement = self.alter(table, &[format!("ADD {}", self.ddl.unique(unique))], way);
        let undo = self.undo_index(table, name, &unique.columns, all);
        let draft = Draft::metadata(statement, undo).after(self.before.duplicates(
            table,
            &unique.columns,
            None,
        ));
        if unique.name.is_some() { draft } else { draft.irreversible() }
    }

    pub(in crate::mysql) fn add_index(
        &self,
        table: &TableName,
        index: &Index,
        all: &[Work],
    ) -> Draft {
        let way = if self.has_fulltext(table) || !is_plain(index) {
            Way::Any
        } else if index.method.is_some() {
            Way::InPlaceShared
        } else {
            Way::InPlace
        };
        let (class, lock) = match way {
            Way::InPlace => (Class::Online, LockLevel::None),
            _ => (Class::Rewrite, LockLevel::Writers),
        };
        let statement = self.alter(table, &[format!("ADD {}", self.ddl.index(index))], way);
        let undo = self.undo_index(table, &index.name, &whole_columns(index), all);
        let draft = Draft::metadata(statement, undo).of(class, lock);
        match index.unique {
            true => draft.of(Class::DataDependent, lock).after(self.before.duplicate_parts(
                table,
                self.wanted(table),
                index,
            )),
            false => draft,
        }
    }

    pub(in crate::mysql) fn drop_index(
        &self,
        table: &TableName,
        index: &Index,
        all: &[Work],
    ) -> Draft {
        let columns: Vec<_> = index.parts.iter().map(|part| part.text.clone()).collect();
        let add = format!("ADD {}", self.ddl.index(index));
        let keeps_order = index.unique && !self.has_key(table);
        let way = if is_plain(index) && !keeps_order { Way::InPlace } else { Way::Any };
        self.drop_named(table, (&index.name, way), &columns, add, all)
    }

    pub(in crate::mysql) fn drop_unique(
        &self,
        table: &TableName,
        unique: &Unique,
        all: &[Work],
    ) -> Option<Draft> {
        let add = format!("ADD {}", self.ddl.unique(unique));
        let name = unique.name.as_deref()?;
        let way = if self.has_key(table) { Way::InPlace } else { Way::Any };
        Some(self.drop_named(table, (name, way), &unique.columns, add, all))
    }

    pub(in crate::mysql) fn rename_index(&self, table: &TableName, from: &str, to: &str) -> Draft {
        let rename = |from, to| {
            let clause = format!("RENAME INDEX {} TO {}", self.ddl.name(from), self.ddl.name(to));
            self.alter(table, &[clause], Way::InPlace)
        };
        Draft::metadata(rename(from, to), rename(to, from))
            .because("another index is to have its name")
    }

    /// Without a primary key the rows may be kept in the order of a unique one.
    pub(in crate::mysql) fn has_key(&self, table: &TableName) -> bool {
        self.found(table).is_some_and(|found| found.primary_key.is_some())
    }

    pub(in crate::mysql) fn has_fulltext(&self, table: &TableName) -> bool {
        self.found(table).is_some_and(|table| table.indexes.iter().any(is_fulltext))
    }

    /// Drops an index. A reference that stays and has no other one gets one of its own.
    pub(in crate::mysql) fn drop_named(
        &self,
        table: &TableName,
        (name, way): (&str, Way),
        columns: &[String],
        add: String,
        all: &[Work],
    ) -> Draft {
        let mut clauses = vec![format!("DROP INDEX {}", self.ddl.name(name))];
        clauses.extend(self.supports(table, columns, all));
        Draft::metadata(self.alter(table, &clauses, way), self.alter(table, &[add], Way::Any))
    }

    /// What adds an index for each reference that is left without one.
    pub(in crate::mysql) fn supports(
        &self,
        table: &TableName,
        columns: &[String],
        all: &[Work],
    ) -> Vec<String> {
        let Some(found) = self.found(table) else { return Vec::new() };
        let dropped: Vec<_> = all.iter().flat_map(Work::changes).collect();
        let stays = |key: &&ForeignKey| {
            let is_dropped = dropped.iter().any(|change| {
                matches!(change, Change::DropForeignKey(of, gone)
                    if of == table && gone.name == key.name)
            });
            let is_suspended = all.iter().any(|work| {
                matches!(work, Work::Resume(of, gone) if of == table && gone.name == key.name)
            });
            columns.starts_with(&key.columns) && !is_dropped && !is_suspended
        };
        let is_left = |key: &&ForeignKey| {
            !index_columns(found).any(|(name, covering)| {
                let goes = dropped.iter().any(|change| match change {
                    Change::DropIndex(of, index) => of == table && Some(&*index.name) == name,
                    Change::DropUnique(of, unique) => of == table && unique.name.as_deref() == name,
                    Change::DropPrimaryKey(of, _) => of == table && name.is_none(),
                    _ => false,
                });
                !goes && covering.starts_with(&key.columns)
            })
        };
        let left = found.foreign_keys.iter().filter(stays).filter(is_left);
        left.filter_map(|key| {
            let name = self.ddl.name(key.name.as_deref()?);
            Some(format!("ADD KEY {name} ({})", self.ddl.names(&key.columns)))
        })
        .collect()
    }

    /// What takes an index away again. The server drops the index that it made for a reference as
    /// soon as another one will do, and wants it back.
    pub(in crate::mysql) fn undo_index(
        &self,
        table: &TableName,
        name: &str,
        columns: &[String],
        all: &[Work],
    ) -> String {
        let mut clauses = vec![format!("DROP INDEX {}", self.ddl.name(name))];
        if let Some(found) = self.found(table) {
            let keys = self.references(table, all);
            let is_swallowed = |key: &&ForeignKey| {
                columns.starts_with(&key.columns) && has_implicit_index(found, key)
            };
            clauses.extend(keys.iter().filter(is_swallowed).filter_map(|key| {
                let name = self.ddl.name(key.name.as_deref()?);
                Some(format!("ADD KEY {name} ({})", self.ddl.names(&key.columns)))
            }));
        }
        self.alter(table, &clauses, Way::Any)
    }
}

/// The indexes of a table that are over columns, with their names; the primary key has none.
pub(in crate::mysql) fn index_columns(
    table: &Table,
) -> impl Iterator<Item = (Option<&str>, Vec<String>)> {
    let key = table.primary_key.iter().map(|key| (None, key.columns.clone()));
    let uniques =
        table.uniques.iter().map(|unique| (unique.name.as_deref(), unique.columns.clone()));
    let plain = table.indexes.iter().filter(|index| index.method.is_none());
    let indexes = plain.map(|index| (Some(index.name.as_str()), whole_columns(index)));
    key.chain(uniques).chain(indexes)
}

/// The columns that an index begins with, as far as they are whole.
pub(in crate::mysql) fn whole_columns(index: &Index) -> Vec<String> {
    let whole = index.parts.iter().take_while(|part| !part.is_expression && part.prefix.is_none());
    whole.map(|part| part.text.clone()).collect()
}

/// Whether an index is over columns. MySQL keeps an expression in a column of its own, which it
/// adds and drops together with nothing else; MariaDB does so for what it keeps as a hash.
fn is_plain(index: &Index) -> bool {
    let is_hash = index.method.as_deref() == Some("hash");
    !is_hash && index.parts.iter().all(|part| !part.is_expression)
}
