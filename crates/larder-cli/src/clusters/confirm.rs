//! What is asked before something is done that can not be taken back.
//!
//! Guards that where nobody can be asked, nothing is done without `--yes`.

use std::io::{self, BufRead, IsTerminal as _, Write};

use clap::Args;

use crate::{failure::Failure, output::escape};

/// Whether somebody has said yes beforehand.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct ConfirmArgs {
    /// Do it without asking, as a script has to
    #[arg(long)]
    yes: bool,
}

impl ConfirmArgs {
    /// Asks, unless somebody has said yes; `what` is what would be done: "this removes …".
    pub(super) fn ask(self, what: &str) -> Result<(), Failure> {
        let (stdin, stderr) = (io::stdin(), io::stderr());
        let somebody = stdin.is_terminal() && stderr.is_terminal();
        let somebody = somebody.then(|| (stdin.lock(), stderr.lock()));
        if self.yes { Ok(()) } else { asked(what, somebody) }
    }
}

fn asked(what: &str, somebody: Option<(impl BufRead, impl Write)>) -> Result<(), Failure> {
    let Some((mut answers, mut questions)) = somebody else {
        return Err(Failure::Unconfirmed { what: what.to_owned() });
    };
    let mut answer = String::new();
    let heard = write!(questions, "{}. Go on? [y/N] ", sentence(what))
        .and_then(|()| questions.flush())
        .and_then(|()| answers.read_line(&mut answer));
    match (heard, answer.trim().to_ascii_lowercase().as_str()) {
        (Ok(_), "y" | "yes") => Ok(()),
        _ => Err(Failure::Declined),
    }
}

fn sentence(what: &str) -> String {
    let mut rest = what.chars();
    let first: String = rest.next().into_iter().flat_map(char::to_uppercase).collect();
    escape::controls(&(first + rest.as_str())).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(answer: &str) -> (Result<(), Failure>, String) {
        let mut question = Vec::new();
        let outcome = asked("this removes \u{1b}x", Some((answer.as_bytes(), &mut question)));
        (outcome, String::from_utf8(question).unwrap())
    }

    #[test]
    fn only_a_yes_is_one() {
        for answer in ["y\n", "Y\r\n", " yes \n", "YES"] {
            let (outcome, question) = check(answer);
            assert!(outcome.is_ok(), "{answer:?}");
            assert_eq!(question, "This removes \\u{1b}x. Go on? [y/N] ");
        }
        for answer in ["", "\n", "n\n", "ye\n", "yes please\n", "1\n"] {
            assert!(matches!(check(answer).0, Err(Failure::Declined)), "{answer:?}");
        }
    }

    #[test]
    fn where_nobody_can_be_asked_nothing_is_done() {
        let outcome = asked("this removes x", None::<(&[u8], Vec<u8>)>);
        assert!(matches!(outcome, Err(Failure::Unconfirmed { .. })));
        assert!(ConfirmArgs { yes: true }.ask("this removes x").is_ok());
    }
}
