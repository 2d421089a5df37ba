//! Why a text can not be cut into statements.

use std::fmt;

use super::Position;

/// Why a text can not be cut into statements. Every kind names its place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SplitError {
    /// A command of the database's client, which the server does not know.
    #[error("{at}: `{command}` is a command of the client, which the server does not know")]
    ClientCommand {
        /// The command.
        command: String,
        /// Where it stands.
        at: Position,
    },
    /// `COPY … FROM STDIN`: its rows follow in the text and are no SQL.
    #[error("{at}: COPY FROM STDIN reads rows from a client; write them as INSERT")]
    CopyFromStdin {
        /// Where the statement begins.
        at: Position,
    },
    /// A `DELIMITER` line that names none, or one that could be a part of a statement.
    #[error("{at}: a delimiter is made of signs such as `//`, `$$` or `;;`")]
    Delimiter {
        /// Where the line begins.
        at: Position,
    },
    /// A NUL, at which databases cut a text off.
    #[error("{at}: a NUL, at which databases cut a text off")]
    Nul {
        /// Where it stands.
        at: Position,
    },
    /// Something that begins and does not end.
    #[error("{at}: {construct} begins here and does not end")]
    Unterminated {
        /// What does not end.
        construct: Construct,
        /// Where it begins.
        at: Position,
    },
}

impl SplitError {
    /// Where the trouble begins.
    #[must_use]
    pub const fn position(&self) -> Position {
        match self {
            Self::ClientCommand { at, .. }
            | Self::CopyFromStdin { at }
            | Self::Delimiter { at }
            | Self::Nul { at }
            | Self::Unterminated { at, .. } => *at,
        }
    }
}

/// What has a beginning and an end in SQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Construct {
    /// The body of a trigger, a routine or an event.
    Body,
    /// `/* … */`, also one that is executed.
    Comment,
    /// `$tag$ … $tag$`.
    DollarQuote,
    /// A name in quotes.
    Name,
    /// A text in quotes.
    Text,
}

impl fmt::Display for Construct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Body => "a body",
            Self::Comment => "a comment",
            Self::DollarQuote => "a dollar quote",
            Self::Name => "a name in quotes",
            Self::Text => "a text in quotes",
        })
    }
}
