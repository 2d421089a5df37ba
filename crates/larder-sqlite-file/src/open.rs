//! The order in which a file is opened.
//!
//! Invariant: nothing is written before the file is known to be ours or empty.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, config::DbConfig};

use crate::{
    Access, FileError, FileOptions, Owner, Retry, Synchronous,
    guard::{admit, with_suffix},
    owner,
};

/// The first release in which a write-ahead log that is reset while another process reads it
/// can not be damaged.
const NEEDED: (i32, &str) = (3_051_003, "3.51.3");

impl FileOptions {
    /// Opens the file.
    ///
    /// The connection has a write-ahead log, enforced foreign keys, an untrusted schema, the
    /// defensive mode and the busy timeout. It is not shared between threads: give each its own.
    /// This blocks; in asynchronous code call it where blocking is allowed.
    ///
    /// # Errors
    /// Every [`FileError`]; nothing was deleted or overwritten.
    pub fn open(&self) -> Result<Connection, FileError> {
        check_version(rusqlite::version_number(), rusqlite::version())?;
        let path = admit(self)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX
            | OpenFlags::SQLITE_OPEN_NOFOLLOW;
        let sqlite = |error| FileError::from_sqlite(&path, error);
        let mut connection = Connection::open_with_flags(&path, flags).map_err(sqlite)?;
        if self.access != Access::Read && connection.is_readonly("main").map_err(sqlite)? {
            // SQLite would say so at the first write, and something vaguer at the first read if
            // the directory can not be written either.
            let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_READONLY);
            return Err(sqlite(rusqlite::Error::SqliteFailure(code, None)));
        }
        harden(&connection, &path, self).map_err(sqlite)?;
        let owner = self.owner();
        if let Some(owner) = owner {
            owner::admit(owner, &connection, &path)?;
        }
        self.log_ahead(&connection, &path)?;
        if let Some(owner) = owner {
            owner::claim(owner, &mut connection, &path, self.busy_timeout)?;
        }
        tune(&connection, self).map_err(sqlite)?;
        Ok(connection)
    }

    fn owner(&self) -> Option<&dyn Owner> {
        let application = || self.application.as_ref().map(|application| application as &dyn Owner);
        self.owner.as_deref().map(|owner| owner as &dyn Owner).or_else(application)
    }

    fn log_ahead(&self, connection: &Connection, path: &Path) -> Result<(), FileError> {
        let sqlite = |error| FileError::from_sqlite(path, error);
        let mode = |name: &str| connection.query_row(name, [], |row| row.get::<_, String>(0));
        if mode("PRAGMA journal_mode").map_err(sqlite)? == "wal" {
            return Ok(());
        }
        if self.incremental_vacuum {
            // This has an effect only as long as the file has no page.
            let pragma = connection.pragma_update(None, "auto_vacuum", "INCREMENTAL");
            pragma.map_err(sqlite)?;
        }
        // The switch needs the file for itself and does not wait for it, so we do.
        let switched = Retry::within(self.busy_timeout).run(|| mode("PRAGMA journal_mode = WAL"));
        match switched.map_err(sqlite)? {
            mode if mode == "wal" => Ok(()),
            mode => Err(FileError::WalUnavailable { path: path.to_owned(), mode }),
        }
    }
}

/// What holds before the first byte is read.
fn harden(connection: &Connection, path: &Path, options: &FileOptions) -> rusqlite::Result<()> {
    connection.busy_timeout(options.busy_timeout)?;
    for (setting, on) in [
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
        (DbConfig::SQLITE_DBCONFIG_DQS_DDL, false),
        (DbConfig::SQLITE_DBCONFIG_DQS_DML, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, true),
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        // A foreign database that was left with a log keeps it: closing would fold it in.
        (DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, with_suffix(path, "-wal").exists()),
    ] {
        connection.set_db_config(setting, on)?;
    }
    connection.pragma_update(None, "cell_size_check", true)
}

/// What holds once the file is ours.
fn tune(connection: &Connection, options: &FileOptions) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
    let synchronous = match options.synchronous {
        Synchronous::Full => "FULL",
        Synchronous::Normal => "NORMAL",
    };
    connection.pragma_update(None, "synchronous", synchronous)?;
    // A negative size is one in KiB instead of pages.
    connection.pragma_update(None, "cache_size", -i64::from(options.cache_bytes.div_ceil(1024)))?;
    connection.pragma_update(None, "journal_size_limit", options.wal_bytes)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "query_only", options.access == Access::Read)?;
    connection.set_prepared_statement_cache_capacity(options.statements_max);
    Ok(())
}

fn check_version(number: i32, found: &'static str) -> Result<(), FileError> {
    let (least, needed) = NEEDED;
    if number < least {
        return Err(FileError::SqliteTooOld { found, needed });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_that_can_damage_a_shared_log_is_refused() {
        assert!(check_version(3_051_003, "3.51.3").is_ok());
        assert!(check_version(3_052_000, "3.52.0").is_ok());
        for number in [3_040_001, 3_051_002] {
            let refused = check_version(number, "x");
            assert!(matches!(refused, Err(FileError::SqliteTooOld { .. })));
        }
    }
}
