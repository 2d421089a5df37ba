//! A model's row of the history, from its first step to its last word.
//!
//! Invariants: a migration that did not end keeps its row, and the run that goes on with it writes
//! into the same one; a row says that it is applied only after nothing was left to do.

use larder_model::{Catalog, Interlude, TableModel};

use crate::{
    MigrateError, MigrationRow, MigrationStatus, Planned, SessionErrorKind,
    lock::Locked,
    migrator::{record, verdict::Share, want::Want, work::Work},
    registry::{Finish, Registry},
};

/// A model's row of the history while its steps run.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) version: String,
    pub(super) number: i64,
    pub(super) done: i64,
    total: i64,
}

impl Entry {
    /// Says in the history that a model's migration runs: as a new one, or as one that did not
    /// end and wanted the same.
    pub(super) async fn begin(
        locked: &mut Locked,
        share: &Share<'_, '_>,
    ) -> Result<Self, MigrateError> {
        let running = MigrationStatus::Running;
        if takes_something_off(share) {
            // A run that is broken off may leave the table as it was when it was last ensured, but
            // for what had been added to it since.
            let (session, registry) = locked.parts();
            registry.doubt_model(session, share.want.schema(), share.want.name).await?;
        }
        let Some((before, number)) = interrupted(locked, share.want).await? else {
            let (version, number) = record::next_version(locked, share.want).await?;
            let row = record::history_row(locked, share, version, running);
            let (session, registry) = locked.parts();
            registry.insert_migration(session, &row).await?;
            return Ok(Self { version: row.version, number, done: 0, total: row.steps_total });
        };
        tracing::info!(version = before.version, "goes on with a migration that did not end");
        let mut row = record::history_row(locked, share, before.version, running);
        row.steps_done = before.steps_done;
        row.steps_total += before.steps_done;
        let (session, registry) = locked.parts();
        registry.restart_migration(session, &row).await?;
        let (done, total) = (row.steps_done, row.steps_total);
        Ok(Self { version: row.version, number, done, total })
    }
}

fn takes_something_off(share: &Share<'_, '_>) -> bool {
    let mut steps = share.plan.steps.iter();
    steps.any(|step| matches!(step.interlude, Some(Interlude::TakesOff(_))))
}

/// The last migration of a model, with its number, if it did not end and wanted the same. One
/// that wanted something else will never end, and is told so.
pub(super) async fn interrupted(
    locked: &mut Locked,
    want: &Want<'_>,
) -> Result<Option<(MigrationRow, i64)>, MigrateError> {
    use MigrationStatus::{Failed, Pending, Running};
    let (session, registry) = locked.parts();
    let mut rows = registry.migrations_of(session, want.name).await?;
    rows.retain(|row| is_about(row, want));
    let last = Registry::next_number(&rows) - 1;
    let mut found = None;
    for row in rows.into_iter().filter(|row| !row.is_foreign()) {
        let is_last = row.version.ends_with(&format!(":{last}"));
        let is_same = row.checksum == want.checksum && is_last;
        match row.status {
            Failed | Pending | Running if is_same => found = Some((row, last)),
            Running => {
                let error = Some("the model was declared anew before the migration ended");
                let finish = Finish { error, ..Finish::default() };
                registry.finish_migration(session, &row.version, Failed, finish).await?;
            }
            _ => {}
        }
    }
    Ok(found)
}

/// Whether a migration of a model of this name is about its table: another model may have the
/// same name.
pub(super) fn is_about(row: &MigrationRow, want: &Want<'_>) -> bool {
    let planned: Option<Planned> =
        row.plan_json.as_deref().and_then(|json| serde_json::from_str(json).ok());
    let Some(planned) = planned else { return true };
    let is_it = |table: &TableModel| {
        table.schema() == want.model.schema()
            && (table.name() == want.model.name()
                || Some(table.name()) == want.model.renamed_from())
    };
    planned.models.iter().any(|of| is_it(&of.table))
}

/// Says that a model's migration is done.
pub(super) async fn finish(
    locked: &mut Locked,
    work: &Work<'_, '_>,
    want: &Want<'_>,
    version: &str,
    found: &Catalog,
) -> Result<(), MigrateError> {
    let fingerprint = want.fingerprint(work.look.dialect, found).map(|of| of.to_string());
    let finish = Finish { to_fingerprint: fingerprint.as_deref(), ..Finish::default() };
    let (session, registry) = locked.parts();
    registry.finish_migration(session, version, MigrationStatus::Applied, finish).await
}

/// Writes why a migration failed. That this fails too changes nothing: the row says that the
/// migration runs, and the next run finds out that it does not.
pub(super) async fn fail(locked: &mut Locked, entries: &[Option<Entry>], error: &MigrateError) {
    if matches!(error, MigrateError::LockLost) {
        return;
    }
    let database = error.database();
    if database.is_some_and(|error| error.kind() == SessionErrorKind::Connection) {
        return;
    }
    let text = match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    };
    let finish = Finish {
        to_fingerprint: None,
        error: Some(&text),
        error_sqlstate: database.and_then(crate::SessionError::code),
    };
    let (session, registry) = locked.parts();
    // A model of which every step was done waits for its last word, and gets it from the next run.
    let has_failed = |entry: &&Entry| {
        entry.done < entry.total || matches!(error, MigrateError::NotConverged { .. })
    };
    for entry in entries.iter().flatten().filter(has_failed) {
        let status = MigrationStatus::Failed;
        let failed = registry.finish_migration(session, &entry.version, status, finish).await;
        if let Err(error) = failed {
            tracing::warn!(%error, version = entry.version, "a failure could not be written down");
        }
    }
    let _ = registry.bump_epoch(session).await;
}
