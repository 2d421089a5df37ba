//! From the driver's rows to ours.
//!
//! Guards that values of types that only the server understands are as it writes them.

use sqlx::{
    Row as _, ValueRef as _,
    postgres::{PgConnection, PgRow},
};

use super::{
    decode::{self, Malformed, Unknown},
    error,
    session::Prepared,
    unknown::{self, Leaf},
};
use crate::{DatabaseError, DatabaseErrorKind, QueryError, RowLimit, RowSet, Value};

/// How many rows are read to their end after the one that was wanted. Opening a new connection
/// takes longer.
const SURPLUS_MAX: usize = 256;

/// Collects the rows of one statement.
pub(super) struct Collector<'p> {
    prepared: &'p Prepared,
    /// `None` if no row is wanted.
    limit: Option<RowLimit>,
    set: RowSet,
    /// How many rows came that were not wanted.
    surplus: usize,
    /// The rows as they came, if the server may have to be asked about their values.
    raw: Option<Vec<PgRow>>,
    leaves: Vec<Leaf>,
}

impl<'p> Collector<'p> {
    pub(super) fn new(prepared: &'p Prepared, limit: Option<RowLimit>) -> Self {
        let set = match limit {
            Some(_) => RowSet::new(prepared.columns.clone()),
            None => RowSet::default(),
        };
        let needs_server = prepared.column_kinds.iter().any(decode::needs_server);
        let raw = needs_server.then(Vec::new);
        Self { prepared, limit, set, surplus: 0, raw, leaves: Vec::new() }
    }

    /// Takes a row. Whether there are more of them than are worth reading.
    pub(super) fn add(&mut self, row: PgRow) -> Result<bool, QueryError> {
        let is_wanted = match self.limit {
            None => false,
            Some(RowLimit::All) => true,
            Some(RowLimit::One) => self.set.is_empty(),
        };
        if !is_wanted {
            self.surplus += 1;
            // The server can not be asked while it is still sending.
            return Ok(self.raw.is_none() && self.surplus > SURPLUS_MAX);
        }
        let leaves = &mut self.leaves;
        let values = values(self.prepared, &row, &mut |oid, bytes| {
            leaves.push(Leaf { oid, bytes: bytes.to_vec() });
            Ok(Value::Null)
        })?;
        self.set.push(values);
        if let Some(raw) = &mut self.raw {
            raw.push(row);
        }
        Ok(false)
    }

    /// The rows, of which none needs the server.
    pub(super) fn into_set(self) -> RowSet {
        self.set
    }

    /// The rows; the server is asked about what it alone understands.
    pub(super) async fn finish(self, connection: &mut PgConnection) -> Result<RowSet, QueryError> {
        if self.leaves.is_empty() {
            return Ok(self.set);
        }
        let mut texts = unknown::texts(connection, &self.leaves).await?.into_iter();
        let mut set = RowSet::new(self.prepared.columns.clone());
        for row in self.raw.iter().flatten() {
            set.push(values(self.prepared, row, &mut |_, _| {
                texts.next().map(Value::Text).ok_or(Malformed)
            })?);
        }
        Ok(set)
    }
}

/// The values of a row.
fn values(
    prepared: &Prepared,
    row: &PgRow,
    unknown: &mut Unknown<'_>,
) -> Result<Vec<Value>, QueryError> {
    let mut values = Vec::with_capacity(prepared.column_kinds.len());
    for (index, kind) in prepared.column_kinds.iter().enumerate() {
        let raw = row.try_get_raw(index).map_err(error::map)?;
        values.push(if raw.is_null() {
            Value::Null
        } else {
            let bytes = raw.as_bytes().map_err(|_null| malformed(Malformed))?;
            decode::decode(kind, bytes, unknown).map_err(malformed)?
        });
    }
    Ok(values)
}

pub(super) fn malformed(error: Malformed) -> QueryError {
    DatabaseError::new(DatabaseErrorKind::Other, None, error).into()
}
