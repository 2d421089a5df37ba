//! Models as rows: create, read, update, delete and list, without writing SQL.
//!
//! Guards that nothing of a caller becomes part of a statement's text: names are those of the
//! model, in quotes, and values are bound.

mod bulk;
mod filter;
mod handle;
mod key;
mod list;
mod moment;
mod row_values;
mod text;

pub use filter::{Column, Filter, Order, col};
pub use handle::{Created, Table};
pub use key::ModelKey;
pub use list::List;
