//! The text of `CREATE TABLE`, for what no pragma tells.
//!
//! Invariant: what is returned is all that the text says; where it says something that has no
//! place here, there is no answer but the reason.

use larder_model::{Dialect, SqlToken, SqlTokenKind, sql_tokens};

use super::words::{Unclear, Words};

/// What the text of a table says beside what pragmas tell.
#[derive(Debug, Default, PartialEq)]
pub(super) struct TableText<'a> {
    pub(super) columns: Vec<ColumnText<'a>>,
    pub(super) key: Option<KeyText>,
    pub(super) uniques: Vec<KeyText>,
    pub(super) checks: Vec<CheckText<'a>>,
    /// In the order of the text.
    pub(super) references: Vec<ReferenceText>,
}

#[derive(Debug, Default, PartialEq)]
pub(super) struct ColumnText<'a> {
    pub(super) name: String,
    pub(super) collation: Option<String>,
    pub(super) generated: Option<Vec<SqlToken<'a>>>,
}

/// A primary key or a unique constraint.
#[derive(Debug, Default, PartialEq)]
pub(super) struct KeyText {
    pub(super) name: Option<String>,
    pub(super) columns: Vec<String>,
    pub(super) autoincrement: bool,
}

#[derive(Debug, PartialEq)]
pub(super) struct CheckText<'a> {
    pub(super) name: Option<String>,
    pub(super) expression: Vec<SqlToken<'a>>,
}

#[derive(Debug, Default, PartialEq)]
pub(super) struct ReferenceText {
    pub(super) name: Option<String>,
    pub(super) target: String,
    pub(super) deferrable: Option<bool>,
}

/// Reads the text of a table, as SQLite keeps it.
pub(super) fn parse(sql: &str) -> Result<TableText<'_>, Unclear> {
    let tokens = sql_tokens(Dialect::Sqlite, sql);
    let mut parser = Parser { words: Words::new(&tokens), table: TableText::default(), name: None };
    parser.table()?;
    Ok(parser.table)
}

struct Parser<'a, 't> {
    words: Words<'a, 't>,
    table: TableText<'a>,
    /// What `CONSTRAINT` said last.
    name: Option<String>,
}

impl Parser<'_, '_> {
    fn table(&mut self) -> Result<(), Unclear> {
        self.words.expect("CREATE")?;
        self.words.expect("TABLE")?;
        self.words.name()?;
        if self.words.take(".") {
            self.words.name()?;
        }
        self.words.expect("(")?;
        self.column()?;
        while self.words.take(",") {
            if self.is_constraint() {
                return self.constraints();
            }
            self.column()?;
        }
        self.end()
    }

    fn is_constraint(&self) -> bool {
        ["CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"]
            .iter()
            .any(|word| self.words.is(word))
    }

    /// The closing parenthesis and the options, which a pragma tells.
    fn end(&mut self) -> Result<(), Unclear> {
        self.words.expect(")")?;
        while !self.words.is_end() {
            if self.words.take("WITHOUT") {
                self.words.expect("ROWID")?;
            } else if !self.words.take("STRICT") && !self.words.take(",") {
                return Err(Unclear("its text has an option that is not known"));
            }
        }
        Ok(())
    }

    fn column(&mut self) -> Result<(), Unclear> {
        let name = self.words.name()?;
        self.table.columns.push(ColumnText { name: name.clone(), ..ColumnText::default() });
        self.skip_type()?;
        self.name = None;
        while self.column_constraint(&name)? {}
        Ok(())
    }

    /// One or several words and perhaps numbers in parentheses. They end where a constraint
    /// begins.
    fn skip_type(&mut self) -> Result<(), Unclear> {
        const ENDS: [&str; 10] = [
            "AS",
            "CHECK",
            "COLLATE",
            "CONSTRAINT",
            "DEFAULT",
            "NOT",
            "NULL",
            "PRIMARY",
            "REFERENCES",
            "UNIQUE",
        ];
        let mut has_word = false;
        loop {
            let is_end = ENDS.iter().any(|word| self.words.is(word)) || self.is_generated();
            match self.words.peek() {
                Some(token) if !is_end && token.kind != SqlTokenKind::Symbol => {
                    self.words.skip();
                    has_word = true;
                }
                Some(token) if has_word && token.is("(") => {
                    self.words.parentheses()?;
                    return Ok(());
                }
                _ => return Ok(()),
            }
        }
    }

