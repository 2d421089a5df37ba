//! `larder clusters import`: the file-based cache that came before.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::{environment::Environment, place::Place};
use crate::{
    answer::AnswerArgs,
    failure::Failure,
    output::{Paint, counted, escape},
    plain::path,
};

/// Take over the JSON file of the former file-based cache
///
/// It holds one cluster, a list of clusters, or an object of them. Clusters that are cached already
/// stay as they are. Either all is taken over or nothing is. The JSON file is only read.
#[derive(Debug, Args)]
pub(super) struct ImportArgs {
    #[command(flatten)]
    place: Place,

    /// The JSON file
    #[arg(value_name = "JSON", value_parser = path)]
    document: PathBuf,

    #[command(flatten)]
    answer: AnswerArgs,
}

pub(super) fn run(args: &ImportArgs) -> Result<(), Failure> {
    let path = || args.document.clone();
    let document = std::fs::read_to_string(&args.document).map_err(|source| Failure::File {
        path: path(),
        action: "read",
        source,
    })?;
    // What is no JSON is for the import to refuse.
    if let Ok(value) = serde_json::from_str(&document) {
        Environment::read().refuse_token_in(value)?;
    }
    let cache = args.place.open_or_create(|options| options)?;
    let outcome = cache.import_json(&document).map_err(|error| match error {
        larder::clusters::Error::Import(source) => {
            Failure::Models { path: path(), source: source.into() }
        }
        error => error.into(),
    })?;
    let document = json!({ "imported": outcome.imported, "known": outcome.known });
    args.answer.print(&document, |out, color| {
        for id in &outcome.known {
            let sign = Paint::Dim.show("known", color);
            writeln!(out, "{sign}     {}", escape::controls(id))?;
        }
        for id in &outcome.imported {
            let sign = Paint::Good.show("imported", color);
            writeln!(out, "{sign}  {}", escape::controls(id))?;
        }
        writeln!(out, "Imported {}", counted(outcome.imported.len(), "cluster"))
    })
}
