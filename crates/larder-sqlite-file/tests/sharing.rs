//! Several connections and threads on one file.

use std::{thread, time::Duration};

use larder_sqlite_file::{
    Access, Application, FileError, FileIdentity, FileOptions, Retry, Synchronous, immediate,
    is_busy, rusqlite,
};
use rusqlite::Connection;

const COUNTER: Application = Application {
    id: 0x0c0c_0c0c,
    version: 1,
    schema: "CREATE TABLE counter(id INTEGER PRIMARY KEY, value INTEGER NOT NULL) STRICT;
             INSERT INTO counter VALUES (1, 0);",
};

fn value(connection: &Connection) -> i64 {
    connection.query_row("SELECT value FROM counter", [], |row| row.get(0)).unwrap()
}

#[test]
fn many_threads_create_and_count_without_losing_one() {
    const THREADS: i64 = 8;
    const STEPS: i64 = 50;
    let directory = tempfile::tempdir().unwrap();
    let options = FileOptions::new(directory.path().join("x.db")).with_application(COUNTER);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let mut connection = options.open().unwrap();
                for _ in 0..STEPS {
                    // Reading first and writing then is what a deferred transaction fails at.
                    immediate(&mut connection, &Retry::default(), |transaction| {
                        let next = value(transaction) + 1;
                        transaction.execute("UPDATE counter SET value = ?1", [next])
                    })
                    .unwrap();
                }
            });
        }
    });
    let connection = options.open().unwrap();
    assert_eq!(value(&connection), THREADS * STEPS);
}

#[test]
fn a_lock_that_is_held_too_long_is_reported_as_busy() {
    let directory = tempfile::tempdir().unwrap();
    let options = FileOptions::new(directory.path().join("x.db")).with_application(COUNTER);
    let holder = options.open().unwrap();
    let mut waiter = options.open().unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    let retry = Retry::within(Duration::from_millis(5));
    let refused = immediate(&mut waiter, &retry, |_| Ok::<_, rusqlite::Error>(()));
    assert!(refused.is_err_and(|error| is_busy(&error)));
    assert_eq!(value(&waiter), 0, "readers go on meanwhile");
    holder.execute_batch("COMMIT").unwrap();
    immediate(&mut waiter, &retry, |_| Ok::<_, rusqlite::Error>(())).unwrap();
}

#[test]
fn every_setting_arrives() {
    let directory = tempfile::tempdir().unwrap();
    let options = FileOptions::new(directory.path().join("x.db"))
        .with_application(COUNTER)
        .with_synchronous(Synchronous::Full)
        .with_busy_timeout(Duration::from_millis(1_234))
        .with_cache_bytes(1 << 20)
        .with_incremental_vacuum(true)
        .with_statements_max(9)
        .with_wal_bytes(77_777);
    let connection = options.open().unwrap();
    let number = |name: &str| -> i64 {
        connection.pragma_query_value(None, name, |row| row.get(0)).unwrap()
    };
    for (name, expected) in [
        ("application_id", 0x0c0c_0c0c),
        ("user_version", 1),
        ("synchronous", 2),
        ("busy_timeout", 1_234),
        ("cache_size", -1_024),
        ("auto_vacuum", 2),
        ("journal_size_limit", 77_777),
        ("foreign_keys", 1),
        ("trusted_schema", 0),
        ("query_only", 0),
        ("temp_store", 2),
    ] {
        assert_eq!(number(name), expected, "{name}");
    }
    let mode: String =
        connection.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
    assert_eq!(mode, "wal");
    let normal = options.with_synchronous(Synchronous::Normal).open().unwrap();
    let synchronous: i64 =
        normal.pragma_query_value(None, "synchronous", |row| row.get(0)).unwrap();
    assert_eq!(synchronous, 1);
}

#[test]
fn a_reading_connection_can_not_write() {
    let directory = tempfile::tempdir().unwrap();
    let options = FileOptions::new(directory.path().join("x.db")).with_application(COUNTER);
    let writer = options.open().unwrap();
    let reader = options.with_access(Access::Read).open().unwrap();
    let refused = reader.execute("UPDATE counter SET value = 7", []);
    assert!(refused.is_err());
    assert_eq!(value(&writer), 0);
    writer.execute("UPDATE counter SET value = 8", []).unwrap();
    assert_eq!(value(&reader), 8);
}

#[test]
fn a_replaced_file_has_another_identity() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.db");
    assert_eq!(FileIdentity::of(&path), None);
    let connection = FileOptions::new(&path).open().unwrap();
    let first = FileIdentity::of(&path);
    assert!(first.is_some());
    assert_eq!(first, FileIdentity::of(&path));
    std::fs::remove_file(&path).unwrap();
    assert_eq!(FileIdentity::of(&path), None);
    // The old file still exists as long as it is open, so its number is not given out again.
    std::fs::write(&path, "").unwrap();
    if cfg!(unix) {
        assert_ne!(first, FileIdentity::of(&path));
    }
    drop(connection);
}

#[test]
fn an_empty_file_that_somebody_touched_is_taken_over() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.db");
    std::fs::write(&path, "").unwrap();
    let opened = FileOptions::new(&path).with_application(COUNTER).open();
    assert_eq!(value(&opened.unwrap()), 0);
}

#[test]
fn an_error_of_the_work_is_passed_through() {
    let directory = tempfile::tempdir().unwrap();
    let options = FileOptions::new(directory.path().join("x.db")).with_application(COUNTER);
    let mut connection = options.open().unwrap();
    let outcome: Result<(), Box<dyn std::error::Error>> =
        immediate(&mut connection, &Retry::default(), |transaction| {
            transaction.execute("UPDATE counter SET value = 5", [])?;
            Err(FileError::Missing { path: "x".into() }.into())
        });
    assert!(outcome.is_err());
    assert_eq!(value(&connection), 0);
}
