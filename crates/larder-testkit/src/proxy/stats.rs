//! What passed through a proxy.
//!
//! Invariant: a connection is counted as long as a client's socket is open here, whether or not the
//! server behind it was reached.

use std::sync::atomic::{AtomicU64, Ordering};

use super::Direction;

/// Counters of one proxy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProxyStats {
    /// Connections that are open now.
    pub connections: u64,
    /// The most connections that were open at once.
    pub connections_peak: u64,
    /// Connections that were accepted.
    pub connections_total: u64,
    /// Frames, and connections at the door, that met a fault.
    pub faults: u64,
    /// Bytes that the server's side sent to clients.
    pub reply_bytes: u64,
    /// Bytes that the clients' side sent to the server.
    pub request_bytes: u64,
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    connections: AtomicU64,
    peak: AtomicU64,
    total: AtomicU64,
    faults: AtomicU64,
    reply_bytes: AtomicU64,
    request_bytes: AtomicU64,
}

/// One open connection; it is counted until this is dropped.
#[derive(Debug)]
pub(super) struct Counted<'a>(&'a Counters);

impl Counters {
    pub(super) fn connected(&self) -> Counted<'_> {
        self.total.fetch_add(1, Ordering::SeqCst);
        let connections = self.connections.fetch_add(1, Ordering::SeqCst) + 1;
        self.peak.fetch_max(connections, Ordering::SeqCst);
        Counted(self)
    }

    pub(super) fn fault(&self) {
        self.faults.fetch_add(1, Ordering::SeqCst);
    }

    pub(super) fn passed(&self, direction: Direction, bytes: usize) {
        let counter = match direction {
            Direction::Replies => &self.reply_bytes,
            Direction::Requests => &self.request_bytes,
        };
        counter.fetch_add(bytes as u64, Ordering::SeqCst);
    }

    pub(super) fn snapshot(&self) -> ProxyStats {
        let get = |counter: &AtomicU64| counter.load(Ordering::SeqCst);
        ProxyStats {
            connections: get(&self.connections),
            connections_peak: get(&self.peak),
            connections_total: get(&self.total),
            faults: get(&self.faults),
            reply_bytes: get(&self.reply_bytes),
            request_bytes: get(&self.request_bytes),
        }
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::SeqCst);
    }
}
