//! What the verbs work with, and the writes of entries: put, add, touch, remove.
//!
//! Guards that a write is judged by the mark that was current during it: the mark is asked for
//! beside the write, and a write that was made under an older one is worthless and made again.
//! And that a removal works on a server that has no room, which refuses transactions: the lease
//! goes first, so that a fill comes either before the entry's removal or too late.

use std::sync::{Arc, atomic::AtomicBool};

use bytes::Bytes;
use futures_util::future::try_join_all;
use larder_core::{Key, Ttl};
use redis::{Cmd, Value};

use crate::{
    batch::Reads,
    counters::{Counters, add},
    error::Trouble,
    fleet::{Effect, Fleet},
    keys::{Names, WireKey},
    mark::{Mark, Marks, Realm},
    scripts,
    settings::Settings,
    unit::{Reply, Unit},
};

/// How often a write begins anew because the namespace was cleared meanwhile.
pub(crate) const ATTEMPTS_MAX: usize = 8;

/// Everything that a verb needs.
#[derive(Debug)]
pub(crate) struct Store {
    pub(crate) settings: Arc<Settings>,
    pub(crate) fleet: Fleet,
    pub(crate) marks: Marks,
    pub(crate) counters: Counters,
    pub(crate) reads: Reads,
    /// Whether the server did not let us listen to it.
    pub(crate) is_watch_refused: AtomicBool,
}

impl Store {
    pub(crate) fn new(settings: Settings) -> Self {
        let settings = Arc::new(settings);
        let marks = Marks::new(settings.names.buckets());
        let fleet = Fleet::new(Arc::clone(&settings));
        Self {
            settings,
            fleet,
            marks,
            counters: Counters::default(),
            reads: Reads::default(),
            is_watch_refused: AtomicBool::new(false),
        }
    }

    pub(crate) fn names(&self) -> &Names {
        &self.settings.names
    }

    pub(crate) fn realm(&self, key: &Key) -> Realm<'_> {
        Realm::of_key(&self.fleet, &self.marks, key)
    }

    pub(crate) async fn put(&self, key: &Key, value: &Bytes, ttl: Ttl) -> Result<(), Trouble> {
        let realm = self.realm(key);
        let (entry, lease) = (self.names().entry(key), self.names().lease(key));
        for _ in 0..ATTEMPTS_MAX {
            let mark = realm.mark().await?;
            let write = Unit::atomic(
                entry.clone(),
                [set(&entry, &marked(mark, value), ttl), delete(&lease)],
            );
            let units = [realm.question(), write];
            let (current, _stored) = self.fleet.run_pair(units, Effect::Repeatable).await?;
            if realm.learn(current) == Some(mark) {
                add(&self.counters.puts, 1);
                return Ok(());
            }
        }
        Err(Trouble::Stubborn(CLEARED))
    }

    pub(crate) async fn add(&self, key: &Key, value: &Bytes, ttl: Ttl) -> Result<bool, Trouble> {
        let realm = self.realm(key);
        let (entry, lease) = (self.names().entry(key), self.names().lease(key));
        let mut dead = Vec::new();
        for _ in 0..ATTEMPTS_MAX {
            let mark = realm.mark().await?;
            let mut command = scripts::ADD.call(&entry, &lease, 3 + dead.len());
            command.arg(&mark.as_bytes()[..]).arg(marked(mark, value)).arg(ttl.as_millis());
            with_marks(&mut command, &dead);
            let units = [realm.question(), Unit::one(entry.clone(), command)];
            let (current, mut answer) = self.fleet.run_pair(units, Effect::Once).await?;
            let current = realm.learn(current);
            match (verdict(answer.first())?, current == Some(mark)) {
                (Verdict::Word(word), true) => {
                    let is_added = word == b"added";
                    add(&self.counters.puts, is_added.into());
                    return Ok(is_added);
                }
                (Verdict::Unknown(found), _) if current != Some(found) => dead.push(found),
                (Verdict::Unknown(_) | Verdict::Found(_), _) => {}
                // What was stored or found under the old mark counts no more.
                (Verdict::Word(_), false) => dead.push(mark),
            }
            dead.retain(|dead| current != Some(*dead));
        }
        Err(Trouble::Stubborn(CLEARED))
    }

    pub(crate) async fn touch(&self, key: &Key, ttl: Ttl) -> Result<bool, Trouble> {
        let entry = self.names().entry(key);
        let mut prolong = redis::cmd("PEXPIRE");
        prolong.arg(&entry[..]).arg(ttl.as_millis());
        // To prolong what is worthless does no harm, and so the mark is looked at afterwards.
        let touched = Unit::several(entry.clone(), [mark_of_entry(&entry), prolong]);
        self.on_live_entry(key, touched).await
    }

    pub(crate) async fn remove(&self, key: &Key) -> Result<bool, Trouble> {
        let was_live = self.on_live_entry(key, self.removal(key)).await?;
        add(&self.counters.removed, was_live.into());
        Ok(was_live)
    }

    /// Looks at an entry, ends its lease, removes it.
    fn removal(&self, key: &Key) -> Unit {
        let (entry, lease) = (self.names().entry(key), self.names().lease(key));
        let commands = [mark_of_entry(&entry), delete(&lease), delete(&entry)];
        Unit::several(entry, commands)
    }

    /// Does something to an entry; whether it was live.
    async fn on_live_entry(&self, key: &Key, unit: Unit) -> Result<bool, Trouble> {
        let realm = self.realm(key);
        let units = [realm.question(), unit];
        let (current, answer) = self.fleet.run_pair(units, Effect::Once).await?;
        Ok(was_live(&answer, realm.learn(current)))
    }

    pub(crate) async fn remove_many(&self, keys: &[Key]) -> Result<u64, Trouble> {
        if keys.is_empty() {
            return Ok(0);
        }
        let realm = |bucket| Realm::of_bucket(&self.fleet, &self.marks, bucket);
        let buckets = self.names().buckets();
        let questions = (0..buckets).map(|bucket| realm(bucket).question());
        let removals = keys.iter().map(|key| self.removal(key));
        let units: Vec<_> = questions.chain(removals).collect();
        let mut results = self.fleet.run(units, Effect::Once).await.into_iter();
        let mut current = Vec::with_capacity(buckets);
        for (bucket, answer) in results.by_ref().take(buckets).enumerate() {
            current.push(realm(bucket).learn(answer?));
        }
        let mut removed = 0;
        for (key, answer) in keys.iter().zip(results) {
            let was_live = was_live(&answer?, current[self.names().bucket_of(key)]);
            removed += u64::from(was_live);
            add(&self.counters.removed, was_live.into());
        }
        Ok(removed)
    }

    /// Gives the namespace a new generation, in all of its buckets.
    pub(crate) async fn clear(&self) -> Result<(), Trouble> {
        let renewed = (0..self.names().buckets()).map(|bucket| async move {
            self.renew_generation(self.names().bucket(bucket), None).await
        });
        try_join_all(renewed).await.map(drop)
    }
}

