//! The cache's own statistics, as plain data.

use std::time::Duration;

use larder::{KeyspaceStats, Larder};
use serde::Serialize;

use super::figures::nanos_if_any;

/// What one larder counted.
#[derive(Debug, Serialize)]
pub(crate) struct Statistics {
    pub(crate) keyspaces: Vec<Keyspace>,
    pub(crate) near: Option<Near>,
    pub(crate) far: Option<Far>,
}

/// One keyspace: the queries on one set of tables.
#[derive(Debug, Serialize)]
pub(crate) struct Keyspace {
    pub(crate) name: String,
    pub(crate) near_hits: u64,
    pub(crate) far_hits: u64,
    pub(crate) misses: u64,
    pub(crate) refreshes: u64,
    pub(crate) bypasses: u64,
    pub(crate) loads: u64,
    pub(crate) load_errors: u64,
    pub(crate) invalidations: u64,
    pub(crate) hit_rate: Option<f64>,
    pub(crate) bytes_filled: u64,
    /// Upper bounds: powers of two. Near hits count by samples.
    #[serde(rename = "p50_ns_max", serialize_with = "nanos_if_any")]
    pub(crate) p50: Option<Duration>,
    #[serde(rename = "p99_ns_max", serialize_with = "nanos_if_any")]
    pub(crate) p99: Option<Duration>,
}

/// The near tier.
#[derive(Debug, Serialize)]
pub(crate) struct Near {
    pub(crate) entries: u64,
    pub(crate) weight_bytes: u64,
    pub(crate) weight_bytes_max: u64,
    pub(crate) evicted: u64,
}

/// The far tier.
#[derive(Debug, Serialize)]
pub(crate) struct Far {
    pub(crate) backend: String,
    pub(crate) errors: u64,
    pub(crate) skipped: u64,
    pub(crate) pending_invalidations: u64,
}

impl Statistics {
    pub(crate) fn of(larder: &Larder) -> Self {
        let stats = larder.stats();
        Self {
            keyspaces: stats.keyspaces.iter().map(|(name, one)| Keyspace::of(name, one)).collect(),
            near: stats.near.map(|near| Near {
                entries: near.entries,
                weight_bytes: near.weight_bytes,
                weight_bytes_max: near.weight_bytes_max,
                evicted: near.evicted,
            }),
            far: stats.far.map(|far| Far {
                backend: far.backend,
                errors: far.errors,
                skipped: far.skipped,
                pending_invalidations: far.pending_invalidations,
            }),
        }
    }
}

impl Keyspace {
    fn of(name: &str, stats: &KeyspaceStats) -> Self {
        Self {
            name: name.to_owned(),
            near_hits: stats.near_hits,
            far_hits: stats.far_hits,
            misses: stats.misses,
            refreshes: stats.refreshes,
            bypasses: stats.bypasses,
            loads: stats.loads,
            load_errors: stats.load_errors,
            invalidations: stats.invalidations,
            hit_rate: stats.hit_rate(),
            bytes_filled: stats.bytes_filled,
            p50: stats.latency.quantile(0.5),
            p99: stats.latency.quantile(0.99),
        }
    }
}
