//! The type of a model's column: what it holds, and how much of it.
//!
//! Guards that a modifier stands only with a type that every database can express it for, or
//! that has another way to hold the same values.

use serde::{Deserialize, Serialize};

use crate::{ColumnKind, DefaultValue, Identifier, constant};

/// The type of a model's column.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DataType {
    /// Text of exactly so many characters, padded with blanks: `char(n)`.
    Char {
        /// How many characters, from 1 to 255.
        length: u32,
    },
    /// A decimal number of so many digits: `numeric(precision, scale)`.
    Decimal {
        /// How many digits, from 1 to 65.
        precision: u16,
        /// How many of them stand behind the point; at most `precision`, and at most 30.
        scale: u16,
    },
    /// One of some labels. On PostgreSQL a type of that name, on MySQL and MariaDB `enum(…)`, on
    /// SQLite text with a check.
    Enum {
        /// The name of the type, where the database gives it one.
        name: Identifier,
        /// The labels in their order; at least one, each once whatever its case, of 1 to 63
        /// bytes, without commas and without a blank at the end.
        labels: Vec<String>,
    },
    /// Whatever holds values of the kind best, without a limit.
    Kind(ColumnKind),
    /// A type in the databases' own words, for values of the kind. They stand in statements as
    /// they are. A database for which none is given takes the kind's.
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
        /// How many characters, from 1 to 16,383.
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

    /// Whether every number and every text in it is one that each database takes.
    pub(crate) fn is_in_range(&self) -> bool {
        match self {
            Self::Char { length } => (1..=255).contains(length),
            Self::Decimal { precision, scale } => {
                (1..=65).contains(precision) && scale <= precision && *scale <= 30
            }
            Self::Enum { labels, .. } => are_labels(labels),
            Self::Kind(_) => true,
            Self::Native { mysql, postgres, sqlite, .. } => {
                let is_fine = |ty: &String| !ty.trim().is_empty() && !constant::has_nul(ty);
                [mysql, postgres, sqlite].into_iter().flatten().all(is_fine)
            }
            Self::Temporal { kind, digits } => {
                use ColumnKind::{Time, Timestamp, TimestampUtc};
                matches!(kind, Time | Timestamp | TimestampUtc) && *digits <= 6
            }
            Self::Varchar { length } => (1..=16_383).contains(length),
        }
    }

    /// Whether a value that fits the kind is within the limits of the type, too.
    pub(crate) fn can_hold(&self, value: &DefaultValue) -> bool {
        match (self, value) {
            (Self::Char { length } | Self::Varchar { length }, DefaultValue::Text(text)) => {
                usize::try_from(*length).is_ok_and(|length| text.chars().count() <= length)
            }
            (Self::Decimal { precision, scale }, DefaultValue::Number(number)) => {
                let (whole, fraction) = constant::digits(number);
                whole <= usize::from(precision - scale) && fraction <= usize::from(*scale)
            }
            (Self::Enum { labels, .. }, DefaultValue::Text(text)) => {
                labels.iter().any(|label| label == text)
            }
            (Self::Temporal { digits, .. }, DefaultValue::Text(text)) => {
                constant::fraction_digits(text) <= usize::from(*digits)
            }
            _ => true,
        }
    }
}

/// MySQL and MariaDB strip blanks from the end of labels and take two for one that differ in
/// their case; some places list labels with commas between them.
fn are_labels(labels: &[String]) -> bool {
    let is_fine = |at: usize, label: &String| {
        let is_alike = |other: &String| other.to_lowercase() == label.to_lowercase();
        (1..=63).contains(&label.len())
            && !label.contains(['\0', ','])
            && !label.ends_with(' ')
            && !labels[..at].iter().any(is_alike)
    };
    !labels.is_empty() && labels.iter().enumerate().all(|(at, label)| is_fine(at, label))
}

impl From<ColumnKind> for DataType {
    fn from(kind: ColumnKind) -> Self {
        Self::Kind(kind)
    }
}
