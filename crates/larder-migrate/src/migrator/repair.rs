//! What a person says about a migration that failed or did not end.
//!
//! Invariant: a model's migration counts as applied only if the table is as the model wants it.

use std::sync::Arc;

use crate::{
    MigrateError, MigrationKind, MigrationRow, MigrationStatus, ModelRef, Planned, RepairAction,
    context::Context,
    lock::{Exclusion, Locked},
    migrator::{
        look::{self, Look},
        record,
        want::Want,
    },
    registry::Finish,
};

pub(super) async fn repair(
    context: &Arc<Context>,
    version: &str,
    action: RepairAction,
) -> Result<(), MigrateError> {
    let row = find(context, version).await?;
    let planned = declaration(&row);
    let models: Vec<_> = planned
        .iter()
        .flat_map(|planned| &planned.models)
        .map(|of| ModelRef::new(&of.name, &of.table))
        .collect();
    let is_model = row.kind == Some(MigrationKind::Model) && !models.is_empty();
    let mut seat = context.work().await?;
    let wants = Want::all(seat.session.dialect(), &context.options.schema, &models)?;
    let wants: Vec<_> = wants.iter().collect();
    let desired = match is_model && action == RepairAction::MarkApplied {
        true => Some(look::desired(&mut *seat.session, &wants).await?),
        false => None,
    };
    seat.keep();
    let mut locked = context.lock(Exclusion::Transaction).await?;
    let repaired = write(&mut locked, version, action, &wants, desired).await;
    match repaired {
        Ok(()) => locked.commit().await,
        Err(error) => {
            let _ = locked.roll_back().await;
            Err(error)
        }
    }
}

async fn find(context: &Arc<Context>, version: &str) -> Result<MigrationRow, MigrateError> {
    let mut seat = context.work().await?;
    let session = &mut *seat.session;
    let registry = crate::registry::Registry::inspect(session, &context.options).await?;
    let row = registry.migration(session, version).await?;
    seat.keep();
    row.filter(|row| !row.is_foreign())
        .ok_or_else(|| MigrateError::UnknownMigration { version: version.to_owned() })
}

/// The declaration that a model's migration was made for.
fn declaration(row: &MigrationRow) -> Option<Planned> {
    serde_json::from_str(row.plan_json.as_deref()?).ok()
}

async fn write(
    locked: &mut Locked,
    version: &str,
    action: RepairAction,
    wants: &[&Want<'_>],
    desired: Option<larder_model::Catalog>,
) -> Result<(), MigrateError> {
    let (session, registry) = locked.parts();
    let row = registry.migration(session, version).await?;
    let row = row.ok_or_else(|| MigrateError::UnknownMigration { version: version.to_owned() })?;
    if !matches!(row.status, MigrationStatus::Failed | MigrationStatus::Running) {
        let (version, status) = (version.to_owned(), row.status);
        return Err(MigrateError::NotRepairable { version, status });
    }
    if let Some(desired) = desired {
        let known = registry.models(session).await?;
        let look = Look::at(session, wants, desired, &known, registry.names()).await?;
        let left = look.plan(wants);
        if !left.is_empty() {
            let left = Arc::new(left);
            let name = |want: &&Want<'_>| (want.name.to_owned(), Arc::clone(&left));
            return Err(MigrateError::Incompatible { differing: wants.iter().map(name).collect() });
        }
        let number = crate::registry::number_of(version).unwrap_or(0);
        let numbers: Vec<_> = wants.iter().map(|want| (*want, number)).collect();
        record::put_models(locked, &known, &numbers, &look.current).await?;
    }
    let status = match action {
        RepairAction::MarkApplied => MigrationStatus::Applied,
        RepairAction::Retry => MigrationStatus::Pending,
        RepairAction::RolledBack => MigrationStatus::RolledBack,
    };
    let finish = Finish {
        error: row.error.as_deref(),
        error_sqlstate: row.error_sqlstate.as_deref(),
        ..Finish::default()
    };
    let (session, registry) = locked.parts();
    registry.finish_migration(session, version, status, finish).await?;
    registry.bump_epoch(session).await
}
