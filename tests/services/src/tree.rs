//! Processes as `/proc` shows them: who started whom, and when.

use std::fs;

/// The processes that a process has started, directly or not. PostgreSQL has one for each
/// connection. None where there is no `/proc`.
pub(crate) fn descendants(pid: u32) -> Vec<u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten();
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let parents: Vec<(u32, u32)> =
        pids.filter_map(|pid: u32| Some((pid, stat(pid)?.parent))).collect();
    let mut found = vec![pid];
    let mut next = 0;
    while let Some(parent) = found.get(next).copied() {
        found.extend(parents.iter().filter(|(_, of)| *of == parent).map(|(pid, _)| pid));
        next += 1;
    }
    found.split_off(1)
}

/// What tells one process from a later one with the same id: when it started, counted from the
/// start of the system. `None` if there is no such process, or only what is left of one.
pub(crate) fn started_at(pid: u32) -> Option<u64> {
    stat(pid).filter(|stat| !stat.is_dead).map(|stat| stat.started_at)
}

/// Whether no thread of a process runs any more, because it was stopped or has ended. A signal
/// that stops it reaches one thread, and the others go on until that one had its turn.
pub(crate) fn stands_still(pid: u32) -> bool {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten();
    let stats =
        threads.filter_map(|thread| fs::read_to_string(thread.ok()?.path().join("stat")).ok());
    stats.filter_map(|stat| parse(&stat)).all(|stat| stat.is_stopped || stat.is_dead)
}

struct Stat {
    parent: u32,
    started_at: u64,
    is_dead: bool,
    is_stopped: bool,
}

fn stat(pid: u32) -> Option<Stat> {
    parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// The fields after the program's name, which stands in brackets and may hold anything.
fn parse(stat: &str) -> Option<Stat> {
    let (_, fields) = stat.rsplit_once(") ")?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let state = *fields.first()?;
    Some(Stat {
        is_dead: matches!(state, "Z" | "X"),
        is_stopped: matches!(state, "T" | "t"),
        parent: fields.get(1)?.parse().ok()?,
        started_at: fields.get(19)?.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use std::{
        process::{self, Command},
        time::Duration,
    };

    use super::*;
    use crate::deadline::Deadline;

    #[test]
    fn a_name_with_brackets_does_not_confuse_the_fields() {
        let stat = "42 (a) (b) S 7 42 42 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 990 4096 1";
        let stat = parse(stat).expect("it has all fields");
        assert_eq!((stat.parent, stat.started_at), (7, 990));
        assert!(!stat.is_dead && !stat.is_stopped);
        assert!(parse("42 (a) Z").is_none());
    }

    #[test]
    fn a_child_is_a_descendant_until_it_ends() {
        let mut child = Command::new("sleep").arg("600").spawn().expect("every system has sleep");
        assert!(descendants(process::id()).contains(&child.id()));
        assert!(started_at(child.id()).is_some());
        child.kill().expect("it is our child");
        let gone = || started_at(child.id()).is_none().then_some(());
        assert!(Deadline::after(Duration::from_secs(60)).poll(gone).is_some());
        child.wait().expect("it is our child");
    }
}
