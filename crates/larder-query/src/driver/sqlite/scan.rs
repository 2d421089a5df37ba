//! What the driver has to know about a statement before SQLite sees it.
//!
//! Guards against three silences of the driver underneath: a parameter that is not bound is NULL,
//! the count of changed rows is that of whatever changed rows last, and a cached statement with a
//! `*` breaks when its table gains a column.
//!
//! This is SQLite's tokenizer as far as quotes, comments, names and parameters go, and no parser.

use smallvec::SmallVec;

use crate::QueryError;

/// What is known about a text of one or more statements.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Scan {
    /// How many parameters the text takes.
    pub(super) parameters: usize,
    /// Whether a `*` may stand for columns.
    pub(super) star: bool,
    /// What each statement does.
    pub(super) verbs: SmallVec<[Verb; 1]>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    /// `INSERT` or `REPLACE`
    Insert,
    /// None of the others, so that it changes no rows itself.
    Other,
    /// `SAVEPOINT`, `RELEASE` or `ROLLBACK TO`
    Savepoint,
    /// `BEGIN`, `COMMIT`, `END` or `ROLLBACK`
    Transaction,
    /// `UPDATE` or `DELETE`
    Update,
}

/// What of a statement has been read, as far as its verb goes.
#[derive(Clone, Copy)]
enum Head {
    Start,
    /// After `WITH`: the verb comes after the parentheses of its tables.
    With,
    Known,
}

/// Reads a text.
///
/// # Errors
/// [`QueryError::ParameterSyntax`] for named parameters, number zero, and a mix of numbered and
/// unnumbered ones.
pub(super) fn scan(sql: &str) -> Result<Scan, QueryError> {
    let mut scanner = Scanner {
        // The driver trims what Unicode calls white space.
        bytes: sql.trim_start().as_bytes(),
        unnumbered: 0,
        highest: 0,
        star: false,
        verbs: SmallVec::new(),
        head: Head::Start,
        depth: 0,
        previous: b' ',
    };
    while let Some((&byte, rest)) = scanner.bytes.split_first() {
        scanner.bytes = rest;
        scanner.token(byte)?;
    }
    if scanner.unnumbered > 0 && scanner.highest > 0 {
        return Err(unsupported("`?` and numbers in one statement"));
    }
    Ok(Scan {
        parameters: scanner.unnumbered.max(scanner.highest),
        star: scanner.star,
        verbs: scanner.verbs,
    })
}

const fn unsupported(reason: &'static str) -> QueryError {
    QueryError::ParameterSyntax { reason }
}

struct Scanner<'a> {
    bytes: &'a [u8],
    unnumbered: usize,
    highest: usize,
    star: bool,
    verbs: SmallVec<[Verb; 1]>,
    head: Head,
    depth: usize,
    /// The last byte that is neither space nor comment.
    previous: u8,
}

impl<'a> Scanner<'a> {
    fn token(&mut self, byte: u8) -> Result<(), QueryError> {
        match byte {
            b'-' if self.bytes.first() == Some(&b'-') => {
                self.take_while(|byte| byte != b'\n');
                return Ok(());
            }
            b'/' if self.bytes.first() == Some(&b'*') => {
                self.skip_comment();
                return Ok(());
            }
            byte if byte.is_ascii_whitespace() => return Ok(()),
            // SQLite or its driver skip these as well: a vertical tab, a byte order mark.
            0x0b => return Ok(()),
            0xef if self.bytes.starts_with(&[0xbb, 0xbf]) => {
                self.bytes = &self.bytes[2..];
                return Ok(());
            }
            // A doubled quote ends one text and begins the next, which comes to the same.
            b'\'' | b'"' | b'`' => self.skip_past(byte),
            b'[' => self.skip_past(b']'),
            b'?' => self.question_mark()?,
            b'$' => self.dollar()?,
            b':' | b'@' | b'#' if self.bytes.first().copied().is_some_and(is_name) => {
                return Err(unsupported("names; use `?` or `?1`"));
            }
            b'*' => self.star |= self.previous != b'(',
            b'(' => self.depth += 1,
            b')' => self.depth = self.depth.saturating_sub(1),
            b';' => self.head = Head::Start,
            byte if is_name(byte) => self.word(byte),
            _ => self.other(),
        }
        self.previous = byte;
        Ok(())
    }

