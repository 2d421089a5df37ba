//! The bytes of a parameter list: in place while they are few, on the heap beyond that.
//!
//! Guards that binding the parameters of most statements allocates nothing and costs a few
//! stores. A general small vector keeps its length and its place in one word and branches on it
//! at every byte; parameters are written once, front to back.

use std::fmt;

/// With its length, one cache line.
const IN_PLACE: usize = 55;

#[derive(Clone)]
pub(crate) struct Buffer {
    len: u8,
    bytes: [u8; IN_PLACE],
    /// All bytes, once there are more than fit in place.
    #[expect(clippy::box_collection, reason = "one word, because a query is moved around")]
    heap: Option<Box<Vec<u8>>>,
}

impl Default for Buffer {
    #[inline(always)]
    fn default() -> Self {
        Self { len: 0, bytes: [0; IN_PLACE], heap: None }
    }
}

impl Buffer {
    #[inline(always)]
    pub(crate) fn as_slice(&self) -> &[u8] {
        match &self.heap {
            None => self.bytes.get(..usize::from(self.len)).unwrap_or_default(),
            Some(heap) => heap,
        }
    }

    /// Adds a head, whose length the compiler knows, and a tail.
    #[inline(always)]
    pub(crate) fn append<const N: usize>(&mut self, head: [u8; N], tail: &[u8]) {
        let start = usize::from(self.len);
        let middle = start + N;
        let end = middle.saturating_add(tail.len());
        if self.heap.is_none()
            && end <= IN_PLACE
            && let Some((head_place, tail_place)) =
                self.bytes.get_mut(start..end).and_then(|place| place.split_first_chunk_mut())
        {
            *head_place = head;
            tail_place.copy_from_slice(tail);
            #[expect(clippy::cast_possible_truncation, reason = "at most IN_PLACE")]
            {
                self.len = end as u8;
            }
        } else {
            self.append_on_heap(&head, tail);
        }
    }

    /// Moves everything from `start` on by the length of `bytes` and puts them there.
    pub(crate) fn insert(&mut self, start: usize, bytes: &[u8]) {
        let heap = self.on_heap();
        let start = start.min(heap.len());
        drop(heap.splice(start..start, bytes.iter().copied()));
    }

    #[cold]
    #[inline(never)]
    fn append_on_heap(&mut self, head: &[u8], tail: &[u8]) {
        let heap = self.on_heap();
        heap.extend_from_slice(head);
        heap.extend_from_slice(tail);
    }

    fn on_heap(&mut self) -> &mut Vec<u8> {
        let in_place = self.bytes.get(..usize::from(self.len)).unwrap_or_default();
        self.heap.get_or_insert_with(|| Box::new(in_place.to_vec()))
    }
}

impl PartialEq for Buffer {
    fn eq(&self, other: &Self) -> bool {
        self.as_slice() == other.as_slice()
    }
}

impl Eq for Buffer {}

impl std::hash::Hash for Buffer {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.as_slice().hash(state);
    }
}

impl fmt::Write for Buffer {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.append([], text.as_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn few_bytes_stay_in_place() {
        let mut buffer = Buffer::default();
        buffer.append([1, 2], &[3; IN_PLACE - 2]);
        assert!(buffer.heap.is_none());
        assert_eq!(buffer.as_slice().len(), IN_PLACE);
        buffer.append([4], &[]);
        assert!(buffer.heap.is_some());
        assert_eq!(buffer.as_slice().len(), IN_PLACE + 1);
    }

    proptest! {
        #[test]
        fn it_holds_what_was_added(parts: Vec<Vec<u8>>, inserted: Vec<u8>, at: prop::sample::Index) {
            let (mut buffer, mut model) = (Buffer::default(), Vec::new());
            for (i, part) in (0_u8..).zip(&parts) {
                buffer.append([i, i], part);
                model.extend_from_slice(&[i, i]);
                model.extend_from_slice(part);
                prop_assert_eq!(buffer.as_slice(), &model[..]);
            }
            let at = at.index(model.len() + 1);
            buffer.insert(at, &inserted);
            model.splice(at..at, inserted);
            prop_assert_eq!(buffer.as_slice(), &model[..]);
        }
    }
}
