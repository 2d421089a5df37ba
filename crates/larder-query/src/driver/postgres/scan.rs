//! What the driver has to know about a text before PostgreSQL sees it.
//!
//! Guards that no statement begins or ends a transaction behind the pool's back, that a statement
//! which changes its session is noticed, and that placeholders are found where they are and
//! nowhere else: not in quotes, dollar quotes, comments or names, and a `?` is an operator.
//!
//! This is PostgreSQL's tokenizer as far as those go, and no parser.

use std::ops::Range;

use smallvec::SmallVec;

/// What is known about a text of one or more statements.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Scan {
    /// The statements; what is empty is none.
    pub(super) pieces: SmallVec<[Piece; 1]>,
    /// Where parameters stand, in order.
    pub(super) placeholders: Vec<Placeholder>,
    /// Whether there is a `?`, which other databases take for a parameter.
    pub(super) question_mark: bool,
}

/// One statement of a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) verb: Verb,
    /// Where it stands, without its semicolon.
    pub(super) text: Range<usize>,
    /// Whether its session may be another one afterwards.
    pub(super) changes_session: bool,
    /// Whether columns may be of other types afterwards.
    pub(super) changes_types: bool,
    /// Whether a word occurs in it with which a common table expression writes.
    pub(super) names_write: bool,
}

/// `$1` and where it stands.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Placeholder {
    pub(super) text: Range<usize>,
    pub(super) number: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    /// Neither of the others.
    Other,
    /// `SELECT`, `TABLE` or `VALUES`
    Read,
    /// `SAVEPOINT`, `RELEASE` or `ROLLBACK TO`
    Savepoint,
    /// `BEGIN`, `COMMIT`, `PREPARE TRANSACTION` and their like
    Transaction,
    /// `INSERT`, `UPDATE`, `DELETE` or `MERGE`, whose rows count
    Write,
}

/// Functions whose effect lasts as long as the session.
const SESSION_FUNCTIONS: [&str; 7] = [
    "dblink_connect",
    "dblink_connect_u",
    "pg_advisory_lock",
    "pg_advisory_lock_shared",
    "pg_try_advisory_lock",
    "pg_try_advisory_lock_shared",
    "setseed",
];

/// Statements whose effect lasts as long as the session, and those that may run anything.
const SESSION_VERBS: [&str; 11] = [
    "call",
    "deallocate",
    "discard",
    "do",
    "execute",
    "listen",
    "load",
    "prepare",
    "reset",
    "set",
    "unlisten",
];

/// Reads a text.
pub(super) fn scan(sql: &str) -> Scan {
    let mut scanner = Scanner {
        sql,
        at: 0,
        found: Scan::default(),
        piece: None,
        head: Head::Start,
        depth: 0,
        atomic: 0,
        previous: String::new(),
        setting: None,
    };
    while scanner.at < sql.len() {
        scanner.token();
    }
    scanner.end_piece(sql.len());
    scanner.found
}

/// What of a statement has been read, as far as its verb goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Head {
    Start,
    /// After `SET`.
    Set,
    /// After `WITH`, at this depth of parentheses.
    With(usize),
    Known,
}

/// A call of `set_config`, as far as its last argument goes.
struct Setting {
    /// The depth of its arguments.
    depth: usize,
    /// Whether the last argument so far is nothing but `true`.
    is_local: bool,
}

struct Scanner<'a> {
    sql: &'a str,
    at: usize,
    found: Scan,
    piece: Option<Piece>,
    head: Head,
    depth: usize,
    /// How many blocks of a function's body are open, in which a semicolon ends no statement.
    atomic: usize,
    /// The word before, in lower case.
    previous: String,
    setting: Option<Setting>,
}

