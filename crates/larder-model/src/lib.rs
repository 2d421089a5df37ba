#![doc = include_str!("../README.md")]

mod checksum;
mod column;
mod column_type;
mod constant;
mod data_type;
mod database_names;
mod default_model;
mod default_value;
#[doc(hidden)]
pub mod derive;
mod dialect;
mod diff;
mod encoder;
#[doc(hidden)]
pub mod facade;
mod identifier;
mod json_text;
mod kind;
mod missing;
mod model;
mod model_error;
mod model_parts;
mod mysql;
mod physical;
mod plan;
mod postgres;
mod registry;
mod renames;
mod rules;
mod short_name;
mod sql_token;
mod sqlite;
mod table;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use checksum::Checksum;
pub use column::ColumnModel;
pub use column_type::ColumnType;
pub use data_type::DataType;
pub use default_model::DefaultModel;
pub use default_value::DefaultValue;
pub use dialect::{Dialect, Lowered};
pub use diff::{Comparison, Scope, compare};
pub use identifier::{Identifier, IdentifierError};
pub use kind::ColumnKind;
pub use larder_derive::Model;
pub use missing::MissingReference;
pub use model::{Model, ModelEntry, registered_models};
pub use model_error::ModelError;
pub use model_parts::{
    CheckModel, ForeignKeyModel, IndexModel, IndexPartModel, IndexTermModel, UniqueModel,
};
pub use physical::{
    Catalog, Check, Column, Dependent, EnumType, Fingerprint, ForeignKey, Generated, Identity,
    Index, IndexPart, NullsOrder, PrimaryKey, ReferentialAction, Table, TableKind, TableName,
    Unique,
};
pub use plan::{
    Change, Class, Difference, Interlude, LockLevel, Plan, Policy, Probe, Refusal, Step, Undo,
};
pub use registry::model_of;
pub use sql_token::{SqlToken, SqlTokenKind, sql_tokens};
pub use sqlite::is_sqlite_keyword;
pub use table::{TableModel, TableModelBuilder};
