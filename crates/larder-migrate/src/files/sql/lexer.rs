//! The pieces that a text of SQL consists of, per database.
//!
//! Invariant: the tokens of a text, put together, are the text; each of them is cut at characters'
//! borders, and nothing is looked at twice more often than it is long.

use larder_model::Dialect;

use super::{Construct, Position, SplitError};

/// A piece of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    pub(crate) kind: TokenKind,
    pub(crate) text: &'a str,
    /// The byte at which it begins.
    pub(crate) start: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenKind {
    Comment,
    /// What ends a statement: `;`, or what a `DELIMITER` line says.
    Delimiter,
    /// The end of a comment that MySQL executes.
    ExecutableEnd,
    /// The beginning of a comment that MySQL executes: `/*!50003`.
    ExecutableStart,
    /// A name in quotes.
    Name,
    Number,
    /// Any other single character.
    Sign,
    Space,
    /// A text in quotes of whatever kind.
    Text,
    Word,
}

impl Token<'_> {
    /// Whether it is this word, in whatever case.
    pub(crate) fn is(&self, word: &str) -> bool {
        self.kind == TokenKind::Word && self.text.eq_ignore_ascii_case(word)
    }

    pub(crate) fn is_any(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.is(word))
    }

    pub(crate) fn is_sign(&self, sign: &str) -> bool {
        self.kind == TokenKind::Sign && self.text == sign
    }

    /// Whether the server reads it as a part of a statement.
    pub(crate) const fn is_significant(&self) -> bool {
        !matches!(self.kind, TokenKind::Comment | TokenKind::Space)
    }
}

/// The tokens of a single statement that the server reads, without the frames of comments that it
/// executes. Stops at what it can not read.
pub(crate) fn significant(statement: &str, dialect: Dialect) -> Vec<Token<'_>> {
    let mut lexer = Lexer::new(statement, dialect);
    let frame = |kind| matches!(kind, TokenKind::ExecutableEnd | TokenKind::ExecutableStart);
    std::iter::from_fn(|| lexer.next().ok().flatten())
        .filter(|token| token.is_significant() && !frame(token.kind))
        .collect()
}

/// Reads a text token by token.
#[derive(Debug)]
pub(crate) struct Lexer<'a> {
    text: &'a str,
    at: usize,
    dialect: Dialect,
    /// What ends a statement instead of `;`.
    delimiter: Option<&'a str>,
    /// Where the comments begin whose insides are read as SQL.
    executable: Vec<usize>,
    /// Whether the last word was `AS`: a dollar quote may follow on MySQL.
    after_as: bool,
}

impl<'a> Lexer<'a> {
    pub(crate) const fn new(text: &'a str, dialect: Dialect) -> Self {
        Self { text, at: 0, dialect, delimiter: None, executable: Vec::new(), after_as: false }
    }

    /// The byte at which the next token begins.
    pub(crate) const fn at(&self) -> usize {
        self.at
    }

    /// Goes on at this byte, which must be a character's first and not before [`Lexer::at`].
    pub(crate) const fn skip_to(&mut self, byte: usize) {
        self.at = byte;
    }

    pub(crate) const fn set_delimiter(&mut self, delimiter: Option<&'a str>) {
        self.delimiter = delimiter;
    }

    /// Whether a `DELIMITER` line is in force.
    pub(crate) const fn has_own_delimiter(&self) -> bool {
        self.delimiter.is_some()
    }

    /// Whether the next token stands in a comment that is executed.
    pub(crate) fn is_in_comment(&self) -> bool {
        !self.executable.is_empty()
    }

