//! `larder schema fanout`: the same models on many databases.

use std::{
    collections::HashSet,
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
    command::REFUSED,
    models::{ModelsArgs, read_file, refs},
    place::Registry,
    plain::{name, path},
    plan::PolicyArg,
};
use crate::{
    failure::Failure,
    output::{Paint, counted, escape},
    target::database_url,
};

/// Bring the tables of models into shape on many databases
///
/// The file has one database a line: a name, a blank, and a URL or the path of a SQLite file. Lines
/// that begin with # do not count. Reports have the names, and no URL.
///
/// The first databases are canaries: until all of them have succeeded, no other is touched. With
/// --run, a run that was stopped goes on where it was, and what was refused or failed is tried
/// again.
///
/// The exit code is 0 if the tables of all databases are as they should be, 4 if some were refused
/// by the policy, and 1 if some failed.
#[derive(Debug, Args)]
pub(super) struct FanoutArgs {
    /// The file with the databases
    #[arg(value_name = "FILE", value_parser = path)]
    databases: PathBuf,

    #[command(flatten)]
    models: ModelsArgs,

    #[command(flatten)]
    registry: Registry,

    /// What may be done
    #[arg(long, value_enum, default_value_t)]
    policy: PolicyArg,

    /// Do also what can not be taken back; without it, --policy full is refused
    #[arg(long)]
    yes: bool,

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
    #[arg(long, value_name = "NAME", value_parser = name)]
    run: Option<String>,

    /// The folder in which named runs are kept
    #[arg(long, value_name = "FOLDER", default_value = ".larder", requires = "run")]
    #[arg(value_parser = path)]
    state: PathBuf,

    #[command(flatten)]
    answer: AnswerArgs,
}

pub(super) async fn run(args: FanoutArgs) -> Result<ExitCode, Failure> {
    if matches!(args.policy, PolicyArg::Full) && !args.yes {
        let text = "--policy full may lose rows in every database: it needs --yes";
        return Err(Failure::Usage(text.to_owned()));
    }
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
        fs::create_dir_all(&args.state).map_err(|source| Failure::File {
            path: args.state.clone(),
            action: "created",
            source,
        })?;
        options = options.with_resume(&args.state, run);
    }
    let progress = Progress::of(tenants.len());
    let stream = futures_util::stream::iter(tenants);
    let summary =
        FanOut::new(options).run(&refs(&models), stream, |event| progress.tell(&event)).await?;
    progress.end();
    args.answer.print(&summary, |out, color| text(out, &summary, color))?;
    Ok(if summary.is_ok() {
        ExitCode::SUCCESS
    } else if summary.failed == 0 {
        ExitCode::from(REFUSED)
    } else {
        ExitCode::FAILURE
    })
}

/// The databases of the file. A line that makes no sense is told by its number and not shown: it
/// may have a password in it.
fn read(file: &Path) -> Result<Vec<Tenant>, Failure> {
    let text = read_file(file, "it has a name and a database on each line")?;
    let lines = text.lines().enumerate().map(|(at, line)| (at + 1, line.trim()));
    let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let mut names = HashSet::new();
    lines
        .map(|(number, line)| {
            let failed = |why| Failure::Databases { path: file.to_owned(), number, why };
            let (called, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
            let called = name(called).map_err(|_| failed("it does not begin with a name"))?;
            let rest = rest.trim();
            if rest.is_empty() {
                return Err(failed("it has no database behind the name"));
            }
            let url = database_url(rest).map_err(|_| {
                failed("the database is neither a URL that is valid nor an existing file")
            })?;
            let tenant = Tenant::new(&*called, Arc::new(UrlConnector::new(&*url)));
            if !names.insert(called) {
                return Err(failed("its name stands in another line too"));
            }
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
    for group in &summary.groups {
        let databases = counted(group.tenants, "database");
        writeln!(out, "{} for {databases}", Paint::Strong.show(&group.plan, color))?;
        for step in &group.steps {
            writeln!(out, "           {}", escape::controls(step))?;
        }
    }
    for report in &summary.errors {
        let (sign, lines) = match &report.outcome {
            TenantOutcome::Failed { error, .. } => ("failed ", vec![error.clone()]),
            TenantOutcome::Refused { steps, .. } => ("refused", steps.clone()),
            _ => continue,
        };
        let name = escape::controls(&report.tenant);
        writeln!(out, "{}  {name}", Paint::Bad.show(sign, color))?;
        for line in lines {
            writeln!(out, "           {}", escape::controls(&line))?;
        }
    }
    let paint = if summary.is_ok() { Paint::Good } else { Paint::Bad };
    writeln!(out, "{}", paint.show(&summary.to_string(), color))
}
