//! What a proxy is to do now; every connection listens to its changes.

use super::{Accept, Direction, WireFault};

/// The whole state that a test can switch.
#[derive(Clone, Debug)]
pub(super) struct Script {
    pub(super) accept: Accept,
    pub(super) requests: Planned,
    pub(super) replies: Planned,
    /// Counts [`FaultProxy::cut`](super::FaultProxy::cut): a connection that began under another
    /// number is over.
    pub(super) cuts: u64,
    pub(super) upstream: String,
}

/// A fault and how often it was set, so that setting the same one again starts it anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Planned {
    pub(super) fault: Option<WireFault>,
    pub(super) times_set: u64,
}

impl Script {
    pub(super) fn new(upstream: &str) -> Self {
        Self {
            accept: Accept::Forward,
            requests: Planned::default(),
            replies: Planned::default(),
            cuts: 0,
            upstream: upstream.to_owned(),
        }
    }

    pub(super) const fn planned(&self, direction: Direction) -> Planned {
        match direction {
            Direction::Replies => self.replies,
            Direction::Requests => self.requests,
        }
    }

    pub(super) const fn plan(&mut self, direction: Direction, fault: Option<WireFault>) {
        let planned = match direction {
            Direction::Replies => &mut self.replies,
            Direction::Requests => &mut self.requests,
        };
        planned.fault = fault;
        planned.times_set += 1;
    }
}
