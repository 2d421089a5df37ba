//! Processes as typed commands: no shell, arguments never joined into a string that is parsed.
//!
//! An interrupt from the terminal reaches the children too, as they stay in its process group.

use std::{
    env,
    ffi::OsStr,
    io::{self, BufRead as _, BufReader, IsTerminal as _},
    path::Path,
    process::{Command, Stdio},
};

use crate::failure::Failure;

/// A cargo command in the given directory.
pub(crate) fn cargo<I, S>(directory: &Path, args: I) -> Command
where
    I: IntoIterator<Item = S>,
    S: AsRef<OsStr>,
{
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(directory).args(args);
    // `cargo run` describes xtask in these variables. Passed on, they look like a change to the
    // build scripts that watch them, and the next plain `cargo build` would start over.
    for (name, _) in env::vars_os() {
        let inherited = name.to_string_lossy();
        if inherited.starts_with("CARGO_PKG_") || inherited.starts_with("CARGO_MANIFEST_") {
            command.env_remove(name);
        }
    }
    command
}

/// Runs a command whose output goes straight to the terminal; `true` if it succeeded.
pub(crate) fn run(command: &mut Command) -> Result<bool, Failure> {
    announce(command);
    let status = command.status().map_err(|error| failed(command, error))?;
    Ok(status.success())
}

/// Runs a command, shows each line of its output, and hands the line over as plain text.
pub(crate) fn stream(command: &mut Command, each_line: impl FnMut(&str)) -> Result<bool, Failure> {
    announce(command);
    follow(command, each_line)
}

/// As [`stream`], for a command that is too long to be shown.
///
/// Standard output and standard error share one pipe, so that the lines come in the order in
/// which they were written.
pub(crate) fn follow(
    command: &mut Command,
    mut each_line: impl FnMut(&str),
) -> Result<bool, Failure> {
    if io::stdout().is_terminal() && env::var_os("CARGO_TERM_COLOR").is_none() {
        command.env("CARGO_TERM_COLOR", "always");
    }
    let (reader, writer) = io::pipe().map_err(|error| failed(command, error))?;
    let stderr = writer.try_clone().map_err(|error| failed(command, error))?;
    let mut child = command
        .stdin(Stdio::null())
        .stdout(writer)
        .stderr(stderr)
        .spawn()
        .map_err(|error| failed(command, error))?;
    // The command holds the writing ends; while they are open here, the reader sees no end.
    command.stdout(Stdio::null()).stderr(Stdio::null());

    let mut reader = BufReader::new(reader);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line).map_err(|error| failed(command, error))? > 0 {
        let text = String::from_utf8_lossy(&line);
        print!("{text}");
        each_line(without_colour(&text).trim_end());
        line.clear();
    }
    let status = child.wait().map_err(|error| failed(command, error))?;
    Ok(status.success())
}

/// Runs a command that has to succeed and returns its standard output.
pub(crate) fn capture(command: &mut Command) -> Result<String, Failure> {
    let output = command.output().map_err(|error| failed(command, error))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(Failure::Command {
            command: shown(command),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }
}

/// Runs a command, shows its standard error as it comes, and returns its standard output, or
/// nothing if it failed.
pub(crate) fn capture_showing_progress(command: &mut Command) -> Result<Option<String>, Failure> {
    announce(command);
    let output =
        command.stderr(Stdio::inherit()).output().map_err(|error| failed(command, error))?;
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(output.status.success().then_some(stdout))
}

/// The command as a person would type it, for messages only.
pub(crate) fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let mut words = vec![program.file_stem().unwrap_or_default().to_string_lossy()];
    words.extend(command.get_args().map(OsStr::to_string_lossy));
    words.join(" ")
}

fn announce(command: &Command) {
    println!("\n$ {}", shown(command));
}

fn failed(command: &Command, source: io::Error) -> Failure {
    Failure::Process { command: shown(command), source }
}

/// Drops the escape sequences for colour, which run from ESC to the letter `m`.
fn without_colour(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut parts = line.split('\u{1b}');
    plain.extend(parts.next());
    for part in parts {
        plain.push_str(part.split_once('m').map_or("", |(_, text)| text));
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_is_dropped_and_text_stays() {
        assert_eq!(without_colour("plain"), "plain");
        assert_eq!(
            without_colour("\u{1b}[1m\u{1b}[32m   Running\u{1b}[0m unit"),
            "   Running unit"
        );
        assert_eq!(without_colour("cut \u{1b}[1"), "cut ");
    }

    #[test]
    fn both_outputs_arrive_in_the_order_of_writing() {
        let mut lines = Vec::new();
        let mut command = cargo(Path::new("."), ["--version", "--no-such-flag"]);
        let succeeded = stream(&mut command, |line| lines.push(line.to_owned()))
            .expect("cargo runs the tests, so it is there");
        assert!(!succeeded);
        assert!(lines.iter().any(|line| line.contains("no-such-flag")));
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let error = run(&mut Command::new("no-such-program")).expect_err("it is not there");
        assert_eq!(error.to_string(), "can not run `no-such-program`");
    }
}