impl<'a> Scanner<'a> {
    fn rest(&self) -> &'a [u8] {
        self.sql.as_bytes().get(self.at..).unwrap_or_default()
    }

    fn token(&mut self) {
        let start = self.at;
        match *self.rest() {
            [b'-', b'-', ..] => self.skip_while(|byte| byte != b'\n'),
            [b'/', b'*', ..] => self.skip_comment(),
            [b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c, ..] => self.at += 1,
            [b';', ..] if self.depth == 0 && self.atomic == 0 => {
                self.end_piece(start);
                self.at += 1;
            }
            [b'\'', ..] => self.something(|scanner| scanner.skip_quoted(b'\'', false)),
            [b'"', ..] => self.quoted_name(),
            [b'$', ..] => self.dollar(),
            [byte, ..] if is_name_start(byte) => self.word(),
            [byte, ..] if byte.is_ascii_digit() => {
                self.something(|scanner| scanner.skip_while(|byte| is_name(byte) && byte != b'$'));
            }
            [byte, ..] => self.something(|scanner| scanner.sign(byte)),
            [] => {}
        }
    }

    /// Anything that is no word: a statement that begins so has no verb that matters.
    fn something(&mut self, skip: impl FnOnce(&mut Self)) {
        let first = self.rest().first().copied();
        self.begin_piece();
        if self.head == Head::Start && first != Some(b'(') {
            self.head = Head::Known;
        }
        if let Some(setting) = &mut self.setting
            && setting.depth == self.depth
            && !matches!(first, Some(b',' | b')'))
        {
            setting.is_local = false;
        }
        skip(self);
    }

    fn sign(&mut self, byte: u8) {
        self.at += 1;
        match byte {
            b'(' => {
                self.depth += 1;
                if self.previous == "set_config" {
                    self.setting = Some(Setting { depth: self.depth, is_local: false });
                }
            }
            b')' => {
                let ended = self.setting.take_if(|setting| setting.depth == self.depth);
                if ended.is_some_and(|setting| !setting.is_local) {
                    self.change_session();
                }
                self.depth = self.depth.saturating_sub(1);
            }
            b',' => {
                if let Some(setting) = &mut self.setting
                    && setting.depth == self.depth
                {
                    // The next word decides.
                    setting.is_local = true;
                    self.previous.clear();
                    self.previous.push(',');
                    return;
                }
            }
            b'?' => self.found.question_mark = true,
            _ => {}
        }
        self.previous.clear();
    }

    fn begin_piece(&mut self) -> &mut Piece {
        let start = self.at;
        self.piece.get_or_insert(Piece {
            verb: Verb::Other,
            text: start..start,
            changes_session: false,
            changes_types: false,
            names_write: false,
        })
    }

    fn end_piece(&mut self, end: usize) {
        if self.setting.take().is_some() {
            self.change_session();
        }
        if let Some(mut piece) = self.piece.take() {
            piece.text.end = end;
            self.found.pieces.push(piece);
        }
        (self.head, self.depth, self.atomic) = (Head::Start, 0, 0);
        self.previous.clear();
    }

    fn change_session(&mut self) {
        self.begin_piece().changes_session = true;
    }

    fn skip_while(&mut self, belongs: impl Fn(u8) -> bool) {
        let rest = self.rest();
        self.at += rest.iter().position(|&byte| !belongs(byte)).unwrap_or(rest.len());
    }

    /// Comments nest.
    fn skip_comment(&mut self) {
        let mut depth = 0_usize;
        loop {
            match *self.rest() {
                [b'/', b'*', ..] => {
                    depth += 1;
                    self.at += 2;
                }
                [b'*', b'/', ..] => {
                    depth -= 1;
                    self.at += 2;
                    if depth == 0 {
                        return;
                    }
                }
                [_, ..] => self.at += 1,
                [] => return,
            }
        }
    }

    /// A doubled quote ends one text and begins the next, which comes to the same.
    fn skip_quoted(&mut self, quote: u8, escapes: bool) {
        self.at += 1;
        loop {
            match *self.rest() {
                [b'\\', _, ..] if escapes => self.at += 2,
                [byte, ..] => {
                    self.at += 1;
                    if byte == quote {
                        return;
                    }
                }
                [] => return,
            }
        }
    }

    fn quoted_name(&mut self) {
        let start = self.at + 1;
        self.something(|scanner| scanner.skip_quoted(b'"', false));
        let name = self.sql.get(start..self.at.saturating_sub(1)).unwrap_or_default();
        self.previous = name.to_owned();
        self.judge_name();
    }

    /// A parameter, or a text between dollar signs.
    fn dollar(&mut self) {
        let start = self.at;
        self.something(|scanner| scanner.at += 1);
        let tag = self.at;
        self.skip_while(|byte| is_name(byte) && byte != b'$');
        let name = self.sql.get(tag..self.at).unwrap_or_default();
        if self.rest().first() == Some(&b'$') && !name.starts_with(|c: char| c.is_ascii_digit()) {
            self.at += 1;
            let mark = self.sql.get(start..self.at).unwrap_or_default();
            let rest = self.sql.get(self.at..).unwrap_or_default();
            self.at += rest.find(mark).map_or(rest.len(), |end| end + mark.len());
        } else {
            let digits = name.bytes().take_while(u8::is_ascii_digit).count();
            self.at = tag + digits;
            if let Some(number) = name.get(..digits).and_then(|digits| digits.parse().ok()) {
                self.found.placeholders.push(Placeholder { text: start..self.at, number });
            }
        }
        self.previous.clear();
    }

    fn word(&mut self) {
        let start = self.at;
        self.begin_piece();
        self.skip_while(is_name);
        let word = self.sql.get(start..self.at).unwrap_or_default().to_ascii_lowercase();
        if word == "e" && self.rest().first() == Some(&b'\'') {
            self.something(|scanner| scanner.skip_quoted(b'\'', true));
            self.previous.clear();
            return;
        }
        self.place(&word);
        self.body(&word);
        if matches!(&*word, "insert" | "update" | "delete" | "merge") {
            self.begin_piece().names_write = true;
        }
        if word == "hold" && self.previous == "with" {
            self.change_session();
        }
        let makes = ["create", "replace", "global", "local", "into"];
        if matches!(&*word, "temp" | "temporary") && makes.contains(&&*self.previous) {
            self.change_session();
        }
        if let Some(setting) = &mut self.setting
            && setting.depth == self.depth
        {
            setting.is_local = word == "true" && self.previous == ",";
        }
        self.previous = word;
        self.judge_name();
    }

    fn judge_name(&mut self) {
        let name = &*self.previous;
        if SESSION_FUNCTIONS.contains(&name) || name.starts_with("pg_temp") {
            self.change_session();
        }
    }

    /// Settles the verb by a word.
    fn place(&mut self, word: &str) {
        let (head, depth) = (self.head, self.depth);
        let previous = std::mem::take(&mut self.previous);
        let piece = self.begin_piece();
        let verb = match word {
            "select" | "table" | "values" => Some(Verb::Read),
            "insert" | "update" | "delete" | "merge" => Some(Verb::Write),
            _ => None,
        };
        match head {
            Head::Start if word == "with" => self.head = Head::With(depth),
            Head::Set => {
                // These end with the transaction.
                let ends = ["constraints", "local", "transaction"];
                piece.changes_session = !ends.contains(&word);
                self.head = Head::Known;
            }
            Head::Start => {
                piece.changes_session |= SESSION_VERBS.contains(&word);
                piece.changes_types |= matches!(word, "alter" | "call" | "do" | "drop");
                piece.verb = match word {
                    "savepoint" | "release" => Verb::Savepoint,
                    "abort" | "begin" | "commit" | "end" | "rollback" | "start" => {
                        Verb::Transaction
                    }
                    _ => verb.unwrap_or(Verb::Other),
                };
                self.head = if word == "set" { Head::Set } else { Head::Known };
            }
            Head::With(at) if at == depth => {
                if let Some(verb) = verb {
                    piece.verb = verb;
                    self.head = Head::Known;
                }
            }
            Head::Known => match (&*previous, word) {
                ("prepare", "transaction") => piece.verb = Verb::Transaction,
                ("rollback", "to") | ("work" | "transaction", "to")
                    if piece.verb == Verb::Transaction =>
                {
                    piece.verb = Verb::Savepoint;
                }
                _ => {}
            },
            Head::With(_) => {}
        }
        self.previous = previous;
    }

    /// Follows the body of a function that is written in SQL.
    fn body(&mut self, word: &str) {
        match word {
            "atomic" if self.previous == "begin" => self.atomic += 1,
            "case" if self.atomic > 0 => self.atomic += 1,
            "end" if self.atomic > 0 => self.atomic -= 1,
            _ => {}
        }
    }
}

const fn is_name_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || !byte.is_ascii()
}

const fn is_name(byte: u8) -> bool {
    is_name_start(byte) || byte.is_ascii_digit() || byte == b'$'
}

#[cfg(test)]
mod tests;
