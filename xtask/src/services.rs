//! `cargo xtask services`: the servers for work by hand.
//!
//! What `up` prints to standard output is for `eval`; everything else goes to standard error.

use larder_services::{Setup, Status, down, status, up};

use crate::{
    failure::Failure,
    summary::{Outcome, write_table},
};

pub(crate) fn run(args: &[String]) -> Result<Outcome, Failure> {
    let Some((command, names)) = args.split_first() else {
        return Err(Failure::usage("\"services\" wants \"up\", \"down\" or \"status\""));
    };
    match (command.as_str(), names) {
        ("down", []) => bring_down(),
        ("status", []) => show_status(),
        ("up", _) => bring_up(&setups(names)?),
        ("down" | "status", [extra, ..]) => {
            Err(Failure::usage(format!("\"{command}\" takes no argument, but got \"{extra}\"")))
        }
        (unknown, _) => Err(Failure::usage(format!("\"services\" has no command \"{unknown}\""))),
    }
}

/// The named setups, or all of them.
fn setups(names: &[String]) -> Result<Vec<Setup>, Failure> {
    if names.is_empty() {
        return Ok(Setup::ALL.to_vec());
    }
    let parse = |name: &String| {
        name.parse().map_err(|_| {
            let known: Vec<&str> = Setup::ALL.iter().map(|setup| setup.name()).collect();
            Failure::usage(format!("there is no setup \"{name}\" among: {}", known.join(", ")))
        })
    };
    names.iter().map(parse).collect()
}

fn bring_up(setups: &[Setup]) -> Result<Outcome, Failure> {
    let standing = up(setups.iter().copied())?;
    for (setup, why) in &standing.missing {
        eprintln!("\n{setup} is missing: {why}");
    }
    for (name, value) in &standing.variables {
        println!("export {name}={}", quoted(value));
    }
    Ok(if standing.missing.is_empty() { Outcome::Passed } else { Outcome::Failed })
}

fn bring_down() -> Result<Outcome, Failure> {
    let ended = down()?;
    match ended.len() {
        0 => println!("nothing was up"),
        count => println!("ended {count}: {}", ended.join(", ")),
    }
    Ok(Outcome::Passed)
}

fn show_status() -> Result<Outcome, Failure> {
    let standing = status()?;
    if standing.is_empty() {
        println!("nothing is up");
        return Ok(Outcome::Passed);
    }
    print!("{}", table(&standing));
    let all_answer = standing.iter().all(|status| status.answers);
    Ok(if all_answer { Outcome::Passed } else { Outcome::Failed })
}

fn table(standing: &[Status]) -> String {
    let row = |status: &Status| {
        let state = match (status.is_alive, status.answers) {
            (true, true) => "answers",
            (true, false) => "does not answer",
            (false, _) => "is gone",
        };
        [status.name.clone(), state.to_owned(), status.pid.to_string()]
    };
    let rows: Vec<_> = standing.iter().map(row).collect();
    let mut table = String::new();
    // Writing to a string can not fail.
    let _ = write_table(&mut table, ["server", "state", "process"], &rows);
    table
}

/// A value as a shell reads it back.
fn quoted(value: &str) -> String {
    format!("'{}'", value.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage_error(args: &[&str]) -> String {
        let args: Vec<String> = args.iter().map(ToString::to_string).collect();
        match run(&args) {
            Err(failure @ Failure::Usage(_)) => failure.to_string(),
            other => panic!("{args:?} gave {other:?}"),
        }
    }

    #[test]
    fn a_wrong_command_line_is_named_and_starts_nothing() {
        assert!(usage_error(&[]).contains("\"up\""));
        assert!(usage_error(&["start"]).contains("\"start\""));
        assert!(usage_error(&["down", "redis"]).contains("\"redis\""));
        let unknown = usage_error(&["up", "redis", "oracle"]);
        assert!(unknown.contains("\"oracle\"") && unknown.contains("redis_tls"), "{unknown}");
    }

    #[test]
    fn no_name_is_every_setup() {
        assert_eq!(setups(&[]).expect("none is unknown"), Setup::ALL);
    }

    #[test]
    fn a_shell_reads_a_value_back() {
        assert_eq!(quoted("redis://h?a=b&c"), "'redis://h?a=b&c'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }
}
