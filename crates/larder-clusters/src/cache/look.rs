//! Looking at what is cached.
//!
//! Guards that nothing here writes, and that expiry is compared as a number.

use larder_sqlite_file::rusqlite::{
    self, Connection, OptionalExtension as _, named_params, params,
};

use super::{
    CachedCluster, ClusterCache, ClusterConfig, ClusterFilter,
    cluster::{columns, read},
    encoding,
    handle::KIND,
};
use crate::{Error, Event, Result, error::Fault, time_text::millis_sql};

/// What the Python tool wrote anew, or another cluster's row under the same id, is not what a
/// configuration was kept for: the number of the row tells.
macro_rules! select {
    ($rest:expr) => {
        concat!(
            "SELECT ",
            columns!(),
            " FROM clusters AS c LEFT JOIN larder_cluster AS k ",
            "ON k.cluster_id = c.cluster_id AND k.row_id = c.id ",
            $rest
        )
    };
}

impl ClusterCache {
    /// The cluster to use: the newest one that is active and has not expired.
    ///
    /// # Errors
    /// Those of the file.
    pub fn load_cluster_cache(&self) -> Result<Option<CachedCluster>> {
        let now_ms = self.store().now_ms();
        self.store().read(|connection| active(connection, now_ms))
    }

    /// A cluster by its id, expired or not.
    ///
    /// # Errors
    /// Those of the file.
    pub fn cluster(&self, cluster_id: &str) -> Result<Option<CachedCluster>> {
        self.store().read(|connection| one(connection, cluster_id))
    }

    /// The configuration that a cluster was cached with; `None` if there is no such cluster, or if
    /// the Python tool cached it, which keeps none.
    ///
    /// # Errors
    /// [`Error::ConfigDamaged`]; those of the file.
    pub fn config(&self, cluster_id: &str) -> Result<Option<ClusterConfig>> {
        let stored: Option<(Vec<u8>, String)> = self.store().read(|connection| {
            let mut select = connection.prepare_cached(
                "SELECT k.config, k.encoding FROM clusters AS c JOIN larder_cluster AS k \
                 ON k.cluster_id = c.cluster_id AND k.row_id = c.id WHERE c.cluster_id = ?1",
            )?;
            let found = select.query_row([cluster_id], |row| Ok((row.get(0)?, row.get(1)?)));
            Ok(found.optional()?)
        })?;
        let Some((bytes, encoding)) = stored else { return Ok(None) };
        let damaged = || Error::ConfigDamaged { cluster_id: cluster_id.to_owned() };
        encoding::decode(&bytes, &encoding).map(Some).ok_or_else(damaged)
    }

    /// The moment by which validity is judged, in milliseconds since 1970 UTC.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        self.store().now_ms()
    }

    /// Whether a cluster may still be used.
    #[must_use]
    pub fn is_cluster_cache_valid(&self, cluster: &CachedCluster) -> bool {
        cluster.is_valid_at(self.store().now_ms())
    }

    /// What became of a cluster, the newest first: `cached`, `imported`, `activated`, the words of
    /// the provider, `expired`, `removed`, `cleared`.
    ///
    /// # Errors
    /// Those of the file.
    pub fn history(&self, cluster_id: &str, events_max: u32) -> Result<Vec<Event>> {
        self.file().history(KIND, cluster_id, events_max)
    }

    /// All clusters, the newest first: the active one, those beside it, and those that have
    /// expired and were not cleaned up yet.
    ///
    /// # Errors
    /// Those of the file.
    pub fn all_clusters(&self) -> Result<Vec<CachedCluster>> {
        self.clusters(&ClusterFilter::new())
    }

    /// The clusters that a filter means, the newest first.
    ///
    /// # Errors
    /// Those of the file.
    pub fn clusters(&self, filter: &ClusterFilter) -> Result<Vec<CachedCluster>> {
        const SQL: &str = select!(concat!(
            "WHERE (:active IS NULL OR coalesce(c.is_active = 1, 0) = :active) \
             AND (:except IS NULL OR c.cluster_id <> :except) \
             AND (:hash IS NULL OR k.config_hash = :hash) \
             AND (:expired IS NULL OR coalesce(",
            millis_sql!("c.expiry_time"),
            " <= :now, 1) = :expired) \
             AND (:host IS NULL OR c.host = :host) \
             AND (:name IS NULL OR c.cluster_name = :name) \
             AND (:shared IS NULL OR coalesce(c.is_shared = 1, 0) = :shared) \
             AND (:status IS NULL OR upper(c.status) = :status) \
             AND (:workers IS NULL OR c.num_workers >= :workers) \
             ORDER BY created_ms DESC, c.id DESC"
        ));
        let now_ms = self.store().now_ms();
        self.store().read(|connection| {
            let mut select = connection.prepare_cached(SQL)?;
            let rows = select.query_map(
                named_params! {
                    ":active": filter.active,
                    ":except": filter.except,
                    ":hash": filter.config_hash,
                    ":expired": filter.expired,
                    ":host": filter.host,
                    ":name": filter.name,
                    ":shared": filter.shared,
                    ":status": filter.status.map(super::ClusterStatus::as_str),
                    ":workers": filter.workers_min,
                    ":now": now_ms,
                },
                read,
            )?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}

/// The newest row that is active and has not expired.
pub(super) fn active(connection: &Connection, now_ms: i64) -> Result<Option<CachedCluster>, Fault> {
    const SQL: &str = select!(concat!(
        "WHERE c.is_active = 1 AND ",
        millis_sql!("c.expiry_time"),
        " > ?1 ORDER BY created_ms DESC, c.id DESC LIMIT 1"
    ));
    Ok(connection.prepare_cached(SQL)?.query_row(params![now_ms], read).optional()?)
}

/// The row of one cluster.
pub(super) fn one(
    connection: &Connection,
    cluster_id: &str,
) -> Result<Option<CachedCluster>, Fault> {
    const SQL: &str = select!("WHERE c.cluster_id = ?1");
    Ok(connection.prepare_cached(SQL)?.query_row([cluster_id], read).optional()?)
}

/// The row that this transaction wrote.
pub(super) fn written(connection: &Connection, cluster_id: &str) -> Result<CachedCluster, Fault> {
    let row = one(connection, cluster_id)?;
    row.ok_or(Fault::Sqlite(rusqlite::Error::QueryReturnedNoRows))
}
