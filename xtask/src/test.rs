//! `cargo xtask test`: every test of the workspace, those that need a server with that server,
//! then the downstream packages.
//!
//! Plain `cargo test`, so that nothing needs to be installed. Invariant: what did not run is in
//! the summary, and a filter that matches nothing is a failure.

use std::time::Duration;

use crate::{
    downstream,
    failure::Failure,
    live,
    live_report::LiveReport,
    metadata::Workspace,
    process::{capture_showing_progress, cargo, stream},
    stopwatch::Stopwatch,
    summary::{Outcome, Summary, Verdict},
    test_binaries::{Binary, binaries},
    test_report::{Ignored, Report, Suite, SuiteNames, Tracker},
    test_request::Request,
};

pub(crate) fn run(args: &[String]) -> Result<Outcome, Failure> {
    let workspace = Workspace::load()?;
    let request = Request::parse(args, &workspace)?;
    let mut summary = Summary::new("suite");

    let watch = Stopwatch::start();
    let built = build(&workspace, &request)?;
    summary.push("build", Verdict::from_success(built.is_some()), watch.elapsed());
    let mut live = LiveReport::new(request.requires_services);
    match built {
        Some(built) => live = tests(&mut summary, &workspace, &request, &built)?,
        None => summary.push_skipped("tests", "the build failed"),
    }
    if request.is_for_all() {
        downstream::run(&mut summary, &workspace)?;
    } else {
        summary.push_skipped("downstream packages", "a part of the tests was asked for");
    }
    if !live.is_empty() {
        println!("\n{live}");
    }
    let outcome = summary.conclude();
    for remark in live.remarks() {
        println!("{remark}");
    }
    Ok(outcome)
}

/// Builds every test binary and learns which package each belongs to, which the output of the
/// run itself does not say.
fn build(workspace: &Workspace, request: &Request) -> Result<Option<Vec<Binary>>, Failure> {
    let mut command = cargo(&workspace.root, request.selection());
    command.args(["--no-run", "--message-format", "json-render-diagnostics"]);
    let messages = capture_showing_progress(&mut command)?;
    Ok(messages.map(|messages| binaries(workspace, &messages)))
}

/// The tests that need nothing, then those that need a server. If the former match no filter,
/// the latter may.
fn tests(
    summary: &mut Summary,
    workspace: &Workspace,
    request: &Request,
    built: &[Binary],
) -> Result<LiveReport, Failure> {
    let mut plain = None;
    if request.setups.is_empty() {
        plain = Some(suites(workspace, request, SuiteNames::new(workspace, built))?);
    } else {
        summary.push_skipped("tests without a server", "a setup was asked for");
    }
    let watch = Stopwatch::start();
    let live = live::run(request, built)?;
    if let Some((report, succeeded, time)) = plain {
        add_rows(summary, &report, succeeded, time, live.is_empty());
    }
    for (suite, verdict, time) in live.suites() {
        summary.push(format!("{suite}, live"), verdict, time);
    }
    if !live.is_empty() {
        summary.push("all live tests", live.verdict(), watch.elapsed());
    } else if !request.setups.is_empty() {
        let none = Verdict::Failed("no test ran".to_owned());
        summary.push("live tests", none, watch.elapsed());
    }
    Ok(live)
}

fn suites(
    workspace: &Workspace,
    request: &Request,
    names: SuiteNames,
) -> Result<(Report, bool, Duration), Failure> {
    let mut command = cargo(&workspace.root, request.selection());
    command.arg("--no-fail-fast").arg("--").args(&request.filters);
    let watch = Stopwatch::start();
    let mut tracker = Tracker::new(names);
    let succeeded = stream(&mut command, |line| tracker.line(line, watch.elapsed()))?;
    Ok((tracker.finish(watch.elapsed()), succeeded, watch.elapsed()))
}

