//! MySQL and MariaDB: settings that change how statements are read.
//!
//! What else one session has of its own - variables, temporary tables, locks - is gone before the
//! next statement: the driver closes the connection on which a statement left something behind.
//! Within a transaction it stays until the end, and there nothing is answered from a cache.

/// Settings under which the ends of texts and names lie elsewhere than the analysis sees them.
const DECIDES_ABOUT_READING: [&str; 5] =
    ["CHARACTER", "CHARACTER_SET_CLIENT", "CHARSET", "NAMES", "SQL_MODE"];

/// Whether a statement may do so. It errs to that side: a comment can make it so.
pub(super) fn makes_private(sql: &str) -> bool {
    let words = || sql.split(|c: char| !c.is_alphanumeric() && c != '_');
    let has = |word: &str| words().any(|other| other.eq_ignore_ascii_case(word));
    has("SET") && DECIDES_ABOUT_READING.into_iter().any(has)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_change_how_statements_are_read_are_noticed() {
        for sql in [
            "SET sql_mode = 'ANSI_QUOTES'",
            "set @@session.sql_mode=''",
            "SET NAMES gbk",
            "SET STATEMENT sql_mode='' FOR SELECT 1",
            "SET CHARACTER SET latin1",
        ] {
            assert!(makes_private(sql), "{sql}");
        }
        for sql in [
            "SET @a = 1",
            "CREATE TEMPORARY TABLE t (a INT)",
            "USE other",
            "LOCK TABLES t READ",
            "SELECT @@sql_mode",
        ] {
            assert!(!makes_private(sql), "{sql}");
        }
    }
}
