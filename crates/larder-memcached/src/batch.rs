//! One `get` on the wire and everybody who asked for something in it.
//!
//! Invariant: a value goes to whoever asked for its name. The server echoes the names, in the
//! order in which they were asked for, so an answer that got out of step is noticed.

use smallvec::SmallVec;

use crate::{codec::Payload, name::Name, request::Item};

/// The most names that two callers may share; further ones are asked for once per caller.
const SHARED_MAX: usize = 16;

/// The reads of one `get`.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// All names in a row.
    names: Vec<u8>,
    /// Where each name ends.
    ends: Vec<u32>,
    items: Vec<Option<Item>>,
    shared: SmallVec<[u32; SHARED_MAX]>,
    /// The next name that the server may answer for.
    next: usize,
    parts: Vec<Part>,
}

/// One caller's share of the items.
#[derive(Debug)]
struct Part {
    slot: usize,
    wanted: SmallVec<[u32; 3]>,
}

impl Batch {
    /// Adds what one caller wants and appends the new names to the line.
    pub(crate) fn join(&mut self, slot: usize, reads: &[Name<'_>], line: &mut Vec<u8>) {
        let wanted = reads.iter().map(|name| self.want(name, line)).collect();
        self.parts.push(Part { slot, wanted });
    }

    fn want(&mut self, name: &Name<'_>, line: &mut Vec<u8>) -> u32 {
        let start = line.len();
        line.push(b' ');
        name.write(line);
        let bytes = line.get(start + 1..).unwrap_or_default();
        if name.is_shared() {
            let known = self.shared.iter().find(|index| self.name(**index as usize) == bytes);
            if let Some(index) = known {
                line.truncate(start);
                return *index;
            }
        }
        // A line of four billion names would be a hundred times the memory that is allowed.
        let index = u32::try_from(self.ends.len()).unwrap_or(u32::MAX);
        self.names.extend_from_slice(bytes);
        self.ends.push(u32::try_from(self.names.len()).unwrap_or(u32::MAX));
        if name.is_shared() && self.shared.len() < SHARED_MAX {
            self.shared.push(index);
        }
        index
    }

    fn name(&self, index: usize) -> &[u8] {
        let end = |index: usize| self.ends.get(index).map_or(0, |end| *end as usize);
        let start = index.checked_sub(1).map_or(0, end);
        self.names.get(start..end(index)).unwrap_or_default()
    }

    /// How many bytes of names there are.
    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }

    /// Which of the names this is, of those that the server has not answered or passed over.
    pub(crate) fn recognise(&self, name: &[u8]) -> Option<usize> {
        (self.next..self.ends.len()).find(|index| self.name(*index) == name)
    }

    /// Takes in the value of a name that was recognised.
    pub(crate) fn found(&mut self, index: usize, flags: u32, data: Payload) {
        self.items.resize(self.ends.len(), None);
        self.next = index + 1;
        if let Some(item) = self.items.get_mut(index) {
            *item = Some(Item { flags, data });
        }
    }

    /// Hands the items to the callers: the slot of each and what it wanted, in order.
    pub(crate) fn deliver(&mut self, mut take: impl FnMut(usize, usize, Option<Item>)) {
        self.items.resize(self.ends.len(), None);
        for part in &self.parts {
            for (position, index) in part.wanted.iter().enumerate() {
                let Some(item) = self.items.get_mut(*index as usize) else { continue };
                // Only what is shared is asked for by another caller as well.
                let item = if self.shared.contains(index) { item.clone() } else { item.take() };
                take(part.slot, position, item);
            }
        }
    }

    /// The callers, each once.
    pub(crate) fn slots(&self) -> impl Iterator<Item = usize> {
        self.parts.iter().map(|part| part.slot)
    }

    /// Empties the batch and keeps its memory, unless that is too much to keep.
    pub(crate) fn recycled(mut self) -> Self {
        const KEPT_NAMES: usize = 4_096;

        if self.ends.capacity() > KEPT_NAMES {
            return Self::default();
        }
        self.names.clear();
        self.ends.clear();
        self.items.clear();
        self.shared.clear();
        self.next = 0;
        self.parts.clear();
        self
    }
}

