//! A program that can be started here, be it the machine's own or one of an unpacked root.
//!
//! Guards that a program of a foreign root runs with that root's own loader and libraries: its C
//! library may be newer than ours.

use std::{
    ffi::{OsStr, OsString},
    fs,
    io::{self, Read as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use crate::{
    account,
    deadline::Deadline,
    error::{Error, Result, tail},
    find::Version,
};

/// A server's program.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(crate) path: PathBuf,
    pub(crate) version: Version,
    /// The root that it was unpacked into, if it is not the machine's own.
    pub(crate) root: Option<Arc<Root>>,
}

impl Program {
    /// A command that starts it, with nothing in its environment that is ours.
    pub(crate) fn command(&self) -> Command {
        self.command_of(&self.path)
    }

    /// A command that starts another program of the same folder.
    pub(crate) fn sibling(&self, name: &str) -> Command {
        self.command_of(&self.path.with_file_name(name))
    }

    /// The folder of the root's files that do not depend on the architecture.
    pub(crate) fn share(&self) -> Option<PathBuf> {
        self.root.as_ref().map(|root| root.folder.join("usr/share"))
    }

    fn command_of(&self, path: &Path) -> Command {
        match &self.root {
            Some(root) => root.command(path),
            None => plain(path),
        }
    }
}

/// An unpacked root with its loader.
#[derive(Clone, Debug)]
pub(crate) struct Root {
    pub(crate) folder: PathBuf,
    pub(crate) loader: PathBuf,
    pub(crate) libraries: OsString,
}

impl Root {
    /// Looks at a folder that packages were unpacked into.
    pub(crate) fn find(folder: &Path) -> Option<Self> {
        let roots = ["usr/lib", "lib", "usr/lib64", "lib64"].map(|name| folder.join(name));
        let triplets: Vec<PathBuf> =
            roots.iter().flat_map(|root| folders_in(root)).chain(roots.clone()).collect();
        let loader = triplets.iter().find_map(|folder| loader_in(folder))?;
        // Some libraries stand a level deeper, where a post-install script would link to them.
        let deeper = triplets.iter().filter(|folder| is_triplet(folder)).flat_map(|triplet| {
            folders_in(triplet).into_iter().filter(|folder| has_libraries(folder))
        });
        let private = folder.join("usr/lib/mysql/private");
        let libraries: Vec<OsString> = triplets
            .iter()
            .filter(|folder| is_triplet(folder))
            .cloned()
            .chain(deeper)
            .chain(Some(private).filter(|folder| folder.is_dir()))
            .map(PathBuf::into_os_string)
            .collect();
        let libraries = libraries.join(OsStr::new(":"));
        Some(Self { folder: folder.to_owned(), loader, libraries })
    }

    pub(crate) fn command(&self, path: &Path) -> Command {
        let mut command = plain(&self.loader);
        command.arg("--library-path").arg(&self.libraries).arg(path);
        command
    }
}

fn plain(path: &Path) -> Command {
    let mut command = Command::new(path);
    command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("LC_ALL", "C");
    command.env("TZ", "UTC").stdin(Stdio::null());
    command
}

/// Folders such as `x86_64-linux-gnu`.
fn is_triplet(folder: &Path) -> bool {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    name.contains("-linux-")
}

fn loader_in(folder: &Path) -> Option<PathBuf> {
    entries(folder).into_iter().find(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        // Links in a root may lead out of it, to the machine's own loader.
        let is_file = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file());
        name.starts_with("ld-linux") && name.contains(".so.") && is_file
    })
}

fn has_libraries(folder: &Path) -> bool {
    entries(folder).iter().any(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("lib") && name.contains(".so.")
    })
}

fn folders_in(folder: &Path) -> Vec<PathBuf> {
    entries(folder).into_iter().filter(|path| path.is_dir() && !path.is_symlink()).collect()
}

/// What is in a folder, by name; nothing if it is not there.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let mut paths: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    paths
}

