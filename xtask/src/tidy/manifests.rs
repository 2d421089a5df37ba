//! Rules on the crates' manifests and on the files that stand beside them.

use crate::tidy::{
    finding::Finding,
    tree::{Tree, folder_of, inside, numbered_lines},
};

/// Every crate has its companions, and every member the lints of the workspace.
pub(crate) fn companions(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in members(tree) {
        if path.starts_with("crates/") {
            for name in ["README.md", "CHANGELOG.md"] {
                if !tree.contains(&inside(folder_of(path), name)) {
                    findings.push(Finding::new(path, 1, format!("the crate has no {name}")));
                }
            }
        }
        let inherits = |entry: &Entry<'_>| entry.section == "lints" && entry.inherits();
        if !entries(text).iter().any(inherits) {
            findings.push(Finding::new(path, 1, "`[lints] workspace = true` is missing"));
        }
    }
    findings
}

/// All versions stand in one place, in alphabetical order; members inherit them.
pub(crate) fn versions(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in members(tree) {
        for entry in entries(text) {
            if let Some(name) =
                entry.dependency().filter(|_| !entry.inherits() && !entry.has_no_version())
            {
                let message = format!("\"{name}\" does not say `workspace = true`");
                findings.push(Finding::new(path, entry.line, message));
            }
        }
    }
    let shared: Vec<_> = entries(tree.text("Cargo.toml").unwrap_or_default())
        .into_iter()
        .filter(|entry| entry.section == "workspace.dependencies")
        .collect();
    for pair in shared.windows(2) {
        // The workspace's own crates stand before the others, so the order starts over once.
        let starts_over = pair[0].is_local() && !pair[1].is_local();
        if pair[1].key < pair[0].key && !starts_over {
            let message = format!("\"{}\" stands after \"{}\"", pair[1].key, pair[0].key);
            findings.push(Finding::new("Cargo.toml", pair[1].line, message));
        }
    }
    findings
}

/// The manifests of the members that are not in `crates`.
const OTHERS: [&str; 3] = ["tests/Cargo.toml", "tests/services/Cargo.toml", "xtask/Cargo.toml"];

/// The manifests of the workspace's members. Downstream packages are outsiders on purpose.
fn members(tree: &Tree) -> impl Iterator<Item = (&str, &str)> {
    tree.with_extension("toml").filter(|(path, _)| {
        let is_member = path.starts_with("crates/") && path.matches('/').count() == 2;
        let is_manifest = path.ends_with("/Cargo.toml");
        is_manifest && (is_member || OTHERS.contains(path))
    })
}

/// A `key = value` of a manifest, or a whole table where that describes one dependency.
#[derive(Debug)]
struct Entry<'a> {
    line: usize,
    section: &'a str,
    key: &'a str,
    /// Everything after the first `=`; for a table, all of its lines.
    value: String,
}

impl Entry<'_> {
    /// The dependency that this entry declares, if it declares one.
    fn dependency(&self) -> Option<&str> {
        let kind = self.section.rsplit('.').next();
        let declares =
            matches!(kind, Some("dependencies" | "dev-dependencies" | "build-dependencies"));
        let (name, _) = self.key.split_once('.').unwrap_or((self.key, ""));
        (declares && !self.section.starts_with("workspace.")).then_some(name)
    }

    fn inherits(&self) -> bool {
        let value: String = self.value.split_whitespace().collect();
        let whole = self.key == "workspace" || self.key.ends_with(".workspace");
        (whole && value.starts_with("true")) || value.contains("workspace=true")
    }

    /// A path without a version: how a crate's tests use one that itself depends on the crate,
    /// so that neither has to be published first.
    fn has_no_version(&self) -> bool {
        let is_dev = self.section.ends_with("dev-dependencies");
        is_dev && self.is_local() && !self.value.contains("version")
    }

    fn is_local(&self) -> bool {
        self.value.contains("path =")
    }
}

