//! Statements that can not run as their file says, found before anything runs.
//!
//! Guards that no file fails half-way for a reason that its text gives away.

use std::fmt;

use larder_model::Dialect;

use super::sql::{Token, significant};

/// What is wrong with a statement, and the mend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Objection {
    /// A statement that has no effect within a transaction: `PRAGMA foreign_keys` on SQLite.
    IgnoredInTransaction,
    /// `LOCK TABLES`, after which the history could not be written.
    LocksTables,
    /// A statement that the database refuses within a transaction, such as
    /// `CREATE INDEX CONCURRENTLY`.
    NotInTransaction,
    /// A statement that leaves the database, so that the history would be written elsewhere:
    /// `USE` in the MySQL family.
    OtherDatabase,
    /// `BEGIN`, `COMMIT` and the like, other than around the whole file.
    TransactionControl,
}

impl fmt::Display for Objection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::IgnoredInTransaction => {
                "it has no effect within a transaction; write `-- larder: no-transaction` at the \
                 head of the file, and its other statements into another file"
            }
            Self::LocksTables => {
                "the history can not be written while tables are locked; leave it out, because \
                 nobody else migrates at the same time"
            }
            Self::NotInTransaction => {
                "the database refuses it within a transaction; write `-- larder: no-transaction` \
                 at the head of the file, and its other statements into another file"
            }
            Self::OtherDatabase => {
                "it leaves the database; write the database before the names instead"
            }
            Self::TransactionControl => {
                "larder begins and ends the transactions; leave BEGIN and COMMIT out"
            }
        })
    }
}

/// What one statement is to the transaction around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nature {
    /// Begins a transaction and says no more than that.
    Begin,
    /// Ends a transaction and keeps what was done.
    Commit,
    /// Does other things to transactions.
    Control,
    /// Ends the transaction around it without being asked: DDL in the MySQL family.
    CommitsImplicitly,
    /// Has no effect in a transaction.
    Ignored,
    /// Fails in a transaction.
    Impossible,
    /// Leaves the database.
    Leaves,
    /// Locks tables, or ends that.
    Locks,
    /// Can be a part of any transaction.
    Ordinary,
    /// May end a transaction, which only running it would tell: a call of a procedure.
    Unknown,
}

impl Nature {
    pub(crate) fn of(statement: &str, dialect: Dialect) -> Self {
        let tokens = significant(statement, dialect);
        match dialect {
            Dialect::MariaDb | Dialect::MySql => mysql(&tokens),
            Dialect::Sqlite => sqlite(&tokens),
            _ => postgres(&tokens),
        }
    }
}

