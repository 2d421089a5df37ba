//! What can be chosen.
//!
//! Guards that nothing destructive can be chosen: the policies end at adding.

use std::sync::Arc;

use larder_core::{Clock, SystemClock, Ttl};

/// What may be done to a table that is not as its model wants it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Policy {
    /// Tables are created and columns are added; everything else is refused. The default.
    #[default]
    Additive,
    /// Nothing: no statement that writes is run and no lock is taken, so that a role without the
    /// right to change the schema will do.
    Verify,
}

/// The options of a [`Schema`](crate::Schema).
#[derive(Clone, Debug)]
pub struct SchemaOptions {
    pub(crate) policy: Policy,
    pub(crate) time_to_live: Option<Ttl>,
    pub(crate) counts_hits: bool,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Default for SchemaOptions {
    fn default() -> Self {
        Self {
            policy: Policy::default(),
            time_to_live: None,
            counts_hits: false,
            clock: Arc::new(SystemClock::new()),
        }
    }
}

impl SchemaOptions {
    /// What may be done to a table. Default: [`Policy::Additive`].
    #[must_use]
    pub const fn with_policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// How long a table counts as ensured after it was last checked; use does not prolong it.
    /// Expiry is noticed within one tick of the coarse clock. Default: until it is cleared.
    ///
    /// With it, a hit also reads the coarse clock.
    #[must_use]
    pub const fn with_time_to_live(mut self, time_to_live: Ttl) -> Self {
        self.time_to_live = Some(time_to_live);
        self
    }

    /// Whether hits are counted. Default: no, because a hit otherwise only reads. The counter is
    /// striped, so that threads do not fight over it.
    #[must_use]
    pub const fn with_hit_count(mut self, counts_hits: bool) -> Self {
        self.counts_hits = counts_hits;
        self
    }

    /// Where the time comes from. Default: the operating system.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }
}
