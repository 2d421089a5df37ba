//! A table out of its `CREATE TABLE`.
//!
//! Invariant: what is not understood is skipped as far as the next comma, and makes the table
//! opaque.

use larder_model::{Check, Dialect, Table, TableName};

use super::{
    charsets::Charsets,
    lexer::{Token, TokenKind, tokens},
    references,
};

/// What a table's text is read with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context<'a> {
    pub(super) dialect: Dialect,
    pub(super) charsets: &'a Charsets,
    /// The default collation of the database.
    pub(super) collation: Option<&'a str>,
}

/// Reads the text of a table.
pub(super) fn table(name: &str, sql: &str, context: Context<'_>) -> Table {
    let requoted = match context.dialect {
        Dialect::MariaDb => references::requoted(sql),
        _ => sql.to_owned(),
    };
    let mut parser = Parser {
        sql: &requoted,
        tokens: tokens(&requoted),
        at: 0,
        context,
        table: Table::new(TableName::new(name)),
    };
    parser.read();
    parser.table
}

pub(super) struct Parser<'a> {
    sql: &'a str,
    tokens: Vec<Token>,
    at: usize,
    pub(super) context: Context<'a>,
    pub(super) table: Table,
}

/// The text is not one that is known.
#[derive(Debug)]
pub(super) struct NotUnderstood;

pub(super) type Parsed<T> = Result<T, NotUnderstood>;

