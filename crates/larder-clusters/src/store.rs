//! The file as a set of connections.
//!
//! Invariant: a connection is used by one call at a time, there are never more than the bound,
//! all of them are closed with the store, and each of them is to the file that the path names
//! now: after somebody replaced it, nothing goes into the old one.

use std::{
    path::Path,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
};

use larder_core::Clock;
use larder_sqlite_file::{
    FileIdentity, FileOptions, Retry, Synchronous, immediate,
    rusqlite::{Connection, Transaction, config::DbConfig},
};

use tokio::sync::Notify;

use crate::{ClusterFileOptions, Result, error::Fault, upgrade::ClusterFileOwner};

/// What the cache and the registry both stand on.
#[derive(Debug)]
pub(crate) struct Store {
    options: ClusterFileOptions,
    file: FileOptions,
    pool: Mutex<Pool>,
    returned: Condvar,
    /// Told of everything that this process commits.
    pub(crate) changed: Notify,
}

#[derive(Debug, Default)]
struct Pool {
    /// Which file the connections are to.
    identity: Option<FileIdentity>,
    /// Raised when the file was replaced; connections of an earlier round are not taken back.
    round: u64,
    idle: Vec<Connection>,
    /// Connections of this round, idle ones and those in use.
    open: usize,
}

impl Store {
    /// Opens the file, and makes a new or a former one ours.
    pub(crate) fn open(options: ClusterFileOptions) -> Result<Self> {
        let file = FileOptions::new(&options.path)
            .with_access(options.access)
            .with_busy_timeout(options.busy_timeout)
            .with_owner(ClusterFileOwner)
            .with_synchronous(Synchronous::Full);
        let (pool, returned, changed) = (Mutex::default(), Condvar::new(), Notify::new());
        let store = Self { options, file, pool, returned, changed };
        drop(store.connection()?);
        Ok(store)
    }

    pub(crate) fn options(&self) -> &ClusterFileOptions {
        &self.options
    }

