//! A schema in one database's own terms: what introspection returns, what a model is lowered to,
//! and what the differ compares.
//!
//! Guards that texts are those which the database itself prints: a type as it formats it, an
//! expression as it stores it. Two schemas are equal if these texts are.

mod catalog;
mod column;
mod constraint;
mod dependent;
mod fingerprint;
mod index;
mod table;

pub use catalog::{Catalog, EnumType};
pub use column::{Column, Generated, Identity};
pub use constraint::{Check, ForeignKey, PrimaryKey, ReferentialAction, Unique};
pub use dependent::Dependent;
pub use fingerprint::Fingerprint;
pub use index::{Index, IndexPart, NullsOrder};
pub use table::{Table, TableKind, TableName};
