//! The bounds of the analysis, checked on the text and its tokens before anything is built.
//!
//! Invariant: whatever the input, the stack that parsing, walking and dropping the tree take is
//! bounded by the limits below. The parser's own recursion limit is not enough: a chain of a
//! million `OR`s is parsed in a loop and makes a tree as deep, and a chain of joins without
//! conditions is parsed by a recursion that nothing counts.

use sqlparser::{
    keywords::Keyword,
    tokenizer::{Token, TokenWithSpan},
};

use crate::{AnalyzeError, Dialect};

/// The longest text, in bytes.
const BYTES_MAX: usize = 1 << 20;
/// The deepest nesting of parentheses, brackets and braces.
const NESTING_MAX: usize = 64;
/// The most joins of one statement. MySQL admits 61 tables, SQLite 64.
const JOINS_MAX: usize = 128;
/// The longest chain of operators and keywords without a comma between them.
const CHAIN_MAX: usize = 2_000;

/// How much a tree may nest, estimated from above.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Size {
    nesting: usize,
    joins: usize,
    chain: usize,
}

impl Size {
    /// The stack of the thread that takes what does not fit elsewhere. The limits above need
    /// less than half of it in an unoptimized build; pages that are not touched cost nothing.
    pub(crate) const STACK_BYTES: usize = 64 << 20;

    /// Whether an ordinary thread's stack (2 MiB) will do, with half of it used already.
    pub(crate) const fn fits_anywhere(self) -> bool {
        // Kilobytes of stack per level in an unoptimized build, measured and rounded up.
        100 * self.nesting + 50 * self.joins + 35 * self.chain <= 1_024
    }
}

/// Checks what depends on the characters alone.
pub(crate) fn check_text(sql: &str, dialect: Dialect) -> Result<(), AnalyzeError> {
    if sql.len() > BYTES_MAX {
        return Err(AnalyzeError::TooLong { bytes: sql.len(), limit: BYTES_MAX });
    }
    if dialect.is_mysql_family() {
        if sql.contains("/*!") || sql.contains("/*M!") {
            return Err(AnalyzeError::ExecutableComment);
        }
        if escapes_a_quote(sql) {
            return Err(AnalyzeError::SqlMode);
        }
    }
    Ok(())
}

/// Whether an odd number of backslashes stands before a quote. Under `NO_BACKSLASH_ESCAPES` the
/// string ends there, and otherwise it does not.
fn escapes_a_quote(sql: &str) -> bool {
    let mut backslashes = 0;
    for byte in sql.bytes() {
        match byte {
            b'\\' => backslashes += 1,
            b'\'' | b'"' | b'`' if backslashes % 2 == 1 => return true,
            _ => backslashes = 0,
        }
    }
    false
}

/// Measures a token stream.
///
/// # Errors
/// [`AnalyzeError::TooComplex`] beyond a limit.
pub(crate) fn measure(tokens: &[TokenWithSpan]) -> Result<Size, AnalyzeError> {
    let mut statement = Statement::default();
    let mut size = Size::default();
    for TokenWithSpan { token, .. } in tokens {
        statement.step(token);
        size.nesting = size.nesting.max(statement.open.len());
        size.joins = size.joins.max(statement.joins);
        size.chain = size.chain.max(statement.chain());
        for (value, what, limit) in [
            (size.nesting, "nested parentheses", NESTING_MAX),
            (size.joins, "joins", JOINS_MAX),
            (size.chain, "chained operators", CHAIN_MAX),
        ] {
            if value > limit {
                return Err(AnalyzeError::TooComplex { what, limit });
            }
        }
    }
    Ok(size)
}

/// What has been seen of one statement.
#[derive(Debug, Default)]
struct Statement {
    /// Per open parenthesis: the chain that surrounds it. A comma ends a chain, because what it
    /// separates stands side by side in the tree.
    open: Vec<usize>,
    /// The chain within the innermost parenthesis.
    current: usize,
    /// The sum of `open`.
    surrounding: usize,
    /// Set operations, which no comma ends.
    unions: usize,
    joins: usize,
}

impl Statement {
    const fn chain(&self) -> usize {
        self.surrounding + self.current + self.unions
    }

    fn step(&mut self, token: &Token) {
        match token {
            Token::LParen | Token::LBracket | Token::LBrace => {
                self.open.push(self.current);
                self.surrounding += self.current;
                // A bracket is also a link of a chain: `a[1][2][3]`.
                self.current = usize::from(*token == Token::LBracket);
            }
            Token::RParen | Token::RBracket | Token::RBrace => {
                if let Some(outer) = self.open.pop() {
                    self.surrounding -= outer;
                    self.current = outer + usize::from(*token == Token::RBracket);
                }
            }
            Token::Comma => self.current = 0,
            Token::SemiColon => *self = Self::default(),
            Token::Word(word) => match word.keyword {
                Keyword::NoKeyword => {}
                Keyword::EXCEPT | Keyword::INTERSECT | Keyword::MINUS | Keyword::UNION => {
                    self.unions += 1;
                }
                Keyword::JOIN | Keyword::STRAIGHT_JOIN => self.joins += 1,
                _ => self.current += 1,
            },
            Token::Char(_)
            | Token::EOF
            | Token::Number(..)
            | Token::Period
            | Token::Placeholder(_)
            | Token::SingleQuotedString(_)
            | Token::Whitespace(_) => {}
            _operator => self.current += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use sqlparser::tokenizer::Tokenizer;

    use super::*;

    fn check(sql: &str) -> Result<Size, AnalyzeError> {
        let parser = Dialect::PostgreSql.parser();
        measure(&Tokenizer::new(parser, sql).tokenize_with_location().unwrap())
    }

    #[test]
    fn commas_end_a_chain_and_set_operations_do_not() {
        let list = "(x = 1 OR y = 2), ".repeat(10_000) + "1";
        assert!(check(&format!("SELECT {list}")).is_ok());
        let unions = "SELECT 1, 2 UNION ".repeat(3_000) + "SELECT 1, 2";
        assert!(check(&unions).is_err());
    }

    #[test]
    fn an_everyday_statement_needs_no_thread_of_its_own() {
        let size = check(
            "SELECT f.*, a.name FROM flight f JOIN airline a ON a.id = f.airline_id \
             WHERE a.iata = $1 AND f.day >= $2 AND f.id IN (SELECT id FROM booking WHERE x = $3) \
             ORDER BY f.day LIMIT 20",
        )
        .unwrap();
        assert!(size.fits_anywhere(), "{size:?}");
    }

    #[test]
    fn statements_are_measured_one_by_one() {
        let many = "SELECT * FROM a JOIN b ON true; ".repeat(1_000);
        assert_eq!(check(&many).unwrap().joins, 1);
    }

    #[test]
    fn an_escaped_quote_is_told_from_an_escaped_backslash() {
        assert!(escapes_a_quote(r"'it\'s'"));
        assert!(escapes_a_quote(r"'\\\''"));
        assert!(!escapes_a_quote(r"LIKE 'a' ESCAPE '\\'"));
        assert!(!escapes_a_quote(r"'\n'"));
    }
}
