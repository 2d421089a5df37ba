//! The words of a `CREATE TABLE` as the server prints it.
//!
//! Guards that nothing within quotes is taken for syntax. What stands in a comment for certain
//! versions (`/*!80016 NOT ENFORCED */`) stands there for this server as well, or it would not
//! have printed it.

/// A word and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) start: usize,
    pub(super) end: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// A name in backticks, without them.
    Name(String),
    /// One character of punctuation.
    Symbol(char),
    /// A text, without quotes and escapes.
    Text(String),
    /// A key word, a number, the name of a function.
    Word,
}

/// Takes a statement apart. A text without an end ends with the statement.
pub(super) fn tokens(sql: &str) -> Vec<Token> {
    let mut lexer = Lexer { sql, at: 0 };
    let mut tokens = Vec::new();
    while let Some(token) = lexer.next() {
        tokens.push(token);
    }
    tokens
}

struct Lexer<'a> {
    sql: &'a str,
    at: usize,
}

impl Lexer<'_> {
    fn peek(&self) -> Option<char> {
        self.sql[self.at..].chars().next()
    }

    fn bump(&mut self) -> Option<char> {
        let character = self.peek()?;
        self.at += character.len_utf8();
        Some(character)
    }

    fn skip_while(&mut self, holds: impl Fn(char) -> bool) {
        while self.peek().is_some_and(&holds) {
            self.bump();
        }
    }

    /// Skips blanks and the marks around what is meant for certain versions.
    fn skip_blanks(&mut self) {
        loop {
            let before = self.at;
            self.skip_while(char::is_whitespace);
            for mark in ["/*!", "/*M!"] {
                if self.sql[self.at..].starts_with(mark) {
                    self.at += mark.len();
                    self.skip_while(|c| c.is_ascii_digit());
                }
            }
            if self.sql[self.at..].starts_with("*/") {
                self.at += 2;
            }
            if self.at == before {
                return;
            }
        }
    }

    fn next(&mut self) -> Option<Token> {
        self.skip_blanks();
        let start = self.at;
        let kind = match self.bump()? {
            '`' => TokenKind::Name(self.quoted('`', false)),
            quote @ ('\'' | '"') => TokenKind::Text(self.quoted(quote, true)),
            first if is_word(first) => {
                self.skip_while(is_word);
                TokenKind::Word
            }
            symbol => TokenKind::Symbol(symbol),
        };
        Some(Token { kind, start, end: self.at })
    }

    /// What stands until the closing quote; a doubled one stands for itself.
    fn quoted(&mut self, quote: char, has_escapes: bool) -> String {
        let mut text = String::new();
        while let Some(character) = self.bump() {
            if character == quote {
                if self.peek() != Some(quote) {
                    break;
                }
                self.bump();
                text.push(quote);
            } else if character == '\\' && has_escapes {
                text.extend(self.bump().map(unescaped));
            } else {
                text.push(character);
            }
        }
        text
    }
}

const fn unescaped(character: char) -> char {
    match character {
        '0' => '\0',
        'b' => '\u{8}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'Z' => '\u{1a}',
        other => other,
    }
}

/// Numbers with a point are words as well.
fn is_word(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '$' | '.' | '@')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(sql: &str, expected: &[&str]) {
        let shown: Vec<_> = tokens(sql)
            .into_iter()
            .map(|token| match token.kind {
                TokenKind::Name(name) => format!("`{name}"),
                TokenKind::Symbol(symbol) => symbol.to_string(),
                TokenKind::Text(text) => format!("'{text}"),
                TokenKind::Word => sql[token.start..token.end].to_owned(),
            })
            .collect();
        assert_eq!(shown, expected, "{sql}");
    }

    #[test]
    fn quotes_hold_everything() {
        check("`a``,b` 'it''s' \"d'q\"", &["`a`,b", "'it's", "'d'q"]);
        check(r"'a\'b\\' x", &["'a'b\\", "x"]);
        check("'l1\\nl2'", &["'l1\nl2"]);
        check("'no end", &["'no end"]);
    }

    #[test]
    fn comments_for_versions_are_read() {
        check(
            "point /*!80003 SRID 4326 */, x /*M!100301 COMPRESSED*/",
            &["point", "SRID", "4326", ",", "x", "COMPRESSED"],
        );
    }

    #[test]
    fn words_and_symbols_are_told_apart() {
        check("DEFAULT -1.50,b'1'", &["DEFAULT", "-", "1.50", ",", "b", "'1"]);
    }
}
