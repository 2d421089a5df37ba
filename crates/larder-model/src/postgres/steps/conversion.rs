//! What it takes to make one type of another.
//!
//! Guards that a value is never cut, rounded or reinterpreted without anybody being asked: where a
//! cast would do it, the rows are asked first, and where nobody but a person knows what is meant,
//! nothing is done.

use super::super::types::Type;

/// What a change of type takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Conversion {
    /// It succeeds unless rows fulfil a condition on the column, which is `{}` in it; then nothing
    /// is lost.
    Conditional {
        condition: String,
        /// How the value is converted, if a cast is not enough.
        using: Option<&'static str>,
        reason: Option<&'static str>,
    },
    /// Values may lose something.
    Lossy(&'static str),
    /// Only the catalog changes.
    Metadata,
    /// Every row is rewritten and none changes.
    Rewrite,
    /// Nobody but a person knows.
    Unsupported(&'static str),
}

use Conversion::{Conditional, Lossy, Metadata, Rewrite, Unsupported};

const EXPLICIT: &str = "nobody but a person knows how the values are to be converted; do it in a \
    migration of its own, with ALTER COLUMN … TYPE … USING …";
const ZONE: &str = "whether the values are in UTC is not known; where there are some, convert \
    them in a migration of its own, with USING … AT TIME ZONE …";

/// The conversion from one type to another one.
pub(super) fn between(from: &str, to: &str) -> Conversion {
    let (from, to) = (Type::parse(from), Type::parse(to));
    let family = |ty: &Type| Family::of(&ty.base);
    match (family(&from), family(&to)) {
        (Some(Family::Text), Some(Family::Text)) => text(&from, &to),
        (Some(Family::Integer(from)), Some(Family::Integer(to))) => integer(from, to),
        (Some(Family::Integer(from)), Some(Family::Numeric)) => integer_to_numeric(from, &to),
        (Some(Family::Numeric), Some(Family::Integer(to))) => numeric_to_integer(to),
        (Some(Family::Numeric), Some(Family::Numeric)) => numeric(&from, &to),
        (Some(Family::Integer(bytes)), Some(Family::Float(digits))) => {
            // What a float holds of an integer: 24 and 53 binary digits.
            let fits = if digits == 4 { bytes == 2 } else { bytes <= 4 };
            if fits { Rewrite } else { Lossy("a floating-point number holds fewer digits") }
        }
        (Some(Family::Float(4)), Some(Family::Float(8))) => Rewrite,
        (Some(Family::Float(_)), Some(Family::Float(_))) => {
            Lossy("a floating-point number of 32 bits holds fewer digits")
        }
        (Some(Family::Float(_)), Some(Family::Numeric))
        | (Some(Family::Numeric), Some(Family::Float(_))) => {
            Lossy("a floating-point number and a decimal number are not the same")
        }
        (Some(Family::Clock(from_base)), Some(Family::Clock(to_base))) => {
            clock((from_base, &from), (to_base, &to))
        }
        (Some(Family::Integer(_)), Some(Family::Text)) | (None, Some(Family::Text))
            if to.modifiers.is_empty()
                && to.base != "character"
                && matches!(
                    from.base.as_str(),
                    "smallint" | "integer" | "bigint" | "boolean" | "uuid"
                ) =>
        {
            Rewrite
        }
        _ if from.base == "date" && to.base == "timestamp without time zone" => Rewrite,
        _ => Unsupported(EXPLICIT),
    }
}

/// Types whose values are of one nature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    /// Times, with the fraction of a second.
    Clock(Clock),
    /// Of so many bytes.
    Float(u8),
    /// Of so many bytes.
    Integer(u8),
    Numeric,
    Text,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Clock {
    Time,
    TimeInZone,
    Timestamp,
    TimestampInZone,
}

impl Family {
    fn of(base: &str) -> Option<Self> {
        Some(match base {
            "bigint" => Self::Integer(8),
            "character" | "character varying" | "text" => Self::Text,
            "double precision" => Self::Float(8),
            "integer" => Self::Integer(4),
            "numeric" => Self::Numeric,
            "real" => Self::Float(4),
            "smallint" => Self::Integer(2),
            "time with time zone" => Self::Clock(Clock::TimeInZone),
            "time without time zone" => Self::Clock(Clock::Time),
            "timestamp with time zone" => Self::Clock(Clock::TimestampInZone),
            "timestamp without time zone" => Self::Clock(Clock::Timestamp),
            _ => return None,
        })
    }
}

fn conditional(condition: impl Into<String>) -> Conversion {
    Conditional { condition: condition.into(), using: None, reason: None }
}

fn text(from: &Type, to: &Type) -> Conversion {
    // `character` pads, and what it pads does not count as longer.
    let padded = |ty: &Type| ty.base == "character";
    let (old, new) = (from.modifier(i64::MAX), to.modifier(i64::MAX));
    if new < old {
        return conditional(format!("char_length({{}}) > {new}"));
    }
    if padded(from) || padded(to) { Rewrite } else { Metadata }
}

fn integer(from: u8, to: u8) -> Conversion {
    if to >= from {
        return Rewrite;
    }
    let (least, most) = range(to);
    conditional(format!("{{}} NOT BETWEEN {least} AND {most}"))
}

const fn range(bytes: u8) -> (i64, i64) {
    match bytes {
        2 => (i16::MIN as i64, i16::MAX as i64),
        4 => (i32::MIN as i64, i32::MAX as i64),
        _ => (i64::MIN, i64::MAX),
    }
}

fn integer_to_numeric(from: u8, to: &Type) -> Conversion {
    let digits = match from {
        2 => 5,
        4 => 10,
        _ => 19,
    };
    let [precision, scale] = limits(to);
    let Some(precision) = precision else { return Rewrite };
    let scale = scale.unwrap_or(0);
    if scale >= 0 && precision - scale >= digits {
        return Rewrite;
    }
    conditional(misfit(precision, scale))
}

/// The condition for values that a decimal number of these limits does not hold as they are.
fn misfit(precision: i64, scale: i64) -> String {
    format!(
        "round({{}}::numeric, {scale}) <> {{}} OR abs({{}}::numeric) >= 1e{}",
        precision - scale
    )
}

fn limits(of: &Type) -> [Option<i64>; 2] {
    [of.modifiers.first().copied(), of.modifiers.get(1).copied()]
}

fn numeric_to_integer(to: u8) -> Conversion {
    let (least, most) = range(to);
    conditional(format!("{{}} <> trunc({{}}) OR {{}} NOT BETWEEN {least} AND {most}"))
}

fn numeric(from: &Type, to: &Type) -> Conversion {
    let ([old, old_scale], [new, new_scale]) = (limits(from), limits(to));
    let Some(new) = new else { return Metadata };
    let (old_scale, new_scale) = (old_scale.unwrap_or(0), new_scale.unwrap_or(0));
    match old {
        Some(old) if new_scale == old_scale && new >= old => Metadata,
        Some(old) if new_scale >= old_scale && new - new_scale >= old - old_scale => Rewrite,
        _ => conditional(misfit(new, new_scale)),
    }
}

fn clock((from, old): (Clock, &Type), (to, new): (Clock, &Type)) -> Conversion {
    let zone = |using| Conditional {
        condition: "{} IS NOT NULL".to_owned(),
        using: Some(using),
        reason: Some(ZONE),
    };
    match (from, to) {
        (Clock::Timestamp, Clock::TimestampInZone) | (Clock::TimestampInZone, Clock::Timestamp) => {
            zone("{} AT TIME ZONE 'UTC'")
        }
        (from, to) if from != to => Unsupported(EXPLICIT),
        _ => {
            // Six digits are what there is without a limit.
            let (old, digits) = (old.modifier(6), new.modifier(6));
            if digits >= old {
                return Metadata;
            }
            let name = match to {
                Clock::Time => "time",
                Clock::TimeInZone => "timetz",
                Clock::Timestamp => "timestamp",
                Clock::TimestampInZone => "timestamptz",
            };
            conditional(format!("{{}} <> {{}}::{name}({digits})"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn condition(from: &str, to: &str) -> String {
        match between(from, to) {
            Conditional { condition, .. } => condition,
            other => panic!("{from} to {to}: {other:?}"),
        }
    }

    #[test]
    fn what_only_grows_is_a_matter_of_the_catalog() {
        for (from, to) in [
            ("character varying(10)", "character varying(20)"),
            ("character varying(10)", "character varying"),
            ("character varying(10)", "text"),
            ("text", "character varying"),
            ("numeric(10,2)", "numeric(12,2)"),
            ("numeric(10,2)", "numeric"),
            ("timestamp(3) with time zone", "timestamp with time zone"),
            ("time(0) without time zone", "time(3) without time zone"),
        ] {
            assert_eq!(between(from, to), Metadata, "{from} to {to}");
        }
    }

    #[test]
    fn what_is_stored_otherwise_is_rewritten() {
        for (from, to) in [
            ("smallint", "integer"),
            ("integer", "bigint"),
            ("integer", "numeric"),
            ("integer", "numeric(10,0)"),
            ("numeric(10,2)", "numeric(12,4)"),
            ("smallint", "real"),
            ("integer", "double precision"),
            ("real", "double precision"),
            ("character(5)", "text"),
            ("character(5)", "character(6)"),
            ("uuid", "text"),
            ("date", "timestamp without time zone"),
        ] {
            assert_eq!(between(from, to), Rewrite, "{from} to {to}");
        }
    }

    #[test]
    fn what_may_not_fit_asks_the_rows() {
        for (from, to, expected) in [
            ("text", "character varying(5)", "char_length({}) > 5"),
            ("character varying(9)", "character varying(5)", "char_length({}) > 5"),
            ("bigint", "integer", "{} NOT BETWEEN -2147483648 AND 2147483647"),
            ("numeric", "smallint", "{} <> trunc({}) OR {} NOT BETWEEN -32768 AND 32767"),
            ("numeric", "numeric(10,2)", "round({}::numeric, 2) <> {} OR abs({}::numeric) >= 1e8"),
            ("bigint", "numeric(4,-2)", "round({}::numeric, -2) <> {} OR abs({}::numeric) >= 1e6"),
            (
                "timestamp without time zone",
                "timestamp(0) without time zone",
                "{} <> {}::timestamp(0)",
            ),
            ("timestamp without time zone", "timestamp with time zone", "{} IS NOT NULL"),
        ] {
            assert_eq!(condition(from, to), expected, "{from} to {to}");
        }
    }

    #[test]
    fn digits_are_not_lost_unseen() {
        for (from, to) in [
            ("bigint", "double precision"),
            ("integer", "real"),
            ("double precision", "real"),
            ("double precision", "numeric"),
            ("numeric", "double precision"),
        ] {
            assert!(matches!(between(from, to), Lossy(_)), "{from} to {to}");
        }
    }

    #[test]
    fn what_only_a_person_knows_is_left_alone() {
        for (from, to) in [
            ("text", "integer"),
            ("json", "jsonb"),
            ("text", "public.mood"),
            ("public.mood", "public.other"),
            ("integer", "boolean"),
            ("text", "bytea"),
            ("text[]", "text"),
            ("time without time zone", "time with time zone"),
            ("timestamp with time zone", "date"),
        ] {
            assert!(matches!(between(from, to), Unsupported(_)), "{from} to {to}");
        }
    }
}
