//! The generations of the tags, as many as the configuration allows.
//!
//! Invariant: creating a missing generation and bumping one exclude each other, per tag. moka's
//! own "get or insert" lets an insertion that began before a bump end after it, which would take
//! the bump back.

use std::sync::{Mutex, PoisonError};

use larder_core::{Generation, Tag};
use moka::{policy::EvictionPolicy, sync::Cache};

/// How many locks there are; two tags with one lock only wait for each other.
const LOCKS: usize = 64;

/// The generations of one backend. A tag that was forgotten is missing, which is a miss for all
/// that depends on it; the generation that it gets later is another.
#[derive(Debug)]
pub(crate) struct Generations {
    /// Least recently used goes first: a policy that weighs popularity might turn away the very
    /// generation that a loader is about to depend on.
    cache: Cache<Tag, Generation>,
    locks: Box<[Mutex<()>]>,
}

impl Generations {
    pub(crate) fn new(tags_max: u64) -> Self {
        let cache = Cache::builder()
            .name("larder generations")
            .max_capacity(tags_max)
            .eviction_policy(EvictionPolicy::lru())
            .build();
        Self { cache, locks: (0..LOCKS).map(|_| Mutex::new(())).collect() }
    }

    pub(crate) fn get(&self, tag: &Tag) -> Option<Generation> {
        self.cache.get(tag)
    }

    pub(crate) fn get_or_create(&self, tag: Tag) -> Generation {
        if let Some(known) = self.cache.get(&tag) {
            return known;
        }
        self.locked(tag, || {
            self.cache.get(&tag).unwrap_or_else(|| {
                let created = Generation::random();
                self.cache.insert(tag, created);
                created
            })
        })
    }

    pub(crate) fn bump(&self, tag: Tag) -> Generation {
        self.locked(tag, || {
            let bumped = Generation::random();
            self.cache.insert(tag, bumped);
            bumped
        })
    }

    fn locked<T>(&self, tag: Tag, change: impl FnOnce() -> T) -> T {
        let [first, ..] = *tag.as_bytes();
        // A byte modulo the number of locks is always within them.
        let lock = &self.locks[usize::from(first) % LOCKS];
        // The lock guards no data of its own, so a panic elsewhere does not taint it.
        let _guard = lock.lock().unwrap_or_else(PoisonError::into_inner);
        change()
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Barrier, thread};

    use super::*;

    #[test]
    fn a_creation_never_undoes_a_bump() {
        let tags: Vec<_> = (0..20_000).map(|n| Tag::named(&format!("tag {n}"))).collect();
        let generations = Generations::new(100_000);
        let start = Barrier::new(2);
        let bumped = thread::scope(|scope| {
            scope.spawn(|| {
                start.wait();
                for tag in &tags {
                    generations.get_or_create(*tag);
                }
            });
            start.wait();
            tags.iter().map(|tag| generations.bump(*tag)).collect::<Vec<_>>()
        });
        for (tag, bumped) in tags.iter().zip(bumped) {
            assert_eq!(generations.get(tag), Some(bumped));
        }
    }
}
