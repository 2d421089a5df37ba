//! What changing a column's type does to its values and to those who wait.
//!
//! Invariant: a conversion is called lossless only if every value of the old type is one of the
//! new type. Where only some are, the condition finds the others. What the server rounds, cuts off
//! or reads in another way is lossy.
//!
//! # Source
//! Which conversions run in place was tried out on MySQL 9.7 and MariaDB 10.11: growing a
//! `varchar` up to 255 bytes or beyond them, adding labels at the end, display widths. All other
//! ones copy the table.

use super::types::ParsedType;
use crate::Dialect;

/// How much a change of a table moves, in the order of how long others wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cost {
    /// The catalog only.
    Instant,
    /// Nobody waits.
    InPlace,
    /// Nobody knows which way the server takes.
    Any,
    /// Writers wait while the table is copied.
    Copy,
}

/// What happens to the values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Safety {
    /// They stay what they are.
    Lossless,
    /// They do if no row fulfils the condition.
    Depends { condition: String, what: String },
    /// Some become others.
    Lossy(&'static str),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Conversion {
    pub(super) cost: Cost,
    pub(super) safety: Safety,
}

/// One side of a conversion.
#[derive(Clone, Copy, Debug)]
pub(super) struct Side<'a> {
    pub(super) ty: &'a ParsedType<'a>,
    /// The most bytes of a character; `None` if the collation is not known.
    pub(super) character: Option<u32>,
}

const ZONE: &str = "a timestamp is a moment and a datetime is not: whether its values are meant \
                    in UTC, which they are taken for, only a person knows";
const READING: &str = "the server reads the values as another type, and what it reads may differ";

/// Judges a conversion of the column whose quoted name is `column`.
pub(super) fn conversion(
    dialect: Dialect,
    column: &str,
    from: Side<'_>,
    to: Side<'_>,
) -> Conversion {
    if from.ty == to.ty {
        return Conversion { cost: Cost::Instant, safety: Safety::Lossless };
    }
    let converting = Converting { dialect, column, from, to };
    let safety = converting.safety();
    let cost = match safety {
        Safety::Lossless => converting.cost(),
        _ => Cost::Copy,
    };
    Conversion { cost, safety }
}

struct Converting<'a> {
    dialect: Dialect,
    column: &'a str,
    from: Side<'a>,
    to: Side<'a>,
}

/// Types by what their values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    Binary,
    Decimal,
    Enum,
    Float,
    Integer,
    Json,
    Moment,
    Other,
    Set,
    Text,
}

fn family(ty: &ParsedType<'_>) -> Family {
    match ty.base {
        "decimal" => Family::Decimal,
        "enum" => Family::Enum,
        "double" | "float" => Family::Float,
        "json" => Family::Json,
        "date" | "datetime" | "time" | "timestamp" => Family::Moment,
        "set" => Family::Set,
        "binary" | "blob" | "longblob" | "mediumblob" | "tinyblob" | "varbinary" => Family::Binary,
        _ if ty.bits().is_some() => Family::Integer,
        _ if ty.is_text() => Family::Text,
        _ => Family::Other,
    }
}

/// Whether values of both types compare in one way.
pub(super) fn is_same_family(one: &str, other: &str) -> bool {
    let of = |ty| family(&ParsedType::parse(ty));
    one == other || (of(one) == of(other) && of(one) != Family::Other)
}

/// Whether a column of one type can refer to one of the other, as far as it is certain that the
/// server would not have it: integers are of one size and one sign, and kinds do not mix.
pub(crate) fn can_refer(one: &str, other: &str) -> bool {
    let (one_type, other_type) = (ParsedType::parse(one), ParsedType::parse(other));
    match (one_type.bits(), other_type.bits()) {
        (Some(bits), Some(others)) => {
            bits == others && one_type.is_unsigned() == other_type.is_unsigned()
        }
        _ => is_same_family(one, other),
    }
}

