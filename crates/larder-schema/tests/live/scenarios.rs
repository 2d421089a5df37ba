//! What holds on every database.

use std::sync::Arc;

use larder_core::{CacheBackend, MemoryBackend, MemoryConfig};
use larder_model::{CheckModel, Model, ModelEntry};
use larder_schema::{
    Ensured, Policy, SchemaCache, SchemaError, StatementFailure, TableState, Validation,
};
use tokio::task::JoinSet;

use crate::place::{Place, options, until};

#[derive(Model)]
#[model(table = "airline")]
#[expect(dead_code, reason = "only its declaration counts")]
pub(crate) struct Airline {
    #[model(key)]
    id: i64,
    #[model(length = 2)]
    iata: String,
    name: Option<String>,
}

#[derive(Model)]
#[model(table = "airport")]
#[expect(dead_code, reason = "only its declaration counts")]
pub(crate) struct Airport {
    #[model(key)]
    id: i64,
    #[model(default = "0")]
    runways: i32,
}

/// A model whose check is no expression.
pub(crate) fn broken() -> &'static ModelEntry {
    let id = larder_model::Identifier::from_static("id");
    let table = larder_model::TableModel::builder(larder_model::Identifier::from_static("broken"));
    let table = table.column(larder_model::ColumnModel::of::<i64>(id).with_key());
    let check = CheckModel { name: None, expression: "no_such_column > (".to_owned() };
    ModelEntry::leaked("Broken", table.check(check).build().unwrap())
}

pub(crate) async fn the_first_use_makes_the_tables_and_the_next_process_finds_them(place: Place) {
    let first = place.process_with(options().with_model::<Airport>()).await;
    assert!(matches!(first.ensure::<Airline>().await, Ok(Ensured::Migrated { .. })));
    assert_eq!(first.ensure::<Airport>().await.unwrap(), Ensured::Known);
    place.run("INSERT INTO airline (id, iata) VALUES (1, 'LH')").await;
    place.run("INSERT INTO airport (id) VALUES (1)").await;

    let second = place.process_with(options().with_model::<Airport>()).await;
    assert_eq!(second.ensure::<Airline>().await.unwrap(), Ensured::Verified);
    assert_eq!(second.metrics().cached_tables, 2);
    drop((first, second));
    place.end().await;
}

pub(crate) async fn a_model_that_fails_stands_in_nobody_s_way(place: Place) {
    let schema = place.process_with(options().with_models([broken()])).await;
    assert!(matches!(schema.ensure::<Airline>().await, Ok(Ensured::Migrated { .. })));
    let error = schema.ensure_table_exists("broken").await.unwrap_err();
    assert!(matches!(error, SchemaError::Store { .. }), "{error}");
    let tables = schema.cached_tables();
    let broken = tables.iter().find(|of| of.model == "Broken").unwrap();
    assert!(matches!(broken.state, TableState::Failed { .. }), "{broken:?}");
    drop(schema);
    place.end().await;
}

pub(crate) async fn what_somebody_else_changed_is_noticed_and_mended(place: Place) {
    let schema = place.process_with(options().with_model::<Airport>()).await;
    schema.ensure::<Airline>().await.unwrap();
    schema.look_around().await;
    assert!(schema.is_table_ensured::<Airline>());
    place.run("ALTER TABLE airline DROP COLUMN name").await;
    until(|| async {
        schema.look_around().await;
        schema.metrics().drifts > 0
    })
    .await;
    assert!(!schema.is_table_ensured::<Airline>());
    assert!(schema.is_table_ensured::<Airport>(), "that one is as it was");
    assert!(matches!(schema.ensure::<Airline>().await, Ok(Ensured::Migrated { .. })));
    place.run("INSERT INTO airline (id, iata, name) VALUES (1, 'LH', 'Lufthansa')").await;

    place.run("DROP TABLE airline").await;
    assert!(schema.statement_failed(StatementFailure::UndefinedTable, Some("airline")));
    assert!(matches!(schema.ensure::<Airline>().await, Ok(Ensured::Migrated { .. })));
    drop(schema);
    place.end().await;
}

pub(crate) async fn a_validation_by_tokens_notices_at_once(place: Place) {
    let every = std::time::Duration::from_nanos(1);
    let validation = Validation::Tokens { every };
    let schema = place.process_with(options().with_validation(validation)).await;
    schema.ensure::<Airline>().await.unwrap();
    assert_eq!(schema.ensure::<Airline>().await.unwrap(), Ensured::Verified);
    place.run("ALTER TABLE airline DROP COLUMN name").await;
    assert!(matches!(schema.ensure::<Airline>().await, Ok(Ensured::Migrated { .. })));
    assert_eq!(schema.metrics().drifts, 1);
    drop(schema);
    place.end().await;
}

