//! A future that is given up after a number of polls, as `select!` and time limits do.

use std::{
    pin::pin,
    task::{Context, Poll},
};

/// Polls a future until it is ready, but `polls_max` times at most, and then drops it.
///
/// Between two polls the future is really waited for: it is polled when it was woken. `None`
/// says that it was given up.
///
/// Interrupting the same call after 0, 1, 2… polls, until it returns `Some`, drops it at every
/// point at which it can be dropped.
///
/// # Cancel safety
/// Dropping it drops the future.
pub async fn interrupt<T>(future: impl Future<Output = T>, polls_max: usize) -> Option<T> {
    let mut future = pin!(future);
    let mut polls_left = polls_max;
    std::future::poll_fn(move |context: &mut Context<'_>| {
        if polls_left == 0 {
            return Poll::Ready(None);
        }
        polls_left -= 1;
        match future.as_mut().poll(context) {
            Poll::Ready(result) => Poll::Ready(Some(result)),
            Poll::Pending if polls_left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn a_future_is_dropped_after_the_given_number_of_polls() {
        let steps = AtomicUsize::new(0);
        let work = || async {
            for _ in 0..3 {
                steps.fetch_add(1, Ordering::SeqCst);
                tokio::task::yield_now().await;
            }
            "done"
        };
        for (polls_max, taken, result) in
            [(0, 0, None), (1, 1, None), (3, 3, None), (4, 3, Some("done"))]
        {
            steps.store(0, Ordering::SeqCst);
            assert_eq!(interrupt(work(), polls_max).await, result, "{polls_max} polls");
            assert_eq!(steps.load(Ordering::SeqCst), taken, "{polls_max} polls");
        }
    }
}