impl Converting<'_> {
    fn depends(&self, condition: String, what: &str) -> Safety {
        Safety::Depends { condition, what: format!("rows with {what} in {}", self.column) }
    }

    fn cost(&self) -> Cost {
        let (from, to) = (self.from.ty, self.to.ty);
        match (family(from), family(to)) {
            (Family::Integer, Family::Integer) if from.base == to.base && from.rest == to.rest => {
                Cost::InPlace
            }
            (Family::Enum, Family::Enum)
                if to.labels.starts_with(&from.labels) && bytes(to) == bytes(from) =>
            {
                Cost::Instant
            }
            (Family::Set, Family::Set)
                if to.labels.starts_with(&from.labels) && bytes(to) == bytes(from) =>
            {
                Cost::Instant
            }
            (Family::Text, Family::Text) if from.base == "varchar" && to.base == "varchar" => {
                self.growth(self.from.character)
            }
            (Family::Binary, Family::Binary)
                if from.base == "varbinary" && to.base == "varbinary" =>
            {
                self.growth(Some(1))
            }
            _ => Cost::Copy,
        }
    }

    /// The length stands in one byte or in two, and only a change of that moves the rows.
    fn growth(&self, character: Option<u32>) -> Cost {
        let (Some(from), Some(to)) = (self.from.ty.arg(0), self.to.ty.arg(0)) else {
            return Cost::Copy;
        };
        let stays = |character: u32| (from * character > 255) == (to * character > 255);
        match character {
            Some(character) if stays(character) => Cost::InPlace,
            Some(_) => Cost::Copy,
            None if (1..=4).all(stays) => Cost::InPlace,
            None => Cost::Any,
        }
    }

    fn safety(&self) -> Safety {
        let (from, to) = (self.from.ty, self.to.ty);
        match (family(from), family(to)) {
            (Family::Integer, Family::Integer) => self.between_integers(),
            (Family::Integer, Family::Decimal) | (Family::Decimal, Family::Decimal) => {
                self.to_decimal()
            }
            (Family::Integer, Family::Float)
                if to.base == "double" && to.args.is_empty() && from.bits() <= Some(32) =>
            {
                Safety::Lossless
            }
            (Family::Float, Family::Float)
                if from.base == "float" && to.args.is_empty() && to.rest == from.rest =>
            {
                Safety::Lossless
            }
            (Family::Integer, Family::Text) => self.integer_to_text(),
            (Family::Text | Family::Enum | Family::Set, Family::Text) => self.to_text(),
            (Family::Json, Family::Text) => self.to_text(),
            (Family::Text, Family::Json) => {
                self.depends(format!("NOT JSON_VALID({})", self.column), "text that is no JSON")
            }
            (Family::Binary, Family::Binary) => self.between_binaries(),
            (Family::Enum | Family::Text, Family::Enum) | (Family::Set, Family::Set) => {
                self.to_labels()
            }
            (Family::Moment, Family::Moment) => self.between_moments(),
            _ => self.others(),
        }
    }

    fn others(&self) -> Safety {
        let (from, to) = (self.from.ty, self.to.ty);
        match (from.base, to.base) {
            ("bit", "bit") => match (from.arg(0), to.arg(0)) {
                (Some(from), Some(to)) if to < from => {
                    self.depends(format!("{} + 0 >= {}", self.column, 1_u128 << to), "more bits")
                }
                _ => Safety::Lossless,
            },
            ("year", "year") => Safety::Lossless,
            _ => Safety::Lossy(READING),
        }
    }

    fn between_integers(&self) -> Safety {
        let range = |ty: &ParsedType<'_>| {
            let bits = ty.bits().unwrap_or(64);
            match ty.is_unsigned() {
                true => (0, (1_i128 << bits) - 1),
                false => (-(1_i128 << (bits - 1)), (1_i128 << (bits - 1)) - 1),
            }
        };
        let (from, to) = (range(self.from.ty), range(self.to.ty));
        if to.0 <= from.0 && from.1 <= to.1 {
            return Safety::Lossless;
        }
        let condition = format!("{} NOT BETWEEN {} AND {}", self.column, to.0, to.1);
        self.depends(condition, "numbers out of range")
    }

    fn to_decimal(&self) -> Safety {
        let (from, to) = (self.from.ty, self.to.ty);
        let (precision, scale) = (to.arg(0).unwrap_or(10), to.arg(1).unwrap_or(0));
        let (whole, fraction) = match from.bits() {
            Some(bits) => (integer_digits(bits), 0),
            None => {
                let (precision, scale) = (from.arg(0).unwrap_or(10), from.arg(1).unwrap_or(0));
                (precision - scale.min(precision), scale)
            }
        };
        let keeps_sign = !to.is_unsigned() || from.is_unsigned();
        if precision - scale.min(precision) >= whole && scale >= fraction && keeps_sign {
            return Safety::Lossless;
        }
        let column = self.column;
        let mut condition = format!("{column} <> CAST({column} AS DECIMAL({precision},{scale}))");
        if !keeps_sign {
            condition.push_str(&format!(" OR {column} < 0"));
        }
        self.depends(condition, "numbers of more digits")
    }

    fn integer_to_text(&self) -> Safety {
        // The longest is `-9223372036854775808`.
        let is_long = self.to.ty.bytes_max().is_some() || self.to.ty.arg(0) >= Some(20);
        // A number that is filled up with zeros would keep them.
        match is_long && !self.from.ty.rest.contains("zerofill") {
            true => Safety::Lossless,
            false => Safety::Lossy(READING),
        }
    }

    /// The new type is a text.
    fn to_text(&self) -> Safety {
        let (from, to, column) = (self.from.ty, self.to.ty, self.column);
        let longest = match family(from) {
            Family::Enum => from.labels.iter().map(|label| label.chars().count() as u64).max(),
            Family::Set => {
                let labels = from.labels.iter().map(|label| label.chars().count() as u64 + 1);
                Some(labels.sum())
            }
            Family::Json => Some(4_294_967_295),
            _ => from.bytes_max().or_else(|| from.arg(0).map(u64::from)),
        };
        let longest = longest.unwrap_or(u64::MAX);
        // A text that is limited in bytes has at most as many characters.
        let per_character = match from.bytes_max() {
            None if family(from) != Family::Json => u64::from(self.to.character.unwrap_or(4)),
            _ => 1,
        };
        let (fits, condition) = match (to.bytes_max(), to.arg(0)) {
            (Some(max), _) => {
                (longest.saturating_mul(per_character) <= max, format!("LENGTH({column}) > {max}"))
            }
            (None, max) => {
                let max = max.unwrap_or(1);
                (longest <= u64::from(max), format!("CHAR_LENGTH({column}) > {max}"))
            }
        };
        match (fits, to.base == "char" && from.base != "char") {
            (true, false) => Safety::Lossless,
            (false, false) => self.depends(condition, "longer text"),
            // The blanks at its end go.
            (_, true) => {
                let condition = format!("{condition} OR {column} LIKE '% '");
                self.depends(condition, "longer text or blanks at its end")
            }
        }
    }

    fn between_binaries(&self) -> Safety {
        let (from, to, column) = (self.from.ty, self.to.ty, self.column);
        let longest =
            |ty: &ParsedType<'_>| ty.bytes_max().or_else(|| ty.arg(0).map(u64::from)).unwrap_or(1);
        match to.base {
            "binary" => {
                // It fills up with zeros.
                self.depends(
                    format!("LENGTH({column}) <> {}", longest(to)),
                    "bytes of another length",
                )
            }
            _ if longest(to) >= longest(from) => Safety::Lossless,
            _ => self.depends(format!("LENGTH({column}) > {}", longest(to)), "more bytes"),
        }
    }

    /// The new type has labels.
    fn to_labels(&self) -> Safety {
        let (from, to, column) = (self.from.ty, self.to.ty, self.column);
        let list = |labels: &[&String]| {
            let labels: Vec<_> = labels.iter().map(|label| self.dialect.text(label)).collect();
            labels.join(", ")
        };
        let gone: Vec<_> = from.labels.iter().filter(|label| !to.labels.contains(label)).collect();
        match family(from) {
            Family::Text => {
                let condition =
                    format!("{column} NOT IN ({})", list(&to.labels.iter().collect::<Vec<_>>()));
                self.depends(condition, "text that is no label")
            }
            _ if gone.is_empty() => Safety::Lossless,
            Family::Set => {
                let found = |label: &&String| {
                    format!("FIND_IN_SET({}, {column})", self.dialect.text(label))
                };
                let conditions: Vec<_> = gone.iter().map(found).collect();
                self.depends(conditions.join(" OR "), "labels that go")
            }
            _ => self.depends(format!("{column} IN ({})", list(&gone)), "labels that go"),
        }
    }

    fn between_moments(&self) -> Safety {
        let (from, to, column) = (self.from.ty, self.to.ty, self.column);
        let digits = |ty: &ParsedType<'_>| ty.arg(0).unwrap_or(0).min(6);
        match (from.base, to.base) {
            (one, other) if one == other => {
                if digits(to) >= digits(from) {
                    return Safety::Lossless;
                }
                let unit = 10_u32.pow(6 - digits(to));
                self.depends(format!("MICROSECOND({column}) % {unit} <> 0"), "smaller fractions")
            }
            ("date", "datetime") => Safety::Lossless,
            ("datetime", "date") => {
                self.depends(format!("TIME({column}) <> '00:00:00'"), "a time of day")
            }
            ("datetime", "timestamp") | ("timestamp", "datetime") => Safety::Lossy(ZONE),
            _ => Safety::Lossy(READING),
        }
    }
}

