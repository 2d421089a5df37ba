//! What a remembered table costs.

use std::sync::Arc;

use async_trait::async_trait;
use larder_model::{ColumnModel, Identifier, ModelEntry, TableModel};
use larder_schema::{
    ModelRef, Policy, Schema, SchemaCache, SchemaOptions, SchemaSignal, SchemaStore, Standing,
    StoreError,
};

/// Models of tables with one column.
fn entries(prefix: &str, count: usize) -> Vec<&'static ModelEntry> {
    let entry = |number| {
        let name = format!("{prefix}{number}");
        let id = ColumnModel::of::<i64>(Identifier::from_static("id"));
        let table = TableModel::builder(Identifier::new(name.clone()).unwrap()).column(id);
        ModelEntry::leaked(&name, table.build().unwrap())
    };
    (0..count).map(entry).collect()
}

const TABLES: usize = 10_000;
const BYTES_MAX: u64 = 200;
/// What a database takes besides, so that threads count their hits without meeting: stripes, and
/// the space before and behind them.
const HITS_BYTES: u64 = (4 << 10) + 128;

/// A database with every table as it should be, that keeps nothing.
#[derive(Debug)]
struct Perfect;

#[async_trait]
impl SchemaStore for Perfect {
    async fn identity(&self) -> Result<String, StoreError> {
        Ok("perfect".to_owned())
    }

    async fn signal(&self) -> Result<SchemaSignal, StoreError> {
        Ok(SchemaSignal::new(String::new(), 0))
    }

    async fn ensure(
        &self,
        models: &[ModelRef<'_>],
        _policy: Policy,
    ) -> Vec<Result<Standing, StoreError>> {
        models.iter().map(|_| Ok(Standing::Verified)).collect()
    }
}

/// Bytes for each table that stay allocated, where so many databases have these tables each. All
/// of the cache counts: handles, lists and slots.
#[track_caller]
fn check(databases: usize, models: &[&'static ModelEntry]) {
    // A model is given its number at its first use, whatever the database.
    assert!(models.iter().map(|entry| entry.slot()).is_sorted());
    let store: Arc<dyn SchemaStore> = Arc::new(Perfect);
    let mut schemas = Vec::with_capacity(databases);
    let counted = allocation_counter::measure(|| {
        let options = SchemaOptions::default().with_cache(SchemaCache::new(TABLES));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        for database in 0..databases {
            let identity = format!("postgres:7401234567890123456/{database}/public");
            let schema = Schema::shared(&identity, Arc::clone(&store), options.clone());
            models.iter().for_each(|entry| schema.register_entry(entry));
            runtime.block_on(schema.ensure_entry(models[0])).unwrap();
            schemas.push(schema);
        }
    });
    let held: usize = schemas.iter().map(|schema| schema.metrics().cached_tables).sum();
    assert_eq!(held, TABLES);
    let held = u64::try_from(counted.bytes_current).unwrap();
    let bytes = (held - HITS_BYTES * databases as u64) / TABLES as u64;
    assert!(bytes <= BYTES_MAX, "{bytes} bytes for each table of {databases} databases");
    assert!(bytes >= 32, "something was counted");
}

/// One after the other, because a process numbers its models in the order of their first use.
#[test]
fn a_table_costs_little_in_one_database_and_in_a_thousand() {
    check(1_000, &entries("few", 10));
    check(1, &entries("many", TABLES));
}

#[test]
fn the_counter_notices_an_allocation() {
    let counted = allocation_counter::measure(|| drop(std::hint::black_box(vec![1_u8; 64])));
    assert_eq!(counted.count_total, 1);
}
