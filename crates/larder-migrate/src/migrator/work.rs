//! What happens under the lock.
//!
//! Invariants: everything is read again after the lock was taken; nothing is changed before every
//! step was admitted; what becomes permanent is as the models want it.

use std::sync::Arc;

use larder_model::{Catalog, Class, Dialect, Plan, Policy};

use crate::{
    MigrateError, ModelRow, Planned, Session, SessionErrorKind, Standing,
    lock::{Exclusion, Locked},
    migrator::{
        conclude::conclude,
        entry::Entry,
        journal,
        look::{self, Look},
        verdict::{self, Share, Verdict},
        want::Want,
    },
};

/// What is to be done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Order<'o, 'w, 'a> {
    pub(crate) wants: &'o [&'w Want<'a>],
    /// What they want, as the server prints it.
    pub(crate) desired: &'o Catalog,
    pub(crate) policy: Policy,
    /// A plan that somebody looked at: nothing else is done.
    pub(crate) planned: Option<&'o Planned>,
    /// Whether tables are only recorded as they are.
    pub(crate) is_adoption: bool,
}

/// What became of it.
pub(crate) enum Done<'w, 'a> {
    /// How each model stands, and the versions that were written.
    Ended { standings: Vec<(&'w Want<'a>, Standing)>, versions: Vec<String> },
    /// Some step runs in no transaction: take the lock for the session, and come again.
    NeedsSession(Box<Locked>),
}

/// Does it, and gives the lock up.
pub(crate) async fn run<'w, 'a>(
    mut locked: Box<Locked>,
    order: Order<'_, 'w, 'a>,
) -> Result<Done<'w, 'a>, MigrateError> {
    let (session, registry) = locked.parts();
    let known = registry.models(session).await?;
    let mut standings = Vec::new();
    let mut open = Vec::new();
    let unchanged = match order.planned {
        // A plan is for the schema that it started from, so all of it is looked at.
        Some(_) => vec![false; order.wants.len()],
        None => look::unchanged(session, order.wants, &known).await?,
    };
    for (want, is_unchanged) in order.wants.iter().zip(unchanged) {
        match is_unchanged {
            true => standings.push((*want, Standing::Verified)),
            false => open.push(*want),
        }
    }
    if open.is_empty() {
        locked.roll_back().await?;
        return Ok(Done::Ended { standings, versions: Vec::new() });
    }
    let names = registry.names();
    let look = Look::at(session, &open, order.desired.clone(), &known, names).await?;
    let is_same = |want: &&&Want<'_>| order.planned.is_none() && look.is_as_recorded(want, &known);
    let (same, other): (Vec<_>, Vec<_>) = open.iter().copied().partition(|want| is_same(&want));
    let mut verdict = verdict(session, &look, &other, order).await?;
    verdict.admitted.extend(same.into_iter().map(|want| Share::nothing(&look, want)));
    let is_apart = verdict.plan.steps.iter().any(|step| !step.transactional);
    if is_apart && locked.exclusion() == Exclusion::Transaction {
        return Ok(Done::NeedsSession(locked));
    }
    for (want, plan, refused) in verdict.refused {
        standings.push((want, Standing::Refused { plan, refused }));
    }
    let work = Work { look, known, plan: Arc::new(verdict.plan), shares: verdict.admitted };
    let worked = match locked.exclusion() {
        Exclusion::Transaction => transact(&mut locked, &work).await,
        Exclusion::Session => journal::run(&mut locked, &work).await,
    };
    let versions = match worked {
        Ok(versions) => versions,
        Err(error) => {
            let error = locked.explain(error).await;
            // If this fails the connection is closed, which does the same.
            let _ = locked.roll_back().await;
            return Err(error);
        }
    };
    locked.commit().await?;
    for share in work.shares {
        let standing = match share.plan.is_empty() {
            true => Standing::Verified,
            false => Standing::Migrated { plan: share.plan },
        };
        standings.push((share.want, standing));
    }
    Ok(Done::Ended { standings, versions })
}