/// How many digits the longest integer of so many bits has.
const fn integer_digits(bits: u32) -> u32 {
    match bits {
        8 => 3,
        16 => 5,
        24 => 8,
        32 => 10,
        _ => 20,
    }
}

/// How many bytes the number of a label takes, or the bits of a set.
fn bytes(ty: &ParsedType<'_>) -> usize {
    match (ty.base, ty.labels.len()) {
        ("enum", ..=255) => 1,
        ("enum", _) => 2,
        (_, labels @ ..=32) => labels.div_ceil(8),
        _ => 8,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn convert(from: &str, to: &str) -> Conversion {
        let (from, to) = (ParsedType::parse(from), ParsedType::parse(to));
        let side = |ty| Side { ty, character: Some(4) };
        conversion(Dialect::MySql, "`c`", side(&from), side(&to))
    }

    #[track_caller]
    fn lossless(from: &str, to: &str, cost: Cost) {
        assert_eq!(convert(from, to), Conversion { cost, safety: Safety::Lossless }, "{from} {to}");
    }

    #[track_caller]
    fn depends(from: &str, to: &str, expected: &str) {
        match convert(from, to).safety {
            Safety::Depends { condition, .. } => assert_eq!(condition, expected, "{from} {to}"),
            other => panic!("{from} {to}: {other:?}"),
        }
    }

    #[track_caller]
    fn lossy(from: &str, to: &str) {
        assert!(matches!(convert(from, to).safety, Safety::Lossy(_)), "{from} {to}");
    }

    #[test]
    fn what_grows_loses_nothing() {
        lossless("int", "bigint", Cost::Copy);
        lossless("int(11)", "int(10)", Cost::InPlace);
        lossless("int unsigned", "bigint", Cost::Copy);
        lossless("varchar(20)", "varchar(63)", Cost::InPlace);
        lossless("varchar(63)", "varchar(64)", Cost::Copy);
        lossless("varchar(64)", "varchar(255)", Cost::InPlace);
        lossless("varbinary(255)", "varbinary(256)", Cost::Copy);
        lossless("varchar(255)", "text", Cost::Copy);
        lossless("text", "longtext", Cost::Copy);
        lossless("char(5)", "varchar(5)", Cost::Copy);
        lossless("decimal(10,2)", "decimal(12,3)", Cost::Copy);
        lossless("tinyint", "decimal(3,0)", Cost::Copy);
        lossless("smallint unsigned", "decimal(5,0)", Cost::Copy);
        lossless("mediumint unsigned", "decimal(8,0)", Cost::Copy);
        lossless("int unsigned", "decimal(10,0)", Cost::Copy);
        lossless("bigint unsigned", "decimal(20,0)", Cost::Copy);
        lossless("int", "double", Cost::Copy);
        lossless("float", "double", Cost::Copy);
        lossless("bigint", "varchar(20)", Cost::Copy);
        lossless("datetime", "datetime(6)", Cost::Copy);
        lossless("date", "datetime(6)", Cost::Copy);
        lossless("enum('a')", "enum('a','b')", Cost::Instant);
        lossless("enum('a','b')", "enum('b','a')", Cost::Copy);
        lossless("enum('a','abc')", "varchar(3)", Cost::Copy);
        lossless("set('a')", "set('a','b')", Cost::Instant);
        lossless("json", "longtext", Cost::Copy);
        lossless("bit(1)", "bit(8)", Cost::Copy);
    }

    #[test]
    fn the_bytes_of_a_set_are_counted() {
        let labels = |count: usize| {
            let labels: Vec<_> = (0..count).map(|at| format!("'l{at}'")).collect();
            format!("set({})", labels.join(","))
        };
        lossless(&labels(8), &labels(9), Cost::Copy);
        lossless(&labels(33), &labels(64), Cost::Instant);
    }

    #[test]
    fn what_shrinks_depends_on_the_rows() {
        depends("bigint", "int", "`c` NOT BETWEEN -2147483648 AND 2147483647");
        depends("int", "int unsigned", "`c` NOT BETWEEN 0 AND 4294967295");
        depends("varchar(20)", "varchar(10)", "CHAR_LENGTH(`c`) > 10");
        depends("longtext", "varchar(255)", "CHAR_LENGTH(`c`) > 255");
        depends("longtext", "text", "LENGTH(`c`) > 65535");
        depends("varchar(5)", "char(5)", "CHAR_LENGTH(`c`) > 5 OR `c` LIKE '% '");
        depends("decimal(10,2)", "decimal(8,2)", "`c` <> CAST(`c` AS DECIMAL(8,2))");
        depends("bigint", "decimal(18,0)", "`c` <> CAST(`c` AS DECIMAL(18,0))");
        depends("datetime(6)", "datetime(3)", "MICROSECOND(`c`) % 1000 <> 0");
        depends("datetime", "date", "TIME(`c`) <> '00:00:00'");
        depends("enum('it''s','b')", "enum('b')", "`c` IN ('it''s')");
        depends("set('a','b')", "set('b')", "FIND_IN_SET('a', `c`)");
        depends("varchar(5)", "enum('a')", "`c` NOT IN ('a')");
        depends("text", "json", "NOT JSON_VALID(`c`)");
        depends("varbinary(4)", "binary(4)", "LENGTH(`c`) <> 4");
        depends("json", "varchar(20)", "CHAR_LENGTH(`c`) > 20");
    }

    #[test]
    fn what_is_read_as_something_else_is_lossy() {
        lossy("varchar(10)", "int");
        lossy("datetime(6)", "timestamp(6)");
        lossy("timestamp(6)", "datetime(6)");
        lossy("double", "float");
        lossy("double", "int");
        lossy("bigint", "double");
        lossy("int(5) unsigned zerofill", "varchar(20)");
        lossy("longtext", "longblob");
        lossy("int", "enum('a')");
    }
}
