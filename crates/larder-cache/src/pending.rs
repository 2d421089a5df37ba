//! Invalidations that the far tier has not acknowledged.
//!
//! Invariant: while an invalidation is pending, this process neither reads from nor fills into
//! the far tier what it concerns; so the process that wrote reads its own writes, whatever state
//! the far tier is in.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use larder_core::{Key, Tag};

/// Beyond this many, everything counts as invalidated until the far tier was cleared.
const PENDING_MAX: usize = 65_536;

#[derive(Debug, Default)]
pub(crate) struct Pending {
    state: Mutex<State>,
    /// The size of the state, so that the common case, nothing pending, costs one load.
    count: AtomicUsize,
}

/// Each with the moment at which it was last added: an acknowledgement covers what was pending
/// when it was asked for, and not the same tag added again meanwhile.
#[derive(Debug, Default)]
struct State {
    tags: BTreeMap<Tag, u64>,
    keys: BTreeMap<Key, u64>,
    everything: Option<u64>,
    moment: u64,
}

/// What is to be invalidated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct What {
    pub(crate) tags: BTreeSet<Tag>,
    pub(crate) keys: BTreeSet<Key>,
    pub(crate) everything: bool,
}

impl Pending {
    /// Adds to what is pending. `true` if nothing was pending before.
    pub(crate) fn add(&self, more: &What) -> bool {
        let mut state = self.lock();
        let was_empty = state.len() == 0;
        state.moment += 1;
        let moment = state.moment;
        state.tags.extend(more.tags.iter().map(|tag| (*tag, moment)));
        state.keys.extend(more.keys.iter().map(|key| (*key, moment)));
        if more.everything || state.len() > PENDING_MAX {
            *state = State { everything: Some(moment), moment, ..State::default() };
        }
        self.count.store(state.len(), Ordering::Release);
        was_empty
    }

    /// What is pending at this moment.
    pub(crate) fn snapshot(&self) -> (What, u64) {
        let state = self.lock();
        let what = What {
            tags: state.tags.keys().copied().collect(),
            keys: state.keys.keys().copied().collect(),
            everything: state.everything.is_some(),
        };
        (what, state.moment)
    }

    /// Takes off what was acknowledged: all that was pending at that moment and was not added
    /// again since. `true` if nothing is pending any more.
    pub(crate) fn acknowledge(&self, moment: u64) -> bool {
        let mut state = self.lock();
        state.tags.retain(|_, added| *added > moment);
        state.keys.retain(|_, added| *added > moment);
        state.everything = state.everything.filter(|added| *added > moment);
        self.count.store(state.len(), Ordering::Release);
        state.len() == 0
    }

    pub(crate) fn len(&self) -> usize {
        self.count.load(Ordering::Acquire)
    }

    /// Whether an entry is concerned.
    pub(crate) fn concerns(&self, key: &Key, tags: &[Tag]) -> bool {
        if self.len() == 0 {
            return false;
        }
        let state = self.lock();
        state.everything.is_some()
            || state.keys.contains_key(key)
            || tags.iter().any(|tag| state.tags.contains_key(tag))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every critical section leaves the state whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn len(&self) -> usize {
        self.tags.len() + self.keys.len() + usize::from(self.everything.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(names: impl IntoIterator<Item = usize>) -> What {
        let tags = names.into_iter().map(|name| Tag::named(&name.to_string())).collect();
        What { tags, ..What::default() }
    }

    #[test]
    fn concerns_what_was_added_until_it_is_acknowledged() {
        let pending = Pending::default();
        let key = Key::object("k");
        assert!(pending.add(&tags([1, 2])));
        assert!(!pending.add(&tags([2, 3])));
        assert!(pending.concerns(&key, &[Tag::named("0"), Tag::named("3")]));
        assert!(!pending.concerns(&key, &[Tag::named("4")]));
        let (what, moment) = pending.snapshot();
        assert_eq!(what, tags([1, 2, 3]));
        assert!(pending.acknowledge(moment));
        assert!(!pending.concerns(&key, &[Tag::named("3")]));
    }

    #[test]
    fn an_acknowledgement_does_not_cover_what_was_added_again_meanwhile() {
        let pending = Pending::default();
        pending.add(&tags([1, 2]));
        let (_, moment) = pending.snapshot();
        pending.add(&tags([2]));
        assert!(!pending.acknowledge(moment));
        let key = Key::object("k");
        assert!(!pending.concerns(&key, &[Tag::named("1")]));
        assert!(pending.concerns(&key, &[Tag::named("2")]));
    }

    #[test]
    fn beyond_the_bound_everything_is_concerned() {
        let pending = Pending::default();
        pending.add(&tags(0..=PENDING_MAX));
        assert_eq!(pending.len(), 1);
        assert!(pending.concerns(&Key::object("any"), &[]));
    }
}
