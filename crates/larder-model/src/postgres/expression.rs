//! What can be told of an expression without understanding it: which words are in it.
//!
//! Guards that texts in quotes are never taken for names.

use crate::{Dialect, SqlTokenKind, sql_tokens};

/// A word of an expression that is not within a text.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Word {
    /// As the server compares it: without quotes, and without them in small letters.
    name: String,
    /// Whether a parenthesis follows.
    is_called: bool,
    /// Whether it names a type in a cast, or the type's schema.
    is_type: bool,
}

/// The words of an expression in their order.
fn words(sql: &str) -> Vec<Word> {
    let tokens = sql_tokens(Dialect::Postgres, sql);
    let mut words = Vec::new();
    let mut is_type = false;
    for (at, token) in tokens.iter().enumerate() {
        let Some(name) = token.name() else {
            // A schema's name is followed by the type's.
            is_type = token.text.ends_with(':') || (is_type && token.is("."));
            continue;
        };
        let next = tokens.get(at + 1);
        let name = if token.kind == SqlTokenKind::Word { name.to_lowercase() } else { name };
        words.push(Word { name, is_called: next.is_some_and(|next| next.is("(")), is_type });
        is_type = is_type && next.is_some_and(|next| next.is("."));
    }
    words
}

/// Whether an expression may be about the column of this name.
pub(super) fn mentions(sql: &str, column: &str) -> bool {
    words(sql).iter().any(|word| word.name == column && !word.is_type)
}

/// Functions that give every row of a statement the same value, words that a parenthesis may
/// follow, and types with modifiers.
const STABLE: &[&str] = &[
    "abs",
    "all",
    "and",
    "any",
    "array_fill",
    "bit",
    "case",
    "cast",
    "ceil",
    "char_length",
    "coalesce",
    "current_setting",
    "date_part",
    "date_trunc",
    "decode",
    "else",
    "encode",
    "extract",
    "floor",
    "greatest",
    "in",
    "interval",
    "json_build_array",
    "json_build_object",
    "jsonb_build_array",
    "jsonb_build_object",
    "least",
    "left",
    "length",
    "lower",
    "make_date",
    "make_interval",
    "md5",
    "not",
    "now",
    "nullif",
    "numeric",
    "or",
    "repeat",
    "right",
    "round",
    "row",
    "sha256",
    "statement_timestamp",
    "substring",
    "then",
    "time",
    "timestamp",
    "timezone",
    "to_char",
    "to_timestamp",
    "transaction_timestamp",
    "trunc",
    "upper",
    "varying",
    "when",
];

/// Whether an expression may have another value for each row. What is not known may.
pub(super) fn may_be_volatile(sql: &str) -> bool {
    let mut called = words(sql).into_iter().filter(|word| word.is_called && !word.is_type);
    called.any(|word| !STABLE.contains(&word.name.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_found_among_the_words_and_not_in_texts() {
        assert!(mentions("(a)::text = 'b'::text", "a"));
        assert!(!mentions("(a)::text = 'b'::text", "b"));
        assert!(!mentions("(a)::text = 'b'::text", "text"));
        assert!(!mentions("'x'::public.mood", "mood"));
        assert!(mentions("lower(\"A b\") = 'x'", "A b"));
        assert!(mentions("\"say \"\"hi\"\"\" > 0", "say \"hi\""));
        assert!(!mentions("ab > 0", "a"));
        assert!(!mentions("a = 'it''s c'::text", "c"));
        assert!(mentions("CHECK (A > 0)", "a"));
    }

    #[test]
    fn what_is_not_known_may_be_volatile() {
        for sql in [
            "now()",
            "'x'::character varying(20)",
            "'{}'::text[]",
            "CURRENT_TIMESTAMP",
            "(now() + '1 day'::interval)",
            "'random()'::text",
            "'1.50'::numeric(10,2)",
            "ARRAY['a'::text]",
        ] {
            assert!(!may_be_volatile(sql), "{sql}");
        }
        for sql in ["random()", "gen_random_uuid()", "nextval('s'::regclass)", "app.f(1)"] {
            assert!(may_be_volatile(sql), "{sql}");
        }
    }
}