    fn take_while(&mut self, belongs: impl Fn(u8) -> bool) -> &'a [u8] {
        let len = self.bytes.iter().position(|&byte| !belongs(byte));
        let (taken, rest) = self.bytes.split_at(len.unwrap_or(self.bytes.len()));
        self.bytes = rest;
        taken
    }

    fn skip_past(&mut self, end: u8) {
        self.take_while(|byte| byte != end);
        self.bytes = self.bytes.get(1..).unwrap_or_default();
        self.other();
    }

    fn skip_comment(&mut self) {
        let inside = self.bytes.get(1..).unwrap_or_default();
        let end = inside.windows(2).position(|pair| pair == b"*/");
        self.bytes = end.and_then(|end| inside.get(end + 2..)).unwrap_or_default();
    }

    fn question_mark(&mut self) -> Result<(), QueryError> {
        match self.take_while(|byte| byte.is_ascii_digit()) {
            [] => self.unnumbered += 1,
            digits => self.number(digits)?,
        }
        Ok(())
    }

    fn dollar(&mut self) -> Result<(), QueryError> {
        let name = self.take_while(is_name);
        if !name.is_empty() && name.iter().all(u8::is_ascii_digit) {
            self.number(name)
        } else {
            Err(unsupported("names; use `?` or `?1`"))
        }
    }

    fn number(&mut self, digits: &[u8]) -> Result<(), QueryError> {
        let number = std::str::from_utf8(digits)
            .ok()
            .and_then(|digits| digits.parse().ok())
            .filter(|number| (1..=32_766).contains(number))
            .ok_or(unsupported("numbers are from 1 to 32766"))?;
        self.highest = self.highest.max(number);
        Ok(())
    }

    fn word(&mut self, first: u8) {
        let rest = self.take_while(is_name);
        let is = |word: &str| {
            let (head, tail) = word.as_bytes().split_at(1);
            head.eq_ignore_ascii_case(&[first]) && tail.eq_ignore_ascii_case(rest)
        };
        let verb = if is("INSERT") || is("REPLACE") {
            Some(Verb::Insert)
        } else if is("UPDATE") || is("DELETE") {
            Some(Verb::Update)
        } else if is("SELECT") || is("VALUES") {
            Some(Verb::Other)
        } else {
            None
        };
        match self.head {
            Head::Start if is("WITH") => {
                self.head = Head::With;
                self.depth = 0;
                self.verbs.push(Verb::Other);
            }
            Head::Start => {
                let first = self.verbs.is_empty();
                self.head = Head::Known;
                self.verbs.push(match verb {
                    Some(verb) => verb,
                    None if is("SAVEPOINT") || is("RELEASE") => Verb::Savepoint,
                    None if is("BEGIN") || is("COMMIT") || is("ROLLBACK") => Verb::Transaction,
                    // Further on it is the end of a trigger.
                    None if first && is("END") => Verb::Transaction,
                    None => Verb::Other,
                });
            }
            Head::With if self.depth == 0 => {
                if let (Some(verb), Some(last)) = (verb, self.verbs.last_mut()) {
                    *last = verb;
                    self.head = Head::Known;
                }
            }
            Head::Known if is("TO") => {
                if let Some(last @ Verb::Transaction) = self.verbs.last_mut() {
                    *last = Verb::Savepoint;
                }
            }
            Head::With | Head::Known => {}
        }
    }

    /// Anything but a word at the start of a statement is not a verb that changes rows.
    fn other(&mut self) {
        if matches!(self.head, Head::Start) {
            self.head = Head::Known;
            self.verbs.push(Verb::Other);
        }
    }
}