fn add_rows(
    summary: &mut Summary,
    report: &Report,
    succeeded: bool,
    time: Duration,
    has_to_run_some: bool,
) {
    for suite in report.suites.iter().filter(|suite| !suite.is_empty()) {
        summary.push(suite.name.clone(), suite.verdict(), suite.time);
    }
    let sum = |count: fn(&Suite) -> u32| report.suites.iter().map(count).sum::<u32>();
    let (passed, failed) = (sum(|suite| suite.passed), sum(|suite| suite.failed));
    let mut all = format!("{passed} passed, {failed} failed");
    let aborted = sum(|suite| u32::from(!suite.ended));
    if aborted > 0 {
        all.push_str(&format!(", suites without a result: {aborted}"));
    }
    let verdict = match (succeeded, passed + failed) {
        (true, 0) if has_to_run_some => Verdict::Failed("no test ran".to_owned()),
        (true, 0) => Verdict::NotRun("none of these has such a name".to_owned()),
        (true, _) => Verdict::Passed(all),
        (false, _) => Verdict::Failed(all),
    };
    summary.push("all suites", verdict, time);
    // Those that need a server have a table of their own.
    let others = report.ignored.iter().filter(|test| live::setups_in(&test.test).is_empty());
    let (lost, others): (Vec<_>, Vec<_>) = others.partition(|test| test.reason == live::REASON);
    add_ignored(summary, &others, |count| Verdict::NotRun(format!("{count}, reasons above")));
    // A test that says so and names no server would never run, and nobody would notice.
    let unnamed = |count| Verdict::Failed(format!("{count} name no setup in their modules"));
    add_ignored(summary, &lost, unnamed);
}

fn add_ignored(summary: &mut Summary, tests: &[&Ignored], verdict: impl Fn(usize) -> Verdict) {
    if !tests.is_empty() {
        println!("\nignored, each for its reason:");
        for test in tests {
            println!("  {test}");
        }
        summary.push_untimed("ignored tests", verdict(tests.len()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ignored(test: &str, reason: &str) -> Ignored {
        let (suite, reason) = ("core: unit".to_owned(), reason.to_owned());
        Ignored { suite, test: test.to_owned(), reason }
    }

    fn summary_of(suites: Vec<Suite>, ignored: Vec<Ignored>, succeeded: bool) -> Summary {
        let mut summary = Summary::new("suite");
        let report = Report { suites, ignored };
        add_rows(&mut summary, &report, succeeded, Duration::from_secs(1), true);
        summary
    }

    #[test]
    fn ignored_tests_have_a_row_and_empty_suites_have_none() {
        let full = Suite { passed: 2, ..Suite::new("core: unit".to_owned()) };
        let empty = Suite { ended: true, ..Suite::new("core: doc".to_owned()) };
        let ignored = vec![ignored("a::b", "run by another"), ignored("redis::c", live::REASON)];
        let summary = summary_of(vec![full, empty], ignored, true);
        let table = summary.to_string();
        assert!(table.contains("ignored tests  not run: 1, reasons above"), "{table}");
        assert!(!table.contains("core: doc"), "{table}");
    }

    #[test]
    fn a_live_test_that_names_no_setup_is_a_failure() {
        let suite = || Suite { passed: 2, ended: true, ..Suite::new("core: unit".to_owned()) };
        let lost = vec![ignored("redes::a", live::REASON)];
        let summary = summary_of(vec![suite()], lost, true);
        assert_eq!(summary.outcome(), Outcome::Failed);
        let found = vec![ignored("redis::a", live::REASON)];
        assert_eq!(summary_of(vec![suite()], found, true).outcome(), Outcome::Passed);
    }

    #[test]
    fn a_run_without_any_test_has_failed() {
        assert_eq!(summary_of(Vec::new(), Vec::new(), true).outcome(), Outcome::Failed);
    }

    #[test]
    fn a_failure_that_no_suite_shows_is_still_one() {
        let suite = Suite { passed: 2, ended: true, ..Suite::new("core: unit".to_owned()) };
        assert_eq!(summary_of(vec![suite], Vec::new(), false).outcome(), Outcome::Failed);
    }
}
