//! The cautious answer for a text that could not be analysed.

use crate::Dialect;

/// Words after which a text that begins like a query may still change something.
const WRITING: &[&str] = &[
    "ALTER", "CALL", "CREATE", "DELETE", "DROP", "EXECUTE", "INSERT", "INTO", "MERGE", "TRUNCATE",
    "UPDATE",
];

/// Whether a text certainly is a query, judged by its words alone.
///
/// For a text that [`analyze`](crate::analyze) refuses: `true` means that nothing needs to be
/// invalidated after it ran. It is `false` for many a query, for example one `FOR UPDATE`, and
/// whenever there may be a second statement. As everywhere, functions that write are not seen.
///
/// ```
/// use larder_sql::{Dialect, looks_like_read};
///
/// assert!(looks_like_read("SELECT * FROM airline MATCH_SOMETHING (1)", Dialect::PostgreSql));
/// assert!(!looks_like_read("SELECT 1; DROP TABLE airline", Dialect::PostgreSql));
/// assert!(!looks_like_read("VACUUM", Dialect::Sqlite));
/// ```
#[must_use]
pub fn looks_like_read(sql: &str, dialect: Dialect) -> bool {
    if dialect.is_mysql_family() && (sql.contains("/*!") || sql.contains("/*M!")) {
        return false;
    }
    let Some(body) = skip_comments(sql, dialect) else {
        return false;
    };
    let body = body.trim_end_matches(|c: char| c == ';' || c.is_whitespace());
    let mut words = body
        .split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_uppercase);
    let reading = ["DESC", "DESCRIBE", "SELECT", "SHOW", "VALUES", "WITH"];
    let starts_a_query = body.starts_with(|c: char| c.is_ascii_alphabetic())
        && words.next().is_some_and(|word| reading.contains(&&*word));
    starts_a_query && !body.contains(';') && !words.any(|word| WRITING.contains(&&*word))
}

/// The text from its first word on; `None` if a comment does not end.
fn skip_comments(sql: &str, dialect: Dialect) -> Option<&str> {
    let mut rest = sql;
    loop {
        rest = rest.trim_start_matches(|c: char| c == '(' || c.is_whitespace());
        if let Some(comment) = rest.strip_prefix("/*") {
            // A nested comment leaves its tail behind, which starts no query.
            rest = comment.split_once("*/")?.1;
        } else if rest.starts_with("--") || (dialect.is_mysql_family() && rest.starts_with('#')) {
            rest = rest.split_once('\n')?.1;
        } else {
            return Some(rest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(sql: &str, expected: bool) {
        assert_eq!(looks_like_read(sql, Dialect::MySql), expected, "{sql:?}");
    }

    #[test]
    fn a_query_behind_comments_and_parentheses_is_a_read() {
        check("SELECT 1", true);
        check("  -- note\n/* note */ ( select 1 );\n", true);
        check("# note\nshow tables", true);
        check("WITH a AS (SELECT 1) SELECT * FROM a", true);
    }

    #[test]
    fn whatever_may_write_is_not() {
        for sql in [
            "",
            "-- SELECT",
            "/* SELECT",
            "UPDATE a SET x = 1",
            "SELECT 1; DELETE FROM a",
            "SELECT * INTO b FROM a",
            "WITH a AS (SELECT 1) DELETE FROM b",
            "WITH x AS (update a set y = 1 returning *) SELECT * FROM x",
            "EXPLAIN ANALYZE DELETE FROM a",
            "/*!50000 DELETE FROM a */",
            "SELECT 1 /*! ; DELETE FROM a */",
            "/* /* */ SELECT */ DELETE FROM a",
            "CALL p()",
            "SELECTED",
        ] {
            check(sql, false);
        }
    }
}
