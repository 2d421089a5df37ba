//! Clusters that come, are used, change and go.
//!
//! Guards that a row of the former table and what is kept beside it change in one transaction, so
//! that nobody sees the one without the other.

use std::time::Duration;

use larder_sqlite_file::rusqlite::{OptionalExtension as _, Transaction, named_params, params};
use serde_json::Value;

use super::{
    CachedCluster, ClusterCache, ClusterConfig, ClusterStatus, ImportError, Imported,
    encoding::{self, CONFIG_BYTES_MAX, Encoded},
    import::{self, Entry},
    look,
};
use crate::{
    Error, Result,
    error::Fault,
    time_text::{format_ms, parse_ms},
};

/// A row that is to be.
struct Draft<'a> {
    cluster_id: &'a str,
    config: &'a ClusterConfig,
    encoded: Encoded,
    status: ClusterStatus,
    created_at_ms: i64,
    expires_at_ms: i64,
    last_accessed_ms: i64,
    access_count: u32,
}

impl ClusterCache {
    /// Caches a cluster, and makes it the one to use. It expires after the default time.
    ///
    /// The clusters that were there stay, and are found by their id or by a filter. One with the
    /// same id is replaced, and its accesses are counted anew.
    ///
    /// # Errors
    /// [`Error::ConfigTooLarge`]; those of the file.
    pub fn cache_new_cluster(
        &self,
        cluster_id: &str,
        config: &ClusterConfig,
    ) -> Result<CachedCluster> {
        let expires_in = self.store().options().default_expiry;
        self.cache_new_cluster_for(cluster_id, config, expires_in)
    }

    /// Caches a cluster as [`ClusterCache::cache_new_cluster`] does, with an expiry of its own, in
    /// whole milliseconds. No cluster is valid beyond the year 9999.
    ///
    /// # Errors
    /// [`Error::ConfigTooLarge`]; those of the file.
    pub fn cache_new_cluster_for(
        &self,
        cluster_id: &str,
        config: &ClusterConfig,
        expires_in: Duration,
    ) -> Result<CachedCluster> {
        let encoded = self.encode(config)?;
        let now_ms = self.store().now_ms();
        let draft = Draft {
            cluster_id,
            config,
            encoded,
            status: ClusterStatus::Running,
            created_at_ms: now_ms,
            expires_at_ms: later(now_ms, expires_in),
            last_accessed_ms: now_ms,
            access_count: 1,
        };
        self.store().write(|transaction| {
            insert(transaction, &draft)?;
            activate(transaction, cluster_id)?;
            self.record(transaction, cluster_id, "cached")?;
            look::written(transaction, cluster_id)
        })
    }

    /// Counts one more use of a cluster, whether it is the active one or not; the new count, or
    /// `None` if there is no such cluster.
    ///
    /// # Errors
    /// Those of the file.
    pub fn update_cluster_access(&self, cluster_id: &str) -> Result<Option<u64>> {
        let now = format_ms(self.store().now_ms());
        self.store().write(|transaction| {
            let mut update = transaction.prepare_cached(
                "UPDATE clusters SET last_accessed = ?2, \
                 access_count = coalesce(access_count, 0) + 1 \
                 WHERE cluster_id = ?1 RETURNING access_count",
            )?;
            let count = update.query_row(params![cluster_id, now], |row| row.get::<_, i64>(0));
            Ok(count.optional()?.map(|count| count.try_into().unwrap_or_default()))
        })
    }

    /// Says what the provider said of a cluster; whether there is such a cluster.
    ///
    /// # Errors
    /// Those of the file.
    pub fn update_cluster_status(&self, cluster_id: &str, status: ClusterStatus) -> Result<bool> {
        self.store().write(|transaction| {
            let Some(cluster) = look::one(transaction, cluster_id)? else { return Ok(false) };
            if cluster.status != status {
                let sql = "UPDATE clusters SET status = ?2 WHERE cluster_id = ?1";
                transaction.prepare_cached(sql)?.execute([cluster_id, status.as_str()])?;
                self.record(transaction, cluster_id, status.as_str())?;
            }
            Ok(true)
        })
    }

