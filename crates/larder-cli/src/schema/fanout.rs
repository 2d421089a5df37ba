//! `larder schema fanout`: the same models on many databases.

use std::{
    fs,
    io::{self, IsTerminal as _, Write as _},
    num::NonZeroUsize,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use clap::Args;
use larder::migrate::{
    FanOut, FanOutEvent, FanOutOptions, FanOutSummary, Tenant, TenantOutcome, UrlConnector,
};

use super::{
    answer::AnswerArgs,
    models::{ModelsArgs, refs},
    place::Registry,
    plan::PolicyArg,
};
use crate::{
    failure::Failure,
    output::{Paint, count, escape},
    target::database_url,
};

/// Bring the tables of models into shape on many databases
///
/// The file has one database a line: a name, blanks, and a URL or the path of a SQLite file; lines
/// that begin with # do not count. The first databases are canaries: until all of them have
/// succeeded no other is touched. With --run, a run that was stopped goes on where it was.
#[derive(Debug, Args)]
pub(super) struct FanoutArgs {
    /// The file with the databases
    #[arg(value_name = "FILE")]
    databases: PathBuf,

    #[command(flatten)]
    models: ModelsArgs,

    #[command(flatten)]
    registry: Registry,

    /// What may be done
    #[arg(long, value_enum, default_value_t)]
    policy: PolicyArg,

    /// How many databases at a time
    #[arg(long, value_name = "COUNT", default_value = "8")]
    parallel: NonZeroUsize,

    /// How many of them on one host
    #[arg(long, value_name = "COUNT", default_value = "4")]
    parallel_per_host: NonZeroUsize,

    /// How many databases go first
    #[arg(long, value_name = "COUNT", default_value_t = 1)]
    canaries: usize,

    /// Begin no further database after so many that did not succeed
    #[arg(long, value_name = "COUNT")]
    errors_max: Option<NonZeroUsize>,

    /// The name of the run, so that it can go on after it was stopped
    #[arg(long, value_name = "NAME")]
    run: Option<String>,

    /// The folder in which named runs are kept
    #[arg(long, value_name = "FOLDER", default_value = ".larder", requires = "run")]
    state: PathBuf,

    #[command(flatten)]
    answer: AnswerArgs,
}

pub(super) async fn run(args: FanoutArgs) -> Result<ExitCode, Failure> {
    let models = args.models.read()?;
    let tenants = read(&args.databases)?;
    let mut options = FanOutOptions::default()
        .with_policy(args.policy.into())
        .with_parallelism(args.parallel)
        .with_parallelism_per_host(args.parallel_per_host)
        .with_canaries(args.canaries)
        .with_migrate(args.registry.options());
    if let Some(errors_max) = args.errors_max {
        options = options.with_errors_max(errors_max);
    }
    if let Some(run) = &args.run {
        options = options.with_resume(&args.state, run);
    }
    let progress = Progress::of(tenants.len());
    let stream = futures_util::stream::iter(tenants);
    let summary =
        FanOut::new(options).run(&refs(&models), stream, |event| progress.tell(&event)).await?;
    progress.end();
    args.answer.print(&summary, |out, color| text(out, &summary, color))?;
    Ok(if summary.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The databases of the file. A line that makes no sense is named by its number and not shown: it
/// may have a password in it.
fn read(path: &Path) -> Result<Vec<Tenant>, Failure> {
    let text = fs::read_to_string(path).map_err(|source| Failure::File {
        path: path.to_owned(),
        action: "read",
        source,
    })?;
    let lines = text.lines().enumerate().map(|(at, line)| (at + 1, line.trim()));
    let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|(number, line)| {
            let usage = || Failure::Usage(format!("line {number} is not a name and a database"));
            let (name, url) = line.split_once(char::is_whitespace).ok_or_else(usage)?;
            let url = database_url(url.trim())?;
            let tenant = Tenant::new(name, Arc::new(UrlConnector::new(&*url)));
            Ok(match host(&url) {
                Some(host) => tenant.with_host(host),
                None => tenant,
            })
        })
        .collect()
}

/// The host and port of a URL; nothing for a file.
fn host(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?']).next()?;
    let host = authority.rsplit('@').next()?;
    (!host.is_empty() && !url.starts_with("sqlite")).then_some(host)
}

/// A line on standard error that shows how far it is, where somebody looks.
struct Progress {
    all: usize,
    done: AtomicUsize,
    failed: AtomicUsize,
    is_seen: bool,
}

const BAR: usize = 30;

impl Progress {
    fn of(all: usize) -> Self {
        let (done, failed) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Self { all, done, failed, is_seen: io::stderr().is_terminal() }
    }

    fn tell(&self, event: &FanOutEvent) {
        let FanOutEvent::Finished(report) = event else { return };
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        if !report.outcome.is_ok() {
            self.failed.fetch_add(1, Ordering::Relaxed);
        }
        if self.is_seen {
            let full = (done * BAR).checked_div(self.all).unwrap_or(BAR).min(BAR);
            let (bar, rest) = ("█".repeat(full), "·".repeat(BAR - full));
            let failed = self.failed.load(Ordering::Relaxed);
            let name = escape::controls(&report.tenant).into_owned();
            // Whoever closed standard error does not look.
            let _ = write!(
                io::stderr(),
                "\r\u{1b}[K{bar}{rest} {done}/{} {failed} failed  {name}",
                self.all
            );
        }
    }

    fn end(&self) {
        if self.is_seen {
            let _ = write!(io::stderr(), "\r\u{1b}[K");
        }
    }
}

fn text(out: &mut dyn io::Write, summary: &FanOutSummary, color: bool) -> io::Result<()> {
    for report in &summary.errors {
        let why = match &report.outcome {
            TenantOutcome::Failed { error, .. } => error.clone(),
            TenantOutcome::Refused { .. } => "refused by the policy".to_owned(),
            _ => String::new(),
        };
        let line = escape::controls(&format!("{}: {why}", report.tenant)).into_owned();
        writeln!(out, "{}", Paint::Bad.show(&line, color))?;
    }
    for group in &summary.groups {
        let tenants = count(group.tenants as u64);
        writeln!(out, "plan {} on {tenants} databases: {}", group.plan, group.steps.join("; "))?;
    }
    writeln!(
        out,
        "{} migrated, {} as they should be, {} refused, {} failed, {} done by an earlier run",
        count(summary.migrated as u64),
        count(summary.unchanged as u64),
        count(summary.refused as u64),
        count(summary.failed as u64),
        count(summary.resumed as u64),
    )?;
    match &summary.stopped {
        Some(_) => writeln!(out, "{}", Paint::Bad.show("stopped before the end", color)),
        None => Ok(()),
    }
}
