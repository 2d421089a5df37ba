//! The catalog of MySQL and MariaDB: `information_schema`, and counters of the statements that
//! change it.
//!
//! Invariant: what the account may not see counts as if it were there. Names are compared without
//! their database, so the views, triggers and foreign keys of every database of the server count.
//!
//! # When a change by somebody else is noticed
//! The server counts the statements of each kind that it has begun, for everybody and at once.
//! Looking at the counters costs one round trip, 0.2 ms; reading the whole catalog costs some
//! milliseconds. A statement is counted when it begins and may then wait for locks, so a catalog
//! that was read meanwhile is used only once. The account sees such statements of other accounts
//! if it has the privilege `PROCESS`.

pub(crate) mod grants;

use std::{
    collections::BTreeSet,
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

use larder_sql::{Analysis, Dialect, TableName, Uncacheable, Writes, analyze};

use super::{Catalog, View};
use crate::{Database, Engine, Params, QueryError, Reason, RowLimit, RowSet};

/// The state of the schema now.
pub(super) async fn version(database: &Database) -> Result<i64, QueryError> {
    Ok(Counters::read(database).await?.version)
}

/// The version comes first: a change in between makes the catalog look older than it is.
pub(super) async fn load(database: &Database) -> Result<Catalog, QueryError> {
    let dialect = match database.engine() {
        Engine::MariaDb => Dialect::MariaDb,
        _ => Dialect::MySql,
    };
    let counters = Counters::read(database).await?;
    let mut catalog = Catalog { version: counters.version, ..Catalog::default() };
    if counters.threads_running > 1 && schema_is_changing(database).await? {
        catalog.version = unequalled();
    }
    let granted: Vec<String> = rows(database, "SHOW GRANTS").await?.to()?;
    catalog.hides_effects = !grants::show_all_effects(&granted);
    read_objects(database, dialect, &mut catalog).await?;
    Ok(catalog)
}

/// Equal to no other version, so that the next look finds it outdated.
fn unequalled() -> i64 {
    let mut hasher = DefaultHasher::new();
    larder_core::Epoch::random().as_bytes().hash(&mut hasher);
    hasher.finish().cast_signed()
}

async fn read_objects(
    database: &Database,
    dialect: Dialect,
    catalog: &mut Catalog,
) -> Result<(), QueryError> {
    let name = |text: &str| TableName::from_catalog(text, dialect);
    for row in rows(database, VIEWS).await?.rows() {
        let (view, definition) = row.to::<(String, Option<String>)>()?;
        catalog.merge_view(name(&view), view_of(&definition.unwrap_or_default(), dialect));
    }
    for row in rows(database, FOREIGN_TABLES).await?.rows() {
        let reason = Uncacheable::Unsupported { construct: "a table that changes without a write" };
        let view = View { reads: BTreeSet::new(), uncacheable: Some(reason.into()) };
        let table = name(&row.get::<String>(0)?);
        // What is written to it may end up in other tables.
        catalog.add_effect(table.clone(), Writes::Everything);
        catalog.merge_view(table, view);
    }
    for row in rows(database, FUNCTIONS).await?.rows() {
        let (function, may_write) = row.to::<(String, i64)>()?;
        catalog.add_function(&function, may_write != 0);
    }
    for row in rows(database, TRIGGERS).await?.rows() {
        let (table, body) = row.to::<(String, Option<String>)>()?;
        catalog.add_effect(name(&table), writes_of(&body.unwrap_or_default(), dialect));
    }
    for row in rows(database, FOREIGN_KEYS).await?.rows() {
        let (child, parent) = row.to::<(String, String)>()?;
        catalog.add_effect(name(&parent), Writes::Tables([name(&child)].into()));
    }
    Ok(())
}

async fn rows(database: &Database, sql: &str) -> Result<RowSet, QueryError> {
    database.fetch(sql, &Params::new(), RowLimit::All).await
}

impl Catalog {
    /// Two views of one name, in two databases, count as one that reads what both do. What is
    /// written to a view ends up in the tables that it reads; if they are hidden, anywhere.
    fn merge_view(&mut self, name: TableName, view: View) {
        let View { reads, uncacheable } = view;
        let targets = match reads.is_empty() {
            true => Writes::Everything,
            false => Writes::Tables(reads.clone()),
        };
        self.add_effect(name.clone(), targets);
        let merged =
            self.views.entry(name).or_insert(View { reads: BTreeSet::new(), uncacheable: None });
        merged.reads.extend(reads);
        merged.uncacheable = merged.uncacheable.take().or(uncacheable);
    }
}

/// A definition is empty if the account may not see it.
fn view_of(definition: &str, dialect: Dialect) -> View {
    let hidden = Uncacheable::Unsupported { construct: "a view whose definition is hidden" };
    let unknown = |reason| View { reads: BTreeSet::new(), uncacheable: Some(reason) };
    match analyze(definition, dialect) {
        _ if definition.trim().is_empty() => unknown(hidden.into()),
        Ok(Analysis { reads, instability, .. }) => {
            View { reads, uncacheable: instability.map(Reason::from) }
        }
        Err(error) => unknown(error.into()),
    }
}

/// What the body of a trigger writes. A block without branches is a list of statements; whatever
/// else stands in it is not understood, and a function that is not known may write anything.
fn writes_of(body: &str, dialect: Dialect) -> Writes {
    match analyze(statements_of(body), dialect) {
        _ if body.trim().is_empty() => Writes::Everything,
        Ok(Analysis { instability: Some(Uncacheable::UnknownFunction { .. }), .. }) | Err(_) => {
            Writes::Everything
        }
        Ok(Analysis { writes, .. }) => writes,
    }
}

/// What stands between `BEGIN` and `END`.
fn statements_of(body: &str) -> &str {
    let body = body.trim().trim_end_matches(';').trim_end();
    let word = |part: Option<&str>, word: &str| part.is_some_and(|p| p.eq_ignore_ascii_case(word));
    let ends = body.len().checked_sub(3).filter(|end| word(body.get(*end..), "END"));
    match ends {
        Some(end) if word(body.get(..5), "BEGIN") => body.get(5..end).unwrap_or_default(),
        _ => body,
    }
}

/// Databases of the server's own.
macro_rules! of_users {
    ($column:literal) => {
        concat!($column, " NOT IN ('information_schema', 'mysql', 'performance_schema', 'sys')")
    };
}

const VIEWS: &str = concat!(
    "SELECT TABLE_NAME, VIEW_DEFINITION FROM information_schema.VIEWS WHERE ",
    of_users!("TABLE_SCHEMA")
);

/// Tables whose rows are not what was written to them: they lie on another server, in other tables
/// or in memory, or are counters.
const FOREIGN_TABLES: &str = concat!(
    "SELECT TABLE_NAME FROM information_schema.TABLES WHERE ",
    of_users!("TABLE_SCHEMA"),
    " AND TABLE_TYPE <> 'VIEW' AND (TABLE_TYPE = 'SEQUENCE' OR COALESCE(ENGINE, '') NOT IN \
     ('ARCHIVE', 'Aria', 'BLACKHOLE', 'InnoDB', 'MyISAM', 'ROCKSDB'))"
);

/// The functions of users. Those that are declared not to write are believed.
const FUNCTIONS: &str = concat!(
    "SELECT ROUTINE_NAME, MAX(SQL_DATA_ACCESS NOT IN ('NO SQL', 'READS SQL DATA')) \
     FROM information_schema.ROUTINES WHERE ROUTINE_TYPE = 'FUNCTION' AND ",
    of_users!("ROUTINE_SCHEMA"),
    " GROUP BY ROUTINE_NAME"
);

const TRIGGERS: &str = concat!(
    "SELECT EVENT_OBJECT_TABLE, ACTION_STATEMENT FROM information_schema.TRIGGERS WHERE ",
    of_users!("EVENT_OBJECT_SCHEMA")
);

/// Children that change when a row of their parent is deleted or gets another key.
const FOREIGN_KEYS: &str = concat!(
    "SELECT TABLE_NAME, REFERENCED_TABLE_NAME FROM information_schema.REFERENTIAL_CONSTRAINTS \
     WHERE ",
    of_users!("CONSTRAINT_SCHEMA"),
    " AND (DELETE_RULE IN ('CASCADE', 'SET NULL', 'SET DEFAULT') \
     OR UPDATE_RULE IN ('CASCADE', 'SET NULL', 'SET DEFAULT'))"
);

/// What the server has counted.
struct Counters {
    version: i64,
    /// Threads that are not idle, this one included.
    threads_running: u64,
}

const COUNTERS: &str = "SHOW GLOBAL STATUS WHERE Variable_name IN ('Com_alter_db', \
    'Com_alter_function', 'Com_create_function', 'Com_create_udf', 'Com_drop_function', \
    'Com_alter_sequence', 'Com_alter_table', 'Com_create_db', 'Com_create_sequence', \
    'Com_create_table', 'Com_create_trigger', 'Com_create_view', 'Com_drop_db', \
    'Com_drop_sequence', 'Com_drop_table', 'Com_drop_trigger', 'Com_drop_view', 'Com_grant', \
    'Com_grant_role', 'Com_grant_roles', 'Com_rename_table', 'Com_revoke', 'Com_revoke_all', \
    'Com_revoke_role', 'Com_revoke_roles', 'Threads_running')";

impl Counters {
    async fn read(database: &Database) -> Result<Self, QueryError> {
        let mut threads_running = u64::MAX;
        let mut hasher = DefaultHasher::new();
        let mut counted = 0;
        for row in rows(database, COUNTERS).await?.rows() {
            let (name, value) = row.to::<(String, String)>()?;
            if name.eq_ignore_ascii_case("Threads_running") {
                threads_running = value.parse().unwrap_or(u64::MAX);
            } else {
                (name, value).hash(&mut hasher);
                counted += 1;
            }
        }
        // A server that tells nothing may have changed everything.
        let version = if counted == 0 { unequalled() } else { hasher.finish().cast_signed() };
        Ok(Self { version, threads_running })
    }
}

/// Whether a statement that changes the schema is under way, as far as the account may see.
async fn schema_is_changing(database: &Database) -> Result<bool, QueryError> {
    let processes = rows(database, "SHOW FULL PROCESSLIST").await?;
    let Some(info) = processes.columns().names().position(|name| name == "Info") else {
        return Ok(true);
    };
    for row in processes.rows() {
        let statement: Option<String> = row.get(info)?;
        if changes_schema(&statement.unwrap_or_default()) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn changes_schema(statement: &str) -> bool {
    // A comment may come first, and stands between the words of a few.
    let mut words = statement.split(|c: char| !c.is_alphanumeric() && c != '_').take(16);
    words.any(|word| {
        ["ALTER", "CREATE", "DROP", "GRANT", "RENAME", "REVOKE"]
            .into_iter()
            .any(|verb| word.eq_ignore_ascii_case(verb))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &str) -> Writes {
        writes_of(body, Dialect::MySql)
    }

    fn tables<const N: usize>(names: [&str; N]) -> Writes {
        Writes::Tables(names.map(|name| TableName::from_catalog(name, Dialect::MySql)).into())
    }

    #[test]
    fn the_body_of_a_trigger_tells_what_it_writes() {
        assert_eq!(check("INSERT INTO `Log` VALUES (NEW.id)"), tables(["log"]));
        assert_eq!(check("BEGIN INSERT INTO a VALUES (1); DELETE FROM b; END"), tables(["a", "b"]));
        assert_eq!(check("begin\n update a set x = 1;\nend"), tables(["a"]));
    }

    #[test]
    fn what_is_not_understood_may_write_everything() {
        for body in [
            "",
            "BEGIN IF NEW.a THEN INSERT INTO b VALUES (1); END IF; END",
            "CALL p()",
            "INSERT INTO a VALUES (f(1))",
            "label: BEGIN DELETE FROM a; END label",
        ] {
            assert_eq!(check(body), Writes::Everything, "{body}");
        }
    }

    #[test]
    fn views_are_told_apart_from_their_tables_and_merged_with_their_namesakes() {
        let name = |text: &str| TableName::from_catalog(text, Dialect::MySql);
        let mut catalog = Catalog::default();
        catalog.merge_view(name("v"), view_of("select `d`.`t`.`a` from `d`.`t`", Dialect::MySql));
        catalog.merge_view(name("v"), view_of("select 1 from `e`.`u`", Dialect::MySql));
        let behind = catalog.behind(&[name("v")].into(), &BTreeSet::new());
        assert_eq!(behind.reads, ["t", "u", "v"].map(name).into());
        assert_eq!(behind.uncacheable, None);
        catalog.merge_view(name("v"), view_of("", Dialect::MySql));
        assert!(catalog.behind(&[name("v")].into(), &BTreeSet::new()).uncacheable.is_some());
    }

    #[test]
    fn changes_of_the_schema_under_way_are_seen() {
        assert!(changes_schema("/* deploy */ create trigger t"));
        assert!(changes_schema("ALTER TABLE t ADD a INT"));
        assert!(!changes_schema("SELECT * FROM t"));
        assert!(!changes_schema(""));
    }
}
