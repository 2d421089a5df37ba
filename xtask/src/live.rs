//! The live tests: those that need a server, with the servers that they need.
//!
//! A live test is ignored by plain `cargo test` and lives in a module that carries the name of
//! the setup it needs, or in several. Invariant: of the ignored tests only these are run, each
//! named in full, because the others are parts that only play with another process.

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    process::Command,
};

use larder_services::{Error, Services, Setup, home};

use crate::{
    failure::Failure,
    live_report::{LiveReport, Outcomes},
    process::{capture, follow},
    stopwatch::Stopwatch,
    test_binaries::Binary,
    test_request::Request,
};

/// The reason that every live test gives for being ignored.
pub(crate) const REASON: &str = "needs a live service";

/// Live tests mostly wait, for servers and for lifetimes to be over, so there are more of them at
/// a time than processors.
const THREADS: &str = "RUST_TEST_THREADS";
const THREADS_OF_LIVE_TESTS: &str = "8";

/// Up to so many tests of a suite that fail get a second chance, one after the other. Among
/// thousands that share a machine with a dozen servers, one now and then runs into a limit that it
/// would not meet alone; more than a few at a time are no accident.
const SECOND_CHANCES: usize = 3;

/// The live tests of one program.
#[derive(Debug)]
struct LiveSuite<'a> {
    binary: &'a Binary,
    /// The name of each test with the setups in it.
    tests: Vec<(String, Vec<Setup>)>,
}

/// Runs the live tests that are wanted, and reports on all of them.
pub(crate) fn run(request: &Request, binaries: &[Binary]) -> Result<LiveReport, Failure> {
    let mut suites = Vec::new();
    for binary in binaries {
        let mut tests = list(binary)?;
        tests.retain(|(name, setups)| request.wants(name, setups));
        if !tests.is_empty() {
            suites.push(LiveSuite { binary, tests });
        }
    }
    let needed: BTreeSet<Setup> = suites
        .iter()
        .flat_map(|suite| &suite.tests)
        .flat_map(|(_, setups)| setups.clone())
        .collect();

    let mut report = LiveReport::new(request.requires_services);
    if needed.is_empty() {
        return Ok(report);
    }
    let names: Vec<&str> = needed.iter().map(|setup| setup.name()).collect();
    println!("\nservices: {}", names.join(", "));
    let watch = Stopwatch::start();
    let services = Services::start(needed.iter().copied())?;
    println!(
        "services: all that can be started are up after {:.1} s",
        watch.elapsed().as_secs_f64()
    );
    for (setup, error) in services.missing() {
        println!("\n{setup} is missing: {error}");
    }
    for suite in &suites {
        run_suite(suite, &services, &mut report)?;
    }
    if request.is_for_all() {
        report.add_untested(&needed);
    }
    Ok(report)
}

/// The ignored tests of a program that name a setup.
fn list(binary: &Binary) -> Result<Vec<(String, Vec<Setup>)>, Failure> {
    let mut command = command(binary);
    let tests = capture(command.args(["--list", "--ignored", "--format", "terse"]))?;
    let names = tests.lines().filter_map(|line| line.strip_suffix(": test"));
    let with_setups = names.map(|name| (name.to_owned(), setups_in(name)));
    Ok(with_setups.filter(|(_, setups)| !setups.is_empty()).collect())
}

/// The setups that are modules of a test's path, each once.
pub(crate) fn setups_in(test: &str) -> Vec<Setup> {
    let modules = test.rsplit_once("::").map_or("", |(modules, _)| modules);
    let setups: BTreeSet<Setup> =
        modules.split("::").filter_map(|module| module.parse().ok()).collect();
    setups.into_iter().collect()
}

fn run_suite(
    suite: &LiveSuite<'_>,
    services: &Services,
    report: &mut LiveReport,
) -> Result<(), Failure> {
    let mut runnable = Vec::new();
    for (name, setups) in &suite.tests {
        match obstacle(setups, services) {
            Some(why) => report.add_not_run(&suite.binary.suite, setups, &why),
            None => runnable.push((name.as_str(), setups)),
        }
    }
    if runnable.is_empty() {
        return Ok(());
    }
    println!("\n$ {}: {} live tests", suite.binary.suite, runnable.len());
    let names: Vec<&str> = runnable.iter().map(|(name, _)| *name).collect();
    let watch = Stopwatch::start();
    let mut outcomes = run_tests(suite.binary, &names, THREADS_OF_LIVE_TESTS, services)?;
    let failed: Vec<&str> = names.iter().copied().filter(|name| !outcomes.passed(name)).collect();
    if (1..=SECOND_CHANCES).contains(&failed.len()) {
        println!("\n$ {}: once more, alone: {}", suite.binary.suite, failed.join(", "));
        outcomes.amend(run_tests(suite.binary, &failed, "1", services)?);
    }
    report.add_run(&suite.binary.suite, &runnable, &outcomes, watch.elapsed());
    Ok(())
}

fn run_tests(
    binary: &Binary,
    names: &[&str],
    threads: &str,
    services: &Services,
) -> Result<Outcomes, Failure> {
    let mut command = command(binary);
    command.args(["--ignored", "--exact"]).args(names);
    command.envs(environment(services)?);
    if env::var_os(THREADS).is_none() {
        command.env(THREADS, threads);
    }
    services.tie(&mut command);
    let mut outcomes = Outcomes::default();
    follow(&mut command, |line| outcomes.line(line))?;
    Ok(outcomes)
}

/// Why a test that needs these setups can not run.
fn obstacle(setups: &[Setup], services: &Services) -> Option<String> {
    let needed = setups.iter().flat_map(|setup| [setup].into_iter().chain(setup.company()));
    needed.copied().find_map(|setup| match services.outcome(setup) {
        Some(Ok(_)) => None,
        // The table names the service beside it.
        Some(Err(Error::Unavailable { why, .. })) => Some(why.clone()),
        Some(Err(error)) => Some(error.to_string()),
        None => Some(format!("{setup} was not started")),
    })
}

/// What tests find their servers by, and their own servers' programs.
pub(crate) fn environment(services: &Services) -> Result<BTreeMap<String, String>, Failure> {
    let mut environment = services.environment();
    let home = home()?.display().to_string();
    environment.insert(larder_services::HOME_VARIABLE.to_owned(), home);
    Ok(environment)
}

/// The program as cargo would run it. Its output is read, so it is not coloured.
fn command(binary: &Binary) -> Command {
    let mut command = Command::new(&binary.executable);
    command.current_dir(&binary.folder).env("CARGO_MANIFEST_DIR", &binary.folder);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_live_test_is_known_by_its_modules() {
        assert_eq!(setups_in("redis::conformance::core::hit"), [Setup::Redis]);
        assert_eq!(setups_in("matrix::postgres::redis_tls::x"), [Setup::Postgres, Setup::RedisTls]);
        assert_eq!(setups_in("redis::redis::x"), [Setup::Redis]);
        for other in ["redis", "rediss::x", "child::redis", "loads_redis::x"] {
            assert!(setups_in(other).is_empty(), "{other}");
        }
    }
}
