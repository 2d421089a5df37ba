//! A column out of its line.

use larder_model::{Check, Column, Dialect, Generated, Identity};

use super::{
    lexer::TokenKind,
    parse::{NotUnderstood, Parsed, Parser},
};

/// What a line says beside what a [`Column`] has room for.
#[derive(Default)]
struct Extra {
    charset: Option<String>,
    collation: Option<String>,
    /// MariaDB's check of the column.
    check: Option<String>,
}

impl Parser<'_> {
    /// What follows the name.
    pub(super) fn column(&mut self, name: String) -> Parsed<()> {
        let mut column = Column::new(name, self.ty()?);
        let mut extra = Extra::default();
        while !matches!(self.peek(), None | Some(TokenKind::Symbol(',' | ')'))) {
            self.attribute(&mut column, &mut extra)?;
        }
        self.settle(&mut column, extra);
        self.table.columns.push(column);
        Ok(())
    }

    /// A type with its modifiers.
    fn ty(&mut self) -> Parsed<String> {
        let from = self.position();
        let base = self.any_word()?;
        if matches!(base.as_str(), "enum" | "set") {
            return self.labels(&base);
        }
        if self.symbol('(') {
            self.skip_parentheses();
        }
        let to = self.position();
        let mut ty = self.slice(from, to).to_owned();
        for modifier in ["unsigned", "zerofill"] {
            if self.word(modifier) {
                ty.push(' ');
                ty.push_str(modifier);
            }
        }
        Ok(ty)
    }

    /// Labels, each quoted in the one way that everything here is quoted in.
    fn labels(&mut self, base: &str) -> Parsed<String> {
        self.expect('(')?;
        let mut labels = vec![self.text()?];
        while self.symbol(',') {
            labels.push(self.text()?);
        }
        self.expect(')')?;
        let dialect = self.context.dialect;
        let labels: Vec<_> = labels.iter().map(|label| dialect.text(label)).collect();
        Ok(format!("{base}({})", labels.join(",")))
    }

    fn attribute(&mut self, column: &mut Column, extra: &mut Extra) -> Parsed<()> {
        if self.words(&["CHARACTER", "SET"]) {
            extra.charset = Some(self.any_word()?);
        } else if self.word("COLLATE") {
            extra.collation = Some(self.any_word()?);
        } else if self.words(&["NOT", "NULL"]) {
            column.nullable = false;
        } else if self.word("NULL") {
            column.nullable = true;
        } else if self.word("DEFAULT") {
            column.default = self.default()?;
            if column.default.as_ref().is_some_and(|sql| sql.contains('\u{fffd}')) {
                self.opaque(format!("the default of {:?} is not text", column.name));
            }
        } else if self.words(&["ON", "UPDATE"]) {
            let from = self.position();
            self.primary()?;
            column.on_update = Some(self.slice(from, self.position()).to_owned());
        } else if self.word("AUTO_INCREMENT") {
            column.identity = Some(Identity::AutoIncrement);
        } else if self.words(&["GENERATED", "ALWAYS", "AS"]) {
            let expression = self.expression()?;
            let stored = self.word("STORED") || self.word("PERSISTENT");
            if !stored {
                self.expect_word("VIRTUAL")?;
            }
            column.generated = Some(Generated { expression, stored });
        } else if self.word("COMMENT") {
            column.comment = Some(self.text()?).filter(|comment| !comment.is_empty());
        } else if self.word("CHECK") {
            extra.check = Some(self.expression()?);
        } else if self.word("SRID") {
            column.ty = format!("{} srid {}", column.ty, self.number()?);
        } else if self.word("INVISIBLE") {
            self.opaque(format!("its column {:?} is invisible", column.name));
        } else {
            return Err(NotUnderstood);
        }
        Ok(())
    }

    /// A default in the words that stand behind `DEFAULT`; `None` if it is NULL.
    fn default(&mut self) -> Parsed<Option<String>> {
        if self.word("NULL") {
            return Ok(None);
        }
        if let Some(TokenKind::Text(text)) = self.peek() {
            let text = self.context.dialect.text(text);
            self.skip();
            return Ok(Some(text));
        }
        if self.context.dialect == Dialect::MySql && self.peek() == Some(&TokenKind::Symbol('(')) {
            return Ok(Some(format!("({})", self.expression()?)));
        }
        let from = self.position();
        self.primary()?;
        Ok(Some(self.slice(from, self.position()).to_owned()))
    }

    /// Goes behind a number, a literal, a call or an expression in parentheses.
    fn primary(&mut self) -> Parsed<()> {
        self.symbol('-');
        match self.peek() {
            Some(TokenKind::Symbol('(')) => {
                self.skip();
                self.skip_parentheses();
            }
            Some(TokenKind::Word) => {
                self.skip();
                // `b'101'`, `_latin1'x'`: the text belongs to the word.
                if matches!(self.peek(), Some(TokenKind::Text(_))) {
                    self.skip();
                } else if self.symbol('(') {
                    self.skip_parentheses();
                }
            }
            _ => return Err(NotUnderstood),
        }
        Ok(())
    }

    /// Takes out what goes without saying.
    fn settle(&mut self, column: &mut Column, extra: Extra) {
        let found = self.context.charsets.collation(extra.charset, extra.collation);
        column.collation = found.filter(|name| Some(name.as_str()) != self.collation());
        let Some(expression) = extra.check else { return };
        let is_json = expression == format!("json_valid({})", quoted(&column.name));
        if is_json && column.ty == "longtext" && self.is_json_collation(column) {
            column.ty = "json".to_owned();
            column.collation = None;
            return;
        }
        let name = Some(column.name.clone());
        self.table.checks.push(Check { name, expression, validated: true });
    }

    fn is_json_collation(&self, column: &Column) -> bool {
        column.collation.as_deref().or_else(|| self.collation()) == Some("utf8mb4_bin")
    }
}

fn quoted(name: &str) -> String {
    Dialect::MariaDb.quoted(name)
}
