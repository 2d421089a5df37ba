#![doc = include_str!("../README.md")]

mod checksum;
mod column;
mod column_type;
mod default_value;
mod dialect;
mod diff;
#[doc(hidden)]
pub mod facade;
mod identifier;
mod kind;
mod model;
mod observed;
mod plan;
mod sqlite;
mod table;

pub use checksum::Checksum;
pub use column::ColumnModel;
pub use column_type::ColumnType;
pub use default_value::DefaultValue;
pub use dialect::Dialect;
pub use identifier::{Identifier, IdentifierError};
pub use kind::ColumnKind;
pub use larder_derive::Model;
pub use model::{Model, ModelEntry, registered_models};
pub use observed::{ObservedColumn, ObservedTable, Relation};
pub use plan::{Change, Plan, Refusal, Step};
pub use table::{ModelError, TableModel};
