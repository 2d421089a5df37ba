//! The servers of one process: their common folder, watchdog and certificates.
//!
//! Guards that folders of dead runs go away: a run holds a lock on a file of its folder, which
//! the system gives up when the process ends, so that a folder without a lock holder is stale.

use std::{
    fs::{self, File, TryLockError},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{self, Command},
    sync::{
        Arc, Mutex, Weak,
        atomic::{AtomicU32, Ordering},
    },
};

use rustix::process::Signal;

use crate::{
    account,
    client::Probe,
    error::{Error, Result},
    home, port,
    setup::Setup,
    standing::{Entry, note},
    tls::Authority,
    watchdog::Watchdog,
};

/// Where the servers of one process, or those that outlive it, are at home.
#[derive(Debug)]
pub(crate) struct Run {
    folder: PathBuf,
    logs: PathBuf,
    authority: Authority,
    kind: Kind,
    /// How many servers it has had.
    count: AtomicU32,
}

#[derive(Debug)]
enum Kind {
    /// The servers go on without us, on their documented ports.
    Detached,
    /// The servers end with this process. Both are held for as long.
    Watched { watchdog: Watchdog, _lock: File },
}

impl Run {
    /// The file in its folder with the certificates of the authority.
    pub(crate) const CA: &'static str = "ca.pem";

    /// The run of this process, begun by its first server and over with its last one.
    pub(crate) fn shared() -> Result<Arc<Self>> {
        static SHARED: Mutex<Weak<Run>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(run) = shared.upgrade() {
            return Ok(run);
        }
        let run = Arc::new(Self::begin()?);
        *shared = Arc::downgrade(&run);
        Ok(run)
    }

    /// A run whose servers stay when this process ends.
    pub(crate) fn detached(folder: PathBuf) -> Result<Self> {
        home::make(&folder)?;
        let logs = folder.join("logs");
        home::make(&logs)?;
        let authority = Authority::add_to(folder.join(Self::CA))?;
        Ok(Self { folder, logs, authority, kind: Kind::Detached, count: AtomicU32::new(0) })
    }

    fn begin() -> Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let runs = home::for_sockets("runs")?;
        // Held while the folder exists and has no lock of its own yet.
        let _entrance = lock(&runs.join("lock"))?;
        remove_stale(&runs)?;
        let name = format!("run-{}-{}", process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let logs = home::folder("logs")?;
        forget_old(&logs)?;
        let (folder, logs) = (runs.join(&name), logs.join(&name));
        home::make(&folder)?;
        home::make(&logs)?;
        let lock = lock(&folder.join(LOCK))?;
        let authority = Authority::add_to(folder.join(Self::CA))?;
        let watchdog = Watchdog::start()
            .map_err(|source| Error::Process { program: "the watchdog".to_owned(), source })?;
        let kind = Kind::Watched { watchdog, _lock: lock };
        Ok(Self { folder, logs, authority, kind, count: AtomicU32::new(0) })
    }

    /// A name for a server that no other of this run has.
    pub(crate) fn name(&self, base: &str) -> String {
        match (&self.kind, self.count.fetch_add(1, Ordering::Relaxed)) {
            (Kind::Detached, _) => base.to_owned(),
            (Kind::Watched { .. }, number) => format!("{base}-{number}"),
        }
    }

    /// An empty folder for one server, which belongs to the servers' account.
    pub(crate) fn folder_for(&self, server: &str) -> Result<PathBuf> {
        let folder = self.folder.join(server);
        home::remove(&folder)?;
        home::make(&folder)?;
        account::hand_over(&folder)?;
        Ok(folder)
    }

    /// Where the output of a server goes.
    pub(crate) fn log_of(&self, server: &str) -> PathBuf {
        self.logs.join(format!("{server}.log"))
    }

    /// What signs the servers' certificates.
    pub(crate) const fn authority(&self) -> &Authority {
        &self.authority
    }

    /// A port for a server: the documented one, plus its index among the servers of the setup,
    /// for servers that stay, if nobody has it; otherwise any that is free.
    pub(crate) fn port(&self, setup: Setup, index: u16) -> Result<u16> {
        let port = match self.kind {
            Kind::Detached => port::preferred(setup.port() + index),
            Kind::Watched { .. } => port::free(),
        };
        let why = || "no port is free".to_owned();
        port.ok_or_else(|| Error::Unavailable { setup, why: why() })
    }

    /// Ties the command's end to ours, or sees to it that our end does not touch it.
    pub(crate) fn place(&self, command: &mut Command) {
        match &self.kind {
            Kind::Detached => drop(command.process_group(0)),
            Kind::Watched { watchdog, .. } => watchdog.watch(command),
        }
    }

    /// Writes a process down, if it is going to stay.
    pub(crate) fn note(&self, name: &str, pid: u32, signal: Signal, probe: &Probe) -> Result<()> {
        match (&self.kind, Entry::of(name, pid, signal, probe)) {
            (Kind::Detached, Some(entry)) => note(&self.folder, &entry),
            _ => Ok(()),
        }
    }

    /// Whether servers outlive us.
    pub(crate) const fn is_detached(&self) -> bool {
        matches!(self.kind, Kind::Detached)
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        if !self.is_detached() {
            // What is left over goes at the next start; an error here has no one to tell.
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

const LOCK: &str = "lock";

/// Waits for the lock on a file. It is held for as long as a download takes, or, on the file of a run
/// that nobody else waits for, as long as that run lives.
pub(crate) fn lock(path: &Path) -> Result<File> {
    let file = File::options().create(true).append(true).open(path).map_err(Error::file(path))?;
    file.lock().map_err(Error::file(path))?;
    Ok(file)
}

fn remove_stale(runs: &Path) -> Result<()> {
    for entry in fs::read_dir(runs).map_err(Error::file(runs))? {
        let folder = entry.map_err(Error::file(runs))?.path();
        let lives = File::open(folder.join(LOCK))
            .is_ok_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock)));
        if folder.is_dir() && !lives {
            // A server that is being killed may still write; then the next start removes it.
            let _ = fs::remove_dir_all(&folder);
        }
    }
    Ok(())
}

/// Keeps the logs of the last runs, so that a log that a failure names is there to be read.
fn forget_old(logs: &Path) -> Result<()> {
    const KEPT: usize = 20;
    let mut folders = Vec::new();
    for entry in fs::read_dir(logs).map_err(Error::file(logs))? {
        let path = entry.map_err(Error::file(logs))?.path();
        if let Ok(modified) = fs::metadata(&path).and_then(|metadata| metadata.modified()) {
            folders.push((modified, path));
        }
    }
    folders.sort();
    for (_, folder) in &folders[..folders.len().saturating_sub(KEPT)] {
        home::remove(folder)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_of_dead_runs_are_removed_and_those_of_living_ones_stay() {
        let runs = home::folder("test-of-stale-runs").expect("the target folder can be written");
        let (dead, living) = (runs.join("run-1-0"), runs.join("run-2-0"));
        for folder in [&dead, &living] {
            home::make(folder).expect("the folder can be written");
            fs::write(folder.join(LOCK), "").expect("the folder can be written");
        }
        let held = lock(&living.join(LOCK)).expect("nobody else has it");
        remove_stale(&runs).expect("the folder can be read");
        assert!(!dead.exists());
        assert!(living.exists());
        drop(held);
        remove_stale(&runs).expect("the folder can be read");
        assert!(!living.exists());
        home::remove(&runs).expect("it is ours");
    }
}
