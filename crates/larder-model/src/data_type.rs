//! The type of a model's column: what it holds, and how much of it.
//!
//! Guards that a modifier stands only with a type that every database can express it for, or
//! that has another way to hold the same values.

use serde::{Deserialize, Serialize};

use crate::{ColumnKind, Identifier};

/// The type of a model's column.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DataType {
    /// Text of exactly so many characters, padded with blanks: `char(n)`.
    Char {
        /// How many characters; at least 1.
        length: u32,
    },
    /// A decimal number of so many digits: `numeric(precision, scale)`.
    Decimal {
        /// How many digits; at least 1.
        precision: u16,
        /// How many of them stand behind the point; at most `precision`.
        scale: u16,
    },
    /// One of some labels. On PostgreSQL a type of that name, on MySQL and MariaDB `enum(…)`, on
    /// SQLite text with a check.
    Enum {
        /// The name of the type, where the database gives it one.
        name: Identifier,
        /// The labels in their order; at least one, each once.
        labels: Vec<String>,
    },
    /// Whatever holds values of the kind best, without a limit.
    Kind(ColumnKind),
    /// A type in the databases' own words, for values of the kind. A database for which none is
    /// given takes the kind's.
    Native {
        /// What the values are.
        kind: ColumnKind,
        /// On MySQL and MariaDB, as these print it.
        mysql: Option<String>,
        /// On PostgreSQL, as `format_type` prints it.
        postgres: Option<String>,
        /// On SQLite.
        sqlite: Option<String>,
    },
    /// A time of day, or a day and a time, with so many digits of a second's fraction.
    Temporal {
        /// [`ColumnKind::Time`], [`ColumnKind::Timestamp`] or [`ColumnKind::TimestampUtc`].
        kind: ColumnKind,
        /// How many digits, from 0 to 6.
        digits: u8,
    },
    /// Text of up to so many characters: `varchar(n)`.
    Varchar {
        /// How many characters; at least 1.
        length: u32,
    },
}

impl DataType {
    /// What the values are.
    #[must_use]
    pub const fn kind(&self) -> ColumnKind {
        match self {
            Self::Char { .. } | Self::Enum { .. } | Self::Varchar { .. } => ColumnKind::Text,
            Self::Decimal { .. } => ColumnKind::Decimal,
            Self::Kind(kind) | Self::Native { kind, .. } | Self::Temporal { kind, .. } => *kind,
        }
    }

    /// Whether it limits nothing, so that an existing column that holds the kind will do.
    #[must_use]
    pub const fn is_plain(&self) -> bool {
        matches!(self, Self::Kind(_))
    }
}

impl From<ColumnKind> for DataType {
    fn from(kind: ColumnKind) -> Self {
        Self::Kind(kind)
    }
}
