//! One cached value in the near tier, with everything that decides whether it may be served.

use std::sync::atomic::{AtomicU64, Ordering};

use larder_core::{EntryId, Tag, Tick};
use smallvec::SmallVec;

use crate::{
    Args,
    near::{OVERHEAD_BYTES, Weighted},
    view::{Token, View},
};

/// A value and its conditions. Shared by the near tier and by every caller that was given it.
///
/// The order is that of use: what a hit looks at lies together, behind the reference count that
/// it has to touch anyway.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Entry<T> {
    /// The family's identity; compared because the map knows only a hash.
    family: u64,
    /// Until when a hit needs no further look, in nanoseconds: the expiry, or before that the
    /// moment from which on another process may have invalidated unnoticed for longer than the
    /// staleness bound.
    serve_until: AtomicU64,
    /// In which turn of the view the token was last found current.
    turn: AtomicU64,
    args: SmallVec<[u8; 32]>,
    token: Token,
    tags: Box<[Tag]>,
    /// `None` is a cached absence.
    pub(crate) value: Option<T>,
    expires: Tick,
    /// When it was last known that nobody had invalidated, in nanoseconds.
    confirmed_at: AtomicU64,
    weight: usize,
    /// The far tier's copy of this very value, where there is one.
    pub(crate) far: Option<EntryId>,
}

/// What an entry is made with besides its value.
#[derive(Debug)]
pub(crate) struct Conditions {
    pub(crate) expires: Tick,
    pub(crate) confirmed: Confirmed,
    pub(crate) token: Token,
    /// The size of the encoded value, in bytes.
    pub(crate) weight: usize,
    pub(crate) far: Option<EntryId>,
}

/// The knowledge that, at one moment, nobody had invalidated; and until when that will do.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Confirmed {
    pub(crate) at: Tick,
    pub(crate) until: Tick,
}

impl<T> Entry<T> {
    pub(crate) fn new(
        value: Option<T>,
        family: u64,
        args: Args<'_>,
        conditions: Conditions,
    ) -> Self {
        let Conditions { expires, confirmed, token, weight, far } = conditions;
        Self {
            family,
            serve_until: AtomicU64::new(expires.min(confirmed.until).as_nanos()),
            // Not the present turn: the token may be older.
            turn: AtomicU64::new(u64::MAX),
            args: SmallVec::from_slice(args.bytes),
            token,
            tags: args.tags.into(),
            value,
            expires,
            confirmed_at: AtomicU64::new(confirmed.at.as_nanos()),
            weight,
            far,
        }
    }

    /// An entry that no tier holds.
    pub(crate) fn detached(value: Option<T>) -> Self {
        let conditions = Conditions {
            expires: Tick::default(),
            confirmed: Confirmed::default(),
            token: Token::detached(),
            weight: 0,
            far: None,
        };
        Self::new(value, 0, Args::new(&[]), conditions)
    }

    #[inline(always)]
    pub(crate) fn belongs_to(&self, family: u64, args: Args<'_>) -> bool {
        self.family == family && same(&self.args, args.bytes) && self.tags[..] == *args.tags
    }

    /// Whether the entry is neither expired nor due for confirmation.
    #[inline(always)]
    pub(crate) fn is_settled(&self, now: Tick) -> bool {
        now.as_nanos() < self.serve_until.load(Ordering::Acquire)
    }

    pub(crate) fn is_expired(&self, now: Tick) -> bool {
        self.expires <= now
    }

    /// When it was last known that nobody had invalidated.
    pub(crate) fn confirmed_at(&self) -> Tick {
        Tick::from_nanos(self.confirmed_at.load(Ordering::Acquire))
    }

    /// Postpones the next confirmation.
    pub(crate) fn confirm(&self, confirmed: &Confirmed) {
        self.confirmed_at.fetch_max(confirmed.at.as_nanos(), Ordering::AcqRel);
        let until = confirmed.until.min(self.expires);
        self.serve_until.fetch_max(until.as_nanos(), Ordering::AcqRel);
    }

    /// Whether nothing that the entry depends on was invalidated, as far as this process knows.
    #[inline(always)]
    pub(crate) fn is_current(&self, view: &View) -> bool {
        let turn = view.turn();
        self.turn.load(Ordering::Relaxed) == turn || self.is_current_in(turn, view)
    }

    /// Compares every version. The turn was read before that, so an invalidation meanwhile makes
    /// the next call compare again.
    #[cold]
    #[inline(never)]
    fn is_current_in(&self, turn: u64, view: &View) -> bool {
        let is_current = view.is_current(&self.token);
        if is_current {
            self.turn.store(turn, Ordering::Relaxed);
        }
        is_current
    }

    pub(crate) const fn token(&self) -> &Token {
        &self.token
    }
}

/// Whether two byte strings are equal, word by word.
///
/// A call of the platform's comparison costs more than that, and it reads the arguments, which
/// were written word by word just before, in larger units than the processor can hand over.
#[inline(always)]
fn same(one: &[u8], other: &[u8]) -> bool {
    let ((one_words, one_rest), (other_words, other_rest)) =
        (one.as_chunks::<8>(), other.as_chunks::<8>());
    one.len() == other.len()
        && one_words.iter().zip(other_words).all(|(one, other)| one == other)
        && (one_rest.is_empty() || one_rest == other_rest)
}

impl<T: Send + Sync + 'static> Weighted for Entry<T> {
    fn weight(&self) -> u64 {
        let identity = self.args.len() + size_of_val(&*self.tags);
        OVERHEAD_BYTES.saturating_add(self.weight as u64).saturating_add(identity as u64)
    }
}

#[cfg(test)]
mod tests {
    use larder_core::Key;

    use super::*;

    fn entry(view: &View, tag: &str) -> Entry<()> {
        let conditions = Conditions {
            expires: Tick::NEVER,
            confirmed: Confirmed::default(),
            token: view.token(&Key::object("k"), [Tag::named(tag)].iter()),
            weight: 0,
            far: None,
        };
        Entry::new(Some(()), 1, Args::new(b"k"), conditions)
    }

    #[test]
    fn what_was_found_current_dies_with_its_tag_and_no_other() {
        let view = View::new();
        let (one, other) = (entry(&view, "one"), entry(&view, "other"));
        assert!(one.is_current(&view) && other.is_current(&view));
        view.bump(&[Tag::named("one")]);
        for _ in 0..3 {
            assert!(!one.is_current(&view));
            assert!(other.is_current(&view));
        }
        view.reset();
        assert!(!other.is_current(&view));
    }

    #[test]
    fn an_entry_that_was_dead_on_arrival_is_never_current() {
        let view = View::new();
        let late = entry(&view, "one");
        view.bump(&[Tag::named("one")]);
        assert!(!late.is_current(&view));
        assert!(!Entry::<()>::detached(None).is_current(&view));
    }

    #[test]
    fn byte_strings_are_the_same_only_if_every_byte_is() {
        for len in 0_usize..40 {
            let bytes: Vec<u8> = (0..40).take(len).collect();
            assert!(same(&bytes, &bytes.clone()));
            assert!(!same(&bytes, &[&bytes[..], &[0]].concat()));
            for at in 0..len {
                let mut other = bytes.clone();
                other[at] ^= 0x80;
                assert!(!same(&bytes, &other));
                assert!(!same(&bytes, &bytes[..at]));
            }
        }
    }
}
