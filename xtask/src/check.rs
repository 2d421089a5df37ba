//! `cargo xtask check`: format, lints, docs, tidiness, dependencies.
//!
//! Invariant: a crate is linted alone with each of its features alone. In a build of the whole
//! workspace the features of common dependencies add up, and hide the one that a crate forgot.

use std::process::{Command, Stdio};

use crate::{
    downstream,
    failure::Failure,
    metadata::{Package, Target, Workspace},
    process::{cargo, run as run_command},
    stopwatch::Stopwatch,
    summary::{Outcome, Summary, Verdict},
    tidy,
};

pub(crate) fn run() -> Result<Outcome, Failure> {
    let workspace = Workspace::load()?;
    let mut summary = Summary::new("step");

    format(&mut summary, &workspace)?;
    let everything = ["--workspace", "--all-targets", "--all-features"];
    let everything = lints(&workspace, &everything);
    step(&mut summary, "lints, all features", everything)?;
    for package in workspace.published() {
        feature_by_feature(&mut summary, &workspace, package)?;
    }
    docs(&mut summary, &workspace)?;
    tidiness(&mut summary, &workspace)?;
    dependencies(&mut summary, &workspace)?;
    Ok(summary.conclude())
}

fn step(summary: &mut Summary, name: &str, mut command: Command) -> Result<(), Failure> {
    let watch = Stopwatch::start();
    let verdict = Verdict::from_success(run_command(&mut command)?);
    summary.push(name, verdict, watch.elapsed());
    Ok(())
}

fn format(summary: &mut Summary, workspace: &Workspace) -> Result<(), Failure> {
    let watch = Stopwatch::start();
    let mut formatted = run_command(&mut cargo(&workspace.root, ["fmt", "--all", "--check"]))?;
    for package in downstream::packages(workspace)? {
        formatted &= run_command(&mut cargo(&package, ["fmt", "--check"]))?;
    }
    summary.push("format", Verdict::from_success(formatted), watch.elapsed());
    Ok(())
}

fn lints(workspace: &Workspace, selection: &[&str]) -> Command {
    let mut command = cargo(&workspace.root, ["clippy", "--quiet"]);
    command.args(selection).args(["--", "-D", "warnings"]);
    command
}

/// Lints what a crate ships with no feature, then with each one alone.
fn feature_by_feature(
    summary: &mut Summary,
    workspace: &Workspace,
    package: &Package,
) -> Result<(), Failure> {
    let watch = Stopwatch::start();
    let target = if package.targets.iter().any(Target::is_lib) { "--lib" } else { "--bins" };
    let base = ["--package", &package.name, target, "--no-default-features"];
    let mut failed = Vec::new();
    if !run_command(&mut lints(workspace, &base))? {
        failed.push("without");
    }
    for feature in package.features.keys() {
        let selection = [&base[..], &["--features", feature]].concat();
        if !run_command(&mut lints(workspace, &selection))? {
            failed.push(feature);
        }
    }
    let verdict = if failed.is_empty() {
        Verdict::Passed(match package.features.len() {
            0 => "it has none".to_owned(),
            count => format!("without, and {count} alone"),
        })
    } else {
        Verdict::Failed(failed.join(", "))
    };
    summary.push(format!("lints, {} by feature", package.name), verdict, watch.elapsed());
    Ok(())
}

fn docs(summary: &mut Summary, workspace: &Workspace) -> Result<(), Failure> {
    let args = ["doc", "--no-deps", "--workspace", "--all-features"];
    let mut command = cargo(&workspace.root, args);
    command.env("RUSTDOCFLAGS", "-D warnings");
    step(summary, "docs", command)
}

fn tidiness(summary: &mut Summary, workspace: &Workspace) -> Result<(), Failure> {
    let watch = Stopwatch::start();
    let findings = tidy::findings(workspace)?;
    tidy::show(&findings);
    let verdict = if findings.is_empty() {
        Verdict::Passed(String::new())
    } else {
        Verdict::Failed(format!("findings: {}", findings.len()))
    };
    summary.push("tidy", verdict, watch.elapsed());
    Ok(())
}

fn dependencies(summary: &mut Summary, workspace: &Workspace) -> Result<(), Failure> {
    let installed = cargo(&workspace.root, ["deny", "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if installed {
        let args = ["deny", "check", "--hide-inclusion-graph"];
        step(summary, "dependencies", cargo(&workspace.root, args))
    } else {
        summary.push_skipped("dependencies", "cargo-deny is not installed");
        Ok(())
    }
}
