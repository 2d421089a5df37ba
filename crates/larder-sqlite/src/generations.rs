//! Generations of tags: creating, bumping, forgetting.
//!
//! Invariant: a bump that leaves the table before its time, because it is forgotten or because
//! another tag takes its row, raises `meta.forgotten`, so that a watcher which has not seen it
//! learns that it missed something.

use larder_core::{Generation, Stamp, Tag};
use larder_sqlite_file::rusqlite::{OptionalExtension as _, Result, params};

use crate::{batch::Batch, slot::TagSlot};

const FIND: &str = "SELECT rest, generation, sequence, bumped FROM generation WHERE id = ?1";

const INSERT: &str = "\
INSERT INTO generation(id, rest, generation, sequence, bumped) VALUES (?1, ?2, ?3, ?4, ?5)";

const UPDATE: &str = "\
UPDATE generation SET rest = ?2, generation = ?3, sequence = ?4, bumped = ?5 WHERE id = ?1";

const FORGET: &str = "\
DELETE FROM generation
WHERE id IN (SELECT id FROM generation ORDER BY sequence LIMIT ?1) RETURNING sequence, bumped";

struct Row {
    rest: i64,
    generation: Option<Generation>,
    sequence: i64,
    bumped: bool,
}

impl Batch<'_> {
    /// The stamps of the tags, creating what is missing.
    pub(crate) fn create(&mut self, tags: &[Tag]) -> Result<Vec<Stamp>> {
        let mut stamps = Vec::with_capacity(tags.len());
        for tag in tags {
            let slot = TagSlot::of(tag);
            let row = self.find_tag(slot)?;
            let known = row.as_ref().filter(|row| row.rest == slot.rest);
            let generation = match known.and_then(|row| row.generation) {
                Some(generation) => generation,
                None => self.set_generation(slot, row, false)?,
            };
            stamps.push(self.stamp(generation));
        }
        Ok(stamps)
    }

    pub(crate) fn bump(&mut self, tags: &[Tag]) -> Result<Vec<Stamp>> {
        let mut stamps = Vec::with_capacity(tags.len());
        for tag in tags {
            let slot = TagSlot::of(tag);
            let row = self.find_tag(slot)?;
            let generation = self.set_generation(slot, row, true)?;
            stamps.push(self.stamp(generation));
        }
        self.tally.bumps += tags.len() as u64;
        Ok(stamps)
    }

    fn set_generation(
        &mut self,
        slot: TagSlot,
        old: Option<Row>,
        bumped: bool,
    ) -> Result<Generation> {
        let generation = Generation::random();
        self.meta.sequence += 1;
        let sql = if old.is_some() { UPDATE } else { INSERT };
        self.connection.prepare_cached(sql)?.execute(params![
            slot.id,
            slot.rest,
            generation.as_bytes(),
            self.meta.sequence,
            bumped,
        ])?;
        match old {
            Some(old) if old.bumped && (old.rest != slot.rest || !bumped) => {
                self.meta.forgotten = self.meta.forgotten.max(old.sequence);
            }
            Some(_) => {}
            None => {
                self.meta.tags += 1;
                self.forget_tags()?;
            }
        }
        Ok(generation)
    }

    /// Forgetting a generation is safe at any time: a missing one is a miss.
    fn forget_tags(&mut self) -> Result<()> {
        let tags_max = i64::try_from(self.config.tags_max).unwrap_or(i64::MAX);
        let excess = self.meta.tags - tags_max;
        if excess <= 0 {
            return Ok(());
        }
        let mut statement = self.connection.prepare_cached(FORGET)?;
        let mut rows = statement.query([excess])?;
        while let Some(row) = rows.next()? {
            self.meta.tags -= 1;
            if row.get(1)? {
                self.meta.forgotten = self.meta.forgotten.max(row.get(0)?);
            }
        }
        Ok(())
    }

    fn find_tag(&self, slot: TagSlot) -> Result<Option<Row>> {
        let mut statement = self.connection.prepare_cached(FIND)?;
        let found = statement.query_row([slot.id], |row| {
            Ok(Row {
                rest: row.get(0)?,
                generation: Generation::from_slice(row.get_ref(1)?.as_blob()?),
                sequence: row.get(2)?,
                bumped: row.get(3)?,
            })
        });
        found.optional()
    }

    fn stamp(&self, generation: Generation) -> Stamp {
        let epoch = self.meta.epoch;
        Stamp { generation, epoch }
    }
}
