//! What is written into the registry about models.
//!
//! Invariant: the fingerprint and the token that are written belong to the table as it was found
//! after the last step, under the same lock.

use larder_model::{Catalog, Plan, Step, Undo};
use sha2::{Digest as _, Sha256};

use crate::{
    MigrateError, MigrationKind, MigrationRow, MigrationStatus, ModelRow, Planned, PlannedModel,
    hex,
    lock::Locked,
    migrator::{look::look_at_tokens, verdict::Share, want::Want},
    registry::{Registry, model_version},
    standing::planned_id,
};

/// A row of the history for a model's share of a plan.
pub(crate) fn history_row(
    locked: &Locked,
    share: &Share<'_, '_>,
    version: String,
    status: MigrationStatus,
) -> MigrationRow {
    let (want, plan) = (share.want, &share.plan);
    let description = match plan.steps.as_slice() {
        [] => format!("{}: as it is", want.table()),
        _ => plan.to_string(),
    };
    let total = i64::try_from(plan.steps.len()).unwrap_or(i64::MAX);
    MigrationRow {
        version,
        name: description,
        checksum: want.checksum.clone(),
        status,
        kind: Some(match status {
            MigrationStatus::Baseline => MigrationKind::Baseline,
            _ => MigrationKind::Model,
        }),
        application: locked.registry().names().application.clone(),
        model: Some(want.name.to_owned()),
        from_fingerprint: Some(plan.from.to_string()),
        steps_total: total,
        steps_done: if status.is_done() { total } else { 0 },
        step_hashes: Some(step_hashes(&plan.steps)),
        plan_json: to_json(share),
        down_json: down_json(plan),
        executor: Some(locked.context().me.executor()),
        lock_token: locked.token(),
        ..MigrationRow::default()
    }
}

fn to_json(share: &Share<'_, '_>) -> Option<String> {
    let model = PlannedModel { name: share.want.name.to_owned(), table: share.want.model.clone() };
    let planned = Planned {
        id: planned_id(&share.plan),
        plan: Plan::clone(&share.plan),
        rows: Vec::new(),
        models: vec![model],
    };
    serde_json::to_string(&planned).ok()
}

/// The digest of each step's statements, separated by blanks.
pub(crate) fn step_hashes(steps: &[Step]) -> String {
    let digest = |step: &Step| {
        let digest = Sha256::digest(step.statements.join("\0"));
        hex(&digest)[..16].to_owned()
    };
    steps.iter().map(digest).collect::<Vec<_>>().join(" ")
}

/// The statements that take all steps back, the last step first; `None` if one can not be.
fn down_json(plan: &Plan) -> Option<String> {
    let mut down = Vec::new();
    for step in plan.steps.iter().rev() {
        match &step.undo {
            Undo::Irreversible => return None,
            Undo::Statements(statements) => down.extend(statements),
        }
    }
    serde_json::to_string(&down).ok()
}

/// The number of a model's next migration.
pub(crate) async fn next_version(
    locked: &mut Locked,
    want: &Want<'_>,
) -> Result<(String, i64), MigrateError> {
    let (session, registry) = locked.parts();
    let rows = registry.migrations_of(session, want.name).await?;
    let number = Registry::next_number(&rows);
    Ok((model_version(&registry.names().application, want.name, number), number))
}

/// Writes what is known of models now; `numbers` has the number of each one's last migration.
pub(crate) async fn put_models(
    locked: &mut Locked,
    known: &[ModelRow],
    wants: &[(&Want<'_>, i64)],
    found: &Catalog,
) -> Result<(), MigrateError> {
    let (session, registry) = locked.parts();
    let dialect = session.dialect();
    let tables: Vec<_> = wants.iter().map(|(want, _)| want.table().clone()).collect();
    let tokens = look_at_tokens(session, &tables).await?;
    for ((want, version), token) in wants.iter().zip(tokens) {
        let row = ModelRow {
            application: registry.names().application.clone(),
            schema: want.schema().to_owned(),
            model: want.name.to_owned(),
            table: want.table().name.clone(),
            status: "ensured".to_owned(),
            version: *version,
            model_checksum: want.checksum.clone(),
            schema_fingerprint: want.fingerprint(dialect, found).map(|of| of.to_string()),
            catalog_token: token,
            definition_json: serde_json::to_string(want.model).ok(),
            verified_us: None,
        };
        registry.put_model(session, &row).await?;
        if let Some(former) = want.former_row(known) {
            registry.forget_model(session, former).await?;
        }
    }
    Ok(())
}

/// Whether two checksums were made in the same way, so that they can be compared at all.
pub(crate) fn is_same_algorithm(one: &str, other: &str) -> bool {
    let algorithm = |text: &str| text.rsplit_once(':').map(|(algorithm, _)| algorithm.to_owned());
    algorithm(one) == algorithm(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_of_two_algorithms_are_not_compared() {
        assert!(is_same_algorithm("v1:sha256:aa", "v1:sha256:bb"));
        assert!(!is_same_algorithm("v1:sha256:aa", "v2:sha256:aa"));
        assert!(!is_same_algorithm("0123456789abcdef", "v1:sha256:aa"));
    }
}