    pub(crate) fn path(&self) -> &Path {
        &self.options.path
    }

    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        &self.options.clock
    }

    /// The wall clock, in milliseconds since 1970 UTC.
    pub(crate) fn now_ms(&self) -> i64 {
        i64::try_from(self.options.clock.unix_millis()).unwrap_or(i64::MAX)
    }

    /// Runs statements that read, each of which sees the newest state.
    pub(crate) fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T, Fault>) -> Result<T> {
        let connection = self.connection()?;
        work(&connection).map_err(|fault| fault.at(self.path()))
    }

    /// Runs statements that read, all of which see one state.
    pub(crate) fn snapshot<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Fault>,
    ) -> Result<T> {
        self.read(|connection| {
            // Kept prepared, as these two would cost more than what they enclose. If the work
            // panics, the connection is not taken back, which ends its transaction.
            connection.prepare_cached("BEGIN DEFERRED")?.execute([])?;
            let value = work(connection);
            let ended = connection.prepare_cached("ROLLBACK").and_then(|mut end| end.execute([]));
            // Some errors end the transaction by themselves, and then there is none to end.
            let value = value?;
            ended?;
            Ok(value)
        })
    }

    /// Runs statements in a transaction that holds the write lock from its start. An error takes
    /// everything back.
    pub(crate) fn write<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>,
    ) -> Result<T> {
        let mut connection = self.connection()?;
        let retry = Retry::within(self.options.busy_timeout);
        let value = immediate(&mut connection, &retry, work);
        let value = value.map_err(|fault| fault.at(self.path()))?;
        self.changed.notify_waiters();
        Ok(value)
    }

    /// A connection for what needs one outside of a transaction.
    pub(crate) fn connection(&self) -> Result<Pooled<'_>> {
        let mut pool = self.lock();
        let round = loop {
            let identity = FileIdentity::of(self.path());
            if pool.identity.is_some() && pool.identity != identity {
                *pool = Pool { round: pool.round + 1, ..Pool::default() };
            }
            if let Some(connection) = pool.idle.pop() {
                let (round, connection) = (pool.round, Some(connection));
                return Ok(Pooled { store: self, round, connection });
            }
            if pool.open < self.options.connections_max.max(1) {
                pool.open += 1;
                break pool.round;
            }
            pool = self.returned.wait(pool).unwrap_or_else(PoisonError::into_inner);
        };
        drop(pool);
        // From here on the place is given back by the drop, whatever happens.
        let mut place = Pooled { store: self, round, connection: None };
        let (connection, identity) = self.connect()?;
        place.connection = Some(connection);
        let mut pool = self.lock();
        if pool.round == round {
            match pool.identity {
                None => pool.identity = identity,
                Some(known) if Some(known) == identity => {}
                // Replaced since the others were opened: this one is the first of a new round.
                Some(_) => {
                    let round = pool.round + 1;
                    *pool = Pool { identity, round, idle: Vec::new(), open: 1 };
                    place.round = round;
                }
            }
        }
        drop(pool);
        Ok(place)
    }

    /// Opens one more connection, and says which file it is to.
    fn connect(&self) -> Result<(Connection, Option<FileIdentity>)> {
        loop {
            let before = FileIdentity::of(self.path());
            let connection = self.file.open()?;
            // The former tool registers clusters as ready that it has not stored yet.
            let off = connection.pragma_update(None, "foreign_keys", false);
            off.map_err(|error| Fault::from(error).at(self.path()))?;
            // Once the file was analysed, SQLite would otherwise prepare a statement anew for
            // each new parameter, although no other plan is ever better here.
            let stable = DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG;
            let set = connection.set_db_config(stable, true);
            set.map_err(|error| Fault::from(error).at(self.path()))?;
            let after = FileIdentity::of(self.path());
            if before.is_none() || before == after {
                return Ok((connection, after));
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Pool> {
        // No code that could panic runs under the lock.
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection that returns to its store.
#[derive(Debug)]
pub(crate) struct Pooled<'a> {
    store: &'a Store,
    round: u64,
    /// `None` only while it is being opened and after it was given back.
    connection: Option<Connection>,
}

impl std::ops::Deref for Pooled<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        match &self.connection {
            Some(connection) => connection,
            None => unreachable!("a place without a connection never leaves `Store::connection`"),
        }
    }
}

impl std::ops::DerefMut for Pooled<'_> {
    fn deref_mut(&mut self) -> &mut Connection {
        match &mut self.connection {
            Some(connection) => connection,
            None => unreachable!("a place without a connection never leaves `Store::connection`"),
        }
    }
}

impl Drop for Pooled<'_> {
    fn drop(&mut self) {
        // One that a failed rollback left inside a transaction is closed, which ends it.
        let connection = self.connection.take().filter(Connection::is_autocommit);
        let mut pool = self.store.lock();
        let surplus = if pool.round == self.round {
            match connection {
                Some(connection) => pool.idle.push(connection),
                None => pool.open -= 1,
            }
            None
        } else {
            connection
        };
        drop(pool);
        self.store.returned.notify_one();
        drop(surplus);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commits_are_flushed_and_the_former_tools_foreign_key_is_not_enforced() {
        let directory = tempfile::tempdir().unwrap();
        let options = ClusterFileOptions::new(directory.path().join("clusters.db"));
        let store = Store::open(options).unwrap();
        let connection = store.connection().unwrap();
        for (pragma, expected) in [("synchronous", 2), ("foreign_keys", 0)] {
            let value: i32 = connection.pragma_query_value(None, pragma, |row| row.get(0)).unwrap();
            assert_eq!(value, expected, "{pragma}");
        }
        // It registers clusters as ready that it has not stored yet.
        connection
            .execute_batch(
                "INSERT INTO shared_cluster_registry(config_hash, cluster_id) VALUES ('k', 'c')",
            )
            .unwrap();
    }
}
