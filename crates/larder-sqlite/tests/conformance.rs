//! The SQLite backend keeps the contract, with reads on the spot and with reads elsewhere.

use std::sync::Arc;

use larder_core::{CacheBackend, async_trait};
use larder_sqlite::{ReadMode, SqliteBackend, SqliteConfig};
use larder_testkit::{Fixture, Time, conformance, state_machine};
use tempfile::TempDir;

struct File {
    directory: TempDir,
    time: Time,
    reads: ReadMode,
}

impl File {
    fn with_reads(reads: ReadMode) -> Self {
        Self { directory: tempfile::tempdir().unwrap(), time: Time::manual(), reads }
    }

    async fn open(&self) -> Arc<dyn CacheBackend> {
        let config = SqliteConfig::new(self.directory.path().join("cache.db"))
            .with_clock(self.time.clock())
            .with_reads(self.reads);
        Arc::new(SqliteBackend::open(config).await.unwrap())
    }
}

macro_rules! fixture {
    ($name:ident, $reads:expr) => {
        struct $name(File);

        #[async_trait]
        impl Fixture for $name {
            async fn create() -> Self {
                Self(File::with_reads($reads))
            }

            async fn open(&self) -> Arc<dyn CacheBackend> {
                self.0.open().await
            }

            fn time(&self) -> Time {
                self.0.time.clone()
            }
        }
    };
}

mod inline {
    use super::*;

    fixture!(Inline, ReadMode::Inline);
    conformance!(Inline, [core, ttl, batch, add, touch, clear, watch, shared, persistent]);
    state_machine!(Inline, 64);
}

mod offload {
    use super::*;

    fixture!(Offload, ReadMode::Offload);
    conformance!(Offload, [core, ttl, batch, add, touch, clear, watch, shared, persistent]);
}
