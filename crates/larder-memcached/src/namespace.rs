//! Which entries of a namespace are valid on one server, and whose history the server has.
//!
//! Each server holds one item per namespace: 16 random bytes that name the server's history, and
//! 16 that name the current generation of the namespace. It is read with every request, in the
//! same round trip.
//!
//! **Epoch.** Memcached has no run id. The item takes its place: it never expires, and whoever
//! finds it missing makes a new one with `add`, so that of many exactly one is made and all see
//! it. A server that was restarted has lost the item together with everything else, so its epoch
//! is another: tokens of leases from before, whose numbers the server hands out again, are
//! refused, and so is every entry and every tag's stamp that another server still holds.
//! `flush_all` has the same effect without breaking a connection, because the item is read anew
//! with each request. The item is used by every request, which makes it the last that a full
//! server evicts; if it happens all the same, the namespace starts over on that server: misses,
//! and never an old value. Process id and start time, which the server tells, would be worse:
//! both repeat where containers are restarted.
//!
//! **Clear.** The generation of the namespace is mixed into the name of every entry. `clear` changes
//! it, and nobody asks for the old names any more; the server drops what is there in its own
//! time. Entries are asked for under the generation that was seen last, together with the item
//! itself; if that says something else, the request is made again.

use larder_core::{Epoch, Generation};

/// The length of the item, in bytes.
const LEN: usize = 32;

/// What the item says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct View {
    /// The server's history.
    pub(crate) epoch: Epoch,
    /// The generation of the namespace.
    pub(crate) generation: Generation,
}

impl View {
    /// The beginning of a new history.
    pub(crate) fn random() -> Self {
        Self { epoch: Epoch::random(), generation: Generation::random() }
    }

    /// The same history, with nothing in the namespace.
    pub(crate) fn cleared(self) -> Self {
        Self { generation: Generation::random(), ..self }
    }

    /// Reads the item; `None` for anything that is not one.
    pub(crate) fn parse(data: &[u8]) -> Option<Self> {
        let (epoch, generation) = data.split_first_chunk::<16>()?;
        let generation = Generation::from_slice(generation)?;
        Some(Self { epoch: Epoch::from_bytes(*epoch), generation })
    }

    pub(crate) fn encode(&self) -> [u8; LEN] {
        let mut data = [0; LEN];
        let (epoch, generation) = data.split_at_mut(LEN / 2);
        epoch.copy_from_slice(self.epoch.as_bytes());
        generation.copy_from_slice(self.generation.as_bytes());
        data
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_encoded_is_read_and_nothing_else() {
        let view = View::random();
        assert_eq!(View::parse(&view.encode()), Some(view));
        for len in [0, 1, 16, 31, 33, 4_096] {
            assert_eq!(View::parse(&vec![7; len]), None, "{len} bytes");
        }
    }

    #[test]
    fn clearing_keeps_the_history() {
        let view = View::random();
        assert_eq!(view.cleared().epoch, view.epoch);
        assert_ne!(view.cleared().generation, view.generation);
    }
}
