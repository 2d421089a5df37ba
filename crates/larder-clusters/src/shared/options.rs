//! The times by which a registry goes: plain data with defaults.

use std::time::Duration;

use super::Kind;

/// What a registry holds, and by which times it goes. All processes of one file should agree.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SharedOptions {
    /// The kind of things. Default: [`Kind::CLUSTER`].
    pub kind: Kind,
    /// How long somebody who creates or drains has before somebody else may take over. Guards
    /// renew it. Default: 5 min.
    ///
    /// A process that is provably dead is taken over at once. This is for one that hangs, was
    /// stopped, or can not be looked at.
    pub lease: Duration,
    /// How often guards renew leases and say that their holders live. Default: 20 s, and never
    /// more than a third of [`lease`](Self::lease) or of [`holder_expiry`](Self::holder_expiry).
    pub heartbeat: Duration,
    /// How long a holder counts without a heartbeat, if it can not be told whether its process
    /// lives: on systems without `/proc`, in another container. Default: 90 s.
    pub holder_expiry: Duration,
    /// How often a waiting call looks whether something changed in another process. Changes in
    /// this one are heard of at once. Default: 100 ms.
    pub poll_interval: Duration,
    /// How long a failure is answered with itself instead of another try. Default: zero.
    pub failure_backoff: Duration,
    /// How long a creation that the former tool began counts while its process lives.
    /// Default: 30 min.
    pub former_lease: Duration,
    /// How long a thing that is gone stays in the file. Its history stays longer. Default: 24 h.
    pub gone_retention: Duration,
}

impl Default for SharedOptions {
    fn default() -> Self {
        Self {
            kind: Kind::CLUSTER,
            lease: Duration::from_secs(300),
            heartbeat: Duration::from_secs(20),
            holder_expiry: Duration::from_secs(90),
            poll_interval: Duration::from_millis(100),
            failure_backoff: Duration::ZERO,
            former_lease: Duration::from_secs(30 * 60),
            gone_retention: Duration::from_secs(24 * 3_600),
        }
    }
}

impl SharedOptions {
    /// A registry of this kind of things, with the defaults.
    #[must_use]
    pub fn new(kind: Kind) -> Self {
        Self { kind, ..Self::default() }
    }

    /// Sets how long somebody who creates or drains has.
    #[must_use]
    pub fn with_lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// Sets how often guards say that they live.
    #[must_use]
    pub fn with_heartbeat(mut self, heartbeat: Duration) -> Self {
        self.heartbeat = heartbeat;
        self
    }

    /// Sets how long a holder counts without a heartbeat.
    #[must_use]
    pub fn with_holder_expiry(mut self, holder_expiry: Duration) -> Self {
        self.holder_expiry = holder_expiry;
        self
    }

    /// Sets how often a waiting call looks.
    #[must_use]
    pub fn with_poll_interval(mut self, poll_interval: Duration) -> Self {
        self.poll_interval = poll_interval;
        self
    }

    /// Sets how long a failure is answered with itself.
    #[must_use]
    pub fn with_failure_backoff(mut self, failure_backoff: Duration) -> Self {
        self.failure_backoff = failure_backoff;
        self
    }

    /// Sets how long a creation of the former tool counts while its process lives.
    #[must_use]
    pub fn with_former_lease(mut self, former_lease: Duration) -> Self {
        self.former_lease = former_lease;
        self
    }

    /// Sets how long a thing that is gone stays in the file.
    #[must_use]
    pub fn with_gone_retention(mut self, gone_retention: Duration) -> Self {
        self.gone_retention = gone_retention;
        self
    }

    /// The interval at which guards really renew.
    pub(crate) fn beat(&self) -> Duration {
        let most = self.lease.min(self.holder_expiry) / 3;
        self.heartbeat.min(most).max(Duration::from_millis(1))
    }
}

/// A duration in milliseconds, as the file counts time.
pub(crate) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
