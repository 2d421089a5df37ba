//! Files that go up, and the loop that files going either way have in common.
//!
//! Invariant: what runs next is decided under the lock, from the history as it is then.

use std::sync::Arc;

use larder_model::Dialect;

use crate::{
    Direction, FileProblem, FileReport, FileRunError, FileStanding, MigrateError, MigrationFiles,
    MigrationRow, MigrationStatus, Migrator, RunFile, UpOptions,
    context::Context,
    file_standings,
    files::{
        TokenKind,
        prepared::{Mode, Prepared},
        significant,
    },
    lock::{Exclusion, Locked, Waiting},
    registry::{Finish, Registry},
};

use super::{
    choose::{Chosen, choose_up},
    journal,
    step::{Work, chain},
    transaction,
};

impl Migrator {
    /// How files and history stand to each other. Takes no lock and writes nothing.
    ///
    /// # Errors
    /// [`MigrateError::Session`].
    ///
    /// # Cancel safety
    /// Nothing changes, at whatever point the future is dropped.
    pub async fn file_standings(
        &self,
        files: &MigrationFiles,
    ) -> Result<Vec<FileStanding>, MigrateError> {
        Ok(Box::pin(look(self.context(), files)).await?.standings)
    }

    /// Runs the files that were not applied, in the order of their versions.
    ///
    /// The texts of all of them are checked before the first one runs. On PostgreSQL and SQLite a
    /// file and its row in the history are one transaction, unless the file says
    /// `-- larder: no-transaction`; on MySQL and MariaDB so is a file that changes rows only.
    /// Otherwise its statements become permanent one by one, the history says how far it came,
    /// and a file that failed waits for [`Migrator::repair_file`].
    ///
    /// Several migrators at once run each file once. If there is nothing to run, no lock is taken
    /// and nothing is written.
    ///
    /// # Errors
    /// Whatever stands in the way of any of the files; nothing has been run then. A statement
    /// that failed, with what had been run before.
    ///
    /// # Cancel safety
    /// Dropping the future closes the connection: a transaction is rolled back unless its commit
    /// is under way. A statement that runs in none may still be done by the server; the file
    /// counts as interrupted then.
    pub async fn up(
        &self,
        files: &MigrationFiles,
        options: &UpOptions,
    ) -> Result<FileReport, FileRunError> {
        Box::pin(up(self.context(), files, options)).await
    }
}

/// How things stand before the lock is taken.
pub(super) struct Look {
    pub(super) dialect: Dialect,
    pub(super) standings: Vec<FileStanding>,
}

pub(super) async fn look(
    context: &Arc<Context>,
    files: &MigrationFiles,
) -> Result<Look, MigrateError> {
    let once = async || {
        let mut seat = context.work().await?;
        let session = &mut *seat.session;
        let dialect = session.dialect();
        let registry = Registry::inspect(session, &context.options).await?;
        let rows = registry.migrations(session).await?;
        seat.keep();
        let standings = file_standings(files, &rows, &context.options.application, dialect);
        Ok(Look { dialect, standings })
    };
    match once().await {
        // The server may have closed a connection that was kept.
        Err(error) if MigrateError::is_transient(&error) => once().await,
        look => look,
    }
}

async fn up(
    context: &Arc<Context>,
    files: &MigrationFiles,
    options: &UpOptions,
) -> Result<FileReport, FileRunError> {
    let mut report = FileReport::default();
    let looked = look(context, files).await;
    let looked = looked.map_err(|error| FileRunError::new(FileReport::default(), error))?;
    let chosen = choose_up(&looked.standings, options);
    let chosen = chosen.map_err(|problem| FileRunError::new(FileReport::default(), problem))?;
    let checked = check(context, files, &chosen, Direction::Up, looked.dialect);
    checked.map_err(|problem| FileRunError::new(FileReport::default(), problem))?;
    if chosen.is_empty() {
        return Ok(report);
    }
    let choose = |standings: &[FileStanding]| Ok(choose_up(standings, options)?.into_iter().next());
    loop {
        match run_next(context, files, Direction::Up, &choose).await {
            Ok(Some(file)) => report.files.push(file),
            Ok(None) => return Ok(report),
            Err(problem) => return Err(FileRunError::new(report, problem)),
        }
    }
}

