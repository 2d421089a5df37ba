//! What the driver has to know about a statement before the server sees it.
//!
//! Guards that no statement changes the state of a pooled connection unnoticed: by a transaction,
//! by a commit that it implies, or by something that the next statement on the connection sees.
//!
//! This is the server's tokenizer as far as quotes, comments and words go, and no parser. Doubt is
//! settled towards a connection that is closed for nothing.

use smallvec::SmallVec;

/// What is known about a text of one or more statements.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Scan {
    /// How many `?` there are outside of quotes and comments.
    pub(super) parameters: usize,
    /// Whether a `*` may stand for columns.
    pub(super) star: bool,
    /// Whether something may stay behind on the connection: a variable, a lock, a temporary table.
    pub(super) session: bool,
    /// Whether running it twice comes to the same as running it once.
    pub(super) repeatable: bool,
    /// What each statement does.
    pub(super) verbs: SmallVec<[Verb; 1]>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    /// It does what a routine or a text from elsewhere says.
    Call,
    /// It commits what came before, or nothing is known about it.
    Commits,
    /// It reads or writes rows, or tells something.
    Rows,
    /// `SAVEPOINT`, `RELEASE SAVEPOINT` or `ROLLBACK TO`
    Savepoint,
    /// It begins or ends a transaction, or locks tables until the session says otherwise.
    Transaction,
}

impl Scan {
    pub(super) fn has(&self, verb: Verb) -> bool {
        self.verbs.contains(&verb)
    }
}

/// Reads a text.
pub(super) fn scan(sql: &str) -> Scan {
    let mut scanner = Scanner {
        text: sql,
        at: 0,
        scan: Scan {
            parameters: 0,
            star: false,
            session: false,
            repeatable: true,
            verbs: SmallVec::new(),
        },
        head: SmallVec::new(),
        conditional: false,
        guarded_head: false,
        swallows_rest: false,
        previous: b' ',
    };
    while let Some(byte) = scanner.next() {
        scanner.token(byte);
    }
    scanner.end_statement();
    scanner.scan.repeatable &= scanner.scan.verbs.as_slice() == [Verb::Rows];
    scanner.scan
}

/// How many words of a statement decide what it does.
const HEAD_WORDS_MAX: usize = 6;

struct Scanner<'a> {
    text: &'a str,
    at: usize,
    scan: Scan,
    /// The first words of the statement.
    head: SmallVec<[&'a str; HEAD_WORDS_MAX]>,
    /// Inside of a comment that some servers execute.
    conditional: bool,
    /// Whether the first word stands in such a comment, so that it may not be the first.
    guarded_head: bool,
    /// Whether the statement has a body with statements in it.
    swallows_rest: bool,
    /// The last byte that is neither space nor comment.
    previous: u8,
}