async fn verdict<'w, 'a>(
    session: &mut dyn Session,
    look: &Look,
    open: &[&'w Want<'a>],
    order: Order<'_, 'w, 'a>,
) -> Result<Verdict<'w, 'a>, MigrateError> {
    if order.is_adoption {
        let plan = look.plan(open);
        let admitted = verdict::share(look.dialect, &plan, open);
        let differing = admitted.iter().filter(|share| !share.plan.is_empty());
        let differing: Vec<_> =
            differing.map(|share| (share.want.name.to_owned(), Arc::clone(&share.plan))).collect();
        if !differing.is_empty() {
            return Err(MigrateError::Incompatible { differing });
        }
        return Ok(Verdict { plan, admitted, refused: Vec::new() });
    }
    let Some(planned) = order.planned else {
        return verdict::judge(session, look, open, order.policy).await;
    };
    let plan = look.plan(open);
    if plan.from != planned.plan.from || !plan.statements().eq(planned.plan.statements()) {
        let (planned, found) = (planned.plan.from.clone(), plan.from);
        return Err(MigrateError::PlanOutdated { planned, found });
    }
    let rows = verdict::probe(session, &plan).await?;
    let refused = plan.refused(order.policy, &rows);
    if !refused.is_empty() {
        return Err(MigrateError::Refused { plan: Arc::new(plan), refused });
    }
    let admitted = verdict::share(look.dialect, &plan, open);
    Ok(Verdict { plan, admitted, refused: Vec::new() })
}

/// All that is needed to change and to record.
#[derive(Debug)]
pub(crate) struct Work<'w, 'a> {
    pub(crate) look: Look,
    pub(crate) known: Vec<ModelRow>,
    /// The steps for all models together.
    pub(crate) plan: Arc<Plan>,
    pub(crate) shares: Vec<Share<'w, 'a>>,
}

impl<'w, 'a> Work<'w, 'a> {
    pub(crate) fn wants(&self) -> Vec<&'w Want<'a>> {
        self.shares.iter().map(|share| share.want).collect()
    }

    /// Looks again, and makes sure that nothing is left to do. The second answer is whether
    /// nothing is.
    pub(crate) async fn look_again(
        &self,
        session: &mut dyn Session,
    ) -> Result<(Catalog, Plan), MigrateError> {
        let wants = self.wants();
        let again = self.look.again(session, &wants).await?;
        let left = again.plan(&wants);
        Ok((again.current, left))
    }
}

/// Changes and records in the transaction that holds the lock.
async fn transact(locked: &mut Locked, work: &Work<'_, '_>) -> Result<Vec<String>, MigrateError> {
    if work.plan.is_empty() {
        return conclude(locked, work, &work.look.current, Vec::new()).await;
    }
    locked.announce().await?;
    let mut entries = Vec::new();
    for (at, share) in work.shares.iter().enumerate() {
        if !share.plan.is_empty() {
            entries.push((at, Entry::begin(locked, share).await?));
        }
    }
    let before = broken_references(locked, work).await?;
    for at in 0..work.plan.steps.len() {
        locked.check().await?;
        step(locked.session(), work, at, 0).await?;
    }
    let after = broken_references(locked, work).await?;
    if after > before {
        return Err(MigrateError::BrokenReferences { rows: after - before });
    }
    let (found, left) = work.look_again(locked.session()).await?;
    if !left.is_empty() {
        return Err(MigrateError::NotConverged { left: Arc::new(left), rolled_back: true });
    }
    conclude(locked, work, &found, entries).await
}

/// Runs the statements of a step.
pub(crate) async fn step(
    session: &mut dyn Session,
    work: &Work<'_, '_>,
    at: usize,
    done: usize,
) -> Result<(), MigrateError> {
    let step = &work.plan.steps[at];
    tracing::info!(
        table = %step.table,
        class = %step.class,
        step = at + 1,
        of = work.plan.steps.len(),
        "{}",
        step.description
    );
    for sql in &step.statements {
        tracing::debug!(sql, "runs a statement");
        if let Err(source) = session.run(sql).await {
            let plan = Arc::clone(&work.plan);
            return Err(match source.kind() {
                SessionErrorKind::Permission => MigrateError::Permission { plan, source },
                _ => MigrateError::Step { plan, step: at, done, source },
            });
        }
    }
    Ok(())
}

/// How many rows of an SQLite file refer to rows that are not there; 0 where references are
/// checked all the time, and where no step rebuilds a table.
async fn broken_references(
    locked: &mut Locked,
    work: &Work<'_, '_>,
) -> Result<usize, MigrateError> {
    let rebuilds = work.plan.steps.iter().any(|step| step.class > Class::Additive);
    if work.look.dialect != Dialect::Sqlite || !rebuilds {
        return Ok(0);
    }
    let rows = locked.session().fetch("PRAGMA foreign_key_check", &[]).await;
    Ok(rows.map_err(MigrateError::session("check the references"))?.len())
}
