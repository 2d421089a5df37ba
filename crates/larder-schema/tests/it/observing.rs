//! Whether a description is of the table that is there now, whatever kind it is.

use larder_model::Model;
use larder_schema::Ensured;

use crate::support::{Airline, SqliteStore, block_on};

#[derive(Model)]
#[model(table = "leg")]
#[expect(dead_code, reason = "only its declaration counts")]
struct Leg {
    #[model(key)]
    flight: String,
    #[model(key)]
    number: u32,
    delayed: Option<bool>,
}

/// Ensures `Leg` on a database that these statements made.
#[track_caller]
fn check(made_by: &str, statements: usize) {
    block_on(async {
        let store = SqliteStore::in_memory();
        store.run(made_by).await;
        store.schema().ensure::<Leg>().await.unwrap();
        assert_eq!(store.changes(), statements, "{made_by}");
        assert_eq!(store.schema().ensure::<Leg>().await.unwrap(), Ensured::Verified);
    });
}

#[test]
fn tables_of_every_kind_are_understood() {
    let key = "flight TEXT NOT NULL, number INT NOT NULL, PRIMARY KEY (number, flight)";
    check(&format!("CREATE TABLE leg (delayed BOOL, {key})"), 0);
    check(&format!("CREATE TABLE leg (delayed BOOL, {key}) WITHOUT ROWID"), 0);
    check(&format!("CREATE TABLE leg (delayed INT AS (number > 7) STORED, {key})"), 0);
    check(&format!("CREATE TABLE leg (delayed INTEGER, {key}) STRICT"), 0);
    check(&format!("CREATE TABLE leg ({key}) STRICT, WITHOUT ROWID"), 1);
    check("CREATE TABLE leg (flight TEXT, number INT, delayed, PRIMARY KEY (flight, number))", 0);
}

#[test]
fn a_temporary_table_of_the_same_name_is_another_one() {
    check("CREATE TEMPORARY TABLE leg (unrelated)", 1);
}

#[test]
fn a_table_of_another_database_is_another_one() {
    check("ATTACH ':memory:' AS other; CREATE TABLE other.leg (unrelated)", 1);
}

#[test]
fn what_another_connection_changed_is_seen() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("schema.db");
    block_on(async {
        let (store, other) = (SqliteStore::open(&path), SqliteStore::open(&path));
        let schema = store.schema();
        schema.ensure::<Airline>().await.unwrap();
        for _ in 0..3 {
            other.run("ALTER TABLE airline DROP COLUMN name").await;
            assert!(!schema.plan(Airline::table()).await.unwrap().is_empty());
            assert!(schema.clear_table("airline"));
            let ensured = schema.ensure::<Airline>().await.unwrap();
            assert!(matches!(ensured, Ensured::Migrated { .. }));

            other.run("DROP TABLE airline").await;
            assert!(!schema.plan(Airline::table()).await.unwrap().is_empty());
            other
                .run("CREATE TABLE airline (id INTEGER PRIMARY KEY, iata TEXT NOT NULL, name)")
                .await;
            assert!(schema.plan(Airline::table()).await.unwrap().is_empty());
        }
    });
}
