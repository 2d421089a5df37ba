//! Dead rows go away in small steps, and live ones make room for new ones.
//!
//! Invariant: no step handles more than [`STEP_ROWS`] rows or about [`STEP_BYTES`] bytes, so
//! that a sweep never holds the write lock for long.

use larder_sqlite_file::rusqlite::{Connection, Result, params};

use crate::{
    SqliteConfig,
    batch::{Batch, Meta, now},
    entries::cost,
};

const STEP_ROWS: usize = 256;
const STEP_BYTES: i64 = 8 << 20;

/// The index orders by namespace and expiry, so what is dead comes first: all of the older
/// namespaces, then what has run out in the current one.
const OLDEST: &str = "\
SELECT id, namespace, expires, length(value) FROM entry
WHERE (namespace, expires) <= (?1, ?2) ORDER BY namespace, expires LIMIT 256";

const LEASES: &str = "\
SELECT id, namespace, expires FROM lease WHERE id > ?1 ORDER BY id LIMIT 256";

const END_DEAD_LEASE: &str = "\
DELETE FROM lease WHERE id = ?1 AND (namespace <> ?2 OR expires <= ?3)";

/// What a step would remove.
#[derive(Debug, Default)]
pub(crate) struct Litter {
    entries: bool,
    leases: Vec<i64>,
}

impl Litter {
    pub(crate) fn is_empty(&self) -> bool {
        !self.entries && self.leases.is_empty()
    }
}

/// Looks for dead rows without taking the write lock. `cursor` is where the walk over the leases
/// stands; it starts over at the end.
pub(crate) fn look(
    connection: &Connection,
    config: &SqliteConfig,
    cursor: &mut i64,
) -> Result<Litter> {
    let now = now(config);
    let namespace = Meta::load(connection)?.namespace;
    let mut statement = connection.prepare_cached(OLDEST)?;
    let entries = statement.exists(params![namespace, now])?;
    let mut leases = Vec::new();
    let mut seen = 0;
    let mut statement = connection.prepare_cached(LEASES)?;
    let mut rows = statement.query([*cursor])?;
    while let Some(row) = rows.next()? {
        let (id, of, expires): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        if of != namespace || expires <= now {
            leases.push(id);
        }
        *cursor = id;
        seen += 1;
    }
    if seen < STEP_ROWS {
        *cursor = i64::MIN;
    }
    Ok(Litter { entries, leases })
}

impl Batch<'_> {
    /// Removes what was found dead; `true` if there may be more entries.
    pub(crate) fn sweep(&mut self, litter: &Litter) -> Result<bool> {
        let mut statement = self.connection.prepare_cached(END_DEAD_LEASE)?;
        for lease in &litter.leases {
            statement.execute(params![lease, self.meta.namespace, self.now])?;
        }
        if litter.entries { self.sweep_entries() } else { Ok(false) }
    }

    /// Removes a step's worth of dead entries; `true` if there may be more.
    pub(crate) fn sweep_entries(&mut self) -> Result<bool> {
        Ok(self.remove_oldest(self.now, STEP_BYTES)? > 0)
    }

    /// Removes what would expire first until `growth` more bytes fit, which they do at the latest
    /// when nothing is left. `true` if anything went.
    pub(crate) fn make_room(&mut self, growth: i64) -> Result<bool> {
        let bytes_max = i64::try_from(self.config.bytes_max).unwrap_or(i64::MAX);
        let mut any = false;
        loop {
            let excess = self.meta.bytes + growth - bytes_max;
            if excess <= 0 || self.remove_oldest(i64::MAX, excess)? == 0 {
                return Ok(any);
            }
            any = true;
        }
    }

    /// Removes the oldest rows that expire until then, at most a step's worth, and at least as
    /// much as is wanted, if there is that much. Returns how many rows went.
    fn remove_oldest(&mut self, until: i64, wanted: i64) -> Result<usize> {
        let mut statement = self.connection.prepare_cached(OLDEST)?;
        let mut victims = Vec::new();
        let mut bytes = 0;
        let mut rows = statement.query(params![self.meta.namespace, until])?;
        while bytes < wanted
            && let Some(row) = rows.next()?
        {
            let length = usize::try_from(row.get::<_, i64>(3)?).unwrap_or_default();
            let dead =
                row.get::<_, i64>(1)? != self.meta.namespace || row.get::<_, i64>(2)? <= self.now;
            victims.push((row.get::<_, i64>(0)?, cost(length), dead));
            bytes += cost(length);
        }
        drop(rows);
        for (id, cost, dead) in &victims {
            self.delete(*id, *cost)?;
            if *dead {
                self.tally.expired += 1;
            } else {
                self.tally.evicted += 1;
            }
        }
        Ok(victims.len())
    }
}
