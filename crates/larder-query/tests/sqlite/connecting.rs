//! URLs, identities, pools and what is shown of them.

use std::error::Error as _;

use larder_query::{
    Database, DatabaseErrorKind, DatabaseOptions, DatabaseUrl, Engine, Params, QueryError, RowLimit,
};

use crate::{Fixture, memory, number, open, run, url};

const CANARY: &str = "hunter2";

#[tokio::test]
async fn a_file_is_created_only_if_the_url_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let options = DatabaseOptions::default();
    for parameters in ["", "?mode=rw", "?mode=ro"] {
        let error = open(&directory, parameters, &options).await.unwrap_err();
        assert_eq!(error.database_kind(), Some(DatabaseErrorKind::Connection));
    }
    assert_eq!(directory.path().read_dir().unwrap().count(), 0);
    open(&directory, "?mode=rwc", &options).await.unwrap();
    open(&directory, "", &options).await.unwrap();
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(
        directory.path().join("test.db"),
        "no database, but long enough to be one: ".repeat(99),
    )
    .unwrap();
    let error = open(&directory, "", &DatabaseOptions::default()).await.unwrap_err();
    assert_eq!(error.database_kind(), Some(DatabaseErrorKind::Corrupt));
}

#[tokio::test]
async fn connections_are_set_up_well() {
    let fixture = Fixture::new(&DatabaseOptions::default()).await;
    let database = &fixture.database;
    assert_eq!(number(database, "PRAGMA foreign_keys").await, 1);
    assert_eq!(number(database, "PRAGMA busy_timeout").await, 30_000);
    let mode = database.fetch("PRAGMA journal_mode", &Params::new(), RowLimit::One).await;
    assert_eq!(mode.unwrap().to::<String>().unwrap(), ["wal"]);
    assert_eq!(database.engine(), Engine::Sqlite);
}

#[tokio::test]
async fn wal_is_an_option() {
    let fixture = Fixture::new(&DatabaseOptions::default().with_wal(false)).await;
    let mode = fixture.database.fetch("PRAGMA journal_mode", &Params::new(), RowLimit::One).await;
    assert_eq!(mode.unwrap().to::<String>().unwrap(), ["delete"]);
}

#[tokio::test]
async fn read_only_means_read_only() {
    let fixture = Fixture::new(&DatabaseOptions::default()).await;
    run(&fixture.database, "CREATE TABLE t (a)").await;
    let reader = open(&fixture.directory, "?mode=ro", &DatabaseOptions::default()).await.unwrap();
    let error = reader.execute("INSERT INTO t VALUES (1)", &Params::new()).await.unwrap_err();
    assert_eq!(error.database_kind(), Some(DatabaseErrorKind::ReadOnly));
    let mut transaction = reader.begin().await.unwrap();
    let set = transaction.fetch("SELECT count(*) FROM t", &Params::new(), RowLimit::One).await;
    assert_eq!(set.unwrap().to::<i64>().unwrap(), [0]);
    transaction.commit().await.unwrap();
}

#[tokio::test]
async fn a_database_in_memory_is_one_for_all_who_share_the_pool() {
    let database = memory().await;
    run(&database, "CREATE TABLE t (a)").await;
    let writers: Vec<_> = (0..20)
        .map(|_| {
            let database = database.clone();
            tokio::spawn(async move { run(&database, "INSERT INTO t VALUES (1)").await })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(number(&database, "SELECT count(*) FROM t").await, 20);
    assert_eq!(number(&memory().await, "SELECT count(*) FROM sqlite_master").await, 0);
}

#[tokio::test]
async fn one_file_has_one_identity_whatever_its_path() {
    let fixture = Fixture::new(&DatabaseOptions::default()).await;
    let identity = fixture.database.identity();
    let again = open(&fixture.directory, "?mode=ro", &DatabaseOptions::default()).await.unwrap();
    assert_eq!(again.identity(), identity);

    let detour = format!(
        "{}/../{}/test.db",
        fixture.directory.path().display(),
        fixture.directory.path().file_name().unwrap().to_str().unwrap()
    );
    let detour = Database::connect(
        &format!("sqlite:{detour}").parse().unwrap(),
        &DatabaseOptions::default(),
    )
    .await
    .unwrap();
    assert_eq!(detour.identity(), identity);

    let other = Fixture::new(&DatabaseOptions::default()).await;
    assert_ne!(other.database.identity(), identity);
    assert_ne!(memory().await.identity(), memory().await.identity());
}

#[tokio::test]
async fn a_file_that_replaces_another_is_another_database() {
    let fixture = Fixture::new(&DatabaseOptions::default()).await;
    let before = fixture.database.identity().clone();
    fixture.database.close().await;
    let path = fixture.directory.path().join("test.db");
    // Keeping the old file makes sure that its inode is not given to the new one.
    std::fs::rename(&path, fixture.directory.path().join("old.db")).unwrap();
    let after = open(&fixture.directory, "?mode=rwc", &DatabaseOptions::default()).await.unwrap();
    assert_ne!(*after.identity(), before);
}

#[tokio::test]
async fn after_closing_nothing_works() {
    let database = memory().await;
    database.close().await;
    let error = database.execute("SELECT 1", &Params::new()).await.unwrap_err();
    assert_eq!(error.database_kind(), Some(DatabaseErrorKind::Connection));
}

#[tokio::test]
async fn engines_that_are_not_compiled_in_say_so() {
    let mysql = cfg!(feature = "mysql");
    for (url, engine, is_compiled_in) in [
        ("postgres://u:hunter2@h/d", Engine::Postgres, cfg!(feature = "postgres")),
        ("mysql://u:hunter2@h/d", Engine::MySql, mysql),
        ("mariadb://u:hunter2@h/d", Engine::MariaDb, mysql),
    ] {
        if is_compiled_in {
            continue;
        }
        let error = Database::connect(&url.parse().unwrap(), &DatabaseOptions::default())
            .await
            .unwrap_err();
        assert!(matches!(&error, QueryError::EngineNotCompiled { engine: e } if *e == engine));
        assert!(!format!("{error} {error:?}").contains(CANARY));
    }
}

#[tokio::test]
async fn nothing_shows_what_follows_the_question_mark() {
    let directory = tempfile::tempdir().unwrap();
    let parsed: DatabaseUrl = url(&directory, "?key=hunter2").parse().unwrap();
    assert!(!format!("{parsed} {parsed:?}").contains(CANARY));
    let error = Database::connect(&parsed, &DatabaseOptions::default()).await.unwrap_err();
    let mut shown = format!("{error} {error:?}");
    let mut source = error.source();
    while let Some(cause) = source {
        shown += &format!("{cause} {cause:?}");
        source = cause.source();
    }
    assert!(!shown.contains(CANARY), "{shown}");
    let database = open(&directory, "?mode=rwc", &DatabaseOptions::default()).await.unwrap();
    assert!(!format!("{database:?}").contains("mode="), "{database:?}");
}