    fn is_generated(&self) -> bool {
        self.words.is("GENERATED") && self.words.is_at(1, "ALWAYS") && self.words.is_at(2, "AS")
    }

    fn column_constraint(&mut self, column: &str) -> Result<bool, Unclear> {
        if self.words.take("CONSTRAINT") {
            self.name = Some(self.words.name()?);
            return Ok(true);
        }
        if self.is_generated() {
            self.words.skip();
            self.words.skip();
        }
        let columns = vec![column.to_owned()];
        if self.words.take("PRIMARY") {
            self.words.expect("KEY")?;
            if !self.words.take("ASC") && self.words.is("DESC") {
                return Err(Unclear("its key is in descending order"));
            }
            self.conflict()?;
            let autoincrement = self.words.take("AUTOINCREMENT");
            self.table.key = Some(KeyText { name: self.name.take(), columns, autoincrement });
        } else if self.words.is("NOT") && self.words.is_at(1, "NULL") {
            self.words.skip();
            self.words.skip();
            self.conflict()?;
        } else if self.words.take("NULL") {
            self.conflict()?;
        } else if self.words.take("UNIQUE") {
            self.conflict()?;
            let name = self.name.take();
            self.table.uniques.push(KeyText { name, columns, autoincrement: false });
        } else if self.words.take("CHECK") {
            self.check()?;
        } else if self.words.take("DEFAULT") {
            self.skip_default()?;
        } else if self.words.take("COLLATE") {
            let collation = self.words.name()?;
            self.change_column(|column| column.collation = Some(collation));
        } else if self.words.take("REFERENCES") {
            self.references()?;
        } else if self.words.take("AS") {
            let expression = self.words.parentheses()?.to_vec();
            let _is_stored = self.words.take("STORED") || self.words.take("VIRTUAL");
            self.change_column(|column| column.generated = Some(expression));
        } else {
            return Ok(false);
        }
        self.name = None;
        Ok(true)
    }
}

