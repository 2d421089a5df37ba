//! One file that is going up or down, and what the history says of it.

use std::error::Error;

use larder_model::Dialect;

use crate::{
    Direction, FileProblem, MigrationFile, MigrationKind, MigrationRow, MigrationStatus, Script,
    SessionError,
    files::{
        prepare,
        prepared::{Prepared, PreparedStatement},
        registry_version,
    },
    lock::Locked,
};

use super::{FileNote, choose::Chosen};

/// A file that is about to run.
#[derive(Debug)]
pub(super) struct Work<'a> {
    pub(super) file: &'a MigrationFile,
    pub(super) script: &'a Script,
    pub(super) direction: Direction,
    pub(super) prepared: Prepared<'a>,
    pub(super) out_of_order: bool,
    /// By what the registry knows it.
    pub(super) version: String,
    /// How many statements were done by an earlier run.
    pub(super) start: usize,
}

impl<'a> Work<'a> {
    pub(super) fn new(
        file: &'a MigrationFile,
        direction: Direction,
        chosen: &Chosen,
        application: &str,
        dialect: Dialect,
    ) -> Result<Self, FileProblem> {
        let script = match direction {
            Direction::Up => Some(&file.up),
            Direction::Down => file.down.as_ref(),
        };
        let irreversible = || FileProblem::Irreversible { version: file.version.clone() };
        let script = script.ok_or_else(irreversible)?;
        Ok(Self {
            file,
            script,
            direction,
            prepared: prepare(script, dialect)?,
            out_of_order: chosen.out_of_order,
            version: registry_version(&file.version, application),
            start: 0,
        })
    }

    /// Finds out where an earlier run stopped.
    ///
    /// # Errors
    /// [`FileProblem::Changed`], [`FileProblem::Interrupted`].
    pub(super) fn resume(&mut self, row: Option<&MigrationRow>) -> Result<(), FileProblem> {
        let begun = [MigrationStatus::Failed, MigrationStatus::Pending, MigrationStatus::Running];
        let Some(row) = row.filter(|row| {
            begun.contains(&row.status)
                && row.steps_total > 0
                && FileNote::of(row).direction() == self.direction
        }) else {
            return Ok(());
        };
        let done = usize::try_from(row.steps_done).unwrap_or(0);
        let recorded: Vec<_> =
            row.step_hashes.as_deref().unwrap_or_default().split_whitespace().collect();
        let statements = &self.prepared.statements;
        let is_same = |at: usize| {
            statements
                .get(at)
                .is_some_and(|statement| recorded.get(at) == Some(&&*statement.hash()))
        };
        if !(0..done).all(is_same) {
            let path = self.script.path().to_owned();
            return Err(FileProblem::Changed { path, done: done as u64 });
        }
        // A statement that was one transaction with the row is done or not, as the row says.
        if row.status == MigrationStatus::Running
            && let Some(statement) = statements.get(done)
            && !(statement.is_atomic && is_same(done))
        {
            return Err(FileProblem::Interrupted {
                version: self.file.version.clone(),
                path: self.script.path().to_owned(),
                number: statement.number,
                total: statements.len(),
                at: statement.at,
            });
        }
        self.start = done;
        Ok(())
    }

    /// The statements that are still to be done.
    pub(super) fn rest(&self) -> &[PreparedStatement<'a>] {
        &self.prepared.statements[self.start..]
    }

    pub(super) fn row(&self, locked: &Locked, status: MigrationStatus) -> MigrationRow {
        let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        let hashes: Vec<_> = self.prepared.statements.iter().map(PreparedStatement::hash).collect();
        let note = FileNote {
            path: self.script.path().to_owned(),
            down: self.direction == Direction::Down,
            out_of_order: self.out_of_order,
            imported: None,
        };
        MigrationRow {
            status,
            steps_total: count(self.prepared.statements.len()),
            steps_done: count(self.start),
            step_hashes: Some(hashes.join(" ")),
            plan_json: note.to_json(),
            ..file_row(self.file, locked)
        }
    }

    pub(super) fn failure(
        &self,
        statement: &PreparedStatement<'_>,
        kept: usize,
        source: SessionError,
    ) -> FileProblem {
        FileProblem::Statement {
            version: self.file.version.clone(),
            path: self.script.path().to_owned(),
            number: statement.number,
            total: self.prepared.statements.len(),
            at: statement.at,
            kept,
            source: Box::new(source),
        }
    }

