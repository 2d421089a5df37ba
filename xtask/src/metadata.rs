//! What cargo knows about the workspace: packages, targets, features, dependencies.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use crate::{
    failure::Failure,
    process::{capture, cargo, shown},
};

/// The part of `cargo metadata` that the tasks need.
#[derive(Debug, Deserialize)]
pub(crate) struct Workspace {
    pub(crate) packages: Vec<Package>,
    #[serde(rename = "workspace_root")]
    pub(crate) root: PathBuf,
    pub(crate) target_directory: PathBuf,
}

/// One member of the workspace.
#[derive(Debug, Deserialize)]
pub(crate) struct Package {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) manifest_path: PathBuf,
    pub(crate) dependencies: Vec<Dependency>,
    pub(crate) features: BTreeMap<String, Vec<String>>,
    pub(crate) targets: Vec<Target>,
    /// The registries that it may go to: `None` is any, an empty list is none.
    publish: Option<Vec<String>>,
}

/// A dependency as the manifest declares it.
#[derive(Debug, Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// `None` for a normal one, else `dev` or `build`.
    kind: Option<String>,
}

/// Something that cargo can build of a package.
#[derive(Debug, Deserialize)]
pub(crate) struct Target {
    pub(crate) name: String,
    kind: Vec<String>,
}

impl Workspace {
    /// Asks cargo about the workspace of the current directory.
    pub(crate) fn load() -> Result<Self, Failure> {
        let args = ["metadata", "--format-version", "1", "--no-deps"];
        let mut command = cargo(Path::new("."), args);
        let json = capture(&mut command)?;
        serde_json::from_str(&json)
            .map_err(|source| Failure::Json { command: shown(&command), source })
    }

    pub(crate) fn member(&self, name: &str) -> Option<&Package> {
        self.packages.iter().find(|package| package.name == name)
    }

    /// The members that go to a registry.
    pub(crate) fn published(&self) -> impl Iterator<Item = &Package> {
        let to_any = |package: &&Package| package.publish.as_ref().is_none_or(|to| !to.is_empty());
        self.packages.iter().filter(to_any)
    }

    /// A path as people write it: relative to the root, with forward slashes.
    pub(crate) fn relative(&self, path: &Path) -> String {
        let inside = path.strip_prefix(&self.root).unwrap_or(path);
        let parts: Vec<_> = inside.iter().map(|part| part.to_string_lossy()).collect();
        parts.join("/")
    }
}

impl Dependency {
    pub(crate) fn is_dev(&self) -> bool {
        self.kind.as_deref() == Some("dev")
    }
}

impl Target {
    pub(crate) fn is_bench(&self) -> bool {
        self.is_a("bench")
    }

    pub(crate) fn is_bin(&self) -> bool {
        self.is_a("bin")
    }

    /// A library of any kind; procedural macros are one too.
    pub(crate) fn is_lib(&self) -> bool {
        self.is_a("lib") || self.is_a("proc-macro") || self.is_a("rlib")
    }

    fn is_a(&self, kind: &str) -> bool {
        self.kind.iter().any(|own| own == kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_describes_this_workspace() {
        let workspace = Workspace::load().expect("the tests run inside the workspace");
        let core = workspace.member("larder-core").expect("it is a member");
        assert!(workspace.published().any(|package| package.name == core.name));
        assert!(core.targets.iter().any(Target::is_lib));
        assert_eq!(workspace.relative(&core.manifest_path), "crates/larder-core/Cargo.toml");
        let this = workspace.member("xtask").expect("it is a member");
        assert!(!workspace.published().any(|package| package.name == this.name));
        assert!(this.targets.iter().all(Target::is_bin));
        assert!(this.dependencies.iter().any(|dependency| dependency.name == "serde_json"));
    }
}
