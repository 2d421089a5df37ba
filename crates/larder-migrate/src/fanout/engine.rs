//! Who is worked on when.
//!
//! Invariants: never more tenants at once than the options say, in all and on one host; no tenant
//! is begun before the canaries have succeeded, nor after the last error that is allowed; every
//! tenant that was begun is reported.

use std::{
    collections::{BTreeSet, HashMap},
    future::poll_fn,
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use futures_core::Stream;
use larder_core::{Clock, Tick};
use tokio::{sync::Semaphore, task::JoinSet};

use super::{
    FanOutError, FanOutEvent, FanOutOptions, FanOutStop, FanOutSummary, Tenant, TenantOutcome,
    TenantReport,
    state::{State, StateFile},
};

/// What is done with one tenant, and under which plan.
pub(super) type Done = (TenantOutcome, Option<String>);

/// The work on one tenant.
#[async_trait::async_trait]
pub(super) trait Work: Send + Sync + 'static {
    async fn work(&self, tenant: &Tenant) -> Done;
}

/// A run under way.
pub(super) struct Engine<'a> {
    options: &'a FanOutOptions,
    work: Arc<dyn Work>,
    tell: &'a (dyn Fn(FanOutEvent) + Send + Sync),
    clock: Arc<dyn Clock>,
    state: Option<(StateFile, State)>,
    saved: Tick,
    names: BTreeSet<String>,
    all: Arc<Semaphore>,
    hosts: HashMap<Option<String>, Arc<Semaphore>>,
    under_way: JoinSet<TenantReport>,
    /// Whom the tasks work on, for those that end without a report.
    begun: HashMap<tokio::task::Id, String>,
    summary: FanOutSummary,
}

/// How many tenants wait for their host, for each that is worked on: so that a host with many
/// tenants in a row does not hold up the others.
const WAITING: usize = 4;

/// How often it is kept how far the run came. What is lost is looked at again.
const SAVE_INTERVAL: Duration = Duration::from_secs(1);

impl<'a> Engine<'a> {
    pub(super) fn new(
        options: &'a FanOutOptions,
        work: Arc<dyn Work>,
        tell: &'a (dyn Fn(FanOutEvent) + Send + Sync),
        state: Option<(StateFile, State)>,
    ) -> Self {
        let run = state.as_ref().map(|(_, state)| state.run.clone());
        Self {
            options,
            work,
            tell,
            clock: Arc::clone(&options.migrate.clock),
            state,
            saved: Tick::default(),
            names: BTreeSet::new(),
            all: Arc::new(Semaphore::new(options.parallelism.get())),
            hosts: HashMap::new(),
            under_way: JoinSet::new(),
            begun: HashMap::new(),
            summary: FanOutSummary { run, ..FanOutSummary::default() },
        }
    }

    /// Works on every tenant of the stream.
    pub(super) async fn run(
        mut self,
        mut tenants: Pin<&mut (dyn Stream<Item = Tenant> + Send)>,
    ) -> Result<FanOutSummary, FanOutError> {
        let start = self.clock.now();
        self.saved = start;
        let mut canaries = self.options.canaries;
        let waiting_max = self.options.parallelism.get().saturating_mul(1 + WAITING);
        while self.summary.stopped.is_none() {
            if canaries == 0 && self.under_way.len() >= waiting_max {
                self.finish_one().await?;
                continue;
            }
            let Some(tenant) = poll_fn(|context| tenants.as_mut().poll_next(context)).await else {
                break;
            };
            let is_begun = self.begin(tenant);
            if canaries > 0 && is_begun {
                canaries -= 1;
                if canaries == 0 {
                    self.finish_canaries().await?;
                }
            }
        }
        while !self.under_way.is_empty() {
            self.finish_one().await?;
        }
        self.save().await?;
        self.summary.elapsed_us = micros(self.clock.now().since(start));
        Ok(self.summary)
    }

    /// Begins with a tenant. `false` if there is nothing to do.
    fn begin(&mut self, tenant: Tenant) -> bool {
        let is_done =
            self.state.as_ref().is_some_and(|(_, state)| state.done.contains(&tenant.name));
        if !self.names.insert(tenant.name.clone()) {
            let error = "another tenant has the same name".to_owned();
            self.report(at_once(tenant.name, TenantOutcome::Failed { error }));
            return false;
        }
        if is_done {
            self.report(at_once(tenant.name, TenantOutcome::Resumed));
            return false;
        }
        let per_host = self.options.parallelism_per_host.get();
        let host = self.hosts.entry(tenant.host.clone());
        let host = Arc::clone(host.or_insert_with(|| Arc::new(Semaphore::new(per_host))));
        let (all, work, clock) =
            (Arc::clone(&self.all), Arc::clone(&self.work), Arc::clone(&self.clock));
        let name = tenant.name.clone();
        (self.tell)(FanOutEvent::Started { tenant: name.clone() });
        let begun = self.under_way.spawn(async move {
            // Nobody closes them, and nobody waits for a host who holds one of all places.
            let _host = host.acquire().await;
            let _place = all.acquire().await;
            let start = clock.now();
            let (outcome, plan) = work.work(&tenant).await;
            let elapsed_us = micros(clock.now().since(start));
            TenantReport { tenant: tenant.name, outcome, plan, elapsed_us }
        });
        self.begun.insert(begun.id(), name);
        true
    }

    /// Waits until one of those under way is done with.
    async fn finish_one(&mut self) -> Result<(), FanOutError> {
        match self.under_way.join_next_with_id().await {
            None => return Ok(()),
            Some(Ok((id, report))) => {
                self.begun.remove(&id);
                self.report(report);
            }
            Some(Err(broken)) => {
                let error =
                    if broken.is_panic() { "its work panicked" } else { "it was cancelled" };
                let outcome = TenantOutcome::Failed { error: error.to_owned() };
                let tenant = self.begun.get(&broken.id()).cloned().unwrap_or_default();
                self.report(at_once(tenant, outcome));
            }
        }
        if self.clock.now().since(self.saved) >= SAVE_INTERVAL {
            self.save().await?;
        }
        Ok(())
    }

    async fn finish_canaries(&mut self) -> Result<(), FanOutError> {
        while !self.under_way.is_empty() {
            self.finish_one().await?;
        }
        if self.summary.refused + self.summary.failed > 0 {
            self.stop(FanOutStop::Canary);
        } else {
            (self.tell)(FanOutEvent::CanariesPassed);
        }
        Ok(())
    }

    fn report(&mut self, report: TenantReport) {
        self.summary.add(&report);
        if report.outcome.is_ok()
            && let Some((_, state)) = &mut self.state
        {
            state.done.insert(report.tenant.clone());
        }
        (self.tell)(FanOutEvent::Finished(report));
        let errors = self.summary.refused + self.summary.failed;
        if self.options.errors_max.is_some_and(|max| errors >= max.get()) {
            self.stop(FanOutStop::Errors);
        }
    }

    fn stop(&mut self, why: FanOutStop) {
        if self.summary.stopped.is_none() {
            self.summary.stopped = Some(why);
            (self.tell)(FanOutEvent::Stopping(why));
        }
    }

    async fn save(&mut self) -> Result<(), FanOutError> {
        self.saved = self.clock.now();
        match &self.state {
            Some((file, state)) => file.save(state).await,
            None => Ok(()),
        }
    }
}

fn at_once(tenant: String, outcome: TenantOutcome) -> TenantReport {
    TenantReport { tenant, outcome, plan: None, elapsed_us: 0 }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
