//! PostgreSQL's types: which one holds what, and how it prints them.
//!
//! Invariant: a type has the text that `format_type` gives it.

use super::identifier::printed_full;
use crate::{ColumnKind, DataType, TableName};

/// The type of a model's column; `schema` is where its enumerated types live.
pub(super) fn declared(of: &DataType, schema: &str) -> String {
    match of {
        DataType::Char { length } => format!("character({length})"),
        DataType::Decimal { precision, scale } => format!("numeric({precision},{scale})"),
        DataType::Enum { name, .. } => printed_full(&TableName::in_schema(schema, name.as_str())),
        DataType::Kind(kind) | DataType::Native { kind, postgres: None, .. } => {
            of_kind(*kind).to_owned()
        }
        DataType::Native { postgres: Some(native), .. } => native.clone(),
        DataType::Temporal { kind, digits } => {
            let zone = if *kind == ColumnKind::TimestampUtc { "with" } else { "without" };
            let name = if *kind == ColumnKind::Time { "time" } else { "timestamp" };
            format!("{name}({digits}) {zone} time zone")
        }
        DataType::Varchar { length } => format!("character varying({length})"),
    }
}

/// The type that holds a kind best.
const fn of_kind(kind: ColumnKind) -> &'static str {
    match kind {
        ColumnKind::Blob => "bytea",
        ColumnKind::Boolean => "boolean",
        ColumnKind::Date => "date",
        ColumnKind::Decimal => "numeric",
        ColumnKind::Float32 => "real",
        ColumnKind::Float64 => "double precision",
        ColumnKind::Int16 => "smallint",
        ColumnKind::Int32 => "integer",
        ColumnKind::Int64 => "bigint",
        ColumnKind::Json => "jsonb",
        ColumnKind::Text => "text",
        ColumnKind::Time => "time without time zone",
        ColumnKind::Timestamp => "timestamp without time zone",
        ColumnKind::TimestampUtc => "timestamp with time zone",
        ColumnKind::Uuid => "uuid",
    }
}

/// A type in two parts: its name, and what stands in parentheses in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Type {
    /// Without modifiers: `character varying`, `timestamp with time zone`.
    pub(super) base: String,
    /// The modifiers as numbers, if they are numbers.
    pub(super) modifiers: Vec<i64>,
}

impl Type {
    pub(super) fn parse(text: &str) -> Self {
        let (base, modifiers) = match (text.find('('), text.find(')')) {
            // A quoted name may have anything in it, and has no modifier that matters here.
            (Some(open), Some(close)) if open < close && !text.contains('"') => {
                let base = format!("{}{}", &text[..open], &text[close + 1..]);
                (base, &text[open + 1..close])
            }
            _ => (text.to_owned(), ""),
        };
        let modifiers = modifiers.split(',').filter_map(|text| text.trim().parse().ok());
        Self { base, modifiers: modifiers.collect() }
    }

    /// Its name where a constant is of it, without a limit.
    pub(super) fn as_cast(&self) -> &str {
        match self.base.as_str() {
            // By its other name, because `character` is one character long.
            "character" => "bpchar",
            base => base,
        }
    }

    /// The modifier, or what is meant where there is none.
    pub(super) fn modifier(&self, or: i64) -> i64 {
        self.modifiers.first().copied().unwrap_or(or)
    }
}

/// Whether a column of this type holds every value of the kind and gives it back as that kind.
/// A narrower or wider number is none: programs that read one do not read the other.
pub(crate) fn holds(kind: ColumnKind, ty: &str) -> bool {
    let base = Type::parse(ty).base;
    match kind {
        ColumnKind::Json => matches!(base.as_str(), "json" | "jsonb"),
        ColumnKind::Text => {
            // `character` is no such type: it takes blanks at the end for none.
            matches!(base.as_str(), "text" | "character varying") || base.ends_with(".citext")
        }
        _ => base == of_kind(kind),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Identifier;

    #[test]
    fn types_are_printed_as_the_catalog_has_them() {
        let mood = Identifier::from_static("Mood");
        for (of, expected) in [
            (DataType::Char { length: 5 }, "character(5)"),
            (DataType::Varchar { length: 20 }, "character varying(20)"),
            (DataType::Decimal { precision: 10, scale: 2 }, "numeric(10,2)"),
            (DataType::Enum { name: mood, labels: vec!["a".into()] }, "app.\"Mood\""),
            (DataType::Temporal { kind: ColumnKind::Time, digits: 3 }, "time(3) without time zone"),
            (
                DataType::Temporal { kind: ColumnKind::TimestampUtc, digits: 0 },
                "timestamp(0) with time zone",
            ),
            (DataType::Kind(ColumnKind::Json), "jsonb"),
        ] {
            assert_eq!(declared(&of, "app"), expected);
        }
    }

    #[test]
    fn a_type_comes_apart_at_its_parentheses() {
        for (text, base, modifiers) in [
            ("numeric(10,-2)", "numeric", vec![10, -2]),
            ("timestamp(3) with time zone", "timestamp with time zone", vec![3]),
            ("text", "text", vec![]),
            ("public.\"a(1)\"", "public.\"a(1)\"", vec![]),
            ("character varying(3)[]", "character varying[]", vec![3]),
        ] {
            let expected = Type { base: base.to_owned(), modifiers };
            assert_eq!(Type::parse(text), expected, "{text}");
        }
    }

    #[test]
    fn a_column_holds_its_kind_and_no_other() {
        assert!(holds(ColumnKind::Text, "character varying(3)"));
        assert!(holds(ColumnKind::Text, "public.citext"));
        assert!(!holds(ColumnKind::Text, "character(3)"));
        assert!(!holds(ColumnKind::Text, "public.mood"));
        assert!(!holds(ColumnKind::Text, "text[]"));
        assert!(holds(ColumnKind::Json, "json"));
        assert!(holds(ColumnKind::Decimal, "numeric(10,2)"));
        assert!(!holds(ColumnKind::Int32, "bigint"));
        assert!(!holds(ColumnKind::Timestamp, "timestamp with time zone"));
        assert!(holds(ColumnKind::TimestampUtc, "timestamp(3) with time zone"));
    }
}
