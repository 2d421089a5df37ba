//! Files that their program recognises by a check of its own.

use std::{fs, path::Path, thread};

use larder_sqlite_file::{
    FileError, FileOptions, Owner, Recognised,
    rusqlite::{self, Connection, Transaction},
};

/// A program whose first version did not set an application id.
#[derive(Debug)]
struct Diary;

const ID: i32 = 0x0d1a;

impl Owner for Diary {
    fn recognise(&self, connection: &Connection) -> rusqlite::Result<Recognised> {
        let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
        let tables: String = connection.query_row(
            "SELECT coalesce(group_concat(name), '') FROM (SELECT name FROM sqlite_schema ORDER BY name)",
            [],
            |row| row.get(0),
        )?;
        Ok(match (number("application_id")?, number("user_version")?, tables.as_str()) {
            (0, 0, "") => Recognised::Vacant,
            (0, 0, "page") => Recognised::Older,
            (ID, 1, "mood,page") => Recognised::Current,
            (ID, found, _) => Recognised::OtherVersion { found, expected: 1 },
            _ => Recognised::Foreign { found: tables },
        })
    }

    fn upgrade(&self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        transaction.execute_batch(
            "CREATE TABLE IF NOT EXISTS page(text TEXT);
             CREATE TABLE mood(text TEXT);
             PRAGMA application_id = 0x0d1a;
             PRAGMA user_version = 1",
        )
    }
}

fn open(path: &Path) -> Result<Connection, FileError> {
    FileOptions::new(path).with_owner(Diary).open()
}

#[track_caller]
fn check_refused(statements: &str, matches: impl Fn(&FileError) -> bool) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.db");
    Connection::open(&path).unwrap().execute_batch(statements).unwrap();
    let before = fs::read(&path).unwrap();
    let error = open(&path).unwrap_err();
    assert!(matches(&error), "{error:?}");
    assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
    assert!(before == fs::read(&path).unwrap(), "the refused file was changed");
}

#[test]
fn a_vacant_file_becomes_ours_once_however_many_open_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.db");
    thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                let connection = open(&path).unwrap();
                connection.execute("INSERT INTO page VALUES ('x')", []).unwrap();
            });
        }
    });
    let pages: i64 =
        open(&path).unwrap().query_row("SELECT count(*) FROM page", [], |row| row.get(0)).unwrap();
    assert_eq!(pages, 6);
}

#[test]
fn an_older_file_is_upgraded_and_keeps_what_is_in_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.db");
    let older = Connection::open(&path).unwrap();
    older.execute_batch("CREATE TABLE page(text TEXT); INSERT INTO page VALUES ('old')").unwrap();
    drop(older);
    for _ in 0..2 {
        let connection = open(&path).unwrap();
        let text: String =
            connection.query_row("SELECT text FROM page", [], |row| row.get(0)).unwrap();
        assert_eq!(text, "old");
    }
}

#[test]
fn what_the_owner_refuses_stays_as_it_was() {
    check_refused(
        "CREATE TABLE notes(x)",
        |error| matches!(error, FileError::Foreign { found, .. } if found == "notes"),
    );
    check_refused("PRAGMA application_id = 0x0d1a; PRAGMA user_version = 9", |error| {
        matches!(error, FileError::SchemaVersion { found: 9, expected: 1, .. })
    });
}

#[test]
fn an_upgrade_that_fails_changes_nothing() {
    #[derive(Debug)]
    struct Clumsy;

    impl Owner for Clumsy {
        fn recognise(&self, connection: &Connection) -> rusqlite::Result<Recognised> {
            Diary.recognise(connection)
        }

        fn upgrade(&self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
            Diary.upgrade(transaction)?;
            transaction.execute_batch("CREATE TABLE page(text)")
        }
    }

    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.db");
    let older = Connection::open(&path).unwrap();
    older.execute_batch("CREATE TABLE page(text TEXT)").unwrap();
    let failed = FileOptions::new(&path).with_owner(Clumsy).open();
    assert!(matches!(failed, Err(FileError::Sqlite { .. })), "{failed:?}");
    assert_eq!(Diary.recognise(&older).unwrap(), Recognised::Older);
}

/// A program whose questions another process always comes between, and claims the file.
#[derive(Debug)]
struct Overtaken(std::path::PathBuf);

impl Owner for Overtaken {
    fn recognise(&self, connection: &Connection) -> rusqlite::Result<Recognised> {
        let id: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
        let other = Connection::open(&self.0)?;
        // While the file is opened it belongs to nobody, and afterwards the lock is ours.
        let claimed = other.execute_batch(
            "BEGIN IMMEDIATE; CREATE TABLE IF NOT EXISTS page(text TEXT); \
             PRAGMA application_id = 0x0d1a; COMMIT",
        );
        let tables: i32 =
            connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        Ok(match (id, tables) {
            (0, 0) => Recognised::Vacant,
            (ID, 1) => Recognised::Current,
            torn => Recognised::Foreign { found: format!("{torn:?} after {claimed:?}") },
        })
    }

    fn upgrade(&self, _: &Transaction<'_>) -> rusqlite::Result<()> {
        unreachable!("the other process was faster")
    }
}

#[test]
fn all_questions_are_asked_of_one_state() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.db");
    let log_ahead = "PRAGMA journal_mode = WAL";
    Connection::open(&path).unwrap().query_row(log_ahead, [], |_| Ok(())).unwrap();
    FileOptions::new(&path).with_owner(Overtaken(path.clone())).open().unwrap();
}