/// Why a write gave up; it takes another clear during each attempt.
pub(crate) const CLEARED: &str = "the namespace is being cleared over and over";

/// Whether there was an entry with the current mark, and the last command found it.
fn was_live(answer: &Reply, current: Option<Mark>) -> bool {
    let mark = match answer.values.first() {
        Some(Value::BulkString(mark)) => Mark::of_stored(mark),
        _ => None,
    };
    mark.is_some() && mark == current && answer.values.last() == Some(&Value::Int(1))
}

/// A value as it is stored.
pub(crate) fn marked(mark: Mark, value: &Bytes) -> Vec<u8> {
    let mut stored = Vec::with_capacity(Mark::LEN + value.len());
    stored.extend_from_slice(mark.as_bytes());
    stored.extend_from_slice(value);
    stored
}

pub(crate) fn with_marks(command: &mut Cmd, marks: &[Mark]) {
    for mark in marks {
        command.arg(&mark.as_bytes()[..]);
    }
}

/// What the scripts answer that look at an entry.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// There is this entry.
    Found(Vec<u8>),
    /// There is something with this mark, which the script can not judge.
    Unknown(Mark),
    /// What was done, or why not.
    Word(Vec<u8>),
}

/// Reads a script's answer: a word, and for some words something more.
pub(crate) fn verdict(answer: Value) -> Result<Verdict, Trouble> {
    let unexpected = Trouble::Answer("a script gave an unexpected answer");
    let Value::Array(answer) = answer else {
        return Err(unexpected);
    };
    let mut parts = answer.into_iter();
    match (parts.next(), parts.next()) {
        (Some(Value::BulkString(word)), None) => Ok(Verdict::Word(word)),
        (Some(Value::BulkString(word)), Some(Value::BulkString(more))) if word == b"found" => {
            Ok(Verdict::Found(more))
        }
        (Some(Value::BulkString(word)), Some(Value::BulkString(more))) if word == b"unknown" => {
            // What is too short for a mark has none that is ever current.
            let mark =
                Mark::of_stored(&more).unwrap_or(Mark::of_stored(&[0; 16]).ok_or(unexpected)?);
            Ok(Verdict::Unknown(mark))
        }
        _ => Err(unexpected),
    }
}

fn mark_of_entry(entry: &WireKey) -> Cmd {
    let mut command = redis::cmd("GETRANGE");
    command.arg(&entry[..]).arg(0).arg(Mark::LEN - 1);
    command
}

fn set(name: &WireKey, value: &[u8], ttl: Ttl) -> Cmd {
    let mut command = Cmd::with_capacity(5, 32 + name.len() + value.len());
    command.arg("SET").arg(&name[..]).arg(value).arg("PX").arg(ttl.as_millis());
    command
}

pub(crate) fn delete(name: &WireKey) -> Cmd {
    let mut command = redis::cmd("DEL");
    command.arg(&name[..]);
    command
}
