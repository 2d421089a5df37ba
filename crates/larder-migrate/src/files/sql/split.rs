//! A text cut into statements.
//!
//! Invariant: the pieces and the rest, put together, are the text; no piece has more than one
//! statement, and none of them is empty.

use larder_model::Dialect;

use super::{Construct, Lexer, Position, SplitError, Token, TokenKind, body::Body};

/// The statements of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statements<'a> {
    /// The statements in their order.
    pub list: Vec<Statement<'a>>,
    /// What follows the last one: spaces and comments.
    pub rest: &'a str,
}

/// A statement of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statement<'a> {
    /// Everything from the end of the statement before it to its own end: comments before it and
    /// the delimiter are in here.
    pub piece: &'a str,
    /// What stands before it in its piece: spaces, comments, delimiters without a statement.
    pub lead: &'a str,
    /// What the server is to run: from its first word on, without a delimiter.
    pub text: &'a str,
    /// The byte at which it begins in the whole text.
    pub start: usize,
    /// The place at which it begins.
    pub position: Position,
}

/// Cuts a text into statements as the database's own client does it.
///
/// Text and names in quotes, dollar quotes, comments, bodies of triggers and routines, and
/// `DELIMITER` lines of the MySQL family are understood; comments that MySQL and MariaDB execute
/// (`/*!50003 … */`) are statements or parts of them. Nothing is checked beyond that: what the
/// server would refuse comes out as it is.
///
/// ```
/// use larder_migrate::split;
/// use larder_model::Dialect;
///
/// let statements = split("SELECT ';'; -- one\nSELECT 2;", Dialect::Sqlite)?;
/// let texts: Vec<_> = statements.list.iter().map(|statement| statement.text).collect();
/// assert_eq!(texts, ["SELECT ';'", "SELECT 2"]);
/// # Ok::<(), larder_migrate::SplitError>(())
/// ```
///
/// # Errors
/// Whatever begins and does not end, rows behind `COPY … FROM STDIN`, commands of a client, and
/// NULs, each with its place.
pub fn split(text: &str, dialect: Dialect) -> Result<Statements<'_>, SplitError> {
    let mut splitter = Splitter {
        text,
        lexer: Lexer::new(text, dialect),
        dialect,
        piece: 0,
        known: Place { byte: 0, position: Position { line: 1, column: 1 } },
        list: Vec::new(),
        current: Current::new(dialect),
    };
    if text.starts_with('\u{feff}') {
        splitter.lexer.skip_to('\u{feff}'.len_utf8());
    }
    splitter.run()?;
    Ok(Statements { rest: &text[splitter.piece..], list: splitter.list })
}

#[derive(Debug)]
struct Splitter<'a> {
    text: &'a str,
    lexer: Lexer<'a>,
    dialect: Dialect,
    /// Where the current piece begins.
    piece: usize,
    /// A place that has been counted already, so that lines are counted once.
    known: Place,
    list: Vec<Statement<'a>>,
    current: Current<'a>,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    byte: usize,
    position: Position,
}

/// What has been read of a statement.
#[derive(Debug)]
struct Current<'a> {
    body: Body<'a>,
    /// The bytes of its first and behind its last significant token.
    extent: Option<(usize, usize)>,
    copy: FromStdin,
}

/// How much of `COPY … FROM STDIN` has been read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FromStdin {
    Copy,
    From,
    No,
    Start,
    Stdin,
}

impl Current<'_> {
    fn new(dialect: Dialect) -> Self {
        Self { body: Body::new(dialect), extent: None, copy: FromStdin::Start }
    }
}

impl<'a> Splitter<'a> {
    fn run(&mut self) -> Result<(), SplitError> {
        loop {
            if self.current.extent.is_none() && self.delimiter_line()? {
                continue;
            }
            let Some(token) = self.lexer.next()? else { break };
            if !token.is_significant() {
                continue;
            }
            let in_body = self.current.body.is_open() && !self.lexer.has_own_delimiter();
            let within = in_body || self.lexer.is_in_comment();
            if token.kind == TokenKind::Delimiter && !within {
                self.finish(self.lexer.at())?;
            } else {
                self.take(token)?;
            }
        }
        if self.current.body.is_unfinished() && !self.lexer.has_own_delimiter() {
            let start = self.current.extent.map_or(0, |(start, _)| start);
            let at = Position::of(self.text, start);
            return Err(SplitError::Unterminated { construct: Construct::Body, at });
        }
        if let Some((_, end)) = self.current.extent {
            self.finish(end)?;
        }
        Ok(())
    }

