//! One process at a time that stops, dies, or comes back too late.

use std::{fs, process::Command, process::Stdio};

use larder_clusters::{Error, Registration, Released, State, Update};
use larder_sqlite_file::FileOptions;
use rustix::process::Signal;

use crate::child::{LONG, Process, check_integrity, listen, open, say, task, wait_until};

#[test]
fn a_creator_that_was_stopped_too_long_is_fenced_when_it_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("clusters.db");
    let registry = open(&file);
    let mut child = Process::start("death::creates_when_told", &file, 0);
    child.expect("creating");
    child.signal(Signal::STOP);
    let Registration::Joiner(waiting) = registry.register_creation("k").unwrap() else {
        panic!("the child is the creator");
    };
    assert_eq!(waiting.owner.as_ref().map(|owner| owner.pid), Some(child.id()));
    wait_until("its lease ends", || registry.info("k").unwrap().unwrap().is_abandoned);
    let Registration::Creator(creation) = registry.register_creation("k").unwrap() else {
        panic!("it should be taken over");
    };
    assert!(creation.fence > waiting.fence);
    child.signal(Signal::CONT);
    child.tell("report");
    child.expect("fenced");
    registry.update_status("k", creation.fence, Update::Ready { resource_id: "mine" }).unwrap();
    child.tell("join and release twice");
    child.expect("joined mine, then StillUsed { usage: 1 }, then NotHeld");
    let info = registry.info("k").unwrap().unwrap();
    assert_eq!((info.resource_id.as_deref(), info.usage), (Some("mine"), 1));
    child.end();
    check_integrity(&file);
}

#[test]
#[ignore = "run as a child process by the test above"]
fn creates_when_told() {
    let Some((file, _)) = task() else { return };
    let registry = open(&file);
    let Registration::Creator(creation) = registry.register_creation("k").unwrap() else {
        panic!("somebody else was first");
    };
    say("creating");
    assert_eq!(listen().as_deref(), Some("report"));
    let late = registry.update_status("k", creation.fence, Update::Ready { resource_id: "late" });
    assert!(matches!(late, Err(Error::Fenced { .. })), "{late:?}");
    say("fenced");
    assert_eq!(listen().as_deref(), Some("join and release twice"));
    let hold = registry.join("k").unwrap();
    let [first, second] = [(); 2].map(|()| registry.release("k", &hold.id).unwrap());
    say(&format!("joined {}, then {first:?}, then {second:?}", hold.resource_id));
    assert_eq!(listen(), None);
}

#[test]
fn a_killed_creator_is_taken_over_without_waiting_for_its_lease() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("clusters.db");
    let registry = open(&file);
    let mut child = Process::start("death::creates_when_told", &file, 0);
    child.expect("creating");
    // A lease that goes on for long: what counts is the death.
    let info = registry.info("k").unwrap().unwrap();
    let connection = FileOptions::new(&file).open().unwrap();
    connection.execute("UPDATE larder_shared SET lease_until = lease_until + 3600000", []).unwrap();
    assert!(matches!(registry.register_creation("k").unwrap(), Registration::Joiner(_)));
    child.kill();
    let Registration::Creator(creation) = registry.register_creation("k").unwrap() else {
        panic!("it should be taken over");
    };
    assert!(creation.fence > info.fence);
}

#[test]
fn a_killed_holder_leaks_nothing_and_a_reused_number_is_seen() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("clusters.db");
    let registry = open(&file);
    let mut children: Vec<_> =
        (0..3).map(|number| Process::start("death::holds_until_told", &file, number)).collect();
    for child in &children {
        child.expect("holding");
    }
    let usage = || registry.info("k").unwrap().unwrap().usage;
    assert_eq!(usage(), 3);
    // Stopped is not dead, however long it takes.
    children[0].signal(Signal::STOP);
    assert_eq!(usage(), 3);
    children[0].signal(Signal::CONT);
    // As if the first one had died and its number had been given to this child: the same number
    // with an earlier start.
    let connection = FileOptions::new(&file).open().unwrap();
    let changed = connection.execute(
        "UPDATE larder_holder SET process_start = process_start - 1 WHERE pid = ?1",
        [children[0].id()],
    );
    assert_eq!(changed.unwrap(), 1);
    assert_eq!(usage(), 2);
    let number = children[1].id();
    children[1].kill();
    assert_eq!(usage(), 1);
    if with_number(number, || assert_eq!(usage(), 1)) {
        println!("number {number} was really given again");
    } else {
        println!("number {number} could not be given again; only its start was changed");
    }
    children.remove(2).end();
    let info = registry.info("k").unwrap().unwrap();
    assert_eq!((info.state, info.usage), (State::Draining, 0));
}

/// Starts a process that has this number, which needs the right to choose it; whether it could.
fn with_number(number: u32, check: impl Fn()) -> bool {
    for _ in 0..50 {
        if fs::write("/proc/sys/kernel/ns_last_pid", (number - 1).to_string()).is_err() {
            return false;
        }
        let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        let is_it = child.id() == number;
        if is_it {
            check();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        if is_it {
            return true;
        }
    }
    false
}

#[test]
#[ignore = "run as a child process by the test above"]
fn holds_until_told() {
    let Some((file, _)) = task() else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let registry = open(&file);
        let create = async |_| Ok::<_, std::convert::Infallible>("c-1".to_owned());
        let guard = registry.acquire("k", create, LONG).await.unwrap();
        say("holding");
        assert_eq!(listen(), None);
        assert!(!matches!(guard.release().await.unwrap(), Released::StillUsed { .. }));
    });
}
