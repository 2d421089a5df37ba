//! What rows become: values of the caller's type, or dynamic rows.

use std::{any::TypeId, fmt, marker::PhantomData};

use larder_cache::{CodecError, fingerprint};
use larder_core::bytes::Bytes;
use larder_model::ModelEntry;
use serde::de::DeserializeOwned;

use crate::{QueryError, Row, RowSet};

/// How the rows of a result are presented. Sealed: [`Typed`] and [`Dynamic`] are all there are.
pub trait Shape: sealed::Sealed + Send + Sync + 'static {
    /// One row.
    type Row: Send + Sync + 'static;
    /// All rows.
    type Rows: Send + Sync + 'static;

    #[doc(hidden)]
    fn model() -> Option<&'static ModelEntry>;
    #[doc(hidden)]
    fn fingerprint() -> u64;
    /// What only a model tells of rows, told.
    #[doc(hidden)]
    fn adapt(set: RowSet) -> RowSet {
        match Self::model() {
            Some(model) => set.of_model(model),
            None => set,
        }
    }
    #[doc(hidden)]
    fn rows(set: RowSet) -> Result<Self::Rows, QueryError>;
    #[doc(hidden)]
    fn row(set: RowSet) -> Result<Option<Self::Row>, QueryError>;
    #[doc(hidden)]
    fn decode_rows(payload: &Bytes) -> Result<Self::Rows, CodecError>;
    #[doc(hidden)]
    fn decode_row(payload: &Bytes) -> Result<Self::Row, CodecError>;
}

/// Rows as values of `T`, which need only implement [`serde::Deserialize`].
///
/// Fields are found by the names of the columns, tuples by position, and a single value in a
/// result of one column.
pub struct Typed<T>(PhantomData<fn() -> T>);

/// Rows as they come: names, order, duplicates and exact values.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "a marker")]
pub struct Dynamic;

/// The first column of every row.
pub(crate) struct Scalar<V>(PhantomData<fn() -> V>);

mod sealed {
    #[expect(unnameable_types, reason = "nobody else is to implement it")]
    pub trait Sealed {}

    impl<T> Sealed for super::Typed<T> {}
    impl<V> Sealed for super::Scalar<V> {}
    impl Sealed for super::Dynamic {}
}

impl<T> fmt::Debug for Typed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Typed")
    }
}

impl<T: DeserializeOwned + Send + Sync + 'static> Shape for Typed<T> {
    type Row = T;
    type Rows = Vec<T>;

    fn model() -> Option<&'static ModelEntry> {
        larder_model::model_of(TypeId::of::<T>())
    }

    fn fingerprint() -> u64 {
        fingerprint::<T>(0)
    }

    fn rows(set: RowSet) -> Result<Vec<T>, QueryError> {
        Ok(set.to()?)
    }

    fn row(set: RowSet) -> Result<Option<T>, QueryError> {
        Ok(set.rows().first().map(Row::to).transpose()?)
    }

    fn decode_rows(payload: &Bytes) -> Result<Vec<T>, CodecError> {
        Ok(RowSet::decode_to(payload)??)
    }

    fn decode_row(payload: &Bytes) -> Result<T, CodecError> {
        Self::decode_rows(payload)?.into_iter().next().ok_or_else(|| "no row".into())
    }
}

impl Shape for Dynamic {
    type Row = Row;
    type Rows = RowSet;

    fn model() -> Option<&'static ModelEntry> {
        None
    }

    fn fingerprint() -> u64 {
        0
    }

    fn rows(set: RowSet) -> Result<RowSet, QueryError> {
        Ok(set)
    }

    fn row(set: RowSet) -> Result<Option<Row>, QueryError> {
        Ok(set.into_rows().into_iter().next())
    }

    fn decode_rows(payload: &Bytes) -> Result<RowSet, CodecError> {
        Ok(RowSet::decode(payload)?)
    }

    fn decode_row(payload: &Bytes) -> Result<Row, CodecError> {
        Self::decode_rows(payload)?.into_rows().into_iter().next().ok_or_else(|| "no row".into())
    }
}

impl<V: DeserializeOwned + Send + Sync + 'static> Shape for Scalar<V> {
    type Row = V;
    type Rows = Vec<V>;

    fn model() -> Option<&'static ModelEntry> {
        None
    }

    fn fingerprint() -> u64 {
        fingerprint::<V>(0)
    }

    fn rows(set: RowSet) -> Result<Vec<V>, QueryError> {
        Ok(set.rows().iter().map(|row| row.get(0)).collect::<Result<_, _>>()?)
    }

    fn row(set: RowSet) -> Result<Option<V>, QueryError> {
        Ok(set.rows().first().map(|row| row.get(0)).transpose()?)
    }

    fn decode_rows(payload: &Bytes) -> Result<Vec<V>, CodecError> {
        Ok(Self::rows(RowSet::decode(payload)?)?)
    }

    fn decode_row(payload: &Bytes) -> Result<V, CodecError> {
        Self::row(RowSet::decode(payload)?)?.ok_or_else(|| "no row".into())
    }
}
