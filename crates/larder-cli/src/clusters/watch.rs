//! `larder clusters watch`: the same again and again, until somebody has seen enough.
//!
//! Guards that a terminal is left as it was found, and that what goes elsewhere has no escape
//! sequence in it.

use std::{
    io::{self, IsTerminal as _, Write},
    num::NonZeroU64,
    path::Path,
    pin::pin,
    time::Duration,
};

use clap::Args;
use larder::clusters::{ClusterCache, SharedInfo};
use serde_json::{Value, json};

use super::{documents, place::Place, report, shared, status::Seen};
use crate::{answer::AnswerArgs, failure::Failure, moment, output::escape};

/// Show statistics, the active cluster and the shared ones, drawn anew until Ctrl-C
///
/// Where output does not go to a terminal, each view follows the one before; with --json, each is
/// one line.
#[derive(Debug, Args)]
pub(super) struct WatchArgs {
    #[command(flatten)]
    place: Place,

    /// End after so many views
    #[arg(long, value_name = "COUNT")]
    count: Option<NonZeroU64>,

    /// How long a view stands, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "2", value_parser = seconds)]
    interval: Duration,

    #[command(flatten)]
    answer: AnswerArgs,
}

/// To the first line and the first column.
const HOME: &str = "\u{1b}[H";
/// What is left of a line, and of the screen, from an earlier view.
const CLEAR_LINE: &str = "\u{1b}[K";
const CLEAR_BELOW: &str = "\u{1b}[J";

pub(super) async fn run(args: &WatchArgs) -> Result<(), Failure> {
    let cache = args.place.open()?;
    let path = cache.file().path().to_owned();
    let views = args.count.map_or(u64::MAX, NonZeroU64::get);
    // One for all views, so that no signal comes between two of them.
    let mut interrupted = pin!(interrupted());
    for view in 1..=views {
        // The connections block, and a signal has to get through meanwhile.
        let cache = cache.clone();
        let look = tokio::task::spawn_blocking(move || View::of(&cache));
        let seen = tokio::select! {
            // First, so that a signal is listened for before anything is shown.
            biased;
            () = &mut interrupted => break,
            seen = look => seen,
        };
        // A task ends without an outcome only with the runtime, or by a panic that was told.
        let Ok(seen) = seen else { break };
        seen?.show(args, &path, view == 1).map_err(Failure::output)?;
        if view < views {
            tokio::select! {
                () = tokio::time::sleep(args.interval) => {}
                () = &mut interrupted => break,
            }
        }
    }
    Ok(())
}

/// Waits until somebody has seen enough.
async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        // Where signals can not be heard, they end the process by themselves.
        std::future::pending::<()>().await;
    }
}

struct View {
    seen: Seen,
    shared: Vec<SharedInfo>,
}

impl View {
    fn of(cache: &ClusterCache) -> Result<Self, Failure> {
        Ok(Self { seen: Seen::of(cache)?, shared: cache.file().shared().all()? })
    }

    fn show(&self, args: &WatchArgs, path: &Path, is_first: bool) -> io::Result<()> {
        let stdout = io::stdout();
        let is_terminal = stdout.is_terminal();
        let mut out = stdout.lock();
        if args.answer.is_json() {
            serde_json::to_writer(&mut out, &self.document())?;
            return writeln!(out).and_then(|()| out.flush());
        }
        let mut text = Vec::new();
        self.text(&mut text, path, args.answer.color())?;
        let text = String::from_utf8_lossy(&text);
        if is_terminal {
            write!(out, "{}", redrawn(&text, is_first))?;
        } else {
            write!(out, "{}{text}", if is_first { "" } else { "\n" })?;
        }
        out.flush()
    }

    fn document(&self) -> Value {
        let shared: Vec<_> = self.shared.iter().map(documents::shared).collect();
        let mut document = self.seen.document();
        document["at"] = documents::time(Some(self.seen.now_ms));
        document["shared"] = json!(shared);
        document
    }

    fn text(&self, out: &mut dyn Write, path: &Path, color: bool) -> io::Result<()> {
        let now_ms = self.seen.now_ms;
        let path = path.display().to_string();
        let now = moment::utc(now_ms - now_ms.rem_euclid(1_000));
        writeln!(out, "{now}  {}", escape::controls(&path))?;
        report::heading(out, "Cache Statistics", color)?;
        report::statistics(out, &self.seen.statistics)?;
        report::active(out, self.seen.active.as_ref(), now_ms, color)?;
        if self.shared.is_empty() {
            return writeln!(out, "\nNo shared clusters");
        }
        report::heading(out, "Shared Clusters", color)?;
        shared::table(&self.shared).write(&mut &mut *out, color)
    }
}

/// The text over what stands on the screen, without a moment at which the screen is empty.
fn redrawn(text: &str, is_first: bool) -> String {
    // What stood there before the first view is scrolled away and not lost.
    let start = if is_first { format!("{CLEAR_BELOW}\u{1b}[2J{HOME}") } else { HOME.to_owned() };
    let lines = text.replace('\n', &format!("{CLEAR_LINE}\n"));
    format!("{start}{lines}{CLEAR_BELOW}")
}

/// Some time, and not so little that the file is looked at all the time.
fn seconds(text: &str) -> Result<Duration, &'static str> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.1..=86_400.0).contains(&seconds) => Ok(Duration::from_secs_f64(seconds)),
        _ => Err("expected a number of seconds from 0.1 to 86400"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_is_drawn_over_the_one_before() {
        assert_eq!(redrawn("a\nb\n", false), "\u{1b}[Ha\u{1b}[K\nb\u{1b}[K\n\u{1b}[J");
        assert!(redrawn("a\n", true).contains("\u{1b}[2J"));
    }

    #[test]
    fn the_interval_is_bounded() {
        assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
        for text in ["0", "0.01", "-1", "nan", "", "1s", "100000"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }
}
