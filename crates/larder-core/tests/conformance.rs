//! The reference backend keeps the contract that it is the reference for.

use std::sync::Arc;

use larder_core::{CacheBackend, MemoryBackend, MemoryConfig, async_trait};
use larder_testkit::{Fixture, Time, conformance, state_machine};

struct Memory {
    time: Time,
}

#[async_trait]
impl Fixture for Memory {
    async fn create() -> Self {
        Self { time: Time::manual() }
    }

    async fn open(&self) -> Arc<dyn CacheBackend> {
        let config = MemoryConfig::default().with_clock(self.time.clock());
        Arc::new(MemoryBackend::new(config))
    }

    fn time(&self) -> Time {
        self.time.clone()
    }
}

conformance!(Memory, [core, ttl, batch, add, touch, clear, watch]);
state_machine!(Memory, 256);