/// The entries of a manifest. This is not a parser of TOML: it knows the forms in which manifests
/// are written, and keeps the line numbers that a parser drops.
fn entries(manifest: &str) -> Vec<Entry<'_>> {
    let mut entries: Vec<Entry<'_>> = Vec::new();
    let mut section = "";
    // Whether the lines that come belong to the last entry: an open bracket, or its own table.
    let (mut open, mut in_own_table) = (0, false);
    for (line, text) in numbered_lines(manifest) {
        let text = text.trim();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        if open == 0 && text.starts_with('[') {
            section = text.trim_matches(['[', ']']);
            in_own_table = false;
            if let Some((parent, key)) = section.rsplit_once('.')
                && parent.ends_with("dependencies")
            {
                in_own_table = true;
                entries.push(Entry { line, section: parent, key, value: String::new() });
            }
            continue;
        }
        if open > 0 || in_own_table {
            if let Some(entry) = entries.last_mut() {
                entry.value.push_str(text);
                entry.value.push(' ');
            }
        } else if let Some((key, value)) = text.split_once('=') {
            entries.push(Entry { line, section, key: key.trim(), value: value.trim().to_owned() });
        }
        open += text.matches(['[', '{']).count();
        open -= text.matches([']', '}']).count().min(open);
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::finding::check;

    const LINTS: &str = "[lints]\nworkspace = true\n";

    #[test]
    fn a_crate_without_its_companions_is_found() {
        check(
            companions,
            &[
                ("crates/whole/Cargo.toml", LINTS),
                ("crates/whole/README.md", ""),
                ("crates/whole/CHANGELOG.md", ""),
                ("crates/bare/Cargo.toml", "[lints.rust]\nunsafe_code = \"allow\"\n"),
                ("tests/Cargo.toml", LINTS),
                ("tests/services/Cargo.toml", ""),
                ("tests/downstream/engine/Cargo.toml", ""),
                ("xtask/Cargo.toml", ""),
            ],
            &[
                "crates/bare/Cargo.toml:1: the crate has no README.md",
                "crates/bare/Cargo.toml:1: the crate has no CHANGELOG.md",
                "crates/bare/Cargo.toml:1: `[lints] workspace = true` is missing",
                "tests/services/Cargo.toml:1: `[lints] workspace = true` is missing",
                "xtask/Cargo.toml:1: `[lints] workspace = true` is missing",
            ],
        );
    }

    #[test]
    fn a_version_in_a_member_is_found_in_every_form() {
        let manifest = "[package]\nversion = \"1\"\n\
                        [dependencies]\n\
                        bytes.workspace = true\n\
                        serde = { workspace = true, features = [\n  \"rc\",\n] }\n\
                        rand = \"0.10\"\n\
                        [target.'cfg(unix)'.dependencies]\n\
                        libc = { version = \"0.2\" }\n\
                        [dev-dependencies]\n\
                        larder-testkit = { path = \"../larder-testkit\" }\n\
                        larder-moka = { path = \"../larder-moka\", version = \"0.1\" }\n\
                        [dev-dependencies.tokio]\n\
                        workspace = true\n\
                        features = [\"rt\"]\n\
                        [build-dependencies.cc]\n\
                        version = \"1\"\n\
                        [features]\nextra = [\"dep:rand\"]\n";
        check(
            versions,
            &[("crates/a/Cargo.toml", manifest)],
            &[
                "crates/a/Cargo.toml:8: \"rand\" does not say `workspace = true`",
                "crates/a/Cargo.toml:10: \"libc\" does not say `workspace = true`",
                "crates/a/Cargo.toml:13: \"larder-moka\" does not say `workspace = true`",
                "crates/a/Cargo.toml:17: \"cc\" does not say `workspace = true`",
            ],
        );
    }

    #[test]
    fn shared_versions_are_in_order_after_our_own_crates() {
        let manifest = "[workspace.dependencies]\n\
                        larder-core = { path = \"crates/larder-core\" }\n\
                        larder-sql = { path = \"crates/larder-sql\" }\n\
                        bytes = \"1\"\n\
                        url = \"2\"\n\
                        serde = \"1\"\n";
        check(
            versions,
            &[("Cargo.toml", manifest)],
            &["Cargo.toml:6: \"serde\" stands after \"url\""],
        );
    }
}
