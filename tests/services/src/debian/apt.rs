//! The package manager on private folders.
//!
//! Guards that the machine's own lists, cache and status are neither read nor written. Its
//! configuration is honoured, as it may say how to reach the network.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Mutex,
    time::Duration,
};

use crate::{
    debian::{
        closure::{self, Deb},
        release::{Distribution, Release},
        sources::Source,
    },
    error::{Error, Result},
    find::run,
    home,
    run::lock,
};

/// A release of Debian that packages are taken from, whichever one the machine runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Suite {
    Bookworm,
    BookwormBackports,
    Sid,
}

/// A package of a suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Package {
    pub(crate) suite: Suite,
    pub(crate) name: &'static str,
}

/// What is asked of the package manager: which suites, and which package of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// Names the folder of the lists.
    pub(crate) name: String,
    pub(crate) package: &'static str,
    suites: Vec<String>,
    components: &'static str,
    /// The suite that the package itself has to come from, if the manager would not choose it.
    from: Option<String>,
}

impl Request {
    /// A package of Debian's, on any of its releases.
    pub(crate) fn debian(package: Package) -> Self {
        let (name, suites, from) = match package.suite {
            Suite::Bookworm => ("bookworm", vec!["bookworm"], None),
            Suite::BookwormBackports => (
                "bookworm-backports",
                vec!["bookworm", "bookworm-backports"],
                Some("bookworm-backports".to_owned()),
            ),
            Suite::Sid => ("sid", vec!["sid"], None),
        };
        let suites = suites.into_iter().map(str::to_owned).collect();
        Self { name: name.to_owned(), package: package.name, suites, components: "main", from }
    }

    /// A package of the machine's own release of Ubuntu.
    pub(crate) fn ubuntu(package: &'static str, codename: &str) -> Self {
        let suites = vec![codename.to_owned(), format!("{codename}-updates")];
        let components = "main universe";
        Self { name: codename.to_owned(), package, suites, components, from: None }
    }

    /// The request for an engine on this machine, if its distribution has it.
    pub(crate) fn for_host(
        release: &Release,
        debian: Package,
        ubuntu: Option<&'static str>,
    ) -> Option<Self> {
        match &release.distribution {
            Distribution::Debian => Some(Self::debian(debian)),
            Distribution::Ubuntu(codename) => ubuntu.map(|name| Self::ubuntu(name, codename)),
        }
    }
}

/// How much of what a package needs is fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// All of it.
    Everything,
    /// What a server needs to run, as far as names tell.
    Running,
}

/// The package manager with the lists of one request.
#[derive(Debug)]
pub(crate) struct Apt {
    folder: PathBuf,
}

impl Apt {
    /// Fetches the files of a package and of what it needs, and returns their paths.
    pub(crate) fn fetch(source: &Source, request: &Request, part: Part) -> Result<Vec<PathBuf>> {
        let apt = Self { folder: home::folder("apt")?.join(&request.name) };
        apt.prepare(source, request)?;
        // One at a time per suite: they share the lists and the archive.
        let _turn = lock(&apt.folder.join("lock"))?;
        let fresh = apt.update_unless_done()?;
        let fetched = apt.fetch_with_lists(request, part);
        if fetched.is_err() && !fresh {
            // The lists name versions that the mirror may have replaced since.
            apt.update()?;
            return apt.fetch_with_lists(request, part);
        }
        fetched
    }

    fn prepare(&self, source: &Source, request: &Request) -> Result<()> {
        for name in ["lists/partial", "cache/archives/partial", "sources"] {
            let folder = self.folder.join(name);
            fs::create_dir_all(&folder).map_err(Error::file(&folder))?;
        }
        let suites: Vec<&str> = request.suites.iter().map(String::as_str).collect();
        let list = source.list(&suites, request.components);
        for (name, text) in [("status", ""), ("sources/larder.sources", list.as_str())] {
            let path = self.folder.join(name);
            fs::write(&path, text).map_err(Error::file(&path))?;
        }
        Ok(())
    }

    /// Fetches the lists if that was never done; says whether it was done now.
    fn update_unless_done(&self) -> Result<bool> {
        if self.folder.join(UPDATED).is_file() {
            return Ok(false);
        }
        self.update().map(|()| true)
    }

