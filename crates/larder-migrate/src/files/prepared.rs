//! A file as it will run on one database.
//!
//! Invariant: what is prepared has no statement of which its text tells that it would fail, go
//! without effect, or end a transaction of ours.

use larder_model::Dialect;
use sha2::{Digest as _, Sha256};

use super::{FileError, Objection, Position, Script, Statement, objection::Nature};

/// The statements of a file, and how they run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Prepared<'a> {
    pub(crate) mode: Mode,
    pub(crate) statements: Vec<PreparedStatement<'a>>,
}

/// How the statements of a file run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// One by one, and the registry knows after each of them how far it came.
    Journal,
    /// All of them and the registry's row in one transaction.
    Transaction,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PreparedStatement<'a> {
    pub(crate) text: &'a str,
    /// Its number in the file, from 1.
    pub(crate) number: usize,
    pub(crate) at: Position,
    /// Whether it and the registry's row can be one transaction, so that it is known whether it
    /// was done even if the process ended in the middle of it.
    pub(crate) is_atomic: bool,
    /// Whether it did nothing at all if it failed because others were in its way.
    pub(crate) is_repeatable: bool,
}

impl PreparedStatement<'_> {
    /// What tells this statement from another one in its place: 8 bytes of a digest.
    pub(crate) fn hash(&self) -> String {
        crate::hex(&Sha256::digest(self.text)[..8])
    }
}

/// Reads a file for a database.
///
/// # Errors
/// If it can not be read, or can not run as it says.
pub(crate) fn prepare(script: &Script, dialect: Dialect) -> Result<Prepared<'_>, FileError> {
    let split =
        script.statements(dialect).map_err(|error| FileError::split(script.path(), error))?;
    let mut natures = Vec::with_capacity(split.list.len());
    for (index, statement) in split.list.iter().enumerate() {
        if index > 0 {
            script.statement_directives(statement.lead, statement.start)?;
        }
        natures.push(Nature::of(statement.text, dialect));
    }
    script.statement_directives(split.rest, script.text().len())?;
    let mode = mode(script, dialect, &natures);
    let mut numbered: Vec<_> = split.list.iter().zip(natures).enumerate().collect();
    if mode == Mode::Transaction && is_wrapped(&numbered) {
        // What the file asks for is what happens anyway.
        numbered.pop();
        numbered.remove(0);
    }
    let mut statements = Vec::with_capacity(numbered.len());
    for (index, (statement, nature)) in numbered {
        if let Some(objection) = objection(nature, mode) {
            return Err(FileError::Statement {
                path: script.path().to_owned(),
                number: index + 1,
                at: statement.position,
                objection,
            });
        }
        statements.push(PreparedStatement {
            text: statement.text,
            number: index + 1,
            at: statement.position,
            is_atomic: nature == Nature::Ordinary,
            is_repeatable: matches!(nature, Nature::CommitsImplicitly | Nature::Ordinary),
        });
    }
    Ok(Prepared { mode, statements })
}

fn mode(script: &Script, dialect: Dialect, natures: &[Nature]) -> Mode {
    let can_roll_back = match dialect {
        // Rows alone can be rolled back there.
        Dialect::MariaDb | Dialect::MySql => natures
            .iter()
            .all(|nature| matches!(nature, Nature::Begin | Nature::Commit | Nature::Ordinary)),
        _ => true,
    };
    if script.directives().no_transaction || !can_roll_back {
        Mode::Journal
    } else {
        Mode::Transaction
    }
}

