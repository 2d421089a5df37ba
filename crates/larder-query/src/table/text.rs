//! The text of a statement under way, with its parameters.
//!
//! Invariant: a placeholder is written when its value is bound, so that both always agree.

use larder_model::{ColumnModel, Dialect, Identifier, TableModel};

use crate::{Engine, Params, QueryError};

/// A statement under way.
pub(super) struct Text {
    sql: String,
    params: Params,
    numbered: bool,
    bound: usize,
}

/// How a database writes names.
#[derive(Clone, Copy, Debug)]
pub(super) struct Names(Engine);

impl Text {
    pub(super) fn new(engine: Engine, begin: &str) -> Self {
        let numbered = engine == Engine::Postgres;
        Self { sql: begin.to_owned(), params: Params::new(), numbered, bound: 0 }
    }

    pub(super) fn push(&mut self, sql: &str) {
        self.sql.push_str(sql);
    }

    /// Pushes texts with something between them.
    pub(super) fn join<T: AsRef<str>>(&mut self, texts: impl IntoIterator<Item = T>, with: &str) {
        for (at, text) in texts.into_iter().enumerate() {
            if at > 0 {
                self.push(with);
            }
            self.push(text.as_ref());
        }
    }

    /// Writes the next placeholder and binds its value.
    pub(super) fn bind_with(&mut self, bind: impl FnOnce(&mut Params)) {
        self.placeholder();
        bind(&mut self.params);
    }

    fn placeholder(&mut self) {
        self.bound += 1;
        if self.numbered {
            self.sql.push('$');
            self.sql.push_str(&self.bound.to_string());
        } else {
            self.sql.push('?');
        }
    }

    pub(super) fn finish(self) -> (String, Params) {
        (self.sql, self.params)
    }
}

impl Names {
    pub(super) const fn of(engine: Engine) -> Self {
        Self(engine)
    }

    pub(super) const fn engine(self) -> Engine {
        self.0
    }

    pub(super) fn quoted(self, name: &Identifier) -> String {
        let dialect = match self.0 {
            Engine::MariaDb => Dialect::MariaDb,
            Engine::MySql => Dialect::MySql,
            Engine::Postgres => Dialect::Postgres,
            Engine::Sqlite => Dialect::Sqlite,
        };
        dialect.quoted(name.as_str())
    }

    /// The table, with its schema if the model names one and the database has schemas.
    pub(super) fn table(self, table: &TableModel) -> String {
        match table.schema() {
            Some(schema) if self.0 == Engine::Postgres => {
                format!("{}.{}", self.quoted(schema), self.quoted(table.name()))
            }
            _ => self.quoted(table.name()),
        }
    }

    /// A column that a caller named.
    ///
    /// # Errors
    /// [`QueryError::UnknownColumn`].
    pub(super) fn known<'t>(
        self,
        table: &'t TableModel,
        column: &str,
    ) -> Result<&'t ColumnModel, QueryError> {
        table.column(column).ok_or_else(|| QueryError::UnknownColumn {
            table: table.name().as_str().into(),
            column: column.into(),
        })
    }
}
