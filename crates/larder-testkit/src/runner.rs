//! Runs one case: a runtime with several threads, a store of its own, and a limit on the time.

use std::time::Duration;

use futures_util::future::LocalBoxFuture;

use crate::Fixture;

/// How long one case may take; a deadlock then fails instead of hanging the whole run.
const CASE_TIME_MAX: Duration = Duration::from_secs(120);

/// A conformance case with its name, for those who run cases by other means than
/// [`conformance!`](crate::conformance).
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Case {
    /// The group that the case belongs to.
    pub group: &'static str,
    /// What the case claims.
    pub name: &'static str,
    /// The case itself.
    pub run: for<'a> fn(&'a dyn Fixture) -> LocalBoxFuture<'a, ()>,
}

impl Case {
    #[doc(hidden)]
    #[must_use]
    pub const fn new(
        group: &'static str,
        name: &'static str,
        run: for<'a> fn(&'a dyn Fixture) -> LocalBoxFuture<'a, ()>,
    ) -> Self {
        Self { group, name, run }
    }
}

/// Creates a fixture and runs one case on it.
///
/// # Panics
/// If the case fails, or takes longer than two minutes.
pub fn run<F: Fixture>(case: impl AsyncFnOnce(&dyn Fixture)) {
    block_on(async {
        let fixture = F::create().await;
        case(&fixture).await;
    });
}

/// Runs a future to its end on a runtime of its own, several threads wide so that races are real.
pub(crate) fn block_on(future: impl Future<Output = ()>) {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => panic!("a runtime could not be started: {error}"),
    };
    // Boxed, because a case may hold many futures of the backend at once.
    let limited = async { tokio::time::timeout(CASE_TIME_MAX, Box::pin(future)).await };
    assert!(runtime.block_on(limited).is_ok(), "the case did not end within {CASE_TIME_MAX:?}");
    // Detached work of the backend under test must not hold the run up.
    runtime.shutdown_background();
}
