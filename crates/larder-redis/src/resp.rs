//! The wire format of requests and answers (RESP2), as far as a hit needs it.
//!
//! Guards two things: nothing is allocated for a length that the bytes do not have, and what was
//! found whole by [`scan`] can be walked by [`Items`] without a look at its end.

use bytes::Bytes;
use redis::Value;

use crate::error::Trouble;

/// The longest value that a server may announce, in bytes: twice what it stores.
const BULK_MAX: usize = 1 << 30;
/// The most elements of a list.
const LIST_MAX: usize = 1 << 20;
/// The deepest nesting; the answers to our commands have two levels.
const DEPTH_MAX: usize = 8;
/// The longest line, which is that of an error.
const LINE_MAX: usize = 64 << 10;

/// Begins a command of so many words.
pub(crate) fn begin(out: &mut Vec<u8>, words: usize) {
    length(out, b'*', words);
}

/// Adds a word to a command.
pub(crate) fn word(out: &mut Vec<u8>, word: &[u8]) {
    length(out, b'$', word.len());
    out.extend_from_slice(word);
    out.extend_from_slice(b"\r\n");
}

/// How many bytes a word takes at most.
pub(crate) const fn word_len_max(word: usize) -> usize {
    word + 25
}

fn length(out: &mut Vec<u8>, kind: u8, mut number: usize) {
    let mut digits = [0; 20];
    let mut begin = digits.len();
    loop {
        begin -= 1;
        #[expect(clippy::cast_possible_truncation, reason = "one digit")]
        let digit = (number % 10) as u8;
        digits[begin] = b'0' + digit;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.push(kind);
    out.extend_from_slice(&digits[begin..]);
    out.extend_from_slice(b"\r\n");
}

/// How far an answer has come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scan {
    /// It ends here.
    Whole(usize),
    /// It is not whole before there are so many bytes, and maybe not then.
    Part(usize),
}

/// Looks for the end of the answer that begins at `begin`.
pub(crate) fn scan(bytes: &[u8], begin: usize) -> Result<Scan, Trouble> {
    // Elements that are still to come, on this and on the levels above.
    let mut open = [0_usize; DEPTH_MAX];
    let mut depth = 0;
    let mut at = begin;
    loop {
        let Some((head, next)) = head(bytes, at)? else {
            return Ok(Scan::Part(bytes.len() + 1));
        };
        at = next;
        match head {
            Head::Bulk(Some(length)) => {
                at += length + 2;
                if bytes.len() < at {
                    return Ok(Scan::Part(at));
                }
                if &bytes[at - 2..at] != b"\r\n" {
                    return Err(MALFORMED);
                }
            }
            Head::List(Some(length)) if length > 0 => {
                depth += 1;
                *open.get_mut(depth).ok_or(MALFORMED)? = length;
                continue;
            }
            Head::Bulk(None) | Head::Line(_) | Head::List(_) => {}
        }
        // An element has ended, and with it maybe the lists that it is the last one of.
        loop {
            if depth == 0 {
                return Ok(Scan::Whole(at));
            }
            open[depth] -= 1;
            if open[depth] > 0 {
                break;
            }
            depth -= 1;
        }
    }
}

const MALFORMED: Trouble = Trouble::Answer("what answers does not speak the protocol of Redis");

/// The first line of an element.
enum Head {
    /// A value of so many bytes, or none.
    Bulk(Option<usize>),
    /// An element that is nothing but its line: a number, a word, an error.
    Line(u8),
    /// A list of so many elements, or none.
    List(Option<usize>),
}

/// Reads the line that begins at `at`, and says where the next one begins.
fn head(bytes: &[u8], at: usize) -> Result<Option<(Head, usize)>, Trouble> {
    let Some(kind) = bytes.get(at) else {
        return Ok(None);
    };
    if !b"$*+-:".contains(kind) {
        return Err(MALFORMED);
    }
    let line = &bytes[at + 1..];
    let Some(end) = line.iter().position(|byte| *byte == b'\r') else {
        return if line.len() > LINE_MAX { Err(MALFORMED) } else { Ok(None) };
    };
    match line.get(end + 1) {
        Some(b'\n') => {}
        Some(_) => return Err(MALFORMED),
        None => return Ok(None),
    }
    let head = match kind {
        b'$' => Head::Bulk(announced(&line[..end], BULK_MAX)?),
        b'*' => Head::List(announced(&line[..end], LIST_MAX)?),
        kind => Head::Line(*kind),
    };
    Ok(Some((head, at + 1 + end + 2)))
}

