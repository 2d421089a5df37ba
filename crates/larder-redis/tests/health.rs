//! What health says about each setup.

mod support;

use larder_core::{CacheBackend as _, Health};

use support::{config, connect};

async fn health(setup: &str) -> Health {
    connect(config(setup)).await.health().await.unwrap()
}

fn fact<'a>(health: &'a Health, name: &str) -> &'a str {
    let fact = health.facts.iter().find(|fact| fact.name == name);
    &fact.unwrap_or_else(|| panic!("{name} is not among {:?}", health.facts)).value
}

fn advises(health: &Health, word: &str) -> bool {
    health.advice.iter().any(|advice| advice.contains(word))
}

mod redis {
    use super::*;

    #[tokio::test]
    #[ignore = "needs a live service"]
    async fn health_says_what_was_found() {
        let health = health("REDIS").await;
        assert!(health.server.starts_with("Redis "), "{}", health.server);
        assert!(fact(&health, "deployment").starts_with("master with "));
        for name in ["persistence", "memory", "eviction policy", "clients", "clock"] {
            assert!(!fact(&health, name).is_empty(), "{name}");
        }
        assert_eq!(fact(&health, "encryption"), "none");
        assert!(advises(&health, "maxmemory"), "{:?}", health.advice);
    }
}

mod redis_replicated {
    use super::*;

    #[tokio::test]
    #[ignore = "needs a live service"]
    async fn health_counts_replicas_and_names_what_bounds_a_split() {
        let health = health("REDIS_REPLICATED").await;
        assert_eq!(fact(&health, "deployment"), "master with 1 replica");
        assert!(advises(&health, "min-replicas-to-write"), "{:?}", health.advice);
    }
}

mod redis_cluster {
    use super::*;

    #[tokio::test]
    #[ignore = "needs a live service"]
    async fn health_counts_masters_and_slots() {
        let health = health("REDIS_CLUSTER").await;
        let deployment = fact(&health, "deployment");
        assert!(deployment.starts_with("cluster of 3 masters with "), "{deployment}");
        assert!(deployment.ends_with("16384 of 16384 slots"), "{deployment}");
    }
}

mod redis_sentinel {
    use super::*;

    #[tokio::test]
    #[ignore = "needs a live service"]
    async fn health_counts_sentinels() {
        let health = health("REDIS_SENTINEL").await;
        let deployment = fact(&health, "deployment");
        assert!(deployment.ends_with("found by 3 Sentinels"), "{deployment}");
    }
}

mod redis_tls {
    use super::*;

    #[tokio::test]
    #[ignore = "needs a live service"]
    async fn health_says_that_the_certificate_was_verified() {
        assert_eq!(fact(&health("REDIS_TLS").await, "encryption"), "TLS, verified");
    }
}

mod valkey {
    use super::*;

    #[tokio::test]
    #[ignore = "needs a live service"]
    async fn health_names_the_product() {
        let server = health("VALKEY").await.server;
        assert!(server.starts_with("Valkey "), "{server}");
    }
}
