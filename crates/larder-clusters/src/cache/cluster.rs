//! A cached cluster, as one row says.
//!
//! Guards that a row which another program wrote is read whatever is in it: what can not be
//! understood is unknown, and a cluster whose expiry is unknown has expired.

use std::{fmt, time::Duration};

use larder_sqlite_file::rusqlite::{self, Row, types::ValueRef};

use super::config::bare;

/// A cached cluster. Moments are in milliseconds since 1970 UTC.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CachedCluster {
    /// Its identity with the provider.
    pub cluster_id: String,
    /// Its name.
    pub cluster_name: Option<String>,
    /// The workspace.
    pub host: Option<String>,
    /// The number of workers.
    pub num_workers: Option<i64>,
    /// What the provider said last.
    pub status: ClusterStatus,
    /// When it was cached.
    pub created_at_ms: Option<i64>,
    /// Until when it is valid.
    pub expires_at_ms: Option<i64>,
    /// When it was used last.
    pub last_accessed_ms: Option<i64>,
    /// How often it was used, the time at which it was cached included.
    pub access_count: u64,
    /// Whether it is the one to use. Of two, the newer one is.
    pub is_active: bool,
    /// Whether several processes use it.
    pub is_shared: bool,
    /// The hash of the configuration that it was cached with, if there was one.
    pub config_hash: Option<String>,
}

impl CachedCluster {
    /// Whether it may be used at that moment.
    #[must_use]
    pub fn is_valid_at(&self, now_ms: i64) -> bool {
        self.expires_at_ms.is_some_and(|expiry| now_ms < expiry)
    }

    /// How long it may be used from that moment on; zero if no longer.
    #[must_use]
    pub fn time_remaining(&self, now_ms: i64) -> Duration {
        let millis = self.expires_at_ms.map_or(0, |expiry| expiry.saturating_sub(now_ms));
        Duration::from_millis(u64::try_from(millis).unwrap_or_default())
    }
}

/// What the provider says about a cluster.
///
/// # Source
/// The states of Databricks' Clusters API 2.0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ClusterStatus {
    /// It could not be made, or failed.
    Error,
    /// It is being made.
    Pending,
    /// Workers are being added or taken away.
    Resizing,
    /// It starts again.
    Restarting,
    /// It can be used.
    #[default]
    Running,
    /// It is gone.
    Terminated,
    /// It is being ended.
    Terminating,
    /// Nobody knows, or a word that is none of these.
    Unknown,
}

impl ClusterStatus {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Error,
        Self::Pending,
        Self::Resizing,
        Self::Restarting,
        Self::Running,
        Self::Terminated,
        Self::Terminating,
        Self::Unknown,
    ];

    /// The provider's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "ERROR",
            Self::Pending => "PENDING",
            Self::Resizing => "RESIZING",
            Self::Restarting => "RESTARTING",
            Self::Running => "RUNNING",
            Self::Terminated => "TERMINATED",
            Self::Terminating => "TERMINATING",
            Self::Unknown => "UNKNOWN",
        }
    }

    /// The status that the provider's word means, in whatever case; [`ClusterStatus::Unknown`] for
    /// any other.
    #[must_use]
    pub fn from_word(word: &str) -> Self {
        let is = |status: &Self| status.as_str().eq_ignore_ascii_case(word);
        Self::ALL.into_iter().find(is).unwrap_or(Self::Unknown)
    }
}

impl fmt::Display for ClusterStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What [`read`] expects, of `clusters AS c` joined with `larder_cluster AS k`.
macro_rules! columns {
    () => {
        concat!(
            "c.cluster_id, c.cluster_name, c.host, c.num_workers, c.status, ",
            $crate::time_text::millis_sql!("c.created_at"),
            " AS created_ms, ",
            $crate::time_text::millis_sql!("c.expiry_time"),
            " AS expiry_ms, ",
            $crate::time_text::millis_sql!("c.last_accessed"),
            " AS accessed_ms, c.access_count, c.is_active, c.is_shared, k.config_hash"
        )
    };
}
pub(super) use columns;

/// Reads a row of [`columns`].
pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<CachedCluster> {
    let cell = |index| row.get_ref(index);
    Ok(CachedCluster {
        cluster_id: text(cell(0)?).unwrap_or_default(),
        cluster_name: text(cell(1)?),
        host: text(cell(2)?).map(bare),
        num_workers: integer(cell(3)?),
        status: text(cell(4)?)
            .map_or(ClusterStatus::Unknown, |word| ClusterStatus::from_word(&word)),
        created_at_ms: row.get(5)?,
        expires_at_ms: row.get(6)?,
        last_accessed_ms: row.get(7)?,
        access_count: integer(cell(8)?).and_then(|count| count.try_into().ok()).unwrap_or(0),
        is_active: integer(cell(9)?) == Some(1),
        is_shared: integer(cell(10)?) == Some(1),
        config_hash: text(cell(11)?),
    })
}

fn text(value: ValueRef<'_>) -> Option<String> {
    match value {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
            Some(String::from_utf8_lossy(bytes).into_owned())
        }
        ValueRef::Integer(number) => Some(number.to_string()),
        ValueRef::Real(number) => Some(number.to_string()),
        ValueRef::Null => None,
    }
}

fn integer(value: ValueRef<'_>) -> Option<i64> {
    match value {
        ValueRef::Integer(number) => Some(number),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_the_provider_are_read_in_any_case() {
        for status in ClusterStatus::ALL {
            assert_eq!(ClusterStatus::from_word(status.as_str()), status);
            assert_eq!(ClusterStatus::from_word(&status.as_str().to_lowercase()), status);
        }
        assert_eq!(ClusterStatus::from_word("on fire"), ClusterStatus::Unknown);
    }

    #[test]
    fn a_row_is_read_whatever_is_in_it() {
        let connection = rusqlite::Connection::open_in_memory().unwrap();
        let sql = "SELECT x'ff', 7, NULL, 'many', 8, NULL, NULL, NULL, 'x', 'true', 0.5, NULL";
        let cluster = connection.query_row(sql, [], read).unwrap();
        assert_eq!(cluster.cluster_id, "\u{fffd}");
        assert_eq!(cluster.cluster_name.as_deref(), Some("7"));
        assert_eq!(cluster.status, ClusterStatus::Unknown);
        assert_eq!((cluster.num_workers, cluster.access_count), (None, 0));
        assert!(!cluster.is_active && !cluster.is_shared);
        assert!(!cluster.is_valid_at(0));
        assert_eq!(cluster.time_remaining(0), Duration::ZERO);
    }
}
