//! A command line that makes no sense: one line, without what may be secret.
//!
//! Guards that an argument with a URL in it is never echoed, whatever place it was put in.

use std::{
    ffi::OsString,
    io::{self, Write as _},
    process::ExitCode,
};

use clap::error::ErrorKind;

use crate::output::escape;

/// Prints help and version as they are, and everything else as one line.
pub(crate) fn report(error: &clap::Error, args: &[OsString]) -> ExitCode {
    let rendered = error.render().to_string();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            // Whoever asked for help and went away does not need it any more.
            let _ = io::stdout().lock().write_all(rendered.as_bytes());
            ExitCode::SUCCESS
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let _ = io::stderr().lock().write_all(rendered.as_bytes());
            ExitCode::from(2)
        }
        _ => {
            let args = args.iter().map(|arg| arg.to_string_lossy());
            let line = one_line(&redacted(rendered, args));
            let _ = writeln!(io::stderr(), "{}", escape::controls(&line));
            ExitCode::from(2)
        }
    }
}

/// Takes out every argument that may be a URL with a password.
fn redacted(mut text: String, args: impl Iterator<Item = impl AsRef<str>>) -> String {
    for arg in args {
        // The value of `--name=value` is echoed without the name.
        let arg = arg.as_ref();
        let value = arg.strip_prefix('-').and_then(|option| option.split_once('='));
        let secret = value.map_or(arg, |(_, value)| value);
        if secret.contains([':', '@']) {
            text = text.replace(secret, "…");
        }
    }
    text
}

/// The paragraphs of a message, without the hint at the help.
fn one_line(rendered: &str) -> String {
    let paragraphs = rendered
        .split("\n\n")
        .map(|paragraph| paragraph.split_whitespace().collect::<Vec<_>>().join(" "));
    let paragraphs: Vec<String> = paragraphs
        .filter(|text| !text.is_empty())
        .filter(|text| !text.starts_with("Usage:") && !text.starts_with("For more information"))
        .collect();
    paragraphs.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_becomes_one_line() {
        let rendered = "error: invalid value 'xml' for '--format <FORMAT>'\n  \
             [possible values: table, json]\n\n  tip: a similar value exists: 'csv'\n\n\
             Usage: larder query <SQL>\n\nFor more information, try '--help'.\n";
        assert_eq!(
            one_line(rendered),
            "error: invalid value 'xml' for '--format <FORMAT>' [possible values: table, json]; \
             tip: a similar value exists: 'csv'"
        );
    }

    #[test]
    fn what_may_be_a_url_is_taken_out() {
        let check = |arg: &str| {
            let echoed = arg.split_once('=').map_or(arg, |(_, value)| value);
            let text = redacted(format!("unexpected argument '{echoed}' found"), [arg].into_iter());
            assert_eq!(text, "unexpected argument '…' found", "{arg}");
        };
        check("postgres://u:hunter2@h/d");
        check("--databas=postgres://u:hunter2@h/d?a=b");
        check("int:hunter2");
        check("u@hunter2");
    }

    #[test]
    fn other_arguments_are_shown() {
        let text = redacted("invalid value 'xml'".to_owned(), ["xml", "--format=xml"].into_iter());
        assert_eq!(text, "invalid value 'xml'");
    }
}
