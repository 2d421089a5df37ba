//! Bytes in, frames out.

use bytes::Bytes;
use memchr::memchr;

use super::{
    Input,
    line::{self, Line, MetaFlags, Parsed},
};

/// The longest line that a server sends: names are short, and so is what it has to say.
const LINE_MAX: usize = 4 * 1024;

/// How much is set aside for a value before its data have arrived.
const TRUSTED_LEN: usize = 1 << 20;

/// A reply, or a part of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    Line(Line),
    Value(ValueHead, Payload),
}

/// What is said about a value in front of its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ValueHead {
    /// What the name was recognised as, where the reply has one.
    pub(crate) name: Option<usize>,
    pub(crate) flags: MetaFlags,
}

/// The data of a value. Short ones need no allocation and are cheap to hand to many.
#[derive(Clone, Debug)]
pub(crate) enum Payload {
    Long(Bytes),
    Short([u8; Self::SHORT_MAX], u8),
}

impl Payload {
    const SHORT_MAX: usize = 32;

    fn new(data: &[u8]) -> Self {
        let mut short = [0; Self::SHORT_MAX];
        match (short.get_mut(..data.len()), u8::try_from(data.len())) {
            (Some(room), Ok(len)) => {
                room.copy_from_slice(data);
                Self::Short(short, len)
            }
            _ => Self::Long(Bytes::copy_from_slice(data)),
        }
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        match self {
            Self::Long(bytes) => bytes,
            Self::Short(bytes, len) => bytes.get(..usize::from(*len)).unwrap_or_default(),
        }
    }

    pub(crate) fn into_bytes(self) -> Bytes {
        match self {
            Self::Long(bytes) => bytes,
            Self::Short(..) => Bytes::copy_from_slice(self.as_slice()),
        }
    }
}

impl PartialEq for Payload {
    fn eq(&self, other: &Self) -> bool {
        self.as_slice() == other.as_slice()
    }
}

impl Eq for Payload {}

/// Why the peer can not be understood any more. The connection is of no further use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Malformed {
    #[error("a value is not followed by the end of its line")]
    End,
    #[error("a line is not one of this protocol")]
    Line,
    #[error("a line has no end")]
    LineLength,
    #[error("a value is one that nobody asked for")]
    Name,
    #[error("a value is longer than the server admits")]
    ValueLength,
}

/// Turns the bytes of one connection into frames.
#[derive(Debug)]
pub(crate) struct Decoder {
    value_len_max: usize,
    pending: Option<Pending>,
}

/// A value whose data have not all arrived.
#[derive(Debug)]
struct Pending {
    head: ValueHead,
    len: usize,
    data: Vec<u8>,
}

impl Decoder {
    /// A decoder that refuses values beyond a length.
    pub(crate) const fn new(value_len_max: usize) -> Self {
        Self { value_len_max, pending: None }
    }

    /// Changes the longest value that is taken.
    pub(crate) const fn set_value_len_max(&mut self, value_len_max: usize) {
        self.value_len_max = value_len_max;
    }

    /// The next frame; `None` if more bytes are needed. After an error there are no more frames.
    /// A value's name is shown to `recognise`, which refuses what nobody asked for.
    pub(crate) fn decode(
        &mut self,
        input: &mut Input,
        recognise: impl FnOnce(&[u8]) -> Option<usize>,
    ) -> Result<Option<Frame>, Malformed> {
        if let Some(pending) = self.pending.take() {
            return self.resume(pending, input);
        }
        let filled = input.filled();
        let window = filled.get(..LINE_MAX).unwrap_or(filled);
        let Some(end) = memchr(b'\n', window) else {
            return if window.len() == LINE_MAX { Err(Malformed::LineLength) } else { Ok(None) };
        };
        let line = filled.get(..end).and_then(|line| line.strip_suffix(b"\r"));
        match line.and_then(line::parse).ok_or(Malformed::Line)? {
            Parsed::Line(line) => {
                input.consume(end + 1);
                Ok(Some(Frame::Line(line)))
            }
            Parsed::Value { name, flags, len } => {
                let len = usize::try_from(len).ok().filter(|len| *len <= self.value_len_max);
                let len = len.ok_or(Malformed::ValueLength)?;
                let name = match name {
                    Some(name) => Some(recognise(name).ok_or(Malformed::Name)?),
                    None => None,
                };
                input.consume(end + 1);
                self.value(ValueHead { name, flags }, len, input)
            }
        }
    }

    fn value(
        &mut self,
        head: ValueHead,
        len: usize,
        input: &mut Input,
    ) -> Result<Option<Frame>, Malformed> {
        if let Some((data, rest)) = input.filled().split_at_checked(len)
            && rest.len() >= 2
        {
            let payload = Payload::new(data);
            end_of_value(rest)?;
            input.consume(len + 2);
            return Ok(Some(Frame::Value(head, payload)));
        }
        let data = Vec::with_capacity(len.min(TRUSTED_LEN));
        self.resume(Pending { head, len, data }, input)
    }

    fn resume(
        &mut self,
        mut pending: Pending,
        input: &mut Input,
    ) -> Result<Option<Frame>, Malformed> {
        let filled = input.filled();
        let taken = filled.len().min(pending.len - pending.data.len());
        pending.data.extend_from_slice(filled.get(..taken).unwrap_or_default());
        input.consume(taken);
        if pending.data.len() < pending.len || input.filled().len() < 2 {
            self.pending = Some(pending);
            return Ok(None);
        }
        end_of_value(input.filled())?;
        input.consume(2);
        let payload = if pending.len <= Payload::SHORT_MAX {
            Payload::new(&pending.data)
        } else {
            Payload::Long(pending.data.into())
        };
        Ok(Some(Frame::Value(pending.head, payload)))
    }
}

fn end_of_value(rest: &[u8]) -> Result<(), Malformed> {
    if rest.starts_with(b"\r\n") { Ok(()) } else { Err(Malformed::End) }
}

#[cfg(test)]
mod tests;
