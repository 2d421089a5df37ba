//! Why a command did not do what it was asked for.
//!
//! Guards that a failure is one line that begins with `error: `, and that a reader who went away
//! is no failure.

use std::{
    error::Error,
    fmt::Write as _,
    io::{self, ErrorKind, Write as _},
    path::PathBuf,
    process::ExitCode,
};

use larder::{
    OpenError, PendingInvalidation, QueryError, SchemaError, SettingsError, clusters,
    migrate::{
        FanOutError, FileError, FileProblem, FileRunError, ImportError, MigrateError, SessionError,
    },
};

use crate::output::escape;

/// Why a command failed. No message holds any part of a URL, a parameter or an environment
/// variable that may be secret.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The command line makes no sense.
    #[error("{0}")]
    Usage(String),
    /// The file of clusters, or what is in it.
    #[error(transparent)]
    Clusters(Box<clusters::Error>),
    /// Somebody was asked, and did not say yes.
    #[error("nothing was done")]
    Declined,
    /// Nobody could be asked.
    #[error("{what}: nothing was done, as there is nobody to ask; --yes has it done")]
    Unconfirmed { what: String },
    /// Nothing that is shared has this key.
    #[error("{found} shared cluster has a hash that begins with {key:?}")]
    NotShared { key: String, found: &'static str },
    /// A secret would have been stored. It is not shown.
    #[error("the value of DATABRICKS_TOKEN stands in what is to be stored: nothing was stored")]
    TokenStored,
    /// There is no directory for state.
    #[error("there is no directory for state: name a file with --file")]
    NoStateDirectory,
    /// Neither a URL nor a file.
    #[error("the database is neither a URL of a known scheme nor an existing file")]
    DatabaseUnknown,
    /// A file or directory can not be used.
    #[error("{} can not be {action}", path.display())]
    File { path: PathBuf, action: &'static str, source: io::Error },
    /// A line of a file with databases makes no sense. It is not shown, as it may have a password
    /// in it.
    #[error("{}, line {number}: {why}", path.display())]
    Databases { path: PathBuf, number: usize, why: &'static str },
    /// The state of a run over many databases can not be kept.
    #[error(transparent)]
    FanOut(#[from] FanOutError),
    /// A file of models, of checksums or with a plan is none.
    #[error("{} can not be used", path.display())]
    Models { path: PathBuf, source: Box<dyn Error + Send + Sync> },
    /// A file or folder is not there, and somebody may not know where it comes from.
    #[error("{} is not there: {hint}", path.display())]
    Missing { path: PathBuf, hint: &'static str },
    /// A plan that somebody kept is not for the schema as it is now.
    #[error(
        "the schema is no longer the one that the plan was made for, and nothing was done: make a \
         new plan"
    )]
    PlanOutdated,
    /// A migration did not happen.
    #[error(transparent)]
    Migrate(Box<MigrateError>),
    /// SQL files did not run.
    #[error(transparent)]
    FileRun(Box<FileRunError>),
    /// A file's version can not be repaired.
    #[error(transparent)]
    FileRepair(Box<FileProblem>),
    /// SQL files can not be used.
    #[error(transparent)]
    SqlFile(#[from] FileError),
    /// The history of another tool can not be taken over.
    #[error(transparent)]
    Import(Box<ImportError>),
    /// A table that was as its model wants it is so no longer.
    #[error(transparent)]
    Schema(Box<SchemaError>),
    /// The database can not be reached.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// A file is in the way of the sample.
    #[error("{} exists and is no sample database: it is left alone", path.display())]
    NotASample { path: PathBuf },
    /// Tables are in the way of the sample.
    #[error("tables of these names exist and are no sample, they are left alone: {tables}")]
    ForeignTables { tables: String },
    /// There is no directory for caches.
    #[error("there is no directory for caches: name a file with --database")]
    NoCacheDirectory,
    /// The answer can not be written out.
    #[error("the output can not be written")]
    Output(#[source] io::Error),
    /// The write took effect, but other processes may not know.
    #[error("the statement took effect, but answers in the cache may be older")]
    Pending(#[from] PendingInvalidation),
    /// The runtime did not start.
    #[error("the runtime can not be started")]
    Runtime { source: io::Error },
    /// A database or cache can not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The database's own error, or the caller's.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The environment is not valid.
    #[error(transparent)]
    Settings(#[from] SettingsError),
}

impl Failure {
    /// A write to standard output failed.
    pub(crate) const fn output(source: io::Error) -> Self {
        Self::Output(source)
    }

    /// The JSON could not be written, which in the end is a matter of writing.
    pub(crate) fn json(source: serde_json::Error) -> Self {
        Self::Output(source.into())
    }

    /// Tells what went wrong, if anybody wants to know, and says how the process ends.
    pub(crate) fn report(&self) -> ExitCode {
        if let Self::Output(source) = self
            && source.kind() == ErrorKind::BrokenPipe
        {
            // Whoever read the output has seen enough, as with `larder demo | head`.
            return ExitCode::SUCCESS;
        }
        // There is nobody left to tell when standard error is closed.
        let _ = writeln!(io::stderr(), "error: {}", chain(self));
        match self {
            Self::Usage(_) => ExitCode::from(2),
            Self::Declined | Self::Unconfirmed { .. } => ExitCode::from(4),
            _ => ExitCode::FAILURE,
        }
    }
}

/// Errors that are large stand in a box, because every function here returns a [`Failure`].
macro_rules! boxed {
    ($($variant:ident($error:ty)),* $(,)?) => {
        $(impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self::$variant(Box::new(error))
            }
        })*
    };
}

boxed! {
    Clusters(clusters::Error),
    FileRepair(FileProblem),
    FileRun(FileRunError),
    Import(ImportError),
    Migrate(MigrateError),
}

/// An error and its sources in one line, joined by colons.
///
/// A source that its error has quoted already is left out.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        let text = source.to_string();
        if !line.contains(&text) {
            // Writing to a string does not fail.
            let _ = write!(line, ": {text}");
        }
        next = source.source();
    }
    escape::controls(&line).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{text}")]
    struct Link {
        text: &'static str,
        #[source]
        source: Option<Box<Self>>,
    }

    fn link(texts: &[&'static str]) -> Option<Box<Link>> {
        let (&text, rest) = texts.split_first()?;
        Some(Box::new(Link { text, source: link(rest) }))
    }

    fn check(texts: &[&'static str], expected: &str) {
        assert_eq!(link(texts).map(|error| chain(&*error)).as_deref(), Some(expected));
    }

    #[test]
    fn sources_follow_in_order() {
        check(&["a"], "a");
        check(&["a", "b", "c"], "a: b: c");
    }

    #[test]
    fn what_was_quoted_already_is_not_repeated() {
        check(&["outer", "failed: no such table", "no such table"], "outer: failed: no such table");
    }

    #[test]
    fn a_failure_is_one_line_without_control_characters() {
        check(&["near \"\n\"", "\u{1b}[2J"], "near \"\\n\": \\u{1b}[2J");
    }
}
