//! What is written when nothing is left to do.
//!
//! Invariant: every version of a model's declaration has one row in the history, whether or not
//! something had to be changed for it.

use larder_model::Catalog;

use crate::{
    MigrateError, MigrationStatus,
    lock::Locked,
    migrator::{
        entry::{self, Entry},
        record,
        verdict::Share,
        work::Work,
    },
};

/// Gives every row of the history its last word and writes what is known of the models now;
/// `found` is what their tables are like. Returns the versions that were written.
pub(super) async fn conclude(
    locked: &mut Locked,
    work: &Work<'_, '_>,
    found: &Catalog,
    entries: Vec<(usize, Entry)>,
) -> Result<Vec<String>, MigrateError> {
    let mut versions = Vec::new();
    let mut numbers = Vec::new();
    let has_steps = !work.plan.is_empty();
    for share in work.shares.iter().filter(|share| share.plan.is_empty()) {
        // Of a run that ended before its last word everything had been done.
        let number = match entry::interrupted(locked, share.want).await? {
            Some((row, number)) => {
                entry::finish(locked, work, share.want, &row.version, found).await?;
                versions.push(row.version);
                number
            }
            None => as_found(locked, work, share, &mut versions).await?,
        };
        numbers.push((share.want, number));
    }
    for (at, entry) in entries {
        let want = work.shares[at].want;
        entry::finish(locked, work, want, &entry.version, found).await?;
        numbers.push((want, entry.number));
        versions.push(entry.version);
    }
    record::put_models(locked, &work.known, &numbers, found).await?;
    if has_steps {
        let (session, registry) = locked.parts();
        registry.bump_epoch(session).await?;
    }
    Ok(versions)
}

/// Writes a row for a model whose table is as it wants it, but which the registry knows not or
/// otherwise; returns the number of its last migration.
async fn as_found(
    locked: &mut Locked,
    work: &Work<'_, '_>,
    share: &Share<'_, '_>,
    versions: &mut Vec<String>,
) -> Result<i64, MigrateError> {
    let want = share.want;
    let row = want.row(&work.known).or_else(|| want.former_row(&work.known));
    let status = match row {
        None => MigrationStatus::Baseline,
        Some(row) if row.is_of(&want.checksum) => return Ok(row.version),
        // Another version of this crate computed it, so nothing follows from the difference.
        Some(row) if !record::is_same_algorithm(&row.model_checksum, &want.checksum) => {
            return Ok(row.version);
        }
        Some(_) => MigrationStatus::Skipped,
    };
    let (version, number) = record::next_version(locked, want).await?;
    let row = record::history_row(locked, share, version, status);
    let (session, registry) = locked.parts();
    registry.insert_migration(session, &row).await?;
    versions.push(row.version);
    Ok(number)
}
