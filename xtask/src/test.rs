//! `cargo xtask test`: every test of the workspace, then the downstream packages.
//!
//! Plain `cargo test`, so that nothing needs to be installed. Invariant: what did not run is in
//! the summary, and a filter that matches nothing is a failure.

use std::time::Duration;

use crate::{
    downstream,
    failure::Failure,
    metadata::Workspace,
    process::{capture_showing_progress, cargo, stream},
    stopwatch::Stopwatch,
    summary::{Outcome, Summary, Verdict},
    test_report::{Report, Suite, SuiteNames, Tracker},
};

const SELECTION: [&str; 3] = ["test", "--workspace", "--all-features"];

pub(crate) fn run(filters: &[String]) -> Result<Outcome, Failure> {
    if let Some(option) = filters.iter().find(|filter| filter.starts_with('-')) {
        return Err(Failure::usage(format!(
            "\"test\" takes names of tests, not options, but got \"{option}\""
        )));
    }
    let workspace = Workspace::load()?;
    let mut summary = Summary::new("suite");

    let watch = Stopwatch::start();
    let names = build(&workspace)?;
    summary.push("build", Verdict::from_success(names.is_some()), watch.elapsed());
    match names {
        Some(names) => suites(&mut summary, &workspace, names, filters)?,
        None => summary.push_skipped("tests", "the build failed"),
    }
    if filters.is_empty() {
        downstream::run(&mut summary, &workspace)?;
    } else {
        summary.push_skipped("downstream packages", "a filter was given");
    }
    Ok(summary.conclude())
}

/// Builds every test binary and learns which package each belongs to, which the output of the
/// run itself does not say.
fn build(workspace: &Workspace) -> Result<Option<SuiteNames>, Failure> {
    let mut command = cargo(&workspace.root, SELECTION);
    command.args(["--no-run", "--message-format", "json-render-diagnostics"]);
    let messages = capture_showing_progress(&mut command)?;
    Ok(messages.map(|messages| SuiteNames::new(workspace, &messages)))
}

fn suites(
    summary: &mut Summary,
    workspace: &Workspace,
    names: SuiteNames,
    filters: &[String],
) -> Result<(), Failure> {
    let mut command = cargo(&workspace.root, SELECTION);
    command.arg("--no-fail-fast").arg("--").args(filters);
    let watch = Stopwatch::start();
    let mut tracker = Tracker::new(names);
    let succeeded = stream(&mut command, |line| tracker.line(line, watch.elapsed()))?;
    let report = tracker.finish(watch.elapsed());
    add_rows(summary, &report, succeeded, watch.elapsed());
    Ok(())
}

fn add_rows(summary: &mut Summary, report: &Report, succeeded: bool, time: Duration) {
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
        (true, 0) => Verdict::Failed("no test ran".to_owned()),
        (true, _) => Verdict::Passed(all),
        (false, _) => Verdict::Failed(all),
    };
    summary.push("all suites", verdict, time);
    if !report.ignored.is_empty() {
        println!("\nignored, each for its reason:");
        for test in &report.ignored {
            println!("  {test}");
        }
        let why = format!("{}, reasons above", report.ignored.len());
        summary.push_skipped("ignored tests", why);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary_of(suites: Vec<Suite>, succeeded: bool) -> Summary {
        let mut summary = Summary::new("suite");
        let report = Report { suites, ignored: vec!["a::b: needs a live service".to_owned()] };
        add_rows(&mut summary, &report, succeeded, Duration::from_secs(1));
        summary
    }

    #[test]
    fn ignored_tests_have_a_row_and_empty_suites_have_none() {
        let full = Suite { passed: 2, ..Suite::new("core: unit".to_owned()) };
        let empty = Suite { ended: true, ..Suite::new("core: doc".to_owned()) };
        let summary = summary_of(vec![full, empty], true);
        let table = summary.to_string();
        assert!(table.contains("ignored tests  not run: 1, reasons above"), "{table}");
        assert!(!table.contains("core: doc"), "{table}");
    }

    #[test]
    fn a_run_without_any_test_has_failed() {
        assert_eq!(summary_of(Vec::new(), true).outcome(), Outcome::Failed);
    }

    #[test]
    fn a_failure_that_no_suite_shows_is_still_one() {
        let suite = Suite { passed: 2, ended: true, ..Suite::new("core: unit".to_owned()) };
        assert_eq!(summary_of(vec![suite], false).outcome(), Outcome::Failed);
    }
}
