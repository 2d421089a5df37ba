//! Invalidations that were acknowledged a short while ago.
//!
//! Invariant: when the far tier turns out to have another history than before, what was
//! acknowledged in the last two minutes is sent once more.
//!
//! An acknowledgement is worth as much as the node that gave it. One that had been replaced and
//! did not know it yet acknowledges what its successor never hears of; and a reader that already
//! knew the successor may have filled it with the old value, under the new epoch. Nobody but the
//! writer can tell, and only afterwards.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use larder_core::{Epoch, Key, Operation, Tag, Tick};

use crate::{cache::Engine, far::Far, invalidation, pending::What};

/// For how long an acknowledged invalidation is remembered; longer than a node that was replaced
/// goes on answering.
const KEPT: Duration = Duration::from_secs(120);
/// How often the far tier is asked for its epoch while anything is remembered.
const PAUSE: Duration = Duration::from_secs(1);
/// Beyond this many, everything counts as invalidated.
const RECENT_MAX: usize = 65_536;

#[derive(Debug, Default)]
pub(crate) struct Recent {
    state: Mutex<State>,
}

/// Each with the moment of its last acknowledgement.
#[derive(Debug, Default)]
struct State {
    tags: BTreeMap<Tag, Tick>,
    keys: BTreeMap<Key, Tick>,
    everything: Option<Tick>,
    is_watched: bool,
    /// The far tier's epoch when it was last asked.
    history: Option<Epoch>,
}

impl Recent {
    /// Asks for the far tier's epoch, if it is not known yet. Done beside the first invalidation,
    /// so that a change right after it is noticed.
    pub(crate) async fn learn_history(&self, far: &Far) {
        if self.lock().history.is_none()
            && let Ok(epoch) = far.insist(Operation::Epoch, far.backend.epoch()).await
        {
            self.lock().history.get_or_insert(epoch);
        }
    }

    /// Remembers what was acknowledged. `true` if nobody watches over it yet; the caller then
    /// has to.
    pub(crate) fn add(&self, what: &What, now: Tick) -> bool {
        let mut state = self.lock();
        state.tags.extend(what.tags.iter().map(|tag| (*tag, now)));
        state.keys.extend(what.keys.iter().map(|key| (*key, now)));
        if what.everything || state.tags.len() + state.keys.len() > RECENT_MAX {
            (state.tags, state.keys) = Default::default();
            state.everything = Some(now);
        }
        !std::mem::replace(&mut state.is_watched, true)
    }

    /// What is remembered at this time; `None`, and no watch any more, if that is nothing.
    fn snapshot(&self, now: Tick) -> Option<What> {
        let mut state = self.lock();
        let is_recent = |then: &Tick| now.since(*then) < KEPT;
        state.tags.retain(|_, then| is_recent(then));
        state.keys.retain(|_, then| is_recent(then));
        state.everything = state.everything.filter(is_recent);
        let what = What {
            tags: state.tags.keys().copied().collect(),
            keys: state.keys.keys().copied().collect(),
            everything: state.everything.is_some(),
        };
        state.is_watched = what != What::default();
        state.is_watched.then_some(what)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every critical section leaves the state whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Watches over what is remembered, until that is nothing or the cache is gone.
pub(crate) async fn watch(engine: Weak<Engine>) {
    loop {
        tokio::time::sleep(PAUSE).await;
        let Some(engine) = engine.upgrade() else {
            return;
        };
        let Some(far) = &engine.far else { return };
        let Some(what) = engine.recent.snapshot(engine.clock.now()) else {
            return;
        };
        send_again_if_changed(&engine, far, &what).await;
    }
}

/// Looks at the far tier's epoch and sends everything again if it changed. While that fails, the
/// change stays to be noticed.
async fn send_again_if_changed(engine: &Engine, far: &Far, what: &What) {
    let Ok(epoch) = far.insist(Operation::Epoch, far.backend.epoch()).await else {
        return;
    };
    if engine.recent.lock().history.is_some_and(|history| history != epoch) {
        if let Err(error) = invalidation::send(far, what).await {
            tracing::debug!(%error, "recent invalidations could not be sent again yet");
            return;
        }
        invalidation::invalidate_here(engine, what);
        tracing::info!("the far tier's history changed; recent invalidations were sent again");
    }
    engine.recent.lock().history = Some(epoch);
}

#[cfg(test)]
mod tests {
    use larder_core::Clock as _;
    use larder_testkit::ManualClock;

    use super::*;

    fn tag(name: &str) -> What {
        What { tags: [Tag::named(name)].into(), ..What::default() }
    }

    #[test]
    fn what_was_acknowledged_is_remembered_for_its_time_and_watched_once() {
        let (clock, recent) = (ManualClock::new(), Recent::default());
        assert!(recent.add(&tag("a"), clock.now()));
        clock.advance(KEPT / 2);
        assert!(!recent.add(&tag("b"), clock.now()));
        clock.advance(KEPT / 2);
        assert_eq!(recent.snapshot(clock.now()), Some(tag("b")));
        clock.advance(KEPT / 2);
        assert_eq!(recent.snapshot(clock.now()), None);
        assert!(recent.add(&tag("c"), clock.now()), "nobody watches any more");
    }

    #[test]
    fn beyond_the_bound_everything_is_remembered() {
        let (clock, recent) = (ManualClock::new(), Recent::default());
        let tags = (0..=RECENT_MAX).map(|name| Tag::named(&name.to_string())).collect();
        recent.add(&What { tags, ..What::default() }, clock.now());
        let everything = What { everything: true, ..What::default() };
        assert_eq!(recent.snapshot(clock.now()), Some(everything));
    }
}
