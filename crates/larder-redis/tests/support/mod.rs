//! What the live tests share: where the servers are, and namespaces of their own.

#![allow(dead_code, reason = "each test binary uses a part of it")]

pub(crate) mod fake;
pub(crate) mod own;
pub(crate) mod verbs;
pub(crate) mod wire;

use std::time::Duration;

use larder_core::{Error, ErrorKind, Ttl};
use larder_redis::{RedisBackend, RedisConfig};

/// How long a call may take on a machine that is busy with other tests.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// The value of a variable that the test runner sets.
pub(crate) fn variable(name: &str) -> String {
    std::env::var(name)
        .unwrap_or_else(|_| panic!("{name} is not set; `cargo xtask test` starts the servers"))
}

/// The URL of a setup.
pub(crate) fn url(setup: &str) -> String {
    variable(&format!("LARDER_{setup}_URL"))
}

/// The configuration of a setup, with a namespace that nobody else uses.
pub(crate) fn config(setup: &str) -> RedisConfig {
    let mut config = from_url(&url(setup));
    if config.tls && config.ca_files.is_empty() {
        config = config.with_ca_file(variable("LARDER_TLS_CA"));
    }
    config
}

/// A configuration with a namespace that nobody else uses.
pub(crate) fn from_url(url: &str) -> RedisConfig {
    let config: RedisConfig = url.parse().unwrap();
    config.with_namespace(namespace()).with_time_limit(PATIENCE)
}

/// Connects, or fails the test.
pub(crate) async fn connect(config: RedisConfig) -> RedisBackend {
    RedisBackend::connect(config).await.unwrap_or_else(|error| panic!("{error} ({error:?})"))
}

/// Connects with a time limit that a busy machine may exceed.
pub(crate) async fn connect_hastily(config: RedisConfig) -> RedisBackend {
    let attempt = async || match RedisBackend::connect(config.clone()).await {
        Ok(cache) => Some(cache),
        Err(error) if error.kind() == ErrorKind::Timeout => None,
        Err(error) => panic!("{error} ({error:?})"),
    };
    eventually("it connects", attempt).await
}

/// The error with which connecting fails. It names no secret, and it comes.
pub(crate) async fn refusal(config: RedisConfig) -> Error {
    let outcome = tokio::time::timeout(PATIENCE * 2, RedisBackend::connect(config)).await;
    let error = outcome.expect("connecting ends").expect_err("connecting fails");
    let printed = format!("{error} {error:?}");
    assert!(!printed.contains("canary"), "{printed}");
    error
}

/// Asks again and again until it is so.
pub(crate) async fn eventually<T>(what: &str, mut attempt: impl AsyncFnMut() -> Option<T>) -> T {
    let polled = async {
        loop {
            if let Some(found) = attempt().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let found = tokio::time::timeout(2 * PATIENCE, polled).await;
    found.unwrap_or_else(|_| panic!("{what}: it never happened"))
}

/// A lifetime that no test outlives by accident.
pub(crate) fn hour() -> Ttl {
    Ttl::try_from_secs(3_600).unwrap()
}

/// A namespace that nobody else uses.
pub(crate) fn namespace() -> String {
    format!("test-{:016x}", rand::random::<u64>())
}
