//! What a backend can do, said once and checked by the conformance suite.

use std::time::Duration;

/// What a backend can do beyond the protocol itself.
///
/// The verbs of the protocol (`read`, `generations`, `lease`, `renew`, `release`, `fill`,
/// `remove`, `bump`) are not listed: a backend without them is not one. The conformance suite
/// runs the groups that are claimed here, and fails if a claim and the behaviour differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capability {
    /// `add` stores only what is absent, atomically.
    pub add: bool,
    /// `read_many` and `remove_many` take one round trip per node.
    pub batch: bool,
    /// `clear` empties the namespace in constant time.
    pub clear: bool,
    /// Entries survive the process.
    pub persistent: bool,
    /// Other processes see the same entries.
    pub shared: bool,
    /// `touch` changes the time-to-live in place.
    pub touch: bool,
    /// `watch` delivers bumped tags.
    pub watch: bool,
    /// The largest value, in bytes; `None` if only memory limits it.
    pub value_bytes_max: Option<usize>,
    /// How coarse the expiry clock is; lifetimes are rounded up to it.
    pub ttl_resolution: Duration,
}

impl Capability {
    /// The protocol alone, in this process, with an expiry clock of one millisecond.
    #[must_use]
    pub const fn protocol_only() -> Self {
        Self {
            add: false,
            batch: false,
            clear: false,
            persistent: false,
            shared: false,
            touch: false,
            watch: false,
            value_bytes_max: None,
            ttl_resolution: Duration::from_millis(1),
        }
    }
}
