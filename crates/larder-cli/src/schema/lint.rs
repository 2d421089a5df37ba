//! `larder schema lint`: what SQL files should better not do.

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, ValueEnum};
use larder::{
    migrate::{MigrationFiles, Severity, lint},
    model::Dialect,
};
use serde_json::json;

use super::{answer::AnswerArgs, command::PENDING};
use crate::{
    failure::Failure,
    output::{Paint, escape},
};

/// Look through SQL files for statements that lock, rewrite or lose more than they seem to
///
/// No database is asked. A file says `-- larder: allow=<code>` where it is meant so. The exit code
/// is 3 if something was found.
#[derive(Debug, Args)]
pub(super) struct LintArgs {
    /// The folder with SQL files
    #[arg(value_name = "FOLDER", default_value = "migrations")]
    dir: PathBuf,

    /// The database that they are for
    #[arg(long, value_enum)]
    dialect: DialectArg,

    /// Let the exit code be 0 if there are only warnings
    #[arg(long)]
    errors_only: bool,

    #[command(flatten)]
    answer: AnswerArgs,
}

/// A database, as the command line has it.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum DialectArg {
    #[value(name = "mariadb")]
    MariaDb,
    #[value(name = "mysql")]
    MySql,
    Postgres,
    Sqlite,
}

impl From<DialectArg> for Dialect {
    fn from(dialect: DialectArg) -> Self {
        match dialect {
            DialectArg::MariaDb => Self::MariaDb,
            DialectArg::MySql => Self::MySql,
            DialectArg::Postgres => Self::Postgres,
            DialectArg::Sqlite => Self::Sqlite,
        }
    }
}

pub(super) fn run(args: &LintArgs) -> Result<ExitCode, Failure> {
    let files = MigrationFiles::from_folder(&args.dir)?;
    let findings = lint(&files, args.dialect.into())?;
    let document: Vec<_> = findings
        .iter()
        .map(|finding| {
            json!({
                "code": finding.rule.code(),
                "rule": finding.rule.name(),
                "severity": finding.rule.severity().as_str(),
                "path": finding.path,
                "line": finding.at.line,
                "column": finding.at.column,
                "message": finding.message,
            })
        })
        .collect();
    args.answer.print(&document, |out, color| {
        for finding in &findings {
            let paint = match finding.rule.severity() {
                Severity::Error => Paint::Bad,
                _ => Paint::Slow,
            };
            writeln!(out, "{}", paint.show(&escape::controls(&finding.to_string()), color))?;
        }
        if findings.is_empty() {
            let text = format!("{} files, nothing to object to", files.files().len());
            writeln!(out, "{}", Paint::Good.show(&text, color))?;
        }
        Ok(())
    })?;
    let counts = |severity| !args.errors_only || severity == Severity::Error;
    let is_fine = !findings.iter().any(|finding| counts(finding.rule.severity()));
    Ok(if is_fine { ExitCode::SUCCESS } else { ExitCode::from(PENDING) })
}
