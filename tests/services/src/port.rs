//! Free ports on the loopback interface.
//!
//! Guards that a port is not given out twice by this process, and that it stays free while its
//! server restarts: all of them lie below the range from which the system takes the ports of
//! outgoing connections.

use std::{
    collections::BTreeSet,
    net::{Ipv4Addr, TcpListener},
    process,
    sync::Mutex,
};

/// The ports of servers that a process starts for itself.
const FIRST: u16 = 12_000;
const COUNT: u16 = 10_000;

/// A node of a Redis Cluster talks to the others on a port that is this much higher.
pub(crate) const CLUSTER_BUS: u16 = 10_000;

static TAKEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());

/// A port that nobody listens on. Its neighbour for the cluster's bus is free too.
pub(crate) fn free() -> Option<u16> {
    let mut taken = TAKEN.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    // Processes that start at the same time begin at different ports. What the remainder leaves
    // of the process id fits.
    let begin = u16::try_from(process::id().wrapping_mul(37) % u32::from(COUNT)).unwrap_or(0);
    let port = (0..COUNT)
        .map(|step| FIRST + (begin + step) % COUNT)
        .find(|port| !taken.contains(port) && is_free(*port) && is_free(*port + CLUSTER_BUS))?;
    taken.insert(port);
    Some(port)
}

/// The wanted port if nobody listens on it, otherwise a free one.
pub(crate) fn preferred(wanted: u16) -> Option<u16> {
    let mut taken = TAKEN.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    if !taken.contains(&wanted) && is_free(wanted) {
        taken.insert(wanted);
        return Some(wanted);
    }
    drop(taken);
    free()
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_port_is_given_out_twice() {
        let ports: BTreeSet<_> = (0..20).filter_map(|_| free()).collect();
        assert_eq!(ports.len(), 20);
        let highest = FIRST + COUNT + CLUSTER_BUS;
        assert!(ports.iter().all(|port| port + CLUSTER_BUS < highest));
        assert!(highest <= 32_768, "the ports of outgoing connections begin here");
    }

    #[test]
    fn a_port_in_use_is_replaced() {
        let used = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("some port is free");
        let used = used.local_addr().map(|address| (address.port(), used)).expect("it is bound");
        let port = preferred(used.0).expect("another one is free");
        assert_ne!(port, used.0);
    }
}
