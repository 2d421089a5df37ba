//! How long entries of a family live.

use std::time::Duration;

use larder_core::Ttl;

/// How long entries live: values, absences, and the spread between them.
///
/// Lifetimes are **absolute**, counted from the start of the load; reading an entry does not
/// prolong it. Jitter only shortens, so no entry outlives the time that was asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct TtlPolicy {
    /// How long a value lives. Default: 5 minutes.
    pub ttl: Ttl,
    /// How long an absence lives; `None` does not store absences. Default: 30 seconds.
    pub negative_ttl: Option<Ttl>,
    /// The largest share by which a lifetime is shortened at random, `0.0..=1.0`. Entries that
    /// were loaded together then do not expire together. Default: 0.1.
    jitter: f64,
}

/// A jitter that is not a share between 0 and 1.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("a jitter of {jitter} is not a share between 0 and 1")]
#[non_exhaustive]
pub struct InvalidJitter {
    /// What was given.
    pub jitter: f64,
}

const DEFAULT_TTL: Duration = Duration::from_secs(300);
const DEFAULT_NEGATIVE_TTL: Duration = Duration::from_secs(30);
const DEFAULT_JITTER: f64 = 0.1;

impl Default for TtlPolicy {
    fn default() -> Self {
        let [ttl, negative_ttl] =
            [DEFAULT_TTL, DEFAULT_NEGATIVE_TTL].map(|time| Ttl::new(time).unwrap_or(Ttl::MIN));
        Self { ttl, negative_ttl: Some(negative_ttl), jitter: DEFAULT_JITTER }
    }
}

impl TtlPolicy {
    /// Values live for `ttl`, absences for at most that and at most 30 seconds; jitter 0.1.
    #[must_use]
    pub fn new(ttl: Ttl) -> Self {
        let default = Self::default();
        Self {
            ttl,
            negative_ttl: default.negative_ttl.map(|negative| negative.min(ttl)),
            ..default
        }
    }

    /// Sets how long an absence lives; `None` does not store absences.
    #[must_use]
    pub const fn with_negative_ttl(mut self, negative_ttl: Option<Ttl>) -> Self {
        self.negative_ttl = negative_ttl;
        self
    }

    /// Sets the jitter.
    ///
    /// # Errors
    /// [`InvalidJitter`] for anything but a share between 0 and 1.
    pub fn with_jitter(mut self, jitter: f64) -> Result<Self, InvalidJitter> {
        if !(0.0..=1.0).contains(&jitter) {
            return Err(InvalidJitter { jitter });
        }
        self.jitter = jitter;
        Ok(self)
    }

    /// The lifetime of one entry, drawn now; `None` if it is not to be stored.
    pub(crate) fn draw(&self, brief: bool) -> Option<Ttl> {
        let whole = if brief { self.negative_ttl? } else { self.ttl };
        if self.jitter == 0.0 {
            return Some(whole);
        }
        Some(whole.shortened_by(self.jitter * rand::random::<f64>()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_only_shortens() {
        let ttl = Ttl::new(Duration::from_secs(100)).unwrap();
        let policy = TtlPolicy::new(ttl).with_jitter(0.5).unwrap();
        for _ in 0..1_000 {
            let drawn = policy.draw(false).unwrap().as_millis();
            assert!((50_000..=100_000).contains(&drawn), "{drawn}");
        }
    }

    #[test]
    fn an_absence_never_outlives_a_value_by_default() {
        let second = Ttl::new(Duration::from_secs(1)).unwrap();
        assert_eq!(TtlPolicy::new(second).negative_ttl, Some(second));
        assert_eq!(TtlPolicy::new(second).with_negative_ttl(None).draw(true), None);
    }

    #[test]
    fn jitter_is_a_share() {
        for jitter in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
            assert!(TtlPolicy::default().with_jitter(jitter).is_err(), "{jitter}");
        }
    }
}