    fn take(&mut self, token: Token<'a>) -> Result<(), SplitError> {
        let end = token.start + token.text.len();
        match &mut self.current.extent {
            None => {
                self.refuse_client_command(&token)?;
                self.current.extent = Some((token.start, end));
            }
            Some((_, last)) => *last = end,
        }
        self.current.body.feed(token);
        self.current.copy = match self.current.copy {
            FromStdin::Start if token.is("COPY") => FromStdin::Copy,
            FromStdin::Start => FromStdin::No,
            FromStdin::Copy if token.is("FROM") => FromStdin::From,
            FromStdin::From if token.is("STDIN") => FromStdin::Stdin,
            FromStdin::From => FromStdin::Copy,
            state => state,
        };
        Ok(())
    }

    /// Ends the statement, if there is one, and with it a piece at this byte.
    fn finish(&mut self, piece_end: usize) -> Result<(), SplitError> {
        let current = std::mem::replace(&mut self.current, Current::new(self.dialect));
        // A delimiter without a statement belongs to the next piece.
        let Some((start, end)) = current.extent else { return Ok(()) };
        let position = self.position(start);
        if current.copy == FromStdin::Stdin && self.dialect == Dialect::Postgres {
            return Err(SplitError::CopyFromStdin { at: position });
        }
        let piece = &self.text[self.piece..piece_end];
        let lead = &self.text[self.piece..start];
        self.list.push(Statement { piece, lead, text: &self.text[start..end], start, position });
        self.piece = piece_end;
        Ok(())
    }

    /// Reads a `DELIMITER` line, if the next line is one.
    fn delimiter_line(&mut self) -> Result<bool, SplitError> {
        let (at, length) = (self.lexer.at(), "DELIMITER".len());
        let rest = &self.text[at..];
        let is_line = matches!(self.dialect, Dialect::MariaDb | Dialect::MySql)
            && !self.lexer.is_in_comment()
            && self.text[..at]
                .chars()
                .next_back()
                .is_none_or(|before| before.is_ascii_whitespace())
            && rest.get(..length).is_some_and(|word| word.eq_ignore_ascii_case("DELIMITER"))
            && rest[length..].chars().next().is_none_or(|after| after.is_ascii_whitespace());
        if !is_line {
            return Ok(false);
        }
        let line = rest.split('\n').next().unwrap_or_default();
        // As in the client, what follows a space is not read.
        let delimiter = line[length..].split_ascii_whitespace().next().unwrap_or_default();
        if !is_delimiter(delimiter) {
            return Err(SplitError::Delimiter { at: self.position(at) });
        }
        self.lexer.set_delimiter(Some(delimiter).filter(|delimiter| *delimiter != ";"));
        self.lexer.skip_to(at + line.len());
        Ok(true)
    }

    /// Refuses what psql, the shell of SQLite and MySQL's client do themselves.
    fn refuse_client_command(&mut self, token: &Token<'_>) -> Result<(), SplitError> {
        let is_command = match self.dialect {
            Dialect::Sqlite => token.is_sign("."),
            _ => token.is_sign("\\"),
        };
        if !is_command {
            return Ok(());
        }
        let line = self.text[token.start..].split(char::is_whitespace).next().unwrap_or_default();
        let command = line.chars().take(32).collect();
        Err(SplitError::ClientCommand { command, at: self.position(token.start) })
    }

    /// The place of a byte that lies behind those that were asked for before.
    fn position(&mut self, byte: usize) -> Position {
        let between = &self.text[self.known.byte..byte];
        let lines = between.matches('\n').count();
        let position = match between.rfind('\n') {
            None => Position {
                column: self.known.position.column + between.chars().count(),
                ..self.known.position
            },
            Some(newline) => Position {
                line: self.known.position.line + lines,
                column: between[newline + 1..].chars().count() + 1,
            },
        };
        self.known = Place { byte, position };
        position
    }
}

/// Whether nothing of a statement can be taken for this delimiter by accident.
fn is_delimiter(text: &str) -> bool {
    let is_sign = |byte: u8| {
        byte.is_ascii_punctuation() && !matches!(byte, b'\'' | b'"' | b'`' | b'\\' | b'#' | b'_')
    };
    !text.is_empty()
        && text.bytes().all(is_sign)
        && !["--", "/*", "*/"].iter().any(|comment| text.contains(comment))
}

#[cfg(test)]
mod tests;
