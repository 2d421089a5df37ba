//! Who holds the lock, as the lease row says.

use std::fmt;

/// Who migrates a database.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LockHolder {
    /// A random text, another one for every migrator.
    pub owner: String,
    /// The host that it runs on.
    pub host: String,
    /// Its process there.
    pub pid: u32,
    /// The application, see [`MigrateOptions::application`](crate::MigrateOptions::application).
    pub application: String,
    /// How often the lock was taken until then; every holder has a higher number than those
    /// before.
    pub token: i64,
    /// When it began, in microseconds since 1970 UTC, by the database's clock.
    pub acquired_us: i64,
    /// When it was last heard of, likewise.
    pub heartbeat_us: i64,
    /// When it counts as stopped unless it is heard of before, likewise.
    pub expires_us: i64,
    /// Whether that moment had passed when the row was read, by the database's clock.
    pub is_expired: bool,
    /// What the database calls its connection.
    pub(crate) session: String,
}

impl fmt::Display for LockHolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {} on {:?}", self.pid, self.host)?;
        if !self.application.is_empty() {
            write!(f, " of {:?}", self.application)?;
        }
        if self.is_expired { f.write_str(", not heard of in time") } else { Ok(()) }
    }
}
