//! What the first use of a model does to its table, and what it refuses to do.

use larder_model::{Model, Plan};
use larder_schema::{Ensured, Policy, SchemaError, SchemaOptions};

use crate::support::{Airline, SqliteStore, block_on};

#[derive(Model)]
#[model(table = "airline")]
#[expect(dead_code, reason = "only its declaration counts")]
struct ActiveAirline {
    #[model(key)]
    id: i64,
    iata: String,
    #[model(default = "TRUE")]
    active: bool,
    #[model(default = "'it''s; --'")]
    motto: String,
    #[model(default = "-1.50")]
    rating: f64,
    #[model(default = "X'00ff'")]
    logo: Vec<u8>,
}

/// Ensures `M` on a database that these statements made, and expects to be refused, with these
/// words and without a trace.
#[track_caller]
fn check_refused<M: Model>(made_by: &str, expected: &str) {
    block_on(async {
        let store = SqliteStore::in_memory();
        store.run(made_by).await;
        let before = store.ask("SELECT group_concat(sql) FROM sqlite_schema").await;
        let schema = store.schema();
        let Err(error @ SchemaError::Refused { .. }) = schema.ensure::<M>().await else {
            panic!("not refused");
        };
        let steps: Vec<_> = error.plan().unwrap().refused().map(ToString::to_string).collect();
        assert_eq!(steps.join("; "), expected);
        assert!(error.to_string().ends_with(expected), "{error}");
        assert_eq!(store.ask("SELECT group_concat(sql) FROM sqlite_schema").await, before);
        assert_eq!(store.changes(), 0);
        assert!(!schema.is_table_ensured::<M>());
    });
}

#[test]
fn a_missing_table_is_created() {
    block_on(async {
        let store = SqliteStore::in_memory();
        let schema = store.schema();
        let Ensured::Migrated { plan } = schema.ensure::<Airline>().await.unwrap() else {
            panic!("not created");
        };
        assert_eq!(plan.statements().count(), 1);
        store.run("INSERT INTO airline (iata, name) VALUES ('LH', NULL)").await;
        assert_eq!(store.ask("SELECT id FROM airline").await, "1", "the key is assigned");
        assert_eq!(schema.ensure::<Airline>().await.unwrap(), Ensured::Known);
    });
}

#[test]
fn missing_columns_are_added_and_rows_keep_their_values() {
    block_on(async {
        let store = SqliteStore::in_memory();
        store
            .run(
                "CREATE TABLE Airline (ID INTEGER PRIMARY KEY, iata VARCHAR(2) NOT NULL, extra);
                 INSERT INTO Airline VALUES (7, 'LH', 'kept')",
            )
            .await;
        let schema = store.schema();
        let ensured = schema.ensure::<ActiveAirline>().await.unwrap();
        assert!(matches!(ensured, Ensured::Migrated { .. }));
        let row = "SELECT format('%s %s %s %s %s %s %s', id, iata, extra, active, motto, rating, \
                   hex(logo)) FROM airline";
        assert_eq!(store.ask(row).await, "7 LH kept 1 it's; -- -1.5 00FF");
    });
}

#[test]
fn a_second_process_finds_nothing_to_do() {
    block_on(async {
        let store = SqliteStore::in_memory();
        store.schema().ensure::<ActiveAirline>().await.unwrap();
        let changes = store.changes();
        let ensured = store.schema().ensure::<ActiveAirline>().await.unwrap();
        assert_eq!(ensured, Ensured::Verified);
        assert_eq!((store.changes(), store.begins()), (changes, 1));
    });
}

#[test]
fn two_models_of_one_table_add_up() {
    block_on(async {
        let store = SqliteStore::in_memory();
        let schema = store.schema();
        schema.ensure::<Airline>().await.unwrap();
        schema.ensure::<ActiveAirline>().await.unwrap();
        let columns = "SELECT count(*) FROM pragma_table_info('airline')";
        assert_eq!(store.ask(columns).await, "7");
    });
}

#[test]
fn a_column_without_a_value_for_the_rows_is_refused() {
    let made_by = "CREATE TABLE airline (id INTEGER PRIMARY KEY); INSERT INTO airline VALUES (1)";
    let expected = "column \"iata\" is missing, and has no default for the rows that are there";
    check_refused::<Airline>(made_by, expected);
}