/// Reads all texts before the first one runs.
pub(super) fn check(
    context: &Context,
    files: &MigrationFiles,
    chosen: &[Chosen],
    direction: Direction,
    dialect: Dialect,
) -> Result<(), FileProblem> {
    for chosen in chosen {
        let file = file_of(files, chosen)?;
        Work::new(file, direction, chosen, &context.options.application, dialect)?;
    }
    Ok(())
}

fn file_of<'a>(
    files: &'a MigrationFiles,
    chosen: &Chosen,
) -> Result<&'a crate::MigrationFile, FileProblem> {
    let unknown = || FileProblem::UnknownVersion { version: chosen.version.clone() };
    files.get(&chosen.version).ok_or_else(unknown)
}

/// What chooses the next file from how all of them stand.
pub(super) type Choose<'c> =
    dyn Fn(&[FileStanding]) -> Result<Option<Chosen>, FileProblem> + Sync + 'c;

/// Runs the file that is chosen under the lock; `None`: there was none.
pub(super) async fn run_next(
    context: &Arc<Context>,
    files: &MigrationFiles,
    direction: Direction,
    choose: &Choose<'_>,
) -> Result<Option<RunFile>, FileProblem> {
    let mut waiting = Waiting::new(&context.options);
    let (mut exclusion, mut tries) = (Exclusion::Transaction, 0);
    loop {
        let ended = attempt(context, files, direction, choose, exclusion).await;
        match ended {
            Ok(Ended::Done(file)) => return Ok(Some(file)),
            Ok(Ended::Nothing) => return Ok(None),
            Ok(Ended::Other(needed)) => exclusion = needed,
            Err(problem) if is_transient(&problem) && tries < context.options.retries => {
                tries += 1;
                tracing::debug!(error = %problem, tries, "tries again");
                waiting.pause().await;
            }
            Err(problem) => return Err(problem),
        }
    }
}

/// Whether others got in the way, and nothing was kept. What is said about a statement that was
/// run one by one has been tried again where that is safe.
fn is_transient(problem: &FileProblem) -> bool {
    use crate::SessionErrorKind::{Busy, Conflict};
    match problem {
        FileProblem::Migrate { source } => source.is_transient(),
        FileProblem::Statement { source, kept: 0, .. } => matches!(source.kind(), Busy | Conflict),
        _ => false,
    }
}

enum Ended {
    Done(RunFile),
    Nothing,
    /// The file needs the lock in another way.
    Other(Exclusion),
}

async fn attempt(
    context: &Arc<Context>,
    files: &MigrationFiles,
    direction: Direction,
    choose: &Choose<'_>,
    exclusion: Exclusion,
) -> Result<Ended, FileProblem> {
    let mut locked = context.lock(exclusion).await?;
    let dialect = locked.session().dialect();
    let mut work = None;
    let ended = inside(&mut locked, files, direction, choose, &mut work).await;
    if dialect == Dialect::Sqlite && locked.exclusion() == Exclusion::Session {
        // What sessions of ours have it set to, whatever the file did. A connection on which this
        // fails is broken.
        let _ = locked.session().run("PRAGMA foreign_keys = OFF").await;
    }
    let ended = match ended {
        Ok(Ended::Done(file)) => {
            let committed = locked.commit().await;
            committed.map(|()| Ended::Done(file)).map_err(FileProblem::from)
        }
        Ok(other) => {
            locked.roll_back().await?;
            Ok(other)
        }
        Err(problem) => {
            // If this fails the connection is broken, and gone with all that it held.
            let _ = locked.roll_back().await;
            Err(problem)
        }
    };
    let Some(work) = work else { return ended };
    if changes_session(&work.prepared, dialect) {
        // Settings of a file do not hold for what comes after it, so the connection is closed.
        drop(context.work().await);
    }
    if let Err(problem) = &ended
        && work.prepared.mode == Mode::Transaction
        && direction == Direction::Up
        && !is_transient(problem)
    {
        record_failure(context, &work, problem).await;
    }
    ended
}

