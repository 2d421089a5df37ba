//! Reads the output of `cargo test` while it streams by: which suite runs, what became of it.
//!
//! Invariant: a suite that was started and never reported a result has failed; a test binary
//! that aborts is not taken for one without tests.

use std::{collections::HashMap, fmt, path::Path, time::Duration};

use crate::{
    metadata::Workspace,
    summary::Verdict,
    test_binaries::{Binary, file_name},
};

/// The names of the suites, by what `cargo test` calls them.
#[derive(Debug, Default)]
pub(crate) struct SuiteNames {
    /// By the file name of the test binary.
    binaries: HashMap<String, String>,
    /// By the name of the library whose doc tests run.
    libraries: HashMap<String, String>,
}

impl SuiteNames {
    /// Learns the names from what a build has made.
    pub(crate) fn new(workspace: &Workspace, binaries: &[Binary]) -> Self {
        let mut names = Self::default();
        for binary in binaries {
            names.binaries.insert(file_name(&binary.executable), binary.suite.clone());
        }
        for package in &workspace.packages {
            for library in package.targets.iter().filter(|target| target.is_lib()) {
                let name = format!("{}: doc", package.name);
                names.libraries.insert(library.name.clone(), name);
            }
        }
        names
    }

    /// The suite that a line of output announces, if it does.
    fn announced(&self, line: &str) -> Option<String> {
        let line = line.trim_start();
        if let Some(library) = line.strip_prefix("Doc-tests ") {
            let name = self.libraries.get(&library.replace('-', "_")).cloned();
            return Some(name.unwrap_or_else(|| format!("{library}: doc")));
        }
        let (source, binary) = line.strip_prefix("Running ")?.rsplit_once(" (")?;
        let binary = file_name(Path::new(binary.strip_suffix(')')?));
        let name = self.binaries.get(&binary).cloned();
        Some(name.unwrap_or_else(|| source.to_owned()))
    }
}

/// What became of one suite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Suite {
    pub(crate) name: String,
    pub(crate) passed: u32,
    pub(crate) failed: u32,
    pub(crate) ignored: u32,
    /// Whether it reported a result. Doc tests report one for each binary that rustdoc makes.
    pub(crate) ended: bool,
    pub(crate) time: Duration,
}

impl Suite {
    pub(crate) const fn new(name: String) -> Self {
        Self { name, passed: 0, failed: 0, ignored: 0, ended: false, time: Duration::ZERO }
    }

    /// Whether it ended and had nothing to run.
    pub(crate) const fn is_empty(&self) -> bool {
        self.ended && self.passed + self.failed + self.ignored == 0
    }

    pub(crate) fn verdict(&self) -> Verdict {
        let mut counts = format!("{} passed", self.passed);
        for (count, what) in [(self.failed, "failed"), (self.ignored, "ignored")] {
            if count > 0 {
                counts.push_str(&format!(", {count} {what}"));
            }
        }
        match (self.ended, self.failed) {
            (false, _) => Verdict::Failed("it ended without a result".to_owned()),
            (true, 0) => Verdict::Passed(counts),
            (true, _) => Verdict::Failed(counts),
        }
    }

    fn add(&mut self, counts: [u32; 3]) {
        let [passed, failed, ignored] = counts;
        self.passed += passed;
        self.failed += failed;
        self.ignored += ignored;
        self.ended = true;
    }
}

/// What a whole run showed.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) suites: Vec<Suite>,
    pub(crate) ignored: Vec<Ignored>,
}

/// A test that did not run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ignored {
    pub(crate) suite: String,
    pub(crate) test: String,
    pub(crate) reason: String,
}

impl fmt::Display for Ignored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.suite, self.test, self.reason)
    }
}

/// Follows a run line by line.
#[derive(Debug)]
pub(crate) struct Tracker {
    names: SuiteNames,
    report: Report,
    suite_began: Duration,
}

impl Tracker {
    pub(crate) const fn new(names: SuiteNames) -> Self {
        let report = Report { suites: Vec::new(), ignored: Vec::new() };
        Self { names, report, suite_began: Duration::ZERO }
    }

    /// Takes the next line, which came this long after the start of the run.
    pub(crate) fn line(&mut self, line: &str, now: Duration) {
        if let Some(name) = self.names.announced(line) {
            self.end_suite(now);
            self.report.suites.push(Suite::new(name));
        } else if let Some(suite) = self.report.suites.last_mut() {
            if let Some(counts) = counts(line) {
                suite.add(counts);
            } else if let Some((test, reason)) = ignored_test(line) {
                let reason = reason.unwrap_or("no reason given").to_owned();
                let (suite, test) = (suite.name.clone(), test.to_owned());
                self.report.ignored.push(Ignored { suite, test, reason });
            }
        }
    }

