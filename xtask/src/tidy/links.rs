//! Rules on the links of Markdown files: what they name is there, be it a file or a test.

use crate::tidy::{
    finding::Finding,
    tree::{Tree, folder_of, inside, numbered_lines},
};

/// Every relative link leads to a file or folder.
pub(crate) fn files(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.with_extension("md") {
        for link in links(text) {
            let broken = link.file_in(path).is_some_and(|file| !tree.contains(&file));
            if broken && !is_rustdoc_path(path, link.target) {
                let message = format!("\"{}\" leads nowhere", link.target);
                findings.push(Finding::new(path, link.line, message));
            }
        }
    }
    findings
}

/// A link of the form `file.rs#name` names a function of that file.
pub(crate) fn named_tests(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.with_extension("md") {
        for link in links(text) {
            let Some((file, function)) = link.function_in(path) else {
                continue;
            };
            // A file that is missing altogether is the business of the rule above.
            if tree.text(&file).is_some_and(|text| !defines(text, function)) {
                let message = format!("{file} has no function \"{function}\"");
                findings.push(Finding::new(path, link.line, message));
            }
        }
    }
    findings
}

/// Each guarantee links to a test that proves it.
pub(crate) fn guarantees(tree: &Tree) -> Vec<Finding> {
    const PATH: &str = "docs/guarantees.md";
    let text = tree.text(PATH).unwrap_or_default();
    let with_test: Vec<usize> = links(text)
        .iter()
        .filter(|link| link.function_in(PATH).is_some())
        .map(|link| link.line)
        .collect();
    numbered_lines(text)
        .filter_map(|(number, line)| Some((number, guarantee(line)?)))
        .filter(|(number, _)| !with_test.contains(number))
        .map(|(number, id)| Finding::new(PATH, number, format!("{id} links to no test")))
        .collect()
}

/// The id, `G` and a number, of a table row or list item that states a guarantee.
fn guarantee(line: &str) -> Option<&str> {
    let item = line.trim_start().strip_prefix(['|', '-', '*'])?;
    let item = item.trim_start_matches([' ', '*']);
    let digits = item.strip_prefix('G')?.bytes().take_while(u8::is_ascii_digit).count();
    (digits > 0).then(|| &item[..=digits])
}

#[derive(Debug, PartialEq, Eq)]
struct Link<'a> {
    line: usize,
    target: &'a str,
}

impl<'a> Link<'a> {
    /// The file that the link leads to, if it leads into the workspace.
    fn file_in(&self, document: &str) -> Option<String> {
        let (file, _) = self.target.split_once('#').unwrap_or((self.target, ""));
        let has_scheme = file.split('/').next().is_some_and(|head| head.contains(':'));
        (!file.is_empty() && !has_scheme).then(|| resolve(folder_of(document), file))
    }

    /// The Rust file and the function that the link names, if it names one.
    fn function_in(&self, document: &str) -> Option<(String, &'a str)> {
        let (file, function) = self.target.split_once('#')?;
        let line_number = function.strip_prefix('L');
        let is_line_number =
            line_number.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        let names_function = file.ends_with(".rs") && !is_line_number;
        Some((self.file_in(document).filter(|_| names_function)?, function))
    }
}

/// Rustdoc resolves links to items in a crate's README, which is the crate's documentation.
fn is_rustdoc_path(document: &str, target: &str) -> bool {
    let (_, item) = target.split_once('@').unwrap_or(("", target));
    let item = item.trim_end_matches("()").trim_end_matches('!');
    let is_identifier =
        |part: &str| !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || c == '_');
    let is_crate_readme = document.starts_with("crates/") && document.ends_with("/README.md");
    is_crate_readme && item.split("::").all(is_identifier)
}

/// Applies `.` and `..` as text; a path that leaves the root is one that is not there.
fn resolve(folder: &str, target: &str) -> String {
    let mut resolved = folder.to_owned();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." if resolved.is_empty() => return target.to_owned(),
            ".." => resolved = folder_of(&resolved).to_owned(),
            name => resolved = inside(&resolved, name),
        }
    }
    resolved
}

/// Whether the text defines a function of that name.
fn defines(text: &str, function: &str) -> bool {
    let definition = format!("fn {function}");
    text.match_indices(&definition).any(|(start, _)| {
        let rest = &text[start + definition.len()..];
        rest.starts_with(['(', '<'])
    })
}

