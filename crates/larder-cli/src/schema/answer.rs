//! How a command answers: text for people, one JSON document for programs.

use std::io::{self, BufWriter, Write};

use clap::Args;
use serde::Serialize;

use crate::{failure::Failure, output::wants_color};

/// How the answer is to look.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct AnswerArgs {
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
    /// Prints the document, or has the text written with or without colour.
    pub(super) fn print<T: Serialize>(
        self,
        document: &T,
        text: impl FnOnce(&mut dyn Write, bool) -> io::Result<()>,
    ) -> Result<(), Failure> {
        let stdout = io::stdout();
        let asked = if self.color || self.no_color { Some(self.color) } else { None };
        let color = wants_color(asked, &stdout);
        let mut out = BufWriter::new(stdout.lock());
        if self.json {
            serde_json::to_writer_pretty(&mut out, document).map_err(Failure::json)?;
            writeln!(out).map_err(Failure::output)?;
        } else {
            text(&mut out, color).map_err(Failure::output)?;
        }
        out.flush().map_err(Failure::output)
    }
}
