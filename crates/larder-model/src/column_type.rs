//! Which Rust type is stored as which kind of column.
//!
//! Guards that a type is listed only if each of its values has a place in the kind: there is no
//! `u64` and no `i128`, because no column holds all of them in every database.

use std::{borrow::Cow, sync::Arc};

use crate::ColumnKind;

/// A Rust type that a column can hold.
///
/// Implement it for types of your own that serialise like one of those below:
///
/// ```
/// use larder_model::{ColumnKind, ColumnType};
///
/// #[allow(dead_code)]
/// enum Cabin { Economy, First }
///
/// // Stored by its name.
/// impl ColumnType for Cabin {
///     const KIND: ColumnKind = ColumnKind::Text;
/// }
///
/// assert!(Option::<Cabin>::NULLABLE);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a type that a column can hold",
    note = "implement `ColumnType` for it, or leave the field out with `#[model(skip)]`",
    note = "`chrono`, `rust_decimal`, `serde_json` and `uuid` types need the feature of that name"
)]
pub trait ColumnType {
    /// What the column holds.
    const KIND: ColumnKind;
    /// Whether the type has a value for NULL. Default: no.
    const NULLABLE: bool = false;
}

impl<T: ColumnType> ColumnType for Option<T> {
    const KIND: ColumnKind = T::KIND;
    const NULLABLE: bool = true;
}

macro_rules! column_types {
    ($($kind:ident: $($type:ty),+;)+) => {
        $($(impl ColumnType for $type {
            const KIND: ColumnKind = ColumnKind::$kind;
        })+)+
    };
}

column_types! {
    Blob: Vec<u8>, Box<[u8]>, Arc<[u8]>;
    Boolean: bool;
    Float32: f32;
    Float64: f64;
    Int16: i8, i16, u8;
    Int32: i32, u16;
    Int64: i64, u32;
    Text: String, Box<str>, Arc<str>, Cow<'static, str>;
}

#[cfg(feature = "chrono")]
column_types! {
    Date: chrono::NaiveDate;
    Time: chrono::NaiveTime;
    Timestamp: chrono::NaiveDateTime;
    TimestampUtc: chrono::DateTime<chrono::Utc>;
}

#[cfg(feature = "decimal")]
column_types! {
    Decimal: rust_decimal::Decimal;
}

#[cfg(feature = "json")]
column_types! {
    Json: serde_json::Value;
}

#[cfg(feature = "uuid")]
column_types! {
    Uuid: uuid::Uuid;
}
