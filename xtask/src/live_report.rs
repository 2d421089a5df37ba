//! What became of the live tests: service by suite.
//!
//! Invariant: a test that was to run and of which no outcome was seen has failed, so that a
//! program that aborts is not taken for one whose tests passed.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
    time::Duration,
};

use larder_services::Setup;

use crate::summary::{Verdict, write_table};

/// The outcomes of single tests, read while they stream by.
#[derive(Debug, Default)]
pub(crate) struct Outcomes(HashMap<String, Outcome>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Failed,
    Passed,
    /// At the second try only.
    Unsteady,
}

impl Outcomes {
    /// Whether a test is known to have passed.
    pub(crate) fn passed(&self, test: &str) -> bool {
        self.of(test) != Outcome::Failed
    }

    /// Takes the outcomes of a second try of tests that had failed.
    pub(crate) fn amend(&mut self, second: Self) {
        for (test, outcome) in second.0 {
            let passed = outcome == Outcome::Passed;
            self.0.insert(test, if passed { Outcome::Unsteady } else { Outcome::Failed });
        }
    }

    fn of(&self, test: &str) -> Outcome {
        self.0.get(test).copied().unwrap_or(Outcome::Failed)
    }

    /// Takes a line such as `test redis::hit ... ok`.
    pub(crate) fn line(&mut self, line: &str) {
        let Some((name, outcome)) =
            line.strip_prefix("test ").and_then(|line| line.split_once(" ... "))
        else {
            return;
        };
        let name = name.strip_suffix(" - should panic").unwrap_or(name);
        // After the word may come a time, and before it what the test printed.
        let outcome = outcome.split(" <").next().unwrap_or(outcome);
        if outcome.ends_with("ok") || outcome.ends_with("FAILED") {
            let passed = outcome.ends_with("ok");
            let outcome = if passed { Outcome::Passed } else { Outcome::Failed };
            self.0.insert(name.to_owned(), outcome);
        }
    }
}

/// The tests of one suite that need one setup.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Cell {
    passed: u32,
    failed: u32,
    /// How many did not run, and why the first of them did not.
    not_run: u32,
    why: String,
}

/// The live tests of one program that were run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct LiveSuite {
    name: String,
    passed: u32,
    failed: u32,
    time: Duration,
}

/// All live tests. A test that needs two setups counts in both.
#[derive(Debug)]
pub(crate) struct LiveReport {
    cells: BTreeMap<(Setup, String), Cell>,
    untested: Vec<Setup>,
    suites: Vec<LiveSuite>,
    /// What failed, and what passed at its second try only, in full.
    remarks: Vec<String>,
    requires_services: bool,
    not_run: u32,
}

impl LiveReport {
    pub(crate) const fn new(requires_services: bool) -> Self {
        Self {
            cells: BTreeMap::new(),
            untested: Vec::new(),
            suites: Vec::new(),
            remarks: Vec::new(),
            requires_services,
            not_run: 0,
        }
    }

    /// A test that could not run.
    pub(crate) fn add_not_run(&mut self, suite: &str, setups: &[Setup], why: &str) {
        self.not_run += 1;
        for setup in setups {
            let cell = self.cell(*setup, suite);
            cell.not_run += 1;
            // The rest of a message is the end of a log, which was shown before.
            cell.why = why.lines().next().unwrap_or_default().trim_end_matches(':').to_owned();
        }
    }

    /// The tests of a suite that were run together.
    pub(crate) fn add_run(
        &mut self,
        suite: &str,
        tests: &[(&str, &Vec<Setup>)],
        outcomes: &Outcomes,
        time: Duration,
    ) {
        let mut ran = LiveSuite { name: suite.to_owned(), time, ..LiveSuite::default() };
        for (name, setups) in tests {
            let passed = outcomes.passed(name);
            match outcomes.of(name) {
                Outcome::Passed => {}
                Outcome::Failed => self.remarks.push(format!("failed: {suite}: {name}")),
                Outcome::Unsteady => {
                    self.remarks.push(format!("passed at the second try only: {suite}: {name}"));
                }
            }
            *(if passed { &mut ran.passed } else { &mut ran.failed }) += 1;
            for setup in *setups {
                let cell = self.cell(*setup, suite);
                *(if passed { &mut cell.passed } else { &mut cell.failed }) += 1;
            }
        }
        self.suites.push(ran);
    }

    /// The suites that ran, in the order in which they did, with what became of each.
    pub(crate) fn suites(&self) -> impl Iterator<Item = (&str, Verdict, Duration)> {
        self.suites.iter().map(|suite| {
            let counts = format!("{} passed, {} failed", suite.passed, suite.failed);
            let verdict =
                if suite.failed > 0 { Verdict::Failed(counts) } else { Verdict::Passed(counts) };
            (suite.name.as_str(), verdict, suite.time)
        })
    }

    /// Names the setups that no test needs.
    pub(crate) fn add_untested(&mut self, needed: &BTreeSet<Setup>) {
        let others = Setup::ALL.into_iter().filter(|setup| !needed.contains(setup));
        self.untested.extend(others);
    }

    /// Whether there were any live tests.
    pub(crate) const fn is_empty(&self) -> bool {
        self.suites.is_empty() && self.not_run == 0
    }

    /// The tests that did not simply pass, each by its full name.
    pub(crate) fn remarks(&self) -> &[String] {
        &self.remarks
    }