    /// Makes a cluster that is cached the one to use; whether there is such a cluster.
    ///
    /// # Errors
    /// Those of the file.
    pub fn activate(&self, cluster_id: &str) -> Result<bool> {
        self.store().write(|transaction| {
            let is_there = activate(transaction, cluster_id)?;
            if is_there {
                self.record(transaction, cluster_id, "activated")?;
            }
            Ok(is_there)
        })
    }

    /// Takes one cluster out of the cache, for example because it is gone; whether it was there.
    ///
    /// # Errors
    /// Those of the file.
    pub fn remove(&self, cluster_id: &str) -> Result<bool> {
        self.store().write(|transaction| {
            transaction
                .execute("DELETE FROM larder_cluster WHERE cluster_id = ?1", [cluster_id])?;
            let sql = "DELETE FROM clusters WHERE cluster_id = ?1";
            let was_there = transaction.execute(sql, [cluster_id])? > 0;
            if was_there {
                self.record(transaction, cluster_id, "removed")?;
            }
            Ok(was_there)
        })
    }

    /// Takes over the JSON document of the former file-based cache: a cluster, a list of clusters,
    /// or an object of them.
    ///
    /// A cluster that is cached already stays as it is. If no active cluster is left that is
    /// valid, the newest of those that were taken over becomes the active one. Times with a `T`
    /// and without an offset are in this machine's local time, as the former cache wrote them.
    ///
    /// # Errors
    /// [`Error::Import`] and [`Error::ConfigTooLarge`], in which case nothing was taken over; those
    /// of the file.
    pub fn import_json(&self, document: &str) -> Result<Imported> {
        let entries = import::entries(document)?;
        let now_ms = self.store().now_ms();
        self.store().write(|transaction| {
            let mut outcome = Imported::default();
            let mut newest: Option<(i64, &str)> = None;
            for (index, entry) in entries.iter().enumerate() {
                if look::one(transaction, &entry.cluster_id)?.is_some() {
                    outcome.known.push(entry.cluster_id.clone());
                    continue;
                }
                let draft = self.draft(transaction, entry, index + 1, now_ms)?;
                insert(transaction, &draft)?;
                self.record(transaction, &entry.cluster_id, "imported")?;
                let is_usable = entry.is_active && now_ms < draft.expires_at_ms;
                if is_usable && newest.is_none_or(|(created, _)| created < draft.created_at_ms) {
                    newest = Some((draft.created_at_ms, &entry.cluster_id));
                }
                outcome.imported.push(entry.cluster_id.clone());
            }
            if let Some((_, cluster_id)) = newest
                && look::active(transaction, now_ms)?.is_none()
            {
                activate(transaction, cluster_id)?;
            }
            Ok(outcome)
        })
    }

    fn draft<'a>(
        &self,
        transaction: &Transaction<'_>,
        entry: &'a Entry,
        number: usize,
        now_ms: i64,
    ) -> Result<Draft<'a>, Fault> {
        let read = |field, value: &Option<Value>| match value {
            None => Ok(None),
            Some(value) => match moment(transaction, value)? {
                Some(moment_ms) => Ok(Some(moment_ms)),
                None => Err(Fault::Error(ImportError::Time { entry: number, field }.into())),
            },
        };
        let created_at_ms = read("created_at", &entry.created_at)?.unwrap_or(now_ms);
        let expires_at_ms = read("expiry_time", &entry.expiry_time)?;
        let default_expiry = self.store().options().default_expiry;
        Ok(Draft {
            cluster_id: &entry.cluster_id,
            config: &entry.config,
            encoded: self.encode(&entry.config)?,
            status: entry.status,
            created_at_ms,
            expires_at_ms: expires_at_ms.unwrap_or_else(|| later(created_at_ms, default_expiry)),
            last_accessed_ms: read("last_accessed", &entry.last_accessed)?.unwrap_or(created_at_ms),
            access_count: entry.access_count.unwrap_or(1),
        })
    }

    fn encode(&self, config: &ClusterConfig) -> Result<Encoded> {
        encoding::encode(config, self.store().options().compress_above_bytes)
            .map_err(|bytes| Error::ConfigTooLarge { bytes, bytes_max: CONFIG_BYTES_MAX })
    }
}

