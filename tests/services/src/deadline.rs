//! Waiting for something outside of this process: ask again and again, but not for ever.
//!
//! This is the one place that asks for the time and sleeps, because a server that comes up sends
//! no event that could be waited for.

use std::{
    thread,
    time::{Duration, Instant},
};

/// A moment until which something is waited for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(Instant);

#[expect(
    clippy::disallowed_methods,
    reason = "it waits for other processes, which do not follow a clock of ours"
)]
impl Deadline {
    /// The moment that is this far away.
    pub(crate) fn after(limit: Duration) -> Self {
        Self(Instant::now() + limit)
    }

    fn has_passed(self) -> bool {
        Instant::now() >= self.0
    }

    /// Tries until there is something, or the time is over. The first attempt is always made.
    pub(crate) fn poll<T>(self, mut attempt: impl FnMut() -> Option<T>) -> Option<T> {
        const LONGEST: Duration = Duration::from_millis(50);
        let mut pause = Duration::from_millis(2);
        loop {
            if let Some(found) = attempt() {
                return Some(found);
            }
            if self.has_passed() {
                return None;
            }
            thread::sleep(pause);
            pause = (pause * 2).min(LONGEST);
        }
    }
}

/// How long something took: for messages only.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopwatch(Instant);

#[expect(clippy::disallowed_methods, reason = "it measures other processes, for people to read")]
impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_attempt_is_made_even_if_there_is_no_time() {
        assert_eq!(Deadline::after(Duration::ZERO).poll(|| Some(7)), Some(7));
        assert_eq!(Deadline::after(Duration::ZERO).poll(|| None::<u8>), None);
    }

    #[test]
    fn it_is_asked_until_it_is_there() {
        let mut asked = 0;
        let found = Deadline::after(Duration::from_secs(60)).poll(|| {
            asked += 1;
            (asked == 3).then_some(asked)
        });
        assert_eq!(found, Some(3));
    }
}
