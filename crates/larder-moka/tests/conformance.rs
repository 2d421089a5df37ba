//! The backend keeps the contract.

use std::sync::Arc;

use larder_core::{CacheBackend, async_trait};
use larder_moka::{MokaBackend, MokaConfig};
use larder_testkit::{Fixture, Time, conformance, state_machine};

struct Moka {
    time: Time,
}

#[async_trait]
impl Fixture for Moka {
    async fn create() -> Self {
        Self { time: Time::manual() }
    }

    async fn open(&self) -> Arc<dyn CacheBackend> {
        let config = MokaConfig::default().with_clock(self.time.clock());
        Arc::new(MokaBackend::new(config))
    }

    fn time(&self) -> Time {
        self.time.clone()
    }
}

conformance!(Moka, [core, ttl, batch, add, touch, clear, watch]);
state_machine!(Moka, 256);