    /// Fetches the lists. Where that failed once it is not tried again by this process: the next
    /// engine of the suite would wait for the same mirror in vain.
    fn update(&self) -> Result<()> {
        const LIMIT: Duration = Duration::from_secs(180);
        static FAILED: Mutex<BTreeMap<PathBuf, (String, String)>> = Mutex::new(BTreeMap::new());
        let mut failed = FAILED.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some((command, output)) = failed.get(&self.folder).cloned() {
            return Err(Error::Command { command, output });
        }
        drop(failed);
        // Without this, a mirror that can not be reached is a warning.
        let updated = run(self.command("apt-get").args(["update", "--error-on=any"]), LIMIT);
        if let Err(Error::Command { command, output }) = &updated {
            failed = FAILED.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            failed.insert(self.folder.clone(), (command.clone(), output.clone()));
        }
        updated?;
        let marker = self.folder.join(UPDATED);
        fs::write(&marker, "").map_err(Error::file(&marker))
    }

    fn fetch_with_lists(&self, request: &Request, part: Part) -> Result<Vec<PathBuf>> {
        let mut debs = self.closure(request)?;
        debs.retain(|deb| part == Part::Everything || deb.is_needed(request.package));
        self.download(&debs)?;
        let archives = self.archives();
        Ok(debs.iter().map(|deb| archives.join(deb.file())).collect())
    }

    fn closure(&self, request: &Request) -> Result<Vec<Deb>> {
        const LIMIT: Duration = Duration::from_secs(120);
        let package = match &request.from {
            Some(suite) => format!("{}/{suite}", request.package),
            None => request.package.to_owned(),
        };
        let args = ["install", "--simulate", "--no-install-recommends", &package];
        run(self.command("apt-get").args(args), LIMIT).map(|output| closure::parse(&output))
    }

    /// Downloads into the archive. The manager checks what is there already, so that a file that
    /// an interrupted run left is not believed.
    fn download(&self, debs: &[Deb]) -> Result<()> {
        const LIMIT: Duration = Duration::from_secs(900);
        let mut command = self.command("apt-get");
        command.arg("download").args(debs.iter().map(Deb::request));
        run(command.current_dir(self.archives()), LIMIT).map(drop)
    }

    fn archives(&self) -> PathBuf {
        self.folder.join("cache/archives")
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.args(["-q", "-y"]).env("LC_ALL", "C").env("DEBIAN_FRONTEND", "noninteractive");
        let nowhere = Path::new("/dev/null").to_owned();
        let folders = [
            ("Dir::Etc::SourceList", nowhere.clone()),
            ("Dir::Etc::SourceParts", self.folder.join("sources")),
            ("Dir::Etc::Preferences", nowhere.clone()),
            ("Dir::Etc::PreferencesParts", nowhere),
            ("Dir::State::Lists", self.folder.join("lists")),
            ("Dir::State::Status", self.folder.join("status")),
            ("Dir::State::Extended_States", self.folder.join("extended_states")),
            ("Dir::Cache", self.folder.join("cache")),
        ];
        for (name, path) in folders {
            command.arg("-o").arg(format!("{name}={}", path.display()));
        }
        // Its usual account for downloads can not write into a private folder.
        let settings = [
            "APT::Sandbox::User=root",
            "Acquire::Languages=none",
            "Acquire::Retries=2",
            "Acquire::http::Timeout=30",
            "Acquire::https::Timeout=30",
        ];
        for setting in settings {
            command.args(["-o", setting]);
        }
        command.stdin(Stdio::null());
        command
    }
}

/// The file that says that the lists are there.
const UPDATED: &str = "updated";

/// Unpacks a package file into a folder.
pub(crate) fn unpack(deb: &Path, folder: &Path) -> Result<()> {
    const LIMIT: Duration = Duration::from_secs(300);
    let mut command = Command::new("dpkg-deb");
    command.arg("--extract").arg(deb).arg(folder).stdin(Stdio::null());
    run(&mut command, LIMIT).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backport_is_asked_for_by_its_suite() {
        let request =
            Request::debian(Package { suite: Suite::BookwormBackports, name: "valkey-server" });
        assert_eq!(request.suites, ["bookworm", "bookworm-backports"]);
        assert_eq!(request.from.as_deref(), Some("bookworm-backports"));
    }

    #[test]
    fn ubuntu_has_what_it_has_in_its_own_release() {
        let ubuntu = Release {
            distribution: Distribution::Ubuntu("noble".to_owned()),
            codename: "noble".to_owned(),
        };
        let package = Package { suite: Suite::Sid, name: "redis-server" };
        assert_eq!(Request::for_host(&ubuntu, package, None), None);
        let request = Request::for_host(&ubuntu, package, Some("redis-server"));
        let request = request.expect("it has one by that name");
        assert_eq!(request.suites, ["noble", "noble-updates"]);
        assert_eq!(request.components, "main universe");
    }
}
