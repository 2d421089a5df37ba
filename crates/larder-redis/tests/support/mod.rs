//! What the live tests share: where the servers are, and namespaces of their own.

#![allow(dead_code, reason = "each test binary uses a part of it")]

pub(crate) mod wire;

use std::time::Duration;

use larder_redis::RedisConfig;

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

/// A namespace that nobody else uses.
pub(crate) fn namespace() -> String {
    format!("test-{:016x}", rand::random::<u64>())
}
