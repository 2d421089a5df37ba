//! Going through tokens one by one.
//!
//! Guards that parentheses are taken as a whole, whatever stands in them.

use larder_model::{SqlToken, SqlTokenKind};

/// Why a text was not understood, for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unclear(pub(super) &'static str);

const NOT_UNDERSTOOD: Unclear = Unclear("its text is not understood");

pub(super) struct Words<'a, 't> {
    tokens: &'t [SqlToken<'a>],
}

impl<'a, 't> Words<'a, 't> {
    pub(super) const fn new(tokens: &'t [SqlToken<'a>]) -> Self {
        Self { tokens }
    }

    pub(super) const fn peek(&self) -> Option<&'t SqlToken<'a>> {
        self.tokens.first()
    }

    pub(super) const fn is_end(&self) -> bool {
        self.tokens.is_empty()
    }

    pub(super) const fn rest(&self) -> &'t [SqlToken<'a>] {
        self.tokens
    }

    pub(super) fn is(&self, word: &str) -> bool {
        self.is_at(0, word)
    }

    pub(super) fn is_at(&self, at: usize, word: &str) -> bool {
        self.tokens.get(at).is_some_and(|token| token.is(word))
    }

    pub(super) fn skip(&mut self) {
        self.tokens = self.tokens.get(1..).unwrap_or_default();
    }

    /// Goes on if the word stands here.
    pub(super) fn take(&mut self, word: &str) -> bool {
        let is = self.is(word);
        if is {
            self.skip();
        }
        is
    }

    pub(super) fn expect(&mut self, word: &str) -> Result<(), Unclear> {
        if self.take(word) { Ok(()) } else { Err(NOT_UNDERSTOOD) }
    }

    /// A name; SQLite takes a text in its place.
    pub(super) fn name(&mut self) -> Result<String, Unclear> {
        let token = self.peek().ok_or(NOT_UNDERSTOOD)?;
        let name = match token.kind {
            SqlTokenKind::Text if token.text.starts_with('\'') => Some(text(token.text)),
            _ => token.name(),
        };
        self.skip();
        name.ok_or(NOT_UNDERSTOOD)
    }

    /// What stands between a parenthesis here and the one that closes it.
    pub(super) fn parentheses(&mut self) -> Result<&'t [SqlToken<'a>], Unclear> {
        self.expect("(")?;
        let mut depth = 1_usize;
        for (at, token) in self.tokens.iter().enumerate() {
            if token.is("(") {
                depth += 1;
            } else if token.is(")") {
                depth -= 1;
            }
            if depth == 0 {
                let (inner, rest) = self.tokens.split_at(at);
                self.tokens = rest;
                self.skip();
                return Ok(inner);
            }
        }
        Err(NOT_UNDERSTOOD)
    }
}

/// A text without its quotes.
fn text(literal: &str) -> String {
    let inner = literal.strip_prefix('\'').unwrap_or(literal);
    inner.strip_suffix('\'').unwrap_or(inner).replace("''", "'")
}
