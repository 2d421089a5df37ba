//! The bodies of triggers, routines and events, in which a semicolon ends nothing.
//!
//! Each database has its own rule, because each lets other words stand for names: SQLite's shell
//! looks for `; END;`, PostgreSQL reserves `CASE` and `END`, and in the MySQL family a word opens
//! a block only where a statement may begin.

use larder_model::Dialect;

use super::{Token, TokenKind};

/// Follows one statement, token by token.
#[derive(Debug)]
pub(super) enum Body<'a> {
    MySql(MySqlBody<'a>),
    Postgres(PostgresBody<'a>),
    Sqlite(SqliteBody<'a>),
}

impl<'a> Body<'a> {
    pub(super) fn new(dialect: Dialect) -> Self {
        match dialect {
            Dialect::MariaDb | Dialect::MySql => Self::MySql(MySqlBody::new(dialect)),
            Dialect::Sqlite => Self::Sqlite(SqliteBody::default()),
            // A dialect that is not known here would be PostgreSQL's.
            _ => Self::Postgres(PostgresBody::default()),
        }
    }

    /// Takes the next token that is significant. A delimiter is one only while the body is open.
    pub(super) fn feed(&mut self, token: Token<'a>) {
        // The frames of comments that are executed are not a part of the statement.
        if matches!(token.kind, TokenKind::ExecutableEnd | TokenKind::ExecutableStart) {
            return;
        }
        match self {
            Self::MySql(body) => body.feed(token),
            Self::Postgres(body) => body.feed(token),
            Self::Sqlite(body) => body.feed(token),
        }
    }

    /// Whether a delimiter would stand within the body.
    pub(super) const fn is_open(&self) -> bool {
        match self {
            Self::MySql(body) => !body.blocks.is_empty(),
            Self::Postgres(body) => body.depth > 0 || body.parentheses > 0,
            Self::Sqlite(body) => body.is_open(),
        }
    }

    /// Whether the text may not end here. Parentheses alone are for the server to judge.
    pub(super) const fn is_unfinished(&self) -> bool {
        match self {
            Self::Postgres(body) => body.depth > 0,
            Self::MySql(_) | Self::Sqlite(_) => self.is_open(),
        }
    }
}

/// `CREATE TRIGGER … BEGIN …; END;` is over where `END` follows a semicolon and a semicolon follows
/// it. A column may have the name `end` there, but none follows a semicolon.
#[derive(Debug, Default)]
pub(super) struct SqliteBody<'a> {
    head: Head,
    last: Option<Token<'a>>,
    is_over: bool,
}

impl<'a> SqliteBody<'a> {
    const fn is_open(&self) -> bool {
        matches!(self.head, Head::Found) && !self.is_over
    }

    fn feed(&mut self, token: Token<'a>) {
        self.head.feed(&token, &["TEMP", "TEMPORARY"], &["TRIGGER"]);
        let after_delimiter = self.last.is_some_and(|last| last.kind == TokenKind::Delimiter);
        self.is_over = after_delimiter && token.is("END");
        self.last = Some(token);
    }
}

/// `BEGIN ATOMIC … END` of a routine, and parentheses: the actions of a rule stand in them.
#[derive(Debug, Default)]
pub(super) struct PostgresBody<'a> {
    head: Head,
    last: Option<Token<'a>>,
    depth: usize,
    parentheses: usize,
}

impl<'a> PostgresBody<'a> {
    fn feed(&mut self, token: Token<'a>) {
        self.head.feed(&token, &["OR", "REPLACE"], &["FUNCTION", "PROCEDURE"]);
        if token.is_sign("(") {
            self.parentheses += 1;
        } else if token.is_sign(")") {
            self.parentheses = self.parentheses.saturating_sub(1);
        } else if matches!(self.head, Head::Found) {
            let begins = token.is("ATOMIC") && self.last.is_some_and(|last| last.is("BEGIN"));
            if begins || (self.depth > 0 && token.is("CASE")) {
                self.depth += 1;
            } else if token.is("END") {
                self.depth = self.depth.saturating_sub(1);
            }
        }
        self.last = Some(token);
    }
}

/// The compound statements of MySQL and MariaDB.
#[derive(Debug)]
pub(super) struct MySqlBody<'a> {
    dialect: Dialect,
    head: Head,
    last: Option<Token<'a>>,
    before_last: Option<Token<'a>>,
    blocks: Vec<Block>,
    handler: Handler,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Block {
    Begin,
    /// `CASE … END CASE`, whose branches are statements.
    Case,
    /// `CASE … END` within an expression.
    CaseExpression,
    If,
    /// `LOOP`, `WHILE` and MariaDB's `FOR`.
    Loop,
    Repeat,
}

/// `DECLARE … HANDLER FOR …`, behind which a block may begin without a semicolon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Handler {
    Declared,
    No,
    Yes,
}

