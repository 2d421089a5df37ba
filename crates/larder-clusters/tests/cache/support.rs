//! A file in a directory of its own, with a clock that stands still.

use std::{path::PathBuf, sync::Arc, time::Duration};

use larder_clusters::{ClusterCache, ClusterConfig, ClusterFileOptions};
use larder_sqlite_file::rusqlite::Connection;
use larder_testkit::ManualClock;
use tempfile::TempDir;

/// The seconds of an hour, after which clusters expire unless told otherwise.
pub(crate) const HOUR: Duration = Duration::from_secs(3_600);

pub(crate) struct Place {
    pub(crate) clock: Arc<ManualClock>,
    directory: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { clock: ManualClock::new(), directory: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn options(&self) -> ClusterFileOptions {
        ClusterFileOptions::new(self.path("clusters.db"))
            .with_clock(Arc::<ManualClock>::clone(&self.clock))
    }

    pub(crate) fn cache(&self) -> ClusterCache {
        ClusterCache::open(self.options()).unwrap()
    }

    /// A connection as any other program would open it.
    pub(crate) fn raw(&self) -> Connection {
        Connection::open(self.path("clusters.db")).unwrap()
    }

    pub(crate) fn now_ms(&self) -> i64 {
        use larder_core::Clock as _;

        self.clock.unix_millis().try_into().unwrap()
    }

    /// The names of all files.
    pub(crate) fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.directory.path()).unwrap();
        let name = |path: PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
        let mut names: Vec<_> = entries.map(|entry| name(entry.unwrap().path())).collect();
        names.sort_unstable();
        names
    }
}

pub(crate) fn config(name: &str) -> ClusterConfig {
    ClusterConfig::new().with_cluster_name(name).with_host("https://h.example")
}

/// The ids of clusters, in their order.
pub(crate) fn ids(clusters: &[larder_clusters::CachedCluster]) -> Vec<&str> {
    clusters.iter().map(|cluster| &*cluster.cluster_id).collect()
}