/// Whether the file puts everything between `BEGIN` and `COMMIT` itself.
fn is_wrapped(statements: &[(usize, (&Statement<'_>, Nature))]) -> bool {
    let is = |at: Option<&(usize, (&Statement<'_>, Nature))>, nature| {
        at.is_some_and(|(_, (_, found))| *found == nature)
    };
    statements.len() >= 2
        && is(statements.first(), Nature::Begin)
        && is(statements.last(), Nature::Commit)
}

const fn objection(nature: Nature, mode: Mode) -> Option<Objection> {
    let in_transaction = matches!(mode, Mode::Transaction);
    match nature {
        Nature::Begin | Nature::Commit | Nature::Control => Some(Objection::TransactionControl),
        Nature::Ignored if in_transaction => Some(Objection::IgnoredInTransaction),
        Nature::Impossible if in_transaction => Some(Objection::NotInTransaction),
        Nature::Leaves => Some(Objection::OtherDatabase),
        Nature::Locks => Some(Objection::LocksTables),
        Nature::CommitsImplicitly
        | Nature::Ignored
        | Nature::Impossible
        | Nature::Ordinary
        | Nature::Unknown => None,
    }
}

#[cfg(test)]
mod tests {
    use Dialect::{MySql, Postgres, Sqlite};

    use super::*;

    fn script(text: &str) -> Script {
        Script::new("1_a.sql", text).unwrap()
    }

    #[track_caller]
    fn check(text: &str, dialect: Dialect, mode: Mode, expected: &[(&str, bool)]) {
        let script = script(text);
        let prepared = prepare(&script, dialect).unwrap_or_else(|error| panic!("{error}"));
        let statements: Vec<_> = prepared
            .statements
            .iter()
            .map(|statement| (statement.text, statement.is_atomic))
            .collect();
        assert_eq!((prepared.mode, statements.as_slice()), (mode, expected), "{text}");
    }

    #[track_caller]
    fn refused(text: &str, dialect: Dialect, place: &str, objection: Objection) {
        let error = prepare(&script(text), dialect).unwrap_err();
        let expected = format!("1_a.sql, {place} can not run as the file says: {objection}");
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn a_file_is_one_transaction_where_it_can_be() {
        let ddl = "CREATE TABLE a (b INT); INSERT INTO a VALUES (1);";
        let both = [("CREATE TABLE a (b INT)", true), ("INSERT INTO a VALUES (1)", true)];
        check(ddl, Postgres, Mode::Transaction, &both);
        check(ddl, Sqlite, Mode::Transaction, &both);
        let on_mysql = [("CREATE TABLE a (b INT)", false), ("INSERT INTO a VALUES (1)", true)];
        check(ddl, MySql, Mode::Journal, &on_mysql);
        check("UPDATE a SET b = 1", MySql, Mode::Transaction, &[("UPDATE a SET b = 1", true)]);
        check("CALL p()", MySql, Mode::Journal, &[("CALL p()", false)]);
    }

    #[test]
    fn a_transaction_around_the_whole_file_is_ours() {
        let text = "BEGIN; UPDATE a SET b = 1; COMMIT;";
        for dialect in [MySql, Postgres, Sqlite] {
            check(text, dialect, Mode::Transaction, &[("UPDATE a SET b = 1", true)]);
        }
        let control = Objection::TransactionControl;
        refused("SELECT 1;\nBEGIN;", Postgres, "line 2, column 1: statement 2", control);
        refused(
            "BEGIN; SELECT 1; COMMIT; SELECT 2",
            Sqlite,
            "line 1, column 1: statement 1",
            control,
        );
        refused("BEGIN; ROLLBACK; COMMIT", Sqlite, "line 1, column 8: statement 2", control);
        refused(
            "BEGIN; CREATE TABLE a (b INT); COMMIT",
            MySql,
            "line 1, column 1: statement 1",
            control,
        );
        let alone = "-- larder: no-transaction\nBEGIN; SELECT 1; COMMIT";
        refused(alone, Postgres, "line 2, column 1: statement 1", control);
    }

    #[test]
    fn what_can_not_be_in_a_transaction_needs_the_directive() {
        let index = "CREATE INDEX CONCURRENTLY i ON a (b)";
        refused(index, Postgres, "line 1, column 1: statement 1", Objection::NotInTransaction);
        let alone = format!("-- larder: no-transaction\n{index};\nANALYZE a");
        check(&alone, Postgres, Mode::Journal, &[(index, false), ("ANALYZE a", true)]);
        let pragma = "PRAGMA foreign_keys = OFF";
        refused(pragma, Sqlite, "line 1, column 1: statement 1", Objection::IgnoredInTransaction);
        refused("USE b", MySql, "line 1, column 1: statement 1", Objection::OtherDatabase);
        refused(
            "LOCK TABLES a READ",
            MySql,
            "line 1, column 1: statement 1",
            Objection::LocksTables,
        );
    }

    #[test]
    fn a_directive_in_the_wrong_place_is_refused() {
        let text = "SELECT 1;\n-- larder: no-transaction\nSELECT 2;";
        let error = prepare(&script(text), Sqlite).unwrap_err();
        assert!(matches!(error, FileError::Directive { line: 2, .. }), "{error}");
    }

    /// Were it read from its beginning for every statement, that would be 540 GB.
    #[test]
    fn a_file_of_many_statements_is_read_in_one_go() {
        let many = 200_000;
        let mut text = "INSERT INTO a VALUES (1);\n".repeat(many);
        let read = script(&text);
        let prepared = prepare(&read, Sqlite).unwrap();
        assert_eq!(prepared.statements.len(), many);
        assert_eq!(prepared.statements[many - 1].at, Position { line: many, column: 1 });
        text.push_str("-- larder: no-transaction\nSELECT 2;");
        let error = prepare(&script(&text), Sqlite).unwrap_err();
        let at = many + 1;
        assert!(matches!(error, FileError::Directive { line, .. } if line == at), "{error}");
    }
}
