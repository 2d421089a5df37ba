//! The judgement itself: it looks names up in the lists of the dialect.

use sqlparser::ast::{
    BinaryOperator, Function, FunctionArg, FunctionArguments, Ident, ObjectName, ObjectNamePart,
};

use super::{common, mysql, postgresql, sqlite};
use crate::{Dialect, Uncacheable};

/// The reviewed names of one dialect, in lower case.
struct Lists {
    /// Give the same answer for the same arguments, the same rows and the same settings.
    deterministic: &'static [&'static [&'static str]],
    /// Depend on the session.
    session: &'static [&'static str],
    /// Change from run to run, or change something.
    volatile: &'static [&'static str],
    /// Functions and system columns that are written without parentheses.
    words: &'static [&'static str],
}

const fn lists(dialect: Dialect) -> Lists {
    match dialect {
        Dialect::MariaDb => Lists {
            deterministic: &[common::DETERMINISTIC, mysql::DETERMINISTIC, mysql::MARIADB_ONLY],
            session: mysql::SESSION,
            volatile: mysql::VOLATILE,
            words: mysql::WORDS,
        },
        Dialect::MySql => Lists {
            deterministic: &[common::DETERMINISTIC, mysql::DETERMINISTIC, mysql::MYSQL_ONLY],
            session: mysql::SESSION,
            volatile: mysql::VOLATILE,
            words: mysql::WORDS,
        },
        Dialect::PostgreSql => Lists {
            deterministic: &[common::DETERMINISTIC, postgresql::IMMUTABLE, postgresql::STABLE],
            session: postgresql::SESSION,
            volatile: postgresql::VOLATILE,
            words: postgresql::WORDS,
        },
        Dialect::Sqlite => Lists {
            deterministic: &[common::DETERMINISTIC, sqlite::DETERMINISTIC],
            session: sqlite::SESSION,
            volatile: sqlite::VOLATILE,
            words: sqlite::WORDS,
        },
    }
}

/// Judges a call in an expression.
pub(crate) fn judge(function: &Function, dialect: Dialect) -> Option<Uncacheable> {
    let arguments: &[FunctionArg] = match &function.args {
        FunctionArguments::List(list) => &list.args,
        FunctionArguments::None | FunctionArguments::Subquery(_) => &[],
    };
    judge_call(&function.name, arguments, dialect)
}

/// Judges a call in an expression or in place of a table.
pub(crate) fn judge_call(
    name: &ObjectName,
    arguments: &[FunctionArg],
    dialect: Dialect,
) -> Option<Uncacheable> {
    let unknown = || Uncacheable::UnknownFunction { name: name.to_string() };
    let Some(builtin) = builtin_name(name, dialect) else {
        return Some(unknown());
    };
    let lists = lists(dialect);
    let builtin = builtin.as_str();
    let mut deterministic = lists.deterministic.iter();
    if lists.session.contains(&builtin) {
        Some(Uncacheable::SessionState { name: builtin.to_owned() })
    } else if lists.volatile.contains(&builtin) || reads_the_clock(builtin, arguments, dialect) {
        Some(Uncacheable::Volatile { name: builtin.to_owned() })
    } else if deterministic.any(|group| group.contains(&builtin)) {
        None
    } else {
        Some(unknown())
    }
}

/// Functions that take the present time for an argument that is missing.
fn reads_the_clock(name: &str, arguments: &[FunctionArg], dialect: Dialect) -> bool {
    match (dialect, name) {
        (Dialect::MariaDb | Dialect::MySql, "unix_timestamp") => arguments.is_empty(),
        (Dialect::PostgreSql, "age") => arguments.len() < 2,
        (Dialect::Sqlite, _) => sqlite::reads_the_clock(name, arguments),
        _ => false,
    }
}

/// The folded name, if it can only be the server's own function.
fn builtin_name(name: &ObjectName, dialect: Dialect) -> Option<String> {
    let (last, qualifiers) = name.0.split_last()?;
    let last = last.as_ident()?;
    let qualified_as_builtin = match qualifiers {
        [] => true,
        [ObjectNamePart::Identifier(schema)] => {
            dialect == Dialect::PostgreSql && schema.value.eq_ignore_ascii_case("pg_catalog")
        }
        _ => false,
    };
    let quoted = last.quote_style.is_some();
    let quoted_as_builtin = match dialect {
        // A quoted name with a capital letter is another function.
        Dialect::PostgreSql => !quoted || !last.value.chars().any(|c| c.is_ascii_uppercase()),
        // A quoted name is a stored function.
        Dialect::MariaDb | Dialect::MySql => !quoted,
        Dialect::Sqlite => true,
    };
    (qualified_as_builtin && quoted_as_builtin).then(|| last.value.to_ascii_lowercase())
}

