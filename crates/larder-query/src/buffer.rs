//! The words of a parameter list: in place while they are few, on the heap beyond that.
//!
//! Guards that binding the parameters of most statements allocates nothing and stays in
//! registers. A query is moved with each parameter that is bound to it, and the compiler takes
//! such moves apart only where nothing is indexed by a variable, nothing may unwind and no
//! address is handed on. Hence the constants that address the words, and hence the calls that
//! take a whole buffer by value.
//!
//! # Format
//! Parameters come in groups of up to eight. A group begins with a word of their tags, one byte
//! each and zero where there is none; the words of their values follow, in order.

use std::mem;

pub(crate) type Word = [u8; 8];

/// How many tags fit into one word.
pub(crate) const GROUP: usize = size_of::<Word>();

/// How many words of values fit in place, behind one word of tags.
const IN_PLACE: usize = 8;

#[derive(Clone, Default)]
pub(crate) struct Buffer {
    words: [Word; 1 + IN_PLACE],
    /// How many words of values are in place.
    used: u32,
    /// How many parameters there are.
    count: u32,
    /// All words, once there are more than fit in place.
    heap: Option<Box<Heap>>,
}

#[derive(Clone)]
struct Heap {
    words: Vec<Word>,
    /// Where the last group begins.
    group: usize,
}

impl Buffer {
    /// How many parameters there are.
    #[inline(always)]
    pub(crate) const fn count(&self) -> usize {
        self.count as usize
    }

    #[cfg(test)]
    pub(crate) const fn is_in_place(&self) -> bool {
        self.heap.is_none()
    }

    #[inline(always)]
    pub(crate) fn as_slice(&self) -> &[u8] {
        match &self.heap {
            None => self.words.get(..=self.used as usize).unwrap_or_default().as_flattened(),
            Some(heap) => heap.words.as_flattened(),
        }
    }

    /// Adds a parameter whose value has a length that the compiler knows.
    #[inline(always)]
    pub(crate) fn push<const N: usize>(&mut self, tag: u8, value: [Word; N]) {
        if self.heap.is_none() && self.count() < GROUP && self.used as usize + N <= IN_PLACE {
            let [tags, ..] = &mut self.words;
            let bit = 8 * self.count;
            *tags = (u64::from_le_bytes(*tags) | u64::from(tag) << bit).to_le_bytes();
            self.count += 1;
            for word in value {
                self.used += 1;
                self.put(word);
            }
        } else {
            let more = with_more(mem::take(self), tag, &value);
            self.replace_taken(more);
        }
    }

    /// Adds a parameter of any length.
    #[inline(always)]
    pub(crate) fn push_long(&mut self, tag: u8, first: Word, rest: &[u8]) {
        let more = with_rest(mem::take(self), tag, first, rest);
        self.replace_taken(more);
    }

    /// Sets what was taken. An assignment would drop what is there, which is nothing any more,
    /// and hand its address on for that.
    #[inline(always)]
    fn replace_taken(&mut self, buffer: Self) {
        mem::forget(mem::replace(self, buffer));
    }

    /// Sets the word at `self.used`, each by a constant of its own.
    #[inline(always)]
    fn put(&mut self, word: Word) {
        match self.used {
            1 => self.words[1] = word,
            2 => self.words[2] = word,
            3 => self.words[3] = word,
            4 => self.words[4] = word,
            5 => self.words[5] = word,
            6 => self.words[6] = word,
            7 => self.words[7] = word,
            _ => self.words[8] = word,
        }
    }

    fn with_words(mut self, tag: u8, len: usize, value: impl Iterator<Item = Word>) -> Self {
        let used = self.used as usize;
        let group = self.count() % GROUP;
        let begins = group == 0 && self.count > 0;
        if self.heap.is_none() && !begins && used + len <= IN_PLACE {
            self.words[0][group] = tag;
            for (place, word) in self.words.iter_mut().skip(1 + used).zip(value) {
                *place = word;
                self.used += 1;
            }
        } else {
            let in_place = self.words.get(..=used).unwrap_or_default();
            let heap = self
                .heap
                .get_or_insert_with(|| Box::new(Heap { words: in_place.to_vec(), group: 0 }));
            if begins {
                heap.group = heap.words.len();
                heap.words.push([0; GROUP]);
            }
            if let Some(tags) = heap.words.get_mut(heap.group) {
                tags[group] = tag;
            }
            heap.words.extend(value);
        }
        self.count += 1;
        self
    }
}

