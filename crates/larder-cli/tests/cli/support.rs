//! Running the command in a directory of its own, with an environment of its own.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use tempfile::TempDir;

/// The command's binary.
const LARDER: &str = env!("CARGO_BIN_EXE_larder");

/// A password that must never be seen.
pub(crate) const CANARY: &str = "hunter2";

/// A directory in which the command runs.
pub(crate) struct Place {
    directory: TempDir,
}

/// What a run left behind.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    /// A place with a database `a.db` that has something in it.
    pub(crate) fn with_database() -> Self {
        let place = Self::new();
        for sql in [
            "CREATE TABLE airline (iata TEXT PRIMARY KEY, name TEXT, fleet INTEGER)",
            "INSERT INTO airline VALUES ('LH', 'Lufthansa', 9007199254740993), ('XX', '', NULL)",
        ] {
            place.run(&["query", sql, "--database", "sqlite://a.db?mode=rwc"]).ok();
        }
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(LARDER);
        command.current_dir(&self.directory).env_clear().env("HOME", self.directory.path());
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        Ran::from(self.command().args(args).output().unwrap())
    }

    pub(crate) fn run_with(&self, variables: &[(&str, &str)], args: &[&str]) -> Ran {
        let mut command = self.command();
        Ran::from(command.envs(variables.iter().copied()).args(args).output().unwrap())
    }

    /// A query on `a.db`.
    pub(crate) fn query(&self, sql: &str, args: &[&str]) -> Ran {
        self.run(&[&["query", sql, "--database", "a.db"], args].concat())
    }

    /// The names of all files, for looking whether something was left behind.
    pub(crate) fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.directory.path()).unwrap();
        let name = |path: PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
        let mut names: Vec<_> = entries.map(|entry| name(entry.unwrap().path())).collect();
        names.sort_unstable();
        names
    }
}

/// Runs until it is as it should be. One run may find that nothing was stored: a busy machine keeps
/// a server from answering in time, and what MySQL or MariaDB answered while anybody changed any
/// schema there is not stored.
pub(crate) fn eventually(
    what: &str,
    mut run: impl FnMut() -> Ran,
    fits: impl Fn(&Ran) -> bool,
) -> Ran {
    const RUNS_MAX: usize = 40;
    let mut ran = run();
    for _ in 1..RUNS_MAX {
        if fits(&ran) {
            break;
        }
        ran = run();
    }
    assert!(fits(&ran), "{what} does not come within {RUNS_MAX} runs: {ran:?}");
    ran
}

impl AsRef<Path> for Place {
    fn as_ref(&self) -> &Path {
        self.directory.path()
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self {
            code: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }
}

impl Ran {
    /// Asserts success; the standard output.
    pub(crate) fn ok(self) -> String {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.stdout
    }

    /// Asserts failure told in one line and with nothing on standard output; the line.
    pub(crate) fn failed(self, code: i32) -> String {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert_eq!(self.stdout, "", "{self:?}");
        let lines: Vec<_> = self.stderr.lines().collect();
        assert_eq!(lines.len(), 1, "{self:?}");
        assert!(lines[0].starts_with("error: "), "{self:?}");
        lines[0].to_owned()
    }

    /// Asserts failure told in one line, whatever was told on standard output before; the line.
    pub(crate) fn failed_after(self, code: i32) -> String {
        Self { stdout: String::new(), ..self }.failed(code)
    }

    /// The first words of the lines on standard error: where each answer came from.
    pub(crate) fn sources(&self) -> Vec<String> {
        assert_eq!(self.code, Some(0), "{self:?}");
        let source = |line: &str| line.split(" in ").next().unwrap().to_owned();
        self.stderr.lines().map(source).collect()
    }
}
