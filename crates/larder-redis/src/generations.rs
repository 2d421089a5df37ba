//! The generations of tags: read, made where they are missing, made anew by a bump.
//!
//! Guards that a generation outlives what depends on it: every load begins with
//! [`Store::generations`], which leaves each of them at least half of its lifetime.

use std::time::Duration;

use larder_core::{ErrorKind, Generation, Stamp, Tag, Ttl};
use redis::{Cmd, Value};

use crate::{
    counters::add,
    error::Trouble,
    fleet::Effect,
    keys::WireKey,
    mark::{generation_of, get},
    store::{Store, delete},
    unit::{Reply, Unit},
};

/// What is to be done about a generation that was read.
enum Found {
    /// It is there; and it is getting old.
    Kept { stamp: Stamp, is_old: bool },
    /// It is not there, or something else is in its place.
    Missing { is_foreign: bool },
}

impl Store {
    pub(crate) async fn generations(&self, tags: &[Tag]) -> Result<Vec<Stamp>, Trouble> {
        if tags.is_empty() {
            return Ok(Vec::new());
        }
        let names: Vec<_> = tags.iter().map(|tag| self.names().tag(tag)).collect();
        let questions = names.iter().map(|name| {
            let mut time_left = redis::cmd("PTTL");
            time_left.arg(&name[..]);
            Unit::several(name.clone(), [get(name), time_left])
        });
        let answers = self.fleet.run(questions.collect(), Effect::Read).await;
        let mut stamps = Vec::with_capacity(tags.len());
        let mut missing = Vec::new();
        let mut repairs = Vec::new();
        for (index, (name, answer)) in names.iter().zip(answers).enumerate() {
            match self.look(&answer?) {
                Found::Kept { stamp, is_old } => {
                    stamps.push(Some(stamp));
                    if is_old {
                        repairs.push(self.prolong(name));
                    }
                }
                Found::Missing { is_foreign } => {
                    stamps.push(None);
                    missing.push(index);
                    repairs.push(self.create(name, is_foreign));
                }
            }
        }
        if !repairs.is_empty() {
            let made = self.fleet.run(repairs, Effect::Repeatable).await;
            // Only what creates answers with a second value, the generation that is there now.
            let made = made
                .into_iter()
                .filter(|made| made.as_ref().map_or(true, |reply| reply.values.len() > 1));
            for (index, made) in missing.into_iter().zip(made) {
                let made = made?;
                let generation = made.values.get(1).and_then(generation_of);
                let epoch = made.epoch();
                stamps[index] = generation.map(|generation| Stamp { generation, epoch });
            }
        }
        let stamps: Option<Vec<_>> = stamps.into_iter().collect();
        stamps.ok_or(Trouble::Stubborn("a tag's generation does not last"))
    }

    fn look(&self, answer: &Reply) -> Found {
        let [found, time_left, ..] = &answer.values[..] else {
            return Found::Missing { is_foreign: false };
        };
        let Some(generation) = generation_of(found) else {
            return Found::Missing { is_foreign: *found != Value::Nil };
        };
        let half = self.settings.config.generation_ttl / 2;
        let is_old = match time_left {
            // Negative is a generation that never ends.
            Value::Int(millis) => {
                u64::try_from(*millis).is_ok_and(|millis| Duration::from_millis(millis) < half)
            }
            _ => false,
        };
        Found::Kept { stamp: Stamp { generation, epoch: answer.epoch() }, is_old }
    }

    fn prolong(&self, name: &WireKey) -> Unit {
        let mut command = redis::cmd("PEXPIRE");
        command.arg(&name[..]).arg(self.generation_ttl().as_millis());
        Unit::one(name.clone(), command)
    }

    /// Of two callers who make a generation, both get the one that came first.
    fn create(&self, name: &WireKey, is_foreign: bool) -> Unit {
        let mut make = set(name, Generation::random(), Some(self.generation_ttl()));
        if !is_foreign {
            make.arg("NX");
        }
        Unit::several(name.clone(), [make, get(name)])
    }

    pub(crate) async fn bump(&self, tags: &[Tag]) -> Result<Vec<Stamp>, Trouble> {
        let names: Vec<_> = tags.iter().map(|tag| self.names().tag(tag)).collect();
        let generations: Vec<_> = tags.iter().map(|_| Generation::random()).collect();
        let writes = names.iter().zip(&generations).map(|(name, generation)| {
            Unit::one(name.clone(), set(name, *generation, Some(self.generation_ttl())))
        });
        let answers = self.fleet.run(writes.collect(), Effect::Repeatable).await;
        let mut stamps = Vec::with_capacity(tags.len());
        for ((name, generation), answer) in names.iter().zip(generations).zip(answers) {
            let answer = match answer {
                Err(trouble) if trouble.kind() == ErrorKind::NoSpace => self.forget(name).await?,
                answer => answer?,
            };
            stamps.push(Stamp { generation, epoch: answer.epoch() });
        }
        add(&self.counters.bumps, tags.len());
        Ok(stamps)
    }

    /// Gives one generation a new value.
    pub(crate) async fn renew_generation(
        &self,
        name: WireKey,
        ttl: Option<Ttl>,
    ) -> Result<(), Trouble> {
        let write = Unit::one(name.clone(), set(&name, Generation::random(), ttl));
        match self.fleet.run_one(write, Effect::Repeatable).await {
            Err(trouble) if trouble.kind() == ErrorKind::NoSpace => {
                self.forget(&name).await.map(drop)
            }
            answer => answer.map(drop),
        }
    }

    /// A server without room refuses to store and still removes, and a generation that is missing
    /// invalidates as much as a new one.
    async fn forget(&self, name: &WireKey) -> Result<Reply, Trouble> {
        let removal = Unit::one(name.clone(), delete(name));
        self.fleet.run_one(removal, Effect::Repeatable).await
    }

    fn generation_ttl(&self) -> Ttl {
        Ttl::new(self.settings.config.generation_ttl).unwrap_or(Ttl::MAX)
    }
}

fn set(name: &WireKey, generation: Generation, ttl: Option<Ttl>) -> Cmd {
    let mut command = redis::cmd("SET");
    command.arg(&name[..]).arg(&generation.as_bytes()[..]);
    if let Some(ttl) = ttl {
        command.arg("PX").arg(ttl.as_millis());
    }
    command
}
