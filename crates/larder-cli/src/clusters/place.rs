//! Which file it is.
//!
//! Guards that a command that only looks makes no file.

use std::{
    env,
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
};

use clap::Args;
use larder::clusters::{Access, ClusterCache, ClusterFileOptions};

use crate::{failure::Failure, plain::path};

const VARIABLE: &str = "LARDER_CLUSTERS_FILE";

/// What the command line says about the file.
#[derive(Clone, Debug, Args)]
pub(super) struct Place {
    /// The file [env: LARDER_CLUSTERS_FILE] [default: larder/clusters.db in $XDG_STATE_HOME,
    /// %LOCALAPPDATA% or ~/.local/state]
    #[arg(long, value_name = "FILE", value_parser = path)]
    file: Option<PathBuf>,
}

impl Place {
    /// The file, whether it is there or not.
    pub(super) fn path(&self) -> Result<PathBuf, Failure> {
        if let Some(file) = &self.file {
            return Ok(file.clone());
        }
        match env::var_os(VARIABLE).filter(|value| !value.is_empty()) {
            Some(value) => match value.to_str() {
                Some(text) => {
                    path(text).map_err(|why| Failure::Usage(format!("{VARIABLE}: {why}")))
                }
                None => Ok(value.into()),
            },
            None => by_default(|name| env::var_os(name)).ok_or(Failure::NoStateDirectory),
        }
    }

    /// Opens the file, which has to be there.
    pub(super) fn open(&self) -> Result<ClusterCache, Failure> {
        let path = self.path()?;
        // A path that leads to anything, be it the wrong thing, is for the one way of opening.
        if fs::symlink_metadata(&path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
            let hint = "larder clusters add makes it, and --file names another";
            return Err(Failure::Missing { path, hint });
        }
        Ok(ClusterCache::open(ClusterFileOptions::new(path).with_access(Access::Existing))?)
    }

    /// Opens the file as `options` say, and makes it if it is not there.
    pub(super) fn open_or_create(
        &self,
        options: impl FnOnce(ClusterFileOptions) -> ClusterFileOptions,
    ) -> Result<ClusterCache, Failure> {
        let path = self.path()?;
        if self.file.is_none() && env::var_os(VARIABLE).is_none() {
            // Where nobody chose the directory, it is ours to make.
            let directory = path.parent().unwrap_or(Path::new("."));
            fs::create_dir_all(directory).map_err(|source| Failure::File {
                path: directory.to_owned(),
                action: "created",
                source,
            })?;
        }
        Ok(ClusterCache::open(options(ClusterFileOptions::new(path)))?)
    }
}

/// `larder/clusters.db` in the user's directory for state.
///
/// # Source
/// XDG Base Directory Specification 0.8: `XDG_STATE_HOME` has to be absolute to count.
fn by_default(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let absolute = |name: &str| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute("XDG_STATE_HOME")
        .or_else(|| absolute("LOCALAPPDATA"))
        .or_else(|| absolute("HOME").map(|home| home.join(".local").join("state")))
        .map(|state| state.join("larder").join("clusters.db"))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn check(variables: &[(&str, &str)], expected: Option<&str>) {
        let variable = |name: &str| {
            let found = variables.iter().find(|(variable, _)| *variable == name);
            found.map(|(_, value)| OsString::from(value))
        };
        assert_eq!(by_default(variable), expected.map(PathBuf::from), "{variables:?}");
    }

    #[test]
    fn the_directory_for_state_is_the_users() {
        check(&[("XDG_STATE_HOME", "/s"), ("HOME", "/h")], Some("/s/larder/clusters.db"));
        check(
            &[("XDG_STATE_HOME", "s"), ("HOME", "/h")],
            Some("/h/.local/state/larder/clusters.db"),
        );
        check(&[("HOME", "")], None);
        check(&[], None);
    }
}
