//! What a column holds, independent of any database.
//!
//! Guards that the kinds are those which a value survives a round trip in, not the types that
//! some database has.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What the values of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ColumnKind {
    /// Bytes.
    Blob,
    /// True or false.
    Boolean,
    /// A day of the calendar.
    Date,
    /// A decimal number, every digit of which counts.
    Decimal,
    /// A floating-point number of 32 bits.
    Float32,
    /// A floating-point number of 64 bits.
    Float64,
    /// A signed integer of 16 bits.
    Int16,
    /// A signed integer of 32 bits.
    Int32,
    /// A signed integer of 64 bits.
    Int64,
    /// A JSON document.
    Json,
    /// Text.
    Text,
    /// A time of day.
    Time,
    /// A day and a time, in no particular time zone.
    Timestamp,
    /// A moment: a day and a time in UTC.
    TimestampUtc,
    /// A UUID.
    Uuid,
}

impl ColumnKind {
    /// The kind's name, as checksums contain it: it never changes.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Blob => "blob",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::Decimal => "decimal",
            Self::Float32 => "float32",
            Self::Float64 => "float64",
            Self::Int16 => "int16",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
            Self::Json => "json",
            Self::Text => "text",
            Self::Time => "time",
            Self::Timestamp => "timestamp",
            Self::TimestampUtc => "timestamp_utc",
            Self::Uuid => "uuid",
        }
    }
}

impl fmt::Display for ColumnKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
