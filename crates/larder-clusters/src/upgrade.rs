//! Whose file it is, and how a new one or one of the former tool becomes ours.
//!
//! Invariant: upgrading adds tables and changes none; what has a trigger, a view or a virtual
//! table in it is nobody's that we know, because those run when somebody else's rows are written.

use std::collections::BTreeSet;

use larder_migrate::{FileProblem, MigrateOptions, MigrationFiles, registering_statements};
use larder_model::Dialect;
use larder_sqlite_file::{
    Owner, Recognised,
    rusqlite::{self, Connection, Transaction},
};

use crate::schema::{APPLICATION_ID, FORMER_INDEXES, FORMER_TABLES, OWN, VERSION};

/// The names of the former tool's tables.
const FORMER: [&str; 2] = ["clusters", "shared_cluster_registry"];

/// Whose tables they are in the history of the file, and the file of SQL that they come from.
const APPLICATION: &str = "larder-clusters";
const MIGRATION: &str = "1_cluster_cache_and_registry.sql";

/// What all names of our tables and indexes begin with.
const PREFIX: &str = "larder_";

/// Recognises a cluster file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClusterFileOwner;

impl Owner for ClusterFileOwner {
    fn recognise(&self, connection: &Connection) -> rusqlite::Result<Recognised> {
        let id = pragma(connection, "application_id")?;
        let version = pragma(connection, "user_version")?;
        let found = objects(connection)?;
        match (id, version) {
            (0, _) if found.is_empty() => return Ok(Recognised::Vacant),
            (0, 0) | (APPLICATION_ID, VERSION) => {}
            (APPLICATION_ID, found) => {
                return Ok(Recognised::OtherVersion { found, expected: VERSION });
            }
            _ => return Ok(foreign(format!("application id {id:#010x}, version {version}"))),
        }
        if let Some(planted) = found.iter().find(|object| object.runs_by_itself()) {
            return Ok(foreign(planted.to_string()));
        }
        if let Some(missing) = missing_of_former(connection)? {
            return Ok(foreign(missing));
        }
        let own: BTreeSet<_> = found.into_iter().filter(Object::has_our_prefix).collect();
        let expected = if id == 0 { BTreeSet::new() } else { own_objects()? };
        Ok(match expected.symmetric_difference(&own).next() {
            Some(object) => foreign(format!("unexpected or missing {object}")),
            None if id == 0 => Recognised::Older,
            None => Recognised::Current,
        })
    }

    fn upgrade(&self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        if objects(transaction)?.is_empty() {
            transaction.execute_batch(FORMER_TABLES)?;
        }
        transaction.execute_batch(FORMER_INDEXES)?;
        transaction.execute_batch(OWN)?;
        register(transaction)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", VERSION)
    }
}

/// Enters our tables into the file's migration history, where `larder schema status` and later
/// migrations find them. A history that somebody began before us is left as it is.
fn register(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    let options = MigrateOptions::new().with_application(APPLICATION);
    let history = format!("{}migrations", options.prefix);
    if objects(transaction)?.iter().any(|object| object.name.eq_ignore_ascii_case(&history)) {
        return Ok(());
    }
    let statements = MigrationFiles::from_texts([(MIGRATION, OWN)])
        .map_err(FileProblem::from)
        .and_then(|files| {
            let each = files.files().iter();
            let statements = each.map(|of| registering_statements(Dialect::Sqlite, &options, of));
            statements.collect::<Result<Vec<_>, _>>()
        });
    // The text is ours and is read by every test that opens a file.
    let statements = statements
        .map_err(|problem| rusqlite::Error::ToSqlConversionFailure(problem.to_string().into()))?;
    statements.iter().flatten().try_for_each(|statement| transaction.execute_batch(statement))
}

fn foreign(found: String) -> Recognised {
    Recognised::Foreign { found }
}

/// A table, index, trigger or view.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Object {
    kind: String,
    name: String,
    sql: Option<String>,
}

impl Object {
    fn has_our_prefix(&self) -> bool {
        self.name.get(..PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(PREFIX))
    }