    pub(crate) fn next(&mut self) -> Result<Option<Token<'a>>, SplitError> {
        let rest = &self.text[self.at..];
        let Some(first) = rest.as_bytes().first() else {
            return match self.executable.first() {
                Some(start) => Err(self.unterminated(Construct::Comment, *start)),
                None => Ok(None),
            };
        };
        let (kind, length) = self.scan(rest, *first)?;
        let token = Token { kind, text: &rest[..length], start: self.at };
        self.at += length;
        match kind {
            TokenKind::ExecutableStart => self.executable.push(token.start),
            TokenKind::ExecutableEnd => {
                self.executable.pop();
            }
            _ => {}
        }
        if token.is_significant() {
            self.after_as = token.is("AS");
        }
        Ok(Some(token))
    }

    fn scan(&self, rest: &str, first: u8) -> Result<(TokenKind, usize), SplitError> {
        if let Some(delimiter) = self.delimiter
            && !self.is_in_comment()
            && rest.starts_with(delimiter)
        {
            return Ok((TokenKind::Delimiter, delimiter.len()));
        }
        let mysql = self.is_mysql_family();
        match first {
            0 => Err(SplitError::Nul { at: self.position(self.at) }),
            b' ' | b'\t'..=b'\r' => Ok((TokenKind::Space, span(rest, is_space))),
            b'-' if self.is_dash_comment(rest) => Ok((TokenKind::Comment, self.line(rest))),
            b'#' if mysql => Ok((TokenKind::Comment, self.line(rest))),
            b'/' if rest.starts_with("/*") => self.comment(rest),
            b'*' if self.is_in_comment() && rest.starts_with("*/") => {
                Ok((TokenKind::ExecutableEnd, 2))
            }
            b'\'' => self.quoted(TokenKind::Text, rest, 0, mysql),
            b'"' if mysql => self.quoted(TokenKind::Text, rest, 0, true),
            b'"' => self.quoted(TokenKind::Name, rest, 0, false),
            b'`' if self.dialect != Dialect::Postgres => {
                self.quoted(TokenKind::Name, rest, 0, false)
            }
            b'[' if self.dialect == Dialect::Sqlite => match rest.find(']') {
                Some(end) => Ok((TokenKind::Name, end + 1)),
                None => Err(self.unterminated(Construct::Name, self.at)),
            },
            b'E' | b'e' if self.dialect == Dialect::Postgres && rest[1..].starts_with('\'') => {
                self.escaped(rest)
            }
            b'$' => self.dollar(rest),
            b';' if self.delimiter.is_none() => Ok((TokenKind::Delimiter, 1)),
            b'0'..=b'9' => {
                Ok((TokenKind::Number, self.word(rest, |byte| is_word(byte) || byte == b'.')))
            }
            _ if is_word(first) => {
                Ok((TokenKind::Word, self.word(rest, |byte| is_word(byte) || byte == b'$')))
            }
            // Everything that is not ASCII counts as a part of a word, so this is one byte.
            _ => Ok((TokenKind::Sign, 1)),
        }
    }

    const fn is_mysql_family(&self) -> bool {
        matches!(self.dialect, Dialect::MariaDb | Dialect::MySql)
    }

    /// `--` begins a comment; in the MySQL family only if no more is attached to it: `1--1` is a
    /// difference there.
    fn is_dash_comment(&self, rest: &str) -> bool {
        let Some(after) = rest.strip_prefix("--") else { return false };
        !self.is_mysql_family() || after.bytes().next().is_none_or(|byte| byte <= b' ')
    }

    /// The length of a line without its end.
    fn line(&self, rest: &str) -> usize {
        let ends = |byte| byte == b'\n' || (byte == b'\r' && self.dialect == Dialect::Postgres);
        // A NUL ends it too, so that it is found.
        span(rest, |byte| !ends(byte) && byte != 0)
    }

    fn comment(&self, rest: &str) -> Result<(TokenKind, usize), SplitError> {
        let mark = match self.dialect {
            Dialect::MariaDb if rest.starts_with("/*M!") => 4,
            Dialect::MariaDb | Dialect::MySql if rest.starts_with("/*!") => 3,
            _ => 0,
        };
        if mark > 0 {
            let digits = span(&rest[mark..], |byte| byte.is_ascii_digit());
            return Ok((TokenKind::ExecutableStart, mark + digits));
        }
        let length = if self.dialect == Dialect::Postgres {
            nested_comment(rest)
        } else {
            rest[2..].find("*/").map(|end| end + 4)
        };
        let length = length.ok_or_else(|| self.unterminated(Construct::Comment, self.at))?;
        self.without_nul(rest, length)?;
        Ok((TokenKind::Comment, length))
    }

    /// What stands in quotes; `prefix` bytes precede the first one.
    fn quoted(
        &self,
        kind: TokenKind,
        rest: &str,
        prefix: usize,
        backslash: bool,
    ) -> Result<(TokenKind, usize), SplitError> {
        let Some(length) = end_of_quote(rest, prefix, backslash) else {
            let construct = if kind == TokenKind::Name { Construct::Name } else { Construct::Text };
            return Err(self.unterminated(construct, self.at));
        };
        self.without_nul(rest, length)?;
        Ok((kind, length))
    }

    /// `E'…'`. It may go on in another line, and backslashes still escape there.
    fn escaped(&self, rest: &str) -> Result<(TokenKind, usize), SplitError> {
        let (kind, mut length) = self.quoted(TokenKind::Text, rest, 1, true)?;
        while let Some(gap) = continuation(&rest[length..]) {
            let more = end_of_quote(&rest[length + gap..], 0, true);
            let more = more.ok_or_else(|| self.unterminated(Construct::Text, self.at))?;
            length += gap + more;
        }
        self.without_nul(rest, length)?;
        Ok((kind, length))
    }

    /// `$tag$ … $tag$` on PostgreSQL, and on MySQL as the body of a routine.
    fn dollar(&self, rest: &str) -> Result<(TokenKind, usize), SplitError> {
        let allowed = match self.dialect {
            Dialect::MySql => self.after_as,
            dialect => dialect == Dialect::Postgres,
        };
        let Some(tag) = dollar_tag(rest).filter(|_| allowed) else {
            return match self.dialect {
                // A name may begin with it there.
                Dialect::MariaDb | Dialect::MySql => {
                    Ok((TokenKind::Word, self.word(rest, |byte| is_word(byte) || byte == b'$')))
                }
                _ => Ok((TokenKind::Sign, 1)),
            };
        };
        let Some(end) = rest[tag.len()..].find(tag) else {
            return Err(self.unterminated(Construct::DollarQuote, self.at));
        };
        let length = end + 2 * tag.len();
        self.without_nul(rest, length)?;
        Ok((TokenKind::Text, length))
    }

    /// The length of a word, which a delimiter ends even if it could go on: `END$$`.
    fn word(&self, rest: &str, belongs: impl Fn(u8) -> bool) -> usize {
        let length = span(rest, belongs);
        let Some(delimiter) = self.delimiter.filter(|_| !self.is_in_comment()) else {
            return length;
        };
        let window = rest.len().min(length + delimiter.len() - 1);
        let mut windows = rest.as_bytes()[..window].windows(delimiter.len());
        // The word does not begin with the delimiter, and the delimiter is ASCII.
        windows.position(|window| window == delimiter.as_bytes()).unwrap_or(length)
    }

    fn without_nul(&self, rest: &str, length: usize) -> Result<(), SplitError> {
        match rest[..length].find('\0') {
            Some(nul) => Err(SplitError::Nul { at: self.position(self.at + nul) }),
            None => Ok(()),
        }
    }

    fn position(&self, byte: usize) -> Position {
        Position::of(self.text, byte)
    }

    fn unterminated(&self, construct: Construct, start: usize) -> SplitError {
        SplitError::Unterminated { construct, at: self.position(start) }
    }
}