impl<'a> Parser<'a, '_> {
    fn change_column(&mut self, change: impl FnOnce(&mut ColumnText<'a>)) {
        if let Some(column) = self.table.columns.last_mut() {
            change(column);
        }
    }

    fn skip_default(&mut self) -> Result<(), Unclear> {
        if self.words.is("(") {
            self.words.parentheses()?;
            return Ok(());
        }
        let _is_signed = self.words.take("+") || self.words.take("-");
        match self.words.peek() {
            Some(token) if token.kind != SqlTokenKind::Symbol => {
                self.words.skip();
                Ok(())
            }
            _ => Err(Unclear("its text has a default that is not understood")),
        }
    }

    fn check(&mut self) -> Result<(), Unclear> {
        let expression = self.words.parentheses()?.to_vec();
        self.conflict()?;
        let name = self.name.take();
        self.table.checks.push(CheckText { name, expression });
        Ok(())
    }

    /// The behaviour on a conflict, which no other database has; the usual one may be spelt out.
    fn conflict(&mut self) -> Result<(), Unclear> {
        if self.words.take("ON") {
            self.words.expect("CONFLICT")?;
            if !self.words.take("ABORT") {
                return Err(Unclear("it has a conflict clause"));
            }
        }
        Ok(())
    }

    /// What follows `REFERENCES`.
    fn references(&mut self) -> Result<(), Unclear> {
        let mut reference = ReferenceText { name: self.name.take(), ..ReferenceText::default() };
        reference.target = self.words.name()?;
        if self.words.is("(") {
            self.words.parentheses()?;
        }
        loop {
            if self.words.take("ON") {
                self.action()?;
            } else if self.words.take("MATCH") {
                self.words.name()?;
            } else if self.words.is("NOT") && self.words.is_at(1, "DEFERRABLE") {
                self.words.skip();
                self.words.skip();
                self.initially()?;
                reference.deferrable = None;
            } else if self.words.take("DEFERRABLE") {
                reference.deferrable = Some(self.initially()?);
            } else {
                break;
            }
        }
        self.table.references.push(reference);
        Ok(())
    }

    /// What follows `ON`; a pragma tells what happens.
    fn action(&mut self) -> Result<(), Unclear> {
        let _when = self.words.name()?;
        if self.words.take("SET") || self.words.take("NO") {
            let _what = self.words.name()?;
            return Ok(());
        }
        self.words.name().map(|_action| ())
    }

    /// Whether a reference is looked at when the transaction ends.
    fn initially(&mut self) -> Result<bool, Unclear> {
        if !self.words.take("INITIALLY") {
            return Ok(false);
        }
        let is_deferred = self.words.take("DEFERRED");
        if !is_deferred {
            self.words.expect("IMMEDIATE")?;
        }
        Ok(is_deferred)
    }

    /// The constraints of the table; commas between them may be left out.
    fn constraints(&mut self) -> Result<(), Unclear> {
        while self.is_constraint() {
            self.constraint()?;
            let _comma = self.words.take(",");
        }
        self.end()
    }

    fn constraint(&mut self) -> Result<(), Unclear> {
        if self.words.take("CONSTRAINT") {
            self.name = Some(self.words.name()?);
            return Ok(());
        }
        if self.words.take("PRIMARY") {
            self.words.expect("KEY")?;
            let key = self.key()?;
            self.table.key = Some(key);
        } else if self.words.take("UNIQUE") {
            let key = self.key()?;
            self.table.uniques.push(key);
        } else if self.words.take("CHECK") {
            self.check()?;
        } else {
            self.words.expect("FOREIGN")?;
            self.words.expect("KEY")?;
            self.words.parentheses()?;
            self.words.expect("REFERENCES")?;
            self.references()?;
        }
        self.name = None;
        Ok(())
    }

    /// The columns of a key, each without a direction and a collation of its own.
    fn key(&mut self) -> Result<KeyText, Unclear> {
        let inner = self.words.parentheses()?;
        let mut words = Words::new(inner);
        let mut key = KeyText { name: self.name.take(), ..KeyText::default() };
        loop {
            key.columns.push(words.name()?);
            let _ascending = words.take("ASC");
            key.autoincrement |= words.take("AUTOINCREMENT");
            if words.is_end() {
                break;
            }
            if !words.take(",") {
                return Err(Unclear("a key of it has a direction or a collation of its own"));
            }
        }
        self.conflict()?;
        Ok(key)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::introspect::sqlite::canonical;

    fn texts(tokens: &[SqlToken<'_>]) -> String {
        canonical::expression(tokens, &[])
    }

    #[test]
    fn a_table_is_read_with_everything_it_has() {
        let sql = "CREATE TABLE \"o'brien\"(
            id integer CONSTRAINT pk PRIMARY KEY AUTOINCREMENT, -- the key, (not a type)
            autoincrement_flag double precision (10, -2) NOT NULL DEFAULT (abs(-1)) UNIQUE,
            'c d' TEXT COLLATE nocase DEFAULT 'x,)' CHECK (length([c d]) > 1) NULL,
            g GENERATED ALWAYS AS (id || ')') STORED,
            generated AS (1),
            p INT CONSTRAINT fk REFERENCES p DEFERRABLE INITIALLY DEFERRED NOT NULL,
            d DEFAULT -1 REFERENCES q(a, b) ON DELETE SET NULL ON UPDATE CASCADE MATCH FULL
              NOT DEFERRABLE,
            CONSTRAINT u UNIQUE (id ASC, g) CONSTRAINT c CHECK (g <> '' /* , */ )
            FOREIGN KEY (p, d) REFERENCES r, PRIMARY KEY (id) ON CONFLICT ABORT
        ) STRICT, WITHOUT ROWID";
        let table = parse(sql).unwrap();
        let names: Vec<_> = table.columns.iter().map(|column| column.name.as_str()).collect();
        assert_eq!(names, ["id", "autoincrement_flag", "c d", "g", "generated", "p", "d"]);
        assert_eq!(table.columns[2].collation.as_deref(), Some("nocase"));
        assert_eq!(texts(table.columns[3].generated.as_ref().unwrap()), "id || ')'");
        assert_eq!(texts(table.columns[4].generated.as_ref().unwrap()), "1");
        let key = |name: Option<&str>, columns: &[&str]| KeyText {
            name: name.map(str::to_owned),
            columns: columns.iter().map(|&name| name.to_owned()).collect(),
            autoincrement: false,
        };
        assert_eq!(table.key, Some(key(None, &["id"])));
        assert_eq!(
            table.uniques,
            [key(None, &["autoincrement_flag"]), key(Some("u"), &["id", "g"])]
        );
        let checks: Vec<_> =
            table.checks.iter().map(|of| (&of.name, texts(&of.expression))).collect();
        assert_eq!(
            checks,
            [(&None, "length([c d]) > 1".into()), (&Some("c".into()), "g <> ''".into())]
        );
        let reference = |name: Option<&str>, target: &str, deferrable| ReferenceText {
            name: name.map(str::to_owned),
            target: target.to_owned(),
            deferrable,
        };
        assert_eq!(
            table.references,
            [
                reference(Some("fk"), "p", Some(true)),
                reference(None, "q", None),
                reference(None, "r", None)
            ]
        );
    }

    #[test]
    fn autoincrement_is_the_keyword_alone() {
        let is_numbered = |sql| parse(sql).unwrap().key.unwrap().autoincrement;
        assert!(is_numbered("CREATE TABLE t (id INTEGER PRIMARY KEY autoincrement)"));
        assert!(is_numbered("CREATE TABLE t (id INTEGER, PRIMARY KEY (id AUTOINCREMENT))"));
        assert!(!is_numbered(
            "CREATE TABLE autoincrement (id INTEGER PRIMARY KEY, autoincrement_flag)"
        ));
        assert!(!is_numbered(
            "CREATE TABLE t (id INTEGER PRIMARY KEY /* AUTOINCREMENT */, b DEFAULT 'AUTOINCREMENT')"
        ));
    }

    #[test]
    fn what_has_no_place_is_not_passed_over() {
        for sql in [
            "CREATE TABLE t (a PRIMARY KEY DESC)",
            "CREATE TABLE t (a UNIQUE ON CONFLICT REPLACE)",
            "CREATE TABLE t (a NOT NULL ON CONFLICT IGNORE)",
            "CREATE TABLE t (a, PRIMARY KEY (a DESC))",
            "CREATE TABLE t (a, UNIQUE (a COLLATE NOCASE))",
            "CREATE TABLE t (a, PRIMARY KEY (a) ON CONFLICT ROLLBACK)",
            "CREATE TABLE t (a) SOMETHING",
            "CREATE TABLE t AS SELECT 1",
            "CREATE TABLE t (a",
            "CREATE TABLE t (a DEFAULT )",
            "CREATE VIRTUAL TABLE t USING x(a)",
            "",
        ] {
            assert!(parse(sql).is_err(), "{sql}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(
            words in proptest::collection::vec(
                "CREATE|TABLE|t|\\(|\\)|,|PRIMARY|KEY|UNIQUE|CHECK|DEFAULT|-|1|'x'|\\[a|\"b\"|AS|\
                 GENERATED|ALWAYS|REFERENCES|ON|DELETE|SET|NULL|NOT|DEFERRABLE|INITIALLY|CONSTRAINT|\
                 COLLATE|FOREIGN|STRICT|WITHOUT|.",
                0..30,
            )
        ) {
            let _ = parse(&words.join(" "));
            let _ = parse(&format!("CREATE TABLE t (a {}", words.join(" ")));
        }
    }
}
