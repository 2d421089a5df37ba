//! Plans whose steps become permanent one by one.
//!
//! Invariants: the history says that a migration runs before its first step does; how far it came
//! is written after each step; a run that ended halfway is gone on with from what the schema is
//! like then, and not from what the history says.

use std::sync::Arc;

use larder_model::{Dialect, Interlude};

use crate::{
    MigrateError, SessionError, SessionErrorKind,
    lock::Locked,
    migrator::{
        conclude::conclude,
        entry::{Entry, fail},
        work::{self, Work},
    },
};

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
                put_back(locked, work, &group, &error).await;
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
    let entries = entries.into_iter().enumerate();
    let entries = entries.filter_map(|(at, entry)| Some((at, entry?))).collect();
    let versions = conclude(locked, work, &found, entries).await?;
    let commit = locked.session().commit().await;
    commit.map_err(MigrateError::session("record what was done"))?;
    Ok(versions)
}

/// Puts back what steps before the one that failed took off. Where that fails too, as it does for
/// columns one of which was changed already, the next run does it.
async fn put_back(locked: &mut Locked, work: &Work<'_, '_>, group: &[usize], error: &MigrateError) {
    let is_gone = |error: &SessionError| error.kind() == SessionErrorKind::Connection;
    if matches!(error, MigrateError::LockLost) || error.database().is_some_and(is_gone) {
        return;
    }
    let steps = &work.plan.steps;
    let Some((first, last)) = group.first().zip(group.last()) else { return };
    for step in steps.iter().skip(*last + 1) {
        let Some(Interlude::PutsBack(key)) = &step.interlude else { continue };
        let was_taken = steps.iter().take(*first).any(|before| {
            before.table == step.table
                && matches!(&before.interlude, Some(Interlude::TakesOff(of)) if of.name == key.name)
        });
        if !was_taken {
            continue;
        }
        for sql in &step.statements {
            if let Err(error) = locked.session().run(sql).await {
                tracing::warn!(%error, table = %step.table, "a reference was not put back");
                break;
            }
        }
    }
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
            entries[owner] = Some(Entry::begin(locked, &work.shares[owner]).await?);
        }
    }
    let is_together = group.iter().all(|at| work.plan.steps[*at].transactional)
        && work.look.dialect == Dialect::Postgres;
    let doing = "run steps in a transaction";
    if is_together {
        locked.session().begin().await.map_err(MigrateError::session(doing))?;
    }
    let before: Vec<_> = entries.iter().map(|of| of.as_ref().map(|entry| entry.done)).collect();
    let ran = run_steps(locked, work, group, entries).await;
    match (ran, is_together) {
        (Ok(()), true) => locked.session().commit().await.map_err(MigrateError::session(doing)),
        (Err(error), true) => {
            for (entry, before) in entries.iter_mut().zip(before) {
                if let (Some(entry), Some(before)) = (entry, before) {
                    entry.done = before;
                }
            }
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