#[test]
fn an_empty_table_gets_a_column_without_a_default() {
    block_on(async {
        let store = SqliteStore::in_memory();
        store.run("CREATE TABLE airline (id INTEGER PRIMARY KEY)").await;
        let schema = store.schema();
        let plan: Plan = schema.plan(Airline::table()).await.unwrap();
        assert!(!plan.is_additive(), "without a transaction nobody looks for rows");
        assert!(matches!(schema.ensure::<Airline>().await, Ok(Ensured::Migrated { .. })));
    });
}

#[test]
fn whatever_would_lose_or_change_something_is_refused() {
    check_refused::<Airline>(
        "CREATE TABLE airline (id INTEGER PRIMARY KEY, iata INTEGER NOT NULL)",
        "column \"iata\" is declared \"INTEGER\", which does not hold text (\"TEXT\" does)",
    );
    check_refused::<Airline>(
        "CREATE TABLE airline (id INTEGER PRIMARY KEY, iata TEXT)",
        "column \"iata\" admits NULL, which the model's type does not",
    );
    check_refused::<Airline>(
        "CREATE TABLE airline (id INTEGER, iata TEXT NOT NULL PRIMARY KEY)",
        "it has the primary key [\"iata\"] instead of [\"id\"]; \
         column \"id\" admits NULL, which the model's type does not",
    );
    check_refused::<Airline>(
        "CREATE VIEW airline AS SELECT 1 AS id, 'LH' AS iata, NULL AS name",
        "it is not an ordinary table",
    );
}

#[test]
fn an_additive_step_is_not_done_beside_a_refused_one() {
    // The name could be added, were it not for the code.
    check_refused::<Airline>(
        "CREATE TABLE airline (id INTEGER PRIMARY KEY, iata REAL NOT NULL)",
        "column \"iata\" is declared \"REAL\", which does not hold text (\"TEXT\" does)",
    );
}

#[test]
fn a_unique_column_is_checked_and_not_added() {
    #[derive(Model)]
    #[model(table = "airline")]
    #[expect(dead_code, reason = "only its declaration counts")]
    struct UniqueAirline {
        #[model(key, unique)]
        id: i64,
        #[model(unique)]
        iata: Option<String>,
    }
    check_refused::<UniqueAirline>(
        "CREATE TABLE airline (id INTEGER PRIMARY KEY)",
        "column \"iata\" is missing, and a unique column can not be added",
    );
    for not_unique in [
        "",
        "CREATE INDEX i ON airline (iata)",
        "CREATE UNIQUE INDEX i ON airline (iata) WHERE id > 0",
        "CREATE UNIQUE INDEX i ON airline (iata, id)",
        "CREATE UNIQUE INDEX i ON airline (lower(iata))",
    ] {
        check_refused::<UniqueAirline>(
            &format!("CREATE TABLE airline (id INTEGER PRIMARY KEY, iata TEXT); {not_unique}"),
            "column \"iata\" admits the same value twice",
        );
    }
    block_on(async {
        let store = SqliteStore::in_memory();
        store.run("CREATE TABLE airline (id INTEGER PRIMARY KEY, iata TEXT)").await;
        store.run("CREATE UNIQUE INDEX \"a \"\" b\" ON airline (IATA)").await;
        assert_eq!(store.schema().ensure::<UniqueAirline>().await.unwrap(), Ensured::Verified);
    });
}

#[test]
fn the_verifying_policy_changes_nothing_and_locks_nothing() {
    block_on(async {
        let store = SqliteStore::in_memory();
        let verifying = SchemaOptions::default().with_policy(Policy::Verify);
        let schema = store.schema_with(verifying);
        let Err(SchemaError::Pending { plan }) = schema.ensure::<Airline>().await else {
            panic!("not pending");
        };
        assert_eq!(plan.statements().count(), 1);
        assert_eq!((store.changes(), store.begins()), (0, 0));
        store.schema().ensure::<Airline>().await.unwrap();
        assert_eq!(schema.ensure::<Airline>().await.unwrap(), Ensured::Verified);
    });
}

#[test]
fn a_statement_that_the_database_refuses_leaves_nothing_behind() {
    block_on(async {
        let store = SqliteStore::in_memory();
        store.run("CREATE TABLE t (x); CREATE INDEX airline ON t (x)").await;
        let schema = store.schema();
        let Err(SchemaError::Store { table, source }) = schema.ensure::<Airline>().await else {
            panic!("not failed");
        };
        assert_eq!(table.as_str(), "airline");
        assert!(source.is::<rusqlite::Error>(), "the database's own error: {source}");
        assert_eq!(store.ask("SELECT count(*) FROM sqlite_schema").await, "2");
        store.run("DROP INDEX airline").await;
        assert!(schema.ensure::<Airline>().await.is_ok());
    });
}
