//! Timing one query in every state that the cache can be in.
//!
//! Guards that every figure is that of the whole call, seen from outside, and that figures of
//! different sources are never mixed.

use std::time::Duration;

use larder::{Cached, Dynamic, Larder, Params, Query, RowSet, Source, Tier, query::RowLimit};

use super::{
    figures::{Answer, Step},
    questions::{Question, Statement},
};
use crate::failure::Failure;

/// How often a near hit is measured.
const NEAR_CALLS: usize = 5_000;
/// How often a far hit is measured.
const FAR_CALLS: usize = 500;

/// A service, and its neighbour on the same far tier, which has no near tier.
#[derive(Debug)]
pub(crate) struct Bench {
    pub(crate) service: Larder,
    pub(crate) neighbour: Option<Larder>,
}

/// One call: how long it took from outside, and what came back.
struct Timed {
    took: Duration,
    rows: Cached<RowSet>,
}

impl Bench {
    /// Takes a query through miss, hits, refresh, write and invalidation.
    pub(crate) async fn examine(&self, question: &Question) -> Result<Answer, Failure> {
        let ask = &question.ask;
        self.forget(ask).await?;
        // The database's own cache is warm from here on, so that a miss is not made to look worse.
        let params = ask.params.iter().fold(Params::new(), |mut params, value| {
            params.bind(value);
            params
        });
        self.service.database().fetch(&ask.sql, &params, RowLimit::All).await?;

        let first = timed(&self.service, ask).await?;
        let mut steps = vec![Step::call("first call", &[first.took], &first.rows)];
        let near = repeated(&self.service, ask, NEAR_CALLS, Tier::Near).await?;
        steps.push(near.step("the same again"));
        if let Some(neighbour) = &self.neighbour {
            // Once before, so that what is measured is not its first use of the statement.
            timed(neighbour, ask).await?;
            let far = repeated(neighbour, ask, FAR_CALLS, Tier::Far).await?;
            steps.push(far.step("far tier alone"));
        }
        let refreshed = timed_query(&self.service, query(&self.service, ask).force_refresh());
        let refreshed = refreshed.await?;
        steps.push(Step::call("forced refresh", &[refreshed.took], &refreshed.rows));

        steps.push(self.write(question).await?);
        let after = timed(&self.service, ask).await;
        // Whatever came of the call, what was written is taken back.
        execute(&self.service, &question.undo).await?;
        let after = after?;
        let answer_changed = *after.rows != *first.rows;
        steps.push(Step::call("after the write", &[after.took], &after.rows));

        timed(&self.service, ask).await?;
        self.forget(ask).await?;
        let last = timed(&self.service, ask).await?;
        steps.push(Step::call("after invalidate()", &[last.took], &last.rows));
        Ok(Answer::new(question, steps, answer_changed))
    }

    /// Closes the database, so that its log does not stay behind.
    pub(crate) async fn close(&self) {
        self.service.database().close().await;
        if let Some(neighbour) = &self.neighbour {
            neighbour.database().close().await;
        }
    }

    async fn forget(&self, ask: &Statement) -> Result<(), Failure> {
        query(&self.service, ask).invalidate().await?.applied()?;
        Ok(())
    }

    async fn write(&self, question: &Question) -> Result<Step, Failure> {
        let clock = self.service.cache().clock();
        let started = clock.now();
        let rows = execute(&self.service, &question.write).await?;
        Ok(Step::write(question.write_about, clock.now().since(started), rows))
    }
}

fn query<'a>(larder: &'a Larder, ask: &'a Statement) -> Query<'a, Dynamic> {
    ask.params.iter().fold(larder.query(&ask.sql), |query, value| query.bind(value))
}

async fn execute(larder: &Larder, statement: &Statement) -> Result<u64, Failure> {
    let execute = larder.execute(&statement.sql);
    let execute = statement.params.iter().fold(execute, |execute, value| execute.bind(value));
    Ok(execute.run().await?.applied()?)
}

async fn timed(larder: &Larder, ask: &Statement) -> Result<Timed, Failure> {
    let clock = larder.cache().clock();
    let started = clock.now();
    let rows = query(larder, ask).fetch_all().await?;
    Ok(Timed { took: clock.now().since(started), rows })
}

async fn timed_query(larder: &Larder, query: Query<'_, Dynamic>) -> Result<Timed, Failure> {
    let clock = larder.cache().clock();
    let started = clock.now();
    let rows = query.fetch_all().await?;
    Ok(Timed { took: clock.now().since(started), rows })
}

/// Many calls of the same kind.
struct Repeated {
    took: Vec<Duration>,
    rows: Cached<RowSet>,
}

impl Repeated {
    fn step(&self, name: &'static str) -> Step {
        Step::call(name, &self.took, &self.rows)
    }
}

/// Calls that the tier answered; if it answered none, the last call, whoever answered it.
async fn repeated(
    larder: &Larder,
    ask: &Statement,
    calls: usize,
    tier: Tier,
) -> Result<Repeated, Failure> {
    let mut last = timed(larder, ask).await?;
    let mut took = Vec::with_capacity(calls);
    let mut answered = None;
    for _ in 0..calls {
        last = timed(larder, ask).await?;
        if last.rows.source() == Source::Hit(tier) {
            took.push(last.took);
            answered = Some(last.rows.clone());
        }
    }
    match answered {
        Some(rows) => Ok(Repeated { took, rows }),
        None => Ok(Repeated { took: vec![last.took], rows: last.rows }),
    }
}
