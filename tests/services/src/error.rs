//! What can go wrong between a setup's name and a server that answers.
//!
//! Guards that a failure says where to look: the log's path and its last lines are in the message.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::Setup;

/// The result of everything that can fail here.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a service is not there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A tool that prepares something, such as `initdb`, failed.
    #[error("`{command}` failed:\n{output}")]
    Command {
        /// The tool, with its arguments.
        command: String,
        /// Its last lines.
        output: String,
    },
    /// A file or folder can not be read or written.
    #[error("can not access {}", path.display())]
    File {
        /// What was to be accessed.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A server started and did not come to what was waited for.
    #[error("{server} did not {what}; the end of {}:\n{tail}", log.display())]
    NotReady {
        /// The name of the server.
        server: String,
        /// What was waited for, such as `answer in time`.
        what: String,
        /// The server's whole log.
        log: PathBuf,
        /// Its last lines.
        tail: String,
    },
    /// A process can not be started.
    #[error("can not run {program}")]
    Process {
        /// The program.
        program: String,
        /// Why not.
        source: io::Error,
    },
    /// A server answered a command with something else than was asked for.
    #[error("{server} answered {command} with {reply}")]
    Reply {
        /// The name of the server.
        server: String,
        /// The command.
        command: String,
        /// The answer, or what prevented one.
        reply: String,
    },
    /// A certificate can not be made.
    #[error("can not make a certificate")]
    Tls {
        /// Why not.
        source: rcgen::Error,
    },
    /// This machine has no such server and no way to get one.
    #[error("{setup} is not available here: {why}")]
    Unavailable {
        /// What was asked for.
        setup: Setup,
        /// Why it is not there.
        why: String,
    },
}

impl Error {
    /// Whether the server is missing on this machine, as opposed to one that should work and
    /// does not.
    #[must_use]
    pub const fn is_unavailable(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }

    pub(crate) fn file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { path, source }
    }

    /// A server that did not get there, with what its log says.
    pub(crate) fn not_ready(server: &str, what: impl Into<String>, log: &Path) -> Self {
        Self::NotReady {
            server: server.to_owned(),
            what: what.into(),
            log: log.to_owned(),
            tail: tail_of(log),
        }
    }
}

/// The last lines of a log.
pub(crate) fn tail_of(log: &Path) -> String {
    match fs::read(log) {
        Ok(bytes) => tail(&String::from_utf8_lossy(&bytes)),
        Err(error) => format!("(the log can not be read: {error})"),
    }
}

/// The last lines of a text, as many as somebody reads.
pub(crate) fn tail(text: &str) -> String {
    const LINES: usize = 20;
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_end_of_a_long_log_is_shown() {
        let text: String = (0..100).map(|line| format!("line {line}\n")).collect();
        assert!(tail(&text).starts_with("line 80\n"));
        assert!(tail(&text).ends_with("line 99"));
        assert_eq!(tail("one"), "one");
    }
}
