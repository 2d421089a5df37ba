//! The work on one tenant: look, plan once for all that are alike, apply.
//!
//! Invariant: a plan is applied only to a schema with the fingerprint that it starts from; whoever
//! differs gets a plan of its own.

use std::{
    collections::HashMap,
    error::Error as StdError,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures_core::Stream;
use larder_model::{Dialect, Fingerprint, Plan, Policy, TableModel};
use sha2::{Digest as _, Sha256};

use super::{
    FanOutError, FanOutEvent, FanOutGroup, FanOutOptions, FanOutSummary, Tenant, TenantOutcome,
    engine::{Done, Engine, Work},
    state::StateFile,
};
use crate::{MigrateError, Migrator, ModelRef, Planned, Standing};

/// Brings the tables of many databases into the shape of the same models.
#[derive(Clone, Debug)]
pub struct FanOut {
    options: FanOutOptions,
}

impl FanOut {
    /// A fan-out that is run like this.
    #[must_use]
    pub const fn new(options: FanOutOptions) -> Self {
        Self { options }
    }

    /// Works on every tenant of the stream, which is read as places become free, and tells of its
    /// progress.
    ///
    /// The first tenants are the canaries: until all of them have succeeded, no other is touched. A
    /// tenant is first only looked at. Those whose tables are not as they should be are migrated;
    /// for those that start from the same schema the plan is made once.
    ///
    /// # Errors
    /// [`FanOutError`], if the state of the run can not be kept. What goes wrong with a tenant is
    /// in the summary.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    ///
    /// # Cancel safety
    /// The tenants under way are dropped like [`Migrator::apply`]; with
    /// [`FanOutOptions::with_resume`], a run of the same name goes on.
    pub async fn run(
        &self,
        models: &[ModelRef<'_>],
        tenants: impl Stream<Item = Tenant> + Send,
        tell: impl Fn(FanOutEvent) + Send + Sync,
    ) -> Result<FanOutSummary, FanOutError> {
        let work = Arc::new(Migrations {
            models: models.iter().map(|of| (of.name.to_owned(), of.table.clone())).collect(),
            policy: self.options.policy,
            options: self.options.migrate.clone(),
            groups: Mutex::default(),
        });
        let state = match &self.options.resume {
            Some((folder, run)) => {
                let file = StateFile::new(folder, run)?;
                let state = file.load(run, &digest(models))?;
                Some((file, state))
            }
            None => None,
        };
        let engine = Engine::new(&self.options, Arc::clone(&work) as _, &tell, state);
        let mut summary = engine.run(pin!(tenants)).await?;
        summary.groups = work.groups();
        Ok(summary)
    }
}

/// The digest of a set of models, whatever their order.
fn digest(models: &[ModelRef<'_>]) -> String {
    let mut lines: Vec<_> =
        models.iter().map(|model| format!("{}\n{}", model.name, model.table.checksum())).collect();
    lines.sort_unstable();
    format!("sha256:{}", crate::hex(&Sha256::digest(lines.join("\n"))))
}

/// What is done with each tenant.
struct Migrations {
    models: Vec<(String, TableModel)>,
    policy: Policy,
    options: crate::MigrateOptions,
    groups: Mutex<Groups>,
}

/// The plans that were made.
#[derive(Default)]
struct Groups {
    /// By the database it is for and the schema it starts from: an empty schema is the same
    /// everywhere, and what is done to it is not.
    by_start: HashMap<(Dialect, Fingerprint), (Arc<Planned>, usize)>,
    /// The one that was needed last: most probably the next tenant's too.
    last: Option<Arc<Planned>>,
}

/// How often a plan is made anew, because somebody changed the schema meanwhile.
const TRIES: usize = 3;

#[async_trait::async_trait]
impl Work for Migrations {
    async fn work(&self, tenant: &Tenant) -> Done {
        let migrator = Migrator::new(Arc::clone(&tenant.connector), self.options.clone());
        let standings = match migrator.verify(&self.refs()).await {
            Ok(standings) => standings,
            Err(error) => return (failed(&error), None),
        };
        if standings.iter().all(Standing::is_ensured) {
            return (TenantOutcome::Unchanged, None);
        }
        match self.migrate(&migrator).await {
            Ok(done) => done,
            Err(error) => (failed(&error), None),
        }
    }
}

impl Migrations {
    fn refs(&self) -> Vec<ModelRef<'_>> {
        self.models.iter().map(|(name, table)| ModelRef::new(name, table)).collect()
    }

    async fn migrate(&self, migrator: &Migrator) -> Result<Done, MigrateError> {
        let mut planned = self.lock().last.clone();
        for _ in 0..TRIES {
            let plan = match planned.take() {
                Some(planned) => planned,
                None => self.plan(migrator).await?,
            };
            match self.apply(migrator, &plan).await {
                Err(MigrateError::PlanOutdated { found, .. }) => {
                    let start = (plan.plan.dialect, found);
                    let known = self.lock().by_start.get(&start).map(|(plan, _)| Arc::clone(plan));
                    // The one that was just tried is for another kind of database.
                    planned = known.filter(|known| known.id != plan.id);
                }
                done => return done,
            }
        }
        let plan = self.plan(migrator).await?;
        self.apply(migrator, &plan).await
    }

    async fn plan(&self, migrator: &Migrator) -> Result<Arc<Planned>, MigrateError> {
        let planned = Arc::new(migrator.plan(&self.refs()).await?);
        let mut groups = self.lock();
        let start = start_of(&planned);
        let (planned, _) = groups.by_start.entry(start).or_insert((planned, 0));
        let planned = Arc::clone(planned);
        groups.last = Some(Arc::clone(&planned));
        Ok(planned)
    }

    async fn apply(&self, migrator: &Migrator, planned: &Planned) -> Result<Done, MigrateError> {
        let id = Some(planned.id.clone());
        let outcome = match migrator.apply(planned, self.policy).await {
            Ok(_) if planned.plan.is_empty() => TenantOutcome::Unchanged,
            Ok(_) => TenantOutcome::Migrated { steps: planned.plan.steps.len() },
            Err(MigrateError::Refused { plan, refused }) => {
                let step = |refusal: &larder_model::Refusal| describe(&plan, refusal);
                TenantOutcome::Refused { steps: refused.iter().filter_map(step).collect() }
            }
            Err(error) => return Err(error),
        };
        if let Some((_, tenants)) = self.lock().by_start.get_mut(&start_of(planned)) {
            *tenants += 1;
        }
        Ok((outcome, id))
    }

    /// The plans that were made, those for most tenants first.
    fn groups(&self) -> Vec<FanOutGroup> {
        let groups = self.lock();
        let group = |(planned, tenants): &(Arc<Planned>, usize)| FanOutGroup {
            plan: planned.id.clone(),
            from: planned.plan.from.clone(),
            steps: planned
                .plan
                .steps
                .iter()
                .map(|step| format!("{}: {}", step.table, step.description))
                .collect(),
            tenants: *tenants,
        };
        let mut groups: Vec<_> = groups.by_start.values().map(group).collect();
        groups.sort_by(|one, other| {
            other.tenants.cmp(&one.tenants).then_with(|| one.plan.cmp(&other.plan))
        });
        groups
    }

    fn lock(&self) -> MutexGuard<'_, Groups> {
        // Every critical section leaves the plans whole.
        self.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn start_of(planned: &Planned) -> (Dialect, Fingerprint) {
    (planned.plan.dialect, planned.plan.from.clone())
}

fn describe(plan: &Plan, refusal: &larder_model::Refusal) -> Option<String> {
    let step = plan.steps.get(refusal.step)?;
    let rows = match (&step.probe, refusal.rows) {
        (Some(probe), Some(rows)) if rows > 0 => format!(" ({rows} {})", probe.what),
        _ => String::new(),
    };
    Some(format!("{}: {}{rows}", step.table, step.description))
}

/// Why, in our own words: those of a database may quote values.
fn failed(error: &MigrateError) -> TenantOutcome {
    let mut text = error.to_string();
    if let Some(database) = error.database() {
        text = format!("{text}: {database}");
    } else if let Some(source) = error.source() {
        text = format!("{text}: {source}");
    }
    TenantOutcome::Failed { error: text }
}
