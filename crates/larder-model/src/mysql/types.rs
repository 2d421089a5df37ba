//! The types of MySQL and MariaDB, taken apart.
//!
//! Invariant: a column is accepted for a kind only if it changes no value that is stored into it,
//! and if what others stored there reads as the same kind.

use crate::{ColumnKind, Dialect};

/// A type as the server prints it, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ParsedType<'a> {
    /// The first word: `varchar`, `bigint`.
    pub(super) base: &'a str,
    /// The numbers in parentheses.
    pub(super) args: Vec<u32>,
    /// The labels of an `enum` or a `set`, without quotes.
    pub(super) labels: Vec<String>,
    /// What follows: `unsigned`, `unsigned zerofill`, `srid 4326`.
    pub(super) rest: &'a str,
}

impl<'a> ParsedType<'a> {
    pub(super) fn parse(ty: &'a str) -> Self {
        let end = ty.find(['(', ' ']).unwrap_or(ty.len());
        let (base, after) = ty.split_at(end);
        let (inner, rest) = match after.strip_prefix('(') {
            Some(inside) => closing(inside).map_or((inside, ""), |at| {
                let (inner, rest) = inside.split_at(at);
                (inner, rest.get(1..).unwrap_or_default())
            }),
            None => ("", after),
        };
        let (args, labels) = match base {
            "enum" | "set" => (Vec::new(), labels(inner)),
            _ => {
                (inner.split(',').filter_map(|part| part.trim().parse().ok()).collect(), Vec::new())
            }
        };
        Self { base, args, labels, rest: rest.trim() }
    }

    pub(super) fn arg(&self, at: usize) -> Option<u32> {
        self.args.get(at).copied()
    }

    pub(super) fn is_unsigned(&self) -> bool {
        self.rest.starts_with("unsigned")
    }

    /// How many bits an integer has.
    pub(super) fn bits(&self) -> Option<u32> {
        Some(match self.base {
            "tinyint" => 8,
            "smallint" => 16,
            "mediumint" => 24,
            "int" => 32,
            "bigint" => 64,
            _ => return None,
        })
    }

    /// How many bytes a text or a blob without a length has at most.
    pub(super) fn bytes_max(&self) -> Option<u64> {
        Some(match self.base {
            "tinyblob" | "tinytext" => 255,
            "blob" | "text" => 65_535,
            "mediumblob" | "mediumtext" => 16_777_215,
            "longblob" | "longtext" => 4_294_967_295,
            _ => return None,
        })
    }

    /// Whether it holds characters, which have a collation.
    pub(super) fn is_text(&self) -> bool {
        matches!(
            self.base,
            "char" | "enum" | "longtext" | "mediumtext" | "set" | "text" | "tinytext" | "varchar"
        )
    }
}

/// Where the parenthesis ends that has been opened, outside of quotes.
fn closing(inside: &str) -> Option<usize> {
    let mut quoted = false;
    let mut bytes = inside.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'\\' if quoted => {
                bytes.next();
            }
            // A doubled quote ends a text and begins it again.
            b'\'' => quoted = !quoted,
            b')' if !quoted => return Some(at),
            _ => {}
        }
    }
    None
}

/// The texts of a list of literals.
fn labels(inner: &str) -> Vec<String> {
    let mut labels = Vec::new();
    let mut label: Option<String> = None;
    let mut characters = inner.chars().peekable();
    while let Some(character) = characters.next() {
        match (&mut label, character) {
            (Some(text), '\\') => text.extend(characters.next()),
            (Some(text), '\'') if characters.peek() == Some(&'\'') => {
                characters.next();
                text.push('\'');
            }
            (Some(_), '\'') => labels.extend(label.take()),
            (Some(text), other) => text.push(other),
            (None, '\'') => label = Some(String::new()),
            (None, _) => {}
        }
    }
    labels
}

/// The most bytes that a character of a collation takes; `None` if the collation is not known.
pub(super) fn bytes_per_character(collation: Option<&str>) -> Option<u32> {
    Some(match charset(collation?) {
        "ascii" | "binary" | "latin1" | "latin2" | "latin5" | "latin7" => 1,
        "ucs2" => 2,
        "utf8" | "utf8mb3" => 3,
        _ => 4,
    })
}

/// The character set of a collation.
pub(super) fn charset(collation: &str) -> &str {
    collation.split('_').next().unwrap_or(collation)
}

/// How a column of the kind is declared. `limited`: something needs its values to be short, such
/// as an index.
pub(super) const fn declared(dialect: Dialect, kind: ColumnKind, limited: bool) -> &'static str {
    let is_mariadb = matches!(dialect, Dialect::MariaDb);
    match kind {
        ColumnKind::Blob if limited => "varbinary(255)",
        ColumnKind::Blob => "longblob",
        ColumnKind::Boolean => "tinyint(1)",
        ColumnKind::Date => "date",
        ColumnKind::Decimal => "decimal(65,30)",
        ColumnKind::Float32 => "float",
        ColumnKind::Float64 => "double",
        // MariaDB prints how wide it would show them; MySQL no longer does.
        ColumnKind::Int16 if is_mariadb => "smallint(6)",
        ColumnKind::Int16 => "smallint",
        ColumnKind::Int32 if is_mariadb => "int(11)",
        ColumnKind::Int32 => "int",
        ColumnKind::Int64 if is_mariadb => "bigint(20)",
        ColumnKind::Int64 => "bigint",
        ColumnKind::Json => "json",
        ColumnKind::Text if limited => "varchar(255)",
        ColumnKind::Text => "longtext",
        ColumnKind::Time => "time(6)",
        ColumnKind::Timestamp => "datetime(6)",
        // A `datetime` comes back without a time zone, so a moment needs a `timestamp`.
        ColumnKind::TimestampUtc => "timestamp(6)",
        // UUIDs are sent as their bytes, also to MariaDB, whose own type would answer with text.
        ColumnKind::Uuid => "binary(16)",
    }
}

