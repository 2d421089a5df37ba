//! `larder schema lint`: what SQL files should better not do.

use std::process::ExitCode;

use clap::{Args, ValueEnum};
use larder::{
    migrate::{Severity, lint},
    model::Dialect,
};
use serde_json::json;

use super::{answer::AnswerArgs, command::PENDING, folder::FolderArgs};
use crate::{
    failure::Failure,
    output::{Paint, counted, escape},
};

/// Look through SQL files for statements that lock, rewrite or lose more than they seem to
///
/// No database is asked. Where something is meant, the file says so above the statement:
/// `-- larder: allow=LR003`, with the code that stands behind the finding.
///
/// The exit code is 0 if nothing was found, and 3 if something was.
#[derive(Debug, Args)]
pub(super) struct LintArgs {
    #[command(flatten)]
    folder: FolderArgs,

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
    let files = args.folder.read()?;
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
    args.answer.print(&json!({ "findings": document }), |out, color| {
        for finding in &findings {
            let paint = match finding.rule.severity() {
                Severity::Error => Paint::Bad,
                _ => Paint::Slow,
            };
            writeln!(out, "{}", paint.show(&escape::controls(&finding.to_string()), color))?;
        }
        let versions = counted(files.files().len(), "version");
        match findings.len() {
            0 => {
                let text = format!("{versions}, nothing to object to");
                writeln!(out, "{}", Paint::Good.show(&text, color))
            }
            found => writeln!(out, "{} in {versions}", counted(found, "finding")),
        }
    })?;
    let counts = |severity| !args.errors_only || severity == Severity::Error;
    let is_fine = !findings.iter().any(|finding| counts(finding.rule.severity()));
    Ok(if is_fine { ExitCode::SUCCESS } else { ExitCode::from(PENDING) })
}
