//! The statements that enter a file into a new history, as text.
//!
//! Guards that a program which makes its schema with a driver of its own leaves what a run would
//! have left: the statements are those of a run, taken down instead of sent.

use std::{
    pin::pin,
    task::{Context, Poll, Waker},
};

use async_trait::async_trait;
use larder_model::Dialect;

use super::{FileProblem, MigrationFile, prepared::prepare, registry_version, run::FileNote};
use crate::{
    Cell, MigrateOptions, MigrationKind, MigrationRow, MigrationStatus, Param, Session,
    SessionError,
    registry::{Names, Registry},
};

/// The statements that make a registry and enter a file in it as applied.
///
/// For a program that makes the schema of a new database in a transaction of its own, on a
/// connection that is no [`Session`]. Run in that transaction they leave what
/// [`Migrator::up`](crate::Migrator::up) would have left, so that `up` and `status` know the file.
/// They fail if the database has a registry of this prefix already.
///
/// # Errors
/// [`FileProblem::File`] if the file can not be read as statements of this dialect,
/// [`FileProblem::Migrate`] if the options give the registry names that are too long for it.
pub fn registering_statements(
    dialect: Dialect,
    options: &MigrateOptions,
    file: &MigrationFile,
) -> Result<Vec<String>, FileProblem> {
    let mut transcript = Transcript { dialect, statements: Vec::new() };
    {
        let entered = pin!(enter(&mut transcript, options, file));
        // Nobody is asked, so nothing is waited for.
        if let Poll::Ready(entered) = entered.poll(&mut Context::from_waker(Waker::noop())) {
            entered?;
        }
    }
    Ok(transcript.statements)
}

async fn enter(
    transcript: &mut Transcript,
    options: &MigrateOptions,
    file: &MigrationFile,
) -> Result<(), FileProblem> {
    let prepared = prepare(&file.up, transcript.dialect)?;
    let hashes: Vec<_> = prepared.statements.iter().map(|statement| statement.hash()).collect();
    let steps = i64::try_from(hashes.len()).unwrap_or(i64::MAX);
    let note = FileNote { path: file.up.path().to_owned(), ..FileNote::default() };
    let name = if file.name.is_empty() { file.up.path() } else { file.name.as_str() };
    let row = MigrationRow {
        version: registry_version(&file.version, &options.application),
        name: name.to_owned(),
        checksum: file.up.checksum(),
        status: MigrationStatus::Applied,
        kind: Some(MigrationKind::File),
        application: options.application.clone(),
        steps_total: steps,
        steps_done: steps,
        step_hashes: Some(hashes.join(" ")),
        plan_json: note.to_json(),
        ..MigrationRow::default()
    };
    Names::new(transcript.dialect, options).check()?;
    let registry = Registry::inspect(transcript, options).await?;
    transcript.statements.extend(registry.missing()?);
    registry.begin(transcript).await?;
    registry.insert_migration(transcript, &row).await?;
    Ok(registry.bump_epoch(transcript).await?)
}

/// A session with a database that has nothing in it, which takes down what is to be done to it.
#[derive(Debug)]
struct Transcript {
    dialect: Dialect,
    statements: Vec<String>,
}

#[async_trait]
impl Session for Transcript {
    fn dialect(&self) -> Dialect {
        self.dialect
    }

    async fn fetch(
        &mut self,
        _sql: &str,
        _params: &[Param<'_>],
    ) -> Result<Vec<Vec<Cell>>, SessionError> {
        Ok(Vec::new())
    }

    async fn execute(&mut self, sql: &str, params: &[Param<'_>]) -> Result<u64, SessionError> {
        self.statements.push(with_values(self.dialect, sql, params));
        Ok(1)
    }

    async fn run(&mut self, sql: &str) -> Result<(), SessionError> {
        self.statements.push(sql.to_owned());
        Ok(())
    }

    async fn begin(&mut self) -> Result<(), SessionError> {
        Ok(())
    }

    async fn commit(&mut self) -> Result<(), SessionError> {
        Ok(())
    }

    async fn rollback(&mut self) -> Result<(), SessionError> {
        Ok(())
    }

    async fn close(self: Box<Self>) {}
}

/// A statement of the registry's, with its values in the places of its parameters. The statements
/// themselves hold no text in quotes that could be taken for a place.
fn with_values(dialect: Dialect, sql: &str, params: &[Param<'_>]) -> String {
    let mark = if dialect == Dialect::Postgres { '$' } else { '?' };
    let mut params = params.iter();
    let mut parts = sql.split(mark);
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match params.next() {
            Some(Param::Integer(value)) => text.push_str(&value.to_string()),
            Some(Param::Text(value)) => text.push_str(&dialect.text(value)),
            Some(Param::Null) | None => text.push_str("NULL"),
        }
        text.push_str(part.trim_start_matches(|letter: char| letter.is_ascii_digit()));
    }
    text
}