/// Whether a column of this type holds every value of the kind unchanged.
pub(crate) fn holds(dialect: Dialect, kind: ColumnKind, ty: &str) -> bool {
    let found = ParsedType::parse(ty);
    let is_signed = !found.is_unsigned();
    let has_bits = |bits: u32| is_signed && found.bits().is_some_and(|found| found >= bits);
    match kind {
        // `binary(n)` fills up with zeros.
        ColumnKind::Blob => {
            found.base == "varbinary" || (found.bytes_max().is_some() && !found.is_text())
        }
        ColumnKind::Boolean => found.base == "tinyint",
        ColumnKind::Date => found.base == "date",
        ColumnKind::Decimal => found.base == "decimal" && is_signed,
        // `float(7,3)` rounds.
        ColumnKind::Float32 => {
            matches!(found.base, "double" | "float") && found.args.is_empty() && is_signed
        }
        ColumnKind::Float64 => found.base == "double" && found.args.is_empty() && is_signed,
        ColumnKind::Int16 => has_bits(16),
        ColumnKind::Int32 => has_bits(32),
        ColumnKind::Int64 => has_bits(64),
        ColumnKind::Json => {
            // MariaDB's documents are texts.
            found.base == "json" || (dialect == Dialect::MariaDb && is_long_text(&found))
        }
        // `char(n)` drops the blanks at its end.
        ColumnKind::Text => found.base == "varchar" || is_long_text(&found),
        ColumnKind::Time => found.base == "time",
        ColumnKind::Timestamp => found.base == "datetime",
        ColumnKind::TimestampUtc => found.base == "timestamp",
        ColumnKind::Uuid => found.base == "binary" && found.arg(0) == Some(16),
    }
}

fn is_long_text(found: &ParsedType<'_>) -> bool {
    found.is_text() && found.bytes_max().is_some()
}

#[cfg(test)]
mod tests {
    use ColumnKind::*;

    use super::*;

    const KINDS: [ColumnKind; 15] = [
        Blob,
        Boolean,
        Date,
        Decimal,
        Float32,
        Float64,
        Int16,
        Int32,
        Int64,
        Json,
        Text,
        Time,
        Timestamp,
        TimestampUtc,
        Uuid,
    ];

    #[track_caller]
    fn check(ty: &str, expected: &[ColumnKind]) {
        let held: Vec<_> =
            KINDS.into_iter().filter(|kind| holds(Dialect::MySql, *kind, ty)).collect();
        assert_eq!(held, expected, "{ty}");
    }

    #[test]
    fn every_kind_is_held_by_its_own_column() {
        for dialect in [Dialect::MariaDb, Dialect::MySql] {
            for (kind, limited) in KINDS.into_iter().flat_map(|kind| [(kind, false), (kind, true)])
            {
                let ty = declared(dialect, kind, limited);
                assert!(holds(dialect, kind, ty), "{dialect} {kind} {ty}");
            }
        }
    }

    #[test]
    fn a_column_holds_what_it_does_not_change() {
        check("bigint(20)", &[Int16, Int32, Int64]);
        check("bigint unsigned", &[]);
        check("mediumint", &[Int16]);
        check("tinyint(1)", &[Boolean]);
        check("double", &[Float32, Float64]);
        check("double(10,2)", &[]);
        check("decimal(10,2)", &[Decimal]);
        check("varchar(20)", &[Text]);
        check("char(20)", &[]);
        check("enum('a')", &[]);
        check("mediumtext", &[Text]);
        check("varbinary(5)", &[Blob]);
        check("binary(16)", &[Uuid]);
        check("binary(15)", &[]);
        check("datetime", &[Timestamp]);
        check("timestamp(3)", &[TimestampUtc]);
        assert!(holds(Dialect::MariaDb, Json, "longtext"));
        assert!(!holds(Dialect::MariaDb, Uuid, "uuid"));
    }

    #[test]
    fn types_are_taken_apart() {
        let ty = ParsedType::parse("enum('it''s','a,b','x)','b\\\\c')");
        assert_eq!(ty.labels, ["it's", "a,b", "x)", "b\\c"]);
        let ty = ParsedType::parse("smallint(5) unsigned zerofill");
        assert_eq!((ty.base, ty.arg(0), ty.rest), ("smallint", Some(5), "unsigned zerofill"));
        let ty = ParsedType::parse("bigint unsigned");
        assert!(ty.is_unsigned() && ty.args.is_empty());
        assert_eq!(ParsedType::parse("point srid 4326").rest, "srid 4326");
    }
}
