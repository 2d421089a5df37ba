//! What packages bring along and a server does not use: most of the room they take.

use std::{
    collections::BTreeSet,
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
};

use crate::{
    error::{Error, Result},
    find::Engine,
    home,
};

/// Folders for people, for other programs, and of conversions that the servers do themselves.
const UNUSED: [&str; 7] = [
    "usr/share/bug",
    "usr/share/doc",
    "usr/share/info",
    "usr/share/lintian",
    "usr/share/locale",
    "usr/share/man",
    "usr/share/perl5",
];

/// Removes from a root what the engine's server does not use.
pub(crate) fn trim(engine: Engine, root: &Path) -> Result<()> {
    for name in UNUSED {
        home::remove(&root.join(name))?;
    }
    for library in folders_in(&root.join("usr/lib"))? {
        for name in ["gconv", "systemd", "perl", "perl-base"] {
            home::remove(&library.join(name))?;
        }
    }
    let programs = ["bin", "sbin", "usr/bin", "usr/sbin"].map(|name| root.join(name));
    let releases = folders_in(&root.join("usr/lib/postgresql"))?;
    let releases = releases.into_iter().map(|release| release.join("bin"));
    programs.into_iter().chain(releases).try_for_each(|folder| keep_programs(engine, &folder))
}

/// Keeps the engine's programs and what they are links to.
fn keep_programs(engine: Engine, folder: &Path) -> Result<()> {
    let wanted: Vec<&str> = engine.programs().iter().chain(engine.siblings()).copied().collect();
    let links = wanted.iter().filter_map(|name| fs::read_link(folder.join(name)).ok());
    let targets = links.filter_map(|target| Some(target.file_name()?.to_owned()));
    let kept: BTreeSet<OsString> = wanted.iter().map(OsString::from).chain(targets).collect();
    for path in entries(folder)? {
        if path.file_name().is_some_and(|name| !kept.contains(name)) {
            let removed = if path.is_dir() && !path.is_symlink() {
                fs::remove_dir_all(&path)
            } else {
                fs::remove_file(&path)
            };
            removed.map_err(Error::file(&path))?;
        }
    }
    Ok(())
}

fn folders_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut paths = entries(folder)?;
    paths.retain(|path| path.is_dir() && !path.is_symlink());
    Ok(paths)
}

/// What is in a folder of the root; nothing if it is not there, or leads out of the root.
fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    if folder.is_symlink() {
        return Ok(Vec::new());
    }
    match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        entries => entries
            .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect())
            .map_err(Error::file(folder)),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_server_keeps_its_program_whatever_that_is_a_link_to() {
        let root = home::folder("test-of-trimming").expect("the target folder can be written");
        for name in ["usr/bin", "usr/share/man/man1", "usr/lib/mips-linux-gnu/gconv"] {
            home::make(&root.join(name)).expect("the folder can be written");
        }
        let file = |name: &str| root.join(name);
        for name in ["usr/bin/redis-check-rdb", "usr/bin/perl", "usr/lib/mips-linux-gnu/libc.so.6"]
        {
            fs::write(file(name), "").expect("the folder can be written");
        }
        symlink("redis-check-rdb", file("usr/bin/redis-server")).expect("nothing is there");
        symlink("/usr/bin", file("bin")).expect("nothing is there");
        trim(Engine::Redis, &root).expect("everything can be removed");
        for kept in
            ["usr/bin/redis-server", "usr/bin/redis-check-rdb", "usr/lib/mips-linux-gnu/libc.so.6"]
        {
            assert!(file(kept).exists(), "{kept}");
        }
        for gone in ["usr/bin/perl", "usr/share/man", "usr/lib/mips-linux-gnu/gconv"] {
            assert!(!file(gone).exists(), "{gone}");
        }
        home::remove(&root).expect("it is ours");
    }
}