/// Judges a name without parentheses, which may be `CURRENT_DATE` as well as a column.
pub(crate) fn judge_word(ident: &Ident, dialect: Dialect) -> Option<Uncacheable> {
    if ident.quote_style.is_some() {
        return None;
    }
    let word = ident.value.to_ascii_lowercase();
    let lists = lists(dialect);
    if !lists.words.contains(&&*word) {
        None
    } else if lists.session.contains(&&*word) {
        Some(Uncacheable::SessionState { name: word })
    } else {
        Some(Uncacheable::Volatile { name: word })
    }
}

/// Judges a string. PostgreSQL converts `'now'` and its like into a time wherever one is due. On
/// SQLite a date function does, however the string reaches it: by a view, a common table
/// expression, `printf`.
pub(crate) fn judge_literal(text: &str, dialect: Dialect) -> Option<Uncacheable> {
    // The server reads no longer text as a time.
    const TIME_BYTES_MAX: usize = 128;

    if dialect == Dialect::Sqlite && text.trim().eq_ignore_ascii_case("now") {
        return Some(Uncacheable::Volatile { name: "'now'".to_owned() });
    }
    if dialect != Dialect::PostgreSql || text.len() > TIME_BYTES_MAX {
        return None;
    }
    let special = ["now", "today", "tomorrow", "yesterday"];
    let mut words = text.split(|c: char| !c.is_ascii_alphabetic());
    let found = words.find(|word| special.iter().any(|one| one.eq_ignore_ascii_case(word)))?;
    Some(Uncacheable::Volatile { name: format!("'{}'", found.to_ascii_lowercase()) })
}

/// Judges an operator: one that is not the server's own is a function in disguise.
pub(crate) fn judge_operator(operator: &BinaryOperator, dialect: Dialect) -> Option<Uncacheable> {
    match operator {
        BinaryOperator::Custom(_) | BinaryOperator::PGCustomBinaryOperator(_) => {
            Some(Uncacheable::UnknownFunction { name: operator.to_string() })
        }
        BinaryOperator::Assignment => {
            Some(Uncacheable::SessionState { name: operator.to_string() })
        }
        BinaryOperator::Regexp => judge_regexp(dialect),
        _ => None,
    }
}

/// Judges `REGEXP`. SQLite has no such function: the application brings it along.
pub(crate) fn judge_regexp(dialect: Dialect) -> Option<Uncacheable> {
    (dialect == Dialect::Sqlite).then(|| Uncacheable::UnknownFunction { name: "regexp".to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIALECTS: [Dialect; 4] =
        [Dialect::MariaDb, Dialect::MySql, Dialect::PostgreSql, Dialect::Sqlite];

    #[test]
    fn no_function_is_on_two_sides() {
        for dialect in DIALECTS {
            let lists = lists(dialect);
            for name in lists.deterministic.iter().copied().flatten() {
                let denied = [lists.session, lists.volatile];
                assert!(!denied.iter().any(|list| list.contains(name)), "{name}");
                assert_eq!(*name, name.to_ascii_lowercase());
            }
            for name in lists.session {
                assert!(!lists.volatile.contains(name), "{name}");
            }
        }
    }

    #[test]
    fn lists_are_alphabetical_and_name_nothing_twice() {
        for dialect in DIALECTS {
            let lists = lists(dialect);
            let others = [lists.session, lists.volatile, lists.words];
            for list in lists.deterministic.iter().chain(&others) {
                for pair in list.windows(2) {
                    assert!(pair[0] < pair[1], "{pair:?} in {dialect:?}");
                }
            }
        }
    }

    #[test]
    fn special_times_are_found_as_words_only() {
        let found = |text| judge_literal(text, Dialect::PostgreSql).is_some();
        assert!(found("now") && found(" Today 10:00") && found("YESTERDAY"));
        assert!(!found("nowhere") && !found("snow") && !found(""));
        assert!(judge_literal(" Now", Dialect::Sqlite).is_some());
        assert!(judge_literal("now or never", Dialect::Sqlite).is_none());
        assert!(judge_literal("now", Dialect::MySql).is_none());
    }
}