impl<'a> MySqlBody<'a> {
    const fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            head: Head::Start,
            last: None,
            before_last: None,
            blocks: Vec::new(),
            handler: Handler::No,
        }
    }

    fn feed(&mut self, token: Token<'a>) {
        self.head.feed(
            &token,
            &["OR", "REPLACE", "AGGREGATE"],
            &["EVENT", "FUNCTION", "PROCEDURE", "TRIGGER"],
        );
        // MariaDB has blocks outside of routines; a transaction begins in the same way.
        let begins_block = self.dialect == Dialect::MariaDb
            && token.is("ATOMIC")
            && self.last.is_some_and(|last| last.is("NOT"))
            && self.before_last.is_some_and(|before| before.is("BEGIN"));
        if begins_block && self.blocks.is_empty() {
            self.head = Head::Found;
            self.blocks.push(Block::Begin);
        } else if matches!(self.head, Head::Found) {
            self.follow(&token);
        }
        self.before_last = self.last;
        self.last = Some(token);
    }

    fn follow(&mut self, token: &Token<'_>) {
        if token.kind == TokenKind::Delimiter {
            self.handler = Handler::No;
        }
        if token.kind != TokenKind::Word {
            return;
        }
        let begins = self.begins_statement();
        if token.is("END") {
            self.end(begins);
        } else if token.is("BEGIN") {
            if begins || self.handler == Handler::Yes || self.is_free_begin() {
                self.blocks.push(Block::Begin);
            }
        } else if token.is("CASE") {
            if begins {
                self.blocks.push(Block::Case);
            } else if !self.last_is(&["END"]) && !self.blocks.is_empty() {
                self.blocks.push(Block::CaseExpression);
            }
        } else if begins && token.is("IF") {
            self.blocks.push(Block::If);
        } else if begins && token.is_any(&["FOR", "LOOP", "WHILE"]) {
            self.blocks.push(Block::Loop);
        } else if begins && token.is("REPEAT") {
            self.blocks.push(Block::Repeat);
        } else if begins && token.is("DECLARE") {
            self.handler = Handler::Declared;
        } else if token.is("HANDLER") && self.handler == Handler::Declared {
            self.handler = Handler::Yes;
        }
    }

    /// `END` closes where a statement could begin; elsewhere it may be a column's name, unless
    /// an expression came before it.
    fn end(&mut self, begins: bool) {
        let follows_expression =
            matches!(self.blocks.last(), Some(Block::CaseExpression | Block::Repeat));
        if begins || follows_expression {
            self.blocks.pop();
        }
    }

    /// `CREATE PROCEDURE p() COMMENT 'x' BEGIN`: what precedes the body of a routine has many
    /// forms, but nothing in it is called `BEGIN`.
    fn is_free_begin(&self) -> bool {
        let is_name = self.last_is(&["EVENT", "EXISTS", "FUNCTION", "ON", "PROCEDURE", "TRIGGER"])
            || self.last.is_some_and(|last| last.is_sign(".") || last.is_sign("="));
        self.blocks.is_empty() && !is_name
    }

    /// Whether the next token is the first of a statement.
    fn begins_statement(&self) -> bool {
        let Some(last) = &self.last else { return false };
        let in_expression = self.blocks.last() == Some(&Block::CaseExpression);
        if last.kind == TokenKind::Delimiter {
            return true;
        }
        if self.blocks.is_empty() {
            // The first statement of a body, behind what is said of the routine.
            return last.is_sign(")")
                || last.is_sign(":")
                || last.is_any(&[
                    "DATA",
                    "DEFINER",
                    "DETERMINISTIC",
                    "DO",
                    "INVOKER",
                    "ROW",
                    "SQL",
                ])
                || self
                    .before_last
                    .is_some_and(|before| before.is_any(&["COMMENT", "FOLLOWS", "PRECEDES"]));
        }
        let opens = ["BEGIN", "DO", "ELSE", "LOOP", "REPEAT", "THEN"];
        !in_expression && (last.is_any(&opens) || last.is_sign(":"))
            || (last.is("ATOMIC") && self.before_last.is_some_and(|before| before.is("NOT")))
    }

    fn last_is(&self, words: &[&str]) -> bool {
        self.last.is_some_and(|last| last.is_any(words))
    }
}

/// Whether a statement creates something with a body.
#[derive(Clone, Copy, Debug, Default)]
enum Head {
    /// Nothing has been read, `EXPLAIN` aside.
    #[default]
    Start,
    /// `CREATE`, and what may stand behind it.
    Create,
    /// `CREATE DEFINER`: a user follows, whose name may be anything.
    Definer,
    Found,
    Other,
}

impl Head {
    fn feed(&mut self, token: &Token<'_>, options: &[&str], kinds: &[&str]) {
        *self = match *self {
            Self::Start if token.is_any(&["ALTER", "CREATE"]) => Self::Create,
            Self::Start if token.is("EXPLAIN") => Self::Start,
            Self::Create | Self::Definer if token.is_any(kinds) => Self::Found,
            Self::Create if token.is_any(options) => Self::Create,
            Self::Create if token.is("DEFINER") => Self::Definer,
            Self::Definer if token.is_any(&["SQL", "VIEW"]) => Self::Other,
            Self::Definer => Self::Definer,
            Self::Found => Self::Found,
            Self::Start | Self::Create | Self::Other => Self::Other,
        };
    }
}
