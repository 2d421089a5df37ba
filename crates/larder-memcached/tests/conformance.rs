//! The backend keeps the contract on every setup of servers, in both dialects.

use std::{sync::Arc, time::Duration};

use larder_core::{CacheBackend, Key, async_trait};
use larder_memcached::{MemcachedBackend, MemcachedConfig, ProtocolMode};
use larder_testkit::{Fixture, Time, conformance, state_machine};

/// A random namespace on the servers of one setup.
struct Namespace {
    config: MemcachedConfig,
    time: Time,
}

impl Namespace {
    fn on(setup: &str, protocol: ProtocolMode) -> Self {
        let time = Time::real();
        // One connection as by default, and several.
        let connections = if protocol == ProtocolMode::Classic { 3 } else { 1 };
        let config = common::config(setup)
            .with_connections_per_server(connections)
            .with_namespace(format!("t{:016x}", rand::random::<u64>()))
            .with_protocol(protocol)
            .with_clock(time.clock())
            // Whole suites share two processors.
            .with_time_limit(Duration::from_secs(10));
        Self { config, time }
    }

    async fn open(&self) -> Arc<dyn CacheBackend> {
        Arc::new(MemcachedBackend::connect(self.config.clone()).await.unwrap())
    }
}

macro_rules! suite {
    ($setup:ident, $mode:ident, $name:ident) => {
        mod $mode {
            use super::*;

            struct $name(Namespace);

            #[async_trait]
            impl Fixture for $name {
                async fn create() -> Self {
                    Self(Namespace::on(stringify!($setup), ProtocolMode::$name))
                }

                async fn open(&self) -> Arc<dyn CacheBackend> {
                    self.0.open().await
                }

                fn time(&self) -> Time {
                    self.0.time.clone()
                }

                fn may_evict(&self) -> bool {
                    true
                }

                async fn remaining(&self, key: &Key) -> Option<Duration> {
                    common::remaining(&self.0.config, key).await
                }
            }

            conformance!(
                #[ignore = "needs a live service"]
                $name,
                [core, ttl, batch, add, touch, clear, shared, persistent]
            );
            state_machine!(
                #[ignore = "needs a live service"]
                $name,
                64
            );
        }
    };
}

macro_rules! setup {
    ($setup:ident) => {
        mod $setup {
            use super::*;

            suite!($setup, auto, Auto);
            suite!($setup, classic, Classic);
        }
    };
}

mod common;

setup!(memcached);
setup!(memcached_auth);
setup!(memcached_fleet);
setup!(memcached_new);
setup!(memcached_tls);
setup!(memcached_unix);
