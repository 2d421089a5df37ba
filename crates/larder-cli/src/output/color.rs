//! Colour: whether there is any, and which.
//!
//! Guards that output which is not read on a terminal holds no escape sequence, unless somebody
//! asked for it.

use std::{env, ffi::OsStr, io::IsTerminal};

/// What a piece of text is, as far as its look goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Paint {
    Bad,
    Dim,
    Good,
    Plain,
    Slow,
    Strong,
}

impl Paint {
    /// The sequences before and after the text.
    pub(crate) const fn codes(self, color: bool) -> (&'static str, &'static str) {
        const RESET: &str = "\u{1b}[0m";
        if !color {
            return ("", "");
        }
        match self {
            Self::Bad => ("\u{1b}[31m", RESET),
            Self::Dim => ("\u{1b}[2m", RESET),
            Self::Good => ("\u{1b}[32m", RESET),
            Self::Plain => ("", ""),
            Self::Slow => ("\u{1b}[33m", RESET),
            Self::Strong => ("\u{1b}[1m", RESET),
        }
    }

    /// The text in this look.
    pub(crate) fn show(self, text: &str, color: bool) -> String {
        let (before, after) = self.codes(color);
        format!("{before}{text}{after}")
    }
}

/// Whether to use colour on this stream: what was asked for, otherwise what fits.
pub(crate) fn wants_color(asked: Option<bool>, stream: &impl IsTerminal) -> bool {
    asked.unwrap_or_else(|| by_default(stream.is_terminal(), |name| env::var_os(name)))
}

/// # Source
/// <https://no-color.org>: any value of `NO_COLOR` but the empty one means no.
fn by_default<V: AsRef<OsStr>>(is_terminal: bool, variable: impl Fn(&str) -> Option<V>) -> bool {
    let is = |name, value: &str| variable(name).is_some_and(|found| found.as_ref() == value);
    let refused = variable("NO_COLOR").is_some_and(|value| !value.as_ref().is_empty());
    is_terminal && !refused && !is("TERM", "dumb")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(is_terminal: bool, variables: &[(&str, &str)], expected: bool) {
        let variable = |name: &str| {
            let found = variables.iter().find(|(variable, _)| *variable == name);
            found.map(|(_, value)| *value)
        };
        assert_eq!(by_default(is_terminal, variable), expected, "{variables:?}");
    }

    #[test]
    fn only_a_terminal_that_knows_colour_gets_it() {
        check(true, &[], true);
        check(true, &[("TERM", "xterm"), ("NO_COLOR", "")], true);
        check(true, &[("NO_COLOR", "0")], false);
        check(true, &[("TERM", "dumb")], false);
        check(false, &[("TERM", "xterm")], false);
    }

    #[test]
    fn without_colour_text_stays_as_it_is() {
        assert_eq!(Paint::Good.show("x", false), "x");
        assert_eq!(Paint::Good.show("x", true), "\u{1b}[32mx\u{1b}[0m");
        assert_eq!(Paint::Plain.show("x", true), "x");
    }
}
