//! Opens the cache file for writing and settles which history it belongs to.
//!
//! Invariant: the epoch changes whenever acknowledged writes may have been lost, which is when
//! the machine was restarted and somebody wrote without flushing every commit.

use std::time::Duration;

use larder_sqlite_file::{
    Access, FileOptions, Retry, Synchronous, immediate,
    rusqlite::{Connection, Transaction, params},
};

use crate::{SqliteConfig, boot::boot_id, error::Trouble, schema::APPLICATION};

/// A read waits for recovery of a log at most this long, because it may hold up a runtime.
const READ_WAIT_MAX: Duration = Duration::from_secs(1);

/// Opens the file, making it if there is none.
pub(crate) fn open_for_writing(config: &SqliteConfig) -> Result<Connection, Trouble> {
    let boot = boot_id();
    // Where restarts can not be told, every commit is flushed, so that none can be lost.
    let synchronous = match boot {
        Some(_) => config.synchronous,
        None => Synchronous::Full,
    };
    let mut connection = FileOptions::new(&config.path)
        .with_application(APPLICATION)
        .with_busy_timeout(config.busy_timeout)
        .with_cache_bytes(config.cache_bytes)
        .with_incremental_vacuum(true)
        .with_synchronous(Synchronous::Full)
        .open()?;
    limit_size(&connection, config)?;
    let retry = Retry::within(config.busy_timeout);
    let durable = synchronous == Synchronous::Full;
    immediate(&mut connection, &retry, |transaction| {
        settle(transaction, &boot.unwrap_or_default(), durable)
    })?;
    if !durable {
        // Only now: that commits may be lost is itself a commit that must not be.
        connection.pragma_update(None, "synchronous", "NORMAL")?;
    }
    Ok(connection)
}

/// How the file is opened for reading.
pub(crate) fn reading_options(config: &SqliteConfig) -> FileOptions {
    FileOptions::new(&config.path)
        .with_access(Access::Read)
        .with_busy_timeout(config.busy_timeout.min(READ_WAIT_MAX))
        .with_cache_bytes(config.cache_bytes)
}

/// What a tag takes up in the file, in bytes, with its index.
const TAG_BYTES: u64 = 128;

/// Leases have no bound of their own, because each ends by itself; this one bounds them too.
fn limit_size(connection: &Connection, config: &SqliteConfig) -> Result<(), Trouble> {
    let page_bytes: i64 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
    let entries = config.bytes_max.saturating_mul(2);
    let bytes = entries.saturating_add(config.tags_max.saturating_mul(TAG_BYTES));
    let pages = i64::try_from(bytes).unwrap_or(i64::MAX) / page_bytes.max(1);
    connection.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))?;
    Ok(())
}

fn settle(transaction: &Transaction<'_>, boot: &[u8], durable: bool) -> Result<(), Trouble> {
    let (last_boot, last_durable) =
        transaction.query_row("SELECT boot, durable FROM meta WHERE id = 1", [], |row| {
            Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, bool>(1)?))
        })?;
    let same_boot = last_boot == boot;
    if !same_boot && !last_durable {
        // Whatever is in the file may predate an invalidation that was acknowledged.
        transaction.execute(
            "UPDATE meta SET epoch = randomblob(16), namespace = namespace + 1 WHERE id = 1",
            [],
        )?;
    }
    let durable = durable && (last_durable || !same_boot);
    if !same_boot || durable != last_durable {
        transaction.execute(
            "UPDATE meta SET boot = ?1, durable = ?2 WHERE id = 1",
            params![boot, durable],
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Sandbox(Connection);

    impl Sandbox {
        fn new() -> Self {
            let connection = Connection::open_in_memory().unwrap();
            connection.execute_batch(APPLICATION.schema).unwrap();
            Self(connection)
        }

        /// The epoch and namespace after the file was opened in the given way.
        fn opened(&mut self, boot: &str, durable: bool) -> (Vec<u8>, i64) {
            immediate(&mut self.0, &Retry::default(), |transaction| {
                settle(transaction, boot.as_bytes(), durable)
            })
            .unwrap();
            self.0
                .query_row("SELECT epoch, namespace FROM meta", [], |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })
                .unwrap()
        }
    }

    #[test]
    fn the_epoch_outlives_the_process_but_not_the_machine() {
        let mut file = Sandbox::new();
        let first = file.opened("monday", false);
        assert_eq!(file.opened("monday", false), first);
        let second = file.opened("tuesday", false);
        assert_ne!(second.0, first.0);
        assert!(second.1 > first.1, "entries without an envelope are dead too");
        assert_eq!(file.opened("tuesday", false), second);
    }

    #[test]
    fn flushed_commits_keep_the_epoch_over_a_restart() {
        let mut file = Sandbox::new();
        let first = file.opened("monday", true);
        assert_eq!(file.opened("tuesday", true), first);
    }

    #[test]
    fn one_careless_writer_is_enough_to_lose_the_epoch() {
        let mut file = Sandbox::new();
        let first = file.opened("monday", true);
        assert_eq!(file.opened("monday", false), first);
        assert_eq!(file.opened("monday", true), first);
        assert_ne!(file.opened("tuesday", true).0, first.0);
        // From then on only careful ones have written.
        let second = file.opened("tuesday", true);
        assert_eq!(file.opened("wednesday", true), second);
    }
}
