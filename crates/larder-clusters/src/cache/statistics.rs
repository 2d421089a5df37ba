//! How much is cached, and how much it is used.
//!
//! Guards that all figures are of one moment: one statement counts them all.

use larder_sqlite_file::rusqlite::params;

use super::ClusterCache;
use crate::{Result, time_text::millis_sql};

/// How much is cached, and how much it is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statistics {
    /// All clusters.
    pub total_clusters: u64,
    /// Those that are active and have not expired.
    pub active_clusters: u64,
    /// Those that have expired.
    pub expired_clusters: u64,
    /// The uses of all of them.
    pub total_accesses: u64,
    /// Those that several processes use.
    pub shared_clusters: u64,
    /// The size of the database, in bytes, without its write-ahead log.
    pub cache_file_bytes: u64,
}

impl ClusterCache {
    /// Counts clusters and their uses.
    ///
    /// # Errors
    /// Those of the file.
    pub fn statistics(&self) -> Result<Statistics> {
        // A row without a valid expiry has expired. Without its limit, which limits nothing, the
        // inner statement would become part of the outer one, and each text would be turned into
        // a number as often as the figures mention it.
        const SQL: &str = concat!(
            "SELECT count(*), count(*) FILTER (WHERE live AND active), \
             count(*) FILTER (WHERE live IS NOT TRUE), total(accesses), \
             count(*) FILTER (WHERE shared) FROM (SELECT ",
            millis_sql!("expiry_time"),
            " > ?1 AS live, is_active = 1 AS active, is_shared = 1 AS shared, \
             access_count AS accesses FROM clusters LIMIT -1)"
        );
        let now_ms = self.store().now_ms();
        let mut statistics = self.store().read(|connection| {
            let mut select = connection.prepare_cached(SQL)?;
            Ok(select.query_row(params![now_ms], |row| {
                let count = |index| row.get::<_, i64>(index).map(i64::unsigned_abs);
                // A sum of counts that somebody else wrote may be anything; a float never fails.
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "saturates, and no program counted that far"
                )]
                let total_accesses = row.get::<_, f64>(3)? as u64;
                Ok(Statistics {
                    total_clusters: count(0)?,
                    active_clusters: count(1)?,
                    expired_clusters: count(2)?,
                    total_accesses,
                    shared_clusters: count(4)?,
                    cache_file_bytes: 0,
                })
            })?)
        })?;
        statistics.cache_file_bytes = self.file_info()?.database_bytes.unwrap_or_default();
        Ok(statistics)
    }
}