impl Scanner<'_> {
    fn peek(&self, ahead: usize) -> Option<u8> {
        self.text.as_bytes().get(self.at + ahead).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek(0)?;
        self.at += 1;
        Some(byte)
    }

    fn token(&mut self, byte: u8) {
        match byte {
            b'#' => return self.skip_line(),
            // Two dashes are a comment only if white space follows.
            b'-' if self.peek(0) == Some(b'-')
                && self.peek(1).is_none_or(|next| next <= b' ' || next == 0x7f) =>
            {
                return self.skip_line();
            }
            b'/' if self.peek(0) == Some(b'*') => return self.comment(),
            b'*' if self.conditional && self.peek(0) == Some(b'/') => {
                self.at += 1;
                self.conditional = false;
                return;
            }
            byte if byte.is_ascii_whitespace() || byte == 0x0b => return,
            b'\'' | b'"' => self.skip_string(byte),
            b'`' => self.skip_past(b'`'),
            b'?' => self.scan.parameters += 1,
            b'*' => self.scan.star |= self.previous != b'(',
            b'@' => self.variable(),
            b';' if !self.swallows_rest => self.end_statement(),
            byte if is_name(byte) => self.word(),
            _ => {}
        }
        self.previous = byte;
    }

    fn skip_line(&mut self) {
        self.skip_past(b'\n');
    }

    fn skip_past(&mut self, end: u8) {
        while self.next().is_some_and(|byte| byte != end) {}
    }

    /// A doubled quote ends one text and begins the next, which comes to the same.
    fn skip_string(&mut self, quote: u8) {
        while let Some(byte) = self.next() {
            match byte {
                b'\\' => self.at += 1,
                byte if byte == quote => return,
                _ => {}
            }
        }
    }

    fn comment(&mut self) {
        let opener = match (self.peek(1), self.peek(2)) {
            (Some(b'!'), _) => 2,
            (Some(b'M'), Some(b'!')) => 3,
            _ => 0,
        };
        if opener == 0 || self.conditional {
            self.at = self
                .text
                .as_bytes()
                .get(self.at + 1..)
                .and_then(|rest| rest.windows(2).position(|pair| pair == b"*/"))
                .map_or(self.text.len(), |end| self.at + 1 + end + 2);
            return;
        }
        self.at += opener;
        while self.peek(0).is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        self.conditional = true;
        self.scan.session = true;
        self.scan.repeatable = false;
    }

    /// One `@` is a variable of the session, which a statement may set; two are a setting.
    fn variable(&mut self) {
        if self.peek(0) == Some(b'@') {
            self.at += 1;
        } else {
            self.scan.session = true;
        }
    }

    fn word(&mut self) {
        let start = self.at - 1;
        while self.peek(0).is_some_and(is_name) {
            self.at += 1;
        }
        let Some(word) = self.text.get(start..self.at) else { return };
        if self.head.is_empty() {
            self.guarded_head = self.conditional;
        }
        if self.head.len() < HEAD_WORDS_MAX {
            self.head.push(word);
        }
        let is = |words: &[&str]| words.iter().any(|other| word.eq_ignore_ascii_case(other));
        self.scan.session |= is(&["GET_LOCK", "TEMPORARY"]);
        self.scan.repeatable &= !is(&WRITING);
        self.swallows_rest |= self.head_is(&["CREATE"]) && is(&WITH_BODY);
        if is(&["AUTOCOMMIT"]) && self.head_is(&["SET"]) {
            // Recognised wherever it stands in a list of settings.
            self.head.truncate(1);
            self.head.push("AUTOCOMMIT");
        }
    }

    fn head_is(&self, words: &[&str]) -> bool {
        self.head.len() >= words.len()
            && self.head.iter().zip(words).all(|(have, want)| have.eq_ignore_ascii_case(want))
    }

    fn end_statement(&mut self) {
        if !self.head.is_empty() {
            let (verb, session) = self.judge();
            self.scan.verbs.push(verb);
            self.scan.session |= session;
        }
        self.head.clear();
        self.guarded_head = false;
    }

    /// What the statement does, and whether it may leave something on its connection.
    fn judge(&self) -> (Verb, bool) {
        let first = self.head.first().copied().unwrap_or_default();
        let is = |words: &[&str]| words.iter().any(|other| first.eq_ignore_ascii_case(other));
        let contains = |word: &str| self.head.iter().any(|have| have.eq_ignore_ascii_case(word));
        if self.guarded_head {
            return (Verb::Commits, true);
        }
        if is(&ROWS) {
            return (Verb::Rows, false);
        }
        if is(&SCHEMA) {
            // A temporary table is made without a commit.
            let temporary = is(&["CREATE", "DROP"]) && contains("TEMPORARY");
            let verb = if temporary { Verb::Rows } else { Verb::Commits };
            return (verb, temporary || self.swallows_rest);
        }
        if is(&["ROLLBACK"]) && contains("TO") || is(&["SAVEPOINT"]) || is(&["RELEASE"]) {
            return (Verb::Savepoint, false);
        }
        if self.head_is(&["START", "TRANSACTION"]) || is(&TRANSACTION) {
            return (Verb::Transaction, true);
        }
        if self.head_is(&["SET", "AUTOCOMMIT"]) {
            return (Verb::Transaction, true);
        }
        if is(&["ANALYZE"]) && !contains("TABLE") {
            return (Verb::Rows, false);
        }
        if self.head_is(&["SET", "STATEMENT"]) || is(&["CALL", "EXECUTE"]) {
            return (Verb::Call, true);
        }
        if is(&["SET"]) && !contains("PASSWORD") && !contains("DEFAULT") || is(&SESSION) {
            return (Verb::Rows, true);
        }
        (Verb::Commits, true)
    }
}

