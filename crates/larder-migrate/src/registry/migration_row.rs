//! One line of the history.

use std::fmt;

/// A migration as the history has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "plain data, row by row what the table has")]
pub struct MigrationRow {
    /// What it is known by: `m:<model>:<number>` for a model, a file's version for a file.
    pub version: String,
    /// For people.
    pub name: String,
    /// The digest of what was to be done, as `algorithm:hex`.
    pub checksum: String,
    /// How far it came.
    pub status: MigrationStatus,
    /// What it came from.
    pub kind: Option<MigrationKind>,
    /// The application whose migration it is.
    pub application: String,
    /// The model that it was made for.
    pub model: Option<String>,
    /// The schema before it.
    pub from_fingerprint: Option<String>,
    /// The schema after it.
    pub to_fingerprint: Option<String>,
    /// How many steps it has.
    pub steps_total: i64,
    /// How many of them are done.
    pub steps_done: i64,
    /// The digests of its steps, separated by blanks.
    pub step_hashes: Option<String>,
    /// The plan, as JSON.
    pub plan_json: Option<String>,
    /// The statements that take it back, as JSON, or the text of a file.
    pub down_json: Option<String>,
    /// What it failed with.
    pub error: Option<String>,
    /// The database's own code of that.
    pub error_sqlstate: Option<String>,
    /// When it began, or was gone on with, in microseconds since 1970 UTC, by the database's clock.
    pub started_us: Option<i64>,
    /// When it ended, likewise.
    pub finished_us: Option<i64>,
    /// When it was applied, likewise; `None` also for what others applied.
    pub applied_us: Option<i64>,
    /// When it was applied, as the database prints it.
    pub applied_at: Option<String>,
    /// Who ran it: process and host.
    pub executor: Option<String>,
    /// The version of this crate that wrote it; `None` for what others wrote.
    pub engine_version: Option<String>,
    /// The token of the lock under which it was written.
    pub lock_token: Option<i64>,
    /// Its place in the history; `None` for what others wrote.
    pub seq: Option<i64>,
}

/// How far a migration came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MigrationStatus {
    /// It was done.
    Applied,
    /// What it would do was there already.
    Baseline,
    /// It failed.
    Failed,
    /// It was not begun.
    #[default]
    Pending,
    /// It was done and taken back.
    RolledBack,
    /// It was begun, and either goes on or its process ended before it did.
    Running,
    /// There was nothing to do.
    Skipped,
    /// A word that this version does not know.
    Unknown,
}

/// What a migration came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MigrationKind {
    /// What was there when the registry was told about it.
    Baseline,
    /// A file.
    File,
    /// A model.
    Model,
    /// A person who said so.
    Repair,
}

impl MigrationStatus {
    /// As the table has it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Baseline => "baseline",
            Self::Failed => "failed",
            Self::Pending => "pending",
            Self::RolledBack => "rolled_back",
            Self::Running => "running",
            Self::Skipped => "skipped",
            Self::Unknown => "unknown",
        }
    }

    /// Whether what it is about is there.
    #[must_use]
    pub const fn is_done(self) -> bool {
        matches!(self, Self::Applied | Self::Baseline | Self::Skipped)
    }

    pub(crate) fn parse(text: &str) -> Self {
        [
            Self::Applied,
            Self::Baseline,
            Self::Failed,
            Self::Pending,
            Self::RolledBack,
            Self::Running,
            Self::Skipped,
        ]
        .into_iter()
        .find(|status| status.as_str() == text)
        .unwrap_or(Self::Unknown)
    }

    /// The nearest of the four words that an older table admits.
    pub(crate) const fn as_narrow_str(self) -> &'static str {
        match self {
            Self::Applied | Self::Baseline | Self::Skipped => "applied",
            Self::Failed => "failed",
            Self::RolledBack => "rolled_back",
            Self::Pending | Self::Running | Self::Unknown => "pending",
        }
    }
}

impl fmt::Display for MigrationStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl MigrationKind {
    /// As the table has it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::File => "file",
            Self::Model => "model",
            Self::Repair => "repair",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        let all = [Self::Baseline, Self::File, Self::Model, Self::Repair];
        all.into_iter().find(|kind| kind.as_str() == text)
    }
}
