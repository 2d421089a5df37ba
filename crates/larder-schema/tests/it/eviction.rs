//! There are never too many tables.

use std::sync::Arc;

use larder_model::ModelEntry;
use larder_schema::{Ensured, Schema, SchemaCache};

use crate::support::{Airline, FakeStore, block_on, entries, options};

async fn ensure(schema: &Schema, entries: &[&'static ModelEntry]) {
    for entry in entries {
        schema.ensure_entry(entry).await.unwrap();
    }
}

fn ensured(schema: &Schema, entries: &[&'static ModelEntry]) -> Vec<usize> {
    let is_ensured = |at: &usize| schema.is_entry_ensured(entries[*at]);
    (0..entries.len()).filter(is_ensured).collect()
}

#[test]
fn the_limit_holds_however_small_it_is() {
    block_on(async {
        let models = entries("small", 50);
        for limit in [0, 1, 5, 9, 10, 11, 49, 50, 51] {
            let schema = FakeStore::new().schema_with(options().with_max_size(limit));
            for entry in &models {
                schema.ensure_entry(entry).await.unwrap();
                assert!(schema.metrics().cached_tables <= limit, "{limit}");
            }
            let metrics = schema.metrics();
            assert_eq!(metrics.max_size, limit);
            let evictions = usize::try_from(metrics.evictions).unwrap();
            assert_eq!(evictions + metrics.cached_tables, models.len());
            if limit < 16 {
                assert_eq!(metrics.cached_tables, limit, "and no more than needed goes");
            }
        }
    });
}

#[test]
fn a_pass_over_more_than_the_limit_keeps_to_it_too() {
    block_on(async {
        let models = entries("pass", 40);
        let options = options().with_max_size(7).with_models(models.iter().copied());
        let schema = FakeStore::new().schema_with(options);
        schema.ensure_entry(models[3]).await.unwrap();
        assert_eq!(schema.metrics().cached_tables, 7);
        assert_eq!(schema.metrics().evictions, 33);
    });
}

#[test]
fn what_was_verified_longest_ago_goes_first() {
    block_on(async {
        let models = entries("order", 6);
        let schema = FakeStore::new().schema_with(options().with_max_size(5));
        ensure(&schema, &models[..5]).await;
        schema.clear_table("order0");
        ensure(&schema, &models[..1]).await;
        ensure(&schema, &models[5..]).await;
        assert_eq!(ensured(&schema, &models), [0, 2, 3, 4, 5], "0 was verified again");
    });
}

#[test]
fn what_is_in_use_stays() {
    block_on(async {
        let models = entries("used", 8);
        let schema = FakeStore::new().schema_with(options().with_max_size(5));
        ensure(&schema, &models[..6]).await;
        // From here on it is known who is used: the first one that is left, again and again.
        for entry in &models[6..] {
            let hit = schema.ensure_entry(models[1]).await;
            assert_eq!(hit.unwrap(), Ensured::Known);
            schema.ensure_entry(entry).await.unwrap();
        }
        assert_eq!(ensured(&schema, &models), [1, 4, 5, 6, 7]);
    });
}

#[test]
fn a_use_of_an_idle_table_is_a_hit() {
    block_on(async {
        let models = entries("idle", 6);
        let store = FakeStore::new();
        let schema = store.schema_with(options().with_max_size(5));
        ensure(&schema, &models).await;
        let passes = store.passes();
        assert_eq!(schema.ensure_entry(models[5]).await.unwrap(), Ensured::Known);
        assert_eq!((store.passes(), schema.metrics().hits), (passes, 1));
        assert_eq!(schema.metrics().misses, 6);
    });
}

#[test]
fn databases_share_a_limit_and_give_their_places_back() {
    block_on(async {
        let cache = SchemaCache::new(3);
        let schema = || FakeStore::new().schema_with(options().with_cache(Arc::clone(&cache)));
        let models = entries("shared", 2);
        let schemas = [schema(), schema(), schema()];
        for schema in &schemas {
            ensure(schema, &models).await;
        }
        assert_eq!(cache.len(), 3);
        let held = schemas.each_ref().map(|schema| schema.metrics().cached_tables);
        assert_eq!(held, [0, 1, 2]);
        drop(schemas);
        assert!(cache.is_empty());
        assert_eq!(cache.max_size(), 3);
    });
}

#[test]
fn places_are_given_back_by_whatever_forgets() {
    block_on(async {
        let cache = SchemaCache::new(100);
        let store = FakeStore::new();
        let schema = store.schema_with(options().with_cache(Arc::clone(&cache)));
        for round in 0..3 {
            schema.ensure::<Airline>().await.unwrap();
            schema.mark_table_ensured::<Airline>();
            assert_eq!(cache.len(), 1, "{round}");
            match round {
                0 => schema.clear(),
                1 => drop(schema.clear_table("airline")),
                _ => drop(
                    schema.statement_failed(larder_schema::StatementFailure::ChangedSchema, None),
                ),
            }
            assert_eq!(cache.len(), 0, "{round}");
        }
    });
}
