//! From models to their standings: look, and if need be lock, and do.
//!
//! Invariants: what is as it was is found out by two statements and without a lock; a role that
//! may not write gets an answer wherever nothing has to be written.

use std::sync::Arc;

use larder_model::{Catalog, Policy};

use crate::{
    MigrateError, ModelRef, ModelRow, Planned, PlannedModel, Session, SessionErrorKind, Standing,
    context::{Context, Seat},
    lock::{Attempt, Exclusion, Locked, Overtaking, Waiting},
    migrator::{
        look::{self, Look},
        verdict::{self, Share, Verdict},
        want::{self, Want},
        work::{self, Done, Order},
    },
    standing::planned_id,
};

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Request<'r> {
    pub(super) policy: Policy,
    /// A plan that somebody looked at: nothing else is done.
    pub(super) planned: Option<&'r Planned>,
    /// Whether tables are only recorded as they are.
    pub(super) is_adoption: bool,
}

/// How models stand, and which versions were written.
pub(super) type Outcome = (Vec<Standing>, Vec<String>);

/// Does what is asked for, and again where others got in the way.
pub(super) async fn ensure(
    context: &Arc<Context>,
    models: &[ModelRef<'_>],
    request: Request<'_>,
) -> Result<Outcome, MigrateError> {
    let mut waiting = Waiting::new(&context.options);
    let mut tries = 0;
    loop {
        match once(context, models, request).await {
            Err(error) if error.is_transient() && tries < context.options.retries => {
                tries += 1;
                tracing::debug!(%error, tries, "tries again");
                waiting.pause().await;
            }
            outcome => return outcome,
        }
    }
}

async fn once(
    context: &Arc<Context>,
    models: &[ModelRef<'_>],
    request: Request<'_>,
) -> Result<Outcome, MigrateError> {
    let mut seat = context.work().await?;
    let dialect = seat.session.dialect();
    let wants = Want::all(dialect, &context.options.schema, models)?;
    let mut standings = vec![None; wants.len()];
    let mut versions = Vec::new();
    for group in want::groups(dialect, wants.iter().collect()) {
        let mut run = Run { context, request, group, known: None };
        let (next, ended, written) = run.go(seat).await?;
        seat = match next {
            Some(seat) => seat,
            None => context.work().await?,
        };
        for (want, standing) in ended {
            standings[want.place] = Some(standing);
        }
        versions.extend(written);
    }
    seat.keep();
    // Every want is in one group, and every group ends with a standing for each; were it not so,
    // a model that nobody looked at must not count as ensured.
    let standings: Option<Vec<_>> = standings.into_iter().collect();
    let reason = || "a model was left out".to_owned();
    let standings = standings.ok_or_else(|| MigrateError::Registry { reason: reason() })?;
    Ok((standings, versions))
}

/// One pass over models with tables of their own.
struct Run<'c, 'w, 'a> {
    context: &'c Arc<Context>,
    request: Request<'c>,
    group: Vec<&'w Want<'a>>,
    /// What the registry knows; `None`: it is not there, or not for this role.
    known: Option<Vec<ModelRow>>,
}

type Ended<'w, 'a> = Vec<(&'w Want<'a>, Standing)>;

impl<'w, 'a> Run<'_, 'w, 'a> {
    /// The seat comes back if it was not used up by the lock.
    async fn go(
        &mut self,
        mut seat: Seat,
    ) -> Result<(Option<Seat>, Ended<'w, 'a>, Vec<String>), MigrateError> {
        let mut ended = Vec::new();
        let mut open = self.open(&mut seat, &mut ended).await?;
        if open.is_empty() {
            return Ok((Some(seat), ended, Vec::new()));
        }
        let desired = look::desired(&mut *seat.session, &open).await?;
        let verdict = self.verdict(&mut seat, &open, &desired).await?;
        if self.request.policy == Policy::Verify {
            for share in verdict.admitted {
                ended.push((share.want, standing_of(share.plan)));
            }
            return Ok((Some(seat), ended, Vec::new()));
        }
        let plan = Arc::new(verdict.plan);
        // What can be put back on the tables of models that were refused is found there again,
        // and these get their standing then.
        let claimed: usize = verdict.admitted.iter().map(|share| share.places.len()).sum();
        let puts_back = claimed < plan.steps.len();
        for (want, plan, refused) in verdict.refused.into_iter().filter(|_| !puts_back) {
            ended.push((want, Standing::Refused { plan, refused }));
            open.retain(|other| other.place != want.place);
        }
        if open.is_empty() {
            return Ok((Some(seat), ended, Vec::new()));
        }
        let done = match self.locked(seat, &mut open, &mut ended, &desired).await {
            Err(MigrateError::Session { source, .. })
                if source.kind() == SessionErrorKind::Permission =>
            {
                // The registry is not for this role. Where nothing else was to be done, that is
                // no reason to fail.
                if plan.is_empty() && !self.request.is_adoption {
                    ended.extend(open.into_iter().map(|want| (want, Standing::Verified)));
                    return Ok((None, ended, Vec::new()));
                }
                return Err(MigrateError::Permission { plan, source });
            }
            done => done?,
        };
        ended.extend(done.0);
        Ok((None, ended, done.1))
    }

    /// The models that are not as they were when they were last ensured.
    async fn open(
        &mut self,
        seat: &mut Seat,
        ended: &mut Ended<'w, 'a>,
    ) -> Result<Vec<&'w Want<'a>>, MigrateError> {
        if self.request.planned.is_some() {
            return Ok(self.group.clone());
        }
        let session = &mut *seat.session;
        let names = self.context.names(session.dialect());
        self.known = names.known_models(session, false).await?;
        let Some(known) = &self.known else { return Ok(self.group.clone()) };
        let unchanged = look::unchanged(session, &self.group, known).await?;
        let (same, open): (Vec<_>, Vec<_>) =
            self.group.iter().zip(unchanged).partition(|(_, is_unchanged)| *is_unchanged);
        ended.extend(same.into_iter().map(|(want, _)| (*want, Standing::Verified)));
        Ok(open.into_iter().map(|(want, _)| *want).collect())
    }

    /// What would be done, as things are now.
    async fn verdict(
        &self,
        seat: &mut Seat,
        open: &[&'w Want<'a>],
        desired: &Catalog,
    ) -> Result<Verdict<'w, 'a>, MigrateError> {
        let session = &mut *seat.session;
        let names = self.context.names(session.dialect());
        let rows = names.known_models(session, true).await?.unwrap_or_default();
        let look = Look::at(session, open, desired.clone(), &rows, &names).await?;
        let is_same = |want: &&'w Want<'a>| {
            self.request.planned.is_none() && look.is_as_recorded(want, &rows)
        };
        let (same, open): (Vec<_>, Vec<_>) = open.iter().copied().partition(is_same);
        let mut verdict = self.judge(session, &look, &open).await?;
        verdict.admitted.extend(same.into_iter().map(|want| Share::nothing(&look, want)));
        Ok(verdict)
    }

    async fn judge(
        &self,
        session: &mut dyn Session,
        look: &Look,
        open: &[&'w Want<'a>],
    ) -> Result<Verdict<'w, 'a>, MigrateError> {
        let asks_rows = self.request.policy != Policy::Verify
            && self.request.planned.is_none()
            && !self.request.is_adoption;
        if asks_rows {
            return verdict::judge(session, look, open, self.request.policy).await;
        }
        let plan = look.plan(open);
        let admitted = verdict::share(look.dialect, &plan, open);
        Ok(Verdict { plan, admitted, refused: Vec::new() })
    }

    /// Takes the lock and does it, unless somebody else did meanwhile.
    async fn locked(
        &mut self,
        mut seat: Seat,
        open: &mut Vec<&'w Want<'a>>,
        ended: &mut Ended<'w, 'a>,
        desired: &Catalog,
    ) -> Result<(Ended<'w, 'a>, Vec<String>), MigrateError> {
        let mut exclusion = Exclusion::Transaction;
        let mut waiting = Waiting::new(&self.context.options);
        let mut overtaking = Overtaking::default();
        loop {
            let locked = match Locked::attempt(self.context, seat, exclusion).await? {
                Attempt::Again(again) => {
                    seat = again;
                    continue;
                }
                Attempt::Held(mut held) => {
                    self.context.wait(&mut held, &mut waiting, &mut overtaking).await?;
                    seat = held;
                    self.look_meanwhile(&mut seat, open, ended).await?;
                    if open.is_empty() {
                        seat.keep();
                        return Ok((Vec::new(), Vec::new()));
                    }
                    continue;
                }
                Attempt::Got(locked) => locked,
            };
            let order = Order {
                wants: open,
                desired,
                policy: self.request.policy,
                planned: self.request.planned,
                is_adoption: self.request.is_adoption,
            };
            match work::run(locked, order).await? {
                Done::Ended { standings, versions } => return Ok((standings, versions)),
                Done::NeedsSession(locked) => {
                    seat = locked.roll_back_and_stay().await?;
                    exclusion = Exclusion::Session;
                }
            }
        }
    }

    /// Whoever has the lock may have done it already.
    async fn look_meanwhile(
        &mut self,
        seat: &mut Seat,
        open: &mut Vec<&'w Want<'a>>,
        ended: &mut Ended<'w, 'a>,
    ) -> Result<(), MigrateError> {
        let group = std::mem::take(&mut self.group);
        self.group = std::mem::take(open);
        let left = self.open(seat, ended).await;
        self.group = group;
        *open = left?;
        Ok(())
    }
}

fn standing_of(plan: Arc<larder_model::Plan>) -> Standing {
    if plan.is_empty() { Standing::Verified } else { Standing::Pending { plan } }
}

/// What would have to be done to all models, whatever the policy.
pub(super) async fn plan(
    context: &Arc<Context>,
    models: &[ModelRef<'_>],
) -> Result<Planned, MigrateError> {
    let mut seat = context.work().await?;
    let session = &mut *seat.session;
    let wants = Want::all(session.dialect(), &context.options.schema, models)?;
    let wants: Vec<_> = wants.iter().collect();
    let desired = look::desired(session, &wants).await?;
    let names = context.names(session.dialect());
    let rows = names.known_models(session, true).await?.unwrap_or_default();
    let look = Look::at(session, &wants, desired, &rows, &names).await?;
    let plan = look.plan(&wants);
    let rows = verdict::probe(session, &plan).await?;
    seat.keep();
    let models =
        models.iter().map(|of| PlannedModel { name: of.name.to_owned(), table: of.table.clone() });
    Ok(Planned { id: planned_id(&plan), plan, rows, models: models.collect() })
}
