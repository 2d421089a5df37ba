//! How a command answers: text for people, one JSON document for programs.

use std::io::{self, BufWriter, Write};

use clap::Args;
use serde::Serialize;

use crate::{failure::Failure, output::wants_color};

/// How the answer is to look.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct AnswerArgs {
    /// Print one JSON document instead of text
    #[arg(long)]
    json: bool,

    /// Use colour also where output does not go to a terminal
    #[arg(long, conflicts_with = "no_color")]
    color: bool,

    /// Use no colour [env: NO_COLOR]
    #[arg(long)]
    no_color: bool,
}

impl AnswerArgs {
    /// Whether a program reads the answer.
    pub(crate) const fn is_json(self) -> bool {
        self.json
    }

    /// Whether text goes to standard output in colour.
    pub(crate) fn color(self) -> bool {
        let asked = if self.color || self.no_color { Some(self.color) } else { None };
        wants_color(asked, &io::stdout())
    }

    /// Prints the document, or has the text written with or without colour.
    pub(crate) fn print<T: Serialize>(
        self,
        document: &T,
        text: impl FnOnce(&mut dyn Write, bool) -> io::Result<()>,
    ) -> Result<(), Failure> {
        let mut out = BufWriter::new(io::stdout().lock());
        if self.json {
            serde_json::to_writer_pretty(&mut out, document).map_err(Failure::json)?;
            writeln!(out).map_err(Failure::output)?;
        } else {
            text(&mut out, self.color()).map_err(Failure::output)?;
        }
        out.flush().map_err(Failure::output)
    }
}
