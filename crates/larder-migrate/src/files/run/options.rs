//! What is to be run.

use crate::FileVersion;

/// What [`Migrator::up`](crate::Migrator::up) runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct UpOptions {
    /// The last version to run. Default: `None`, all of them.
    pub to: Option<FileVersion>,
    /// What about files that come before one that was applied. Default: an error.
    pub out_of_order: OutOfOrder,
    /// Whether it is fine that files which were applied are not there any more, though later ones
    /// are. Default: `false`.
    pub ignore_missing: bool,
}

/// What about files that come before one that was applied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "they run or they do not")]
pub enum OutOfOrder {
    /// They run, and the history says that they came late.
    Allow,
    /// Nothing runs.
    #[default]
    Refuse,
}

/// What [`Migrator::down`](crate::Migrator::down) takes back.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "callers build it")]
pub enum DownTarget {
    /// This many versions, the highest first.
    Steps(usize),
    /// All versions after this one.
    To(FileVersion),
}

impl UpOptions {
    /// The defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets [`to`](Self::to).
    #[must_use]
    pub fn with_to(mut self, to: FileVersion) -> Self {
        self.to = Some(to);
        self
    }

    /// Sets [`out_of_order`](Self::out_of_order).
    #[must_use]
    pub const fn with_out_of_order(mut self, out_of_order: OutOfOrder) -> Self {
        self.out_of_order = out_of_order;
        self
    }

    /// Sets [`ignore_missing`](Self::ignore_missing).
    #[must_use]
    pub const fn with_ignore_missing(mut self, ignore_missing: bool) -> Self {
        self.ignore_missing = ignore_missing;
        self
    }
}
