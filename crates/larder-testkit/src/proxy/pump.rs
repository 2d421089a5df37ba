//! One direction of one connection: reads frames and passes them on as the script says.
//!
//! Invariants: what a fault holds back is passed on, in order, when the fault is lifted; a
//! connection that lost bytes never carries others. Latency is no limit of throughput: while a
//! frame is on its way, others set out.

use std::{collections::VecDeque, future, pin::Pin, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::tcp::{ReadHalf, WriteHalf},
    sync::watch,
    time::{Sleep, sleep},
};

use super::{
    Direction, WireFault,
    random::Random,
    script::{Planned, Script},
    stats::Counters,
};

/// Why a connection is over although neither side has ended it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Close,
    Reset,
}

pub(super) struct Pump<'a> {
    direction: Direction,
    script: watch::Receiver<Script>,
    counters: &'a Counters,
    random: Random,
    planned: Planned,
    /// Bytes that passed since the present fault was set.
    passed: u64,
    held: Vec<u8>,
    late: VecDeque<Late>,
    is_lost: bool,
}

/// A frame that is on its way.
struct Late {
    arrives: Pin<Box<Sleep>>,
    frame: Vec<u8>,
}

const FRAME: usize = 64 * 1_024;
/// What is held back at most; more is left in the sockets.
const HELD_MAX: usize = 16 * 1_024 * 1_024;
const OVERSIZE: &[u8] = b"99999999999";

impl<'a> Pump<'a> {
    pub(super) fn new(
        direction: Direction,
        script: watch::Receiver<Script>,
        counters: &'a Counters,
        random: Random,
    ) -> Self {
        let planned = script.borrow().planned(direction);
        let (passed, held, late, is_lost) = (0, Vec::new(), VecDeque::new(), false);
        Self { direction, script, counters, random, planned, passed, held, late, is_lost }
    }

    /// Passes frames on until the sender ends, and then ends towards the receiver.
    pub(super) async fn run(
        mut self,
        mut from: ReadHalf<'_>,
        mut to: WriteHalf<'_>,
    ) -> Result<(), End> {
        let mut frame = vec![0; FRAME];
        let mut has_ended = false;
        loop {
            self.update(&mut to).await?;
            if has_ended && self.late.is_empty() {
                break;
            }
            let has_room = self.held_back() < HELD_MAX;
            tokio::select! {
                changed = self.script.changed() => changed.map_err(|_| End::Close)?,
                frame = arrival(&mut self.late) => self.send(&mut to, &frame).await?,
                read = from.read(&mut frame), if has_room && !has_ended => match read {
                    Ok(0) => has_ended = true,
                    Ok(bytes) => {
                        self.update(&mut to).await?;
                        self.meet(&mut to, &frame[..bytes]).await?;
                    }
                    Err(_) => return Err(End::Reset),
                },
            }
        }
        if self.planned.fault == Some(WireFault::Stall) {
            // Nobody waits for what is held back any more.
            return Err(End::Close);
        }
        self.release(&mut to).await?;
        to.shutdown().await.map_err(|_| End::Reset)
    }

    /// Takes a change of the script over, and lets go of what the fault before held back.
    async fn update(&mut self, to: &mut WriteHalf<'_>) -> Result<(), End> {
        let planned = self.script.borrow_and_update().planned(self.direction);
        if planned == self.planned {
            return Ok(());
        }
        self.planned = planned;
        self.passed = 0;
        self.release(to).await
    }

    async fn release(&mut self, to: &mut WriteHalf<'_>) -> Result<(), End> {
        while let Some(late) = self.late.pop_front() {
            self.send(to, &late.frame).await?;
        }
        let held = std::mem::take(&mut self.held);
        self.send(to, &held).await
    }

    /// How many bytes wait here.
    fn held_back(&self) -> usize {
        self.held.len() + self.late.iter().map(|late| late.frame.len()).sum::<usize>()
    }

