//! The comparison of a schema as it is with one as it should be.
//!
//! Invariant: without changes nothing has to be done; what nobody asked for is changed by
//! [`Scope::Exact`] only. The changes stand in an order in which they can be made.

mod pair;

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    Catalog, Change, Dialect, Difference, ForeignKey, MissingReference, Plan, Table, TableKind,
    TableName, diff::pair::Pair, missing::Restoring, renames::Renames,
};

/// What a comparison is about.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "either side decides about what only one has")]
pub enum Scope {
    /// Everything: what is not desired is dropped.
    Exact,
    /// The desired tables, and in them the desired parts. What else is there stays and is told
    /// about.
    Managed {
        /// The columns that the last model of a table had. One of them that is gone from the
        /// model may have been renamed.
        previously: BTreeMap<TableName, BTreeSet<String>>,
    },
}

impl Scope {
    /// The desired parts, of tables that no model had before.
    #[must_use]
    pub const fn managed() -> Self {
        Self::Managed { previously: BTreeMap::new() }
    }
}

impl Plan {
    /// The steps from one schema to another.
    #[must_use]
    pub fn between(dialect: Dialect, scope: &Scope, current: &Catalog, desired: &Catalog) -> Self {
        Self::restoring(dialect, scope, current, desired, &[])
    }

    /// The same, with steps for the references that a run which was broken off took off and did
    /// not put back, see [`Plan::missing_references`]. Those that are there again, or have no place
    /// any more, need none. Such a step is [`Class::Additive`](crate::Class::Additive).
    #[must_use]
    pub fn restoring(
        dialect: Dialect,
        scope: &Scope,
        current: &Catalog,
        desired: &Catalog,
        missing: &[MissingReference],
    ) -> Self {
        let (with, restoring) = Restoring::of(dialect, current, missing);
        let found = compare(dialect, scope, &with, desired);
        Self {
            dialect,
            from: current.fingerprint(),
            steps: dialect.steps(&found.changes, &with, desired, &restoring),
            unmanaged: found.unmanaged,
        }
    }
}

/// What a comparison found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// The changes in their order.
    pub changes: Vec<Change>,
    /// What is there and was not asked for.
    pub unmanaged: Vec<Difference>,
}

/// Compares two schemas.
#[must_use]
pub fn compare(
    dialect: Dialect,
    scope: &Scope,
    current: &Catalog,
    desired: &Catalog,
) -> Comparison {
    // From here on everything has the name that it will have.
    let renames = Renames::find(dialect, current, desired);
    let current = Catalog {
        enums: current.enums.clone(),
        tables: current.tables.iter().map(|table| renames.apply(dialect, table)).collect(),
    };
    let spelling = Renames::spelling(dialect, &current, desired);
    let desired = Catalog {
        enums: desired.enums.clone(),
        tables: desired.tables.iter().map(|table| spelling.apply(dialect, table)).collect(),
    };
    let phases = Phases { renames: renames.changes(), ..Phases::default() };
    let mut differ = Differ { dialect, scope, current: &current, phases };
    differ.tables(&desired);
    // Types go after the tables that have them.
    differ.enums(&desired);
    differ.phases.into_comparison()
}

/// The changes by the phase in which they are made.
#[derive(Default)]
struct Phases {
    refused: Vec<Change>,
    renames: Vec<Change>,
    types: Vec<Change>,
    /// References go before the keys that they refer to.
    detached: Vec<Change>,
    drops: Vec<Change>,
    creates: Vec<Change>,
    columns: Vec<Change>,
    adds: Vec<Change>,
    references: Vec<Change>,
    last: Vec<Change>,
    unmanaged: Vec<Difference>,
}

impl Phases {
    fn into_comparison(self) -> Comparison {
        let phases = [
            self.refused,
            self.renames,
            self.types,
            self.detached,
            self.drops,
            self.creates,
            self.columns,
            self.adds,
            self.references,
            self.last,
        ];
        Comparison { changes: phases.into_iter().flatten().collect(), unmanaged: self.unmanaged }
    }
}

struct Differ<'a> {
    dialect: Dialect,
    scope: &'a Scope,
    current: &'a Catalog,
    phases: Phases,
}

impl<'a> Differ<'a> {
    const fn is_exact(&self) -> bool {
        matches!(self.scope, Scope::Exact)
    }

    fn enums(&mut self, desired: &Catalog) {
        for wanted in &desired.enums {
            match self.current.enum_type(&wanted.name) {
                None => self.phases.types.push(Change::CreateEnum(wanted.clone())),
                Some(found) if found.labels != wanted.labels => {
                    let (from, to) = (found.clone(), wanted.clone());
                    self.phases.types.push(Change::AlterEnum { from, to });
                }
                Some(_) => {}
            }
        }
        if self.is_exact() {
            let extra = self.current.enums.iter();
            let extra = extra.filter(|found| desired.enum_type(&found.name).is_none());
            self.phases.last.extend(extra.cloned().map(Change::DropEnum));
        }
    }

