//! Why a task could not be carried out at all, as opposed to one that ran and found something.

use std::{error::Error, fmt, io, path::PathBuf, process::ExitCode};

/// A task that could not be carried out.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A command that has to succeed for anything else to make sense did not.
    Command { command: String, stderr: String },
    /// A file or directory could not be read or written.
    File { path: PathBuf, source: io::Error },
    /// Cargo's answer was not of the form that it documents.
    Json { command: String, source: serde_json::Error },
    /// A process could not be started or listened to.
    Process { command: String, source: io::Error },
    /// No service can be started at all.
    Services(larder_services::Error),
    /// The command line makes no sense.
    Usage(String),
}

impl Failure {
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::Usage(message.into())
    }

    /// 2 for a wrong command line, 1 for everything else.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage(_) => ExitCode::from(2),
            _ => ExitCode::FAILURE,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Command { command, stderr } => {
                write!(f, "`{command}` failed:\n{}", stderr.trim_end())
            }
            Self::File { path, .. } => write!(f, "can not access {}", path.display()),
            Self::Json { command, .. } => write!(f, "can not read the output of `{command}`"),
            Self::Process { command, .. } => write!(f, "can not run `{command}`"),
            Self::Services(_) => f.write_str("can not look after the services"),
            Self::Usage(message) => {
                write!(f, "{message}; `cargo xtask help` lists the commands")
            }
        }
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::File { source, .. } | Self::Process { source, .. } => Some(source),
            Self::Json { source, .. } => Some(source),
            Self::Services(source) => Some(source),
            Self::Command { .. } | Self::Usage(_) => None,
        }
    }
}

impl From<larder_services::Error> for Failure {
    fn from(source: larder_services::Error) -> Self {
        Self::Services(source)
    }
}
