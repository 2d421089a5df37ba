//! The tokens of a piece of SQL, as each database cuts them.
//!
//! Invariant: any text is cut into tokens, without a panic, and the tokens together with what
//! stands between them are the text. This is no parser: it knows names, texts and the rest.

use crate::Dialect;

/// A token of a piece of SQL, see [`sql_tokens`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "plain data that others read")]
pub struct SqlToken<'a> {
    /// What it is.
    pub kind: SqlTokenKind,
    /// Its source text, quotes included.
    pub text: &'a str,
    /// Where it begins, in bytes.
    pub start: usize,
}

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "everything else is a symbol")]
pub enum SqlTokenKind {
    /// A number.
    Number,
    /// A name in quotes; in a place where no name of the kind exists, SQLite takes it for a text.
    Quoted,
    /// An operator, a parenthesis, a comma: one byte, or a few that belong together; and what is
    /// no token at all.
    Symbol,
    /// A text or a blob.
    Text,
    /// A keyword or a name without quotes.
    Word,
}

/// Cuts a piece of SQL into tokens; comments and white space are left out.
#[must_use]
pub fn sql_tokens(dialect: Dialect, sql: &str) -> Vec<SqlToken<'_>> {
    let mut cutter = Cutter { dialect, sql, at: 0 };
    let mut tokens = Vec::new();
    while let Some(token) = cutter.next() {
        tokens.push(token);
    }
    tokens
}

impl SqlToken<'_> {
    /// The name that it is, without quotes; `None` for what is no name. A keyword is a name here.
    #[must_use]
    pub fn name(&self) -> Option<String> {
        match self.kind {
            SqlTokenKind::Word => Some(self.text.to_owned()),
            SqlTokenKind::Quoted => Some(unquoted(self.text)),
            SqlTokenKind::Number | SqlTokenKind::Symbol | SqlTokenKind::Text => None,
        }
    }

    /// Whether it is this keyword, or this symbol.
    #[must_use]
    pub fn is(&self, word: &str) -> bool {
        matches!(self.kind, SqlTokenKind::Word | SqlTokenKind::Symbol)
            && self.text.eq_ignore_ascii_case(word)
    }

    /// Where it ends, in bytes.
    #[must_use]
    pub const fn end(&self) -> usize {
        self.start + self.text.len()
    }
}

/// Takes the quotes off; those that are doubled inside become one.
pub(crate) fn unquoted(text: &str) -> String {
    let mut inner = text.chars();
    let Some(open) = inner.next() else { return String::new() };
    let close = if open == '[' { ']' } else { open };
    let inner = inner.as_str();
    let inner = inner.strip_suffix(close).unwrap_or(inner);
    match open {
        '[' => inner.to_owned(),
        _ => inner.replace(&format!("{close}{close}"), &close.to_string()),
    }
}

struct Cutter<'a> {
    dialect: Dialect,
    sql: &'a str,
    at: usize,
}

