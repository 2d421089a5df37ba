//! How things stand: with a model, with a plan, with a database.

use std::sync::Arc;

use larder_model::{Plan, Refusal, TableModel};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{LockHolder, MigrationRow, ModelRow};

/// How a model's table stands to the model.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Standing {
    /// It was not as the model wants it, and was changed.
    Migrated {
        /// What was done.
        plan: Arc<Plan>,
    },
    /// It is not as the model wants it, and nobody was asked to change it.
    Pending {
        /// What would have to be done.
        plan: Arc<Plan>,
    },
    /// It is not as the model wants it, and the policy does not admit what would have to be done.
    /// Nothing was done to it.
    Refused {
        /// What would have to be done.
        plan: Arc<Plan>,
        /// The steps that stand in the way, with the rows that stand in theirs.
        refused: Vec<Refusal>,
    },
    /// It is as the model wants it.
    Verified,
}

impl Standing {
    /// Whether the table is as the model wants it.
    #[must_use]
    pub const fn is_ensured(&self) -> bool {
        matches!(self, Self::Migrated { .. } | Self::Verified)
    }

    /// What was done, or would have to be.
    #[must_use]
    pub const fn plan(&self) -> Option<&Arc<Plan>> {
        match self {
            Self::Migrated { plan } | Self::Pending { plan } | Self::Refused { plan, .. } => {
                Some(plan)
            }
            Self::Verified => None,
        }
    }
}

/// A plan that somebody can look at, keep, and have applied later.
///
/// Its JSON is stable: fields are added, and neither renamed nor removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Planned {
    /// The same text for the same plan: `p:` and 16 hexadecimal digits.
    pub id: String,
    /// The steps for all models together.
    pub plan: Plan,
    /// How many rows stand in the way of each step; `None` for a step without a probe.
    pub rows: Vec<Option<u64>>,
    /// The models that it is for.
    pub models: Vec<PlannedModel>,
}

/// A model of a [`Planned`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PlannedModel {
    /// Its name.
    pub name: String,
    /// What its table should look like.
    pub table: TableModel,
}

/// What [`Migrator::apply`](crate::Migrator::apply) did.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Applied {
    /// The plan's [`Planned::id`].
    pub id: String,
    /// The versions under which it stands in the history, one for each model that was changed.
    pub versions: Vec<String>,
    /// How each model stands now, in the order of the plan's models.
    pub standings: Vec<Standing>,
}

/// What the registry of a database says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// The registry's own identity of the database, made when the registry was; `None`: there is
    /// no registry yet.
    pub database_uid: Option<String>,
    /// How often a migrator changed this database.
    pub ddl_epoch: u64,
    /// Who migrates now.
    pub lock: Option<LockHolder>,
    /// The history, in the order in which it was written; what others wrote comes first.
    pub migrations: Vec<MigrationRow>,
    /// The models that the registry knows, of every application.
    pub models: Vec<ModelRow>,
}

/// What tells that no schema was changed since, as far as the database and the migrators count.
///
/// Equal signals: nothing happened. Other signals may be a false alarm.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct SchemaSignal {
    /// What the database itself counts.
    pub database: String,
    /// How often a migrator changed this database.
    pub ddl_epoch: u64,
}

impl SchemaSignal {
    /// A signal, for databases that are reached in another way than by a
    /// [`Migrator`](crate::Migrator).
    #[must_use]
    pub const fn new(database: String, ddl_epoch: u64) -> Self {
        Self { database, ddl_epoch }
    }
}

/// What to do about a migration that failed or did not end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RepairAction {
    /// It was finished by hand: it counts as applied. Of a model, only if its table is as the
    /// model wants it.
    MarkApplied,
    /// The next run tries it again.
    Retry,
    /// What it had done was undone by hand: it counts as not applied.
    RolledBack,
}

pub(crate) fn planned_id(plan: &Plan) -> String {
    let mut digest = Sha256::new();
    digest.update(plan.from.as_str());
    for statement in plan.statements() {
        digest.update((statement.len() as u64).to_be_bytes());
        digest.update(statement);
    }
    let hex = crate::hex(&digest.finalize());
    format!("p:{}", &hex[..16])
}
