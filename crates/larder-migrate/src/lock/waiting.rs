//! Waiting for a turn, with a deadline.

use std::{sync::Arc, time::Duration};

use larder_core::{Clock, Tick};
use rand::RngExt as _;

use crate::MigrateOptions;

const PAUSE_MIN: Duration = Duration::from_millis(20);
const PAUSE_MAX: Duration = Duration::from_millis(250);

/// Pauses that grow and differ from process to process, until a deadline.
#[derive(Debug)]
pub(crate) struct Waiting {
    clock: Arc<dyn Clock>,
    begun: Tick,
    deadline: Tick,
    pause: Duration,
}

impl Waiting {
    pub(crate) fn new(options: &MigrateOptions) -> Self {
        let begun = options.clock.now();
        Self {
            clock: Arc::clone(&options.clock),
            begun,
            deadline: begun.after(options.lock_timeout),
            pause: PAUSE_MIN,
        }
    }

    pub(crate) fn waited(&self) -> Duration {
        self.clock.now().since(self.begun)
    }

    pub(crate) fn is_over(&self) -> bool {
        self.clock.now() >= self.deadline
    }

    pub(crate) async fn pause(&mut self) {
        let longest = self.pause.as_secs_f64();
        let pause = rand::rng().random_range(longest / 2.0..=longest);
        let left = self.deadline.since(self.clock.now());
        // Behind the deadline somebody may still try again, and not at full speed.
        tokio::time::sleep(Duration::from_secs_f64(pause).min(left.max(PAUSE_MIN))).await;
        self.pause = (self.pause * 2).min(PAUSE_MAX);
    }
}
