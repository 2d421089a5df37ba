//! Plans whose steps become permanent one by one.
//!
//! Invariants: the history says that a migration runs before its first step does; how far it came
//! is written after each step; a run that ended halfway is gone on with from what the schema is
//! like then, and not from what the history says.

use std::sync::Arc;

use larder_model::Dialect;

use crate::{
    MigrateError, MigrationRow, MigrationStatus, SessionErrorKind,
    lock::Locked,
    migrator::{
        record,
        verdict::Share,
        want::Want,
        work::{self, Work},
    },
    registry::Finish,
};

/// A model's row of the history while its steps run.
#[derive(Debug)]
struct Entry {
    version: String,
    number: i64,
    done: i64,
    total: i64,
}

/// Changes and records, step by step.
pub(super) async fn run(
    locked: &mut Locked,
    work: &Work<'_, '_>,
) -> Result<Vec<String>, MigrateError> {
    let mut entries: Vec<Option<Entry>> = work.shares.iter().map(|_| None).collect();
    if !work.plan.is_empty() {
        locked.announce().await?;
        // Before the first step, because a process that is killed after it can not say so.
        let (session, registry) = locked.parts();
        registry.bump_epoch(session).await?;
        for group in groups(work) {
            if let Err(error) = run_group(locked, work, &group, &mut entries).await {
                let error = locked.explain(error).await;
                fail(locked, &entries, &error).await;
                return Err(error);
            }
        }
    }
    let (found, left) = work.look_again(locked.session()).await?;
    if !left.is_empty() {
        let error = MigrateError::NotConverged { left: Arc::new(left), rolled_back: false };
        fail(locked, &entries, &error).await;
        return Err(error);
    }
    locked.check().await?;
    let begin = locked.session().begin().await;
    begin.map_err(MigrateError::session("record what was done"))?;
    let mut versions = Vec::new();
    let ended = finish_interrupted(locked, work, &found, &mut versions).await?;
    let except: Vec<_> = ended.iter().map(|(want, _)| want.place).collect();
    let mut numbers = work::record_as_found(locked, work, &except, &mut versions).await?;
    numbers.extend(ended);
    for (share, entry) in work.shares.iter().zip(entries) {
        let Some(entry) = entry else { continue };
        let fingerprint = share.want.fingerprint(work.look.dialect, &found);
        finish(locked, &entry.version, fingerprint.map(|of| of.to_string())).await?;
        numbers.push((share.want, entry.number));
        versions.push(entry.version);
    }
    record::put_models(locked, &work.known, &numbers, &found).await?;
    if !work.plan.is_empty() {
        let (session, registry) = locked.parts();
        registry.bump_epoch(session).await?;
    }
    let commit = locked.session().commit().await;
    commit.map_err(MigrateError::session("record what was done"))?;
    Ok(versions)
}

/// Steps that become permanent together: on MySQL and MariaDB each one, because their statements
/// commit by themselves; elsewhere all between two that run in no transaction.
fn groups(work: &Work<'_, '_>) -> Vec<Vec<usize>> {
    let is_alone = |at: usize| {
        !work.plan.steps[at].transactional
            || matches!(work.look.dialect, Dialect::MariaDb | Dialect::MySql)
    };
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for at in 0..work.plan.steps.len() {
        match groups.last_mut() {
            Some(group) if !is_alone(at) && !is_alone(group[0]) => group.push(at),
            _ => groups.push(vec![at]),
        }
    }
    groups
}

async fn run_group(
    locked: &mut Locked,
    work: &Work<'_, '_>,
    group: &[usize],
    entries: &mut [Option<Entry>],
) -> Result<(), MigrateError> {
    locked.check().await?;
    let owner = |at: usize| work.shares.iter().position(|share| share.places.contains(&at));
    for at in group {
        if let Some(owner) = owner(*at)
            && entries[owner].is_none()
        {
            entries[owner] = Some(begin(locked, &work.shares[owner]).await?);
        }
    }
    let is_together = group.iter().all(|at| work.plan.steps[*at].transactional)
        && work.look.dialect == Dialect::Postgres;
    let doing = "run steps in a transaction";
    if is_together {
        locked.session().begin().await.map_err(MigrateError::session(doing))?;
    }
    let ran = run_steps(locked, work, group, entries).await;
    match (ran, is_together) {
        (Ok(()), true) => locked.session().commit().await.map_err(MigrateError::session(doing)),
        (Err(error), true) => {
            // If this fails the connection is broken, and the transaction gone with it.
            let _ = locked.session().rollback().await;
            Err(error)
        }
        (ran, false) => ran,
    }
}

