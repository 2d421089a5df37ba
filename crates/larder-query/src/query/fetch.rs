//! The future of a fetch: one look at the near tier, and the fetch itself if that finds nothing.
//!
//! Guards that the look happens when the future is polled first and not when it is made, so that
//! it sees every invalidation until then; and that a hit pays for nothing else. An `async fn`
//! would move the query once more, and it is polled by a call that returns through memory; both
//! cost more than the look.

use std::{
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll},
};

/// How a query looks at the near tier. A trait of its own, because a closure can not be told to
/// be inlined.
pub(super) trait Peek<Q> {
    type Answer;

    fn peek(query: &Q) -> Option<Self::Answer>;
}

pub(super) struct Fetch<Q, P, S, F> {
    peek: PhantomData<fn() -> P>,
    /// The query and how to fetch it, until the fetch begins.
    start: Option<(Q, S)>,
    /// Boxed, so that the future of a hit stays small.
    fetch: Option<Pin<Box<F>>>,
}

impl<Q, P, S, F> Fetch<Q, P, S, F>
where
    P: Peek<Q, Answer = F::Output>,
    S: FnOnce(Q) -> F,
    F: Future,
{
    #[inline(always)]
    pub(super) const fn new(_peek: P, query: Q, fetch: S) -> Self
    where
        P: Copy,
    {
        Self { peek: PhantomData, start: Some((query, fetch)), fetch: None }
    }
}

// Nothing is pinned in place: the fetch is in a box of its own.
impl<Q, P, S, F> Unpin for Fetch<Q, P, S, F> {}

impl<Q, P, S, F> Future for Fetch<Q, P, S, F>
where
    P: Peek<Q, Answer = F::Output>,
    S: FnOnce(Q) -> F,
    F: Future,
{
    type Output = F::Output;

    #[inline(always)]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let Self { start, fetch, .. } = self.get_mut();
        if let Some((query, _)) = start
            && let Some(hit) = P::peek(query)
        {
            return Poll::Ready(hit);
        }
        poll_fetch(start, fetch, context).map(|answer| *answer)
    }
}

/// The answer is boxed, because it would otherwise be returned through memory, and that of a hit
/// with it.
#[cold]
#[inline(never)]
fn poll_fetch<Q, F: Future>(
    start: &mut Option<(Q, impl FnOnce(Q) -> F)>,
    fetch: &mut Option<Pin<Box<F>>>,
    context: &mut Context<'_>,
) -> Poll<Box<F::Output>> {
    if let Some((query, begin)) = start.take() {
        *fetch = Some(Box::pin(begin(query)));
    }
    match fetch {
        Some(fetch) => fetch.as_mut().poll(context).map(Box::new),
        // Not reached: what was taken from `start` is in `fetch`.
        None => Poll::Pending,
    }
}
