//! What a reference refers to: `table(column)`, `schema.table(one, other)`.
//!
//! Guards that a name which is no plain word stands in double quotes, as in SQL, so that no other
//! character of the text means anything by accident.

use std::{iter::Peekable, str::Chars};

use syn::{Error, LitStr, Result};

use crate::name;

/// A table and columns of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reference {
    pub(crate) schema: Option<String>,
    pub(crate) table: String,
    /// At least one.
    pub(crate) columns: Vec<String>,
}

const EXPECTED: &str = "a reference is `table(column)` or `schema.table(column, …)`, with names in double quotes if \
     they are no plain words";

/// Reads a reference.
pub(crate) fn parse(text: &LitStr) -> Result<Reference> {
    let value = text.value();
    let mut rest = Scanner(value.chars().peekable());
    let reference = rest.reference().ok_or_else(|| Error::new(text.span(), EXPECTED))?;
    match reference.objection() {
        Some(objection) => Err(Error::new(text.span(), objection)),
        None => Ok(reference),
    }
}

impl Reference {
    /// What is wrong with one of its names.
    fn objection(&self) -> Option<String> {
        let mut names = self.columns.iter().chain(&self.schema).chain([&self.table]);
        names.find_map(|name| name::objection(name))
    }
}

struct Scanner<'a>(Peekable<Chars<'a>>);

impl Scanner<'_> {
    fn reference(&mut self) -> Option<Reference> {
        let first = self.name()?;
        let (schema, table) = match self.has('.') {
            true => (Some(first), self.name()?),
            false => (None, first),
        };
        let mut columns = Vec::new();
        let mut is_open = self.has('(');
        while is_open {
            columns.push(self.name()?);
            is_open = self.has(',');
        }
        let is_whole = self.has(')') && self.skip_blanks().is_none();
        (is_whole && !columns.is_empty()).then_some(Reference { schema, table, columns })
    }

    fn name(&mut self) -> Option<String> {
        let mut name = String::new();
        if self.has('"') {
            loop {
                match self.0.next()? {
                    '"' if self.0.next_if_eq(&'"').is_none() => return Some(name),
                    letter => name.push(letter),
                }
            }
        }
        let is_part = |letter: &char| letter.is_alphanumeric() || *letter == '_';
        while let Some(letter) = self.0.next_if(is_part) {
            name.push(letter);
        }
        (!name.is_empty()).then_some(name)
    }

    /// Whether this comes next, blanks aside; then it is taken.
    fn has(&mut self, expected: char) -> bool {
        let is_next = self.skip_blanks() == Some(expected);
        if is_next {
            self.0.next();
            if expected != '"' {
                self.skip_blanks();
            }
        }
        is_next
    }

    /// What comes after the blanks.
    fn skip_blanks(&mut self) -> Option<char> {
        while self.0.next_if(|letter| letter.is_whitespace()).is_some() {}
        self.0.peek().copied()
    }
}

#[cfg(test)]
mod tests {
    use proc_macro2::Span;

    use super::*;

    fn read(text: &str) -> Option<Reference> {
        parse(&LitStr::new(text, Span::call_site())).ok()
    }

    fn reference(schema: Option<&str>, table: &str, columns: &[&str]) -> Reference {
        let schema = schema.map(str::to_owned);
        let columns = columns.iter().map(|column| (*column).to_owned()).collect();
        Reference { schema, table: table.to_owned(), columns }
    }

    #[test]
    fn references_are_read() {
        for (text, expected) in [
            ("airline(id)", reference(None, "airline", &["id"])),
            (" app . leg ( flight , no ) ", reference(Some("app"), "leg", &["flight", "no"])),
            ("größe(maß_1)", reference(None, "größe", &["maß_1"])),
            ("\"a b\"(\"c\"\"d\")", reference(None, "a b", &["c\"d"])),
            ("\"x.y\".\"(z)\"(\" a,b \")", reference(Some("x.y"), "(z)", &[" a,b "])),
        ] {
            assert_eq!(read(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn whatever_is_no_reference_is_refused() {
        for text in [
            "",
            "airline",
            "airline()",
            "airline(id",
            "airline id)",
            "airline(id) x",
            "(id)",
            "a.b.c(id)",
            "a(b,)",
            "a(,b)",
            "a b(c)",
            "a(b c)",
            "a-b(c)",
            "\"a(b)",
            "a(\"\")",
            "a(\"b)",
            "a(b); DROP TABLE c",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