    /// The end of the run.
    pub(crate) fn finish(mut self, now: Duration) -> Report {
        self.end_suite(now);
        self.report
    }

    fn end_suite(&mut self, now: Duration) {
        if let Some(suite) = self.report.suites.last_mut() {
            suite.time = now.saturating_sub(self.suite_began);
        }
        self.suite_began = now;
    }
}

/// Passed, failed and ignored, from a line such as
/// `test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s`.
fn counts(line: &str) -> Option<[u32; 3]> {
    let (_, list) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let count = |what: &str| {
        let mut items = list.split("; ").filter_map(|item| item.split_once(' '));
        items.find(|(_, name)| *name == what)?.0.parse().ok()
    };
    Some([count("passed")?, count("failed")?, count("ignored")?])
}

/// The test and the reason, from a line such as `test a::b ... ignored, needs a live service`.
fn ignored_test(line: &str) -> Option<(&str, Option<&str>)> {
    let (test, rest) = line.strip_prefix("test ")?.split_once(" ... ignored")?;
    Some((test, rest.strip_prefix(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn names() -> SuiteNames {
        let binaries = [
            ("larder_core-0a1b", "larder-core: unit"),
            ("conformance-2c3d", "larder-moka: conformance"),
        ];
        let owned = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
        SuiteNames {
            binaries: binaries.map(owned).into(),
            libraries: [("larder_core", "larder-core: doc")].map(owned).into(),
        }
    }

    fn report(output: &str) -> Report {
        let mut tracker = Tracker::new(names());
        let mut now = Duration::ZERO;
        for line in output.lines() {
            tracker.line(line, now);
            now += SECOND;
        }
        tracker.finish(now)
    }

    #[test]
    fn each_suite_has_its_own_counts_and_time() {
        let report = report(
            "     Running unittests src/lib.rs (target/debug/deps/larder_core-0a1b)\n\
             test key::tests::parts ... ok\n\
             test live::get ... ignored, needs a live service\n\
             test result: ok. 1 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\
             \x20    Running tests/conformance.rs (/far/away/deps/conformance-2c3d)\n\
             test result: FAILED. 7 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.50s\n\
             \x20  Doc-tests larder_core\n\
             test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\
             test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.20s",
        );
        let rows: Vec<_> = report
            .suites
            .iter()
            .map(|suite| (suite.name.as_str(), suite.verdict().to_string(), suite.time))
            .collect();
        assert_eq!(
            rows,
            [
                ("larder-core: unit", "ok: 1 passed, 1 ignored".to_owned(), 4 * SECOND),
                ("larder-moka: conformance", "FAILED: 7 passed, 2 failed".to_owned(), 2 * SECOND),
                ("larder-core: doc", "ok: 4 passed".to_owned(), 3 * SECOND),
            ]
        );
        let ignored: Vec<String> = report.ignored.iter().map(ToString::to_string).collect();
        assert_eq!(ignored, ["larder-core: unit: live::get: needs a live service"]);
    }

    #[test]
    fn a_suite_that_aborts_has_failed() {
        let report = report(
            "     Running unittests src/lib.rs (target/debug/deps/larder_core-0a1b)\n\
             test key::tests::parts ... ok\n\
             error: test failed, to rerun pass `-p larder-core --lib`",
        );
        let [suite] = &report.suites[..] else {
            panic!("one suite was announced, not {}", report.suites.len());
        };
        assert!(!suite.is_empty());
        assert_eq!(suite.verdict(), Verdict::Failed("it ended without a result".to_owned()));
    }

    #[test]
    fn an_unknown_binary_is_named_by_its_source() {
        let report = report("     Running tests/new.rs (target/debug/deps/new-77)");
        assert_eq!(report.suites[0].name, "tests/new.rs");
    }

    #[test]
    fn lines_that_only_resemble_results_count_nothing() {
        for line in [
            "",
            "Running out of time",
            "test result: unknown",
            "test result: ok. many passed; 0 failed; 0 ignored",
            "test result: ok. 1 passed",
        ] {
            assert_eq!(counts(line), None, "{line}");
            assert_eq!(names().announced(line), None, "{line}");
        }
        assert_eq!(ignored_test("test a ... ok"), None);
        assert_eq!(ignored_test("test a ... ignored"), Some(("a", None)));
    }
}
