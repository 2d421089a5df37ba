//! A bar that tells how far a long task has come.
//!
//! Guards that nothing is drawn where nobody watches.

use std::io::{self, IsTerminal as _, Write as _};

/// Progress through a number of steps, drawn on standard error if that is a terminal.
#[derive(Debug)]
pub(crate) struct Progress {
    visible: bool,
    shown_percent: Option<u64>,
}

const WIDTH: u64 = 40;

impl Progress {
    pub(crate) fn on_stderr() -> Self {
        Self { visible: io::stderr().is_terminal(), shown_percent: None }
    }

    /// Shows nothing.
    #[cfg(test)]
    pub(crate) const fn hidden() -> Self {
        Self { visible: false, shown_percent: None }
    }

    /// A line about what is happening.
    pub(crate) fn say(&self, text: &str) {
        if self.visible {
            // Progress is a courtesy; nothing is lost without it.
            let _ = writeln!(io::stderr(), "{text}");
        }
    }

    /// Draws the bar if it has grown.
    pub(crate) fn draw(&mut self, done: u64, total: u64) {
        let percent = done * 100 / total.max(1);
        if self.visible && self.shown_percent != Some(percent) {
            self.shown_percent = Some(percent);
            let _ = write!(io::stderr(), "\r{}", bar(percent));
        }
    }

    /// Takes the bar away.
    pub(crate) fn clear(&mut self) {
        if self.shown_percent.take().is_some() {
            let _ = write!(io::stderr(), "\r\u{1b}[K");
        }
    }
}

fn bar(percent: u64) -> String {
    let filled = usize::try_from(percent * WIDTH / 100).unwrap_or_default();
    let empty = usize::try_from(WIDTH).unwrap_or_default().saturating_sub(filled);
    format!("building the sample {}{} {percent:>3} %", "█".repeat(filled), "░".repeat(empty))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_grows_with_the_share() {
        assert_eq!(bar(0), format!("building the sample {}   0 %", "░".repeat(40)));
        assert_eq!(
            bar(50),
            format!("building the sample {}{}  50 %", "█".repeat(20), "░".repeat(20))
        );
        assert_eq!(bar(100), format!("building the sample {} 100 %", "█".repeat(40)));
    }
}
