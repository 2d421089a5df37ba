//! What is sent on one connection, and what comes back.
//!
//! A request is any number of commands followed by any number of names to read. The reads of all
//! callers go into one `get`, which a server answers twice as fast as as many single commands.

use bytes::Bytes;
use smallvec::SmallVec;

use crate::{
    codec::{Line, MetaFlags, Payload},
    error::Trouble,
    name::Name,
};

/// How the reply to one command ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expect {
    /// With `END`, after at most one value.
    Gets,
    /// With its only line or value.
    One,
    /// With `END`, after lines about the server.
    Stats,
}

/// Commands and reads for one server.
#[derive(Clone, Debug, Default)]
pub(crate) struct Request<'a> {
    pub(crate) commands: Vec<u8>,
    /// What is expected of each command, and where it ends.
    pub(crate) expect: SmallVec<[(Expect, usize); 2]>,
    pub(crate) reads: SmallVec<[Name<'a>; 3]>,
}

/// The reply to a request, in its order.
#[derive(Debug, Default)]
pub(crate) struct Reply {
    /// Empty for a request that only reads, which so needs no allocation for them.
    pub(crate) answers: Vec<Answer>,
    pub(crate) items: SmallVec<[Option<Item>; 3]>,
}

/// The reply to one command.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    Line(Line),
    Stats(Vec<(Box<str>, Box<str>)>),
    Value(MetaFlags, Bytes),
}

/// An item that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) flags: u32,
    pub(crate) data: Payload,
}

impl<'a> Request<'a> {
    pub(crate) fn read(name: Name<'a>) -> Self {
        Self::default().with_read(name)
    }

    pub(crate) fn with_read(mut self, name: Name<'a>) -> Self {
        self.reads.push(name);
        self
    }

    /// Adds a command of one line.
    pub(crate) fn with_line(mut self, line: std::fmt::Arguments<'_>, expect: Expect) -> Self {
        self.line(line);
        self.expect.push((expect, self.commands.len()));
        self
    }

    /// Adds a command of one line and a block of data, which may come in pieces.
    pub(crate) fn with_data(mut self, line: std::fmt::Arguments<'_>, data: &[&[u8]]) -> Self {
        let len: usize = data.iter().map(|part| part.len()).sum();
        self.commands.reserve(len + 160);
        self.line(line);
        for part in data {
            self.commands.extend_from_slice(part);
        }
        self.commands.extend_from_slice(b"\r\n");
        self.expect.push((Expect::One, self.commands.len()));
        self
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        use std::io::Write as _;

        // Writing into memory does not fail.
        let _ = self.commands.write_fmt(line);
        self.commands.extend_from_slice(b"\r\n");
    }
}

impl Reply {
    /// Takes the replies to the commands one by one. A missing one is our own mistake, which ends
    /// as an error instead of a panic.
    pub(crate) fn next_answer(&mut self) -> Result<Answer, Trouble> {
        if self.answers.is_empty() {
            return Err(Trouble::Protocol("a reply is missing"));
        }
        Ok(self.answers.remove(0))
    }

    /// Takes the reply to a command that is answered by one line.
    pub(crate) fn next_line(&mut self) -> Result<Line, Trouble> {
        match self.next_answer()? {
            Answer::Line(Line::ServerError(message)) => Err(Trouble::server(&message)),
            Answer::Line(line) => Ok(line),
            Answer::Stats(_) | Answer::Value(..) => Err(UNEXPECTED),
        }
    }
}

/// The reply has a form that this command does not have.
pub(crate) const UNEXPECTED: Trouble = Trouble::Protocol("the reply is none to this request");
