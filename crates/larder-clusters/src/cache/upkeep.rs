//! What keeps the file small: expired clusters go, room is given back.
//!
//! Guards that what is deleted and what the history says of it are of one transaction.

use larder_sqlite_file::rusqlite::{Transaction, params};

use super::{ClusterCache, FileInfo, handle::KIND};
use crate::{Result, error::Fault, time_text::millis_sql};

/// What optimising has done.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Optimized {
    /// The sizes before.
    pub before: FileInfo,
    /// The sizes afterwards.
    pub after: FileInfo,
    /// Whether the write-ahead log could be folded in whole. If not, somebody is reading, and the
    /// next writer does it.
    pub log_is_empty: bool,
}

impl ClusterCache {
    /// Removes the clusters that have expired; how many there were.
    ///
    /// # Errors
    /// Those of the file.
    pub fn cleanup_expired(&self) -> Result<u64> {
        let now_ms = self.store().now_ms();
        self.remove_until(now_ms, "expired")
    }

    /// Removes all clusters; how many there were. Shared things are no part of the cache and stay.
    ///
    /// # Errors
    /// Those of the file.
    pub fn clear(&self) -> Result<u64> {
        self.remove_until(i64::MAX, "cleared")
    }

    fn remove_until(&self, until_ms: i64, event: &str) -> Result<u64> {
        let (now_ms, history_max) =
            (self.store().now_ms(), i64::from(self.store().options().history_max));
        self.store().write(|transaction| {
            let mut remember = transaction.prepare_cached(concat!(
                "INSERT INTO larder_event (at, kind, key, event, pid) \
                 SELECT ?2, ?3, cluster_id, ?4, ?5 FROM clusters WHERE coalesce(",
                millis_sql!("expiry_time"),
                " <= ?1, 1) ORDER BY id DESC LIMIT ?6"
            ))?;
            let pid = std::process::id();
            remember.execute(params![until_ms, now_ms, KIND, event, pid, history_max])?;
            let mut delete = transaction.prepare_cached(concat!(
                "DELETE FROM clusters WHERE coalesce(",
                millis_sql!("expiry_time"),
                " <= ?1, 1)"
            ))?;
            let removed = delete.execute([until_ms])?;
            forget(transaction, history_max)?;
            Ok(removed as u64)
        })
    }

    /// Gives room back and renews what the query planner knows: `VACUUM`, `ANALYZE`, and a
    /// checkpoint that empties the write-ahead log.
    ///
    /// Others wait as long as it writes the file anew.
    ///
    /// # Errors
    /// Those of the file; also if others write for longer than the time limit.
    pub fn optimize(&self) -> Result<Optimized> {
        let before = self.file_info()?;
        let connection = self.store().connection()?;
        let work = || -> Result<i64, Fault> {
            connection.execute_batch("VACUUM; ANALYZE")?;
            let checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)";
            Ok(connection.query_row(checkpoint, [], |row| row.get(0))?)
        };
        let busy = work().map_err(|fault| fault.at(self.file().path()))?;
        Ok(Optimized { before, after: self.file_info()?, log_is_empty: busy == 0 })
    }
}

/// Removes configurations without a cluster, which the Python tool leaves behind, and the events
/// for which there is no room.
fn forget(transaction: &Transaction<'_>, history_max: i64) -> Result<(), Fault> {
    transaction
        .execute("DELETE FROM larder_cluster WHERE row_id NOT IN (SELECT id FROM clusters)", [])?;
    transaction.execute(
        "DELETE FROM larder_event WHERE id <= (SELECT max(id) FROM larder_event) - ?1",
        [history_max],
    )?;
    Ok(())
}