const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// Bytes beyond ASCII are letters to all four databases.
const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// How many bytes from the beginning on belong. What belongs includes either all bytes beyond
/// ASCII or none, so that the end is a character's border.
fn span(text: &str, belongs: impl Fn(u8) -> bool) -> usize {
    text.bytes().position(|byte| !belongs(byte)).unwrap_or(text.len())
}

/// The length of a comment that may have others in it.
fn nested_comment(rest: &str) -> Option<usize> {
    let bytes = rest.as_bytes();
    let (mut depth, mut at) = (0_usize, 0);
    while at + 1 < bytes.len() {
        match &bytes[at..at + 2] {
            b"/*" => depth += 1,
            b"*/" => depth -= 1,
            _ => {
                at += 1;
                continue;
            }
        }
        at += 2;
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

/// The length of what stands in the quotes that begin behind the prefix, with both.
fn end_of_quote(rest: &str, prefix: usize, backslash: bool) -> Option<usize> {
    let bytes = rest.as_bytes();
    let quote = *bytes.get(prefix)?;
    let mut at = prefix + 1;
    while let Some(byte) = bytes.get(at) {
        if *byte == b'\\' && backslash {
            at += 2;
        } else if *byte != quote {
            at += 1;
        } else if bytes.get(at + 1) == Some(&quote) {
            at += 2;
        } else {
            return Some(at + 1);
        }
    }
    None
}

/// How far away the quote is with which a text of PostgreSQL goes on: behind the end of a line,
/// with spaces and comments at most in between.
fn continuation(rest: &str) -> Option<usize> {
    let (mut at, mut is_new_line) = (0, false);
    loop {
        let spaces = span(&rest[at..], is_space);
        is_new_line |= rest[at..at + spaces].contains(['\n', '\r']);
        at += spaces;
        if rest[at..].starts_with('\'') {
            return is_new_line.then_some(at);
        }
        if !rest[at..].starts_with("--") {
            return None;
        }
        at += span(&rest[at..], |byte| byte != b'\n' && byte != b'\r');
    }
}

/// The `$tag$` with which a text begins.
fn dollar_tag(rest: &str) -> Option<&str> {
    let inner = rest.strip_prefix('$')?;
    let length = span(inner, is_word);
    let is_tag =
        inner[length..].starts_with('$') && !inner.starts_with(|c: char| c.is_ascii_digit());
    is_tag.then(|| &rest[..length + 2])
}

#[cfg(test)]
mod tests {
    use Dialect::{MariaDb, MySql, Postgres, Sqlite};
    use TokenKind::{
        Comment, Delimiter, ExecutableEnd, ExecutableStart, Name, Number, Sign, Text, Word,
    };

    use super::*;

    fn tokens(text: &str, dialect: Dialect) -> Vec<(TokenKind, &str)> {
        let mut lexer = Lexer::new(text, dialect);
        let mut tokens = Vec::new();
        while let Some(token) = lexer.next().unwrap() {
            if token.kind != TokenKind::Space {
                tokens.push((token.kind, token.text));
            }
        }
        tokens
    }

    #[track_caller]
    fn check(text: &str, dialect: Dialect, expected: &[(TokenKind, &str)]) {
        assert_eq!(tokens(text, dialect), expected, "{text}");
    }

    #[test]
    fn quotes_are_read_as_each_database_reads_them() {
        check(r"'a\' ", Postgres, &[(Text, r"'a\'")]);
        check(r"'a\';'", MySql, &[(Text, r"'a\';'")]);
        check(r#""a\";""#, MySql, &[(Text, r#""a\";""#)]);
        check(r#""a\""#, Sqlite, &[(Name, r#""a\""#)]);
        check("`a``;`", MariaDb, &[(Name, "`a``;`")]);
        check("[a;'b]", Sqlite, &[(Name, "[a;'b]")]);
        check("''''", Postgres, &[(Text, "''''")]);
        check(r"E'\'' 'b'", Postgres, &[(Text, r"E'\''"), (Text, "'b'")]);
        let two_lines = "E'a' -- c\n'b\\';'";
        check(two_lines, Postgres, &[(Text, two_lines)]);
        check(r"fooE'\'", Postgres, &[(Word, "fooE"), (Text, r"'\'")]);
    }

    #[test]
    fn dollars_quote_where_they_may() {
        check("$a$;$$;'$a$", Postgres, &[(Text, "$a$;$$;'$a$")]);
        check("$$$$", Postgres, &[(Text, "$$$$")]);
        check("$1$", Postgres, &[(Sign, "$"), (Number, "1"), (Sign, "$")]);
        check("a$b$c", Postgres, &[(Word, "a$b$c")]);
        check("AS $$;$$", MySql, &[(Word, "AS"), (Text, "$$;$$")]);
        check("$a$ ;", MySql, &[(Word, "$a$"), (Delimiter, ";")]);
        check("AS $$", MariaDb, &[(Word, "AS"), (Word, "$$")]);
    }

    #[test]
    fn comments_are_read_as_each_database_reads_them() {
        check("/*/**/;*/", Postgres, &[(Comment, "/*/**/;*/")]);
        check("/*/**/;", Sqlite, &[(Comment, "/*/**/"), (Delimiter, ";")]);
        check("1--1", MySql, &[(Number, "1"), (Sign, "-"), (Sign, "-"), (Number, "1")]);
        check("1--1", Postgres, &[(Number, "1"), (Comment, "--1")]);
        check("-- a", MySql, &[(Comment, "-- a")]);
        check("#;\n;", MySql, &[(Comment, "#;"), (Delimiter, ";")]);
        check("# ", Postgres, &[(Sign, "#")]);
        check("--a\r;", Postgres, &[(Comment, "--a"), (Delimiter, ";")]);
    }

    #[test]
    fn comments_that_are_executed_are_read_as_sql() {
        check(
            "/*!50003 a '*/' */",
            MySql,
            &[(ExecutableStart, "/*!50003"), (Word, "a"), (Text, "'*/'"), (ExecutableEnd, "*/")],
        );
        check(
            "/*M! a */",
            MariaDb,
            &[(ExecutableStart, "/*M!"), (Word, "a"), (ExecutableEnd, "*/")],
        );
        check("/*M! a */", MySql, &[(Comment, "/*M! a */")]);
        check("/*! a */", Postgres, &[(Comment, "/*! a */")]);
    }

    #[track_caller]
    fn fails(text: &str, dialect: Dialect, expected: &str) {
        let mut lexer = Lexer::new(text, dialect);
        let error = loop {
            match lexer.next() {
                Ok(Some(_)) => {}
                Ok(None) => panic!("{text} was read"),
                Err(error) => break error,
            }
        };
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn what_does_not_end_is_told_with_its_beginning() {
        fails("a\n  'b", Sqlite, "line 2, column 3: a text in quotes begins here and does not end");
        fails("a \"b", Postgres, "line 1, column 3: a name in quotes begins here and does not end");
        fails("[b", Sqlite, "line 1, column 1: a name in quotes begins here and does not end");
        fails("'\\'", MySql, "line 1, column 1: a text in quotes begins here and does not end");
        fails("$a$ $$", Postgres, "line 1, column 1: a dollar quote begins here and does not end");
        fails("/* /* */", Postgres, "line 1, column 1: a comment begins here and does not end");
        fails("é /*! a", MySql, "line 1, column 3: a comment begins here and does not end");
    }

    #[test]
    fn a_nul_is_refused_wherever_it_stands() {
        for text in ["\0", "'a\0'", "-- \0", "/* \0 */", "$$\0$$", "\"\0\""] {
            let mut lexer = Lexer::new(text, Postgres);
            let error = std::iter::from_fn(|| Some(lexer.next())).find_map(Result::err);
            assert!(matches!(error, Some(SplitError::Nul { .. })), "{text:?}: {error:?}");
        }
    }
}
