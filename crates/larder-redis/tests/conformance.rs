//! The Redis backend keeps the contract, on every setup.

mod support;

use std::{sync::Arc, time::Duration};

use larder_core::{CacheBackend, Key, async_trait};
use larder_redis::{RedisBackend, RedisConfig};
use larder_testkit::{Fixture, Time, conformance, state_machine};

/// One namespace on a live server.
struct Live {
    setup: &'static str,
    config: RedisConfig,
    time: Time,
}

impl Live {
    fn new(setup: &'static str) -> Self {
        Self { setup, config: support::config(setup), time: Time::real() }
    }

    async fn open(&self) -> Arc<dyn CacheBackend> {
        let config = self.config.clone().with_clock(self.time.clock());
        Arc::new(RedisBackend::connect(config).await.unwrap())
    }

    /// Asks the server itself, where that takes no more than a plain connection.
    async fn remaining(&self, key: &Key) -> Option<Duration> {
        if self.config.tls {
            return None;
        }
        let name = support::wire::entry(&self.config.namespace, key);
        let millis = support::wire::time_left(&support::url(self.setup), &name).await?;
        Some(match millis {
            -2 => Duration::ZERO,
            -1 => Duration::MAX,
            millis => Duration::from_millis(millis.try_into().unwrap()),
        })
    }
}

macro_rules! setup {
    ($module:ident, $name:literal $(, $state_machine:ident)?) => {
        mod $module {
            use super::*;

            struct Store(Live);

            #[async_trait]
            impl Fixture for Store {
                async fn create() -> Self {
                    Self(Live::new($name))
                }

                async fn open(&self) -> Arc<dyn CacheBackend> {
                    self.0.open().await
                }

                fn time(&self) -> Time {
                    self.0.time.clone()
                }

                async fn remaining(&self, key: &Key) -> Option<Duration> {
                    self.0.remaining(key).await
                }
            }

            conformance!(
                #[ignore = "needs a live service"]
                Store,
                [core, ttl, batch, add, touch, clear, watch, shared, persistent]
            );
            $($state_machine!(
                #[ignore = "needs a live service"]
                Store,
                64
            );)?
        }
    };
}

setup!(redis, "REDIS", state_machine);
setup!(redis_acl, "REDIS_ACL");
setup!(redis_cluster, "REDIS_CLUSTER", state_machine);
setup!(redis_new, "REDIS_NEW");
setup!(redis_replicated, "REDIS_REPLICATED");
setup!(redis_sentinel, "REDIS_SENTINEL");
setup!(redis_tls, "REDIS_TLS");
setup!(redis_unix, "REDIS_UNIX");
setup!(valkey, "VALKEY", state_machine);
setup!(valkey_new, "VALKEY_NEW");
