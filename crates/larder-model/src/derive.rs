//! What the code of the derive macro calls, and nobody else.
//!
//! Guards that what only types can tell is decided by the compiler: every function here that
//! answers a question is a constant one.

pub use inventory;

pub use crate::registry::Registration;
use crate::{ColumnKind, DefaultValue, ModelError, TableModel};

/// The table that the macro put together.
///
/// # Panics
/// If a rule was broken that the macro does not know. That is its fault, and not the user's.
#[must_use]
pub fn built(model: &str, table: Result<TableModel, ModelError>) -> TableModel {
    table.unwrap_or_else(|error| panic!("the derive macro let pass that in {model} {error}"))
}

/// Whether a column of the kind can hold the default.
///
/// ```compile_fail,E0080
/// #[derive(larder_model::Model)]
/// struct Airline {
///     #[model(default = "1")]
///     name: String,
/// }
/// ```
///
/// ```compile_fail,E0080
/// #[derive(larder_model::Model)]
/// struct Airline {
///     #[model(default = "32768")]
///     small: i16,
/// }
/// ```
///
/// ```compile_fail,E0080
/// struct Day;
///
/// impl larder_model::ColumnType for Day {
///     const KIND: larder_model::ColumnKind = larder_model::ColumnKind::Date;
/// }
///
/// #[derive(larder_model::Model)]
/// struct Airline {
///     #[model(default = "'2023-02-29'")]
///     founded: Day,
/// }
/// ```
#[must_use]
pub const fn fits(default: &DefaultValue, kind: ColumnKind) -> bool {
    default.fits(kind)
}

/// Whether the kind is a part of the calendar.
///
/// ```compile_fail,E0080
/// #[derive(larder_model::Model)]
/// struct Airline {
///     #[model(default = now)]
///     name: String,
/// }
/// ```
#[must_use]
pub const fn is_calendar(kind: ColumnKind) -> bool {
    matches!(kind, ColumnKind::Date) || is_temporal(kind)
}

/// Whether the kind has fractions of a second.
///
/// ```compile_fail,E0080
/// #[derive(larder_model::Model)]
/// struct Airline {
///     #[model(digits = 3)]
///     count: i64,
/// }
/// ```
///
/// ```compile_fail,E0080
/// struct Day;
///
/// impl larder_model::ColumnType for Day {
///     const KIND: larder_model::ColumnKind = larder_model::ColumnKind::Date;
/// }
///
/// #[derive(larder_model::Model)]
/// struct Airline {
///     #[model(digits = 3)]
///     founded: Day,
/// }
/// ```
#[must_use]
pub const fn is_temporal(kind: ColumnKind) -> bool {
    matches!(kind, ColumnKind::Time | ColumnKind::Timestamp | ColumnKind::TimestampUtc)
}

/// Whether the kind is decimal numbers.
///
/// ```compile_fail,E0080
/// #[derive(larder_model::Model)]
/// struct Airline {
///     #[model(precision = 10, scale = 2)]
///     price: f64,
/// }
/// ```
#[must_use]
pub const fn is_decimal(kind: ColumnKind) -> bool {
    matches!(kind, ColumnKind::Decimal)
}

/// Whether the kind is whole numbers.
///
/// ```compile_fail,E0080
/// #[derive(larder_model::Model)]
/// struct Airline {
///     #[model(key, auto_increment)]
///     name: String,
/// }
/// ```
#[must_use]
pub const fn is_integer(kind: ColumnKind) -> bool {
    matches!(kind, ColumnKind::Int16 | ColumnKind::Int32 | ColumnKind::Int64)
}

/// Whether the kind is text.
///
/// ```compile_fail,E0080
/// #[derive(larder_model::Model)]
/// struct Airline {
///     #[model(length = 20)]
///     count: i64,
/// }
/// ```
///
/// ```compile_fail,E0080
/// #[derive(larder_model::Model)]
/// struct Airline {
///     #[model(labels("a", "b"))]
///     count: i64,
/// }
/// ```
///
/// ```compile_fail,E0080
/// #[derive(larder_model::Model)]
/// struct Airline {
///     #[model(collation = "C")]
///     count: i64,
/// }
/// ```
#[must_use]
pub const fn is_text(kind: ColumnKind) -> bool {
    matches!(kind, ColumnKind::Text)
}

/// Whether both kinds are one.
///
/// ```compile_fail,E0080
/// #[derive(larder_model::Model)]
/// struct Airline {
///     #[model(key)]
///     id: i64,
///     #[model(references = "airline(id)")]
///     parent: String,
/// }
/// ```
#[must_use]
pub const fn is_same(one: ColumnKind, other: ColumnKind) -> bool {
    one as u8 == other as u8
}