    async fn meet(&mut self, to: &mut WriteHalf<'_>, frame: &[u8]) -> Result<(), End> {
        let Some(fault) = self.planned.fault else {
            return self.send(to, frame).await;
        };
        self.counters.fault();
        match fault {
            WireFault::Bandwidth { bytes_per_second } => {
                self.send_slowly(to, frame, bytes_per_second.max(1)).await
            }
            WireFault::CloseAfter { bytes } => self.end_after(to, frame, bytes, End::Close).await,
            WireFault::Duplicate => {
                self.send(to, frame).await?;
                self.send(to, frame).await
            }
            WireFault::Garbage { bytes } => {
                let garbage = self.random.bytes(bytes);
                self.send(to, &garbage).await?;
                self.send(to, frame).await
            }
            WireFault::Latency { delay, jitter } => {
                let delay = delay.saturating_add(self.random.up_to(jitter));
                let arrives = Box::pin(sleep(delay));
                self.late.push_back(Late { arrives, frame: frame.to_vec() });
                Ok(())
            }
            WireFault::Oversize => self.send(to, &oversized(frame)).await,
            WireFault::ResetAfter { bytes } => self.end_after(to, frame, bytes, End::Reset).await,
            WireFault::Stall => {
                self.held.extend_from_slice(frame);
                Ok(())
            }
            WireFault::Swallow => {
                self.is_lost = true;
                Ok(())
            }
            WireFault::Swap if self.held.is_empty() => {
                self.held.extend_from_slice(frame);
                Ok(())
            }
            WireFault::Swap => {
                self.send(to, frame).await?;
                self.release(to).await
            }
            WireFault::Trickle { pause } => {
                for byte in frame {
                    self.pause(pause).await;
                    self.send(to, &[*byte]).await?;
                }
                Ok(())
            }
            WireFault::Truncate => {
                self.send(to, &frame[..frame.len() / 2]).await?;
                Err(End::Close)
            }
        }
    }

    /// Passes on what is still allowed, and ends the connection if that was not all.
    async fn end_after(
        &mut self,
        to: &mut WriteHalf<'_>,
        frame: &[u8],
        bytes: u64,
        end: End,
    ) -> Result<(), End> {
        let allowed = usize::try_from(bytes.saturating_sub(self.passed)).unwrap_or(usize::MAX);
        let allowed = allowed.min(frame.len());
        self.send(to, &frame[..allowed]).await?;
        if allowed < frame.len() { Err(end) } else { Ok(()) }
    }

    /// Twenty slices per second, or single bytes if there are fewer.
    async fn send_slowly(
        &mut self,
        to: &mut WriteHalf<'_>,
        frame: &[u8],
        bytes_per_second: u64,
    ) -> Result<(), End> {
        let slice = usize::try_from(bytes_per_second / 20).unwrap_or(usize::MAX).max(1);
        for slice in frame.chunks(slice) {
            let nanos = (slice.len() as u64).saturating_mul(1_000_000_000) / bytes_per_second;
            self.pause(Duration::from_nanos(nanos)).await;
            self.send(to, slice).await?;
        }
        Ok(())
    }

    /// Waits, but not beyond the end of the fault.
    async fn pause(&mut self, time: Duration) {
        let (direction, planned) = (self.direction, self.planned);
        let lifted = self.script.wait_for(|script| script.planned(direction) != planned);
        // An end of the wait by time is what the fault is about.
        let _ = tokio::time::timeout(time, lifted).await;
    }

    async fn send(&mut self, to: &mut WriteHalf<'_>, bytes: &[u8]) -> Result<(), End> {
        if self.is_lost || bytes.is_empty() {
            return Ok(());
        }
        to.write_all(bytes).await.map_err(|_| End::Reset)?;
        self.passed = self.passed.saturating_add(bytes.len() as u64);
        self.counters.passed(self.direction, bytes.len());
        Ok(())
    }
}

/// The next frame that arrives, which is never one behind another.
async fn arrival(late: &mut VecDeque<Late>) -> Vec<u8> {
    if let Some(next) = late.front_mut() {
        next.arrives.as_mut().await;
    }
    match late.pop_front() {
        Some(next) => next.frame,
        None => future::pending().await,
    }
}

/// The frame with its first decimal number replaced.
fn oversized(frame: &[u8]) -> Vec<u8> {
    let Some(start) = frame.iter().position(u8::is_ascii_digit) else {
        return frame.to_vec();
    };
    let digits = frame[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    [&frame[..start], OVERSIZE, &frame[start + digits..]].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_number_of_a_frame_becomes_too_large() {
        for (frame, oversize) in [
            ("$5\r\nhello\r\n", "$99999999999\r\nhello\r\n"),
            ("VA 12 v\r\n", "VA 99999999999 v\r\n"),
            ("HD\r\n", "HD\r\n"),
            ("1", "99999999999"),
        ] {
            assert_eq!(oversized(frame.as_bytes()), oversize.as_bytes());
        }
    }
}
