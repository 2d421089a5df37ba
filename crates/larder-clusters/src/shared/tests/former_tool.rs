//! The former tool on the same file: its rows, its statements, what it sees.

use super::rig::{Rig, Shorthand as _};
use crate::{Error, Registration, Released, State, Update};

const INSERT: &str = "INSERT INTO shared_cluster_registry
    (config_hash, cluster_id, status, worker_pid, creation_time, usage_count)
    VALUES (?1, ?2, ?3, ?4, datetime('now'), ?5)";
const INCREMENT: &str =
    "UPDATE shared_cluster_registry SET usage_count = usage_count + 1 WHERE config_hash = ?1";
const DECREMENT: &str =
    "UPDATE shared_cluster_registry SET usage_count = usage_count - 1 WHERE config_hash = ?1";
const REPORT: &str =
    "UPDATE shared_cluster_registry SET status = ?2, cluster_id = ?3 WHERE config_hash = ?1";
const DELETE: &str = "DELETE FROM shared_cluster_registry WHERE config_hash = ?1";

#[test]
fn it_sees_every_state_in_its_own_words() {
    let rig = Rig::new();
    let a = rig.start(7);
    let seen = |status: &str, cluster: Option<&str>, usage| {
        Some((status.to_owned(), cluster.map(str::to_owned), Some(7), usage))
    };
    let creation = a.create("k");
    assert_eq!(rig.seen_by_former("k"), seen("creating", None, 1));
    a.update_status("k", creation.fence, Update::Ready { resource_id: "c-1" }).unwrap();
    let hold = a.enter("k");
    assert_eq!(rig.seen_by_former("k"), seen("ready", Some("c-1"), 2));
    a.release("k", &hold.id).unwrap();
    assert_eq!(rig.seen_by_former("k"), seen("ready", Some("c-1"), 1));
    let Released::Last(drain) = a.release("k", &creation.hold).unwrap() else { panic!() };
    assert_eq!(rig.seen_by_former("k"), seen("creating", None, 0), "it waits, and does not join");
    a.update_status("k", drain.fence, Update::Gone).unwrap();
    assert_eq!(rig.seen_by_former("k"), None);
    let creation = a.create("k");
    a.update_status("k", creation.fence, Update::Failed { error: "quota" }).unwrap();
    assert_eq!(rig.seen_by_former("k").unwrap().0, "failed");
}

#[test]
fn a_creation_of_a_living_process_is_waited_for_and_of_a_dead_one_taken_over() {
    let rig = Rig::new();
    let a = rig.start(1);
    let _it = rig.start(50);
    rig.former(INSERT, ("k", None::<&str>, "creating", 50, 1));
    assert_eq!(a.see("k").fence.number(), 0, "looking takes nothing over");
    let Registration::Joiner(waiting) = a.register_creation("k").unwrap() else { panic!() };
    assert_eq!(waiting.owner.map(|owner| owner.pid), Some(50));
    assert!(waiting.fence.number() > 0);
    rig.kill(50);
    let creation = a.create("k");
    assert!(creation.fence > waiting.fence);
    assert_eq!(a.see("k").usage, 1, "the dead creator's use went with it");
}

#[test]
fn a_creation_that_its_process_finishes_is_joined() {
    let rig = Rig::new();
    let a = rig.start(1);
    let _it = rig.start(50);
    rig.former(INSERT, ("k", None::<&str>, "creating", 50, 1));
    assert!(matches!(a.register_creation("k").unwrap(), Registration::Joiner(_)));
    rig.former(REPORT, ("k", "ready", "c-9"));
    let hold = a.enter("k");
    assert_eq!(hold.resource_id, "c-9");
    assert_eq!(a.see("k").usage, 2);
    assert_eq!(rig.seen_by_former("k").unwrap().3, 2);
}

#[test]
fn its_users_keep_a_cluster_alive_beside_ours() {
    let rig = Rig::new();
    let a = rig.start(1);
    rig.former(INSERT, ("k", "c-1", "ready", 50, 2));
    let hold = a.enter("k");
    let info = a.see("k");
    assert_eq!((info.usage, info.strangers, info.holders.len()), (3, 2, 1));
    assert_eq!(a.release("k", &hold.id).unwrap(), Released::StillUsed { usage: 2 });
    rig.former(INCREMENT, ["k"]);
    let hold = a.enter("k");
    assert_eq!(a.see("k").usage, 4);
    for _ in 0..3 {
        rig.former(DECREMENT, ["k"]);
    }
    assert_eq!(a.see("k").usage, 1);
    assert!(matches!(a.release("k", &hold.id).unwrap(), Released::Last(_)));
}

#[test]
fn a_cluster_that_it_took_off_is_gone_and_its_holds_with_it() {
    let rig = Rig::new();
    let a = rig.start(1);
    let creation = a.create_ready("k", "c-1");
    rig.former(DELETE, ["k"]);
    assert_eq!(a.state("k"), Some(State::Gone));
    assert_eq!(a.release("k", &creation.hold).unwrap(), Released::NotHeld);
    let failed = Update::Failed { error: "x" };
    let late = a.update_status("k", creation.fence, failed);
    assert!(matches!(late, Err(Error::Transition { from: State::Gone, .. })), "{late:?}");
    a.create("k");
}

#[test]
fn what_it_reports_about_our_creation_counts_and_ours_is_fenced() {
    let rig = Rig::new();
    let [a, b] = [1, 2].map(|pid| rig.start(pid));
    let creation = a.create("k");
    rig.former(REPORT, ("k", "ready", "theirs"));
    assert_eq!(b.enter("k").resource_id, "theirs");
    let late = a.update_status("k", creation.fence, Update::Ready { resource_id: "ours" });
    assert!(matches!(late, Err(Error::Fenced { .. })), "{late:?}");
    assert_eq!(b.see("k").resource_id.as_deref(), Some("theirs"));
}

#[test]
fn rows_that_make_no_sense_are_failures() {
    let rig = Rig::new();
    let a = rig.start(1);
    rig.former(INSERT, ("odd", "c-1", "RUNNING", "not a number", "many"));
    rig.former("INSERT INTO shared_cluster_registry(config_hash) VALUES ('bare')", []);
    rig.former(INSERT, ("failed", None::<&str>, "failed", 3, -4));
    let all = a.all().unwrap();
    let states: Vec<_> = all.iter().map(|info| (info.key.as_str(), info.state)).collect();
    let expected = [("bare", State::Creating), ("failed", State::Failed), ("odd", State::Failed)];
    assert_eq!(states, expected);
    assert!(all[0].usage == 0 && all[2].error.as_deref() == Some("it has status \"RUNNING\""));
    // One that nobody owns is given up when its time is over.
    assert!(matches!(a.register_creation("bare").unwrap(), Registration::Joiner(_)));
    rig.advance(a.options().former_lease * 100_000);
    for key in ["bare", "failed", "odd"] {
        a.create_ready(key, "new");
    }
}
