//! Where everything lives that is not under version control: programs, data folders, logs.
//!
//! Guards that the servers' account can reach it: a workspace in a closed folder, such as the
//! home of root, has its services in the folder for temporary files instead.

use std::{
    env, fs,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    io,
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    sync::OnceLock,
};

use crate::{
    account,
    error::{Error, Result},
};

/// The variable that names the folder of all services, for those who want it elsewhere.
pub const HOME_VARIABLE: &str = "LARDER_SERVICES_DIR";

/// The folder of all services: `services` in cargo's target folder, `LARDER_SERVICES_DIR` if
/// that is set, or a folder for temporary files if the servers could not reach the other.
///
/// # Errors
/// [`Error::File`], if it can not be made.
pub fn home() -> Result<&'static Path> {
    static HOME: OnceLock<PathBuf> = OnceLock::new();
    if let Some(home) = HOME.get() {
        return Ok(home);
    }
    let wanted = wanted();
    let home = if account::can_reach(&wanted) { wanted } else { substitute()? };
    make(&home)?;
    // Servers run in folders of their own, where a relative path would lead elsewhere.
    let home = home.canonicalize().map_err(Error::file(&home))?;
    Ok(HOME.get_or_init(|| home))
}

/// A folder in there, made if it is missing.
pub(crate) fn folder(name: &str) -> Result<PathBuf> {
    let folder = home()?.join(name);
    make(&folder)?;
    Ok(folder)
}

/// Makes a folder, with those above it, that every account can enter whatever our habits are.
pub(crate) fn make(folder: &Path) -> Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(above) = folder.parent() {
        make(above)?;
    }
    let made = match fs::create_dir(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => fs::set_permissions(folder, fs::Permissions::from_mode(0o755)),
    };
    made.map_err(Error::file(folder))
}

/// Removes a folder if it is there.
pub(crate) fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::file(folder)(error)),
        _ => Ok(()),
    }
}

/// A folder for what holds Unix sockets, whose addresses have room for about a hundred bytes. A
/// home with a long path has it elsewhere.
pub(crate) fn for_sockets(name: &str) -> Result<PathBuf> {
    const LENGTH_MAX: usize = 44;
    let own = folder(name)?;
    if own.as_os_str().len() <= LENGTH_MAX { Ok(own) } else { short(name) }
}

/// A folder with a short path, of this home alone.
fn short(name: &str) -> Result<PathBuf> {
    let mut hasher = DefaultHasher::new();
    home()?.hash(&mut hasher);
    let folder = substitute()?.join(format!("{name}-{:x}", hasher.finish()));
    make(&folder)?;
    Ok(folder)
}

fn wanted() -> PathBuf {
    if let Some(folder) = env::var_os(HOME_VARIABLE) {
        return PathBuf::from(folder);
    }
    let own = env::current_exe().ok();
    let target = own.as_deref().and_then(target_of).map(Path::to_owned);
    let target = target.unwrap_or_else(|| {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
        manifest.ancestors().nth(2).unwrap_or(manifest).join("target")
    });
    target.join("services")
}

/// The target folder that a program was built in: cargo marks it as a cache.
fn target_of(program: &Path) -> Option<&Path> {
    program.ancestors().find(|folder| folder.join("CACHEDIR.TAG").is_file())
}

/// A folder of ours in the folder for temporary files. One that somebody else has put there is
/// not taken.
fn substitute() -> Result<PathBuf> {
    let own = rustix::process::geteuid().as_raw();
    let folder = env::temp_dir().join(format!("larder-services-{own}"));
    let made = fs::DirBuilder::new().mode(0o755).create(&folder);
    let metadata = fs::symlink_metadata(&folder).map_err(Error::file(&folder))?;
    if metadata.is_dir() && metadata.uid() == own {
        return Ok(folder);
    }
    let source = made.err().unwrap_or_else(|| io::ErrorKind::AlreadyExists.into());
    Err(Error::File { path: folder, source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_is_in_the_target_folder_of_the_running_test() {
        let own = env::current_exe().expect("a test runs");
        let target = target_of(&own).expect("cargo has built it");
        assert!(own.starts_with(target));
        assert_eq!(target_of(Path::new("/no/such/program")), None);
    }
}
