//! The downstream packages: what somebody who takes one crate of ours has to build, and whether
//! it works for them.
//!
//! Each folder in `tests/downstream` is a package outside the workspace. It is run with the
//! workspace's own lock file, so that a release elsewhere does not change the outcome.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

use crate::{
    failure::Failure,
    metadata::Workspace,
    process::{capture, cargo, run as run_command},
    stopwatch::Stopwatch,
    summary::{Summary, Verdict},
};

/// Builds and runs each package and adds a row for it.
pub(crate) fn run(summary: &mut Summary, workspace: &Workspace) -> Result<(), Failure> {
    let packages = packages(workspace)?;
    if packages.is_empty() {
        summary.push_skipped("downstream packages", "there are none");
    }
    for package in packages {
        let name = package.file_name().unwrap_or_default().to_string_lossy();
        let watch = Stopwatch::start();
        let verdict = build_and_run(workspace, &package)?;
        summary.push(format!("downstream: {name}"), verdict, watch.elapsed());
    }
    Ok(())
}

fn build_and_run(workspace: &Workspace, package: &Path) -> Result<Verdict, Failure> {
    let lock = package.join("Cargo.lock");
    fs::copy(workspace.root.join("Cargo.lock"), &lock)
        .map_err(|source| Failure::File { path: lock, source })?;
    let tree = ["tree", "--edges", "normal,build", "--prefix", "none"];
    let tree = match capture(&mut cargo(package, tree)) {
        Ok(tree) => tree,
        // A package that does not resolve is a finding about it, not the end of the task.
        Err(failure @ Failure::Command { .. }) => {
            eprintln!("{failure}");
            return Ok(Verdict::Failed("its dependencies do not resolve".to_owned()));
        }
        Err(failure) => return Err(failure),
    };
    let dependencies = format!("{} dependencies", count_dependencies(&tree));
    let mut command = cargo(package, ["run", "--quiet"]);
    command.env("CARGO_TARGET_DIR", workspace.target_directory.join("downstream"));
    Ok(if run_command(&mut command)? {
        Verdict::Passed(dependencies)
    } else {
        Verdict::Failed(dependencies)
    })
}

/// The folders of the packages, by name.
pub(crate) fn packages(workspace: &Workspace) -> Result<Vec<PathBuf>, Failure> {
    let folder = workspace.root.join("tests/downstream");
    let failed = |source| Failure::File { path: folder.clone(), source };
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut packages = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        if path.join("Cargo.toml").is_file() {
            packages.push(path);
        }
    }
    packages.sort();
    Ok(packages)
}

/// The number of packages in a `cargo tree` without prefixes, the root not counted. Its lines
/// start with name and version, and repeat a package wherever it is needed.
fn count_dependencies(tree: &str) -> usize {
    let packages: BTreeSet<_> = tree
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            Some((words.next()?, words.next()?))
        })
        .collect();
    packages.len().saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_version_of_a_dependency_counts_once() {
        let tree = "engine v0.0.0 (/w/tests/downstream/engine)\n\
                    larder-cache v0.1.0 (/w/crates/larder-cache)\n\
                    bytes v1.12.0\n\
                    \n\
                    bytes v1.12.0 (*)\n\
                    serde_derive v1.0.229 (proc-macro)\n\
                    rand v0.9.0\n\
                    rand v0.10.0\n";
        assert_eq!(count_dependencies(tree), 5);
        assert_eq!(count_dependencies("alone v0.0.0 (/w)\n"), 0);
        assert_eq!(count_dependencies(""), 0);
    }
}
