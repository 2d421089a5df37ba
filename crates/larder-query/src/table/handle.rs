//! The table of a model: its rows one by one.
//!
//! Guards that a write goes to the database first and is invalidated then, and that a caller who
//! goes away in between can not separate the two.

use std::{fmt, marker::PhantomData};

use larder_cache::{Invalidation, Lookup, PendingInvalidation};
use larder_model::{ColumnModel, Model, ModelEntry, TableModel};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    Engine, Filter, ModelKey, Params, Queries, QueryError, Written,
    table::{
        List,
        row_values::{CellValue, operands, row_values},
        text::{Names, Text},
    },
};

/// The table of a model. Made by [`Queries::table`].
///
/// Every call first sees to it that the table is there, if somebody was named who does
/// ([`Queries::guard_models`]). Reads are cached and writes invalidate as all statements do. The
/// fields of the model serialise under the names of its columns.
pub struct Table<'q, M> {
    pub(super) queries: &'q Queries,
    model: PhantomData<fn() -> M>,
}

/// A row that was inserted.
#[derive(Debug)]
#[non_exhaustive]
pub struct Created<M> {
    /// The row as the database has it: with the key that it gave and the values that it computed.
    pub row: M,
    /// Whether answers that depend on the table are invalidated everywhere.
    pub invalidation: Invalidation,
}

impl Queries {
    /// The table of a model.
    #[must_use]
    pub const fn table<M>(&self) -> Table<'_, M>
    where
        M: Model + Serialize + DeserializeOwned + Send + Sync,
    {
        Table { queries: self, model: PhantomData }
    }
}

impl<M> Created<M> {
    /// Turns a pending invalidation into an error; otherwise the row.
    ///
    /// # Errors
    /// [`PendingInvalidation`].
    pub fn applied(self) -> Result<M, PendingInvalidation> {
        self.invalidation.applied()?;
        Ok(self.row)
    }
}

