//! Models and their tables, on every database that is there.

use std::{path::Path, sync::Arc};

use larder::{Ensured, Larder, Model, Policy, QueryError, SchemaCache, SchemaError, SchemaOptions};

#[derive(Debug, PartialEq, Model, serde::Deserialize)]
#[model(table = "ensured_airline")]
struct Airline {
    #[model(key)]
    id: i64,
    name: Option<String>,
}

#[derive(Model)]
#[model(table = "ensured_airline")]
#[expect(dead_code, reason = "only its declaration counts")]
struct LaterAirline {
    #[model(key)]
    id: i64,
    name: Option<String>,
    #[model(default = "0")]
    fleet: i64,
}

#[derive(Model)]
#[model(table = "ensured_airport")]
#[expect(dead_code, reason = "only its declaration counts")]
struct Airport {
    #[model(key, length = 3)]
    iata: String,
}

#[derive(Debug, PartialEq, serde::Deserialize)]
struct Row {
    id: i64,
    fleet: Option<i64>,
}

/// A file that no test before had, with a larder on it.
async fn on_file(folder: &Path, options: SchemaOptions) -> Larder {
    let url = format!("sqlite://{}?mode=rwc", folder.join("ensure.db").display());
    Larder::builder().database(&url).schema_options(options).build().await.unwrap()
}

fn options() -> SchemaOptions {
    SchemaOptions::default().with_max_size(100)
}

/// The life of a table: created, used, extended, dropped by somebody else, made again.
async fn lives(larder: &Larder) {
    assert!(matches!(larder.ensure::<Airline>().await, Ok(Ensured::Migrated { .. })));
    assert_eq!(larder.ensure::<Airline>().await.unwrap(), Ensured::Known);
    let write = larder.execute("INSERT INTO ensured_airline (id, name) VALUES (1, 'Lufthansa')");
    write.run().await.unwrap();
    let all = "SELECT * FROM ensured_airline";
    let row = larder.query_as::<Row>(all).fetch_one().await.unwrap();
    assert_eq!(*row.value(), Row { id: 1, fleet: None });

    assert!(matches!(larder.ensure::<LaterAirline>().await, Ok(Ensured::Migrated { .. })));
    let row = larder.query_as::<Row>(all).fetch_one().await.unwrap();
    assert_eq!(*row.value(), Row { id: 1, fleet: Some(0) }, "the old answer is invalidated");

    larder.execute("DROP TABLE ensured_airline").run().await.unwrap();
    assert_eq!(larder.ensure::<Airline>().await.unwrap(), Ensured::Known);
    assert!(larder.query_as::<Row>(all).fetch_all().await.is_err());
    assert!(!larder.schema().is_table_ensured::<Airline>(), "the failure was noticed");
    let again = larder.ensure_table_exists("ensured_airline").await;
    assert!(matches!(again, Ok(Ensured::Migrated { .. })), "{again:?}");
    assert_eq!(larder.schema().metrics().drifts, 2, "one for each model");
    assert!(larder.query_as::<Row>(all).fetch_all().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_table_lives_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    lives(&on_file(folder.path(), options()).await).await;
}

#[tokio::test]
async fn a_table_lives_in_memory() {
    let larder = Larder::builder().database("sqlite::memory:").schema_options(options());
    let larder = larder.build().await.unwrap();
    lives(&larder).await;
    // A migration does without them for a moment.
    let set = larder.query("PRAGMA foreign_keys").fetch_all().await.unwrap();
    assert!(format!("{set:?}").contains("Int(1)"), "references are enforced: {set:?}");
}

#[tokio::test]
async fn named_models_are_made_together() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}?mode=rwc", folder.path().join("named.db").display());
    let builder = Larder::builder().database(&url).schema_options(options());
    let larder = builder.model::<Airline>().model::<Airport>().build().await.unwrap();
    larder.ensure::<Airline>().await.unwrap();
    assert_eq!(larder.ensure::<Airport>().await.unwrap(), Ensured::Known);
    assert_eq!(larder.schema().metrics().checks, 1);
}

#[tokio::test]
async fn two_handles_of_one_file_share_what_they_know() {
    let folder = tempfile::tempdir().unwrap();
    let cache = SchemaCache::new(10);
    let open = |folder| {
        let options = options().with_cache(Arc::clone(&cache));
        async move { on_file(folder, options).await }
    };
    let one = open(folder.path()).await;
    let other = open(&folder.path().join("..").join(folder.path().file_name().unwrap())).await;
    one.ensure::<Airline>().await.unwrap();
    assert_eq!(other.ensure::<Airline>().await.unwrap(), Ensured::Known);
}

