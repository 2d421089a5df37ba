//! Forgotten files: a module that no `mod` line names is not compiled, and its tests never run.

use crate::tidy::{
    finding::Finding,
    tree::{Tree, folder_of, inside, numbered_lines},
};

/// Every file below a `src`, and of the scenarios in `tests/it`, is named by its parent.
pub(crate) fn modules(tree: &Tree) -> Vec<Finding> {
    let forgotten = |path: &&str| {
        let Some((parent, name)) = expected_parent(path) else {
            return false;
        };
        let mut candidates = parent.iter().filter_map(|path| tree.text(path));
        !candidates.any(|text| declares(text, name))
    };
    let paths = tree.with_extension("rs").map(|(path, _)| path);
    paths
        .filter(forgotten)
        .map(|path| Finding::new(path, 1, "no `mod` line of its parent names this file"))
        .collect()
}

/// The files that may declare the module of this one, and the module's name; `None` for the
/// root of a crate and for what is not a module.
fn expected_parent(path: &str) -> Option<([String; 4], &str)> {
    let is_module = path.starts_with("tests/it/") || path.contains("/src/");
    let (folder, file) = path.rsplit_once('/')?;
    if !is_module || folder.ends_with("/src/bin") {
        return None;
    }
    let (container, name) = match file.strip_suffix(".rs")? {
        "lib" | "main" => return None,
        "mod" => (folder_of(folder), folder.rsplit('/').next()?),
        stem => (folder, stem),
    };
    let beside = ["lib.rs", "main.rs", "mod.rs"].map(|name| inside(container, name));
    let [lib, main, module] = beside;
    Some(([lib, main, module, format!("{container}.rs")], name))
}

/// Whether the text has a line `mod name;`, of any visibility.
fn declares(text: &str, name: &str) -> bool {
    numbered_lines(text).any(|(_, line)| {
        let line = line.trim();
        let declared = match line.strip_prefix("pub") {
            Some(rest) => rest.trim_start().trim_start_matches("(crate)").trim_start(),
            None => line,
        };
        let declared = declared.strip_prefix("mod ").and_then(|rest| rest.split_once(';'));
        declared.is_some_and(|(declared, _)| declared == name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::finding::check;

    #[test]
    fn a_file_without_a_mod_line_is_found() {
        check(
            modules,
            &[
                ("crates/a/src/lib.rs", "mod key;\npub(crate) mod near;\n// mod ghost;\n"),
                ("crates/a/src/key.rs", ""),
                ("crates/a/src/ghost.rs", ""),
                ("crates/a/src/near/mod.rs", "pub mod tags;\n"),
                ("crates/a/src/near/tags.rs", "#[cfg(test)]\nmod tests;\n"),
                ("crates/a/src/near/tags/tests.rs", ""),
                ("crates/a/src/near/lost.rs", ""),
                ("crates/a/src/bin/tool.rs", ""),
                ("crates/a/tests/conformance.rs", ""),
            ],
            &[
                "crates/a/src/ghost.rs:1: no `mod` line of its parent names this file",
                "crates/a/src/near/lost.rs:1: no `mod` line of its parent names this file",
            ],
        );
    }

    #[test]
    fn a_scenario_that_the_binary_does_not_name_is_found() {
        check(
            modules,
            &[
                ("tests/it/main.rs", "mod restart;\n"),
                ("tests/it/restart.rs", ""),
                ("tests/it/failover.rs", ""),
            ],
            &["tests/it/failover.rs:1: no `mod` line of its parent names this file"],
        );
    }
}
