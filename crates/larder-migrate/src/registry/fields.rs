//! Statements that write one row, and the database's clock in them.
//!
//! Guards that values are bound and not written into the text, and that times are the database's:
//! the clocks of two hosts differ.

use larder_model::Dialect;

use crate::Param;

/// The values of a row that are written.
#[derive(Debug)]
pub(crate) struct Fields<'a> {
    dialect: Dialect,
    columns: Vec<(&'static str, Value<'a>)>,
}

#[derive(Debug)]
enum Value<'a> {
    Integer(i64),
    Null,
    Sql(String),
    Text(&'a str),
}

impl<'a> Fields<'a> {
    pub(crate) const fn new(dialect: Dialect) -> Self {
        Self { dialect, columns: Vec::new() }
    }

    pub(crate) fn text(mut self, column: &'static str, text: impl Into<Option<&'a str>>) -> Self {
        let value = text.into().map_or(Value::Null, Value::Text);
        self.columns.push((column, value));
        self
    }

    pub(crate) fn integer(mut self, column: &'static str, value: impl Into<Option<i64>>) -> Self {
        let value = value.into().map_or(Value::Null, Value::Integer);
        self.columns.push((column, value));
        self
    }

    /// An expression of ours.
    pub(crate) fn sql(mut self, column: &'static str, sql: impl Into<String>) -> Self {
        self.columns.push((column, Value::Sql(sql.into())));
        self
    }

    pub(crate) fn insert(&self, table: &str) -> (String, Vec<Param<'a>>) {
        let mut params = Vec::new();
        let names: Vec<_> =
            self.columns.iter().map(|(name, _)| self.dialect.quoted(name)).collect();
        let values: Vec<_> =
            self.columns.iter().map(|(_, value)| self.term(value, &mut params)).collect();
        let sql =
            format!("INSERT INTO {table} ({}) VALUES ({})", names.join(", "), values.join(", "));
        (sql, params)
    }

    /// Changes the rows in which all of `key` are equal.
    pub(crate) fn update(&self, table: &str, key: &Self) -> (String, Vec<Param<'a>>) {
        let mut params = Vec::new();
        let set: Vec<_> = self.columns.iter().map(|one| self.equation(one, &mut params)).collect();
        let on: Vec<_> = key.columns.iter().map(|one| self.equation(one, &mut params)).collect();
        let sql = format!("UPDATE {table} SET {} WHERE {}", set.join(", "), on.join(" AND "));
        (sql, params)
    }

    fn equation(
        &self,
        (name, value): &(&'static str, Value<'a>),
        params: &mut Vec<Param<'a>>,
    ) -> String {
        let value = self.term(value, params);
        format!("{} = {value}", self.dialect.quoted(name))
    }

    fn term(&self, value: &Value<'a>, params: &mut Vec<Param<'a>>) -> String {
        match value {
            Value::Integer(value) => params.push(Param::Integer(*value)),
            // A parameter would have a type, and NULL fits every column.
            Value::Null => return "NULL".to_owned(),
            Value::Sql(sql) => return sql.clone(),
            Value::Text(text) => params.push(Param::Text(text)),
        }
        placeholder(self.dialect, params.len())
    }
}

/// A parameter's place in a statement, counted from 1.
pub(crate) fn placeholder(dialect: Dialect, number: usize) -> String {
    match dialect {
        Dialect::MariaDb | Dialect::MySql => "?".to_owned(),
        Dialect::Sqlite => format!("?{number}"),
        _ => format!("${number}"),
    }
}

/// Microseconds since 1970 UTC by the database's clock, as an expression.
pub(crate) const fn now_micros(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::MariaDb | Dialect::MySql => {
            "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6))"
        }
        // Milliseconds is what SQLite's clock has.
        Dialect::Sqlite => {
            "(CAST(ROUND((julianday('now') - 2440587.5) * 86400000.0) AS INTEGER) * 1000)"
        }
        _ => "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS bigint)",
    }
}

/// Now in UTC, for people, as an expression that fits columns with and without a time zone.
pub(crate) const fn now_readable(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::MariaDb | Dialect::MySql => "UTC_TIMESTAMP(6)",
        Dialect::Sqlite => "strftime('%Y-%m-%d %H:%M:%f', 'now')",
        // Our sessions are in UTC, so that both kinds of columns get the same.
        _ => "clock_timestamp()",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_bound_in_their_order() {
        let fields = Fields::new(Dialect::Postgres)
            .text("a", "x")
            .integer("b", None)
            .sql("c", "now()")
            .integer("d", 4);
        let (sql, params) = fields.insert("t");
        assert_eq!(sql, r#"INSERT INTO t ("a", "b", "c", "d") VALUES ($1, NULL, now(), $2)"#);
        assert_eq!(params, [Param::Text("x"), Param::Integer(4)]);
        let key = Fields::new(Dialect::Postgres).text("k", "y");
        let (sql, params) = fields.update("t", &key);
        assert_eq!(
            sql,
            r#"UPDATE t SET "a" = $1, "b" = NULL, "c" = now(), "d" = $2 WHERE "k" = $3"#
        );
        assert_eq!(params, [Param::Text("x"), Param::Integer(4), Param::Text("y")]);
    }
}
