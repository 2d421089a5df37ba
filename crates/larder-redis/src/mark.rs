//! Marks: what every entry and every lease begins with, and what `clear` makes worthless.
//!
//! Guards that a clear is not undone by a failover: a mark is the namespace's generation together
//! with the epoch of the node that answered for it, as one number of 16 bytes. An entry counts
//! only if its mark is the current one.

use std::sync::{Mutex, PoisonError};

use larder_core::{Epoch, Generation, Key};
use redis::{Cmd, Value};

use crate::{
    error::Trouble,
    fleet::{Effect, Fleet},
    keys::WireKey,
    unit::{Reply, Unit},
};

/// The state of a namespace, as 16 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark([u8; 16]);

impl Mark {
    /// How many bytes of a stored value are its mark.
    pub(crate) const LEN: usize = 16;

    /// A generation is random, so nothing is lost by mixing the epoch into it.
    pub(crate) fn of(generation: Generation, epoch: Epoch) -> Self {
        let (generation, epoch) = (generation.as_bytes(), epoch.as_bytes());
        Self(std::array::from_fn(|i| generation[i] ^ epoch[i]))
    }

    /// The mark of a namespace generation that a node answered; `None` if there is none.
    pub(crate) fn from_answer(answer: &Value, epoch: Epoch) -> Option<Self> {
        generation_of(answer).map(|generation| Self::of(generation, epoch))
    }

    /// The mark of a stored value; `None` for what is too short to have one.
    pub(crate) fn of_stored(stored: &[u8]) -> Option<Self> {
        stored.first_chunk().copied().map(Self)
    }

    pub(crate) const fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }
}

/// A generation as a server returned it; whatever somebody else wrote there counts as missing.
pub(crate) fn generation_of(answer: &Value) -> Option<Generation> {
    match answer {
        Value::BulkString(bytes) => Generation::from_slice(bytes),
        _ => None,
    }
}

/// The marks that were current when they were last asked for, one for each bucket.
///
/// Writes begin with what is known and ask for the current mark in the same round trip; if it is
/// another one, they begin anew.
#[derive(Debug)]
pub(crate) struct Marks(Box<[Mutex<Option<Mark>>]>);

impl Marks {
    pub(crate) fn new(buckets: usize) -> Self {
        Self((0..buckets).map(|_| Mutex::default()).collect())
    }

    fn known(&self, bucket: usize) -> Option<Mark> {
        *self.0[bucket].lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn learn(&self, bucket: usize, mark: Option<Mark>) {
        *self.0[bucket].lock().unwrap_or_else(PoisonError::into_inner) = mark;
    }
}

/// The namespace of one key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Realm<'a> {
    fleet: &'a Fleet,
    marks: &'a Marks,
    bucket: usize,
}

impl<'a> Realm<'a> {
    pub(crate) fn of_key(fleet: &'a Fleet, marks: &'a Marks, key: &Key) -> Self {
        let bucket = fleet.settings.names.bucket_of(key);
        Self { fleet, marks, bucket }
    }

    pub(crate) fn of_bucket(fleet: &'a Fleet, marks: &'a Marks, bucket: usize) -> Self {
        Self { fleet, marks, bucket }
    }

    fn name(&self) -> WireKey {
        self.fleet.settings.names.bucket(self.bucket)
    }

    /// What asks for the current mark.
    pub(crate) fn question(&self) -> Unit {
        let name = self.name();
        let question = get(&name);
        Unit::one(name, question)
    }

    /// The current mark, from the answer to [`Realm::question`]; remembered.
    pub(crate) fn learn(&self, mut answer: Reply) -> Option<Mark> {
        let mark = Mark::from_answer(&answer.first(), answer.epoch());
        self.marks.learn(self.bucket, mark);
        mark
    }

    /// The mark that was current lately; asked for, and made, if it is not known.
    ///
    /// # Cancel safety
    /// A mark is made or is not.
    pub(crate) async fn mark(&self) -> Result<Mark, Trouble> {
        match self.marks.known(self.bucket) {
            Some(mark) => Ok(mark),
            None => self.make().await,
        }
    }

    async fn make(&self) -> Result<Mark, Trouble> {
        let name = self.name();
        let mut answer = self.fleet.run_one(self.question(), Effect::Repeatable).await?;
        let found = answer.first();
        if let Some(mark) = Mark::from_answer(&found, answer.epoch()) {
            self.marks.learn(self.bucket, Some(mark));
            return Ok(mark);
        }
        // What is no generation makes way; what another caller has just made stays.
        let mut make = redis::cmd("SET");
        make.arg(&name[..]).arg(&Generation::random().as_bytes()[..]);
        if found == Value::Nil {
            make.arg("NX");
        }
        let made = Unit::several(name.clone(), [make, get(&name)]);
        let mut answer = self.fleet.run_one(made, Effect::Repeatable).await?;
        answer.values.rotate_right(1);
        self.learn(answer).ok_or(Trouble::Stubborn("the namespace's generation does not last"))
    }
}

pub(crate) fn get(name: &WireKey) -> Cmd {
    let mut command = Cmd::with_capacity(2, 3 + name.len());
    command.arg("GET").arg(&name[..]);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_changes_with_the_generation_and_with_the_epoch() {
        let (generation, epoch) = (Generation::random(), Epoch::random());
        let mark = Mark::of(generation, epoch);
        assert_eq!(mark, Mark::of(generation, epoch));
        assert_ne!(mark, Mark::of(Generation::random(), epoch));
        assert_ne!(mark, Mark::of(generation, Epoch::random()));
    }

    #[test]
    fn what_is_no_generation_has_no_mark() {
        let epoch = Epoch::random();
        for answer in
            [Value::Nil, Value::Okay, Value::Int(1), Value::BulkString(b"9007199254740992".into())]
        {
            let is_generation = matches!(&answer, Value::BulkString(bytes) if bytes.len() == 16);
            assert_eq!(Mark::from_answer(&answer, epoch).is_some(), is_generation, "{answer:?}");
        }
        assert_eq!(Mark::of_stored(b"too short"), None);
    }
}