/// Statements about rows. Alphabetical, as all of these lists.
const ROWS: [&str; 16] = [
    "DELETE", "DESC", "DESCRIBE", "DO", "EXPLAIN", "HELP", "INSERT", "LOAD", "REPLACE", "SELECT",
    "SHOW", "TABLE", "UPDATE", "VALUE", "VALUES", "WITH",
];
/// Statements that commit and leave nothing on the connection.
const SCHEMA: [&str; 6] = ["ALTER", "CREATE", "DROP", "OPTIMIZE", "RENAME", "TRUNCATE"];
const SESSION: [&str; 4] = ["DEALLOCATE", "HANDLER", "PREPARE", "USE"];
const TRANSACTION: [&str; 6] = ["BEGIN", "COMMIT", "LOCK", "ROLLBACK", "UNLOCK", "XA"];
/// Objects whose definition holds statements.
const WITH_BODY: [&str; 5] = ["EVENT", "FUNCTION", "PACKAGE", "PROCEDURE", "TRIGGER"];
/// Words of statements that write, and of functions that do.
const WRITING: [&str; 14] = [
    "CALL",
    "DELETE",
    "DO",
    "GET_LOCK",
    "INSERT",
    "INTO",
    "LOAD",
    "NEXTVAL",
    "NEXT",
    "REPLACE",
    "RELEASE_LOCK",
    "SETVAL",
    "SLEEP",
    "UPDATE",
];

