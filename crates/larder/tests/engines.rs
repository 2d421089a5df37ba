//! Which engines a larder opens, and what it says of those that it does not.

use std::error::Error as _;

use larder::{FarUrl, FarUrlError, Larder, NoPlainStore, OpenError, Settings};

async fn refused(database: &str, cache: &str) -> OpenError {
    Larder::builder().database(database).far(cache).build().await.unwrap_err()
}

#[tokio::test]
async fn plain_mode_needs_a_store_of_plain_entries() {
    for cache in ["memory:", "none"] {
        let larder = Larder::builder().database("sqlite::memory:").far(cache).build().await;
        assert_eq!(larder.unwrap().plain().unwrap_err(), NoPlainStore);
    }
}

#[tokio::test]
async fn a_database_that_is_not_compiled_in_is_named_with_its_feature() {
    for (url, is_compiled, feature) in [
        ("postgres://u:hunter2@127.0.0.1:1/d", cfg!(feature = "postgres"), "\"postgres\""),
        ("mysql://u:hunter2@127.0.0.1:1/d", cfg!(feature = "mysql"), "\"mysql\""),
        ("mariadb://u:hunter2@127.0.0.1:1/d", cfg!(feature = "mysql"), "\"mysql\""),
    ] {
        if is_compiled {
            continue;
        }
        let error = refused(url, "none").await;
        let source = error.source().unwrap().to_string();
        assert!(source.contains(feature), "{source}");
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    }
}

#[tokio::test]
async fn a_cache_that_is_not_compiled_in_is_named_with_its_feature() {
    for (engine, is_compiled) in [
        ("redis", cfg!(feature = "redis")),
        ("valkey", cfg!(feature = "redis")),
        ("memcached", cfg!(feature = "memcached")),
        ("moka", cfg!(feature = "moka")),
    ] {
        if is_compiled {
            continue;
        }
        let value = |name| (name == "CACHE_ENGINE").then(|| engine.to_owned());
        let settings = Settings::from_lookup(value).unwrap();
        let builder = Larder::builder().database("sqlite::memory:").settings(&settings);
        let error = builder.build().await.unwrap_err();
        let is_named = matches!(&error, OpenError::FarUrl(FarUrlError::NotCompiled { .. }));
        assert!(is_named, "{engine}: {error:?}");
    }
}

#[tokio::test]
async fn a_cache_opens_without_a_larder() {
    let backend = "memory:".parse::<FarUrl>().unwrap().open().await.unwrap();
    assert!(backend.unwrap().health().await.unwrap().server.contains("memory"));
    let none: FarUrl = "none".parse().unwrap();
    assert!(none.is_none() && none.open().await.unwrap().is_none());
}