/// Whether a byte may be part of a name; SQLite takes a dollar sign and everything beyond ASCII.
const fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || !byte.is_ascii()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parameters(sql: &str) -> Option<usize> {
        scan(sql).ok().map(|scan| scan.parameters)
    }

    fn verbs(sql: &str) -> Vec<Verb> {
        scan(sql).unwrap().verbs.into_vec()
    }

    #[test]
    fn parameters_are_counted() {
        assert_eq!(parameters("SELECT 1"), Some(0));
        assert_eq!(parameters("SELECT ?, ? WHERE x=?"), Some(3));
        assert_eq!(parameters("SELECT ?2, ?1, ?2"), Some(2));
        assert_eq!(parameters("SELECT $3"), Some(3));
        assert_eq!(parameters("SELECT data ->> '$.a' = ?"), Some(1));
    }

    #[test]
    fn quotes_comments_and_names_hold_no_parameters() {
        for sql in [
            "SELECT '?'",
            "SELECT 'it''s ?'",
            "SELECT \"?\"",
            "SELECT `?`",
            "SELECT [?]",
            "SELECT 1 -- ?",
            "SELECT 1 /* ? */",
            "SELECT 1 /*/ ? */",
            "SELECT a$1, é$2 FROM t",
            "SELECT ':a @b $c'",
            "SELECT '?",
            "SELECT 1 /* ?",
        ] {
            assert_eq!(parameters(sql), Some(0), "{sql}");
        }
        assert_eq!(parameters("SELECT 1 -- ?\n, ?"), Some(1));
        assert_eq!(parameters("SELECT '' ? ''"), Some(1));
    }

    #[test]
    fn what_the_driver_would_get_wrong_is_refused() {
        for sql in [
            "SELECT :name",
            "SELECT @name",
            "SELECT $name",
            "SELECT $1a",
            "SELECT ?0",
            "SELECT $0",
            "SELECT ?99999999999999999999",
            "SELECT ?, ?1",
        ] {
            assert_eq!(parameters(sql), None, "{sql}");
        }
    }

    #[test]
    fn only_a_star_for_columns_counts() {
        let star = |sql| scan(sql).unwrap().star;
        assert!(star("SELECT * FROM t"));
        assert!(star("SELECT t.* FROM t"));
        assert!(star("INSERT INTO t VALUES (1) RETURNING *"));
        assert!(!star("SELECT count(*), count( * ) FROM t"));
        assert!(!star("SELECT '*', \"*\" /* * */ FROM t -- *"));
    }

    #[test]
    fn each_statement_has_its_verb() {
        use Verb::*;
        assert_eq!(verbs("insert into t values (1)"), [Insert]);
        assert_eq!(verbs(" /* x */ REPLACE INTO t VALUES (1);\n"), [Insert]);
        assert_eq!(
            verbs("UPDATE t SET a=1; DELETE FROM t; CREATE TABLE u(a)"),
            [Update, Update, Other]
        );
        assert_eq!(verbs("WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x"), [Insert]);
        assert_eq!(verbs("WITH x(a) AS (DELETE) SELECT 'INSERT'"), [Other]);
        assert_eq!(verbs("EXPLAIN DELETE FROM t"), [Other]);
        assert_eq!(verbs("PRAGMA user_version = 1"), [Other]);
        assert_eq!(verbs("updated"), [Other]);
        assert_eq!(verbs("begin immediate; COMMIT"), [Transaction; 2]);
        assert_eq!(verbs("END"), [Transaction]);
        assert_eq!(verbs("ROLLBACK"), [Transaction]);
        assert_eq!(verbs("ROLLBACK TRANSACTION TO a"), [Savepoint]);
        assert_eq!(verbs("SAVEPOINT a; RELEASE a"), [Savepoint; 2]);
        assert_eq!(
            verbs("CREATE TRIGGER x AFTER INSERT ON t BEGIN DELETE FROM t; END"),
            [Other; 2]
        );
        assert_eq!(verbs(""), []);
        assert_eq!(verbs(" ; -- nothing\n ;"), []);
    }

    proptest! {
        #[test]
        fn any_text_is_scanned(sql in "[?$:@#*()\\[\\]'\"`/; a1é-]{0,40}") {
            let _ = scan(&sql);
        }
    }
}