    fn runs_by_itself(&self) -> bool {
        let sql = self.sql.as_deref().unwrap_or_default();
        let is_virtual =
            sql.get(..14).is_some_and(|start| start.eq_ignore_ascii_case("CREATE VIRTUAL"));
        is_virtual || !matches!(self.kind.as_str(), "index" | "table")
    }
}

impl std::fmt::Display for Object {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {:?}", self.kind, self.name)
    }
}

/// Everything in the schema but SQLite's own tables.
fn objects(connection: &Connection) -> rusqlite::Result<BTreeSet<Object>> {
    let mut statement = connection.prepare(
        "SELECT type, name, sql FROM sqlite_schema WHERE substr(name, 1, 7) <> 'sqlite_'",
    )?;
    let rows = statement.query_map([], |row| {
        Ok(Object { kind: row.get(0)?, name: row.get(1)?, sql: row.get(2)? })
    })?;
    rows.collect()
}

fn own_objects() -> rusqlite::Result<BTreeSet<Object>> {
    let model = Connection::open_in_memory()?;
    model.execute_batch(OWN)?;
    objects(&model)
}

/// The first part of the former tool's tables that the file has not. The text of its schema is
/// not compared: it depends on how the tool's source was indented, and later versions of it
/// have tables and columns more.
fn missing_of_former(connection: &Connection) -> rusqlite::Result<Option<String>> {
    let model = Connection::open_in_memory()?;
    model.execute_batch(FORMER_TABLES)?;
    for table in FORMER {
        let found = columns(connection, table)?;
        if found.is_empty() {
            return Ok(Some(format!("no table {table:?}")));
        }
        for column in columns(&model, table)? {
            if !found.contains(&column) {
                let Column { name, kind, .. } = column;
                return Ok(Some(format!("table {table:?} without column \"{name} {kind}\"")));
            }
        }
    }
    Ok(None)
}

/// What has to agree of a column.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Column {
    name: String,
    kind: String,
    in_primary_key: bool,
    unique: bool,
}

fn columns(connection: &Connection, table: &str) -> rusqlite::Result<BTreeSet<Column>> {
    let mut statement = connection.prepare(
        "SELECT lower(c.name), upper(c.type), c.pk > 0,
                EXISTS (SELECT 1 FROM pragma_index_list(?1) AS i
                        WHERE i.\"unique\" AND NOT i.partial
                          AND (SELECT group_concat(x.name) FROM pragma_index_info(i.name) AS x)
                              = c.name)
         FROM pragma_table_xinfo(?1) AS c WHERE c.hidden = 0",
    )?;
    let rows = statement.query_map([table], |row| {
        Ok(Column {
            name: row.get(0)?,
            kind: row.get(1)?,
            in_primary_key: row.get(2)?,
            unique: row.get(3)?,
        })
    })?;
    rows.collect()
}

