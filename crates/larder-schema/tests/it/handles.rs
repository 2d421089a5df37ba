//! Handles of one database share what they know.

use std::sync::Arc;

use futures_util::FutureExt as _;
use larder_schema::{Ensured, Policy, Schema, SchemaCache, SchemaError};

use crate::support::{Airline, FakeDatabase, FakeStore, Shape, block_on, options};

#[test]
fn two_ways_to_one_database_share_what_is_known() {
    block_on(async {
        let cache = SchemaCache::new(10);
        let database = Arc::<FakeDatabase>::default();
        let stores = [FakeStore::of(&database), FakeStore::of(&database), FakeStore::new()];
        let open = |at: usize| {
            let options = options().with_cache(Arc::clone(&cache));
            Schema::open(Arc::<FakeStore>::clone(&stores[at]), options)
        };
        let (one, alias) = (open(0).await.unwrap(), open(1).await.unwrap());
        let another = open(2).await.unwrap();
        assert_eq!(one.identity(), alias.identity());
        one.ensure::<Airline>().await.unwrap();
        assert_eq!(alias.ensure::<Airline>().await.unwrap(), Ensured::Known);
        assert!(!another.is_table_ensured::<Airline>());
        assert_eq!(cache.len(), 1, "it is one table");
        assert!(alias.clear_table("airline"));
        assert!(!one.is_table_ensured::<Airline>());
        assert_eq!(one.metrics(), alias.metrics());
    });
}

#[test]
fn what_is_known_ends_with_the_last_handle() {
    block_on(async {
        let store = FakeStore::new();
        let options = options();
        let open = || Schema::open(Arc::<FakeStore>::clone(&store), options.clone());
        let (one, other) = (open().await.unwrap(), open().await.unwrap());
        one.ensure::<Airline>().await.unwrap();
        drop(one);
        assert!(other.is_table_ensured::<Airline>());
        drop(other);
        assert!(!open().await.unwrap().is_table_ensured::<Airline>());
    });
}

#[test]
fn each_handle_keeps_its_own_policy() {
    block_on(async {
        let store = FakeStore::new();
        let options = options();
        let open = |policy| {
            let options = options.clone().with_policy(policy);
            Schema::shared("fake", Arc::<FakeStore>::clone(&store), options)
        };
        let (verifying, changing) = (open(Policy::Verify), open(Policy::Additive));
        store.hold();
        let mut first = Box::pin(verifying.ensure::<Airline>());
        assert!((&mut first).now_or_never().is_none());
        let mut second = Box::pin(changing.ensure::<Airline>());
        assert!((&mut second).now_or_never().is_none());
        store.let_through(2);
        assert!(matches!(first.await, Err(SchemaError::Refused { .. })));
        assert!(matches!(second.await, Ok(Ensured::Migrated { .. })), "it did not join");
        assert_eq!(verifying.ensure::<Airline>().await.unwrap(), Ensured::Known);
    });
}

#[test]
fn who_wants_nothing_remembered_shares_nothing() {
    block_on(async {
        let store = FakeStore::new();
        let options = options();
        let open = |options| Schema::open(Arc::<FakeStore>::clone(&store), options);
        let caching = open(options.clone()).await.unwrap();
        let checking = open(options.with_enabled(false)).await.unwrap();
        caching.ensure::<Airline>().await.unwrap();
        store.database.set("airline", Some(Shape::Wrong));
        assert!(checking.ensure::<Airline>().await.is_err());
        assert!(caching.is_table_ensured::<Airline>());
    });
}

#[test]
fn a_database_that_does_not_say_which_it_is_is_not_opened() {
    block_on(async {
        let store = FakeStore::new();
        store.fail(true);
        assert!(Schema::open(store, options()).await.is_err());
    });
}
