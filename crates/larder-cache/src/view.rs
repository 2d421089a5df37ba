//! This process's view of what was invalidated: two fixed arrays of versions.
//!
//! Every tag hashes to one slot and every key to one bucket. An invalidation raises the version
//! there, and a near entry lives while its versions are still the ones from before its load
//! began. Two tags in one slot only die together, so the arrays need no map, no eviction and no
//! lock. Invariant: a version never decreases, so an entry that died stays dead.
//!
//! The turn counts the invalidations of all. An entry whose versions were compared in this turn
//! need not be compared again: none has changed. Invariant: a version is raised before the turn
//! is, so who sees a turn sees every version that was raised for it.

use std::sync::atomic::{AtomicU64, Ordering};

use larder_core::{Key, Tag, Tick};
use smallvec::SmallVec;

const SLOTS: u16 = 16_384;
const BUCKETS: u16 = 1_024;

pub(crate) struct View {
    slots: Box<[AtomicU64]>,
    /// Few and dense, because every near hit looks at one.
    buckets: Box<[AtomicU64]>,
    /// Raised by every invalidation, after its versions.
    turn: AtomicU64,
    /// Between these two moments, in nanoseconds, the feed is known to miss no invalidation.
    fed_since: AtomicU64,
    fed_until: AtomicU64,
}

/// The versions that one entry depends on, as they were at one moment.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    bucket: Version,
    tags: SmallVec<[Version; 2]>,
}

/// Where to look and what has to be there: 16 bits of index, 48 bits of version.
///
/// Packed, because a token lies in the cache lines that every near hit reads. At a million
/// invalidations a second, 48 bits last for nine years.
#[derive(Clone, Copy, Debug)]
struct Version(u64);

impl Version {
    const BITS: u32 = 48;
    const MASK: u64 = (1 << Self::BITS) - 1;

    fn of(versions: &[AtomicU64], index: u16) -> Self {
        let version = versions[usize::from(index)].load(Ordering::Acquire);
        Self(u64::from(index) << Self::BITS | version & Self::MASK)
    }

    const fn index(self) -> usize {
        (self.0 >> Self::BITS) as usize
    }

    fn is_current(self, versions: &[AtomicU64]) -> bool {
        let now = versions.get(self.index()).map(|version| version.load(Ordering::Acquire));
        now.is_some_and(|now| now & Self::MASK == self.0 & Self::MASK)
    }
}

/// The tag that stands for the invalidation of single keys.
///
/// A feed carries tags and not keys; one of 1,024 buckets keeps what it has to carry small.
pub(crate) fn bucket_of(key: &Key) -> Tag {
    let [a, b, ..] = *key.digest();
    let mut bytes = BUCKET_TAG;
    [bytes[14], bytes[15]] = [a, b];
    Tag::from_bytes(bytes)
}

/// What bucket tags begin with. Other tags are digests, which do not.
const BUCKET_TAG: [u8; 16] = *b"larder bucket\0\0\0";

/// The index of a tag's slot. Tags are digests, so their first bytes are as good as any hash.
fn slot_of(tag: &Tag) -> u16 {
    let [a, b, ..] = *tag.as_bytes();
    u16::from_be_bytes([a, b]) % SLOTS
}

/// The index of a bucket, if the tag stands for one.
fn bucket_index(tag: &Tag) -> Option<u16> {
    let [head @ .., a, b] = *tag.as_bytes();
    (head == BUCKET_TAG[..14]).then(|| u16::from_be_bytes([a, b]) % BUCKETS)
}

impl View {
    pub(crate) fn new() -> Self {
        let zeros = |len| (0..len).map(|_| AtomicU64::new(0)).collect();
        Self {
            slots: zeros(SLOTS),
            buckets: zeros(BUCKETS),
            turn: AtomicU64::new(0),
            fed_since: AtomicU64::new(u64::MAX),
            fed_until: AtomicU64::new(0),
        }
    }