impl Parser<'_> {
    fn read(&mut self) {
        // The collation of the table decides what its columns mean, and comes last.
        let Some(open) = self.tokens.iter().position(|token| token.kind == TokenKind::Symbol('('))
        else {
            return self.opaque("its definition can not be read".to_owned());
        };
        self.at = open + 1;
        self.skip_parentheses();
        self.options();
        self.at = open + 1;
        loop {
            let start = self.at;
            if self.item().is_err() {
                let what = self.rest_of_item(start);
                self.opaque(format!("this of it is not understood: {what}"));
            }
            if !self.symbol(',') {
                break;
            }
        }
        if !self.symbol(')') {
            self.opaque("its definition can not be read to its end".to_owned());
        }
    }

    /// Keeps the first reason.
    pub(super) fn opaque(&mut self, reason: String) {
        self.table.opaque.get_or_insert(reason);
    }

    /// Goes to the comma or parenthesis that ends the item, and returns what was skipped.
    fn rest_of_item(&mut self, start: usize) -> String {
        self.at = start;
        while !matches!(self.peek(), None | Some(TokenKind::Symbol(',' | ')'))) {
            self.at += 1;
            if self.is_previous('(') {
                self.skip_parentheses();
            }
        }
        let from = self.tokens.get(start).map_or(0, |token| token.start);
        let to = self.tokens.get(self.at).map_or(self.sql.len(), |token| token.start);
        self.sql.get(from..to).unwrap_or_default().trim_end().to_owned()
    }

    /// A column, a key or a constraint.
    fn item(&mut self) -> Parsed<()> {
        if let Some(TokenKind::Name(name)) = self.peek() {
            let name = name.clone();
            self.at += 1;
            self.column(name)?;
        } else if self.word("CONSTRAINT") {
            let name = self.name()?;
            if self.words(&["FOREIGN", "KEY"]) {
                self.foreign_key(name)?;
            } else {
                self.check(name)?;
            }
        } else {
            self.key()?;
        }
        match self.peek() {
            Some(TokenKind::Symbol(',' | ')')) => Ok(()),
            _ => Err(NotUnderstood),
        }
    }

    fn check(&mut self, name: String) -> Parsed<()> {
        self.expect_word("CHECK")?;
        let expression = self.expression()?;
        let validated = !self.words(&["NOT", "ENFORCED"]);
        if self.context.dialect == Dialect::MariaDb && self.table.column(&name).is_some() {
            // MariaDB names the check of a column so, and which one is meant can not be said.
            self.opaque(format!("its check {name:?} has the name of a column"));
        }
        self.table.checks.push(Check { name: Some(name), expression, validated });
        Ok(())
    }

    /// What follows the closing parenthesis. Options that are not read survive every change.
    fn options(&mut self) {
        let (mut charset, mut collation) = (None, None);
        while self.at < self.tokens.len() {
            if self.word("ENGINE") {
                let engine = self.option();
                if !engine.eq_ignore_ascii_case("InnoDB") {
                    self.opaque(format!("its engine is {engine}"));
                }
            } else if self.word("CHARSET") {
                charset = Some(self.option());
            } else if self.word("COLLATE") {
                collation = Some(self.option());
            } else if self.word("COMMENT") {
                self.table.comment = Some(self.option()).filter(|comment| !comment.is_empty());
            } else if self.words(&["PARTITION", "BY"]) {
                self.opaque("it is partitioned".to_owned());
                return self.settle_collation(charset, collation);
            } else if self.words(&["SYSTEM", "VERSIONING"]) {
                self.opaque("it is system-versioned".to_owned());
            } else {
                self.at += 1;
            }
        }
        self.settle_collation(charset, collation);
    }

    fn settle_collation(&mut self, charset: Option<String>, collation: Option<String>) {
        let found = self.context.charsets.collation(charset, collation);
        self.table.collation = found.filter(|name| Some(name.as_str()) != self.context.collation);
    }

    /// The collation of the table, also where it is the database's.
    pub(super) fn collation(&self) -> Option<&str> {
        self.table.collation.as_deref().or(self.context.collation)
    }

    /// The value of an option, with or without an equals sign before it.
    fn option(&mut self) -> String {
        self.symbol('=');
        let value = match self.peek() {
            Some(TokenKind::Text(text) | TokenKind::Name(text)) => text.clone(),
            Some(_) => self.slice(self.at, self.at + 1).to_owned(),
            None => String::new(),
        };
        self.at += 1;
        value
    }

    pub(super) fn peek(&self) -> Option<&TokenKind> {
        self.tokens.get(self.at).map(|token| &token.kind)
    }

    pub(super) const fn position(&self) -> usize {
        self.at
    }

    /// The text of some tokens, as it was printed.
    pub(super) fn slice(&self, from: usize, to: usize) -> &str {
        let start = self.tokens.get(from).map_or(self.sql.len(), |token| token.start);
        let end = to.checked_sub(1).and_then(|at| self.tokens.get(at)).map_or(start, |t| t.end);
        self.sql.get(start..end).unwrap_or_default()
    }

    fn is_previous(&self, symbol: char) -> bool {
        let previous = self.at.checked_sub(1).and_then(|at| self.tokens.get(at));
        previous.is_some_and(|token| token.kind == TokenKind::Symbol(symbol))
    }

    pub(super) fn skip(&mut self) {
        self.at += 1;
    }

    /// Goes behind the parenthesis that closes the one just passed.
    pub(super) fn skip_parentheses(&mut self) {
        let mut depth = 1_usize;
        while depth > 0 {
            match self.peek() {
                Some(TokenKind::Symbol('(')) => depth += 1,
                Some(TokenKind::Symbol(')')) => depth -= 1,
                Some(_) => {}
                None => return,
            }
            self.at += 1;
        }
    }

    pub(super) fn symbol(&mut self, symbol: char) -> bool {
        let found = self.peek() == Some(&TokenKind::Symbol(symbol));
        self.at += usize::from(found);
        found
    }

    pub(super) fn expect(&mut self, symbol: char) -> Parsed<()> {
        if self.symbol(symbol) { Ok(()) } else { Err(NotUnderstood) }
    }

    pub(super) fn is_word(&self, at: usize, word: &str) -> bool {
        let token = self.tokens.get(at);
        token.is_some_and(|token| {
            token.kind == TokenKind::Word
                && self.sql[token.start..token.end].eq_ignore_ascii_case(word)
        })
    }

    pub(super) fn word(&mut self, word: &str) -> bool {
        let found = self.is_word(self.at, word);
        self.at += usize::from(found);
        found
    }

    pub(super) fn expect_word(&mut self, word: &str) -> Parsed<()> {
        if self.word(word) { Ok(()) } else { Err(NotUnderstood) }
    }

    pub(super) fn words(&mut self, words: &[&str]) -> bool {
        let found = words.iter().enumerate().all(|(at, word)| self.is_word(self.at + at, word));
        self.at += if found { words.len() } else { 0 };
        found
    }

    /// Any word, as it was printed.
    pub(super) fn any_word(&mut self) -> Parsed<String> {
        match self.peek() {
            Some(TokenKind::Word) => {
                self.at += 1;
                Ok(self.slice(self.at - 1, self.at).to_owned())
            }
            _ => Err(NotUnderstood),
        }
    }

    pub(super) fn name(&mut self) -> Parsed<String> {
        match self.peek() {
            Some(TokenKind::Name(name)) => {
                let name = name.clone();
                self.at += 1;
                Ok(name)
            }
            _ => Err(NotUnderstood),
        }
    }

    pub(super) fn text(&mut self) -> Parsed<String> {
        match self.peek() {
            Some(TokenKind::Text(text)) => {
                let text = text.clone();
                self.at += 1;
                Ok(text)
            }
            _ => Err(NotUnderstood),
        }
    }

    pub(super) fn number(&mut self) -> Parsed<u32> {
        self.any_word()?.parse().map_err(|_| NotUnderstood)
    }

    /// Names in parentheses.
    pub(super) fn name_list(&mut self) -> Parsed<Vec<String>> {
        self.expect('(')?;
        let mut names = vec![self.name()?];
        while self.symbol(',') {
            names.push(self.name()?);
        }
        self.expect(')')?;
        Ok(names)
    }

    /// An expression in parentheses, without those around the whole of it.
    pub(super) fn expression(&mut self) -> Parsed<String> {
        self.expect('(')?;
        let mut from = self.at;
        self.skip_parentheses();
        if !self.is_previous(')') {
            return Err(NotUnderstood);
        }
        let mut to = self.at - 1;
        while self.is_wrapped(from, to) {
            (from, to) = (from + 1, to - 1);
        }
        Ok(self.slice(from, to).to_owned())
    }

    /// Whether the first parenthesis is closed by the last one.
    fn is_wrapped(&self, from: usize, to: usize) -> bool {
        let mut depth = 0_usize;
        for at in from..to {
            match self.tokens.get(at).map(|token| &token.kind) {
                Some(TokenKind::Symbol('(')) => depth += 1,
                Some(TokenKind::Symbol(')')) => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 {
                return at > from && at + 1 == to;
            }
        }
        false
    }
}
