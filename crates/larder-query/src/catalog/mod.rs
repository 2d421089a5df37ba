//! What the text of a statement does not show: the tables behind a view, and the tables that a
//! write reaches through triggers and foreign keys.
//!
//! Invariant: it errs to one side only. What can not be told counts as everything.

#[cfg(feature = "mysql")]
pub(crate) mod mysql;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
};

#[cfg(any(feature = "sqlite", test))]
use larder_sql::{Analysis, Dialect, StatementKind, analyze};
use larder_sql::{TableName, Uncacheable, Writes};

#[cfg(any(feature = "mysql", feature = "postgres", feature = "sqlite"))]
use crate::Engine;
use crate::{Database, QueryError, Reason};

/// The views, triggers and foreign keys of one database, in one state of its schema.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Catalog {
    /// The state of the schema, as the database counts it.
    pub(crate) version: i64,
    views: BTreeMap<TableName, View>,
    /// What a write to a table writes besides.
    effects: BTreeMap<TableName, Writes>,
    /// Tables that a module of the database answers for. What they read is the module's secret:
    /// a full-text index may read another table, and keeps its own in tables named after it.
    modules: BTreeSet<TableName>,
    /// The functions of users, in lower case, and whether they may write.
    functions: BTreeMap<Box<str>, bool>,
    /// Whether there may be triggers and foreign keys that the account is not shown.
    hides_effects: bool,
}

#[derive(Debug, PartialEq, Eq)]
struct View {
    reads: BTreeSet<TableName>,
    uncacheable: Option<Reason>,
}

/// What lies behind the tables and views that a query names.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Behind {
    pub(crate) reads: BTreeSet<TableName>,
    pub(crate) uncacheable: Option<Reason>,
}

impl Catalog {
    /// The names themselves and, for views, all that their definitions read. What a function of
    /// the user's reads is not known, whatever function of the server's has its name.
    pub(crate) fn behind(&self, names: &BTreeSet<TableName>, calls: &BTreeSet<Box<str>>) -> Behind {
        let users = calls.iter().find(|name| self.functions.contains_key(*name));
        let uncacheable =
            users.map(|name| Reason::from(Uncacheable::UnknownFunction { name: name.to_string() }));
        let mut behind = Behind { reads: BTreeSet::new(), uncacheable };
        let mut open: Vec<_> = names.iter().cloned().collect();
        while let Some(name) = open.pop() {
            if let Some(view) = self.views.get(&name) {
                open.extend(view.reads.difference(&behind.reads).cloned());
                behind.uncacheable = behind.uncacheable.or_else(|| view.uncacheable.clone());
            }
            if self.is_of_module(&name) {
                let reason = Uncacheable::Unsupported { construct: "a virtual table" };
                behind.uncacheable = behind.uncacheable.or(Some(reason.into()));
            }
            behind.reads.insert(name);
        }
        behind
    }

    /// Whether one of these functions may write.
    pub(crate) fn may_write(&self, calls: &BTreeSet<Box<str>>) -> bool {
        calls.iter().any(|name| self.functions.get(name).copied().unwrap_or_default())
    }

    #[cfg(any(feature = "mysql", feature = "postgres", test))]
    fn add_function(&mut self, name: &str, may_write: bool) {
        // Several of one name, for other arguments or in other schemas, count as one.
        *self.functions.entry(name.to_lowercase().into()).or_default() |= may_write;
    }

    /// The tables themselves and all that triggers and foreign keys write in their wake.
    pub(crate) fn wake(&self, writes: &Writes) -> Writes {
        let Writes::Tables(tables) = writes else { return Writes::Everything };
        if self.hides_effects && !tables.is_empty() {
            return Writes::Everything;
        }
        let mut all = BTreeSet::new();
        let mut open: Vec<_> = tables.iter().cloned().collect();
        while let Some(table) = open.pop() {
            match self.effects.get(&table) {
                Some(Writes::Everything) => return Writes::Everything,
                Some(Writes::Tables(more)) => open.extend(more.difference(&all).cloned()),
                None => {}
            }
            all.insert(table);
        }
        Writes::Tables(all)
    }