/// Writes a row that is not active, and its configuration.
fn insert(transaction: &Transaction<'_>, draft: &Draft<'_>) -> Result<(), Fault> {
    let shown = draft.config.stored();
    let row: i64 = transaction
        .prepare_cached(
            "INSERT INTO clusters (cluster_id, cluster_name, host, num_workers, status, \
             created_at, expiry_time, last_accessed, access_count, is_active, is_shared) \
             VALUES (:id, :name, :host, :workers, :status, :created, :expiry, :accessed, :count, \
             0, :shared) \
             ON CONFLICT (cluster_id) DO UPDATE SET cluster_name = excluded.cluster_name, \
             host = excluded.host, num_workers = excluded.num_workers, \
             status = excluded.status, created_at = excluded.created_at, \
             expiry_time = excluded.expiry_time, last_accessed = excluded.last_accessed, \
             access_count = excluded.access_count, is_shared = excluded.is_shared \
             RETURNING id",
        )?
        .query_row(
            named_params! {
                ":id": draft.cluster_id,
                ":name": shown.cluster_name(),
                ":host": shown.host(),
                ":workers": shown.num_workers(),
                ":status": draft.status.as_str(),
                ":created": format_ms(draft.created_at_ms),
                ":expiry": format_ms(draft.expires_at_ms),
                ":accessed": format_ms(draft.last_accessed_ms),
                ":count": draft.access_count,
                ":shared": shown.is_shared(),
            },
            |row| row.get(0),
        )?;
    let sql = "INSERT OR REPLACE INTO larder_cluster \
               (cluster_id, row_id, config_hash, config_bytes, encoding, config) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    transaction.prepare_cached(sql)?.execute(params![
        draft.cluster_id,
        row,
        draft.config.hash(),
        // Bounded by the largest size.
        i64::try_from(draft.encoded.json_bytes).unwrap_or(i64::MAX),
        draft.encoded.encoding,
        draft.encoded.bytes,
    ])?;
    Ok(())
}

/// Makes a cluster the active one; whether there is such a cluster.
fn activate(transaction: &Transaction<'_>, cluster_id: &str) -> Result<bool, Fault> {
    let sql = "UPDATE clusters SET is_active = 1 WHERE cluster_id = ?1";
    if transaction.prepare_cached(sql)?.execute([cluster_id])? == 0 {
        return Ok(false);
    }
    let sql = "UPDATE clusters SET is_active = 0 WHERE is_active <> 0 AND cluster_id <> ?1";
    transaction.prepare_cached(sql)?.execute([cluster_id])?;
    Ok(true)
}

/// What a JSON value means as a moment, in milliseconds since 1970 UTC: a text as in the former
/// tables, a number as seconds since 1970 UTC.
fn moment(transaction: &Transaction<'_>, value: &Value) -> Result<Option<i64>, Fault> {
    if let Some(seconds) = value.as_f64() {
        #[expect(clippy::cast_possible_truncation, reason = "saturates, and nobody lives then")]
        return Ok(Some((seconds * 1_000.0).round() as i64));
    }
    match value.as_str() {
        // SQLite has words of its own, such as `now`, which begin with no digit.
        Some(text) if text.starts_with(|c: char| c.is_ascii_digit()) => {
            Ok(parse_ms(transaction, text)?)
        }
        _ => Ok(None),
    }
}

/// So much later, in whole milliseconds, and not after the year 9999, which is the last one that
/// the former tables can hold.
fn later(at_ms: i64, duration: Duration) -> i64 {
    const LAST_MS: i64 = 253_402_300_799_999;
    let duration_ms = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
    at_ms.saturating_add(duration_ms).min(LAST_MS)
}
