//! The direction of dependencies: a crate depends on lower tiers only.
//!
//! Invariant: every crate has a tier, so that a new one can not escape the rule.

use crate::{
    metadata::{Dependency, Package, Workspace},
    tidy::{
        finding::Finding,
        tree::{Tree, numbered_lines},
    },
};

/// Every crate, the foundation first.
const TIERS: [(&str, u8); 20] = [
    ("larder-core", 0),
    ("larder-database-url", 0),
    ("larder-derive", 0),
    ("larder-sqlite-file", 0),
    ("larder-layers", 1),
    ("larder-memcached", 1),
    ("larder-model", 1),
    ("larder-moka", 1),
    ("larder-redis", 1),
    ("larder-sql", 1),
    ("larder-sqlite", 1),
    ("larder-testkit", 1),
    ("larder-cache", 2),
    ("larder-migrate", 2),
    ("larder-clusters", 3),
    ("larder-http", 3),
    ("larder-query", 3),
    ("larder-schema", 3),
    ("larder", 4),
    ("larder-cli", 5),
];

/// Composition is by trait object, so only the facade's tier knows a backend.
const BACKENDS: [&str; 4] = ["larder-memcached", "larder-moka", "larder-redis", "larder-sqlite"];
const FACADE_TIER: u8 = 4;

/// Tests of every tier may use them.
const FOR_TESTS: [&str; 2] = ["larder-services", "larder-testkit"];

/// What is not published and stands beside the tiers, and may use everything.
const EXEMPT: [&str; 3] = ["larder-services", "larder-tests", "xtask"];

/// Every dependency between two crates of the workspace leads downwards.
pub(crate) fn edges(workspace: &Workspace, tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let crates = workspace.packages.iter();
    for package in crates.filter(|package| !EXEMPT.contains(&package.name.as_str())) {
        let manifest = workspace.relative(&package.manifest_path);
        let text = tree.text(&manifest).unwrap_or_default();
        let Some(tier) = tier(&package.name) else {
            findings.push(Finding::new(&manifest, 1, "the crate has no tier"));
            continue;
        };
        for dependency in inner_dependencies(workspace, package) {
            if let Some(message) = objection(package, tier, dependency) {
                let line = line_of(text, &dependency.name);
                findings.push(Finding::new(&manifest, line, message));
            }
        }
    }
    findings
}

fn inner_dependencies<'a>(
    workspace: &Workspace,
    package: &'a Package,
) -> impl Iterator<Item = &'a Dependency> {
    let dependencies = package.dependencies.iter();
    dependencies.filter(|dependency| workspace.member(&dependency.name).is_some())
}

/// What is wrong with this dependency of a crate of the given tier.
fn objection(package: &Package, own: u8, dependency: &Dependency) -> Option<String> {
    let name = dependency.name.as_str();
    if dependency.is_dev() && (FOR_TESTS.contains(&name) || name == package.name) {
        return None;
    }
    let Some(other) = tier(name) else {
        return Some(format!("a crate does not depend on {name}"));
    };
    if other >= own {
        return Some(format!("{name} is of tier {other}, but this crate is of tier {own}"));
    }
    let knows_backend = BACKENDS.contains(&name) && own < FACADE_TIER && !dependency.is_dev();
    knows_backend.then(|| format!("only the facade's tier knows the backend {name}"))
}

fn tier(name: &str) -> Option<u8> {
    let known = TIERS.iter().find(|(known, _)| *known == name);
    known.map(|(_, tier)| *tier)
}

/// The line that declares a dependency.
fn line_of(manifest: &str, dependency: &str) -> usize {
    let declares = |line: &str| {
        let rest = line.trim().strip_prefix(dependency);
        rest.is_some_and(|rest| rest.starts_with(['.', ' ', '=']))
    };
    let found = numbered_lines(manifest).find(|(_, line)| declares(line));
    found.map_or(1, |(number, _)| number)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::tidy::finding::check;

    /// A workspace of packages, each with its dependencies as `name` or `kind name`.
    fn workspace(packages: &[(&str, &[&str])]) -> Workspace {
        let dependency = |text: &&str| {
            let (kind, name) = match text.split_once(' ') {
                Some((kind, name)) => (Some(kind), name),
                None => (None, *text),
            };
            json!({"name": name, "kind": kind})
        };
        let package = |(name, dependencies): &(&str, &[&str])| {
            json!({
                "id": name,
                "name": name,
                "manifest_path": format!("/w/crates/{name}/Cargo.toml"),
                "dependencies": dependencies.iter().map(dependency).collect::<Vec<_>>(),
                "features": {},
                "targets": [],
                "publish": null,
            })
        };
        serde_json::from_value(json!({
            "workspace_root": "/w",
            "target_directory": "/w/target",
            "packages": packages.iter().map(package).collect::<Vec<_>>(),
        }))
        .expect("the value above is metadata")
    }

    fn check_edges(packages: &[(&str, &[&str])], expected: &[&str]) {
        let workspace = workspace(packages);
        check(|tree| edges(&workspace, tree), &[], expected);
    }

    #[test]
    fn dependencies_on_lower_tiers_are_fine() {
        check_edges(
            &[
                ("larder-core", &["bytes", "dev larder-testkit"]),
                ("larder-testkit", &["larder-core"]),
                ("larder-moka", &["larder-core", "dev larder-testkit", "moka"]),
                ("larder-cache", &["larder-core", "dev larder-moka", "dev larder-services"]),
                ("larder-services", &["thiserror"]),
                ("larder", &["larder-cache", "larder-moka"]),
                ("xtask", &["larder"]),
            ],
            &[],
        );
    }

    #[test]
    fn dependencies_upwards_and_sideways_are_found() {
        check_edges(
            &[
                ("larder-core", &["larder-cache"]),
                ("larder-testkit", &["larder-core", "larder-services"]),
                ("larder-services", &[]),
                ("larder-moka", &["larder-testkit", "build larder-cache"]),
                ("larder-cache", &["dev larder-cache", "larder-moka", "xtask"]),
                ("xtask", &[]),
            ],
            &[
                "crates/larder-core/Cargo.toml:1: larder-cache is of tier 2, but this crate is of tier 0",
                "crates/larder-testkit/Cargo.toml:1: a crate does not depend on larder-services",
                "crates/larder-moka/Cargo.toml:1: larder-testkit is of tier 1, but this crate is of tier 1",
                "crates/larder-moka/Cargo.toml:1: larder-cache is of tier 2, but this crate is of tier 1",
                "crates/larder-cache/Cargo.toml:1: only the facade's tier knows the backend larder-moka",
                "crates/larder-cache/Cargo.toml:1: a crate does not depend on xtask",
            ],
        );
    }

    #[test]
    fn a_crate_without_a_tier_is_found() {
        check_edges(
            &[("larder-new", &["larder-core"]), ("larder-core", &[])],
            &["crates/larder-new/Cargo.toml:1: the crate has no tier"],
        );
    }

    #[test]
    fn a_finding_points_at_the_line_of_the_dependency() {
        let manifest = "[dependencies]\nlarder-core-x = \"1\"\nlarder-core.workspace = true\n";
        assert_eq!(line_of(manifest, "larder-core"), 3);
        assert_eq!(line_of(manifest, "larder"), 1);
    }
}
