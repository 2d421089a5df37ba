//! `cargo xtask`: every task of the workspace under one name, with nothing to install.
//!
//! This file parses the command line and dispatches; each command has a file of its own.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the terminal is a task runner's interface"
)]

mod bench;
mod check;
mod ci;
mod downstream;
mod failure;
mod live;
mod live_report;
mod metadata;
mod process;
mod services;
mod stopwatch;
mod summary;
mod test;
mod test_binaries;
mod test_report;
mod test_request;
mod tidy;

use std::{env, error::Error as _, process::ExitCode};

use crate::{failure::Failure, summary::Outcome};

const HELP: &str = "\
usage: cargo xtask <command> [arguments]

  check             format, lints (all features together, none, and each alone), docs, tidy,
                    and cargo-deny where it is installed
  test [package|setup|filter...] [--require-services]
                    every test of the workspace, those that need a server with that server, then
                    the downstream packages; with packages, theirs; with setups, the tests that
                    need these; with other words, the tests whose name contains one of them;
                    a server that can not be had is a failure with the option, or if CI=true
  services up [setup...] | down | status
                    starts servers that stay, all or the named ones, and prints their variables;
                    ends them; asks each whether it answers
  tidy              tiers, manifests, module docs, forgotten files, links
  bench [name...] [--enforce]
                    the benches, or those named; lists the ratios that they print, and with
                    --enforce fails if one is beyond its limit
  ci                check and test: what runs on merge
  help              this text
";

fn main() -> ExitCode {
    larder_services::report_progress_to(|line| eprintln!("services: {line}"));
    let args: Vec<String> =
        env::args_os().skip(1).map(|arg| arg.to_string_lossy().into_owned()).collect();
    match dispatch(&args) {
        Ok(Outcome::Passed) => ExitCode::SUCCESS,
        Ok(Outcome::Failed) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("xtask: {failure}");
            let mut cause = failure.source();
            while let Some(error) = cause {
                eprintln!("  because: {error}");
                cause = error.source();
            }
            failure.exit_code()
        }
    }
}

fn dispatch(args: &[String]) -> Result<Outcome, Failure> {
    let Some((command, rest)) = args.split_first() else {
        return Err(Failure::usage("a command is missing"));
    };
    match command.as_str() {
        "bench" => bench::run(rest),
        "check" => takes_nothing(command, rest).and_then(|()| check::run()),
        "ci" => takes_nothing(command, rest).and_then(|()| ci::run()),
        "help" | "--help" | "-h" => {
            print!("{HELP}");
            Ok(Outcome::Passed)
        }
        "services" => services::run(rest),
        "test" => test::run(rest),
        "tidy" => takes_nothing(command, rest).and_then(|()| tidy::run()),
        unknown => Err(Failure::usage(format!("there is no command \"{unknown}\""))),
    }
}

fn takes_nothing(command: &str, rest: &[String]) -> Result<(), Failure> {
    match rest.first() {
        None => Ok(()),
        Some(extra) => {
            Err(Failure::usage(format!("\"{command}\" takes no argument, but got \"{extra}\"")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage_error(args: &[&str]) -> String {
        let args: Vec<String> = args.iter().map(ToString::to_string).collect();
        match dispatch(&args) {
            Err(failure @ Failure::Usage(_)) => failure.to_string(),
            other => panic!("{args:?} gave {other:?}"),
        }
    }

    #[test]
    fn a_wrong_command_line_is_named_and_runs_nothing() {
        assert!(usage_error(&[]).contains("a command is missing"));
        assert!(usage_error(&["tets"]).contains("\"tets\""));
        assert!(usage_error(&["check", "fast"]).contains("\"fast\""));
        assert!(usage_error(&["ci", "--fast"]).contains("\"--fast\""));
        assert!(usage_error(&["test", "--nocapture"]).contains("\"--nocapture\""));
        assert!(usage_error(&["bench", "--strict"]).contains("\"--strict\""));
    }

    #[test]
    fn help_names_every_command() {
        for command in ["bench", "check", "ci", "help", "services", "test", "tidy"] {
            assert!(HELP.contains(&format!("\n  {command} ")), "{command}");
        }
    }
}