/// Runs a tool as the servers' account and returns what it printed. One that fails or takes too
/// long is an error with its last lines.
pub(crate) fn output_of(command: &mut Command, limit: Duration) -> Result<String> {
    account::assume(command);
    run(command, limit)
}

/// As [`output_of`], but as ourselves.
pub(crate) fn run(command: &mut Command, limit: Duration) -> Result<String> {
    let shown = shown(command);
    let failed = |source| Error::Process { program: shown.clone(), source };
    let (mut reader, writer) = io::pipe().map_err(failed)?;
    let errors = writer.try_clone().map_err(failed)?;
    let mut child = command.stdout(writer).stderr(errors).spawn().map_err(failed)?;
    // The command holds the writing ends; while they are open here, the reader sees no end.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let (sender, output) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // What was read before an error is still worth showing.
        let _ = reader.read_to_end(&mut bytes);
        let _ = sender.send(String::from_utf8_lossy(&bytes).into_owned());
    });
    let status = Deadline::after(limit).poll(|| child.try_wait().ok().flatten());
    if status.is_none() {
        // It may have ended in this very moment, which is as good.
        let _ = child.kill();
        let _ = child.wait();
    }
    // A grandchild may hold the pipe open; nobody waits for it.
    let output = output.recv_timeout(Duration::from_secs(2)).unwrap_or_default();
    match status {
        Some(status) if status.success() => Ok(output),
        Some(status) => {
            Err(Error::Command { command: shown, output: format!("{}\n({status})", tail(&output)) })
        }
        None => {
            let output = format!("{}\n(it took more than {limit:?})", tail(&output));
            Err(Error::Command { command: shown, output })
        }
    }
}

/// The command as a person would type it, without the loader's part and without what only says
/// where private folders are.
fn shown(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy()];
    let mut args = command.get_args().peekable();
    if args.next_if_eq(&"--library-path").is_some() {
        words = args.by_ref().skip(1).take(1).map(OsStr::to_string_lossy).collect();
    }
    while let Some(arg) = args.next() {
        if arg == "-o" {
            args.next();
        } else {
            words.push(arg.to_string_lossy());
        }
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::home;

    #[test]
    fn the_loader_of_a_root_is_a_file_in_it() {
        let folder = home::folder("test-of-roots").expect("the target folder can be written");
        let triplet = folder.join("usr/lib/mips64-linux-gnu");
        fs::create_dir_all(triplet.join("blas")).expect("the folder can be written");
        fs::create_dir_all(folder.join("lib64")).expect("the folder can be written");
        let link = folder.join("lib64/ld-linux-mips.so.2");
        let _ = std::os::unix::fs::symlink("/lib/ld-linux-mips.so.2", link);
        assert!(Root::find(&folder).is_none());
        for name in ["ld-linux-mips.so.2", "blas/libblas.so.3"] {
            fs::write(triplet.join(name), "").expect("the folder can be written");
        }
        let root = Root::find(&folder).expect("it has a loader now");
        assert_eq!(root.loader, triplet.join("ld-linux-mips.so.2"));
        let expected = format!("{0}:{0}/blas", triplet.display());
        assert_eq!(root.libraries, OsString::from(expected));
        let mut command = root.command(Path::new("/usr/bin/server"));
        let shown = shown(command.args(["-o", "Dir=/private", "--port", "1"]));
        assert_eq!(shown, "/usr/bin/server --port 1");
        home::remove(&folder).expect("it is ours");
    }

    #[test]
    fn a_tool_that_hangs_is_ended() {
        let error = run(Command::new("sleep").arg("600"), Duration::from_millis(20));
        let error = error.expect_err("it takes longer").to_string();
        assert!(error.contains("`sleep 600` failed"), "{error}");
        assert!(error.contains("it took more than 20ms"), "{error}");
    }

    #[test]
    fn a_tool_that_fails_says_what_it_printed() {
        let error = run(Command::new("ls").arg("/no/such/folder"), Duration::from_secs(60));
        let error = error.expect_err("there is no such folder").to_string();
        assert!(error.contains("/no/such/folder"), "{error}");
    }
}
