//! `larder schema status`: the history, the models, and who migrates now.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use clap::Args;
use larder::migrate::{FileStanding, FileState, MigrationStatus, Status};
use serde_json::{Value, json};

use super::{answer::AnswerArgs, command::PENDING, folder::FolderArgs, place::Place};
use crate::{
    failure::Failure,
    output::{Align, Cell, Look, Paint, Table, counted, escape},
};

/// Show the history of a database, its models, SQL files that wait, and who migrates now
///
/// Nothing is written and no lock is taken. A folder that is not there counts as one without files.
///
/// The exit code is 0 if nothing waits for anybody, and 3 if an SQL file does or if a migration
/// failed or did not end.
#[derive(Debug, Args)]
pub(super) struct StatusArgs {
    #[command(flatten)]
    place: Place,

    #[command(flatten)]
    folder: FolderArgs,

    #[command(flatten)]
    answer: AnswerArgs,
}

pub(super) async fn run(args: StatusArgs) -> Result<ExitCode, Failure> {
    let files = args.folder.read_if_there()?;
    let migrator = args.place.migrator()?;
    let status = migrator.status().await?;
    let standings = migrator.file_standings(&files).await?;
    let is_settled =
        !standings.iter().any(waits) && !status.migrations.iter().any(|row| is_stuck(row.status));
    let document = document(&status, &standings, is_settled);
    args.answer.print(&document, |out, color| text(out, &status, &standings, color))?;
    Ok(if is_settled { ExitCode::SUCCESS } else { ExitCode::from(PENDING) })
}

/// Whether somebody has to do something about a file.
const fn waits(file: &FileStanding) -> bool {
    use FileState::{Applied, Baseline, Future, Skipped};
    !matches!(file.state, Applied | Baseline | Future | Skipped)
}

/// Whether a migration ended badly, or not yet.
const fn is_stuck(status: MigrationStatus) -> bool {
    matches!(status, MigrationStatus::Failed | MigrationStatus::Running)
}

fn document(status: &Status, files: &[FileStanding], is_settled: bool) -> Value {
    let migrations: Vec<_> = status
        .migrations
        .iter()
        .map(|row| {
            json!({
                "version": row.version,
                "name": row.name,
                "kind": row.kind.map(|kind| kind.as_str()),
                "application": row.application,
                "status": row.status.as_str(),
                "checksum": row.checksum,
                "applied_at": row.applied_at,
                "steps_done": row.steps_done,
                "steps_total": row.steps_total,
                "error": row.error,
                "executor": row.executor,
            })
        })
        .collect();
    let models: Vec<_> = status
        .models
        .iter()
        .map(|row| {
            json!({
                "application": row.application,
                "model": row.model,
                "schema": row.schema,
                "table": row.table,
                "status": row.status,
                "version": row.version,
                "checksum": row.model_checksum,
                "fingerprint": row.schema_fingerprint,
                "verified_us": row.verified_us,
            })
        })
        .collect();
    let files: Vec<_> = files
        .iter()
        .map(|file| {
            json!({
                "version": file.version.to_string(),
                "name": file.name,
                "state": file.state.as_str(),
                "note": note(&file.state),
            })
        })
        .collect();
    json!({
        "is_settled": is_settled,
        "database_uid": status.database_uid,
        "ddl_epoch": status.ddl_epoch,
        "lock": status.lock.as_ref().map(ToString::to_string),
        "migrations": migrations,
        "models": models,
        "files": files,
    })
}

/// What to say of a file's state besides its name; nothing if the name says it all.
fn note(state: &FileState) -> Option<String> {
    match state {
        FileState::Divergent { .. } => Some("was edited after it was applied".to_owned()),
        // The history has the error.
        FileState::Failed { direction, done, total, .. } => {
            Some(format!("{direction}, {done} of {total} statements are done; see repair"))
        }
        FileState::Interrupted { direction, done, total } => {
            Some(format!("{direction}, {done} of {total} statements are done for certain"))
        }
        FileState::Missing => Some("was applied, and there is no such file".to_owned()),
        FileState::OutOfOrder => Some("comes before one that was applied".to_owned()),
        _ => None,
    }
}

fn text(
    mut out: &mut dyn Write,
    status: &Status,
    files: &[FileStanding],
    color: bool,
) -> io::Result<()> {
    if let Some(lock) = &status.lock {
        let paint = if lock.is_expired { Paint::Bad } else { Paint::Slow };
        let text = format!("migrating now: {}", escape::controls(&lock.to_string()));
        writeln!(out, "{}\n", paint.show(&text, color))?;
    }
    if !status.migrations.is_empty() {
        history(status).write(&mut out, color)?;
        writeln!(out)?;
    }
    for row in status.migrations.iter().filter(|row| row.status == MigrationStatus::Failed) {
        let text =
            format!("{}: {}", row.version, row.error.as_deref().unwrap_or("no reason given"));
        writeln!(out, "{}\n", Paint::Bad.show(&escape::controls(&text), color))?;
    }
    let waiting: Vec<_> = files.iter().filter(|file| waits(file)).collect();
    if !waiting.is_empty() {
        let columns = ["file", "name", "state", ""];
        let mut table = Table::new(Look::Open, columns.map(|name| (name, Align::Left)));
        for file in waiting {
            table.push(vec![
                clean(&file.version.to_string()),
                clean(&file.name),
                Cell::new(file.state.as_str(), Paint::Slow),
                clean(&note(&file.state).unwrap_or_default()),
            ]);
        }
        table.write(&mut out, color)?;
        writeln!(out)?;
    }
    if status.database_uid.is_none() {
        return writeln!(out, "there is no registry yet: nothing was migrated here");
    }
    let models = counted(status.models.len(), "model");
    let epoch = usize::try_from(status.ddl_epoch).unwrap_or(usize::MAX);
    writeln!(out, "{models}; changed {}", counted(epoch, "time"))
}

/// The history, the oldest first.
fn history(status: &Status) -> Table {
    let columns = ["version", "status", "applied", "name"];
    let mut table = Table::new(Look::Open, columns.map(|name| (name, Align::Left)));
    for row in &status.migrations {
        let applied = row.applied_at.as_deref().unwrap_or_default();
        // A history is read by days and hours; the document has it all.
        let applied = applied.split_once('.').map_or(applied, |(seconds, _)| seconds);
        table.push(vec![
            clean(&row.version),
            Cell::new(row.status.as_str(), paint(row.status)),
            clean(applied),
            clean(&shortened(&row.name)),
        ]);
    }
    table
}

const fn paint(status: MigrationStatus) -> Paint {
    match status {
        MigrationStatus::Failed => Paint::Bad,
        MigrationStatus::Running | MigrationStatus::Pending => Paint::Slow,
        _ => Paint::Good,
    }
}

/// As much of a text as fits behind the other columns of a screen.
fn shortened(text: &str) -> String {
    const CHARACTERS_MAX: usize = 60;
    match text.char_indices().nth(CHARACTERS_MAX) {
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
        None => text.to_owned(),
    }
}

fn clean(text: &str) -> Cell {
    Cell::from(escape::controls(text).into_owned())
}
