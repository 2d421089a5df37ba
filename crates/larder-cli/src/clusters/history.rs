//! `larder clusters history`: what became of clusters and of shared things.

use clap::Args;
use larder::clusters::Event;
use serde_json::json;

use super::{documents, place::Place, report};
use crate::{
    answer::AnswerArgs,
    failure::Failure,
    output::{Align, Cell, Look, Table, escape},
    plain::name,
};

/// Show what became of clusters and shared things, the newest first
#[derive(Debug, Args)]
pub(super) struct HistoryArgs {
    #[command(flatten)]
    place: Place,

    /// Only of this cluster or shared thing, by its id or hash
    #[arg(value_name = "KEY", value_parser = name)]
    key: Option<String>,

    /// How many events
    #[arg(long, value_name = "COUNT", default_value_t = 50)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,

    #[command(flatten)]
    answer: AnswerArgs,
}

pub(super) fn run(args: &HistoryArgs) -> Result<(), Failure> {
    let cache = args.place.open()?;
    let events = match &args.key {
        Some(key) => cache.file().history_of_key(key, args.limit)?,
        None => cache.file().recent_history(args.limit)?,
    };
    let documents: Vec<_> = events.iter().map(documents::event).collect();
    args.answer.print(&json!({ "events": documents }), |mut out, color| {
        if events.is_empty() {
            return writeln!(out, "Nothing is known");
        }
        table(&events).write(&mut out, color)
    })
}

fn table(events: &[Event]) -> Table {
    let columns = [
        ("at", Align::Left),
        ("kind", Align::Left),
        ("key", Align::Left),
        ("fence", Align::Right),
        ("event", Align::Left),
        ("pid", Align::Right),
        ("detail", Align::Left),
    ];
    let mut table = Table::new(Look::Open, columns);
    for event in events {
        let clean = |text: &str| Cell::from(escape::controls(text).into_owned());
        table.push(vec![
            Cell::from(report::moment(Some(event.at_ms))),
            clean(&event.kind),
            clean(&event.key),
            Cell::from(event.fence.map(|fence| fence.to_string()).unwrap_or_default()),
            clean(&event.event),
            Cell::from(event.pid.map(|pid| pid.to_string()).unwrap_or_default()),
            clean(event.detail.as_deref().unwrap_or_default()),
        ]);
    }
    table
}
