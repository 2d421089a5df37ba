//! Where the sample lies unless told otherwise.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
};

use crate::failure::Failure;

/// `larder/airport.db` in the user's directory for caches.
pub(crate) fn default_path() -> Result<PathBuf, Failure> {
    let caches = caches(|name| env::var_os(name)).ok_or(Failure::NoCacheDirectory)?;
    Ok(caches.join("larder").join("airport.db"))
}

/// # Source
/// XDG Base Directory Specification 0.8: `XDG_CACHE_HOME` has to be absolute to count.
fn caches(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let absolute = |name: &str| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute("XDG_CACHE_HOME")
        .or_else(|| absolute("LOCALAPPDATA"))
        .or_else(|| absolute("HOME").map(|home| home.join(".cache")))
}

/// The path with something added to its name.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn check(variables: &[(&str, &str)], expected: Option<&str>) {
        let variable = |name: &str| {
            let found = variables.iter().find(|(variable, _)| *variable == name);
            found.map(|(_, value)| OsString::from(value))
        };
        assert_eq!(caches(variable), expected.map(PathBuf::from), "{variables:?}");
    }

    #[test]
    fn the_directory_for_caches_is_the_users() {
        check(&[("XDG_CACHE_HOME", "/c"), ("HOME", "/h")], Some("/c"));
        check(&[("XDG_CACHE_HOME", "c"), ("HOME", "/h")], Some("/h/.cache"));
        check(&[("HOME", "")], None);
        check(&[], None);
    }
}