    /// Remembers the versions that an entry depends on. Taken before its load begins.
    pub(crate) fn token<'t>(&self, key: &Key, tags: impl Iterator<Item = &'t Tag>) -> Token {
        let [a, b, ..] = *key.digest();
        let bucket = Version::of(&self.buckets, u16::from_be_bytes([a, b]) % BUCKETS);
        let tags = tags.map(|tag| Version::of(&self.slots, slot_of(tag)));
        Token { bucket, tags: tags.collect() }
    }

    /// How often anything was invalidated.
    #[inline(always)]
    pub(crate) fn turn(&self) -> u64 {
        self.turn.load(Ordering::Acquire)
    }

    fn next_turn(&self) {
        self.turn.fetch_add(1, Ordering::AcqRel);
    }

    /// Whether nothing that the token covers was invalidated since it was taken.
    pub(crate) fn is_current(&self, token: &Token) -> bool {
        token.bucket.is_current(&self.buckets)
            && token.tags.iter().all(|version| version.is_current(&self.slots))
    }

    /// Invalidates what depends on these tags.
    pub(crate) fn bump(&self, tags: &[Tag]) {
        for tag in tags {
            let version = match bucket_index(tag) {
                Some(bucket) => &self.buckets[usize::from(bucket)],
                None => &self.slots[usize::from(slot_of(tag))],
            };
            version.fetch_add(1, Ordering::AcqRel);
        }
        self.next_turn();
    }

    /// Invalidates everything: every entry depends on a bucket.
    pub(crate) fn reset(&self) {
        for bucket in &self.buckets {
            bucket.fetch_add(1, Ordering::AcqRel);
        }
        self.next_turn();
    }

    /// Makes a token survive its own key's invalidation: raises the key's bucket and returns
    /// `true` if nobody else had raised it since the token was taken.
    pub(crate) fn supersede(&self, token: &mut Token) -> bool {
        let index = token.bucket.index();
        let Some(bucket) = self.buckets.get(index) else {
            return false;
        };
        let before = bucket.fetch_add(1, Ordering::AcqRel);
        self.next_turn();
        let raised = Version((index as u64) << Version::BITS | (before + 1) & Version::MASK);
        let undisturbed = before & Version::MASK == token.bucket.0 & Version::MASK;
        token.bucket = raised;
        undisturbed
    }

    /// Whether the feed vouches for what was confirmed at that moment: it missed nothing since.
    pub(crate) fn is_fed(&self, confirmed: Tick, now: Tick) -> bool {
        self.fed_since.load(Ordering::Acquire) <= confirmed.as_nanos()
            && now.as_nanos() < self.fed_until.load(Ordering::Acquire)
    }

    /// The feed begins, or begins again after a gap. What was confirmed before is on its own.
    pub(crate) fn feed_since(&self, since: Tick) {
        self.fed_until.store(0, Ordering::Release);
        self.fed_since.store(since.as_nanos(), Ordering::Release);
    }

    /// The feed is known to be complete until then.
    pub(crate) fn feed_until(&self, until: Tick) {
        self.fed_until.store(until.as_nanos(), Ordering::Release);
    }
}

impl Token {
    /// The token of an entry that no tier holds.
    pub(crate) fn detached() -> Self {
        Self { bucket: Version(u64::MAX), tags: SmallVec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(view: &View, key: &str, tags: &[Tag]) -> Token {
        view.token(&Key::object(key), tags.iter())
    }

    #[test]
    fn a_token_lives_until_one_of_its_tags_is_bumped() {
        let view = View::new();
        let tags = [Tag::named("a"), Tag::named("b")];
        let both = token(&view, "k", &tags);
        let first = token(&view, "k", &tags[..1]);
        view.bump(&tags[1..]);
        assert!(!view.is_current(&both));
        assert!(view.is_current(&first));
        view.reset();
        assert!(!view.is_current(&first));
    }

    #[test]
    fn a_key_dies_with_its_bucket() {
        let view = View::new();
        let of_key = token(&view, "k", &[]);
        view.bump(&[bucket_of(&Key::object("k"))]);
        assert!(!view.is_current(&of_key));
    }

    #[test]
    fn every_invalidation_begins_a_turn() {
        let view = View::new();
        let mut turns = vec![view.turn()];
        view.bump(&[Tag::named("a")]);
        turns.push(view.turn());
        view.bump(&[bucket_of(&Key::object("k"))]);
        turns.push(view.turn());
        view.reset();
        turns.push(view.turn());
        view.supersede(&mut token(&view, "k", &[]));
        turns.push(view.turn());
        assert!(turns.is_sorted_by(|before, after| before < after), "{turns:?}");
    }

    #[test]
    fn superseding_kills_older_tokens_and_notices_newer_invalidations() {
        let view = View::new();
        let older = token(&view, "k", &[]);
        let mut refresh = token(&view, "k", &[]);
        assert!(view.supersede(&mut refresh));
        assert!(view.is_current(&refresh));
        assert!(!view.is_current(&older));

        let mut disturbed = token(&view, "k", &[]);
        view.bump(&[bucket_of(&Key::object("k"))]);
        assert!(!view.supersede(&mut disturbed));
    }

    #[test]
    fn the_token_of_a_detached_entry_is_never_current() {
        assert!(!View::new().is_current(&Token::detached()));
    }
}
