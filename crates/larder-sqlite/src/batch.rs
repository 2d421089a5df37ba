//! One write transaction: what its writes share.
//!
//! Invariant: the `meta` row is read at the start and written back at the end, so that every
//! write of the transaction sees one namespace, one epoch and one time.

use larder_core::Epoch;
use larder_sqlite_file::rusqlite::{Connection, Result, params};

use crate::{SqliteConfig, counters::Tally};

/// The writes of one transaction run against this.
#[derive(Debug)]
pub(crate) struct Batch<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) config: &'a SqliteConfig,
    /// The wall clock at the start, in Unix milliseconds.
    pub(crate) now: i64,
    pub(crate) meta: Meta,
    pub(crate) tally: Tally,
    before: Meta,
}

/// The part of the `meta` row that changes while the file is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Meta {
    pub(crate) namespace: i64,
    pub(crate) epoch: Epoch,
    /// The last number given to a write of a generation.
    pub(crate) sequence: i64,
    /// The highest number of a bump that is no longer in the table.
    pub(crate) forgotten: i64,
    pub(crate) tags: i64,
    pub(crate) entries: i64,
    pub(crate) bytes: i64,
}

const LOAD: &str = "\
SELECT namespace, epoch, sequence, forgotten, tags, entries, bytes FROM meta WHERE id = 1";

const SAVE: &str = "\
UPDATE meta SET namespace = ?1, sequence = ?2, forgotten = ?3, tags = ?4, entries = ?5, bytes = ?6
WHERE id = 1";

impl Meta {
    pub(crate) fn load(connection: &Connection) -> Result<Self> {
        connection.prepare_cached(LOAD)?.query_row([], |row| {
            Ok(Self {
                namespace: row.get(0)?,
                epoch: Epoch::from_bytes(row.get(1)?),
                sequence: row.get(2)?,
                forgotten: row.get(3)?,
                tags: row.get(4)?,
                entries: row.get(5)?,
                bytes: row.get(6)?,
            })
        })
    }

    fn save(&self, connection: &Connection) -> Result<()> {
        connection.prepare_cached(SAVE)?.execute(params![
            self.namespace,
            self.sequence,
            self.forgotten,
            self.tags,
            self.entries,
            self.bytes,
        ])?;
        Ok(())
    }
}

impl<'a> Batch<'a> {
    pub(crate) fn begin(connection: &'a Connection, config: &'a SqliteConfig) -> Result<Self> {
        let meta = Meta::load(connection)?;
        Ok(Self {
            connection,
            config,
            now: now(config),
            meta,
            tally: Tally::default(),
            before: meta,
        })
    }

    /// The last step before the commit.
    pub(crate) fn finish(mut self) -> Result<Tally> {
        if self.meta != self.before {
            self.meta.save(self.connection)?;
        }
        self.tally.entries = u64::try_from(self.meta.entries).unwrap_or_default();
        self.tally.bytes = u64::try_from(self.meta.bytes).unwrap_or_default();
        Ok(self.tally)
    }

    /// Empties the namespace: whatever carries an older number is dead.
    pub(crate) fn clear(&mut self) {
        self.meta.namespace += 1;
    }

    /// When something ends that lasts this many milliseconds from now.
    pub(crate) fn expiry(&self, millis: u64) -> i64 {
        self.now.saturating_add_unsigned(millis)
    }
}

/// The wall clock in the form in which it is stored.
pub(crate) fn now(config: &SqliteConfig) -> i64 {
    i64::try_from(config.clock.unix_millis()).unwrap_or(i64::MAX)
}