pub(crate) async fn an_existing_schema_is_left_alone(place: Place) {
    let verifying = || place.process_with(options().with_existing_schema_mode());
    let schema = verifying().await;
    let error = schema.ensure::<Airline>().await.unwrap_err();
    assert!(matches!(error, SchemaError::Refused { policy: Policy::Verify, .. }), "{error}");
    assert!(!error.plan().unwrap().is_empty());
    place
        .run("CREATE TABLE airline (id BIGINT PRIMARY KEY, iata VARCHAR(2) NOT NULL, name TEXT)")
        .await;
    assert_eq!(schema.ensure::<Airline>().await.unwrap(), Ensured::Verified);
    // Whoever made the tables finds no other.
    place.run("CREATE TABLE dataflow_meta (mine INTEGER)").await;
    drop(schema);
    place.end().await;
}

pub(crate) async fn many_at_once_make_one_change(place: Place) {
    let place = Arc::new(place);
    let mut processes = JoinSet::new();
    for _ in 0..6 {
        let place = Arc::clone(&place);
        processes.spawn(async move {
            let schema = place.process_with(options().with_model::<Airport>()).await;
            let mut tasks = JoinSet::new();
            for _ in 0..8 {
                let schema = schema.clone();
                tasks.spawn(async move { schema.ensure::<Airline>().await.unwrap() });
            }
            tasks.join_all().await;
            schema.metrics().migrations
        });
    }
    let migrations: u64 = processes.join_all().await.into_iter().sum();
    assert_eq!(migrations, 2, "two tables, each made once");
    Arc::into_inner(place).unwrap().end().await;
}

pub(crate) async fn a_fresh_process_starts_warm(place: Place) {
    let backend: Arc<dyn CacheBackend> = Arc::new(MemoryBackend::new(MemoryConfig::default()));
    let options = || options().with_second_level(Arc::clone(&backend));
    place.process().await.ensure::<Airline>().await.unwrap();
    // A database that counts changes may still be about to tell of that one.
    until(|| async {
        let told = place.process_with(options()).await;
        told.ensure::<Airline>().await.unwrap();
        let puts = backend.stats().puts;
        until(|| async { backend.stats().puts > 0 }).await;
        let fresh = place.process_with(options()).await;
        puts > 0 && fresh.ensure::<Airline>().await.unwrap() == Ensured::Warm
    })
    .await;
    place.run("ALTER TABLE airline DROP COLUMN name").await;
    until(|| async {
        let fresh = place.process_with(options()).await;
        !matches!(fresh.ensure::<Airline>().await, Ok(Ensured::Warm))
    })
    .await;
    place.end().await;
}

pub(crate) async fn another_way_to_the_database_is_the_same_database(place: Place, alias: &str) {
    let cache = SchemaCache::new(10);
    let options = || options().with_cache(Arc::clone(&cache));
    let one = place.process_with(options()).await;
    let other = place.process_at(alias, options()).await;
    one.ensure::<Airline>().await.unwrap();
    assert_eq!(other.ensure::<Airline>().await.unwrap(), Ensured::Known);
    let identity = one.identity().unwrap();
    assert!(!identity.contains("larder:"), "no password: {identity}");
    drop((one, other));
    place.end().await;
}

/// One test for each scenario.
macro_rules! scenarios {
    ($place:expr, $(#[$attribute:meta])*) => {
        $crate::scenarios::scenarios!(@each $place, [$(#[$attribute])*],
            the_first_use_makes_the_tables_and_the_next_process_finds_them,
            a_model_that_fails_stands_in_nobody_s_way,
            what_somebody_else_changed_is_noticed_and_mended,
            a_validation_by_tokens_notices_at_once,
            an_existing_schema_is_left_alone,
            many_at_once_make_one_change,
            a_fresh_process_starts_warm,
        );
    };
    (@each $place:expr, $attributes:tt, $($name:ident,)+) => {
        $($crate::scenarios::scenarios!(@one $place, $attributes, $name);)+
    };
    (@one $place:expr, [$(#[$attribute:meta])*], $name:ident) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        $(#[$attribute])*
        async fn $name() {
            $crate::scenarios::$name($place).await;
        }
    };
}
pub(crate) use scenarios;
