//! Rules on the text of Rust files.
//!
//! The words that a rule looks for are put together from halves, so that this file passes its
//! own rules.

use crate::tidy::{
    finding::Finding,
    tree::{Tree, numbered_lines},
};

/// A file opens by saying what lives there; the root of a crate may include its README instead.
pub(crate) fn headers(tree: &Tree) -> Vec<Finding> {
    let has_header = |text: &str| {
        let first = text.lines().find(|line| !line.trim().is_empty());
        first.is_some_and(|line| {
            line.starts_with("//!") || line.starts_with("#![doc = include_str!(")
        })
    };
    tree.with_extension("rs")
        .filter(|(_, text)| !has_header(text))
        .map(|(path, _)| Finding::new(path, 1, "the file does not open with `//!`"))
        .collect()
}

/// A file that needs scrolling for its table of contents is two files.
pub(crate) fn length(tree: &Tree) -> Vec<Finding> {
    const LINES_MAX: usize = 600;
    tree.with_extension("rs")
        .map(|(path, text)| (path, text.lines().count()))
        .filter(|(_, lines)| *lines > LINES_MAX)
        .map(|(path, lines)| {
            let message = format!("{lines} lines, the limit is {LINES_MAX}");
            Finding::new(path, LINES_MAX + 1, message)
        })
        .collect()
}

/// Nothing unfinished is left behind, and a test is ignored only for a stated reason.
pub(crate) fn unfinished(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.with_extension("rs") {
        for (number, line) in numbered_lines(text) {
            for marker in MARKERS.into_iter().filter(|marker| has_word(line, marker)) {
                findings.push(Finding::new(path, number, format!("`{marker}` is left behind")));
            }
            if ignores_without_reason(line) {
                findings.push(Finding::new(path, number, "an ignored test gives no reason"));
            }
        }
    }
    findings
}

const MARKERS: [&str; 5] = [
    concat!("to", "do!"),
    concat!("unimpl", "emented!"),
    concat!("db", "g!"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
];

/// Whether the line has the marker as a word of its own.
fn has_word(line: &str, marker: &str) -> bool {
    let is_part_of_word = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(marker).any(|(start, _)| {
        let (before, after) = (&line[..start], &line[start + marker.len()..]);
        !before.ends_with(is_part_of_word) && !after.starts_with(is_part_of_word)
    })
}

fn ignores_without_reason(line: &str) -> bool {
    let Some((before, after)) = line.split_once("ignore") else {
        return false;
    };
    let rest = after.trim_start();
    match before.trim() {
        "#[" => rest.starts_with(']') || rest.replace(' ', "").starts_with("=\"\""),
        conditional => conditional.starts_with("#[cfg_attr(") && rest.starts_with(')'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::finding::check;

    #[test]
    fn a_file_without_a_header_is_found() {
        check(
            headers,
            &[
                ("a.rs", "\n//! Says what lives here.\n"),
                ("lib.rs", "#![doc = include_str!(\"../README.md\")]\n"),
                ("b.rs", "// Not a header.\nfn f() {}\n"),
                ("empty.rs", ""),
            ],
            &[
                "b.rs:1: the file does not open with `//!`",
                "empty.rs:1: the file does not open with `//!`",
            ],
        );
    }

    #[test]
    fn a_file_above_the_limit_is_found() {
        check(
            length,
            &[("at.rs", &"\n".repeat(600)), ("above.rs", &"\n".repeat(601))],
            &["above.rs:601: 601 lines, the limit is 600"],
        );
    }

    #[test]
    fn markers_are_found_as_words_only() {
        let [unwritten, ..] = MARKERS;
        let text = format!("fn f() {{ {unwritten}() }}\nlet mastodon_todo = \"tmp_XXXX\";\n");
        check(unfinished, &[("a.rs", &text)], &[&format!("a.rs:1: `{unwritten}` is left behind")]);
    }

    #[test]
    fn every_marker_is_found() {
        for marker in MARKERS {
            check(
                unfinished,
                &[("a.rs", &format!("// {marker}"))],
                &[&format!("a.rs:1: `{marker}` is left behind")],
            );
        }
    }

    #[test]
    fn an_ignored_test_needs_a_reason() {
        let text = [
            concat!("#[", "ignore]"),
            concat!("    #[", "ignore = \"\"]"),
            concat!("#[", "ignore = \"needs a live service\"]"),
            concat!("#[cfg_attr(windows, ", "ignore)]"),
            concat!("#[cfg_attr(windows, ", "ignore = \"no sockets\")]"),
            "fn ignore() {}",
            "// ignore] this",
        ];
        check(
            unfinished,
            &[("a.rs", &text.join("\n"))],
            &[
                "a.rs:1: an ignored test gives no reason",
                "a.rs:2: an ignored test gives no reason",
                "a.rs:4: an ignored test gives no reason",
            ],
        );
    }
}
