//! Up, down, status.
//!
//! Guards that `down` ends what `up` started and nothing else, also when an `up` was interrupted:
//! each process is written down when it starts.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use rustix::process::Signal;

use crate::{
    CA_VARIABLE,
    deadline::Deadline,
    error::Result,
    home,
    run::{Run, lock},
    server::send,
    services::{Services, servers_for},
    setup::Setup,
    standing::record::{self, Entry},
};

/// One server that was started to stay.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// What logs call it.
    pub name: String,
    /// The id of its process.
    pub pid: u32,
    /// Whether that process is there.
    pub is_alive: bool,
    /// Whether it answers a request.
    pub answers: bool,
}

/// What stands after [`up`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Standing {
    /// The variables of everything that stands.
    pub variables: BTreeMap<String, String>,
    /// What could not be started, with the reason.
    pub missing: Vec<(Setup, String)>,
}

/// Starts the servers of these setups so that they stay, on their documented ports where those
/// are free. Those that stand already are left alone.
///
/// # Errors
/// If the record of what stands can not be read or written.
pub fn up(setups: impl IntoIterator<Item = Setup>) -> Result<Standing> {
    up_in(&folder()?, servers_for(setups))
}

/// Ends everything that [`up`] started and that still runs, and forgets it. Returns the names of
/// the servers that were ended.
///
/// # Errors
/// If the record of what stands can not be read or removed.
pub fn down() -> Result<Vec<String>> {
    down_in(&folder()?)
}

/// Asks each server that [`up`] started whether it answers.
///
/// # Errors
/// If the record of what stands can not be read.
pub fn status() -> Result<Vec<Status>> {
    status_in(&folder()?)
}

fn up_in(folder: &Path, mut wanted: BTreeSet<Setup>) -> Result<Standing> {
    let _turn = turn()?;
    let standing = clear_ruins(folder, &wanted)?;
    wanted.retain(|setup| !standing.contains(setup));
    let mut missing = Vec::new();
    if !wanted.is_empty() {
        let run = Arc::new(Run::detached(folder.to_owned())?);
        let services = Services::start_in(wanted, &run);
        for service in services.running() {
            for (setup, url) in service.urls() {
                record::note(folder, &Entry::Url { setup, url: url.to_owned() })?;
            }
        }
        missing.extend(services.missing().map(|(setup, error)| (setup, error.to_string())));
    }
    Ok(Standing { variables: variables(folder)?, missing })
}

fn down_in(folder: &Path) -> Result<Vec<String>> {
    let _turn = turn()?;
    let ended = end(&record::read(folder)?);
    home::remove(folder)?;
    Ok(ended)
}

fn status_in(folder: &Path) -> Result<Vec<Status>> {
    let status = |entry: &Entry| {
        let Entry::Server { name, pid, probe, .. } = entry else {
            return None;
        };
        let is_alive = entry.is_alive();
        let answers = is_alive && probe.answers();
        Some(Status { name: name.clone(), pid: *pid, is_alive, answers })
    };
    Ok(record::read(folder)?.iter().filter_map(status).collect())
}

/// One command at a time. The lock is not in the folder of what stands, which is removed.
fn turn() -> Result<File> {
    lock(&home::folder("up")?.join("lock"))
}

/// Where everything that stands has its data, its logs and the record.
fn folder() -> Result<PathBuf> {
    home::for_sockets("standing")
}

/// Of the wanted setups, those that stand as a whole. What is left of the others is ended.
fn clear_ruins(folder: &Path, wanted: &BTreeSet<Setup>) -> Result<BTreeSet<Setup>> {
    let entries = record::read(folder)?;
    let stands = |setup: Setup| {
        let has_url = entries
            .iter()
            .any(|entry| matches!(entry, Entry::Url { setup: own, .. } if *own == setup));
        let mut servers = entries
            .iter()
            .filter(|entry| matches!(entry, Entry::Server { .. }) && entry.setup() == Some(setup));
        has_url && servers.all(Entry::is_alive)
    };
    let standing: BTreeSet<Setup> = wanted.iter().copied().filter(|setup| stands(*setup)).collect();
    let is_ruin = |entry: &Entry| {
        entry
            .setup()
            .map(Setup::served_by)
            .is_some_and(|setup| wanted.contains(&setup) && !standing.contains(&setup))
    };
    let (ruins, rest): (Vec<_>, Vec<_>) = entries.iter().cloned().partition(is_ruin);
    if !ruins.is_empty() {
        end(&ruins);
        record::write(folder, &rest)?;
    }
    Ok(standing)
}

/// Ends the processes that are still the recorded ones.
fn end(entries: &[Entry]) -> Vec<String> {
    const PATIENCE: Duration = Duration::from_secs(15);
    let mut ended = Vec::new();
    let alive: Vec<&Entry> = entries.iter().filter(|entry| entry.is_alive()).collect();
    for entry in &alive {
        if let Entry::Server { name, pid, signal, .. } = entry {
            // It was written by us; a signal that there is not would be a damaged record.
            send(*pid, Signal::from_named_raw(*signal).unwrap_or(Signal::TERM));
            send(*pid, Signal::CONT);
            ended.push(name.clone());
        }
    }
    let all_gone = || alive.iter().all(|entry| !entry.is_alive()).then_some(());
    if Deadline::after(PATIENCE).poll(all_gone).is_none() {
        for entry in alive.iter().filter(|entry| entry.is_alive()) {
            if let Entry::Server { pid, .. } = entry {
                send(*pid, Signal::KILL);
            }
        }
        // Nothing holds on to a killed process for long.
        let _ = Deadline::after(PATIENCE).poll(all_gone);
    }
    ended
}

fn variables(folder: &Path) -> Result<BTreeMap<String, String>> {
    let entries = record::read(folder)?;
    let urls = entries.into_iter().filter_map(|entry| match entry {
        Entry::Url { setup, url } => Some((setup.variable(), url)),
        Entry::Server { .. } => None,
    });
    let ca = (CA_VARIABLE.to_owned(), folder.join(Run::CA).display().to_string());
    Ok(urls.chain([ca]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    mod memcached {
        use super::*;

        #[test]
        #[ignore = "needs a live service"]
        fn what_is_up_stays_until_it_is_brought_down() {
            let folder = home::for_sockets("test-of-up").expect("the target folder can be written");
            let up = || up_in(&folder, BTreeSet::from([Setup::Memcached]));
            let pids = || -> Vec<u32> {
                let status = status_in(&folder).expect("the record can be read");
                assert!(status.iter().all(|status| status.answers), "{status:?}");
                status.iter().map(|status| status.pid).collect()
            };
            let standing = up().expect("it starts");
            assert_eq!(standing.missing, []);
            assert!(standing.variables.contains_key("LARDER_MEMCACHED_URL"));
            let first = pids();
            assert_eq!(first.len(), 1);
            assert_eq!(up().expect("it stands").variables, standing.variables);
            assert_eq!(pids(), first, "it was left alone");

            // One that has died is started anew.
            first.iter().for_each(|pid| send(*pid, Signal::KILL));
            let gone = || status_in(&folder).is_ok_and(|all| !all[0].is_alive).then_some(());
            Deadline::after(Duration::from_secs(60)).poll(gone).expect("it was killed");
            up().expect("it starts");
            assert_ne!(pids(), first);

            assert_eq!(down_in(&folder).expect("it can be removed"), ["memcached"]);
            assert_eq!(status_in(&folder).expect("there is no record"), []);
            assert!(down_in(&folder).expect("there is nothing").is_empty());
        }
    }
}