fn words(tokens: &[Token<'_>], at: usize, words: &[&str]) -> bool {
    tokens.get(at).is_some_and(|token| token.is_any(words))
}

/// `BEGIN`, `COMMIT`, `END` and `START TRANSACTION`, which the databases have in common.
fn control(tokens: &[Token<'_>]) -> Option<Nature> {
    let rest_is = |allowed: &[&str]| tokens[1..].iter().all(|token| token.is_any(allowed));
    let noise = ["TRANSACTION", "WORK"];
    let nature = if words(tokens, 0, &["BEGIN"]) {
        let plain = ["TRANSACTION", "WORK", "DEFERRED", "EXCLUSIVE", "IMMEDIATE"];
        if rest_is(&plain) { Nature::Begin } else { Nature::Control }
    } else if words(tokens, 0, &["START"]) && words(tokens, 1, &["TRANSACTION"]) {
        if tokens.len() == 2 { Nature::Begin } else { Nature::Control }
    } else if words(tokens, 0, &["COMMIT", "END"]) {
        if rest_is(&noise) { Nature::Commit } else { Nature::Control }
    } else if words(tokens, 0, &["ABORT", "ROLLBACK"]) {
        let to_savepoint = tokens.iter().any(|token| token.is("TO"));
        if to_savepoint { Nature::Ordinary } else { Nature::Control }
    } else {
        return None;
    };
    Some(nature)
}

fn postgres(tokens: &[Token<'_>]) -> Nature {
    if let Some(control) = control(tokens) {
        return control;
    }
    let first = |first: &[&str]| words(tokens, 0, first);
    let second = |second: &[&str]| words(tokens, 1, second);
    let has = |word: &str| tokens.iter().any(|token| token.is(word));
    let index = |at| words(tokens, at, &["INDEX"]);
    if first(&["PREPARE"]) && second(&["TRANSACTION"]) {
        return Nature::Control;
    }
    let concurrently = first(&["CREATE", "DROP"]) && (index(1) || index(2)) && has("CONCURRENTLY")
        || first(&["REINDEX"]) && has("CONCURRENTLY")
        || first(&["ALTER"]) && has("DETACH") && has("CONCURRENTLY");
    let server = ["DATABASE", "SUBSCRIPTION", "TABLESPACE"];
    let impossible = concurrently
        || first(&["VACUUM"])
        || first(&["CREATE", "DROP"]) && second(&server)
        || first(&["ALTER"]) && second(&["SYSTEM"])
        || first(&["REINDEX"]) && second(&["DATABASE", "SYSTEM"])
        || first(&["CLUSTER"]) && tokens.len() == 1;
    if impossible {
        Nature::Impossible
    } else if first(&["CALL", "DO"]) {
        Nature::Unknown
    } else {
        Nature::Ordinary
    }
}

fn sqlite(tokens: &[Token<'_>]) -> Nature {
    if let Some(control) = control(tokens) {
        return control;
    }
    let first = |first: &[&str]| words(tokens, 0, first);
    if first(&["ATTACH", "DETACH", "VACUUM"]) {
        return Nature::Impossible;
    }
    if !first(&["PRAGMA"]) {
        return Nature::Ordinary;
    }
    // A schema may stand before its name.
    let names = tokens[1..].iter().take(3);
    let sets = tokens.iter().any(|token| token.is_sign("=") || token.is_sign("("));
    let mut pragmas = names.filter(|_| sets);
    if pragmas.any(|token| token.is_any(&["foreign_keys", "journal_mode", "synchronous"])) {
        Nature::Ignored
    } else {
        Nature::Ordinary
    }
}

fn mysql(tokens: &[Token<'_>]) -> Nature {
    if words(tokens, 0, &["BEGIN"]) && words(tokens, 1, &["NOT"]) {
        // MariaDB's block outside of a routine.
        return Nature::Unknown;
    }
    if let Some(control) = control(tokens) {
        return control;
    }
    let first = |first: &[&str]| words(tokens, 0, first);
    if first(&["USE"]) {
        return Nature::Leaves;
    }
    let temporary = first(&["CREATE", "DROP"]) && words(tokens, 1, &["TEMPORARY"]);
    let table = words(tokens, 2, &["TABLE"]);
    let rows = ["DELETE", "INSERT", "REPLACE", "SELECT", "TABLE", "UPDATE", "VALUES", "WITH"];
    let session = first(&["SET"])
        && !tokens.iter().any(|token| token.is_any(&["AUTOCOMMIT", "PASSWORD", "TRANSACTION"]));
    if first(&rows) || first(&["SAVEPOINT"]) || session || (temporary && table) {
        Nature::Ordinary
    } else if first(&["SET"]) || first(&["XA"]) {
        Nature::Control
    } else if first(&["LOCK", "UNLOCK"]) {
        Nature::Locks
    } else if first(&["CALL", "DO", "EXECUTE", "PREPARE"]) {
        Nature::Unknown
    } else {
        Nature::CommitsImplicitly
    }
}

#[cfg(test)]
mod tests {
    use Dialect::{MariaDb, MySql, Postgres, Sqlite};

    use super::*;

    #[track_caller]
    fn check(dialect: Dialect, expected: Nature, statements: &[&str]) {
        for statement in statements {
            assert_eq!(Nature::of(statement, dialect), expected, "{dialect}: {statement}");
        }
    }

    #[test]
    fn transactions_are_recognised_on_every_database() {
        for dialect in [MariaDb, MySql, Postgres, Sqlite] {
            check(dialect, Nature::Begin, &["BEGIN", "begin /* x */ work", "START TRANSACTION"]);
            check(dialect, Nature::Commit, &["COMMIT", "commit work"]);
            check(dialect, Nature::Control, &["ROLLBACK", "COMMIT AND CHAIN"]);
            check(dialect, Nature::Control, &["START TRANSACTION READ ONLY"]);
            check(dialect, Nature::Ordinary, &["SAVEPOINT a", "ROLLBACK TO a"]);
            check(dialect, Nature::Ordinary, &["INSERT INTO a VALUES ('BEGIN')"]);
        }
        check(Sqlite, Nature::Begin, &["BEGIN IMMEDIATE", "BEGIN EXCLUSIVE TRANSACTION"]);
        check(MariaDb, Nature::Unknown, &["BEGIN NOT ATOMIC SELECT 1; END"]);
    }

    #[test]
    fn what_postgresql_refuses_in_a_transaction_is_known() {
        check(
            Postgres,
            Nature::Impossible,
            &[
                "CREATE INDEX CONCURRENTLY i ON a (b)",
                "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON a (b)",
                "DROP INDEX CONCURRENTLY i",
                "REINDEX TABLE CONCURRENTLY a",
                "ALTER TABLE a DETACH PARTITION b CONCURRENTLY",
                "VACUUM",
                "VACUUM FULL a",
                "CREATE DATABASE x",
                "ALTER SYSTEM SET work_mem = '1MB'",
                "CLUSTER",
            ],
        );
        check(
            Postgres,
            Nature::Ordinary,
            &[
                "CREATE INDEX i ON a (b)",
                "CREATE TABLE concurrently (a int)",
                "CREATE TYPE t AS ENUM ('CONCURRENTLY')",
                "ALTER TYPE t ADD VALUE 'x'",
                "REFRESH MATERIALIZED VIEW CONCURRENTLY v",
                "ALTER TABLE a ADD COLUMN b int",
            ],
        );
        check(Postgres, Nature::Unknown, &["DO $$ BEGIN COMMIT; END $$", "CALL p()"]);
    }

    #[test]
    fn what_sqlite_ignores_in_a_transaction_is_known() {
        check(
            Sqlite,
            Nature::Ignored,
            &[
                "PRAGMA foreign_keys = OFF",
                "pragma main.journal_mode=WAL",
                "PRAGMA foreign_keys(0)",
            ],
        );
        check(Sqlite, Nature::Impossible, &["VACUUM", "ATTACH 'a' AS b"]);
        check(Sqlite, Nature::Ordinary, &["PRAGMA user_version = 7", "PRAGMA foreign_keys"]);
    }

    #[test]
    fn what_commits_by_itself_in_the_mysql_family_is_known() {
        check(
            MySql,
            Nature::CommitsImplicitly,
            &[
                "CREATE TABLE a (b INT)",
                "ALTER TABLE a ADD c INT",
                "DROP INDEX i ON a",
                "RENAME TABLE a TO b",
                "TRUNCATE a",
                "/*!50003 CREATE*/ TRIGGER t BEFORE INSERT ON a FOR EACH ROW SET NEW.a = 1",
                "GRANT ALL ON a TO b",
            ],
        );
        check(
            MySql,
            Nature::Ordinary,
            &[
                "INSERT INTO a VALUES (1)",
                "WITH x AS (SELECT 1) DELETE FROM a",
                "SET @x = 1",
                "CREATE TEMPORARY TABLE a (b INT)",
            ],
        );
        check(MySql, Nature::Unknown, &["CALL p()"]);
        check(MySql, Nature::Control, &["SET autocommit = 0", "XA BEGIN 'x'"]);
        check(MySql, Nature::Locks, &["LOCK TABLES a WRITE", "UNLOCK TABLES"]);
        check(MySql, Nature::Leaves, &["USE other"]);
    }
}
