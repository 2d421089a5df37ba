//! `larder schema status`: the history, the models, and who migrates now.

use std::{
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
};

use clap::Args;
use larder::migrate::{FileStanding, FileState, MigrationFiles, MigrationStatus, Status};
use serde_json::{Value, json};

use super::{answer::AnswerArgs, command::PENDING, place::Place};
use crate::{
    failure::Failure,
    output::{Align, Cell, Look, Paint, Table, count, escape},
};

/// Show the history of a database, the models that it knows, SQL files that wait, and who
/// migrates now
#[derive(Debug, Args)]
pub(super) struct StatusArgs {
    #[command(flatten)]
    place: Place,

    /// The folder with SQL files; left out if it is not there
    #[arg(long, value_name = "FOLDER", default_value = "migrations")]
    dir: PathBuf,

    #[command(flatten)]
    answer: AnswerArgs,
}

pub(super) async fn run(args: StatusArgs) -> Result<ExitCode, Failure> {
    let migrator = args.place.migrator()?;
    let status = migrator.status().await?;
    let files = match args.dir.is_dir() {
        true => MigrationFiles::from_folder(&args.dir)?,
        false => MigrationFiles::default(),
    };
    let standings = migrator.file_standings(&files).await?;
    let document = document(&status, &standings);
    args.answer.print(&document, |out, color| text(out, &status, &standings, color))?;
    Ok(if is_settled(&status, &standings) { ExitCode::SUCCESS } else { ExitCode::from(PENDING) })
}

/// Whether nothing waits for anybody.
fn is_settled(status: &Status, files: &[FileStanding]) -> bool {
    use FileState::{Applied, Baseline, Future, Skipped};
    let waits = |file: &FileStanding| !matches!(file.state, Applied | Baseline | Future | Skipped);
    let is_stuck = |status: MigrationStatus| {
        matches!(status, MigrationStatus::Failed | MigrationStatus::Running)
    };
    !files.iter().any(waits) && !status.migrations.iter().any(|row| is_stuck(row.status))
}

fn document(status: &Status, files: &[FileStanding]) -> Value {
    let migrations: Vec<_> = status
        .migrations
        .iter()
        .map(|row| {
            json!({
                "version": row.version,
                "name": row.name,
                "kind": row.kind.map(|kind| kind.as_str()),
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
            })
        })
        .collect();
    json!({
        "database_uid": status.database_uid,
        "ddl_epoch": status.ddl_epoch,
        "lock": status.lock.as_ref().map(ToString::to_string),
        "migrations": migrations,
        "models": models,
        "files": files,
    })
}

fn text(
    out: &mut dyn Write,
    status: &Status,
    files: &[FileStanding],
    color: bool,
) -> io::Result<()> {
    let mut out = out;
    if status.database_uid.is_none() {
        writeln!(out, "there is no registry yet: nothing was migrated here")?;
    }
    if let Some(lock) = &status.lock {
        let paint = if lock.is_expired { Paint::Bad } else { Paint::Slow };
        let text = escape::controls(&lock.to_string()).into_owned();
        writeln!(out, "{}", paint.show(&format!("migrating now: {text}"), color))?;
    }
    let mut table = Table::new(
        Look::Open,
        [
            ("version", Align::Left),
            ("name", Align::Left),
            ("status", Align::Left),
            ("", Align::Left),
        ],
    );
    for row in &status.migrations {
        let paint = match row.status {
            MigrationStatus::Failed => Paint::Bad,
            MigrationStatus::Running | MigrationStatus::Pending => Paint::Slow,
            _ => Paint::Good,
        };
        let note = row.error.as_deref().or(row.applied_at.as_deref()).unwrap_or_default();
        table.push(vec![
            clean(&row.version),
            clean(&row.name),
            Cell::new(row.status.as_str(), paint),
            clean(note),
        ]);
    }
    for file in files
        .iter()
        .filter(|file| !status.migrations.iter().any(|row| row.version == file.version.to_string()))
    {
        table.push(vec![
            clean(&file.version.to_string()),
            clean(&file.name),
            Cell::new(file.state.as_str(), Paint::Slow),
            Cell::from("a file"),
        ]);
    }
    table.write(&mut out, color)?;
    let models = count(status.models.len() as u64);
    writeln!(out, "{models} models; the schema was changed {} times", count(status.ddl_epoch))
}

fn clean(text: &str) -> Cell {
    Cell::from(escape::controls(text).into_owned())
}
