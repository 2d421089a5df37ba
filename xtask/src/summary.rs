//! The table at the end of a task: each step, what became of it, how long it took.
//!
//! Invariant: a step that was skipped has a row that says so, and why.

use std::{fmt, time::Duration};

/// What became of a whole task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Failed,
    Passed,
}

/// What became of one step, in a few words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Failed(String),
    NotRun(String),
    Passed(String),
}

impl Verdict {
    pub(crate) fn from_success(succeeded: bool) -> Self {
        if succeeded { Self::Passed(String::new()) } else { Self::Failed(String::new()) }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, detail) = match self {
            Self::Failed(detail) => ("FAILED", detail),
            Self::NotRun(detail) => ("not run", detail),
            Self::Passed(detail) => ("ok", detail),
        };
        f.write_str(word)?;
        if detail.is_empty() { Ok(()) } else { write!(f, ": {detail}") }
    }
}

/// A table under construction.
#[derive(Debug)]
pub(crate) struct Summary {
    title: &'static str,
    rows: Vec<(String, Verdict, Option<Duration>)>,
}

impl Summary {
    /// An empty table; `title` heads the column of the steps' names.
    pub(crate) const fn new(title: &'static str) -> Self {
        Self { title, rows: Vec::new() }
    }

    pub(crate) fn push(&mut self, name: impl Into<String>, verdict: Verdict, time: Duration) {
        self.rows.push((name.into(), verdict, Some(time)));
    }

    pub(crate) fn push_skipped(&mut self, name: impl Into<String>, why: impl Into<String>) {
        self.push_untimed(name, Verdict::NotRun(why.into()));
    }

    pub(crate) fn push_untimed(&mut self, name: impl Into<String>, verdict: Verdict) {
        self.rows.push((name.into(), verdict, None));
    }

    /// Failed if any row failed.
    pub(crate) fn outcome(&self) -> Outcome {
        let failed = |row: &(_, Verdict, _)| matches!(row.1, Verdict::Failed(_));
        if self.rows.iter().any(failed) { Outcome::Failed } else { Outcome::Passed }
    }

    /// Shows the table and says what became of the whole.
    pub(crate) fn conclude(&self) -> Outcome {
        println!("\n{self}");
        self.outcome()
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows: Vec<[String; 3]> = self
            .rows
            .iter()
            .map(|(name, verdict, time)| {
                let seconds =
                    time.map_or(String::new(), |time| format!("{:.1}", time.as_secs_f64()));
                [name.clone(), verdict.to_string(), seconds]
            })
            .collect();
        write_table(f, [self.title, "result", "seconds"], &rows)
    }
}

/// Writes columns as wide as their widest cell; the last one is a number and set to the right.
pub(crate) fn write_table<const N: usize>(
    f: &mut impl fmt::Write,
    head: [&str; N],
    rows: &[[String; N]],
) -> fmt::Result {
    let head = head.map(str::to_owned);
    let width = |column: usize| {
        let cells = rows.iter().chain([&head]).map(|row| row[column].chars().count());
        cells.max().unwrap_or(0)
    };
    let widths: [usize; N] = std::array::from_fn(width);
    for row in [&head].into_iter().chain(rows) {
        let mut line = String::new();
        for (column, (cell, &width)) in row.iter().zip(&widths).enumerate() {
            if column + 1 == N {
                line.push_str(&format!("{cell:>width$}"));
            } else {
                line.push_str(&format!("{cell:<width$}  "));
            }
        }
        writeln!(f, "{}", line.trim_end())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_shows_every_step_with_its_result_and_time() {
        let mut summary = Summary::new("step");
        summary.push("format", Verdict::from_success(true), Duration::from_millis(440));
        summary.push_skipped("deny", "it is not installed");
        assert_eq!(summary.outcome(), Outcome::Passed);
        summary.push("lints", Verdict::Failed("2 warnings".into()), Duration::from_secs(12));
        assert_eq!(summary.outcome(), Outcome::Failed);
        assert_eq!(
            summary.to_string(),
            "step    result                        seconds\n\
             format  ok                                0.4\n\
             deny    not run: it is not installed\n\
             lints   FAILED: 2 warnings               12.0\n"
        );
    }
}