async fn inside<'f>(
    locked: &mut Locked,
    files: &'f MigrationFiles,
    direction: Direction,
    choose: &Choose<'_>,
    kept: &mut Option<Work<'f>>,
) -> Result<Ended, FileProblem> {
    let (session, registry) = locked.parts();
    let (dialect, application) = (session.dialect(), registry.names().application.clone());
    let rows = registry.migrations(session).await?;
    let Some(chosen) = choose(&file_standings(files, &rows, &application, dialect))? else {
        return Ok(Ended::Nothing);
    };
    let mut work = Work::new(file_of(files, &chosen)?, direction, &chosen, &application, dialect)?;
    let needed = match work.prepared.mode {
        Mode::Journal => Exclusion::Session,
        Mode::Transaction => Exclusion::Transaction,
    };
    let is_free = matches!(dialect, Dialect::MariaDb | Dialect::MySql);
    if !is_free && locked.exclusion() != needed {
        return Ok(Ended::Other(needed));
    }
    work.resume(rows.iter().find(|row| row.version == work.version))?;
    locked.announce().await?;
    let clock = Arc::clone(&locked.context().options.clock);
    let begun = clock.now();
    let work = kept.insert(work);
    match work.prepared.mode {
        Mode::Journal => journal::run(locked, work).await?,
        Mode::Transaction => transaction::run(locked, work).await?,
    }
    tracing::info!(path = work.script.path(), %direction, "ran a file");
    Ok(Ended::Done(RunFile {
        version: work.file.version.clone(),
        path: work.script.path().to_owned(),
        statements: work.rest().len(),
        out_of_order: work.out_of_order,
        elapsed: clock.now().since(begun),
    }))
}

/// Whether a statement sets something for longer than its transaction. SQLite's settings are made
/// anew by the migrator, and a database in memory lives as long as its connection.
fn changes_session(prepared: &Prepared<'_>, dialect: Dialect) -> bool {
    let sets = |text: &str| {
        let tokens = significant(text, dialect);
        let first = tokens.first().is_some_and(|token| token.is("SET"));
        let config =
            tokens.iter().any(|token| token.kind == TokenKind::Word && token.is("set_config"));
        first || config
    };
    dialect != Dialect::Sqlite && prepared.statements.iter().any(|statement| sets(statement.text))
}

/// Says in the history why a file failed of which nothing was kept. The next run tries it again.
async fn record_failure(context: &Arc<Context>, work: &Work<'_>, problem: &FileProblem) {
    let recorded = async {
        let mut locked = context.lock(Exclusion::Transaction).await?;
        let mut row = work.row(&locked, MigrationStatus::Failed);
        // Nothing of it is there, so there is nothing to go on from.
        (row.steps_total, row.step_hashes) = (0, None);
        row.error = Some(chain(problem));
        if let FileProblem::Statement { source, .. } = problem {
            row.error_sqlstate = source.code().map(str::to_owned);
        }
        let (session, registry) = locked.parts();
        let before = registry.migration(session, &work.version).await?;
        if before.is_none_or(|before| may_be_replaced(&before)) {
            registry.put_file(session, &row).await?;
            let finish = Finish {
                error: row.error.as_deref(),
                error_sqlstate: row.error_sqlstate.as_deref(),
                ..Finish::default()
            };
            registry.finish_migration(session, &row.version, row.status, finish).await?;
            return locked.commit().await;
        }
        locked.roll_back().await
    };
    if let Err(error) = recorded.await {
        tracing::warn!(%error, path = work.script.path(), "the history does not say that it failed");
    }
}

/// Whether somebody else has not applied the file meanwhile.
fn may_be_replaced(row: &MigrationRow) -> bool {
    let status = matches!(row.status, MigrationStatus::Failed | MigrationStatus::RolledBack);
    status && row.steps_total == 0 || row.status == MigrationStatus::RolledBack
}
