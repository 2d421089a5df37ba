//! Runs every rule over the tree and shows what they found.

use crate::{
    failure::Failure,
    metadata::Workspace,
    summary::Outcome,
    tidy::{finding::Finding, forgotten, links, manifests, sources, tiers, tree::Tree},
};

pub(crate) fn run() -> Result<Outcome, Failure> {
    let workspace = Workspace::load()?;
    let findings = findings(&workspace)?;
    show(&findings);
    if findings.is_empty() {
        println!("tidy: nothing found");
        Ok(Outcome::Passed)
    } else {
        println!("tidy: findings: {}", findings.len());
        Ok(Outcome::Failed)
    }
}

/// What all rules find, by file and line.
pub(crate) fn findings(workspace: &Workspace) -> Result<Vec<Finding>, Failure> {
    let tree = Tree::load(&workspace.root)?;
    let rules: [fn(&Tree) -> Vec<Finding>; 9] = [
        forgotten::modules,
        links::guarantees,
        links::named_tests,
        links::files,
        manifests::companions,
        manifests::versions,
        sources::headers,
        sources::length,
        sources::unfinished,
    ];
    let mut findings: Vec<_> = rules.iter().flat_map(|rule| rule(&tree)).collect();
    findings.extend(tiers::edges(workspace, &tree));
    findings.sort();
    Ok(findings)
}

pub(crate) fn show(findings: &[Finding]) {
    for finding in findings {
        println!("{finding}");
    }
}
