//! References that a plan took off, and that a run which ended too early did not put back.
//!
//! Invariant: a plan puts back what was there and nobody dropped, under the name that it had. What
//! is there is put back by nobody, and neither is what has no place any more because its table, its
//! target or one of its columns is gone.

use crate::{
    Catalog, Dialect, ForeignKey, Interlude, Plan, Step, Table, TableName, mysql, postgres,
};

/// A reference that should be there, because a run took it off for a while only.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "plain data that others build")]
pub struct MissingReference {
    /// The table that has it.
    pub table: TableName,
    /// What it is.
    pub key: ForeignKey,
}

impl Plan {
    /// The references that may be off after a run of this plan that ended when `done` of its steps
    /// had been done: the next step may have been done as well, without anybody having said so.
    ///
    /// One whose columns get other names meanwhile stands there twice, once with either names.
    #[must_use]
    pub fn missing_references(&self, done: usize) -> Vec<MissingReference> {
        let interludes = || {
            let steps = self.steps.iter().enumerate();
            steps.filter_map(|(at, step)| Some((at, &step.table, step.interlude.as_ref()?)))
        };
        let mut missing = Vec::new();
        for (at, table, interlude) in interludes() {
            let Interlude::PutsBack(key) = interlude else { continue };
            let taken = interludes().find_map(|(before, of, interlude)| match interlude {
                Interlude::TakesOff(taken) => {
                    (before < at && of == table && taken.name == key.name)
                        .then_some((before, taken))
                }
                Interlude::PutsBack(_) => None,
            });
            // One that a plan only puts back was off before it.
            let was_taken = taken.is_none_or(|(before, _)| before <= done);
            if done <= at && was_taken {
                let mut add = |key: &ForeignKey| {
                    let found = MissingReference { table: table.clone(), key: key.clone() };
                    if !missing.contains(&found) {
                        missing.push(found);
                    }
                };
                taken.iter().for_each(|(_, key)| add(key));
                add(key);
            }
        }
        missing
    }
}

impl Plan {
    /// Whether a step of it puts back what none of its steps takes off.
    #[must_use]
    pub fn only_puts_back(&self, step: &Step) -> bool {
        let Some(Interlude::PutsBack(key)) = &step.interlude else { return false };
        !self.steps.iter().any(|other| match &other.interlude {
            Some(Interlude::TakesOff(taken)) => other.table == step.table && taken.name == key.name,
            _ => false,
        })
    }
}

impl MissingReference {
    /// Whether it could be put back as the schema is: its tables and columns are there, and go
    /// together. `true` also if it is there already.
    #[must_use]
    pub fn fits(&self, dialect: Dialect, catalog: &Catalog) -> bool {
        let Some((owner, target)) = self.tables(dialect, catalog) else { return false };
        match dialect {
            Dialect::MariaDb | Dialect::MySql => {
                let types = |table: &Table, names: &[String]| -> Vec<String> {
                    let columns = names.iter().filter_map(|name| column(dialect, table, name));
                    columns.map(|column| column.ty.clone()).collect()
                };
                let own = types(owner, &self.key.columns);
                let others = types(target, &self.key.target_columns);
                own.iter().zip(&others).all(|(one, other)| mysql::can_refer(one, other))
            }
            _ => postgres::has_key(target, &self.key.target_columns),
        }
    }

    /// Whether it is not there as it should be, although there is a place for it: it is off, or was
    /// not checked for all rows.
    #[must_use]
    pub fn is_missing(&self, dialect: Dialect, catalog: &Catalog) -> bool {
        let (_, restoring) = Restoring::of(dialect, catalog, std::slice::from_ref(self));
        !restoring.off.is_empty() || !restoring.unchecked.is_empty()
    }

    /// Its table and its target, if these and all columns are there.
    fn tables<'a>(&self, dialect: Dialect, catalog: &'a Catalog) -> Option<(&'a Table, &'a Table)> {
        let find = |name: &TableName, columns: &[String]| {
            let mut tables = catalog.tables.iter();
            let found = tables.find(|table| dialect.is_same_table(&table.name, name))?;
            columns.iter().all(|name| column(dialect, found, name).is_some()).then_some(found)
        };
        let owner = find(&self.table, &self.key.columns)?;
        Some((owner, find(&self.key.target, &self.key.target_columns)?))
    }
}

fn column<'a>(dialect: Dialect, table: &'a Table, name: &str) -> Option<&'a crate::Column> {
    table.columns.iter().find(|column| dialect.is_same_column(&column.name, name))
}

/// What a plan puts back.
#[derive(Clone, Debug, Default)]
pub(crate) struct Restoring {
    /// What is not there. The schema that a plan starts from has it nevertheless, so that
    /// everything that happens to the tables happens to it too.
    off: Vec<(TableName, Option<String>)>,
    /// What is there and was not checked for the rows that are there.
    unchecked: Vec<(TableName, Option<String>)>,
}

impl Restoring {
    /// The schema with what is missing in it.
    pub(crate) fn of(
        dialect: Dialect,
        current: &Catalog,
        missing: &[MissingReference],
    ) -> (Catalog, Self) {
        let (mut catalog, mut restoring) = (current.clone(), Self::default());
        if dialect == Dialect::Sqlite {
            // There a run ends as a whole or not at all.
            return (catalog, restoring);
        }
        for one in missing {
            let Some((owner, target)) = one.tables(dialect, &catalog) else { continue };
            let (name, target) = (owner.name.clone(), target.name.clone());
            let key = ForeignKey { target, ..one.key.clone() };
            let has_name = |other: &&ForeignKey| match (&other.name, &key.name) {
                (Some(one), Some(other)) => dialect.is_same_column(one, other),
                _ => false,
            };
            let plain = |of: &ForeignKey| ForeignKey { name: None, validated: true, ..of.clone() };
            let is_same =
                |other: &ForeignKey| dialect.is_same_reference(&plain(other), &plain(&key));
            match owner.foreign_keys.iter().find(has_name) {
                Some(found) => {
                    if is_same(found) && key.validated && !found.validated {
                        restoring.unchecked.push((name, key.name));
                    }
                }
                None if owner.foreign_keys.iter().any(is_same) => {}
                None => {
                    restoring.off.push((name.clone(), key.name.clone()));
                    let mut tables = catalog.tables.iter_mut();
                    let owner = tables.find(|table| table.name == name);
                    owner.into_iter().for_each(|table| table.foreign_keys.push(key.clone()));
                }
            }
        }
        (catalog, restoring)
    }

    /// Whether a reference is not there; `table` as it is called before the plan.
    pub(crate) fn is_off(&self, table: &TableName, key: &ForeignKey) -> bool {
        self.off.iter().any(|(of, name)| of == table && *name == key.name)
    }

    /// Whether a reference is there and has to be checked.
    pub(crate) fn is_unchecked(&self, table: &TableName, key: &ForeignKey) -> bool {
        self.unchecked.iter().any(|(of, name)| of == table && *name == key.name)
    }
}

/// Why a step puts a reference back.
pub(crate) const BROKEN_OFF: &str = "a run that was broken off took it off and did not put it back";

#[cfg(test)]
mod tests;
