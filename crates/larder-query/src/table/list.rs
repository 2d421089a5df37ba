//! Several rows of a model.
//!
//! Guards that the text of a list depends on its shape and not on its values, so that lists of
//! one shape share a prepared statement.

use std::{fmt, marker::PhantomData, time::Duration};

use larder_cache::Cached;
use larder_model::Model;
use serde::{Serialize, de::DeserializeOwned};

use crate::{Filter, Order, Queries, QueryError, table::Table};

/// A list of rows under way. Made by [`Table::list`].
#[must_use = "a list does nothing until it is fetched"]
pub struct List<'q, M> {
    queries: &'q Queries,
    filter: Filter,
    order: Vec<Order>,
    limit: Option<u64>,
    offset: u64,
    time_to_live: Option<Duration>,
    model: PhantomData<fn() -> M>,
}

impl<'q, M> List<'q, M>
where
    M: Model + Serialize + DeserializeOwned + Send + Sync,
{
    pub(super) const fn new(queries: &'q Queries) -> Self {
        Self {
            queries,
            filter: Filter::all(),
            order: Vec::new(),
            limit: None,
            offset: 0,
            time_to_live: None,
            model: PhantomData,
        }
    }

    /// Admits only these rows; called again, only those that all filters admit.
    pub fn filter(mut self, filter: Filter) -> Self {
        self.filter = self.filter.and(filter);
        self
    }

    /// Puts the rows into an order; called again, decides among those that are equal so far.
    pub fn order_by(mut self, order: Order) -> Self {
        self.order.push(order);
        self
    }

    /// Lists so many rows at most.
    pub const fn limit(mut self, rows: u64) -> Self {
        self.limit = Some(rows);
        self
    }

    /// Leaves out so many rows at the beginning. Without an order, which ones is not said.
    pub const fn offset(mut self, rows: u64) -> Self {
        self.offset = rows;
        self
    }

    /// Sets how long the answer lives; see [`Query::ttl`](crate::Query::ttl).
    pub const fn ttl(mut self, time_to_live: Duration) -> Self {
        self.time_to_live = Some(time_to_live);
        self
    }

    /// Fetches the rows, from the cache if they are there.
    ///
    /// # Errors
    /// [`QueryError`]; [`QueryError::UnknownColumn`] if the filter or the order names a column
    /// that the model has not, [`QueryError::ColumnValue`] if a column does not hold what it is
    /// compared with.
    ///
    /// # Cancel safety
    /// A load that was started goes on and is stored.
    pub async fn fetch(self) -> Result<Cached<Vec<M>>, QueryError> {
        let table = self.queries.table::<M>();
        let (model, names) = (Table::<M>::table(), table.names());
        let mut text = table.select();
        self.filter.write(model, &names, &mut text)?;
        for (at, order) in self.order.iter().enumerate() {
            text.push(if at > 0 { ", " } else { " ORDER BY " });
            order.write(model, &names, &mut text)?;
        }
        if self.limit.is_some() || self.offset > 0 {
            // An offset without a limit is no SQL everywhere.
            let limit = self.limit.unwrap_or(u64::MAX);
            text.push(" LIMIT ");
            text.bind_with(|params| _ = params.bind(i64::try_from(limit).unwrap_or(i64::MAX)));
            text.push(" OFFSET ");
            let offset = i64::try_from(self.offset).unwrap_or(i64::MAX);
            text.bind_with(|params| _ = params.bind(offset));
        }
        let (sql, params) = text.finish();
        let mut query = self.queries.query_as::<M>(&sql).bind_params(params);
        if let Some(time_to_live) = self.time_to_live {
            query = query.ttl(time_to_live);
        }
        query.fetch_all().await
    }

    /// Counts the rows that the filter admits, whatever the limit and the offset.
    ///
    /// # Errors
    /// As [`List::fetch`].
    ///
    /// # Cancel safety
    /// As [`List::fetch`].
    pub async fn count(self) -> Result<Cached<i64>, QueryError> {
        let table = self.queries.table::<M>();
        table.ensure().await?;
        let mut text = table.text(&format!("SELECT count(*) FROM {}", table.name()));
        self.filter.write(Table::<M>::table(), &table.names(), &mut text)?;
        let (sql, params) = text.finish();
        let mut query = self.queries.query(&sql).bind_params(params);
        if let Some(time_to_live) = self.time_to_live {
            query = query.ttl(time_to_live);
        }
        query.fetch_scalar().await
    }
}

impl<M> fmt::Debug for List<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("List")
            .field("filter", &self.filter)
            .field("order", &self.order)
            .field("limit", &self.limit)
            .field("offset", &self.offset)
            .finish_non_exhaustive()
    }
}
