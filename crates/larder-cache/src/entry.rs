//! One cached value in the near tier, with everything that decides whether it may be served.

use std::sync::atomic::{AtomicU64, Ordering};

use larder_core::{EntryId, Tag, Tick};
use smallvec::SmallVec;

use crate::{
    Args,
    near::{OVERHEAD_BYTES, Weighted},
    view::Token,
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

    #[inline(always)]
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
    use super::*;

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
