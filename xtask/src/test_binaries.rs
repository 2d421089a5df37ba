//! What a build of the tests has made: which program belongs to which suite of which package.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::metadata::{Target, Workspace};

/// A program with tests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Binary {
    pub(crate) suite: String,
    pub(crate) executable: PathBuf,
    /// The folder of its package, where cargo would run it.
    pub(crate) folder: PathBuf,
}

/// A line of cargo's `--message-format json`; other messages lack the executable.
#[derive(Deserialize)]
struct Artifact {
    package_id: String,
    target: Target,
    profile: Profile,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Profile {
    /// Whether it is built as a test, and not as a program that tests use.
    test: bool,
}

/// The programs with tests, in the order in which they were built.
pub(crate) fn binaries(workspace: &Workspace, messages: &str) -> Vec<Binary> {
    let artifacts = messages.lines().filter_map(|line| serde_json::from_str::<Artifact>(line).ok());
    let binary = |artifact: Artifact| {
        let mut packages = workspace.packages.iter();
        let package = packages.find(|package| package.id == artifact.package_id)?;
        Some(Binary {
            suite: suite_name(&package.name, &artifact.target),
            executable: artifact.executable?,
            folder: package.manifest_path.parent()?.to_owned(),
        })
    };
    artifacts.filter(|artifact| artifact.profile.test).filter_map(binary).collect()
}

fn suite_name(package: &str, target: &Target) -> String {
    if target.is_lib() {
        format!("{package}: unit")
    } else if target.is_bin() {
        format!("{package}: bin {}", target.name)
    } else {
        format!("{package}: {}", target.name)
    }
}

pub(crate) fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binaries_are_named_after_their_package_and_target() {
        let workspace: Workspace = serde_json::from_str(
            r#"{"workspace_root": "/w", "target_directory": "/w/target", "packages": [{
                "id": "moka-id", "name": "larder-moka", "manifest_path": "/w/moka/Cargo.toml",
                "dependencies": [], "features": {}, "publish": null,
                "targets": [{"name": "larder_moka", "kind": ["lib"]}]}]}"#,
        )
        .expect("the text above is metadata");
        let artifact = |executable: &str, name: &str, kind: &str, test: bool| {
            serde_json::json!({
                "reason": "compiler-artifact",
                "package_id": "moka-id",
                "executable": if executable.is_empty() { None } else { Some(executable) },
                "profile": {"test": test},
                "target": {"name": name, "kind": [kind]},
            })
            .to_string()
        };
        let messages = [
            artifact("/w/deps/conformance-1", "conformance", "test", true),
            artifact("", "larder_moka", "lib", false),
            artifact("/w/deps/larder_moka-2", "larder_moka", "lib", true),
            artifact("/w/tool", "tool", "bin", false),
            r#"{"reason": "build-finished", "success": true}"#.to_owned(),
        ];
        let built: Vec<_> = binaries(&workspace, &messages.join("\n"))
            .into_iter()
            .map(|binary| (binary.suite, file_name(&binary.executable), binary.folder))
            .collect();
        let expected = [("conformance", "conformance-1"), ("unit", "larder_moka-2")];
        let expected = expected.map(|(suite, file)| {
            (format!("larder-moka: {suite}"), file.to_owned(), PathBuf::from("/w/moka"))
        });
        assert_eq!(built, expected);
    }
}