fn pragma(connection: &Connection, name: &str) -> rusqlite::Result<i32> {
    connection.pragma_query_value(None, name, |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(statements: &[&str], expected: &Recognised) {
        let connection = Connection::open_in_memory().unwrap();
        for statement in statements {
            connection.execute_batch(statement).unwrap();
        }
        assert_eq!(&ClusterFileOwner.recognise(&connection).unwrap(), expected);
    }

    #[track_caller]
    fn check_foreign(statements: &[&str], found: &str) {
        check(statements, &foreign(found.to_owned()));
    }

    #[test]
    fn an_empty_file_is_vacant_and_becomes_ours() {
        check(&[], &Recognised::Vacant);
        let mut connection = Connection::open_in_memory().unwrap();
        let transaction = connection.transaction().unwrap();
        ClusterFileOwner.upgrade(&transaction).unwrap();
        assert_eq!(ClusterFileOwner.recognise(&transaction).unwrap(), Recognised::Current);
        let history = "SELECT version, status FROM dataflow_migrations";
        let entered: Vec<(String, String)> = transaction
            .prepare(history)
            .unwrap()
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        assert_eq!(entered, [("larder-clusters/1".to_owned(), "applied".to_owned())]);
    }

    #[test]
    fn a_history_of_somebody_else_stays() {
        let mut connection = Connection::open_in_memory().unwrap();
        let theirs = "CREATE TABLE dataflow_migrations(version TEXT, checksum TEXT, status TEXT)";
        connection.execute_batch(&format!("{FORMER_TABLES}{theirs}")).unwrap();
        let transaction = connection.transaction().unwrap();
        ClusterFileOwner.upgrade(&transaction).unwrap();
        assert_eq!(ClusterFileOwner.recognise(&transaction).unwrap(), Recognised::Current);
        let rows: i64 = transaction
            .query_row("SELECT count(*) FROM dataflow_migrations", [], |row| row.get(0))
            .unwrap();
        assert_eq!(rows, 0);
    }

    #[test]
    fn a_file_of_the_former_tool_is_upgraded_only_by_adding() {
        check(&[FORMER_TABLES, FORMER_INDEXES], &Recognised::Older);
        // Indented differently, with a table and a column of later versions, without indexes.
        let former = FORMER_TABLES
            .replace("    ", "            ")
            .replace("is_active BOOLEAN DEFAULT 1,", "is_active BOOLEAN DEFAULT 1, region TEXT,");
        let pool = "CREATE TABLE deployments(name TEXT PRIMARY KEY)";
        check(&[&former, pool], &Recognised::Older);
        let mut connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(&former).unwrap();
        connection.execute_batch(pool).unwrap();
        let before = objects(&connection).unwrap();
        let transaction = connection.transaction().unwrap();
        ClusterFileOwner.upgrade(&transaction).unwrap();
        assert!(before.is_subset(&objects(&transaction).unwrap()));
        assert_eq!(ClusterFileOwner.recognise(&transaction).unwrap(), Recognised::Current);
    }

    #[test]
    fn other_schemas_are_foreign() {
        check_foreign(&["CREATE TABLE notes(x)"], "no table \"clusters\"");
        check_foreign(
            &[FORMER_TABLES, "ALTER TABLE clusters DROP COLUMN host"],
            "table \"clusters\" without column \"host TEXT\"",
        );
        let not_unique = FORMER_TABLES.replace("config_hash TEXT UNIQUE", "config_hash TEXT");
        check_foreign(
            &[&not_unique],
            "table \"shared_cluster_registry\" without column \"config_hash TEXT\"",
        );
        check_foreign(&["PRAGMA application_id = 7"], "application id 0x00000007, version 0");
        check_foreign(
            &[FORMER_TABLES, "PRAGMA user_version = 3"],
            "application id 0x00000000, version 3",
        );
    }

    #[test]
    fn what_runs_by_itself_is_foreign() {
        let trigger = "CREATE TRIGGER t AFTER INSERT ON clusters BEGIN DELETE FROM clusters; END";
        check_foreign(&[FORMER_TABLES, trigger], "trigger \"t\"");
        check_foreign(&[FORMER_TABLES, "CREATE VIEW v AS SELECT 1"], "view \"v\"");
    }

    #[test]
    fn our_own_tables_have_to_be_exactly_ours() {
        let ours = format!("{FORMER_TABLES}{FORMER_INDEXES}{OWN}PRAGMA user_version = 1;");
        let ours = format!("{ours}PRAGMA application_id = {APPLICATION_ID}");
        check(&[&ours], &Recognised::Current);
        check(&[&ours, "CREATE TABLE other(x)"], &Recognised::Current);
        let extra = "CREATE TABLE larder_extra(x)";
        check_foreign(&[&ours, extra], "unexpected or missing table \"larder_extra\"");
        let dropped = "DROP INDEX larder_holder_of";
        check_foreign(&[&ours, dropped], "unexpected or missing index \"larder_holder_of\"");
        check_foreign(
            &[FORMER_TABLES, "CREATE TABLE larder_event(x)"],
            "unexpected or missing table \"larder_event\"",
        );
        let later = "PRAGMA user_version = 2";
        check(&[&ours, later], &Recognised::OtherVersion { found: 2, expected: 1 });
    }
}
