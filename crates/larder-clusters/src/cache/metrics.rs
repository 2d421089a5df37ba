//! The figures as monitoring systems read them.
//!
//! Guards that no text from the file gets into a label: their number is fixed, and nothing that a
//! cluster is called by becomes a time series.

use std::fmt::Write as _;

use super::ClusterCache;
use crate::{Result, State, shared::census};

impl ClusterCache {
    /// The figures of the file in Prometheus' text format.
    ///
    /// # Errors
    /// Those of the file.
    ///
    /// # Source
    /// Prometheus exposition format 0.0.4.
    pub fn prometheus(&self) -> Result<String> {
        let statistics = self.statistics()?;
        let file = self.file_info()?;
        let store = self.store();
        let shared = store.snapshot(|connection| census::count(store, connection))?;
        let things = State::ALL.map(State::as_str).into_iter().zip(shared.states);
        let things: Vec<_> = things.collect();
        let valid = statistics.total_clusters - statistics.expired_clusters;
        let mut text = Exposition::default();
        text.gauge(
            "larder_clusters",
            "Cached clusters.",
            "state",
            &[
                ("active", statistics.active_clusters),
                ("expired", statistics.expired_clusters),
                ("idle", valid - statistics.active_clusters),
            ],
        );
        text.gauge(
            "larder_clusters_accesses",
            "Uses of the cached clusters.",
            "",
            &[("", statistics.total_accesses)],
        );
        text.gauge(
            "larder_clusters_marked_shared",
            "Cached clusters that are shared.",
            "",
            &[("", statistics.shared_clusters)],
        );
        text.gauge("larder_shared_things", "Shared things.", "state", &things);
        text.gauge("larder_shared_users", "Users of shared things.", "", &[("", shared.users)]);
        text.gauge(
            "larder_clusters_file_bytes",
            "Sizes on the disk.",
            "file",
            &[
                ("database", file.database_bytes.unwrap_or_default()),
                ("shm", file.shm_bytes.unwrap_or_default()),
                ("wal", file.wal_bytes.unwrap_or_default()),
            ],
        );
        Ok(text.0)
    }
}

/// A text of the format, under construction.
#[derive(Debug, Default)]
struct Exposition(String);

impl Exposition {
    /// One metric: its values, each with the value of the label, or one value without a label.
    fn gauge(&mut self, name: &str, help: &str, label: &str, values: &[(&str, u64)]) {
        // Writing to a string does not fail.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} gauge");
        for (value, number) in values {
            let _ = if label.is_empty() {
                writeln!(self.0, "{name} {number}")
            } else {
                writeln!(self.0, "{name}{{{label}=\"{value}\"}} {number}")
            };
        }
    }
}
