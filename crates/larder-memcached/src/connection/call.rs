//! One request of one caller, as a future.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use super::{
    Failure, Shared, Wakers,
    core::{Core, Driver},
    wake,
    watchdog::watch,
};
use crate::{
    error::Trouble,
    request::{Reply, Request},
};

/// A request that is about to be made, or waits for its reply.
#[derive(Debug)]
pub(super) struct Call<'a, 'r> {
    shared: &'a Arc<Shared>,
    state: State<'a, 'r>,
}

#[derive(Clone, Copy, Debug)]
enum State<'a, 'r> {
    Made(usize),
    New(&'a Request<'r>),
    Over,
}

impl<'a, 'r> Call<'a, 'r> {
    pub(super) const fn new(shared: &'a Arc<Shared>, request: &'a Request<'r>) -> Self {
        Self { shared, state: State::New(request) }
    }
}

impl Future for Call<'_, '_> {
    type Output = Result<Reply, Failure>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let shared = self.shared;
        let mut wakers = Wakers::new();
        let mut core = shared.lock();
        // A caller who is alone reads by itself; that needs no pump.
        let (mut pump, mut sent, mut unwatched) = (false, true, false);
        let result = match self.state {
            State::Made(slot) => look(&mut core, slot, cx, &mut wakers),
            State::New(request) => match start(&mut core, request, cx, &mut wakers) {
                Ok((slot, needs_pump)) => {
                    pump = needs_pump;
                    unwatched = !core.is_watched();
                    core.set_watched();
                    self.state = State::Made(slot);
                    core.take(slot)
                }
                Err(trouble) => {
                    sent = false;
                    Some(Err(trouble))
                }
            },
            State::Over => Some(Err(Trouble::Closed)),
        };
        drop(core);
        wake(wakers);
        if pump {
            shared.pump.wake();
        }
        if unwatched {
            watch(shared, shared.tick);
        }
        match result {
            Some(result) => {
                self.state = State::Over;
                Poll::Ready(result.map_err(|trouble| Failure { trouble, sent }))
            }
            None => Poll::Pending,
        }
    }
}

/// Makes the request. Says where its reply will be, and whether the pump has something to do.
fn start(
    core: &mut Core,
    request: &Request<'_>,
    cx: &mut Context<'_>,
    wakers: &mut Wakers,
) -> Result<(usize, bool), Trouble> {
    let alone = core.driver() == Driver::Nobody && core.is_idle();
    if alone {
        core.probe(cx, wakers);
    }
    let slot = core.submit(request, cx.waker())?;
    if !alone || core.is_crowded() {
        let pumping = core.driver() == Driver::Pump;
        core.set_driver(Driver::Pump);
        // A pump that is at work was woken for an earlier request, unless it has seen it.
        return Ok((slot, !pumping || core.has_output()));
    }
    core.set_driver(Driver::Caller(slot));
    core.write(cx, wakers);
    let stuck = core.has_output();
    if stuck {
        core.set_driver(Driver::Pump);
    }
    Ok((slot, stuck))
}

/// Looks whether the reply has come, and reads it if that is this caller's task.
fn look(
    core: &mut Core,
    slot: usize,
    cx: &mut Context<'_>,
    wakers: &mut Wakers,
) -> Option<Result<Reply, Trouble>> {
    let drives = core.driver() == Driver::Caller(slot);
    // Who is polled need not be woken: the runtime would poll once more for nothing.
    let waker = core.take_waker(slot);
    if drives {
        core.read(cx, wakers);
    }
    let result = core.take(slot);
    if result.is_none() {
        core.set_waker(slot, waker, cx.waker());
    } else if drives {
        core.set_driver(Driver::Nobody);
    }
    result
}

impl Drop for Call<'_, '_> {
    fn drop(&mut self) {
        let State::Made(slot) = self.state else { return };
        let mut core = self.shared.lock();
        core.abandon(slot);
        let drove = core.driver() == Driver::Caller(slot);
        if drove {
            core.set_driver(Driver::Pump);
        }
        drop(core);
        if drove {
            self.shared.pump.wake();
        }
    }
}
