//! Many rows of a model at once.
//!
//! Invariant: a call that writes many rows writes all of them or none, in one transaction, however
//! many statements it takes.

use larder_model::Model;
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    Engine, ModelKey, QueryError, Transaction, Written,
    table::{
        Table,
        row_values::{CellValue, row_values},
        text::Text,
    },
};

/// The most rows of one statement; beyond, a longer text gains nothing.
const ROWS_MAX: usize = 500;

impl<M> Table<'_, M>
where
    M: Model + Serialize + DeserializeOwned + Send + Sync,
{
    /// Inserts rows, all or none. `rows_affected` counts them; keys that the database gave are
    /// not returned.
    ///
    /// # Errors
    /// As [`Table::create`].
    ///
    /// # Cancel safety
    /// Nothing is inserted if the future is dropped before the commit; the commit and the
    /// invalidation go on.
    pub async fn bulk_create(&self, rows: &[M]) -> Result<Written, QueryError> {
        self.bulk_insert(rows, |rows| Ok(self.insert(rows))).await
    }

    /// Inserts rows, or gives those with the same keys their values; all or none.
    ///
    /// # Errors
    /// As [`Table::upsert`].
    ///
    /// # Cancel safety
    /// As [`Table::bulk_create`].
    pub async fn bulk_upsert(&self, rows: &[M]) -> Result<Written, QueryError> {
        self.bulk_insert(rows, |rows| self.upsert_text(rows)).await
    }

    /// Gives the rows with the same keys the values of these; all or none. `rows_affected` counts
    /// the rows that there were.
    ///
    /// # Errors
    /// As [`Table::update`].
    ///
    /// # Cancel safety
    /// As [`Table::bulk_create`].
    pub async fn bulk_update(&self, rows: &[M]) -> Result<Written, QueryError> {
        let texts = rows.iter().map(|row| self.update_text(row)).collect::<Result<_, _>>()?;
        self.run_all(texts).await
    }

    /// Deletes the rows with these keys; all or none. `rows_affected` counts the rows that there
    /// were.
    ///
    /// # Errors
    /// As [`Table::delete`].
    ///
    /// # Cancel safety
    /// As [`Table::bulk_create`].
    pub async fn bulk_delete<K: ModelKey>(&self, keys: &[K]) -> Result<Written, QueryError> {
        let columns = self.key_columns(K::COLUMNS)?;
        let delete = |keys: &[K]| {
            let mut text = self.text(&format!("DELETE FROM {} WHERE ", self.name()));
            for (at, key) in keys.iter().enumerate() {
                text.push(if at > 0 { " OR (" } else { "(" });
                self.push_key(&mut text, &columns, key)?;
                text.push(")");
            }
            Ok(text)
        };
        let chunks = keys.chunks(self.rows_max(columns.len())).map(delete);
        let texts = chunks.collect::<Result<_, QueryError>>()?;
        self.run_all(texts).await
    }

    async fn bulk_insert(
        &self,
        rows: &[M],
        text: impl Fn(&[&[CellValue]]) -> Result<Text, QueryError>,
    ) -> Result<Written, QueryError> {
        let values = rows.iter().map(|row| row_values(self.engine(), Self::table(), row));
        let values = values.collect::<Result<Vec<_>, _>>()?;
        let columns = Self::table().columns().len();
        let mut texts = Vec::new();
        // Neighbours that leave the same columns to the database share a statement.
        for alike in values.chunk_by(|one, other| Self::inserted(one) == Self::inserted(other)) {
            let is_empty = alike.first().is_some_and(|row| !Self::inserted(row).contains(&true));
            let rows_max = if is_empty { 1 } else { self.rows_max(columns) };
            for chunk in alike.chunks(rows_max) {
                let rows: Vec<_> = chunk.iter().map(Vec::as_slice).collect();
                texts.push(text(&rows)?);
            }
        }
        self.run_all(texts).await
    }

    /// How many rows of so many values fit into one statement.
    fn rows_max(&self, columns: usize) -> usize {
        let params_max = match self.engine() {
            // SQLITE_MAX_VARIABLE_NUMBER.
            Engine::Sqlite => 32_766,
            // The protocols count parameters in 16 bits.
            Engine::MariaDb | Engine::MySql | Engine::Postgres => 65_535,
        };
        (params_max / columns.max(1)).clamp(1, ROWS_MAX)
    }

    async fn run_all(&self, texts: Vec<Text>) -> Result<Written, QueryError> {
        self.ensure().await?;
        let mut transaction: Transaction = self.queries.begin().await?;
        let mut rows_affected = 0;
        for text in texts {
            let (sql, params) = text.finish();
            let executed = transaction.execute(&sql).bind_params(params).run().await?;
            rows_affected += executed.rows_affected;
        }
        let committed = transaction.commit().await?;
        Ok(Written { rows_affected, last_insert_id: None, invalidation: committed.invalidation })
    }
}
