//! Constants as PostgreSQL prints them.
//!
//! Guards that the default of a model reads like the default of the table that was made of it.

use super::{literal, types::Type};
use crate::{ColumnKind, DefaultModel, DefaultValue};

/// The default of a column of this type.
pub(super) fn default(of: &DefaultModel, kind: ColumnKind, ty: &str) -> String {
    match of {
        DefaultModel::Now => now(kind).to_owned(),
        DefaultModel::Sql(sql) => sql.clone().into_owned(),
        DefaultModel::Value(value) => constant(value, kind, ty),
    }
}

/// The moment of the transaction. Without a time zone it is the session's own, as it is on every
/// database.
const fn now(kind: ColumnKind) -> &'static str {
    match kind {
        ColumnKind::Date => "CURRENT_DATE",
        ColumnKind::Time => "LOCALTIME",
        ColumnKind::Timestamp => "LOCALTIMESTAMP",
        _ => "CURRENT_TIMESTAMP",
    }
}

fn constant(value: &DefaultValue, kind: ColumnKind, ty: &str) -> String {
    let ty = Type::parse(ty);
    let of_type = |text: &str| format!("{}::{}", literal(text), ty.as_cast());
    match value {
        DefaultValue::Blob(bytes) if kind == ColumnKind::Uuid => of_type(&uuid(bytes)),
        DefaultValue::Blob(bytes) => of_type(&format!("\\x{}", hex(bytes))),
        DefaultValue::Boolean(flag) => flag.to_string(),
        DefaultValue::Number(digits) => number(digits),
        DefaultValue::Text(text) => of_type(text),
    }
}

/// A number has the narrowest type that holds it, whatever column it stands for.
fn number(digits: &str) -> String {
    let (sign, unsigned) = match digits.strip_prefix('-') {
        Some(unsigned) => ("-", unsigned),
        None => ("", digits),
    };
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let whole = whole.trim_start_matches('0');
    let is_zero = whole.is_empty() && fraction.bytes().all(|digit| digit == b'0');
    let sign = if is_zero { "" } else { sign };
    let whole = if whole.is_empty() { "0" } else { whole };
    if !fraction.is_empty() {
        let number = format!("{sign}{whole}.{fraction}");
        return if sign.is_empty() { number } else { format!("'{number}'::numeric") };
    }
    let number = format!("{sign}{whole}");
    match number.parse::<i64>() {
        Ok(value) if i32::try_from(value).is_ok() => match sign {
            "" => number,
            _ => format!("'{number}'::integer"),
        },
        Ok(_) => format!("'{number}'::bigint"),
        Err(_) => format!("'{number}'::numeric"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn uuid(bytes: &[u8]) -> String {
    let mut text = hex(bytes);
    for at in [20, 16, 12, 8] {
        if at <= text.len() {
            text.insert(at, '-');
        }
    }
    text
}

/// Whether two defaults are one text of two types of text: a column that holds any text takes a
/// constant of either.
pub(crate) fn is_same_text(one: &str, other: &str) -> bool {
    let text = |default: &str| {
        let (text, ty) = default.rsplit_once("::")?;
        let is_text = matches!(ty, "text" | "character varying" | "bpchar");
        let is_literal = text.len() > 1 && text.starts_with('\'') && text.ends_with('\'');
        (is_text && is_literal).then(|| text.to_owned())
    };
    text(one).is_some_and(|one| text(other).is_some_and(|other| one == other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_type_that_the_parser_gives_them() {
        for (digits, expected) in [
            ("5", "5"),
            ("007", "7"),
            ("-0", "0"),
            ("-5", "'-5'::integer"),
            ("2147483647", "2147483647"),
            ("2147483648", "'2147483648'::bigint"),
            ("-2147483648", "'-2147483648'::integer"),
            ("-9223372036854775808", "'-9223372036854775808'::bigint"),
            ("99999999999999999999", "'99999999999999999999'::numeric"),
            ("1.50", "1.50"),
            ("00.10", "0.10"),
            ("-0.0", "0.0"),
            ("-1.5", "'-1.5'::numeric"),
        ] {
            assert_eq!(number(digits), expected, "{digits}");
        }
    }

    #[test]
    fn other_constants_stand_in_quotes_with_their_type() {
        let text = |text: &'static str, ty| {
            constant(&DefaultValue::Text(text.into()), ColumnKind::Text, ty)
        };
        assert_eq!(text("it's", "character varying(20)"), "'it''s'::character varying");
        assert_eq!(text("a\\b", "text"), "'a\\b'::text");
        assert_eq!(text("x", "character(5)"), "'x'::bpchar");
        assert_eq!(text("x", "public.mood"), "'x'::public.mood");
        let blob = DefaultValue::Blob(vec![0xab, 1].into());
        assert_eq!(constant(&blob, ColumnKind::Blob, "bytea"), "'\\xab01'::bytea");
        let uuid = DefaultValue::Blob((0..16).collect::<Vec<_>>().into());
        assert_eq!(
            constant(&uuid, ColumnKind::Uuid, "uuid"),
            "'00010203-0405-0607-0809-0a0b0c0d0e0f'::uuid"
        );
    }

    #[test]
    fn a_text_is_the_same_whatever_type_of_text_it_has() {
        assert!(is_same_text("'x'::text", "'x'::character varying"));
        assert!(!is_same_text("'x'::text", "'y'::text"));
        assert!(!is_same_text("'x'::text", "'x'::public.mood"));
        assert!(!is_same_text("now()", "now()"));
    }
}