    /// Whether a module answers for the table, or keeps its own things in it.
    fn is_of_module(&self, name: &TableName) -> bool {
        let is_kept_by = |module: &TableName| {
            let rest = name.as_str().strip_prefix(module.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
        };
        self.modules.iter().any(is_kept_by)
    }

    #[cfg(any(feature = "sqlite", test))]
    fn add_view(&mut self, name: TableName, definition: &str, dialect: Dialect) {
        let view = match analyze(definition, dialect) {
            Ok(Analysis { mut reads, instability, .. }) => {
                reads.remove(&name);
                View { reads, uncacheable: instability.map(Reason::from) }
            }
            Err(error) => View { reads: BTreeSet::new(), uncacheable: Some(error.into()) },
        };
        self.views.insert(name, view);
    }

    /// A trigger on a table, or on a view, writes what its statements write.
    #[cfg(any(feature = "sqlite", test))]
    fn add_trigger(&mut self, table: TableName, definition: &str, dialect: Dialect) {
        let writes = match analyze(definition, dialect) {
            Ok(Analysis { kind: StatementKind::Schema, writes, .. }) => writes,
            _ => Writes::Everything,
        };
        self.add_effect(table, writes);
    }

    #[cfg(any(feature = "mysql", feature = "postgres", feature = "sqlite", test))]
    fn add_effect(&mut self, table: TableName, writes: Writes) {
        let effect = self.effects.entry(table).or_default();
        *effect = match (std::mem::take(effect), writes) {
            (Writes::Tables(mut all), Writes::Tables(more)) => {
                all.extend(more);
                Writes::Tables(all)
            }
            _ => Writes::Everything,
        };
    }
}

/// By what it is known that the schema is still in a version without looking at the schema, that
/// version, and whether it was another the last time.
pub(crate) type Memo = Mutex<Option<(String, i64, bool)>>;

/// Reads the catalog.
///
/// # Errors
/// The database's own.
pub(crate) async fn load(database: &Database, memo: &Memo) -> Result<Catalog, QueryError> {
    let _ = memo;
    match database.engine() {
        #[cfg(feature = "mysql")]
        Engine::MariaDb | Engine::MySql => mysql::load(database).await,
        #[cfg(feature = "postgres")]
        Engine::Postgres => postgres::load(database, memo).await,
        #[cfg(feature = "sqlite")]
        Engine::Sqlite => sqlite::load(database).await,
        // What is not compiled in can not be open.
        #[allow(unreachable_patterns, reason = "unless every engine is compiled in")]
        engine => Err(QueryError::EngineNotCompiled { engine }),
    }
}

/// The state of the schema now.
///
/// # Errors
/// The database's own.
pub(crate) async fn version(database: &Database, memo: &Memo) -> Result<i64, QueryError> {
    let _ = memo;
    match database.engine() {
        #[cfg(feature = "mysql")]
        Engine::MariaDb | Engine::MySql => mysql::version(database).await,
        #[cfg(feature = "postgres")]
        Engine::Postgres => postgres::version(database, memo).await,
        #[cfg(feature = "sqlite")]
        Engine::Sqlite => sqlite::version(database).await,
        #[allow(unreachable_patterns, reason = "unless every engine is compiled in")]
        engine => Err(QueryError::EngineNotCompiled { engine }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(name: &str) -> TableName {
        TableName::from_catalog(name, Dialect::Sqlite)
    }

    fn tables<const N: usize>(names: [&str; N]) -> BTreeSet<TableName> {
        names.map(table).into()
    }

    #[test]
    fn views_of_views_are_followed_to_their_tables() {
        let mut catalog = Catalog::default();
        let dialect = Dialect::Sqlite;
        catalog.add_view(table("a"), "CREATE VIEW a AS SELECT * FROM b JOIN t", dialect);
        catalog.add_view(table("b"), "CREATE VIEW b AS SELECT * FROM u", dialect);
        let behind = catalog.behind(&tables(["a"]), &BTreeSet::new());
        assert_eq!(behind.reads, tables(["a", "b", "t", "u"]));
        assert_eq!(behind.uncacheable, None);
    }

    #[test]
    fn a_view_that_changes_from_run_to_run_makes_its_readers_uncacheable() {
        let mut catalog = Catalog::default();
        let sql = "CREATE VIEW v AS SELECT random() AS r FROM t";
        catalog.add_view(table("v"), sql, Dialect::Sqlite);
        let uncacheable = catalog.behind(&tables(["v"]), &BTreeSet::new()).uncacheable;
        assert!(matches!(uncacheable, Some(Reason::Statement(Uncacheable::Volatile { .. }))));
    }

    #[test]
    fn cascades_are_followed_and_their_circles_end() {
        let mut catalog = Catalog::default();
        catalog.add_effect(table("a"), Writes::Tables(tables(["b"])));
        catalog.add_effect(table("b"), Writes::Tables(tables(["a", "c"])));
        let wake = catalog.wake(&Writes::Tables(tables(["a"])));
        assert_eq!(wake, Writes::Tables(tables(["a", "b", "c"])));
        assert_eq!(catalog.wake(&Writes::Tables(tables(["c"]))), Writes::Tables(tables(["c"])));
    }

    #[test]
    fn a_trigger_that_is_not_understood_may_write_everything() {
        let mut catalog = Catalog::default();
        catalog.add_trigger(table("t"), "CREATE TRIGGER x BLA BLA", Dialect::Sqlite);
        assert_eq!(catalog.wake(&Writes::Tables(tables(["t"]))), Writes::Everything);
    }
}
