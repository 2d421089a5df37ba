//! The comparison of one table as it is with the same as it should be.
//!
//! Invariant: what was found and is not wanted goes in [`Scope::Exact`] only, and is told about
//! otherwise.

use std::collections::BTreeSet;

use super::{Phases, Scope};
use crate::{Change, Column, Dialect, Difference, ForeignKey, Identity, Index, Table, TableName};

/// One table on both sides.
pub(super) struct Pair<'a> {
    dialect: Dialect,
    scope: &'a Scope,
    found: &'a Table,
    wanted: &'a Table,
    phases: Phases,
}

impl<'a> Pair<'a> {
    pub(super) fn new(
        dialect: Dialect,
        scope: &'a Scope,
        found: &'a Table,
        wanted: &'a Table,
    ) -> Self {
        Self { dialect, scope, found, wanted, phases: Phases::default() }
    }

    /// What has to be done to the table that was found.
    pub(super) fn phases(mut self) -> Phases {
        self.columns();
        self.constraints();
        self.options();
        self.dependents();
        self.phases
    }

    const fn is_exact(&self) -> bool {
        matches!(self.scope, Scope::Exact)
    }

    fn name(&self) -> TableName {
        self.wanted.name.clone()
    }

    fn find(&self, name: &str) -> Option<&'a Column> {
        let same = |column: &&Column| self.dialect.is_same_column(&column.name, name);
        self.found.columns.iter().find(same)
    }

    fn columns(&mut self) {
        let mut taken = BTreeSet::new();
        let mut missing = Vec::new();
        for wanted in &self.wanted.columns {
            match self.find(&wanted.name) {
                Some(found) => {
                    taken.insert(&found.name);
                    self.column(found, wanted);
                }
                None => missing.push(wanted),
            }
        }
        let extra: Vec<_> =
            self.found.columns.iter().filter(|column| !taken.contains(&column.name)).collect();
        for wanted in missing {
            let change = self
                .suspect(wanted, &extra)
                .unwrap_or_else(|| Change::AddColumn(self.name(), wanted.clone()));
            match change {
                Change::SuspectedRename { .. } => self.phases.refused.push(change),
                _ => self.phases.columns.push(change),
            }
        }
        for column in extra {
            self.extra_column(column);
        }
    }

    /// A column that the last model had, that the new one has not, and that could be the missing
    /// one under its former name.
    fn suspect(&self, wanted: &Column, extra: &[&Column]) -> Option<Change> {
        let Scope::Managed { previously } = self.scope else { return None };
        let previously = previously.get(&self.wanted.name)?;
        let likely = extra.iter().find(|column| {
            previously.contains(&column.name)
                && !previously.contains(&wanted.name)
                && self.dialect.is_same_type(column, wanted)
        })?;
        Some(Change::SuspectedRename {
            table: self.name(),
            from: likely.name.clone(),
            to: wanted.name.clone(),
        })
    }

    fn column(&mut self, found: &Column, wanted: &Column) {
        let mut to = wanted.clone();
        to.renamed_from = None;
        if !self.is_exact() {
            self.admit(found, &mut to);
        }
        if !self.dialect.is_same_definition(found, &to) {
            let from = Box::new(Column { name: to.name.clone(), ..found.clone() });
            let change = Change::AlterColumn { table: self.name(), from, to: Box::new(to) };
            self.phases.columns.push(change);
        }
    }

    /// Takes over from the table what a model has nothing against.
    fn admit(&self, found: &Column, wanted: &mut Column) {
        let holds = |kind| self.dialect.holds(kind, &found.ty, self.found.strict);
        if wanted.kind.is_some_and(holds) {
            wanted.ty.clone_from(&found.ty);
            wanted.collation.clone_from(&found.collation);
            if self.dialect.is_same_default(found, wanted) {
                wanted.default.clone_from(&found.default);
            }
        }
        // A number is one whatever way the database comes by it.
        if wanted.identity == Some(Identity::ByDefault) && found.identity == Some(Identity::Serial)
        {
            wanted.identity = found.identity;
        }
        if wanted.default.is_none() && wanted.identity.is_none() {
            wanted.default.clone_from(&found.default);
            wanted.identity = found.identity;
        }
        // SQLite admits NULL to the keys of ordinary tables, which its own authors call an error of
        // the past. Nobody who declares a key means it, so it is not held against the table.
        let key = self.found.primary_key.as_ref();
        if found.nullable && key.is_some_and(|key| key.columns.contains(&found.name)) {
            wanted.nullable = true;
        }
        if wanted.on_update.is_none() {
            wanted.on_update.clone_from(&found.on_update);
        }
        if wanted.collation.is_none() {
            wanted.collation.clone_from(&found.collation);
        }
        if wanted.comment.is_none() {
            wanted.comment.clone_from(&found.comment);
        }
    }

    fn extra_column(&mut self, column: &Column) {
        if self.is_exact() {
            self.phases.columns.push(Change::DropColumn(self.name(), column.clone()));
            return;
        }
        let needs_value = !column.nullable
            && column.default.is_none()
            && column.identity.is_none()
            && column.generated.is_none();
        let consequence = if needs_value {
            ", which has no default and may not be NULL, so that no row can be inserted without it"
        } else {
            ""
        };
        self.tell(format!("has a column {:?}{consequence}", column.name));
    }

    fn constraints(&mut self) {
        self.primary_key();
        let (found, wanted) = (self.found, self.wanted);
        let unique = |one: &crate::Unique, other: &crate::Unique| {
            let name = |of: &crate::Unique| crate::Unique { name: None, ..of.clone() };
            name(one) == name(other)
        };
        let (extra, missing) = unmatched(&found.uniques, &wanted.uniques, unique);
        for of in missing {
            // A unique index says the same, unless it makes room for another one of its name.
            let is_index = |index: &Index| {
                let mut wanted = wanted.indexes.iter();
                let is_kept =
                    |of: &Index| of == index || !self.dialect.is_same_column(&of.name, &index.name);
                index.is_unique_over(&of.columns) && wanted.all(is_kept)
            };
            // So does a key that stays, in whatever order.
            let is_same = |columns: &[String]| {
                columns.len() == of.columns.len()
                    && columns.iter().all(|name| of.columns.contains(name))
            };
            let mut keys = found.primary_key.iter().chain(&wanted.primary_key);
            let is_key = found.primary_key.is_some() && keys.all(|key| is_same(&key.columns));
            if self.is_exact() || !(is_key || found.indexes.iter().any(is_index)) {
                self.phases.adds.push(Change::AddUnique(self.name(), of.clone()));
            }
        }
        for of in extra {
            match self.is_exact() {
                true => self.phases.drops.push(Change::DropUnique(self.name(), of.clone())),
                false => self.tell(format!("is unique in ({})", of.columns.join(", "))),
            }
        }
        self.indexes();
        let check = |one: &crate::Check, other: &crate::Check| {
            one.expression == other.expression && one.validated == other.validated
        };
        let (extra, missing) = unmatched(&found.checks, &wanted.checks, check);
        for of in extra {
            // One of the same name is the same one with another condition, such as other labels.
            let is_replaced = missing.iter().any(|new| {
                new.expression == of.expression || (new.name.is_some() && new.name == of.name)
            });
            let is_left_over = self.dialect.is_left_over(of, found, wanted);
            match self.is_exact() || is_replaced || is_left_over {
                true => self.phases.drops.push(Change::DropCheck(self.name(), of.clone())),
                false => self.tell(format!("has a check ({})", of.expression)),
            }
        }
        let add = missing.into_iter().cloned().map(|of| Change::AddCheck(self.name(), of));
        let add: Vec<_> = add.collect();
        self.phases.adds.extend(add);
        self.foreign_keys();
    }

    fn foreign_keys(&mut self) {
        let (dialect, found, wanted) = (self.dialect, self.found, self.wanted);
        let same = |one: &ForeignKey, other: &ForeignKey| {
            let name = |of: &ForeignKey| ForeignKey { name: None, ..of.clone() };
            dialect.is_same_reference(&name(one), &name(other))
        };
        let (extra, missing) = unmatched(&found.foreign_keys, &wanted.foreign_keys, same);
        // The same reference that does something else: both together would do neither.
        let refers_alike = |one: &ForeignKey, other: &ForeignKey| {
            let plain = |of: &ForeignKey| ForeignKey {
                on_delete: crate::ReferentialAction::NoAction,
                on_update: crate::ReferentialAction::NoAction,
                deferrable: None,
                validated: true,
                ..of.clone()
            };
            same(&plain(one), &plain(other))
        };
        for of in extra {
            let is_replaced = missing.iter().any(|new| refers_alike(of, new));
            match self.is_exact() || is_replaced {
                true => self.phases.detached.push(Change::DropForeignKey(self.name(), of.clone())),
                false => self.tell(format!("refers to {}", of.target)),
            }
        }
        let add = missing.into_iter().cloned().map(|of| Change::AddForeignKey(self.name(), of));
        let add: Vec<_> = add.collect();
        self.phases.references.extend(add);
    }

    fn primary_key(&mut self) {
        let same = |one: &[String], other: &[String]| match self.is_exact() {
            true => one == other,
            // What the order is good for is nobody's business but the table's.
            false => one.len() == other.len() && one.iter().all(|name| other.contains(name)),
        };
        match (&self.found.primary_key, &self.wanted.primary_key) {
            (None, None) => {}
            (Some(found), Some(wanted)) if same(&found.columns, &wanted.columns) => {}
            (found, wanted) => {
                // A model without a key says nothing about it.
                if wanted.is_none() && !self.is_exact() {
                    return;
                }
                let (table, found, wanted) = (self.name(), found.clone(), wanted.clone());
                let drop = found.map(|key| Change::DropPrimaryKey(table.clone(), key));
                self.phases.drops.extend(drop);
                let add = wanted.map(|key| Change::AddPrimaryKey(table, key));
                self.phases.adds.extend(add);
            }
        }
    }

    fn indexes(&mut self) {
        let is_exact = self.is_exact();
        let (dialect, wanted) = (self.dialect, &self.wanted.indexes);
        let is_wanted =
            |name: &str| wanted.iter().any(|index| dialect.is_same_column(&index.name, name));
        // One of another name will do, unless another one is to have that name.
        let same = |one: &Index, other: &Index| {
            let anonymous = |of: &Index| Index { name: String::new(), ..of.clone() };
            let is_free = !is_exact && !is_wanted(&one.name);
            one == other || (is_free && anonymous(one) == anonymous(other))
        };
        let (extra, missing) = unmatched(&self.found.indexes, &self.wanted.indexes, same);
        for of in &missing {
            self.phases.adds.push(Change::AddIndex(self.name(), (*of).clone()));
        }
        for of in extra {
            let is_replaced = is_wanted(&of.name);
            if is_exact || is_replaced {
                self.phases.drops.push(Change::DropIndex(self.name(), of.clone()));
            } else {
                self.tell(format!("has an index {:?}", of.name));
            }
        }
    }

    fn options(&mut self) {
        let (found, wanted) = (self.found, self.wanted);
        let differs = found.strict != wanted.strict
            || found.without_rowid != wanted.without_rowid
            || found.collation != wanted.collation;
        let comment =
            found.comment != wanted.comment && (self.is_exact() || wanted.comment.is_some());
        if (self.is_exact() && differs) || comment {
            let mut to = Box::new(wanted.clone());
            if !self.is_exact() {
                (to.strict, to.without_rowid) = (found.strict, found.without_rowid);
                to.collation.clone_from(&found.collation);
            }
            let change = Change::AlterOptions { from: Box::new(found.clone()), to };
            self.phases.columns.push(change);
        }
    }

    fn dependents(&mut self) {
        if !self.is_exact() {
            for of in self.found.dependents.iter().filter(|of| of.is_own) {
                self.tell(format!("has {} {:?}", of.what(), of.name));
            }
        }
    }

    fn tell(&mut self, text: String) {
        let table = self.name();
        self.phases.unmanaged.push(Difference { table, text });
    }
}

/// What only the first has, and what only the second has.
fn unmatched<'a, T>(
    found: &'a [T],
    wanted: &'a [T],
    same: impl Fn(&T, &T) -> bool,
) -> (Vec<&'a T>, Vec<&'a T>) {
    let mut extra: Vec<_> = found.iter().collect();
    let mut missing = Vec::new();
    for one in wanted {
        match extra.iter().position(|other| same(other, one)) {
            Some(at) => {
                extra.remove(at);
            }
            None => missing.push(one),
        }
    }
    (extra, missing)
}
