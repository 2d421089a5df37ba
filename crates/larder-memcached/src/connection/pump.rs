//! The connection's own task: reads and writes for callers who are not alone, notices that the
//! server hung up, and watches the time.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::{Sleep, sleep};

use super::{
    Shared, Wakers,
    core::{Driver, TICKS_PER_LIMIT},
    wake,
};
use crate::error::Trouble;

pub(super) struct Pump {
    shared: Arc<Shared>,
    tick: Duration,
    watch: Option<Pin<Box<Sleep>>>,
    /// Whether the others had a turn to add to what is about to be written.
    waited: bool,
}

impl Pump {
    pub(super) fn new(shared: Arc<Shared>, time_limit: Duration) -> Self {
        let tick = (time_limit / TICKS_PER_LIMIT).max(Duration::from_millis(1));
        Self { shared, tick, watch: None, waited: false }
    }

    /// Counts the ticks that have passed, while there is traffic.
    fn poll_watch(&mut self, cx: &mut Context<'_>, wakers: &mut Wakers) {
        let mut core = self.shared.lock();
        if self.watch.is_none() && !core.is_idle() {
            core.set_watched();
            self.watch = Some(Box::pin(sleep(self.tick)));
        }
        while let Some(watch) = &mut self.watch {
            if watch.as_mut().poll(cx).is_pending() {
                return;
            }
            core.tick(wakers);
            self.watch = core.is_watched().then(|| Box::pin(sleep(self.tick)));
        }
    }
}

impl Future for Pump {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        this.shared.pump.register(cx.waker());
        let mut wakers = Wakers::new();
        this.poll_watch(cx, &mut wakers);
        let mut core = this.shared.lock();
        let ended = core.has_ended();
        if !ended && !matches!(core.driver(), Driver::Caller(_)) {
            if core.is_crowded() && core.has_output() && !this.waited {
                // Others are about to ask, too: let them, and write all of it at once.
                this.waited = true;
                drop(core);
                wake(wakers);
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            this.waited = false;
            core.set_driver(Driver::Pump);
            core.write(cx, &mut wakers);
            core.read(cx, &mut wakers);
            if core.is_idle() {
                core.set_driver(Driver::Nobody);
            }
        }
        let ended = core.has_ended();
        drop(core);
        wake(wakers);
        if ended { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Drop for Pump {
    fn drop(&mut self) {
        // The runtime is going down; nobody else would ever wake those who wait.
        self.shared.end(Trouble::Closed);
    }
}