/// The inline links and the reference definitions of a document, outside of code.
fn links(text: &str) -> Vec<Link<'_>> {
    let mut links = Vec::new();
    let mut in_code_block = false;
    for (number, line) in numbered_lines(text) {
        let start = line.trim_start();
        if start.starts_with("```") || start.starts_with("~~~") {
            in_code_block = !in_code_block;
        } else if !in_code_block {
            let targets = inline_targets(line).into_iter().chain(defined_target(start));
            links.extend(targets.map(|target| Link { line: number, target }));
        }
    }
    links
}

/// The targets of `[text](target "title")`. Code between backticks is skipped as a whole, so
/// that neither it nor a bracket inside it counts.
fn inline_targets(line: &str) -> Vec<&str> {
    let mut targets = Vec::new();
    let mut rest = line;
    while let Some(at) = rest.find(['`', ']']) {
        let (mark, after) = rest[at..].split_at(1);
        rest = after;
        if mark == "`" {
            let ticks = 1 + after.bytes().take_while(|byte| *byte == b'`').count();
            let body = &after[ticks - 1..];
            rest = body.split_once(&"`".repeat(ticks)).map_or(body, |(_, after)| after);
        } else if let Some((inner, after)) =
            after.strip_prefix('(').and_then(|rest| rest.split_once(')'))
        {
            targets.extend(without_title(inner));
            rest = after;
        }
    }
    targets
}

/// The target of `[name]: target`.
fn defined_target(line: &str) -> Option<&str> {
    let (name, target) = line.strip_prefix('[')?.split_once("]: ")?;
    if name.contains(']') { None } else { without_title(target) }
}

fn without_title(target: &str) -> Option<&str> {
    let target = target.split_whitespace().next()?;
    Some(target.trim_start_matches('<').trim_end_matches('>'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::finding::check;

    #[test]
    fn links_are_found_outside_of_code_only() {
        let text = "[a](one.md) and [`b`](two.md#part \"title\"), `[c](no.md)`\n\
                    ``a ` [d](no.md)`` then [e](<three.md>) [f][g] [h]\n\
                    ```\n[i](no.md)\n```\n\
                    [g]: four.md\n";
        let targets: Vec<_> = links(text).iter().map(|link| (link.line, link.target)).collect();
        assert_eq!(targets, [(1, "one.md"), (1, "two.md#part"), (2, "three.md"), (6, "four.md")]);
    }

    #[test]
    fn relative_links_lead_somewhere() {
        check(
            files,
            &[
                (
                    "README.md",
                    "[a](docs/a.md) [b](docs) [c](https://x.y/z) [d](#part) [e](none.md)",
                ),
                (
                    "docs/a.md",
                    "[up](../README.md#top) [self](./a.md)\n[out](../../etc) [gone](b.md)",
                ),
                ("crates/x/README.md", "[k](Key::new) [m](macro@make) [n](Key) [o](src/none.rs)"),
            ],
            &[
                "README.md:1: \"none.md\" leads nowhere",
                "crates/x/README.md:1: \"src/none.rs\" leads nowhere",
                "docs/a.md:2: \"../../etc\" leads nowhere",
                "docs/a.md:2: \"b.md\" leads nowhere",
            ],
        );
    }

    #[test]
    fn a_link_to_a_test_names_one_that_exists() {
        check(
            named_tests,
            &[
                (
                    "docs/a.md",
                    "[t](../src/t.rs#it_holds) [u](../src/t.rs#it_hold) [v](../src/t.rs#L10)",
                ),
                ("src/t.rs", "async fn it_holds() {}\nfn generic<T>() {}"),
            ],
            &["docs/a.md:1: src/t.rs has no function \"it_hold\""],
        );
    }

    #[test]
    fn a_guarantee_without_a_test_is_found() {
        let text = "# Guarantees\n\
                    Globally, G1 matters.\n\
                    | | says | proof |\n\
                    | G1 | no stale set | [test](../t.rs#one) |\n\
                    | **G2** | O(1) | by construction |\n\
                    - **G10 strict.** [read](../t.rs)\n\
                    - General remarks\n";
        check(
            guarantees,
            &[("docs/guarantees.md", text), ("t.rs", "fn one() {}")],
            &[
                "docs/guarantees.md:5: G2 links to no test",
                "docs/guarantees.md:6: G10 links to no test",
            ],
        );
    }
}