#[cfg(test)]
mod tests {
    use larder_core::{Generation, Key, Tag};

    use super::*;
    use crate::codec::{Decoder, Frame, Input};

    fn entry(key: &Key) -> Name<'_> {
        Name::Entry { namespace: "n", generation: Generation::from_bytes([1; 16]), key }
    }

    fn found(batch: &mut Batch, name: Name<'_>, data: &str) -> bool {
        let mut input = Input::new();
        let text = format!("VALUE {name} 9 {}\r\n{data}\r\n", data.len());
        input.spare()[..text.len()].copy_from_slice(text.as_bytes());
        input.advance(text.len());
        match Decoder::new(1_000).decode(&mut input, |name| batch.recognise(name)) {
            Ok(Some(Frame::Value(head, data))) => {
                batch.found(head.name.unwrap(), 9, data);
                true
            }
            Ok(other) => panic!("{other:?}"),
            Err(_) => false,
        }
    }

    fn delivered(batch: &mut Batch) -> Vec<(usize, usize, Option<Vec<u8>>)> {
        let mut all = Vec::new();
        batch.deliver(|slot, position, item| {
            all.push((slot, position, item.map(|item| item.data.as_slice().to_vec())));
        });
        all
    }

    #[test]
    fn callers_share_what_is_shared_and_nothing_else() {
        let (mut batch, mut line) = (Batch::default(), b"get".to_vec());
        let (a, b, t) = (Key::object("a"), Key::object("b"), Tag::named("t"));
        let (namespace, tag) = (Name::Namespace("n"), Name::Tag { namespace: "n", tag: &t });
        batch.join(3, &[namespace, entry(&a), tag], &mut line);
        batch.join(5, &[namespace, entry(&b), tag], &mut line);
        batch.join(7, &[entry(&a)], &mut line);
        let names = [namespace, entry(&a), tag, entry(&b), entry(&a)];
        let expected: String = names.iter().map(|name| format!(" {name}")).collect();
        assert_eq!(String::from_utf8(line).unwrap(), format!("get{expected}"));

        for (name, data) in [(namespace, "N"), (entry(&a), "A"), (entry(&b), "B")] {
            assert!(found(&mut batch, name, data));
        }
        let some = |data: &str| Some(data.as_bytes().to_vec());
        assert_eq!(
            delivered(&mut batch),
            [
                (3, 0, some("N")),
                (3, 1, some("A")),
                (3, 2, None),
                (5, 0, some("N")),
                (5, 1, some("B")),
                (5, 2, None),
                (7, 0, None),
            ]
        );
    }

    #[test]
    fn a_value_out_of_turn_is_noticed() {
        let mut batch = Batch::default();
        let [a, b, c] = ["a", "b", "c"].map(Key::object);
        batch.join(0, &[entry(&a), entry(&b)], &mut Vec::new());
        assert!(!found(&mut batch, entry(&c), "x"), "nobody asked for it");
        assert!(found(&mut batch, entry(&b), "x"));
        assert!(!found(&mut batch, entry(&a), "x"), "it was passed over");
        assert!(!found(&mut batch, entry(&b), "x"), "it was answered");
    }

    #[test]
    fn more_shared_names_than_are_remembered_are_asked_for_twice() {
        let tags: Vec<_> = (0..40).map(|tag| Tag::named(&format!("{tag}"))).collect();
        let names: Vec<_> = tags.iter().map(|tag| Name::Tag { namespace: "n", tag }).collect();
        let mut batch = Batch::default();
        batch.join(0, &names, &mut Vec::new());
        batch.join(1, &names, &mut Vec::new());
        assert_eq!(batch.ends.len(), 80 - SHARED_MAX);
        for name in names {
            assert!(found(&mut batch, name, "old"));
        }
        let all = delivered(&mut batch);
        assert_eq!(all.len(), 80);
        assert_eq!(all.iter().filter(|(_, _, item)| item.is_some()).count(), 40 + SHARED_MAX);
    }
}