impl<'q, M> Table<'q, M>
where
    M: Model + Serialize + DeserializeOwned + Send + Sync,
{
    /// Inserts a row, and returns it as the database has it. A numbered column that is 0 is given
    /// the next number; computed columns are left to the database.
    ///
    /// # Errors
    /// [`QueryError`]: the database's; [`QueryError::RowValue`] if a field does not fit its
    /// column, or is a day or moment outside the years 0 to 9999 on SQLite;
    /// [`QueryError::NoKey`] on every database if the model has no key, by which some find the row
    /// again ([`Table::bulk_create`] inserts without one).
    ///
    /// # Cancel safety
    /// The statement and the invalidation go on if the future is dropped after the first poll.
    pub async fn create(&self, row: &M) -> Result<Created<M>, QueryError> {
        if Self::table().key().next().is_none() {
            return Err(Self::no_key());
        }
        let values = row_values(self.engine(), Self::table(), row)?;
        self.ensure().await?;
        if self.engine() == Engine::MySql {
            return self.create_and_read(&values).await;
        }
        let mut text = self.insert(&[&values]);
        text.push(" RETURNING ");
        text.push(&self.columns());
        let (sql, params) = text.finish();
        let (rows, invalidation) = self.queries.shared.write_rows(&sql, params).await?;
        let row = rows
            .of_model(Self::entry())
            .to::<M>()?
            .into_iter()
            .next()
            .ok_or(QueryError::RowNotFound)?;
        Ok(Created { row, invalidation })
    }

    /// MySQL returns no rows from a write, so that the row is read within the transaction.
    async fn create_and_read(&self, values: &[CellValue]) -> Result<Created<M>, QueryError> {
        let mut transaction = self.queries.begin().await?;
        let (sql, params) = self.insert(&[values]).finish();
        let inserted = transaction.execute(&sql).bind_params(params).run().await?;
        let mut text = self.select();
        text.push(" WHERE ");
        let keys = Self::table().columns().iter().zip(values).filter(|(column, _)| column.key);
        for (at, (column, value)) in keys.enumerate() {
            text.push(if at > 0 { " AND " } else { "" });
            text.push(&self.names().quoted(&column.name));
            text.push(" = ");
            match inserted.last_insert_id {
                Some(id) if column.auto_increment && value.is_zero() => {
                    text.bind_with(|params| _ = params.bind(id));
                }
                _ => text.bind_with(|params| _ = params.bind(value)),
            }
        }
        let (sql, params) = text.finish();
        let row = transaction.query_as::<M>(&sql).bind_params(params).fetch_one().await?;
        let committed = transaction.commit().await?;
        Ok(Created { row, invalidation: committed.invalidation })
    }

    /// Reads the row with this key, from the cache if it is there. An absence is cached too.
    /// On SQLite a decimal key is its digits: 1.1 does not find 1.10.
    ///
    /// # Errors
    /// [`QueryError`]; [`QueryError::KeyLength`] if the model's key has another number of columns,
    /// [`QueryError::ColumnValue`] if a column of the key does not hold such a value.
    ///
    /// # Cancel safety
    /// A load that was started goes on and is stored.
    pub async fn read(&self, key: impl ModelKey) -> Result<Lookup<M>, QueryError> {
        let mut text = self.select();
        self.where_key(&mut text, &key)?;
        let (sql, params) = text.finish();
        self.queries.query_as::<M>(&sql).bind_params(params).fetch_optional().await
    }

    /// Gives the row with the same key the values of this one. `rows_affected` is 0 if there is
    /// no such row.
    ///
    /// # Errors
    /// [`QueryError`]; [`QueryError::NoKey`] if the model has none.
    ///
    /// # Cancel safety
    /// As [`Table::create`].
    pub async fn update(&self, row: &M) -> Result<Written, QueryError> {
        let (sql, params) = self.update_text(row)?.finish();
        self.run(&sql, params).await
    }

    /// Inserts the row, or gives the one with the same key its values. `rows_affected` is what
    /// the database says: MySQL and MariaDB count a row that was changed twice.
    ///
    /// # Errors
    /// As [`Table::update`]. A row that collides with another one in a second unique key is an
    /// error of the database, and nothing is changed: [`UniqueViolation`](crate::DatabaseErrorKind::UniqueViolation) on
    /// PostgreSQL and SQLite, [`Other`](crate::DatabaseErrorKind::Other) on MySQL and MariaDB.
    ///
    /// # Cancel safety
    /// As [`Table::create`].
    pub async fn upsert(&self, row: &M) -> Result<Written, QueryError> {
        let values = row_values(self.engine(), Self::table(), row)?;
        let (sql, params) = self.upsert_text(&[&values])?.finish();
        self.run(&sql, params).await
    }

    /// Deletes the row with this key. `rows_affected` is 0 if there is none.
    ///
    /// # Errors
    /// As [`Table::read`].
    ///
    /// # Cancel safety
    /// As [`Table::create`].
    pub async fn delete(&self, key: impl ModelKey) -> Result<Written, QueryError> {
        let mut text = self.text(&format!("DELETE FROM {}", self.name()));
        self.where_key(&mut text, &key)?;
        let (sql, params) = text.finish();
        self.run(&sql, params).await
    }

    /// Deletes the rows that a filter admits.
    ///
    /// # Errors
    /// [`QueryError`]; [`QueryError::UnknownColumn`] if the filter names a column that the model
    /// has not, [`QueryError::ColumnValue`] if a column does not hold what it is compared with.
    ///
    /// # Cancel safety
    /// As [`Table::create`].
    pub async fn delete_where(&self, filter: Filter) -> Result<Written, QueryError> {
        let mut text = self.text(&format!("DELETE FROM {}", self.name()));
        filter.write(Self::table(), &self.names(), &mut text)?;
        let (sql, params) = text.finish();
        self.run(&sql, params).await
    }

    /// Lists rows, all of them unless told otherwise.
    pub fn list(&self) -> List<'q, M> {
        List::new(self.queries)
    }

    pub(super) async fn run(&self, sql: &str, params: Params) -> Result<Written, QueryError> {
        self.ensure().await?;
        self.queries.execute(sql).bind_params(params).run().await
    }

    pub(super) async fn ensure(&self) -> Result<(), QueryError> {
        self.queries.shared.ensure(Some(Self::entry())).await
    }

    fn entry() -> &'static ModelEntry {
        M::entry()
    }

    pub(super) fn table() -> &'static TableModel {
        M::entry().table()
    }

    pub(super) fn engine(&self) -> Engine {
        self.queries.database().engine()
    }

    pub(super) fn names(&self) -> Names {
        Names::of(self.engine())
    }

    pub(super) fn name(&self) -> String {
        self.names().table(Self::table())
    }

    pub(super) fn text(&self, begin: &str) -> Text {
        Text::new(self.engine(), begin)
    }

    pub(super) fn no_key() -> QueryError {
        QueryError::NoKey { table: Self::table().name().as_str().into() }
    }

    /// The columns of the model, and no others: what else the table has is not asked for.
    pub(super) fn columns(&self) -> String {
        let names = Self::table().columns().iter();
        let names: Vec<_> = names.map(|column| self.names().quoted(&column.name)).collect();
        names.join(", ")
    }

    pub(super) fn select(&self) -> Text {
        self.text(&format!("SELECT {} FROM {}", self.columns(), self.name()))
    }

    fn where_key<K: ModelKey>(&self, text: &mut Text, key: &K) -> Result<(), QueryError> {
        let columns = self.key_columns(K::COLUMNS)?;
        text.push(" WHERE ");
        self.push_key(text, &columns, key)
    }

    /// The columns of the key, if a key of so many values is one.
    pub(super) fn key_columns(
        &self,
        given: usize,
    ) -> Result<Vec<&'static ColumnModel>, QueryError> {
        let columns: Vec<_> = Self::table().key().collect();
        match columns.len() {
            0 => Err(Self::no_key()),
            expected if expected != given => {
                let table = Self::table().name().as_str().into();
                Err(QueryError::KeyLength { table, expected, given })
            }
            _ => Ok(columns),
        }
    }

    /// Appends that the columns equal the values of a key.
    pub(super) fn push_key<K: ModelKey>(
        &self,
        text: &mut Text,
        columns: &[&ColumnModel],
        key: &K,
    ) -> Result<(), QueryError> {
        let mut params = Params::new();
        key.bind_to(&mut params);
        let values = operands(self.engine(), Self::table(), columns.iter().copied(), &params)?;
        for (at, (column, value)) in columns.iter().zip(&values).enumerate() {
            text.push(if at > 0 { " AND " } else { "" });
            text.push(&self.names().quoted(&column.name));
            text.push(" = ");
            text.bind_with(|params| _ = params.bind(value));
        }
        Ok(())
    }

    /// The columns that an insert names: not those which the database computes or numbers.
    pub(super) fn inserted(values: &[CellValue]) -> Vec<bool> {
        let is_left = |(column, value): (&ColumnModel, &CellValue)| {
            column.generated.is_some() || (column.auto_increment && value.is_zero())
        };
        Self::table().columns().iter().zip(values).map(|pair| !is_left(pair)).collect()
    }

    /// Inserts rows that all leave the same columns to the database.
    pub(super) fn insert(&self, rows: &[&[CellValue]]) -> Text {
        let named = rows.first().map(|row| Self::inserted(row)).unwrap_or_default();
        let columns = Self::table().columns().iter().zip(&named);
        let columns: Vec<_> = columns
            .filter(|(_, named)| **named)
            .map(|(column, _)| self.names().quoted(&column.name))
            .collect();
        let mut text = self.text(&format!("INSERT INTO {} ", self.name()));
        if columns.is_empty() {
            // Nothing is left to say about the one row.
            text.push(match self.engine() {
                Engine::MariaDb | Engine::MySql => "() VALUES ()",
                Engine::Postgres | Engine::Sqlite => "DEFAULT VALUES",
            });
            return text;
        }
        text.push("(");
        text.join(columns, ", ");
        text.push(") VALUES ");
        for (at, row) in rows.iter().enumerate() {
            text.push(if at > 0 { ", (" } else { "(" });
            let values = row.iter().zip(&named).filter(|(_, named)| **named);
            for (at, (value, _)) in values.enumerate() {
                text.push(if at > 0 { ", " } else { "" });
                text.bind_with(|params| _ = params.bind(value));
            }
            text.push(")");
        }
        text
    }

    pub(super) fn upsert_text(&self, rows: &[&[CellValue]]) -> Result<Text, QueryError> {
        let table = Self::table();
        let keys: Vec<_> = table.key().map(|column| self.names().quoted(&column.name)).collect();
        if keys.is_empty() {
            return Err(Self::no_key());
        }
        let mut text = self.insert(rows);
        let others = table.columns().iter();
        let others = others.filter(|column| !column.key && column.generated.is_none());
        let others: Vec<_> = others.map(|column| self.names().quoted(&column.name)).collect();
        match self.engine() {
            Engine::MariaDb | Engine::MySql => {
                text.push(" ON DUPLICATE KEY UPDATE ");
                let kept = table.key().find(|column| column.generated.is_none());
                let kept = kept.map(|column| kept_key(&self.names().quoted(&column.name), &keys));
                let set = |name: &String| format!("{name} = VALUES({name})");
                text.join(kept.into_iter().chain(others.iter().map(set)), ", ");
            }
            // What the database gives altogether collides with nothing, and SQLite has no
            // conflict clause for it.
            Engine::Sqlite if rows.iter().any(|row| !Self::inserted(row).contains(&true)) => {}
            Engine::Postgres | Engine::Sqlite => {
                text.push(" ON CONFLICT (");
                text.join(&keys, ", ");
                text.push(if others.is_empty() { ") DO NOTHING" } else { ") DO UPDATE SET " });
                let set = |name: &String| format!("{name} = excluded.{name}");
                text.join(others.iter().map(set), ", ");
            }
        }
        Ok(text)
    }

    pub(super) fn update_text(&self, row: &M) -> Result<Text, QueryError> {
        let table = Self::table();
        if table.key().next().is_none() {
            return Err(Self::no_key());
        }
        let values = row_values(self.engine(), table, row)?;
        let mut text = self.text(&format!("UPDATE {} SET ", self.name()));
        let write = |is_key: bool, between: &str, text: &mut Text| {
            let columns = table.columns().iter().zip(&values);
            let chosen = columns.filter(|(column, _)| {
                // A row of nothing but its key is set to itself.
                let is_set = !column.key && column.generated.is_none();
                if is_key { column.key } else { is_set }
            });
            let mut written = 0;
            for (column, value) in chosen {
                text.push(if written > 0 { between } else { "" });
                text.push(&self.names().quoted(&column.name));
                text.push(" = ");
                text.bind_with(|params| _ = params.bind(value));
                written += 1;
            }
            written
        };
        if write(false, ", ", &mut text) == 0 {
            write(true, ", ", &mut text);
        }
        text.push(" WHERE ");
        write(true, " AND ", &mut text);
        Ok(text)
    }
}

/// Sets the key of a row to itself, and fails if the row is not the one with the inserted key.
///
/// The databases that have `ON DUPLICATE KEY` enter it for any unique key, and would overwrite the
/// row that happens to have the same value in another one. An overflow is an error in every
/// `sql_mode`; that it depends on the row keeps it from being computed beforehand.
fn kept_key(key: &str, keys: &[String]) -> String {
    let same: Vec<_> = keys.iter().map(|name| format!("{name} = VALUES({name})")).collect();
    let same = same.join(" AND ");
    let fail = format!("9223372036854775807 + (CHAR_LENGTH({key}) + 1) > 0");
    format!("{key} = IF({same}, {key}, IF({fail}, {key}, {key}))")
}

impl<M> Clone for Table<'_, M> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M> Copy for Table<'_, M> {}

impl<M> fmt::Debug for Table<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table").field("queries", self.queries).finish()
    }
}