/// Whether a byte may be part of a name.
const fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || !byte.is_ascii()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn verbs(sql: &str) -> Vec<Verb> {
        scan(sql).verbs.into_vec()
    }

    #[test]
    fn parameters_are_counted_outside_of_quotes_and_comments() {
        for (sql, expected) in [
            ("SELECT ?, ?", 2),
            ("SELECT '?', \"?\", `?`", 0),
            ("SELECT 'it''s ?', 'it\\'s ?'", 0),
            ("SELECT 1 -- ?", 0),
            ("SELECT 1 --?", 1),
            ("SELECT 1--?\n", 1),
            ("SELECT 1 # ?\n, ?", 1),
            ("SELECT 1 /* ? */, ?", 1),
            ("SELECT 1 /*/ ? */", 0),
            ("SELECT /*+ MAX_EXECUTION_TIME(1) ? */ ?", 1),
            ("SELECT /*!50000 ? */ 1", 1),
            ("SELECT ':zz', '?", 0),
            ("SELECT `a``?`, '\\\\', ?", 1),
            ("SELECT 1 /* ?", 0),
        ] {
            assert_eq!(scan(sql).parameters, expected, "{sql}");
        }
    }

    #[test]
    fn each_statement_has_its_verb() {
        use Verb::*;
        for (sql, expected) in [
            ("select 1", Rows),
            ("(SELECT 1)", Rows),
            ("WITH a AS (SELECT 1) DELETE FROM t", Rows),
            ("SHOW TABLES", Rows),
            ("SET @a = 1", Rows),
            ("SET NAMES latin1", Rows),
            ("SET PASSWORD = 'x'", Commits),
            ("SET autocommit = 0", Transaction),
            ("set a = 1, @@session.autocommit=0", Transaction),
            ("BEGIN", Transaction),
            ("START TRANSACTION READ ONLY", Transaction),
            ("START REPLICA", Commits),
            ("COMMIT AND CHAIN", Transaction),
            ("ROLLBACK", Transaction),
            ("ROLLBACK WORK TO SAVEPOINT a", Savepoint),
            ("SAVEPOINT a", Savepoint),
            ("RELEASE SAVEPOINT a", Savepoint),
            ("LOCK TABLES t READ", Transaction),
            ("UNLOCK TABLES", Transaction),
            ("XA START 'a'", Transaction),
            ("CREATE TABLE t (a INT)", Commits),
            ("CREATE OR REPLACE TEMPORARY TABLE t (a INT)", Rows),
            ("DROP TEMPORARY TABLE t", Rows),
            ("TRUNCATE t", Commits),
            ("GRANT ALL ON *.* TO a", Commits),
            ("ANALYZE TABLE t", Commits),
            ("ANALYZE FORMAT=JSON SELECT 1", Rows),
            ("CALL p()", Call),
            ("EXECUTE IMMEDIATE 'x'", Call),
            ("SET STATEMENT max_statement_time=1 FOR DELETE FROM t", Call),
            ("nonsense", Commits),
            ("/*!50000 SELECT */ COMMIT", Commits),
            ("/* BEGIN */ SELECT 1", Rows),
        ] {
            assert_eq!(verbs(sql), [expected], "{sql}");
        }
        assert_eq!(verbs("SELECT 1; COMMIT; # x\n"), [Rows, Transaction]);
        assert_eq!(verbs(" ; -- nothing\n ;"), []);
    }

    #[test]
    fn the_body_of_a_routine_is_part_of_its_statement() {
        let sql = "CREATE DEFINER=a@b TRIGGER t AFTER INSERT ON x FOR EACH ROW \
                   BEGIN INSERT INTO y VALUES (1); COMMIT; END";
        assert_eq!(verbs(sql), [Verb::Commits]);
        assert_eq!(verbs("CREATE TABLE t (a INT); DROP TABLE t"), [Verb::Commits; 2]);
    }

    #[test]
    fn what_may_stay_on_the_connection_is_noticed() {
        for sql in [
            "SET @a = 1",
            "SELECT @a := 1",
            "SELECT 1 INTO @a",
            "SELECT get_lock('a', 1)",
            "USE other",
            "CREATE TEMPORARY TABLE t (a INT)",
            "PREPARE s FROM 'SELECT 1'",
            "CALL p()",
            "HANDLER t OPEN",
            "/*!40101 SET NAMES utf8 */",
            "FLUSH TABLES WITH READ LOCK",
        ] {
            assert!(scan(sql).session, "{sql}");
        }
        for sql in [
            "SELECT 'SET @a = 1', @@version",
            "INSERT INTO t VALUES ('me@example.org')",
            "CREATE TABLE t (a INT)",
            "SELECT `@a` FROM t -- @a",
        ] {
            assert!(!scan(sql).session, "{sql}");
        }
    }

    #[test]
    fn only_a_single_read_is_repeatable() {
        for sql in ["SELECT * FROM t", "(SELECT 1)", "SHOW TABLES", "WITH a AS (SELECT 1) TABLE a"]
        {
            assert!(scan(sql).repeatable, "{sql}");
        }
        for sql in [
            "UPDATE t SET a = 1",
            "WITH a AS (SELECT 1) DELETE FROM t",
            "SELECT 1; SELECT 2",
            "SELECT a FROM t FOR UPDATE",
            "SELECT NEXTVAL(s)",
            "SELECT NEXT VALUE FOR s",
            "SELECT 1 INTO OUTFILE 'x'",
            "CALL p()",
            "DO SLEEP(1)",
            "",
        ] {
            assert!(!scan(sql).repeatable, "{sql}");
        }
    }

    #[test]
    fn only_a_star_for_columns_counts() {
        assert!(scan("SELECT * FROM t").star);
        assert!(scan("SELECT t.* FROM t").star);
        assert!(!scan("SELECT count(*), '*' /* * */ FROM t -- *").star);
    }

    proptest! {
        #[test]
        fn any_text_is_scanned(sql in "[?$:@#*()!M\\[\\]'\"`/\\\\; a1é\n-]{0,40}") {
            let _ = scan(&sql);
        }
    }
}