/// A length, or `None` for −1, which means that there is nothing.
fn announced(digits: &[u8], max: usize) -> Result<Option<usize>, Trouble> {
    if digits == b"-1" {
        return Ok(None);
    }
    if digits.is_empty() || digits.len() > 10 {
        return Err(MALFORMED);
    }
    let mut number = 0_usize;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return Err(MALFORMED);
        }
        number = number * 10 + usize::from(digit - b'0');
    }
    if number <= max { Ok(Some(number)) } else { Err(MALFORMED) }
}

/// One or more whole answers.
#[derive(Clone, Debug)]
pub(crate) struct Answer(pub(crate) Bytes);

/// An element of an answer; the elements of a list follow it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Item<'a> {
    Bulk(&'a [u8]),
    /// The line of an error, without its first character.
    Error(&'a [u8]),
    /// A number or a word, with its first character.
    Line(&'a [u8]),
    List(usize),
    Nil,
}

/// Walks through an answer.
#[derive(Clone, Debug)]
pub(crate) struct Items<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Answer {
    pub(crate) fn items(&self) -> Items<'_> {
        Items { bytes: &self.0, at: 0 }
    }

    /// The part of the answer that an item lent, without copying it.
    pub(crate) fn keep(&self, part: &[u8]) -> Bytes {
        self.0.slice_ref(part)
    }

    /// What comes after so many answers.
    pub(crate) fn skip(&self, count: usize) -> Option<Self> {
        let mut at = 0;
        for _ in 0..count {
            match scan(&self.0, at) {
                Ok(Scan::Whole(end)) => at = end,
                _ => return None,
            }
        }
        Some(Self(self.0.slice(at..)))
    }

    /// The answers as values of their own.
    pub(crate) fn values(&self, count: usize) -> Result<Vec<Value>, Trouble> {
        let mut items = self.items();
        (0..count).map(|_| value(&mut items)).collect()
    }
}

impl<'a> Iterator for Items<'a> {
    type Item = Item<'a>;

    fn next(&mut self) -> Option<Item<'a>> {
        let begin = self.at;
        let (head, next) = head(self.bytes, begin).ok()??;
        self.at = next;
        Some(match head {
            Head::Bulk(None) | Head::List(None) => Item::Nil,
            Head::Bulk(Some(length)) => {
                let bulk = self.bytes.get(next..next + length)?;
                self.at = next + length + 2;
                Item::Bulk(bulk)
            }
            Head::List(Some(length)) => Item::List(length),
            Head::Line(b'-') => Item::Error(self.bytes.get(begin + 1..next - 2)?),
            Head::Line(_) => Item::Line(self.bytes.get(begin..next - 2)?),
        })
    }
}