    /// What its status is once all statements are done.
    pub(super) const fn done(&self) -> MigrationStatus {
        match self.direction {
            Direction::Down => MigrationStatus::RolledBack,
            Direction::Up => MigrationStatus::Applied,
        }
    }
}

/// A row that says no more than which file it is of.
pub(super) fn file_row(file: &MigrationFile, locked: &Locked) -> MigrationRow {
    let application = locked.registry().names().application.clone();
    let name = if file.name.is_empty() { file.up.path() } else { file.name.as_str() };
    MigrationRow {
        version: registry_version(&file.version, &application),
        name: name.to_owned(),
        checksum: file.up.checksum(),
        kind: Some(MigrationKind::File),
        application,
        executor: Some(locked.context().me.executor()),
        lock_token: locked.token(),
        ..MigrationRow::default()
    }
}

/// An error with its causes, in one line. A cause that its error has quoted already is left out.
pub(super) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let quoted = error.to_string();
        if !text.contains(&quoted) {
            text = format!("{text}: {quoted}");
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use crate::{MigrationFiles, Position};

    use super::*;

    fn files(text: &str) -> MigrationFiles {
        MigrationFiles::from_texts([("1_a.sql", text)]).unwrap()
    }

    fn work(files: &MigrationFiles) -> Work<'_> {
        let file = &files.files()[0];
        let chosen = Chosen { version: file.version.clone(), out_of_order: false };
        Work::new(file, Direction::Up, &chosen, "", Dialect::MySql).unwrap()
    }

    fn row(text: &str, status: MigrationStatus, done: i64) -> MigrationRow {
        let files = files(text);
        let hashes: Vec<_> =
            work(&files).prepared.statements.iter().map(PreparedStatement::hash).collect();
        MigrationRow {
            status,
            steps_total: i64::try_from(hashes.len()).unwrap(),
            steps_done: done,
            step_hashes: Some(hashes.join(" ")),
            ..MigrationRow::default()
        }
    }

    #[track_caller]
    fn resumed(text: &str, row: &MigrationRow) -> Result<usize, String> {
        let files = files(text);
        let mut work = work(&files);
        work.resume(Some(row)).map_err(|problem| problem.to_string())?;
        Ok(work.start)
    }

    const TEXT: &str = "CREATE TABLE a (b INT); INSERT INTO a VALUES (1); DROP TABLE c;";

    #[test]
    fn a_file_goes_on_behind_what_was_done() {
        use MigrationStatus::{Failed, Pending, RolledBack, Running};
        for status in [Failed, Pending, Running] {
            assert_eq!(resumed(TEXT, &row(TEXT, status, 1)), Ok(1));
        }
        assert_eq!(resumed(TEXT, &row(TEXT, RolledBack, 1)), Ok(0));
        assert_eq!(resumed(TEXT, &row(TEXT, Running, 3)), Ok(3));
        let mended = TEXT.replace("DROP TABLE c", "DROP TABLE IF EXISTS c");
        assert_eq!(resumed(&mended, &row(TEXT, Pending, 2)), Ok(2));
    }

    #[test]
    fn what_was_done_may_not_be_edited() {
        let edited = TEXT.replace("INT", "BIGINT");
        let problem = resumed(&edited, &row(TEXT, MigrationStatus::Pending, 2)).unwrap_err();
        assert!(problem.starts_with("the first 2 statements of 1_a.sql were done"), "{problem}");
    }

    #[test]
    fn a_statement_that_may_be_done_is_for_a_person_to_look_at() {
        for done in [0, 2] {
            let running = row(TEXT, MigrationStatus::Running, done);
            let problem = resumed(TEXT, &running).unwrap_err();
            assert!(problem.contains("may or may not be done"), "{problem}");
        }
    }

    #[test]
    fn errors_are_told_with_their_causes() {
        let files = files(TEXT);
        let work = work(&files);
        let cause = std::io::Error::other("cause");
        let kind = crate::SessionErrorKind::Statement;
        let source = SessionError::new(kind, Some("42".to_owned()), Some(Box::new(cause)));
        let problem = work.failure(&work.prepared.statements[1], 1, source);
        assert_eq!(
            chain(&problem),
            "1_a.sql, line 1, column 25: statement 2 of 3 failed; the 1 before it stay done: \
             a statement failed (42): cause",
        );
        assert_eq!(work.prepared.statements[1].at, Position { line: 1, column: 25 });
    }
}
