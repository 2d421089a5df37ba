//! What was found, for people.
//!
//! Guards that no line is wider than 100 columns, and that no value sends an escape sequence.

use std::io::{self, Write};

use super::finding::{Finding, Findings, Status};
use crate::output::{Paint, escape, latency};

const WIDTH: usize = 100;
/// Where values begin, at least and at most.
const INDENT: std::ops::RangeInclusive<usize> = 18..=30;

pub(crate) fn write(out: &mut impl Write, findings: &Findings, color: bool) -> io::Result<()> {
    writeln!(out, "{}", Paint::Strong.show("larder doctor", color))?;
    part(out, "database", &findings.database, color)?;
    part(out, "cache", &findings.cache, color)?;
    let parts = [&findings.database, &findings.cache];
    let failed = parts.iter().filter(|part| part.status == Status::Failed).count();
    let advice: usize = parts.iter().map(|part| part.advice.len()).sum();
    let (paint, line) = match (failed, advice) {
        (0, 0) => (Paint::Good, "All is well.".to_owned()),
        (0, 1) => (Paint::Slow, "Everything works; there is one piece of advice.".to_owned()),
        (0, n) => (Paint::Slow, format!("Everything works; there are {n} pieces of advice.")),
        (1, _) => (Paint::Bad, "One part does not work.".to_owned()),
        _ => (Paint::Bad, "Neither part works.".to_owned()),
    };
    writeln!(out, "\n{}", paint.show(&line, color))
}

fn part(out: &mut impl Write, name: &str, finding: &Finding, color: bool) -> io::Result<()> {
    let (paint, status) = match finding.status {
        Status::Advice => (Paint::Slow, "works, with advice"),
        Status::Failed => (Paint::Bad, "does not work"),
        Status::NotConfigured => (Paint::Dim, "not configured"),
        Status::Ok => (Paint::Good, "works"),
    };
    let name = Paint::Strong.show(&format!("{name:<9}"), color);
    writeln!(out, "\n{name} {}", paint.show(status, color))?;
    let widest = finding.facts.iter().map(|fact| fact.name.chars().count()).max();
    let indent = (widest.unwrap_or_default() + 4).clamp(*INDENT.start(), *INDENT.end());
    let mut line = |name: &str, value: &str| field(out, indent, name, value, color);
    for (name, value) in [("url", &finding.url), ("server", &finding.server)] {
        if let Some(value) = value {
            line(name, value)?;
        }
    }
    for fact in &finding.facts {
        line(&fact.name, &fact.value)?;
    }
    if let Some(took) = &finding.latency {
        let [min, median, max] = [took.min, took.median, took.max].map(latency);
        let times = format!("{min} to {max}, median {median}, of {}", took.round_trips);
        line("round trips", &times)?;
    }
    if let Some(ahead) = finding.clock_ahead_ms {
        line("clock", &clock(ahead))?;
    }
    if let Some(trouble) = &finding.trouble {
        line("error", &trouble.error)?;
        line("mend", &trouble.mend)?;
    }
    finding.advice.iter().try_for_each(|advice| line("advice", advice))
}

/// Clocks that are closer than a round trip can tell are the same.
fn clock(ahead_ms: i64) -> String {
    match ahead_ms.unsigned_abs() {
        ..=5 => "the same as on this machine".to_owned(),
        apart if ahead_ms > 0 => format!("{apart} ms ahead of this machine"),
        apart => format!("{apart} ms behind this machine"),
    }
}

/// A name and a value, wrapped.
fn field(
    out: &mut impl Write,
    indent: usize,
    name: &str,
    value: &str,
    color: bool,
) -> io::Result<()> {
    let name = escape::controls(name);
    let gap = indent.saturating_sub(2 + name.chars().count()).max(1);
    write!(out, "  {}{}", Paint::Dim.show(&name, color), " ".repeat(gap))?;
    let value = escape::controls(value);
    for (index, line) in wrapped(&value, WIDTH - indent).into_iter().enumerate() {
        let indent = if index == 0 { 0 } else { indent };
        writeln!(out, "{}{line}", " ".repeat(indent))?;
    }
    Ok(())
}

/// Lines of at most so many characters, broken between words; at least one.
fn wrapped(text: &str, chars_max: usize) -> Vec<String> {
    let width = |text: &str| text.chars().count();
    let mut lines = vec![String::new()];
    for word in text.split_whitespace().flat_map(|word| pieces(word, chars_max)) {
        let is_full = |line: &String| width(line) + 1 + width(word) > chars_max;
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if !is_full(line) => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// A word that is no longer than a line, or its pieces: lists break behind a comma.
fn pieces(mut word: &str, chars_max: usize) -> Vec<&str> {
    let mut pieces = Vec::new();
    while let Some((end, _)) = word.char_indices().nth(chars_max) {
        let at = word[..end].rfind(',').map_or(end, |comma| comma + 1);
        let (piece, rest) = word.split_at(at);
        pieces.push(piece);
        word = rest;
    }
    pieces.push(word);
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::Trouble;

    #[test]
    fn lines_break_between_words() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("extraordinary", 5), ["extra", "ordin", "ary"]);
        assert_eq!(wrapped("x aa,bb,cc", 6), ["x", "aa,bb,", "cc"]);
        assert_eq!(wrapped("", 5), [""]);
    }

    #[test]
    fn a_clock_is_told_as_far_as_it_is_known() {
        assert_eq!(clock(-3), "the same as on this machine");
        assert_eq!(clock(1_500), "1500 ms ahead of this machine");
        assert_eq!(clock(-90_000), "90000 ms behind this machine");
    }

    #[test]
    fn a_part_that_failed_tells_how_to_mend_it() {
        let trouble = Trouble::new("timeout", "no \u{1b}[2J answer", "look for a firewall");
        let failed = Finding::failed(Some("redis://h:1".to_owned()), trouble);
        let findings = Findings::new(Finding::not_configured(), failed);
        let mut out = Vec::new();
        write(&mut out, &findings, false).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "larder doctor\n\ndatabase  not configured\n\ncache     does not work\n  \
             url             redis://h:1\n  \
             error           no \\u{1b}[2J answer\n  \
             mend            look for a firewall\n\nOne part does not work.\n"
        );
    }
}
