//! What runs that ended too early took off and did not put back.
//!
//! Invariant: what counts is what the history says of a migration that did not end, until its model
//! is ensured again: from then on, a reference that is not there was dropped by somebody.

use larder_model::MissingReference;

use crate::{
    MigrateError, MigrationRow, ModelRow, Planned, Session,
    migrator::{entry::is_about, want::Want},
    registry::Names,
};

/// The references that runs for these models may have left off, the last run's first; `rows` is
/// what the registry knows of models. One statement.
pub(super) async fn missing_references(
    session: &mut dyn Session,
    names: &Names,
    wants: &[&Want<'_>],
    rows: &[ModelRow],
) -> Result<Vec<MissingReference>, MigrateError> {
    let mut missing = Vec::new();
    for row in names.unfinished(session).await? {
        let is_its = |want: &&&Want<'_>| {
            row.model.as_deref() == Some(want.name)
                && is_about(&row, want)
                && !is_settled(&row, want.row(rows).or_else(|| want.former_row(rows)))
        };
        if wants.iter().any(|want| is_its(&want)) {
            missing.extend(missing_of(&row));
        }
    }
    Ok(missing)
}

/// Whether the model was ensured after the migration had begun, or was gone on with.
fn is_settled(row: &MigrationRow, model: Option<&ModelRow>) -> bool {
    match (row.started_us, model.and_then(|model| model.verified_us)) {
        (Some(started), Some(verified)) => started <= verified,
        _ => false,
    }
}

fn missing_of(row: &MigrationRow) -> Vec<MissingReference> {
    let planned = row.plan_json.as_deref().and_then(|json| serde_json::from_str(json).ok());
    let Some(Planned { plan, .. }) = planned else { return Vec::new() };
    // The plan of a run that went on with another one follows on what that one did.
    let total = i64::try_from(plan.steps.len()).unwrap_or(i64::MAX);
    let done = row.steps_done.saturating_sub(row.steps_total.saturating_sub(total));
    plan.missing_references(usize::try_from(done).unwrap_or(0))
}
