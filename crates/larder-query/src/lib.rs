#![doc = include_str!("../README.md")]

mod bind;
mod bind_chrono;
mod bind_decimal;
mod bind_json;
mod bind_uuid;
mod buffer;
mod calendar;
mod catalog;
mod columns;
mod de;
mod driver;
mod error;
mod execute;
mod guard;
mod params;
mod plain;
mod private;
mod queries;
mod query;
mod row;
mod rowset;
mod rowset_codec;
mod schema;
mod shape;
mod statement;
mod table;
mod transaction;
mod value;
mod value_ref;
mod varint;

pub use bind::Bind;
pub use columns::{ColumnIndex, Columns};
pub use driver::{
    Database, DatabaseIdentity, DatabaseOptions, DatabaseTransaction, Executed, RowLimit,
};
pub use error::{DatabaseError, DatabaseErrorKind, QueryError, RowError};
pub use execute::{Execute, Written};
pub use guard::ModelGuard;
pub use params::{Param, ParamIter, ParamList, ParamType, Params, Slot};
pub use plain::{PlainError, PlainLookup, PlainQueries, PlainQuery, PlainStats};
pub use queries::{PreparedQuery, Queries};
pub use query::Query;
pub use row::Row;
pub use rowset::RowSet;
pub use rowset_codec::CorruptRows;
pub use shape::{Dynamic, Shape, Typed};
pub use statement::Reason;
pub use table::{Column, Created, Filter, List, ModelKey, Order, Table, col};
pub use transaction::{Committed, InTransaction, Transaction};
pub use value::Value;

pub use larder_database_url::{DatabaseUrl, Engine, UrlError};

/// The crates whose types appear in the public interface.
pub use {larder_cache, larder_core, larder_model, larder_sql};
