//! `larder clusters shared` and `cleanup-shared`: what processes share.
//!
//! Guards that what somebody uses is taken off the record only if that was asked for by name and
//! by `--force`.

use std::io::{self, Write};

use clap::Args;
use larder::clusters::{Process, SharedInfo, SharedRegistry, State};
use serde_json::json;

use super::{
    confirm::ConfirmArgs,
    documents,
    place::Place,
    report::{fields, heading, moment},
};
use crate::{
    answer::AnswerArgs,
    failure::Failure,
    output::{Align, Cell, Look, Paint, Table, counted, escape},
    plain::name,
};

/// Show the shared clusters, who makes them and who uses them
#[derive(Debug, Args)]
pub(super) struct SharedArgs {
    #[command(flatten)]
    place: Place,

    #[command(flatten)]
    answer: AnswerArgs,
}

/// Take shared clusters off the record that nobody uses or makes
///
/// The clusters themselves are not deleted. Users whose process is dead do not count.
#[derive(Debug, Args)]
pub(super) struct CleanupSharedArgs {
    #[command(flatten)]
    place: Place,

    /// Only these, by the hash of their configuration or as much of it as tells them apart
    #[arg(value_name = "HASH", value_parser = name)]
    keys: Vec<String>,

    /// Also those that somebody uses or makes, who then finds that they are gone
    #[arg(long, requires = "keys")]
    force: bool,

    #[command(flatten)]
    confirm: ConfirmArgs,

    #[command(flatten)]
    answer: AnswerArgs,
}

pub(super) fn run(args: &SharedArgs) -> Result<(), Failure> {
    let all = args.place.open()?.file().shared().all()?;
    let documents: Vec<_> = all.iter().map(documents::shared).collect();
    args.answer.print(&json!({ "shared": documents }), |out, color| text(out, &all, color))
}

fn text(out: &mut dyn Write, all: &[SharedInfo], color: bool) -> io::Result<()> {
    if all.is_empty() {
        return writeln!(out, "No shared clusters");
    }
    heading(out, "Shared Clusters", color)?;
    for (index, info) in all.iter().enumerate() {
        let title = format!("Shared Cluster {}:", index + 1);
        writeln!(out, "\n{}", Paint::Strong.show(&title, color))?;
        one(out, info)?;
    }
    Ok(())
}

fn one(out: &mut dyn Write, info: &SharedInfo) -> io::Result<()> {
    let owner = info.owner.as_ref();
    let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "N/A".to_owned());
    let pid = |process: &Process| process.pid.to_string();
    fields(
        out,
        &[
            ("Config Hash", shortened(&info.key)),
            ("Cluster ID", text(&info.resource_id)),
            ("Status", status(info).0),
            ("Worker PID", owner.map_or_else(|| "N/A".to_owned(), pid)),
            ("Usage Count", info.usage.to_string()),
            ("Created", moment(Some(info.created_at_ms))),
        ],
    )?;
    if !info.holders.is_empty() {
        let pids: Vec<_> = info.holders.iter().map(|holder| pid(&holder.process)).collect();
        fields(out, &[("Used By", format!("PID {}", pids.join(", ")))])?;
    }
    if let Some(error) = &info.error {
        fields(out, &[("Error", error.clone())])?;
    }
    Ok(())
}

/// One line for each, for a view that has to fit a screen.
pub(super) fn table(all: &[SharedInfo]) -> Table {
    let columns = [
        ("hash", Align::Left),
        ("cluster", Align::Left),
        ("status", Align::Left),
        ("pid", Align::Right),
        ("uses", Align::Right),
        ("since", Align::Left),
    ];
    let mut table = Table::new(Look::Open, columns);
    for info in all {
        let clean = |text: &str| Cell::from(escape::controls(text).into_owned());
        let (status, paint) = status(info);
        let pid = info.owner.as_ref().map(|owner| owner.pid.to_string());
        table.push(vec![
            clean(&shortened(&info.key)),
            clean(info.resource_id.as_deref().unwrap_or_default()),
            Cell::new(status, paint),
            Cell::from(pid.unwrap_or_default()),
            Cell::from(info.usage.to_string()),
            Cell::from(moment(Some(info.changed_at_ms))),
        ]);
    }
    table
}

fn status(info: &SharedInfo) -> (String, Paint) {
    if info.is_abandoned {
        return (format!("{} (abandoned)", info.state), Paint::Bad);
    }
    let paint = match info.state {
        State::Ready => Paint::Good,
        State::Failed => Paint::Bad,
        _ => Paint::Slow,
    };
    (info.state.to_string(), paint)
}

/// The first characters of a hash, by which people know it.
fn shortened(key: &str) -> String {
    const SHOWN: usize = 16;
    match key.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}...", &key[..end]),
        None => key.to_owned(),
    }
}

pub(super) fn cleanup(args: &CleanupSharedArgs) -> Result<(), Failure> {
    let cache = args.place.open()?;
    let registry = cache.file().shared();
    let meant = meant(&registry, &args.keys)?;
    let path = cache.file().path().display();
    let which = match (args.keys.is_empty(), args.force) {
        (true, _) => "all shared clusters that nobody uses or makes".to_owned(),
        (false, false) => format!("{}, unless in use,", counted(meant.len(), "shared cluster")),
        (false, true) => format!("{}, also if in use,", counted(meant.len(), "shared cluster")),
    };
    args.confirm.ask(&format!("this takes {which} off the record in {path}"))?;
    let (mut removed, mut kept) = (Vec::new(), Vec::new());
    for info in meant {
        let is_gone =
            if args.force { registry.remove(&info.key)? } else { registry.cleanup(&info.key)? };
        if is_gone { removed.push(info.key) } else { kept.push(info.key) }
    }
    args.answer.print(&json!({ "removed": removed, "kept": kept }), |out, color| {
        for key in &kept {
            let sign = Paint::Slow.show("in use", color);
            writeln!(out, "{sign}   {}", escape::controls(key))?;
        }
        for key in &removed {
            let sign = Paint::Good.show("removed", color);
            writeln!(out, "{sign}  {}", escape::controls(key))?;
        }
        writeln!(out, "Cleaned up {}", counted(removed.len(), "shared cluster"))
    })
}

/// The shared things that are named, or all.
fn meant(registry: &SharedRegistry, keys: &[String]) -> Result<Vec<SharedInfo>, Failure> {
    let all = registry.all()?;
    if keys.is_empty() {
        return Ok(all);
    }
    let mut meant: Vec<SharedInfo> = Vec::new();
    for key in keys {
        let of_this_name = |info: &&SharedInfo| {
            info.state != State::Gone && (info.key == *key || info.key.starts_with(&**key))
        };
        let exact = all.iter().find(|info| info.key == *key);
        let mut found = all.iter().filter(of_this_name);
        let info = match (exact, found.next(), found.next()) {
            (Some(info), _, _) | (None, Some(info), None) => info,
            (None, None, _) => return Err(Failure::NotShared { key: key.clone(), found: "no" }),
            (None, Some(_), Some(_)) => {
                return Err(Failure::NotShared { key: key.clone(), found: "more than one" });
            }
        };
        if !meant.iter().any(|known| known.key == info.key) {
            meant.push(info.clone());
        }
    }
    Ok(meant)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_known_by_its_beginning() {
        assert_eq!(shortened("0123456789abcdef0123456789abcdef"), "0123456789abcdef...");
        assert_eq!(shortened("0123456789abcdef"), "0123456789abcdef");
        assert_eq!(shortened("ü"), "ü");
    }
}
