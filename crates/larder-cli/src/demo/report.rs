//! What the demo found out, for people.
//!
//! Guards that no line is wider than 100 columns, as long as no path is.

use std::io::{self, Write};

use super::{
    figures::{Answer, Figures, Step},
    statistics::{Keyspace, Statistics},
};
use crate::output::{
    Align, Cell, Look, Paint, Table, bytes, count, escape, factor, latency, share,
};

const WIDTH: usize = 100;

/// What there is.
pub(crate) fn opening(out: &mut impl Write, figures: &Figures, color: bool) -> io::Result<()> {
    let sample = &figures.sample;
    writeln!(
        out,
        "{}  {} airlines, {} airports, {} flights, {} passengers, {} bookings",
        Paint::Strong.show("larder demo", color),
        count(sample.airlines),
        count(sample.airports),
        count(sample.flights),
        count(sample.passengers),
        count(sample.spec.bookings.into()),
    )?;
    let origin = match sample.build_time {
        Some(time) => format!("built in {}", latency(time)),
        None => "built earlier".to_owned(),
    };
    let path = escape::controls(&sample.path);
    let cache = escape::controls(&figures.cache);
    for line in [
        format!("sample: {path} ({}, {origin})", bytes(sample.size_bytes)),
        format!("far tier: {cache}"),
    ] {
        writeln!(out, "{}", Paint::Dim.show(&line, color))?;
    }
    out.flush()
}

/// One query.
pub(crate) fn question(out: &mut impl Write, answer: &Answer, color: bool) -> io::Result<()> {
    let tables = answer.tables.len();
    let s = |number: usize| if number == 1 { "" } else { "s" };
    writeln!(out, "\n{}  {}", Paint::Strong.show(answer.name, color), answer.about)?;
    writeln!(out, "  {}", Paint::Dim.show(&shortened(&answer.sql, WIDTH - 2), color))?;
    writeln!(
        out,
        "  {tables} table{}: {} · {} row{}\n",
        s(tables),
        answer.tables.join(", "),
        answer.rows,
        s(answer.rows)
    )?;
    let mut table = Table::new(
        Look::Open,
        [
            ("step", Align::Left),
            ("source", Align::Left),
            ("latency", Align::Right),
            ("speed-up", Align::Right),
            ("rows", Align::Right),
            ("", Align::Left),
        ],
    );
    for step in &answer.steps {
        table.push(row(step, answer));
    }
    table.write(out, color)?;
    out.flush()
}

fn row(step: &Step, answer: &Answer) -> Vec<Cell> {
    let paint = match (step.source, step.tier) {
        (None, _) => Paint::Dim,
        (_, Some(_)) => Paint::Good,
        (_, None) => Paint::Slow,
    };
    let source = match (step.source, step.tier) {
        (Some(source), Some(tier)) => format!("{source} {tier}"),
        (Some(source), None) => source.to_owned(),
        (None, _) => "write".to_owned(),
    };
    let remark = match step.name {
        _ if step.calls > 1 => format!("median of {}", count(step.calls as u64)),
        "after the write" if answer.answer_changed => "the answer changed".to_owned(),
        _ => String::new(),
    };
    vec![
        step.name.into(),
        Cell::new(source, paint),
        latency(step.latency).into(),
        Cell::new(step.speedup.map(factor).unwrap_or_default(), paint),
        count(step.rows).into(),
        Cell::new(remark, Paint::Dim),
    ]
}

/// The statistics, and the figure that all this is about.
pub(crate) fn closing(out: &mut impl Write, figures: &Figures, color: bool) -> io::Result<()> {
    if let Some(service) = &figures.service {
        statistics(out, "Statistics", "of the service", service, color)?;
    }
    if let Some(neighbour) = &figures.neighbour {
        let about = "of the neighbour, which has the same far tier and no near tier";
        statistics(out, "Statistics", about, neighbour, color)?;
    }
    let advanced = figures.questions.last();
    if let Some((answer, speedup)) = advanced.and_then(|one| Some((one, one.near_speedup?))) {
        let time = |tier| answer.steps.iter().find(|step| step.tier == tier).map(|s| s.latency);
        writeln!(
            out,
            "\nThe advanced query: {} from the database, {} from the near tier, {}",
            time(None).map(latency).unwrap_or_default(),
            time(Some("near")).map(latency).unwrap_or_default(),
            Paint::Good.show(&format!("{} as fast", factor(speedup)), color),
        )?;
    }
    if figures.sample.is_on_server {
        let line = "The sample stays in its tables for the next demo; --clean removes it.";
        writeln!(out, "{}", Paint::Dim.show(line, color))?;
    }
    out.flush()
}

fn statistics(
    out: &mut impl Write,
    title: &str,
    about: &str,
    stats: &Statistics,
    color: bool,
) -> io::Result<()> {
    writeln!(out, "\n{}  {about}\n", Paint::Strong.show(title, color))?;
    let right = |name| (name, Align::Right);
    let columns = ["near", "far", "misses", "loads", "hit rate", "stored", "p50 <", "p99 <"];
    let header = [("keyspace", Align::Left)].into_iter().chain(columns.map(right));
    let mut table = Table::new(Look::Open, header);
    for keyspace in &stats.keyspaces {
        table.push(keyspace_row(keyspace));
    }
    table.write(out, color)?;
    let mut lines = Vec::new();
    if let Some(near) = &stats.near {
        let (weight, max) = (bytes(near.weight_bytes), bytes(near.weight_bytes_max));
        lines.push(format!("near tier: {} entries, {weight} of {max}", count(near.entries)));
    }
    if let Some(far) = &stats.far {
        let backend = escape::controls(&far.backend);
        lines.push(format!("far tier: {backend}, {} errors", count(far.errors)));
    }
    for line in lines {
        writeln!(out, "  {}", Paint::Dim.show(&line, color))?;
    }
    Ok(())
}

fn keyspace_row(keyspace: &Keyspace) -> Vec<Cell> {
    // Every table of a server's sample begins so.
    let name = keyspace.name.replace("larder_demo_", "");
    vec![
        shortened(&name, 28).into(),
        count(keyspace.near_hits).into(),
        count(keyspace.far_hits).into(),
        count(keyspace.misses).into(),
        count(keyspace.loads).into(),
        keyspace.hit_rate.map(share).unwrap_or_default().into(),
        bytes(keyspace.bytes_filled).into(),
        keyspace.p50.map(latency).unwrap_or_default().into(),
        keyspace.p99.map(latency).unwrap_or_default().into(),
    ]
}

/// At most so many characters, the last one an ellipsis if any were left out.
fn shortened(text: &str, chars_max: usize) -> String {
    if text.chars().count() <= chars_max {
        return text.to_owned();
    }
    let kept: String = text.chars().take(chars_max.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_ends_in_an_ellipsis() {
        assert_eq!(shortened("SELECT 1", 8), "SELECT 1");
        assert_eq!(shortened("SELECT 12", 8), "SELECT…");
        assert_eq!(shortened("東京東京", 3), "東京…");
    }
}