async fn run_steps(
    locked: &mut Locked,
    work: &Work<'_, '_>,
    group: &[usize],
    entries: &mut [Option<Entry>],
) -> Result<(), MigrateError> {
    for at in group {
        work::step(locked.session(), work, *at, group[0]).await?;
        let owner = work.shares.iter().position(|share| share.places.contains(at));
        if let Some(entry) = owner.and_then(|owner| entries[owner].as_mut()) {
            entry.done += 1;
            let (session, registry) = locked.parts();
            registry.advance_migration(session, &entry.version, entry.done).await?;
        }
    }
    Ok(())
}

/// Says in the history that a model's migration runs: as a new one, or as one that did not end
/// and wanted the same.
async fn begin(locked: &mut Locked, share: &Share<'_, '_>) -> Result<Entry, MigrateError> {
    let interrupted = interrupted(locked, share.want).await?;
    let Some((before, number)) = interrupted else {
        let (version, number) = record::next_version(locked, share.want).await?;
        let row = record::history_row(locked, share, version, MigrationStatus::Running);
        let (session, registry) = locked.parts();
        registry.insert_migration(session, &row).await?;
        return Ok(Entry { version: row.version, number, done: 0, total: row.steps_total });
    };
    tracing::info!(version = before.version, "goes on with a migration that did not end");
    let status = MigrationStatus::Running;
    let mut row = record::history_row(locked, share, before.version, status);
    row.steps_done = before.steps_done;
    row.steps_total += before.steps_done;
    let (session, registry) = locked.parts();
    registry.restart_migration(session, &row).await?;
    let (done, total) = (row.steps_done, row.steps_total);
    Ok(Entry { version: row.version, number, done, total })
}

/// The last migration of a model, if it did not end and wanted the same. One that wanted
/// something else will never end, and is told so.
async fn interrupted(
    locked: &mut Locked,
    want: &Want<'_>,
) -> Result<Option<(MigrationRow, i64)>, MigrateError> {
    let (session, registry) = locked.parts();
    let rows = registry.migrations_of(session, want.name).await?;
    let last = crate::registry::Registry::next_number(&rows) - 1;
    let mut found = None;
    for row in rows {
        use MigrationStatus::{Failed, Pending, Running};
        let is_open = matches!(row.status, Failed | Pending | Running);
        let is_same = row.checksum == want.checksum && row.version.ends_with(&format!(":{last}"));
        match (is_open && !row.is_foreign(), is_same) {
            (true, true) => found = Some((row, last)),
            (true, false) if row.status == Running => {
                let error = Some("the model was declared anew before the migration ended");
                let finish = Finish { error, ..Finish::default() };
                registry.finish_migration(session, &row.version, Failed, finish).await?;
            }
            _ => {}
        }
    }
    Ok(found)
}

/// Ends migrations of which only the last word was missing: every step had been done.
async fn finish_interrupted<'w, 'a>(
    locked: &mut Locked,
    work: &Work<'w, 'a>,
    found: &larder_model::Catalog,
    versions: &mut Vec<String>,
) -> Result<Vec<(&'w Want<'a>, i64)>, MigrateError> {
    let mut numbers = Vec::new();
    for share in work.shares.iter().filter(|share| share.plan.is_empty()) {
        if let Some((row, number)) = interrupted(locked, share.want).await? {
            let fingerprint = share.want.fingerprint(work.look.dialect, found);
            finish(locked, &row.version, fingerprint.map(|of| of.to_string())).await?;
            numbers.push((share.want, number));
            versions.push(row.version);
        }
    }
    Ok(numbers)
}

async fn finish(
    locked: &mut Locked,
    version: &str,
    to_fingerprint: Option<String>,
) -> Result<(), MigrateError> {
    let (session, registry) = locked.parts();
    let finish = Finish { to_fingerprint: to_fingerprint.as_deref(), ..Finish::default() };
    registry.finish_migration(session, version, MigrationStatus::Applied, finish).await
}

/// Writes why a migration failed. That this fails too changes nothing: the row says that the
/// migration runs, and the next run finds out that it does not.
async fn fail(locked: &mut Locked, entries: &[Option<Entry>], error: &MigrateError) {
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