impl<'a> Cutter<'a> {
    fn next(&mut self) -> Option<SqlToken<'a>> {
        self.skip_space();
        let start = self.at;
        let rest = self.rest();
        let first = *rest.first()?;
        let kind = match first {
            b'\'' => {
                self.quoted(1, b'\'', self.is_mysql());
                SqlTokenKind::Text
            }
            b'"' if self.is_mysql() => {
                self.quoted(1, b'"', true);
                SqlTokenKind::Text
            }
            b'"' => {
                self.quoted(1, b'"', false);
                SqlTokenKind::Quoted
            }
            b'`' if self.dialect != Dialect::Postgres => {
                self.quoted(1, b'`', false);
                SqlTokenKind::Quoted
            }
            b'[' if self.dialect == Dialect::Sqlite => {
                let end = rest.iter().position(|byte| *byte == b']');
                self.at += end.map_or(rest.len(), |end| end + 1);
                SqlTokenKind::Quoted
            }
            b'$' if self.dialect == Dialect::Postgres => self.dollar(),
            b'0'..=b'9' => self.number(),
            b'.' if rest.get(1).is_some_and(u8::is_ascii_digit) => self.number(),
            byte if is_name_start(byte) => self.word(),
            _ => self.symbol(),
        };
        // Every arm ends behind an ASCII byte or at the end of the text, so at a boundary.
        let text = self.sql.get(start..self.at)?;
        Some(SqlToken { kind, text, start })
    }

    const fn is_mysql(&self) -> bool {
        matches!(self.dialect, Dialect::MariaDb | Dialect::MySql)
    }

    fn rest(&self) -> &'a [u8] {
        self.sql.as_bytes().get(self.at..).unwrap_or_default()
    }

    fn skip_space(&mut self) {
        loop {
            let rest = self.rest();
            match rest {
                [byte, ..] if byte.is_ascii_whitespace() || *byte == 0x0b => self.at += 1,
                [0xef, 0xbb, 0xbf, ..] => self.at += 3,
                [b'-', b'-', ..] => self.skip_line(),
                [b'#', ..] if self.is_mysql() => self.skip_line(),
                [b'/', b'*', ..] => {
                    let end = rest[2..].windows(2).position(|pair| pair == b"*/");
                    self.at += end.map_or(rest.len(), |end| end + 4);
                }
                _ => return,
            }
        }
    }

    fn skip_line(&mut self) {
        let rest = self.rest();
        let end = rest.iter().position(|byte| *byte == b'\n');
        self.at += end.map_or(rest.len(), |end| end + 1);
    }

    /// Goes behind the closing quote; `open` bytes stand before the inside.
    fn quoted(&mut self, open: usize, quote: u8, escapes: bool) {
        let rest = self.rest();
        let mut at = open;
        while let Some(byte) = rest.get(at) {
            match *byte {
                b'\\' if escapes => at += 2,
                byte if byte == quote && rest.get(at + 1) == Some(&quote) => at += 2,
                byte if byte == quote => {
                    self.at += at + 1;
                    return;
                }
                _ => at += 1,
            }
        }
        self.at = self.sql.len();
    }

    /// `$tag$…$tag$`, or a parameter.
    fn dollar(&mut self) -> SqlTokenKind {
        let rest = self.rest();
        let is_tag = |byte: &u8| is_name(*byte) && *byte != b'$';
        let tag = rest[1..].iter().position(|byte| !is_tag(byte)).unwrap_or(rest.len() - 1) + 1;
        if rest.get(tag) != Some(&b'$') || rest[1].is_ascii_digit() {
            self.at += tag;
            return SqlTokenKind::Symbol;
        }
        let tag = &rest[..=tag];
        let inner = &rest[tag.len()..];
        let end = inner.windows(tag.len()).position(|window| window == tag);
        self.at += end.map_or(rest.len(), |end| end + 2 * tag.len());
        SqlTokenKind::Text
    }

    fn number(&mut self) -> SqlTokenKind {
        let rest = self.rest();
        let is_hexadecimal = matches!(rest, [b'0', b'x' | b'X', ..]);
        let mut at = 0;
        while let Some(byte) = rest.get(at) {
            let is_sign = matches!(byte, b'+' | b'-')
                && !is_hexadecimal
                && matches!(rest[at - 1], b'e' | b'E')
                && rest.get(at + 1).is_some_and(u8::is_ascii_digit);
            if !is_name(*byte) && *byte != b'.' && !is_sign {
                break;
            }
            at += 1;
        }
        self.at += at;
        SqlTokenKind::Number
    }

    fn word(&mut self) -> SqlTokenKind {
        let rest = self.rest();
        match rest {
            // A blob; on PostgreSQL a string of bits.
            [b'x' | b'X' | b'b' | b'B', b'\'', ..] => {
                self.quoted(2, b'\'', false);
                return SqlTokenKind::Text;
            }
            [b'e' | b'E', b'\'', ..] if self.dialect == Dialect::Postgres => {
                self.quoted(2, b'\'', true);
                return SqlTokenKind::Text;
            }
            _ => {}
        }
        self.at += rest.iter().position(|byte| !is_name(*byte)).unwrap_or(rest.len());
        SqlTokenKind::Word
    }

    fn symbol(&mut self) -> SqlTokenKind {
        const LONG: [&[u8]; 13] = [
            b"->>", b"<=>", b"||", b"->", b"<=", b">=", b"<>", b"!=", b"==", b"<<", b">>", b"::",
            b"&&",
        ];
        let rest = self.rest();
        let long = LONG.iter().find(|symbol| rest.starts_with(symbol));
        self.at += long.map_or(1, |symbol| symbol.len());
        SqlTokenKind::Symbol
    }
}

const fn is_name_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80
}

const fn is_name(byte: u8) -> bool {
    is_name_start(byte) || byte.is_ascii_digit() || byte == b'$'
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(dialect: Dialect, sql: &str, expected: &[&str]) {
        let found: Vec<_> = sql_tokens(dialect, sql).iter().map(|token| token.text).collect();
        assert_eq!(found, expected, "{sql}");
    }

    #[test]
    fn quotes_and_comments_are_those_of_the_database() {
        use Dialect::{MySql, Postgres, Sqlite};
        check(Sqlite, "a--b\n+'it''s'/*;*/[c d]", &["a", "+", "'it''s'", "[c d]"]);
        check(Sqlite, "\"a\"\"b\"`c` x'00'", &["\"a\"\"b\"", "`c`", "x'00'"]);
        check(Sqlite, "1.5e-3-.5 0xFe-1", &["1.5e-3", "-", ".5", "0xFe", "-", "1"]);
        check(Sqlite, "a->>'$.b'||c<>d", &["a", "->>", "'$.b'", "||", "c", "<>", "d"]);
        check(Sqlite, "'a\\' b", &["'a\\'", "b"]);
        check(MySql, "'a\\' b' # c", &["'a\\' b'"]);
        check(Postgres, "a[1] $x$;'$x$ $1", &["a", "[", "1", "]", "$x$;'$x$", "$1"]);
        check(Postgres, "E'\\'' b::text", &["E'\\''", "b", "::", "text"]);
        check(Sqlite, "'open", &["'open"]);
        check(Sqlite, "é = 'ü'", &["é", "=", "'ü'"]);
    }

    #[test]
    fn names_lose_their_quotes() {
        let name = |sql| sql_tokens(Dialect::Sqlite, sql)[0].name();
        assert_eq!(name("\"a\"\"b\"").as_deref(), Some("a\"b"));
        assert_eq!(name("[a b]").as_deref(), Some("a b"));
        assert_eq!(name("`a``b`").as_deref(), Some("a`b"));
        assert_eq!(name("a"), Some("a".to_owned()));
        assert_eq!(name("'a'"), None);
    }

    proptest! {
        #[test]
        fn any_text_is_cut(sql in "[-a1é\\\\$.xXeE'\"`\\[\\]#/*;, \n]{0,30}") {
            for dialect in
                [Dialect::MariaDb, Dialect::MySql, Dialect::Postgres, Dialect::Sqlite]
            {
                let mut end = 0;
                for token in sql_tokens(dialect, &sql) {
                    prop_assert!(token.start >= end && !token.text.is_empty());
                    prop_assert_eq!(&sql[token.start..token.end()], token.text);
                    end = token.end();
                }
            }
        }
    }
}
