//! PostgreSQL: how it writes a schema, and what its types mean.

mod constant;
mod ddl;
mod expression;
mod identifier;
mod lower;
mod names;
mod steps;
mod types;

pub(crate) use constant::is_same_text;
pub(crate) use ddl::create_table;
pub(crate) use identifier::printed;
pub(crate) use lower::lower;
pub(crate) use steps::{has_key, is_left_over, steps};
pub(crate) use types::holds;

/// A text in quotes, as PostgreSQL prints it.
fn literal(text: &str) -> String {
    crate::Dialect::Postgres.text(text)
}
