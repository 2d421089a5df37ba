//! What a backend may answer: the contract once more, over an ordered map and a span of time.
//!
//! Where time passes by itself, a call happens somewhere between two readings of the clock, so
//! the model does not say "gone" but "certainly there", "certainly not" or "either"; what was
//! observed then settles it. Invariant: after each judged call the model is a state in which the
//! backend may be.

use std::{
    collections::{BTreeMap, HashSet},
    time::Duration,
};

use bytes::Bytes;
use larder_core::{
    EntryId, FillOutcome, Generation, Key, Lease, LeaseOutcome, LeaseToken, Snapshot, Stamp, Tag,
    Tick,
};

use crate::bench::{longest, word};

/// The readings of the clock just before and just after a call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    pub(super) begin: Tick,
    pub(super) end: Tick,
}

/// What the model depends on and can not see.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    /// How coarse the expiry clock is.
    pub(super) resolution: Duration,
    /// How much a store that keeps time by itself may differ from our clock.
    pub(super) margin: Duration,
    /// Whether anything may vanish at any time.
    pub(super) may_evict: bool,
}

/// The model's state.
#[derive(Debug)]
pub(super) struct Oracle {
    rules: Rules,
    entries: BTreeMap<Key, Entry>,
    leases: BTreeMap<Key, Held>,
    generations: BTreeMap<Tag, Stamp>,
    generations_seen: HashSet<Generation>,
    tokens_seen: HashSet<LeaseToken>,
}

#[derive(Debug)]
struct Entry {
    value: Bytes,
    life: Span,
}

#[derive(Debug)]
struct Held {
    lease: Lease,
    time: Span,
}

/// When something ends.
#[derive(Clone, Copy, Debug)]
struct Span {
    /// Until then it is there.
    earliest: Tick,
    /// From then on it is not.
    latest: Tick,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Presence {
    Absent,
    Certain,
    Possible,
}

impl Oracle {
    pub(super) fn new(rules: Rules) -> Self {
        Self {
            rules,
            entries: BTreeMap::new(),
            leases: BTreeMap::new(),
            generations: BTreeMap::new(),
            generations_seen: HashSet::new(),
            tokens_seen: HashSet::new(),
        }
    }

    /// The id of the entry that was stored last, if it has one.
    pub(super) fn stored_id(&self, key: &Key) -> Option<EntryId> {
        EntryId::peek(&self.entries.get(key)?.value)
    }

    pub(super) fn read(&mut self, window: Window, key: &Key, tags: &[Tag], answer: &Snapshot) {
        self.saw_entry(window, key, answer.value.as_ref());
        assert_eq!(answer.stamps.len(), tags.len(), "one stamp per tag");
        for (tag, stamp) in tags.iter().zip(&answer.stamps) {
            let known = self.generations.get(tag).copied();
            if known == *stamp {
                continue;
            }
            assert!(
                self.rules.may_evict && stamp.is_none(),
                "{tag:?} is {stamp:?}, expected {known:?}"
            );
            self.generations.remove(tag);
        }
    }

    pub(super) fn generations(&mut self, tags: &[Tag], answer: &[Stamp]) {
        assert_eq!(answer.len(), tags.len(), "one stamp per tag");
        for (tag, stamp) in tags.iter().zip(answer) {
            match self.generations.get(tag) {
                Some(known) if known == stamp => {}
                Some(known) => {
                    let evicted = self.rules.may_evict;
                    assert!(evicted, "{tag:?} is {stamp:?}, expected {known:?}");
                    self.saw_new_generation(*tag, *stamp);
                }
                None => self.saw_new_generation(*tag, *stamp),
            }
        }
    }

    pub(super) fn bump(&mut self, tags: &[Tag], answer: &[Stamp]) {
        assert_eq!(answer.len(), tags.len(), "one stamp per tag");
        for (tag, stamp) in tags.iter().zip(answer) {
            self.saw_new_generation(*tag, *stamp);
        }
    }

    pub(super) fn lease(
        &mut self,
        window: Window,
        key: &Key,
        time: Duration,
        dead: Option<EntryId>,
        answer: &LeaseOutcome,
    ) {
        if let LeaseOutcome::Found(value) = answer {
            self.saw_entry(window, key, Some(value));
            let id = EntryId::peek(value);
            assert!(id.is_none() || id != dead, "the dead entry was found");
            return;
        }
        let id = self.stored_id(key);
        if id.is_none() || id != dead {
            // An entry that is there, and not the dead one, would have been found.
            self.saw_entry(window, key, None);
        }
        let held = self.lease_presence(window, key);
        let allowed = match answer {
            LeaseOutcome::Won(_) => held != Presence::Certain,
            _ => held != Presence::Absent,
        };
        assert!(allowed, "lease answers {} while a lease is {held:?} in the model", word(answer));
        if let LeaseOutcome::Won(lease) = answer {
            assert!(self.tokens_seen.insert(lease.token), "a token returned");
            let time = self.span(window, time);
            self.leases.insert(*key, Held { lease: *lease, time });
        }
    }

    pub(super) fn renew(
        &mut self,
        window: Window,
        key: &Key,
        lease: &Lease,
        time: Duration,
        answer: bool,
    ) {
        self.saw_lease(window, key, lease, answer, "renew");
        let time = self.span(window, time);
        if answer && let Some(held) = self.leases.get_mut(key) {
            held.time = time;
        }
    }

    pub(super) fn release(&mut self, window: Window, key: &Key, lease: &Lease, answer: bool) {
        self.saw_lease(window, key, lease, answer, "release");
        if answer {
            self.leases.remove(key);
        }
    }

