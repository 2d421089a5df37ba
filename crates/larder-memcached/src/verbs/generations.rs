//! Generations of tags: items that never expire, made with `add`, bumped with a plain store.

use larder_core::{Generation, Stamp, Tag};

use super::{Site, TRIES, reads::stamp};
use crate::{
    dialect::{Condition, Stored},
    error::Trouble,
    node::Repeat,
    request::Request,
};

impl Site<'_> {
    /// The stamps of tags, of which the missing ones are made.
    pub(crate) async fn generations(&self, tags: &[Tag]) -> Result<Vec<Stamp>, Trouble> {
        let dialect = self.node.dialect().await?;
        let mut missing: Vec<Tag> = Vec::new();
        for attempt in 0..TRIES {
            // Something that is no generation does not give way to an `add`.
            let condition = if attempt < TRIES / 2 { Condition::Absent } else { Condition::Always };
            let make = |_: &_| {
                let mut request = Request::default();
                for tag in &missing {
                    let generation = Generation::random();
                    let data: &[&[u8]] = &[generation.as_bytes()];
                    let content = Stored { flags: 0, exptime: 0, data };
                    request = dialect.store(request, &self.tag(tag), condition, content);
                }
                request.reads.extend(tags.iter().map(|tag| self.tag(tag)));
                request
            };
            let (view, mut reply) = self.node.in_namespace(Repeat::Once, make).await?;
            for _ in 0..reply.answers.len() {
                reply.next_line()?;
            }
            let stamps: Vec<_> =
                reply.items.into_iter().map(|item| stamp(item, view.epoch)).collect();
            let of_missing = tags.iter().zip(&stamps).filter(|(_, stamp)| stamp.is_none());
            missing = of_missing.map(|(tag, _)| *tag).collect();
            if missing.is_empty() {
                return Ok(stamps.into_iter().flatten().collect());
            }
        }
        Err(Trouble::Busy("generations do not stay"))
    }

    /// Gives every tag a new generation.
    pub(crate) async fn bump(&self, tags: &[Tag]) -> Result<Vec<Stamp>, Trouble> {
        let dialect = self.node.dialect().await?;
        let new: Vec<_> = tags.iter().map(|_| Generation::random()).collect();
        let make = |_: &_| {
            let bumps = tags.iter().zip(&new);
            bumps.fold(Request::default(), |request, (tag, generation)| {
                let data: &[&[u8]] = &[generation.as_bytes()];
                let content = Stored { flags: 0, exptime: 0, data };
                dialect.store(request, &self.tag(tag), Condition::Always, content)
            })
        };
        let (view, mut reply) = self.node.in_namespace(Repeat::Once, make).await?;
        for _ in tags {
            // A store that fails for want of memory has removed what was there, but whoever
            // bumps wants to be told the new generation.
            reply.next_line()?;
        }
        let stamp = |generation| Stamp { generation, epoch: view.epoch };
        Ok(new.into_iter().map(stamp).collect())
    }
}
