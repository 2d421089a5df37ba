//! SQLite's types: a declared type is any text, of which only the affinity counts.
//!
//! Invariant: a column is accepted only if it changes no value that is stored into it, and if
//! what others stored there reads as the same kind.

use crate::ColumnKind;

/// How a column of the kind is declared.
///
/// Text is what decimals and the calendar are stored as, so that no digit is lost: a `NUMERIC`
/// column would turn `0.10` into the double 0.1. Strict tables know five types and no booleans.
pub(crate) const fn declared(kind: ColumnKind, strict: bool) -> &'static str {
    match kind {
        ColumnKind::Blob | ColumnKind::Uuid => "BLOB",
        ColumnKind::Boolean if strict => "INTEGER",
        ColumnKind::Boolean => "BOOLEAN",
        ColumnKind::Int16 | ColumnKind::Int32 | ColumnKind::Int64 => "INTEGER",
        ColumnKind::Float32 | ColumnKind::Float64 => "REAL",
        ColumnKind::Date
        | ColumnKind::Decimal
        | ColumnKind::Json
        | ColumnKind::Text
        | ColumnKind::Time
        | ColumnKind::Timestamp
        | ColumnKind::TimestampUtc => "TEXT",
    }
}

/// What SQLite does to values that are stored in a column.
///
/// # Source
/// "Datatypes In SQLite", section 3.1; "STRICT Tables", section 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Affinity {
    Integer,
    /// Values stay as they are.
    None,
    Numeric,
    Real,
    Text,
}

/// The affinity of a type in capital letters.
pub(super) fn affinity(declared: &str, strict: bool) -> Affinity {
    let contains = |part| declared.contains(part);
    if contains("INT") {
        Affinity::Integer
    } else if contains("CHAR") || contains("CLOB") || contains("TEXT") {
        Affinity::Text
    } else if contains("BLOB") || declared.is_empty() || (strict && declared == "ANY") {
        Affinity::None
    } else if contains("REAL") || contains("FLOA") || contains("DOUB") {
        Affinity::Real
    } else {
        Affinity::Numeric
    }
}

/// Whether a column that was declared so holds every value of the kind unchanged.
pub(crate) fn holds(kind: ColumnKind, declared: &str, strict: bool) -> bool {
    let declared = declared.trim().to_ascii_uppercase();
    let affinity = affinity(&declared, strict);
    if affinity == Affinity::None {
        return true;
    }
    match kind {
        ColumnKind::Blob => false,
        // A blob passes any column unchanged, but in a column of texts others keep texts.
        ColumnKind::Uuid => declared == "UUID",
        ColumnKind::Boolean | ColumnKind::Int16 | ColumnKind::Int32 | ColumnKind::Int64 => {
            matches!(affinity, Affinity::Integer | Affinity::Numeric)
        }
        ColumnKind::Float32 | ColumnKind::Float64 => {
            matches!(affinity, Affinity::Numeric | Affinity::Real)
        }
        ColumnKind::Decimal | ColumnKind::Text => affinity == Affinity::Text,
        // Objects and arrays are no numbers, so the numeric affinity of this name spares them.
        ColumnKind::Json => affinity == Affinity::Text || matches!(&*declared, "JSON" | "JSONB"),
        // Dates in text are no numbers either; where the name says nothing of dates, others may
        // keep seconds there.
        ColumnKind::Date | ColumnKind::Time | ColumnKind::Timestamp | ColumnKind::TimestampUtc => {
            let named = declared.starts_with("DATE") || declared.starts_with("TIME");
            affinity == Affinity::Text || (affinity == Affinity::Numeric && named)
        }
    }
}

#[cfg(test)]
mod tests {
    use ColumnKind::*;

    use super::*;

    const KINDS: [ColumnKind; 12] = [
        Blob,
        Boolean,
        Date,
        Decimal,
        Int64,
        Json,
        Float64,
        Text,
        Time,
        Timestamp,
        TimestampUtc,
        Uuid,
    ];

    #[track_caller]
    fn check(declared: &str, expected: &[ColumnKind]) {
        let held: Vec<_> = KINDS.into_iter().filter(|kind| holds(*kind, declared, false)).collect();
        assert_eq!(held, expected, "{declared}");
    }

    #[test]
    fn every_kind_is_held_by_its_own_column() {
        for kind in KINDS {
            for strict in [false, true] {
                assert!(holds(kind, declared(kind, strict), strict), "{kind}, {strict}");
            }
        }
    }

    #[test]
    fn a_column_holds_what_it_does_not_change() {
        check("INTEGER", &[Boolean, Int64]);
        check("unsigned big int", &[Boolean, Int64]);
        check("BOOLEAN", &[Boolean, Int64, Float64]);
        check("DECIMAL(10, 2)", &[Boolean, Int64, Float64]);
        check("double precision", &[Float64]);
        let texts = [Date, Decimal, Json, Text, Time, Timestamp, TimestampUtc];
        check("TEXT", &texts);
        check("varchar(36)", &texts);
        let moments = [Boolean, Date, Int64, Float64, Time, Timestamp, TimestampUtc];
        check("DATETIME", &moments);
        check("timestamp with time zone", &moments);
        check("JSON", &[Boolean, Int64, Json, Float64]);
        check("UUID", &[Boolean, Int64, Float64, Uuid]);
        check("", &KINDS);
        check("BLOB", &KINDS);
        check("ANY", &[Boolean, Int64, Float64]);
        assert!(holds(Text, "ANY", true));
    }

    /// The rule that comes first wins, whatever the name looks like.
    #[test]
    fn affinity_follows_the_order_of_the_rules() {
        assert_eq!(affinity("CHARINT", false), Affinity::Integer);
        assert_eq!(affinity("FLOATING POINT", false), Affinity::Integer);
        assert_eq!(affinity("BLOBCLOB", false), Affinity::Text);
        assert_eq!(affinity("STRING", false), Affinity::Numeric);
    }
}