    /// All of them in a few words.
    pub(crate) fn verdict(&self) -> Verdict {
        let sum = |count: fn(&LiveSuite) -> u32| self.suites.iter().map(count).sum::<u32>();
        let (passed, failed) = (sum(|suite| suite.passed), sum(|suite| suite.failed));
        let mut counts = format!("{passed} passed, {failed} failed");
        if self.not_run > 0 {
            counts.push_str(&format!(", {} not run", self.not_run));
        }
        if failed > 0 || (self.requires_services && self.not_run > 0) {
            Verdict::Failed(counts)
        } else if passed == 0 {
            Verdict::NotRun(counts)
        } else {
            Verdict::Passed(counts)
        }
    }

    fn cell(&mut self, setup: Setup, suite: &str) -> &mut Cell {
        self.cells.entry((setup, suite.to_owned())).or_default()
    }

    fn cell_verdict(&self, cell: &Cell) -> Verdict {
        let mut parts = Vec::new();
        if cell.failed > 0 {
            parts.push(format!("{} failed", cell.failed));
        }
        match (cell.not_run, cell.passed + cell.failed) {
            (0, _) => {}
            (_, 0) if !self.requires_services => return Verdict::NotRun(cell.why.clone()),
            (count, _) => parts.push(format!("{count} not run: {}", cell.why)),
        }
        if cell.failed > 0 || (self.requires_services && cell.not_run > 0) {
            Verdict::Failed(parts.join(", "))
        } else {
            Verdict::Passed(parts.join(", "))
        }
    }
}

impl fmt::Display for LiveReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cells = self.cells.iter().map(|((setup, suite), cell)| {
            let ran = (cell.passed + cell.failed).to_string();
            [setup.to_string(), suite.clone(), self.cell_verdict(cell).to_string(), ran]
        });
        let untested = self.untested.iter().map(|setup| {
            let verdict = Verdict::NotRun("no test needs it".to_owned());
            [setup.to_string(), String::new(), verdict.to_string(), "0".to_owned()]
        });
        let rows: Vec<[String; 4]> = cells.chain(untested).collect();
        write_table(f, ["service", "suite", "result", "ran"], &rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcomes(lines: &[&str]) -> Outcomes {
        let mut outcomes = Outcomes::default();
        lines.iter().for_each(|line| outcomes.line(line));
        outcomes
    }

    #[test]
    fn a_second_try_counts_and_is_told() {
        let mut first = outcomes(&["test redis::a ... FAILED", "test redis::b ... FAILED"]);
        first.amend(outcomes(&["test redis::a ... ok", "test redis::b ... FAILED"]));
        assert!(first.passed("redis::a") && !first.passed("redis::b") && !first.passed("redis::c"));
        let redis = vec![Setup::Redis];
        let mut report = LiveReport::new(false);
        let tests = [("redis::a", &redis), ("redis::b", &redis)];
        report.add_run("larder: it", &tests, &first, Duration::ZERO);
        let remarks =
            ["passed at the second try only: larder: it: redis::a", "failed: larder: it: redis::b"];
        assert_eq!(report.remarks(), remarks);
        assert!(matches!(report.verdict(), Verdict::Failed(_)));
    }

    #[test]
    fn a_test_counts_for_each_of_its_setups() {
        let outcomes = outcomes(&[
            "running 3 tests",
            "test redis::hit ... ok",
            "test redis::postgres::miss ... FAILED",
            "test redis::panics - should panic ... ok <0.003s>",
            "test result: FAILED. 2 passed; 1 failed",
        ]);
        let (redis, both) = (vec![Setup::Redis], vec![Setup::Postgres, Setup::Redis]);
        let tests =
            [("redis::hit", &redis), ("redis::postgres::miss", &both), ("redis::panics", &redis)];
        let mut report = LiveReport::new(false);
        report.add_run("larder: it", &tests, &outcomes, Duration::from_secs(1));
        report.add_not_run(
            "larder: it",
            &[Setup::Mysql],
            "mysql did not answer; the end of /log:\nx",
        );
        let expected = [
            ["service", "suite", "result", "ran"],
            ["mysql", "larder: it", "not run: mysql did not answer; the end of /log", "0"],
            ["postgres", "larder: it", "FAILED: 1 failed", "1"],
            ["redis", "larder: it", "FAILED: 1 failed", "3"],
        ];
        let table = report.to_string();
        // The width of the columns is the business of another test.
        let rows: Vec<String> = table.lines().map(|line| line.replace(' ', "")).collect();
        assert_eq!(rows, expected.map(|row| row.concat().replace(' ', "")));
        assert_eq!(report.verdict(), Verdict::Failed("2 passed, 1 failed, 1 not run".to_owned()));
    }

    #[test]
    fn a_test_without_an_outcome_has_failed() {
        let redis = vec![Setup::Redis];
        let mut report = LiveReport::new(false);
        let outcomes = outcomes(&["test redis::hit ... "]);
        report.add_run("larder: it", &[("redis::hit", &redis)], &outcomes, Duration::ZERO);
        assert_eq!(report.verdict(), Verdict::Failed("0 passed, 1 failed".to_owned()));
    }

    #[test]
    fn a_missing_service_fails_only_where_it_is_required() {
        let counts = || "0 passed, 0 failed, 1 not run".to_owned();
        for (required, verdict) in
            [(false, Verdict::NotRun(counts())), (true, Verdict::Failed(counts()))]
        {
            let mut report = LiveReport::new(required);
            report.add_not_run("larder: it", &[Setup::Mysql], "there is none");
            assert_eq!(report.verdict(), verdict);
            let table = report.to_string();
            assert!(table.contains("not run: there is none"), "{table}");
        }
    }

    #[test]
    fn setups_that_no_test_needs_are_listed() {
        let mut report = LiveReport::new(true);
        report.add_untested(&BTreeSet::from([Setup::Redis]));
        let table = report.to_string();
        assert!(table.contains("valkey"), "{table}");
        assert!(!table.contains("redis  "), "{table}");
        assert!(report.is_empty());
    }
}
