//! How a fan-out is run.

use std::{num::NonZeroUsize, path::PathBuf};

use larder_model::Policy;

use crate::MigrateOptions;

/// How a fan-out is run.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FanOutOptions {
    /// What may be done to the tables of a tenant. Default: [`Policy::Additive`].
    pub policy: Policy,
    /// How many tenants are worked on at once. Default: 8.
    pub parallelism: NonZeroUsize,
    /// How many of them on one [host](crate::Tenant::host). Default: 8.
    pub parallelism_per_host: NonZeroUsize,
    /// How many tenants, the first of the stream, are to succeed before any other is touched.
    /// Default: 1.
    pub canaries: usize,
    /// With how many tenants that were refused or failed it stops; those under way are finished.
    /// Default: `None`, which goes on to the end.
    pub errors_max: Option<NonZeroUsize>,
    /// The name of the run, and the folder that keeps how far it came. Default: `None`, which
    /// keeps nothing.
    pub resume: Option<(PathBuf, String)>,
    /// How each tenant is migrated.
    pub migrate: MigrateOptions,
}

impl Default for FanOutOptions {
    fn default() -> Self {
        const EIGHT: NonZeroUsize = NonZeroUsize::MIN.saturating_add(7);
        Self {
            policy: Policy::default(),
            parallelism: EIGHT,
            parallelism_per_host: EIGHT,
            canaries: 1,
            errors_max: None,
            resume: None,
            migrate: MigrateOptions::default(),
        }
    }
}

impl FanOutOptions {
    /// Sets [`policy`](Self::policy).
    #[must_use]
    pub const fn with_policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// Sets [`parallelism`](Self::parallelism).
    #[must_use]
    pub const fn with_parallelism(mut self, tenants: NonZeroUsize) -> Self {
        self.parallelism = tenants;
        self
    }

    /// Sets [`parallelism_per_host`](Self::parallelism_per_host).
    #[must_use]
    pub const fn with_parallelism_per_host(mut self, tenants: NonZeroUsize) -> Self {
        self.parallelism_per_host = tenants;
        self
    }

    /// Sets [`canaries`](Self::canaries).
    #[must_use]
    pub const fn with_canaries(mut self, tenants: usize) -> Self {
        self.canaries = tenants;
        self
    }

    /// Sets [`errors_max`](Self::errors_max).
    #[must_use]
    pub const fn with_errors_max(mut self, tenants: NonZeroUsize) -> Self {
        self.errors_max = Some(tenants);
        self
    }

    /// Keeps in a folder how far the run came, under its name: of letters, digits, `-`, `_` and
    /// `.`. A run of that name that was interrupted goes on where it was; tenants that were refused
    /// or failed are tried again.
    #[must_use]
    pub fn with_resume(mut self, folder: impl Into<PathBuf>, run: impl Into<String>) -> Self {
        self.resume = Some((folder.into(), run.into()));
        self
    }

    /// Sets [`migrate`](Self::migrate).
    #[must_use]
    pub fn with_migrate(mut self, options: MigrateOptions) -> Self {
        self.migrate = options;
        self
    }
}