    pub(super) fn fill(
        &mut self,
        window: Window,
        key: &Key,
        lease: &Lease,
        stored: (&Bytes, Duration),
        answer: FillOutcome,
    ) {
        let filled = answer == FillOutcome::Stored;
        self.saw_lease(window, key, lease, filled, "fill");
        if filled {
            self.store(window, key, stored);
        }
    }

    pub(super) fn put(&mut self, window: Window, key: &Key, stored: (&Bytes, Duration)) {
        self.store(window, key, stored);
    }

    pub(super) fn add(
        &mut self,
        window: Window,
        key: &Key,
        stored: (&Bytes, Duration),
        answer: bool,
    ) {
        self.saw_whether(window, key, !answer, "add");
        if answer {
            self.store(window, key, stored);
        }
    }

    pub(super) fn touch(&mut self, window: Window, key: &Key, life: Duration, answer: bool) {
        self.saw_whether(window, key, answer, "touch");
        let life = self.span(window, life);
        if let Some(entry) = self.entries.get_mut(key) {
            entry.life = life;
        }
    }

    pub(super) fn remove(&mut self, window: Window, key: &Key, answer: bool) {
        self.saw_whether(window, key, answer, "remove");
        self.entries.remove(key);
        self.leases.remove(key);
    }

    pub(super) fn remove_many(&mut self, window: Window, keys: &[Key], answer: u64) {
        let keys: std::collections::BTreeSet<_> = keys.iter().collect();
        let (mut least, mut most) = (0, 0);
        for key in keys {
            let presence = self.entry_presence(window, key);
            least += u64::from(presence == Presence::Certain);
            most += u64::from(presence != Presence::Absent);
            self.entries.remove(key);
            self.leases.remove(key);
        }
        assert!(
            (least..=most).contains(&answer),
            "{answer} entries were removed, expected {least} to {most}"
        );
    }

    /// The contract says what becomes of entries and leases; generations may stay or be lost.
    pub(super) fn clear(&mut self, generations_now: &[(Tag, Option<Stamp>)]) {
        self.entries.clear();
        self.leases.clear();
        for (tag, stamp) in generations_now {
            let known = self.generations.get(tag).copied();
            assert!(
                stamp.is_none() || *stamp == known,
                "{tag:?} is {stamp:?} after clear, expected {known:?} or nothing"
            );
            if stamp.is_none() {
                self.generations.remove(tag);
            }
        }
    }

    fn store(&mut self, window: Window, key: &Key, (value, life): (&Bytes, Duration)) {
        let entry = Entry { value: value.clone(), life: self.span(window, life) };
        self.entries.insert(*key, entry);
        self.leases.remove(key);
    }

    fn span(&self, window: Window, lifetime: Duration) -> Span {
        let Rules { resolution, margin, .. } = self.rules;
        // A store that keeps time by itself may count whole milliseconds and cut the first.
        let grace = margin.min(Duration::from_millis(1));
        Span {
            earliest: window.begin.after(lifetime.saturating_sub(grace)),
            latest: window.end.after(longest(lifetime, resolution) + margin),
        }
    }

    fn presence(&self, window: Window, span: Option<Span>) -> Presence {
        match span {
            Some(span) if window.begin < span.latest => {
                if window.end < span.earliest && !self.rules.may_evict {
                    Presence::Certain
                } else {
                    Presence::Possible
                }
            }
            _ => Presence::Absent,
        }
    }

    fn entry_presence(&self, window: Window, key: &Key) -> Presence {
        self.presence(window, self.entries.get(key).map(|entry| entry.life))
    }

    fn lease_presence(&self, window: Window, key: &Key) -> Presence {
        self.presence(window, self.leases.get(key).map(|held| held.time))
    }

    /// A call showed the entry, or that there is none.
    fn saw_entry(&mut self, window: Window, key: &Key, value: Option<&Bytes>) {
        self.saw_whether(window, key, value.is_some(), "read or lease");
        if let (Some(value), Some(entry)) = (value, self.entries.get(key)) {
            assert!(*value == entry.value, "another value than the stored one");
        }
    }

    /// A call showed whether there is an entry.
    fn saw_whether(&mut self, window: Window, key: &Key, there: bool, verb: &str) {
        let presence = self.entry_presence(window, key);
        if there {
            let possible = presence != Presence::Absent;
            assert!(possible, "{verb} sees an entry where there is none");
        } else {
            let possible = presence != Presence::Certain;
            assert!(possible, "{verb} sees no entry where there is one");
            self.entries.remove(key);
        }
    }

    /// A call showed whether this lease is the one that is held.
    fn saw_lease(&mut self, window: Window, key: &Key, lease: &Lease, held: bool, verb: &str) {
        let known = self.leases.get(key).map(|held| held.lease);
        let presence =
            if known == Some(*lease) { self.lease_presence(window, key) } else { Presence::Absent };
        if held {
            let possible = presence != Presence::Absent;
            assert!(possible, "{verb} accepts a lease that is not held");
        } else {
            let possible = presence != Presence::Certain;
            assert!(possible, "{verb} refuses the lease that is held");
            if known == Some(*lease) {
                self.leases.remove(key);
            }
        }
    }

    fn saw_new_generation(&mut self, tag: Tag, stamp: Stamp) {
        let new = self.generations_seen.insert(stamp.generation);
        assert!(new, "a generation returned: {stamp:?}");
        self.generations.insert(tag, stamp);
    }
}