// `extern "C"`, because the compiler then knows, in every crate, that they do not unwind: the only
// panic there could be, that of a list as large as the address space, aborts.

#[expect(improper_ctypes_definitions, reason = "nobody but this file calls it")]
#[inline(never)]
extern "C" fn with_rest(buffer: Buffer, tag: u8, first: Word, rest: &[u8]) -> Buffer {
    let len = 1 + rest.len().div_ceil(size_of::<Word>());
    buffer.with_words(tag, len, [first].into_iter().chain(words_of(rest)))
}

#[cold]
#[expect(improper_ctypes_definitions, reason = "nobody but this file calls it")]
#[inline(never)]
extern "C" fn with_more(buffer: Buffer, tag: u8, value: &[Word]) -> Buffer {
    buffer.with_words(tag, value.len(), value.iter().copied())
}

/// The bytes in words, the last one filled up with zeros.
fn words_of(bytes: &[u8]) -> impl Iterator<Item = Word> {
    bytes.chunks(size_of::<Word>()).map(|chunk| {
        let mut word = Word::default();
        word.iter_mut().zip(chunk).for_each(|(place, byte)| *place = *byte);
        word
    })
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The format, written down in the plainest way.
    fn model(list: &[(u8, Vec<u8>)]) -> Vec<u8> {
        let mut all = Vec::new();
        for group in list.chunks(GROUP) {
            let mut tags = [0; GROUP];
            tags.iter_mut().zip(group).for_each(|(place, (tag, _))| *place = *tag);
            all.extend_from_slice(&tags);
            for (_, value) in group {
                all.extend_from_slice(value);
                all.resize(all.len().next_multiple_of(GROUP), 0);
            }
        }
        all
    }

    #[test]
    fn few_words_stay_in_place() {
        let mut buffer = Buffer::default();
        buffer.push(1, [[2; 8]; 3]);
        buffer.push_long(1, [3; 8], &[4; 32]);
        assert!(buffer.is_in_place());
        buffer.push(5, []);
        assert!(buffer.is_in_place());
        buffer.push(6, [[7; 8]]);
        assert!(!buffer.is_in_place());
        assert_eq!((buffer.as_slice().len(), buffer.count()), (8 * 10, 4));
    }

    #[test]
    fn a_second_group_begins_with_its_own_tags() {
        let mut buffer = Buffer::default();
        (1..=10).for_each(|tag| buffer.push(tag, []));
        assert_eq!(buffer.as_slice(), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0, 0, 0, 0, 0, 0]);
    }

    proptest! {
        #[test]
        fn it_holds_what_was_added(
            parts in prop::collection::vec((1_u8.., 0_usize..3, any::<[u8; 30]>(), 0_usize..30), 0..20),
        ) {
            let (mut buffer, mut list) = (Buffer::default(), Vec::new());
            for (tag, words, bytes, len) in parts {
                let (first, rest) = bytes.split_first_chunk().unwrap();
                match words {
                    0 => buffer.push(tag, []),
                    1 => buffer.push(tag, [*first]),
                    _ => buffer.push_long(tag, *first, rest.get(..len).unwrap_or(rest)),
                }
                let value = match words {
                    0 => &[][..],
                    1 => first,
                    _ => bytes.get(..8 + len).unwrap_or(&bytes),
                };
                list.push((tag, value.to_vec()));
                let model = if list.is_empty() { vec![0; 8] } else { model(&list) };
                prop_assert_eq!(buffer.as_slice(), &model[..]);
                prop_assert_eq!(buffer.count(), list.len());
            }
        }
    }
}