#[tokio::test]
async fn a_query_of_a_model_makes_its_table_and_mends_it() {
    let folder = tempfile::tempdir().unwrap();
    let larder = on_file(folder.path(), options()).await;
    let all = "SELECT * FROM ensured_airline";
    let read = || async { larder.query_as::<Airline>(all).fetch_all().await };
    assert!(read().await.unwrap().is_empty());
    let write = larder.execute("INSERT INTO ensured_airline VALUES (1, NULL)");
    write.run().await.unwrap();
    assert_eq!(*read().await.unwrap().value(), [Airline { id: 1, name: None }]);

    let other = on_file(folder.path(), options()).await;
    other.execute("DROP TABLE ensured_airline").run().await.unwrap();
    let invalidated = larder.invalidate_table("ensured_airline").await.unwrap();
    assert!(invalidated.is_applied());
    assert!(read().await.is_err(), "this one finds out");
    assert_eq!(larder.schema().metrics().drifts, 1);
    assert!(read().await.unwrap().is_empty(), "the next one mends it");
}

#[tokio::test]
async fn a_query_of_a_model_whose_table_is_refused_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let larder = on_file(folder.path(), options().with_existing_schema_mode()).await;
    let read = larder.query_as::<Airline>("SELECT 1 AS id, NULL AS name").fetch_all().await;
    let Err(QueryError::Model { model, source }) = read else { panic!("not refused: {read:?}") };
    assert_eq!(model, "Airline");
    assert!(source.to_string().contains("ensured_airline"), "{source}");
}

#[tokio::test]
async fn a_database_of_somebody_else_s_is_only_verified() {
    let folder = tempfile::tempdir().unwrap();
    let larder = on_file(folder.path(), options().with_existing_schema_mode()).await;
    let Err(SchemaError::Refused { policy: Policy::Verify, .. }) = larder.ensure::<Airline>().await
    else {
        panic!("not refused");
    };
    let tables = larder.query("SELECT name FROM sqlite_schema").fetch_all().await.unwrap();
    assert!(tables.is_empty(), "not even a registry");
}

#[tokio::test]
async fn a_watch_notices_what_somebody_else_changed() {
    let folder = tempfile::tempdir().unwrap();
    let larder = on_file(folder.path(), options()).await;
    let other = on_file(folder.path(), options()).await;
    larder.ensure::<Airline>().await.unwrap();
    larder.schema().look_around().await;
    assert!(larder.schema().is_table_ensured::<Airline>());
    other.execute("DROP TABLE ensured_airline").run().await.unwrap();
    larder.schema().look_around().await;
    assert!(!larder.schema().is_table_ensured::<Airline>());
    assert!(matches!(larder.ensure::<Airline>().await, Ok(Ensured::Migrated { .. })));
}

/// A database of its own on a server, opened twice.
#[cfg(any(feature = "mysql", feature = "postgres"))]
async fn on_server(variable: &str) -> (Larder, [Larder; 2], String) {
    let url = std::env::var(variable);
    let url = url
        .unwrap_or_else(|_| panic!("{variable} is not set; `cargo xtask test` starts the servers"));
    let server = Larder::builder().database(&url).build().await.unwrap();
    let database = format!("larder_ensure_{}", std::process::id());
    let create = server.execute(&format!("CREATE DATABASE {database}"));
    create.run().await.unwrap();
    let (rest, _) = url.rsplit_once('/').unwrap();
    let cache = SchemaCache::new(100);
    let open = async || {
        let own = Larder::builder().database(&format!("{rest}/{database}"));
        let options = options().with_cache(Arc::clone(&cache));
        own.schema_options(options).build().await.unwrap()
    };
    let both = [open().await, open().await];
    (server, both, database)
}

#[cfg(any(feature = "mysql", feature = "postgres"))]
async fn lives_on_server(variable: &str) {
    let (server, [larder, alias], database) = on_server(variable).await;
    lives(&larder).await;
    assert!(matches!(larder.ensure::<Airport>().await, Ok(Ensured::Migrated { .. })));
    let known = alias.ensure::<Airport>().await.unwrap();
    assert_eq!(known, Ensured::Known, "it is one database");
    for handle in [larder, alias] {
        handle.database().close().await;
    }
    let force = if variable.contains("POSTGRES") { " WITH (FORCE)" } else { "" };
    let drop = server.execute(&format!("DROP DATABASE {database}{force}"));
    drop.run().await.unwrap();
}

#[cfg(feature = "postgres")]
mod postgres {
    #[tokio::test]
    #[ignore = "needs a live service"]
    async fn a_table_lives() {
        super::lives_on_server("LARDER_POSTGRES_URL").await;
    }
}

#[cfg(feature = "mysql")]
mod mysql {
    #[tokio::test]
    #[ignore = "needs a live service"]
    async fn a_table_lives() {
        super::lives_on_server("LARDER_MYSQL_URL").await;
    }
}

#[cfg(feature = "mysql")]
mod mariadb {
    #[tokio::test]
    #[ignore = "needs a live service"]
    async fn a_table_lives() {
        super::lives_on_server("LARDER_MARIADB_URL").await;
    }
}
