//! The connection's own task: reads and writes for callers who are not alone, and notices that the
//! server hung up.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use super::{Shared, Wakers, core::Driver, wake};
use crate::error::Trouble;

pub(super) struct Pump {
    shared: Arc<Shared>,
    /// Whether the others had a turn to add to what is about to be written.
    waited: bool,
}

impl Pump {
    pub(super) const fn new(shared: Arc<Shared>) -> Self {
        Self { shared, waited: false }
    }
}

impl Future for Pump {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        this.shared.pump.register(cx.waker());
        let mut wakers = Wakers::new();
        let mut core = this.shared.lock();
        if !core.has_ended() && !matches!(core.driver(), Driver::Caller(_)) {
            if core.is_crowded() && core.has_output() && !this.waited {
                // Others are about to ask, too: let them, and write all of it at once.
                this.waited = true;
                drop(core);
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