    fn tables(&mut self, desired: &Catalog) {
        let mut created = Vec::new();
        let mut taken = BTreeSet::new();
        for wanted in &desired.tables {
            match self.find(wanted) {
                Some(found) => {
                    taken.insert(found.name.clone());
                    self.table(found, wanted);
                }
                None if wanted.kind == TableKind::Table => created.push(wanted.clone()),
                None => {
                    let change = unsupported(&wanted.name, "it is not an ordinary table");
                    self.phases.refused.push(change);
                }
            }
        }
        self.create(created);
        let extra = self.current.tables.iter().filter(|found| !taken.contains(&found.name));
        if self.is_exact() {
            self.drop_tables(extra.cloned().collect());
        }
    }

    fn find(&self, wanted: &Table) -> Option<&'a Table> {
        let mut found = self.current.tables.iter();
        found.find(|found| self.dialect.is_same_table(&found.name, &wanted.name))
    }

    /// New tables, each after those that it refers to. Where tables refer to each other, the
    /// reference comes when all are there.
    fn create(&mut self, mut tables: Vec<Table>) {
        let inline = self.dialect.creates_references_first();
        let mut missing: BTreeSet<_> = tables.iter().map(|table| table.name.clone()).collect();
        while !tables.is_empty() {
            let is_free = |table: &Table| {
                let mut targets = table.foreign_keys.iter().map(|key| &key.target);
                targets.all(|target| *target == table.name || !missing.contains(target))
            };
            // If none is free they refer to each other in a circle, and any one begins.
            let next = if inline { 0 } else { tables.iter().position(is_free).unwrap_or(0) };
            let mut table = tables.remove(next);
            if !inline {
                let (now, later): (Vec<_>, Vec<_>) =
                    table.foreign_keys.drain(..).partition(|key: &ForeignKey| {
                        key.target == table.name || !missing.contains(&key.target)
                    });
                table.foreign_keys = now;
                let later = later.into_iter();
                let later = later.map(|key| Change::AddForeignKey(table.name.clone(), key));
                self.phases.references.extend(later);
            }
            missing.remove(&table.name);
            self.phases.creates.push(Change::CreateTable(Box::new(table)));
        }
    }

    /// Tables that go, each before those that it refers to; first the references that form a
    /// circle.
    fn drop_tables(&mut self, mut tables: Vec<Table>) {
        while !tables.is_empty() {
            let is_free = |table: &Table| {
                !tables.iter().any(|other| {
                    other.name != table.name
                        && other.foreign_keys.iter().any(|key| key.target == table.name)
                })
            };
            // If none is free they form a circle, whose references go first.
            let next = tables.iter().position(is_free).unwrap_or(0);
            let table = tables.remove(next);
            for other in &mut tables {
                let (gone, kept): (Vec<_>, Vec<_>) =
                    other.foreign_keys.drain(..).partition(|key| key.target == table.name);
                other.foreign_keys = kept;
                let gone = gone.into_iter();
                let gone = gone.map(|key| Change::DropForeignKey(other.name.clone(), key));
                self.phases.detached.extend(gone);
            }
            self.phases.last.push(match table.kind {
                TableKind::Table => Change::DropTable(Box::new(table)),
                _ => unsupported(&table.name, "it is not an ordinary table"),
            });
        }
    }

    fn table(&mut self, found: &Table, wanted: &Table) {
        if found.kind != TableKind::Table || wanted.kind != TableKind::Table {
            if found.kind != wanted.kind || !self.is_exact() {
                let change = unsupported(&wanted.name, "it is not an ordinary table");
                self.phases.refused.push(change);
            }
            return;
        }
        let phases = Pair::new(self.dialect, self.scope, found, wanted).phases();
        let differs =
            [&phases.refused, &phases.drops, &phases.columns, &phases.adds, &phases.references];
        if let Some(reason) = &found.opaque
            && differs.iter().any(|changes| !changes.is_empty())
        {
            let reason = format!("it differs and is never altered: {reason}");
            self.phases.refused.push(unsupported(&wanted.name, &reason));
            return;
        }
        if let Some(reason) = &found.opaque
            && !self.is_exact()
        {
            let text = format!("is never altered: {reason}");
            self.phases.unmanaged.push(Difference { table: wanted.name.clone(), text });
        }
        let into = &mut self.phases;
        into.refused.extend(phases.refused);
        into.detached.extend(phases.detached);
        into.drops.extend(phases.drops);
        into.columns.extend(phases.columns);
        into.adds.extend(phases.adds);
        into.references.extend(phases.references);
        into.unmanaged.extend(phases.unmanaged);
    }
}

fn unsupported(table: &TableName, reason: &str) -> Change {
    Change::Unsupported { table: table.clone(), reason: reason.to_owned() }
}

#[cfg(test)]
mod tests;
