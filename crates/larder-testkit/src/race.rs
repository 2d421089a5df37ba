//! Many tasks that do the same thing at the same time.

use std::sync::Arc;

use tokio::{sync::Barrier, task::JoinHandle};

use crate::bench::Handle;

/// How many tasks take part in a race.
pub(crate) const CONTENDERS: usize = 64;

/// Starts the contenders together, spread over the handles, and collects their results.
pub(crate) async fn race<T, Fut>(handles: &[Handle], contend: impl Fn(Handle) -> Fut) -> Vec<T>
where
    T: Send + 'static,
    Fut: Future<Output = T> + Send + 'static,
{
    let start = Arc::new(Barrier::new(CONTENDERS));
    let mut tasks = Vec::with_capacity(CONTENDERS);
    for handle in handles.iter().cycle().take(CONTENDERS) {
        let (start, contender) = (Arc::clone(&start), contend(handle.clone()));
        tasks.push(tokio::spawn(async move {
            start.wait().await;
            contender.await
        }));
    }
    let mut results = Vec::with_capacity(CONTENDERS);
    for task in tasks {
        results.push(outcome(task).await);
    }
    results
}

/// Runs two calls at the same time; which of them gets a head start changes with the round.
pub(crate) async fn both<A, B>(
    round: usize,
    one: impl Future<Output = A> + Send + 'static,
    other: impl Future<Output = B> + Send + 'static,
) -> (A, B)
where
    A: Send + 'static,
    B: Send + 'static,
{
    let (one, other) = if round.is_multiple_of(2) {
        let one = tokio::spawn(one);
        (one, tokio::spawn(other))
    } else {
        let other = tokio::spawn(other);
        (tokio::spawn(one), other)
    };
    (outcome(one).await, outcome(other).await)
}

async fn outcome<T>(task: JoinHandle<T>) -> T {
    match task.await {
        Ok(result) => result,
        // A contender's panic is the case's panic, with its own message.
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(error) => panic!("a contender was cancelled: {error}"),
        },
    }
}
