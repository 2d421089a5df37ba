//! What every part of one backend shares: the configuration, the names, and the time limit.

use std::time::Duration;

use larder_core::{Clock, Tick};

use crate::{Deployment, RedisConfig, error::Trouble, keys::Names, tls::Tls};

/// The configuration and what was made of it once.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) config: RedisConfig,
    pub(crate) names: Names,
    /// `None` for plain text.
    pub(crate) tls: Option<Tls>,
}

impl Settings {
    pub(crate) fn new(config: RedisConfig) -> Result<Self, Trouble> {
        let is_cluster = matches!(config.deployment, Deployment::Cluster(_));
        let names = Names::new(&config.namespace, is_cluster);
        let tls = config.tls.then(|| Tls::new(&config.ca_files)).transpose()?;
        Ok(Self { config, names, tls })
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.config.clock
    }

    /// The time limit of a call that begins now.
    pub(crate) fn deadline(&self) -> Deadline<'_> {
        let clock = self.clock();
        let begin = clock.now();
        Deadline { clock, begin, end: begin.after(self.config.time_limit) }
    }
}

/// When a call has to be over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline<'a> {
    clock: &'a dyn Clock,
    begin: Tick,
    end: Tick,
}

impl Deadline<'_> {
    /// When the call began.
    pub(crate) const fn begin(&self) -> Tick {
        self.begin
    }

    pub(crate) fn remaining(&self) -> Duration {
        self.end.since(self.clock.now())
    }

    pub(crate) fn is_over(&self) -> bool {
        self.remaining().is_zero()
    }

    /// Waits for a future, but no longer than this.
    ///
    /// # Cancel safety
    /// That of the future.
    pub(crate) async fn limit<T>(
        &self,
        future: impl Future<Output = Result<T, Trouble>>,
    ) -> Result<T, Trouble> {
        tokio::time::timeout(self.remaining(), future).await.unwrap_or(Err(Trouble::Timeout))
    }
}
