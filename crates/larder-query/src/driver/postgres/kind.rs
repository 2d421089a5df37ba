//! Which types of PostgreSQL are understood, by their numbers.
//!
//! Guards that a value is read as exactly what its type says; of a type that is not understood,
//! the server is asked for the text.

use sqlx::postgres::{PgTypeInfo, PgTypeKind, types::Oid};

/// How the binary form of a type is read and written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Array(Box<Self>, u32),
    Bit,
    Bool,
    Bytes,
    /// PostgreSQL's `"char"`: one byte, or none.
    Char,
    Cidr,
    Date,
    Float4,
    Float8,
    Inet,
    Int2,
    Int4,
    Int8,
    Interval,
    Json,
    Jsonb,
    Mac,
    Numeric,
    /// An unsigned number of 32 bits.
    Oid,
    /// Known to the server alone.
    Other(u32),
    /// Columns that are put together in a query; their types are in the value.
    Record,
    /// Whatever is sent as its text.
    Text,
    Time,
    TimeTz,
    Timestamp,
    TimestampTz,
    Uuid,
    Void,
    /// An unsigned number of 64 bits.
    Xid8,
}

/// Types whose numbers never change, and those of their arrays.
///
/// # Source
/// `pg_type.dat` of PostgreSQL.
const BUILT_IN: [(u32, u32, Kind); 35] = [
    (16, 1000, Kind::Bool),
    (17, 1001, Kind::Bytes),
    (18, 1002, Kind::Char),
    (19, 1003, Kind::Text),
    (20, 1016, Kind::Int8),
    (21, 1005, Kind::Int2),
    (23, 1007, Kind::Int4),
    (25, 1009, Kind::Text),
    (26, 1028, Kind::Oid),
    (28, 1011, Kind::Oid),
    (29, 1012, Kind::Oid),
    (114, 199, Kind::Json),
    (142, 143, Kind::Text),
    (650, 651, Kind::Cidr),
    (700, 1021, Kind::Float4),
    (701, 1022, Kind::Float8),
    (705, 0, Kind::Text),
    (774, 775, Kind::Mac),
    (829, 1040, Kind::Mac),
    (869, 1041, Kind::Inet),
    (1042, 1014, Kind::Text),
    (1043, 1015, Kind::Text),
    (1082, 1182, Kind::Date),
    (1083, 1183, Kind::Time),
    (1114, 1115, Kind::Timestamp),
    (1184, 1185, Kind::TimestampTz),
    (1186, 1187, Kind::Interval),
    (1266, 1270, Kind::TimeTz),
    (1560, 1561, Kind::Bit),
    (1562, 1563, Kind::Bit),
    (1700, 1231, Kind::Numeric),
    (2249, 2287, Kind::Record),
    (2278, 0, Kind::Void),
    (2950, 2951, Kind::Uuid),
    (3802, 3807, Kind::Jsonb),
];

impl Kind {
    /// By the number alone.
    pub(super) fn of_oid(oid: u32) -> Self {
        for (one, list, kind) in BUILT_IN {
            if oid == one {
                return kind;
            }
            if oid == list && list != 0 {
                return Self::Array(Box::new(kind), one);
            }
        }
        match oid {
            // Vectors of the catalog, which are sent like arrays.
            22 => Self::Array(Box::new(Self::Int2), 21),
            30 => Self::Array(Box::new(Self::Oid), 26),
            5069 => Self::Xid8,
            other => Self::Other(other),
        }
    }

    /// By what the driver found out about a type of the database's own.
    pub(super) fn of(info: &PgTypeInfo) -> Self {
        let oid = info.oid().map_or(0, |Oid(oid)| oid);
        match Self::of_oid(oid) {
            // A name of this kind means that the driver found out nothing, and then it must not be
            // asked.
            Self::Other(_) if sqlx::TypeInfo::name(info) == "?" => Self::Other(oid),
            Self::Other(_) => match info.kind() {
                PgTypeKind::Array(item) => {
                    let number = item.oid().map_or(0, |Oid(oid)| oid);
                    Self::Array(Box::new(Self::of(item)), number)
                }
                PgTypeKind::Domain(base) => Self::of(base),
                PgTypeKind::Enum(_) => Self::Text,
                PgTypeKind::Simple if sqlx::TypeInfo::name(info) == "citext" => Self::Text,
                _ => Self::Other(oid),
            },
            known => known,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_found_alone_and_in_lists() {
        assert_eq!(Kind::of_oid(23), Kind::Int4);
        assert_eq!(Kind::of_oid(1007), Kind::Array(Box::new(Kind::Int4), 23));
        assert_eq!(Kind::of_oid(0), Kind::Other(0));
        assert_eq!(Kind::of_oid(790), Kind::Other(790));
    }

    #[test]
    fn no_number_is_listed_twice() {
        let mut numbers: Vec<_> =
            BUILT_IN.iter().flat_map(|(one, list, _)| [*one, *list]).filter(|n| *n != 0).collect();
        let len = numbers.len();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), len);
    }
}