fn value(items: &mut Items<'_>) -> Result<Value, Trouble> {
    let begin = items.at;
    Ok(match items.next().ok_or(MALFORMED)? {
        Item::Bulk(bytes) => Value::BulkString(bytes.into()),
        Item::List(length) => {
            let elements = (0..length).map(|_| value(items));
            Value::Array(elements.collect::<Result<_, _>>()?)
        }
        Item::Nil => Value::Nil,
        // The crate that has these types is also the one to read them.
        Item::Error(_) | Item::Line(_) => redis::parse_redis_value(&items.bytes[begin..items.at])?,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ANSWERS: &[u8] =
        b"*3\r\n$5\r\na\r\nb!\r\n$-1\r\n*2\r\n:7\r\n$0\r\n\r\n+OK\r\n-ERR no\r\n*-1\r\n*0\r\n:-12\r\n";
    const COUNT: usize = 6;

    fn ends(bytes: &[u8]) -> Vec<usize> {
        let mut ends = Vec::new();
        let mut at = 0;
        while let Ok(Scan::Whole(end)) = scan(bytes, at) {
            ends.push(end);
            at = end;
        }
        ends
    }

    #[test]
    fn answers_are_told_apart_and_become_what_the_crate_makes_of_them() {
        let ends = ends(ANSWERS);
        assert_eq!((ends.len(), ends.last()), (COUNT, Some(&ANSWERS.len())));
        let values = Answer(Bytes::from_static(ANSWERS)).values(COUNT).unwrap();
        let mut begin = 0;
        for (value, end) in values.into_iter().zip(ends) {
            assert_eq!(value, redis::parse_redis_value(&ANSWERS[begin..end]).unwrap());
            begin = end;
        }
    }

    #[test]
    fn a_part_of_an_answer_is_never_whole_and_its_hint_never_too_high() {
        let all = ends(ANSWERS);
        let mut begin = 0;
        for end in all {
            for cut in begin..end {
                match scan(&ANSWERS[..cut], begin) {
                    Ok(Scan::Part(at_least)) => {
                        assert!(cut < at_least && at_least <= end, "{cut}: {at_least}, {end}");
                    }
                    other => panic!("{cut}: {other:?}"),
                }
            }
            begin = end;
        }
    }

    #[test]
    fn what_is_not_the_protocol_is_refused_at_once() {
        for bytes in [
            &b"ERROR\r\n"[..],
            b"HTTP/1.1 400 Bad Request\r\n",
            b"\x15\x03\x01\x00\x02",
            b"$1073741825\r\n",
            b"$99999999999\r\n",
            b"*1048577\r\n",
            b"$-2\r\n",
            b"$+1\r\n",
            b"$\r\n",
            b"$1x\r\n",
            b"$1\rx",
            b"$1\r\nab\r\n",
            b"*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n",
            &[b'+'; LINE_MAX + 2],
        ] {
            let found = scan(bytes, 0);
            assert!(found.is_err(), "{}: {found:?}", bytes.escape_ascii());
        }
    }

    #[test]
    fn commands_are_packed_as_the_crate_packs_them() {
        let words: [&[u8]; 4] = [b"MGET", b"", b"a\r\nb", &[b'x'; 1_234]];
        let mut command = redis::Cmd::new();
        let mut packed = Vec::new();
        begin(&mut packed, words.len());
        for text in words {
            command.arg(text);
            word(&mut packed, text);
        }
        assert_eq!(packed, command.get_packed_command());
    }

    #[test]
    fn answers_can_be_skipped() {
        let answer = Answer(Bytes::from_static(ANSWERS));
        let rest = answer.skip(COUNT - 1).unwrap();
        assert_eq!(rest.values(1).unwrap(), [Value::Int(-12)]);
        assert!(answer.skip(COUNT + 1).is_none());
    }

    #[test]
    fn a_kept_part_is_not_copied() {
        let answer = Answer(Bytes::from_static(b"$5\r\nvalue\r\n"));
        let Some(Item::Bulk(part)) = answer.items().next() else {
            panic!("a value");
        };
        let kept = answer.keep(part);
        assert_eq!(&kept[..], b"value");
        assert_eq!(kept.as_ptr(), part.as_ptr());
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_are_an_answer_a_part_of_one_or_refused(
            bytes in "([*$:+-][0-9]{0,3}|\r\n|[a-z]|\x00|\u{ff}){0,40}",
        ) {
            let bytes = bytes.as_bytes();
            match scan(bytes, 0) {
                Ok(Scan::Whole(end)) => {
                    prop_assert!(0 < end && end <= bytes.len());
                    // What comes behind an answer does not change it, and it can be read.
                    prop_assert_eq!(scan(&bytes[..end], 0).ok(), Some(Scan::Whole(end)));
                    let answer = Answer(Bytes::copy_from_slice(&bytes[..end]));
                    let _ = answer.values(1);
                    prop_assert!(answer.skip(1).is_some());
                }
                Ok(Scan::Part(at_least)) => prop_assert!(at_least > bytes.len()),
                Err(_refused) => {}
            }
        }
    }
}
