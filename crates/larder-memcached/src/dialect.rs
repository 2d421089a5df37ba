//! The commands that change one item, in both dialects of the protocol.

use std::fmt;

use bytes::Bytes;

use crate::{
    codec::Line,
    error::Trouble,
    item::{Content, LeaseRecord, RECORD_LEN},
    name::Name,
    request::{Answer, Expect, Request, UNEXPECTED},
};

/// Which commands a server gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Classic,
    Meta,
}

/// Under which condition an item is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    Absent,
    Always,
    /// It still has this compare-and-swap number, which is not zero: zero means "always" to
    /// servers.
    Unchanged(u64),
}

/// What is stored.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stored<'a> {
    pub(crate) flags: u32,
    /// Seconds to live, or a date in Unix seconds if it is beyond thirty days; zero is for ever.
    pub(crate) exptime: u64,
    pub(crate) data: &'a [&'a [u8]],
}

/// What became of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// There is such an item, and there should be none.
    Exists,
    /// The item is not the expected one.
    Differs,
    Done {
        /// The new number, where the server tells it.
        cas: Option<u64>,
    },
    Missing,
}

/// An item that was looked at.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) cas: u64,
    pub(crate) flags: u32,
    /// Everything that is stored, records included.
    pub(crate) data: Bytes,
    pub(crate) content: Content,
    /// Seconds to live, where the server tells them.
    pub(crate) ttl_seconds: Option<u64>,
    /// The server gave the caller the right to fill the item.
    pub(crate) won: bool,
}

impl Dialect {
    /// Stores an item under a condition.
    pub(crate) fn store<'a>(
        self,
        request: Request<'a>,
        name: &Name<'_>,
        condition: Condition,
        content: Stored<'_>,
    ) -> Request<'a> {
        let Stored { flags, exptime, data } = content;
        let len: usize = data.iter().map(|part| part.len()).sum();
        let line = |line: fmt::Arguments<'_>| request.with_data(line, data);
        match (self, condition) {
            (Self::Meta, Condition::Always) => {
                line(format_args!("ms {name} {len} F{flags} T{exptime}"))
            }
            (Self::Meta, Condition::Absent) => {
                line(format_args!("ms {name} {len} F{flags} T{exptime} ME"))
            }
            (Self::Meta, Condition::Unchanged(cas)) => {
                line(format_args!("ms {name} {len} F{flags} T{exptime} C{cas} c"))
            }
            (Self::Classic, Condition::Always) => {
                line(format_args!("set {name} {flags} {exptime} {len}"))
            }
            (Self::Classic, Condition::Absent) => {
                line(format_args!("add {name} {flags} {exptime} {len}"))
            }
            (Self::Classic, Condition::Unchanged(cas)) => {
                line(format_args!("cas {name} {flags} {exptime} {len} {cas}"))
            }
        }
    }

    /// Looks at an item.
    pub(crate) fn inspect<'a>(self, request: Request<'a>, name: &Name<'_>) -> Request<'a> {
        match self {
            Self::Meta => request.with_line(format_args!("mg {name} c f t v"), Expect::One),
            Self::Classic => request.with_line(format_args!("gets {name}"), Expect::Gets),
        }
    }

    /// Looks whether an item is an entry, at the price of its data only where there is no other
    /// way.
    pub(crate) fn peek<'a>(self, request: Request<'a>, name: &Name<'_>) -> Request<'a> {
        match self {
            Self::Meta => request.with_line(format_args!("mg {name} c f"), Expect::One),
            Self::Classic => self.inspect(request, name),
        }
    }

    /// Removes an item.
    pub(crate) fn delete<'a>(self, request: Request<'a>, name: &Name<'_>) -> Request<'a> {
        match self {
            Self::Meta => request.with_line(format_args!("md {name}"), Expect::One),
            Self::Classic => request.with_line(format_args!("delete {name}"), Expect::One),
        }
    }

    /// Removes an item that still has this number.
    pub(crate) fn delete_unchanged<'a>(
        self,
        request: Request<'a>,
        name: &Name<'_>,
        cas: u64,
    ) -> Request<'a> {
        match self {
            Self::Meta => request.with_line(format_args!("md {name} C{cas}"), Expect::One),
            // An item that is stored in order to be expired at once.
            Self::Classic => request.with_data(format_args!("cas {name} 0 -1 0 {cas}"), &[]),
        }
    }
}

/// The right to fill an item that is not there, for so many seconds; else the item. Meta only.
pub(crate) fn vivify<'a>(request: Request<'a>, name: &Name<'_>, exptime: u64) -> Request<'a> {
    request.with_line(format_args!("mg {name} N{exptime} c f t v"), Expect::One)
}

/// Puts a lease behind an entry without sending the entry, whose lifetime stays. Meta only.
pub(crate) fn append_lease<'a>(
    request: Request<'a>,
    name: &Name<'_>,
    cas: u64,
    lease: LeaseRecord,
) -> Request<'a> {
    let line = format_args!("ms {name} {RECORD_LEN} MA C{cas} c");
    request.with_data(line, &[&lease.encode()])
}

impl Change {
    pub(crate) fn of(line: Line) -> Result<Self, Trouble> {
        match line {
            Line::MetaSuccess(flags) => Ok(Self::Done { cas: flags.cas }),
            Line::Deleted | Line::Stored => Ok(Self::Done { cas: None }),
            Line::Exists => Ok(Self::Differs),
            Line::NotFound => Ok(Self::Missing),
            Line::NotStored => Ok(Self::Exists),
            Line::ServerError(message) => Err(Trouble::server(&message)),
            _ => Err(UNEXPECTED),
        }
    }
}

impl Seen {
    /// What a look at an item showed; `None` if there is none.
    pub(crate) fn of(answer: Answer) -> Result<Option<Self>, Trouble> {
        let (flags, data) = match answer {
            Answer::Value(flags, data) => (flags, data),
            Answer::Line(Line::End | Line::MetaMiss) => return Ok(None),
            Answer::Line(Line::ServerError(message)) => return Err(Trouble::server(&message)),
            _ => return Err(UNEXPECTED),
        };
        let client_flags = flags.client_flags.ok_or(UNEXPECTED)?;
        Ok(Some(Self {
            cas: flags.cas.ok_or(UNEXPECTED)?,
            flags: client_flags,
            content: Content::parse(client_flags, data.clone()),
            data,
            ttl_seconds: flags.ttl_seconds,
            won: flags.won,
        }))
    }
}

/// What [`Dialect::peek`] showed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peek {
    pub(crate) cas: u64,
    pub(crate) is_entry: bool,
}

impl Peek {
    /// What a look showed; `None` if there is nothing.
    pub(crate) fn of(answer: Answer) -> Result<Option<Self>, Trouble> {
        match answer {
            Answer::Line(Line::MetaSuccess(flags)) => Ok(Some(Self {
                cas: flags.cas.ok_or(UNEXPECTED)?,
                is_entry: flags.client_flags.ok_or(UNEXPECTED)? > 0,
            })),
            other => Ok(Seen::of(other)?.map(|seen| Self {
                cas: seen.cas,
                is_entry: matches!(seen.content, Content::Entry(_)),
            })),
        }
    }
}
