//! What time it is on a server, as far as that is known from here.
//!
//! A server counts whole seconds by a clock of its own. Each time it says how late it is, the
//! moment at which its count began gets narrower bounds. Invariant: while both clocks run at the
//! same speed, the true time is within the bounds.

use std::time::Duration;

use larder_core::Tick;

const SECOND: i128 = 1_000_000_000;

/// How long bounds are relied on. Two clocks that differ by a tenth of a per mille are apart by
/// six milliseconds then.
const RELIABLE: Duration = Duration::from_secs(60);

/// Bounds of the moment, by our clock and in nanoseconds, at which the server's clock was zero.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ServerTime {
    earliest: i128,
    latest: i128,
    observed: Tick,
}

/// The server's time at a moment of ours, in Unix milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bounds {
    pub(crate) earliest_ms: u64,
    pub(crate) latest_ms: u64,
}

impl ServerTime {
    /// The server said between two moments of ours that it was this late, in Unix seconds.
    pub(crate) fn observe(known: Option<Self>, sent: Tick, received: Tick, seconds: u64) -> Self {
        let (sent, after) = (i128::from(sent.as_nanos()), i128::from(received.as_nanos()));
        let seconds = i128::from(seconds) * SECOND;
        // The second had begun when the answer came, and was not over when the question was sent.
        let fresh =
            Self { earliest: sent - seconds - SECOND, latest: after - seconds, observed: received };
        let Some(known) = known.filter(|known| received.since(known.observed) < RELIABLE) else {
            return fresh;
        };
        let both = Self {
            earliest: fresh.earliest.max(known.earliest),
            latest: fresh.latest.min(known.latest),
            observed: known.observed,
        };
        // Bounds that exclude each other say that one of the clocks was moved.
        if both.earliest <= both.latest { both } else { fresh }
    }

    /// Whether the last look at the server's clock is recent enough.
    pub(crate) fn is_reliable(&self, now: Tick) -> bool {
        now.since(self.observed) < RELIABLE
    }

    pub(crate) fn bounds(&self, now: Tick) -> Bounds {
        let millis = |origin: i128| {
            let elapsed = (i128::from(now.as_nanos()) - origin).max(0) / 1_000_000;
            u64::try_from(elapsed).unwrap_or(u64::MAX)
        };
        Bounds { earliest_ms: millis(self.latest), latest_ms: millis(self.earliest) }
    }
}

impl Bounds {
    /// The second that the server counts, if it is certain.
    pub(crate) const fn second(self) -> Option<u64> {
        let second = self.latest_ms / 1_000;
        if self.earliest_ms / 1_000 == second { Some(second) } else { None }
    }

    /// The latest second that the server may count.
    pub(crate) const fn latest_second(self) -> u64 {
        self.latest_ms / 1_000
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORIGIN: u64 = 1_735_689_600;

    fn at(millis: u64) -> Tick {
        Tick::from_nanos((ORIGIN * 1_000 + millis) * 1_000_000)
    }

    /// What a server whose clock is ours says when it is asked at these milliseconds.
    fn observe(known: Option<ServerTime>, sent: u64, received: u64) -> ServerTime {
        let answered = u64::midpoint(sent, received);
        ServerTime::observe(known, at(sent), at(received), ORIGIN + answered / 1_000)
    }

    #[test]
    fn the_true_time_is_within_the_bounds_and_every_look_narrows_them() {
        let mut known = observe(None, 300, 302);
        let mut width = u64::MAX;
        for asked in [300, 1_900, 2_700, 3_999, 5_000, 7_450] {
            known = observe(Some(known), asked, asked + 2);
            let bounds = known.bounds(at(8_000));
            let truth = ORIGIN * 1_000 + 8_000;
            assert!(bounds.earliest_ms <= truth && truth <= bounds.latest_ms, "{bounds:?}");
            assert!(bounds.latest_ms - bounds.earliest_ms <= width);
            width = bounds.latest_ms - bounds.earliest_ms;
        }
        assert!(width < 110, "{width}");
    }

    #[test]
    fn a_second_is_certain_away_from_its_ends() {
        let known = observe(Some(observe(None, 300, 302)), 900, 902);
        for (asked, second) in [(400, Some(0)), (850, Some(0)), (950, None), (1_500, Some(1))] {
            let bounds = known.bounds(at(asked));
            assert_eq!(bounds.second(), second.map(|second| ORIGIN + second), "at {asked} ms");
        }
        assert_eq!(known.bounds(at(950)).latest_second(), ORIGIN + 1);
    }

    #[test]
    fn a_clock_that_was_moved_is_believed_anew() {
        let known = observe(None, 300, 302);
        let moved = ServerTime::observe(Some(known), at(400), at(402), ORIGIN + 3_600);
        assert_eq!(moved.bounds(at(402)).earliest_ms, (ORIGIN + 3_600) * 1_000);
        assert!(moved.is_reliable(at(30_000)) && !moved.is_reliable(at(61_000)));
    }
}
