//! The text of `CREATE INDEX`, for expressions and conditions, which no pragma tells.
//!
//! Invariant: as many parts are returned as the index has, or none.

use larder_model::{Dialect, SqlToken, sql_tokens};

use super::words::{Unclear, Words};

/// What the text of an index says beside what pragmas tell.
#[derive(Debug, PartialEq)]
pub(super) struct IndexText<'a> {
    /// The expression of each part, without its direction.
    pub(super) parts: Vec<Vec<SqlToken<'a>>>,
    pub(super) predicate: Option<Vec<SqlToken<'a>>>,
}

/// Reads the text of an index, as SQLite keeps it.
pub(super) fn parse(sql: &str) -> Result<IndexText<'_>, Unclear> {
    let tokens = sql_tokens(Dialect::Sqlite, sql);
    let mut words = Words::new(&tokens);
    words.expect("CREATE")?;
    let _is_unique = words.take("UNIQUE");
    words.expect("INDEX")?;
    words.name()?;
    if words.take(".") {
        words.name()?;
    }
    words.expect("ON")?;
    words.name()?;
    let parts = split(words.parentheses()?).into_iter().map(without_direction).collect();
    let predicate = words.take("WHERE").then(|| words.rest().to_vec());
    if predicate.is_none() && !words.is_end() {
        return Err(Unclear("the text of an index of it is not understood"));
    }
    Ok(IndexText { parts, predicate })
}

/// The parts between commas that stand in no parentheses.
fn split<'a, 't>(tokens: &'t [SqlToken<'a>]) -> Vec<&'t [SqlToken<'a>]> {
    let mut parts = Vec::new();
    let (mut start, mut depth) = (0, 0_usize);
    for (at, token) in tokens.iter().enumerate() {
        if token.is("(") {
            depth += 1;
        } else if token.is(")") {
            depth = depth.saturating_sub(1);
        } else if token.is(",") && depth == 0 {
            parts.push(&tokens[start..at]);
            start = at + 1;
        }
    }
    parts.push(&tokens[start..]);
    parts
}

fn without_direction<'a>(tokens: &[SqlToken<'a>]) -> Vec<SqlToken<'a>> {
    match tokens {
        [inner @ .., last] if !inner.is_empty() && (last.is("ASC") || last.is("DESC")) => {
            inner.to_vec()
        }
        all => all.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::introspect::sqlite::canonical;

    #[track_caller]
    fn check(sql: &str, parts: &[&str], predicate: Option<&str>) {
        let index = parse(sql).unwrap();
        let form = |tokens: &Vec<SqlToken<'_>>| canonical::expression(tokens, &[]);
        assert_eq!(index.parts.iter().map(form).collect::<Vec<_>>(), parts, "{sql}");
        assert_eq!(index.predicate.as_ref().map(form).as_deref(), predicate, "{sql}");
    }

    #[test]
    fn expressions_and_conditions_are_read() {
        check("CREATE INDEX i ON t(a)", &["a"], None);
        check(
            "CREATE UNIQUE INDEX \"i j\" ON \"o'brien\" (lower(a) COLLATE NOCASE DESC, max(a, ','), [b] asc)",
            &["lower(a) COLLATE NOCASE", "max(a, ',')", "[b]"],
            None,
        );
        check(
            "CREATE INDEX main.i ON t (a) WHERE deleted IS NULL AND (b > 0)",
            &["a"],
            Some("deleted IS NULL AND (b > 0)"),
        );
        check("CREATE INDEX i ON t (a, desc)", &["a", "DESC"], None);
        assert!(parse("CREATE INDEX i ON t (a) b").is_err());
        assert!(parse("CREATE TABLE t (a)").is_err());
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(sql in "(CREATE|INDEX|ON|i|\\(|\\)|,|WHERE|DESC|'|[a-z]| ){0,20}") {
            let _ = parse(&sql);
            let _ = parse(&format!("CREATE INDEX i ON t ({sql}"));
        }
    }
}
