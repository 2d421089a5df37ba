//! Creating, joining, leaving and taking over, one rule after the other.

use std::time::Duration;

use super::rig::{EXPIRY, LEASE, Rig, Shorthand as _};
use crate::{Error, Kind, Registration, Released, SharedOptions, State, Update};

const INSTANT: Duration = Duration::from_millis(1);

fn is_fenced(outcome: &Result<(), Error>) -> bool {
    matches!(outcome, Err(Error::Fenced { .. }))
}

#[test]
fn one_creates_and_the_others_join_when_it_is_ready() {
    let rig = Rig::new();
    let [a, b, c] = [1, 2, 3].map(|pid| rig.start(pid));
    assert!(!a.can_join("k").unwrap());
    let creation = a.create("k");
    for other in [&a, &b, &c] {
        let Registration::Joiner(waiting) = other.register_creation("k").unwrap() else {
            panic!("two creators");
        };
        assert_eq!((waiting.fence, waiting.state), (creation.fence, State::Creating));
        assert_eq!(waiting.owner.as_ref().map(|owner| owner.pid), Some(1));
        assert_eq!(waiting.to_string(), "\"k\" is creating by process 1");
        assert!(other.can_join("k").unwrap());
    }
    assert!(matches!(b.join("k"), Err(Error::NotJoinable { state: Some(State::Creating), .. })));
    assert!(matches!(b.join("other"), Err(Error::NotJoinable { state: None, .. })));
    assert_eq!(a.see("k").usage, 1, "the creator is the first user");
    a.update_status("k", creation.fence, Update::Ready { resource_id: "c-1" }).unwrap();
    assert_eq!(b.enter("k").resource_id, "c-1");
    assert_eq!(c.join("k").unwrap().fence, creation.fence);
    let info = c.see("k");
    assert_eq!((info.state, info.usage, info.is_abandoned), (State::Ready, 3, false));
    let pids: Vec<_> = info.holders.iter().map(|holder| holder.process.pid).collect();
    assert!([1, 2, 3].iter().all(|pid| pids.contains(pid)), "{pids:?}");
}

#[test]
fn the_last_user_deletes_the_thing_and_nobody_joins_meanwhile() {
    let rig = Rig::new();
    let [a, b] = [1, 2].map(|pid| rig.start(pid));
    let creation = a.create_ready("k", "c-1");
    let hold = b.enter("k");
    assert_eq!(a.release("k", &creation.hold).unwrap(), Released::StillUsed { usage: 1 });
    let Released::Last(drain) = b.release("k", &hold.id).unwrap() else { panic!("not the last") };
    assert_eq!(drain.resource_id.as_deref(), Some("c-1"));
    assert!(drain.fence > creation.fence);
    assert!(matches!(a.join("k"), Err(Error::NotJoinable { state: Some(State::Draining), .. })));
    assert!(!a.can_join("k").unwrap());
    let Registration::Draining(waiting) = a.register_creation("k").unwrap() else { panic!() };
    assert_eq!(waiting.owner.map(|owner| owner.pid), Some(2));
    assert!(is_fenced(&a.update_status("k", creation.fence, Update::Gone)));
    b.update_status("k", drain.fence, Update::Gone).unwrap();
    b.update_status("k", drain.fence, Update::Gone).unwrap();
    assert_eq!(a.state("k"), Some(State::Gone));
    assert!(a.all().unwrap().is_empty());
    let again = a.create("k");
    assert!(again.fence > drain.fence);
    assert_eq!(again.leftover, None);
}

#[test]
fn a_hold_ends_once_however_often_it_is_released() {
    let rig = Rig::new();
    let [a, b] = [1, 2].map(|pid| rig.start(pid));
    let creation = a.create_ready("k", "c-1");
    let hold = b.enter("k");
    assert_eq!(b.release("k", &hold.id).unwrap(), Released::StillUsed { usage: 1 });
    for _ in 0..3 {
        assert_eq!(b.release("k", &hold.id).unwrap(), Released::NotHeld);
    }
    assert_eq!(b.release("other", &creation.hold).unwrap(), Released::NotHeld);
    assert_eq!(a.see("k").usage, 1);
}

#[test]
fn a_dead_creator_is_taken_over_at_once_and_its_report_changes_nothing() {
    let rig = Rig::new();
    let [a, b] = [1, 2].map(|pid| rig.start(pid));
    let first = a.create("k");
    let noted = Update::Creating { resource_id: Some("half") };
    a.update_status("k", first.fence, noted).unwrap();
    rig.kill(1);
    assert!(b.see("k").is_abandoned);
    assert!(!b.can_join("k").unwrap());
    let second = b.create("k");
    assert!(second.fence > first.fence);
    assert_eq!(second.leftover.as_deref(), Some("half"));
    let before = b.see("k");
    for late in [
        Update::Ready { resource_id: "c-1" },
        Update::Failed { error: "late" },
        Update::Creating { resource_id: None },
        Update::Gone,
    ] {
        assert!(is_fenced(&a.update_status("k", first.fence, late)), "{late:?}");
    }
    assert!(is_fenced(&a.renew("k", first.fence)));
    assert_eq!(a.release("k", &first.hold).unwrap(), Released::NotHeld);
    assert_eq!(b.see("k"), before);
    b.update_status("k", second.fence, Update::Ready { resource_id: "c-2" }).unwrap();
    assert_eq!(b.see("k").resource_id.as_deref(), Some("c-2"));
}

#[test]
fn a_creator_that_hangs_is_taken_over_when_its_lease_ends() {
    let rig = Rig::new();
    let [a, b] = [1, 2].map(|pid| rig.start(pid));
    let first = a.create("k");
    rig.advance(LEASE - INSTANT);
    assert!(matches!(b.register_creation("k").unwrap(), Registration::Joiner(_)));
    a.renew("k", first.fence).unwrap();
    rig.advance(LEASE - INSTANT);
    assert!(matches!(b.register_creation("k").unwrap(), Registration::Joiner(_)));
    // Too late is late only once somebody took over.
    rig.advance(INSTANT);
    a.renew("k", first.fence).unwrap();
    rig.advance(LEASE);
    assert!(b.create("k").fence > first.fence);
    assert!(is_fenced(&a.update_status("k", first.fence, Update::Ready { resource_id: "c" })));
}

#[test]
fn whoever_drains_and_dies_leaves_the_thing_to_the_next_creator() {
    let rig = Rig::new();
    let [a, b] = [1, 2].map(|pid| rig.start(pid));
    let creation = a.create_ready("k", "c-1");
    let Released::Last(drain) = a.release("k", &creation.hold).unwrap() else { panic!() };
    rig.kill(1);
    let taken = b.create("k");
    assert_eq!(taken.leftover.as_deref(), Some("c-1"));
    assert!(is_fenced(&a.update_status("k", drain.fence, Update::Gone)));
    // A leftover stays on record until the creator says that it is no more.
    b.update_status("k", taken.fence, Update::Failed { error: "no luck" }).unwrap();
    let again = b.create("k");
    assert_eq!(again.leftover.as_deref(), Some("c-1"));
    b.update_status("k", again.fence, Update::Creating { resource_id: None }).unwrap();
    b.update_status("k", again.fence, Update::Failed { error: "no luck" }).unwrap();
    assert_eq!(b.create("k").leftover, None);
}

#[test]
fn a_killed_holder_counts_no_more_and_a_sweep_finds_what_it_left() {
    let rig = Rig::new();
    let [a, b] = [1, 2].map(|pid| rig.start(pid));
    a.create_ready("k", "c-1");
    b.enter("k");
    rig.kill(1);
    assert_eq!(b.see("k").usage, 1);
    let swept = b.sweep().unwrap();
    assert_eq!((swept.dead_holders, swept.unused.len()), (1, 0));
    assert_eq!(b.drain("k").unwrap(), None, "it is used");
    rig.kill(2);
    let c = rig.start(3);
    let swept = c.sweep().unwrap();
    assert_eq!((swept.dead_holders, swept.unused.as_slice()), (1, &["k".to_owned()][..]));
    // It still can be joined, and that is what happens if nobody drains it.
    assert_eq!(c.enter("k").resource_id, "c-1");
    rig.kill(3);
    let d = rig.start(4);
    let drain = d.drain("k").unwrap().unwrap();
    assert_eq!(drain.resource_id.as_deref(), Some("c-1"));
    assert_eq!(d.drain("k").unwrap(), None, "it is being drained");
    rig.kill(4);
    let taken = rig.start(5).drain("k").unwrap().unwrap();
    assert!(taken.fence > drain.fence);
    assert_eq!(taken.resource_id, drain.resource_id);
}

#[test]
fn a_process_that_got_a_dead_ones_number_is_not_taken_for_it() {
    let rig = Rig::new();
    let first = rig.start(1);
    first.create_ready("k", "c-1");
    let second = rig.start(1);
    assert_eq!(second.see("k").usage, 0);
    assert_eq!(second.decrement_usage("k").unwrap(), Released::NotHeld);
    first.create("other");
    let third = rig.start(1);
    third.create("other");
}

#[test]
fn a_holder_that_can_not_be_looked_at_counts_while_it_is_heard_of() {
    let rig = Rig::new();
    let (here, elsewhere) = (rig.start(1), rig.start_elsewhere(2));
    let creation = here.create_ready("k", "c-1");
    let hold = elsewhere.enter("k");
    rig.advance(EXPIRY);
    assert!(elsewhere.keep(&hold.id).unwrap());
    rig.advance(EXPIRY);
    assert_eq!(here.see("k").usage, 2);
    rig.advance(INSTANT);
    assert_eq!(here.see("k").usage, 1);
    assert!(matches!(here.release("k", &creation.hold).unwrap(), Released::Last(_)));
    assert!(!elsewhere.keep(&hold.id).unwrap());
}

#[test]
fn a_creator_that_can_not_be_looked_at_has_its_lease() {
    let rig = Rig::new();
    let (here, elsewhere) = (rig.start(1), rig.start_elsewhere(2));
    let creation = elsewhere.create("k");
    // Longer than a holder is believed without a word: what it makes takes long.
    rig.advance(LEASE - INSTANT);
    assert!(matches!(here.register_creation("k").unwrap(), Registration::Joiner(_)));
    elsewhere.update_status("k", creation.fence, Update::Ready { resource_id: "c-1" }).unwrap();
    assert_eq!(here.see("k").usage, 1);
}

#[test]
fn a_failure_is_recorded_and_the_next_one_tries_again() {
    let rig = Rig::new();
    let options = Rig::options().with_failure_backoff(Duration::from_secs(5));
    let (a, b) = (rig.start(1), rig.start_with(2, options));
    let creation = a.create("k");
    let failed = Update::Failed { error: "quota" };
    a.update_status("k", creation.fence, failed).unwrap();
    a.update_status("k", creation.fence, failed).unwrap();
    let info = b.see("k");
    assert_eq!((info.state, info.error.as_deref(), info.usage), (State::Failed, Some("quota"), 0));
    assert_eq!(
        b.register_creation("k").unwrap(),
        Registration::Failed { fence: creation.fence, error: "quota".into() }
    );
    rig.advance(Duration::from_secs(5));
    let again = b.create("k");
    assert_eq!((again.leftover, b.see("k").error), (None, None));
}

#[test]
fn what_breaks_while_it_is_used_has_no_users_any_more() {
    let rig = Rig::new();
    let [a, b] = [1, 2].map(|pid| rig.start(pid));
    let creation = a.create_ready("k", "c-1");
    let hold = b.enter("k");
    let failed = Update::Failed { error: "terminated" };
    b.update_status("k", hold.fence, failed).unwrap();
    let next = b.create("k");
    assert_eq!(next.leftover.as_deref(), Some("c-1"));
    for hold in [&creation.hold, &hold.id] {
        assert_eq!(a.release("k", hold).unwrap(), Released::NotHeld);
    }
    assert_eq!(a.see("k").usage, 1);
}

#[test]
fn not_every_state_follows_every_other() {
    let rig = Rig::new();
    let a = rig.start(1);
    let creation = a.create("k");
    let fence = creation.fence;
    let refused =
        |update| matches!(a.update_status("k", fence, update), Err(Error::Transition { .. }));
    assert!(refused(Update::Gone));
    assert!(matches!(a.release("k", &creation.hold), Err(Error::Transition { .. })));
    assert_eq!(a.see("k").usage, 1, "the refused release was taken back");
    a.update_status("k", fence, Update::Ready { resource_id: "c-1" }).unwrap();
    a.update_status("k", fence, Update::Ready { resource_id: "c-1" }).unwrap();
    assert!(refused(Update::Ready { resource_id: "c-2" }));
    assert!(refused(Update::Creating { resource_id: None }));
    assert!(refused(Update::Gone));
    assert_eq!(a.see("k").resource_id.as_deref(), Some("c-1"));
    a.update_status("k", fence, Update::Failed { error: "broke" }).unwrap();
    assert!(refused(Update::Ready { resource_id: "c-1" }));
    assert!(is_fenced(&a.update_status("absent", fence, Update::Gone)));
}

#[test]
fn callers_that_only_count_take_away_what_is_their_own() {
    let rig = Rig::new();
    let [a, b, c] = [1, 2, 3].map(|pid| rig.start(pid));
    assert!(matches!(b.increment_usage("k"), Err(Error::NotJoinable { .. })));
    a.create_ready("k", "c-1");
    assert_eq!(b.increment_usage("k").unwrap(), 2);
    assert_eq!(b.increment_usage("k").unwrap(), 3);
    assert_eq!(c.decrement_usage("k").unwrap(), Released::NotHeld);
    assert_eq!(b.decrement_usage("k").unwrap(), Released::StillUsed { usage: 2 });
    assert_eq!(b.decrement_usage("k").unwrap(), Released::StillUsed { usage: 1 });
    assert_eq!(b.decrement_usage("k").unwrap(), Released::NotHeld);
    assert!(matches!(a.decrement_usage("k").unwrap(), Released::Last(_)));
}

#[test]
fn clean_up_spares_what_is_used_or_owned() {
    let rig = Rig::new();
    let [a, b] = [1, 2].map(|pid| rig.start(pid));
    a.create_ready("used", "c-1");
    a.create("owned");
    b.create_ready("left", "c-2");
    b.create("abandoned");
    let failed = a.create("failed");
    a.update_status("failed", failed.fence, Update::Failed { error: "x" }).unwrap();
    rig.kill(2);
    for (key, cleaned) in
        [("used", false), ("owned", false), ("left", true), ("absent", false), ("left", false)]
    {
        assert_eq!(a.cleanup(key).unwrap(), cleaned, "{key}");
    }
    assert_eq!(a.cleanup_all().unwrap(), 2);
    let left: Vec<_> = a.all().unwrap().into_iter().map(|info| info.key).collect();
    assert_eq!(left, ["owned", "used"]);
}

#[test]
fn what_was_removed_by_force_is_nobodys() {
    let rig = Rig::new();
    let a = rig.start(1);
    let creation = a.create_ready("k", "c-1");
    assert!(a.remove("k").unwrap());
    assert!(!a.remove("k").unwrap());
    assert_eq!(a.release("k", &creation.hold).unwrap(), Released::NotHeld);
    let failed = Update::Failed { error: "x" };
    assert!(is_fenced(&a.update_status("k", creation.fence, failed)));
    assert!(a.create("k").fence > creation.fence);
}

#[test]
fn kinds_never_meet_and_only_clusters_are_shown_to_the_former_tool() {
    let rig = Rig::new();
    let clusters = rig.start(1);
    let kind = Kind::new("licence").unwrap();
    let options = SharedOptions { kind, ..Rig::options() };
    let licences = rig.start_with(2, options);
    clusters.create_ready("k", "c-1");
    licences.create_ready("k", "l-1");
    assert_eq!(clusters.see("k").resource_id.as_deref(), Some("c-1"));
    assert_eq!(licences.see("k").resource_id.as_deref(), Some("l-1"));
    assert_eq!(rig.seen_by_former("k").unwrap().1.as_deref(), Some("c-1"));
    assert!(clusters.remove("k").unwrap());
    assert_eq!(rig.seen_by_former("k"), None);
    assert_eq!(licences.all().unwrap().len(), 1);
}

#[test]
fn what_is_gone_is_forgotten_after_a_while_and_fences_go_on() {
    let rig = Rig::new();
    let a = rig.start(1);
    let mut last = a.create_ready("old", "c-1").fence;
    assert!(a.remove("old").unwrap());
    rig.advance(a.options().gone_retention + INSTANT);
    a.sweep().unwrap();
    assert_eq!(a.info("old").unwrap(), None);
    for key in ["old", "new", "old"] {
        let creation = a.create(key);
        assert!(creation.fence > last);
        last = creation.fence;
        assert!(a.remove(key).unwrap());
    }
}

#[test]
fn the_history_tells_what_happened_and_is_bounded() {
    let rig = Rig::with(|options| options.with_history_max(10));
    let [a, b] = [1, 2].map(|pid| rig.start(pid));
    a.create("k");
    rig.kill(1);
    let creation = b.create_ready("k", "c-1");
    let Released::Last(drain) = b.release("k", &creation.hold).unwrap() else { panic!() };
    b.update_status("k", drain.fence, Update::Gone).unwrap();
    let told = |events: Vec<crate::Event>| -> Vec<_> {
        events.into_iter().map(|event| (event.event, event.detail.unwrap_or_default())).collect()
    };
    let history = told(rig.file.history("cluster", "k", 100).unwrap());
    let expected = [
        ("gone", "c-1"),
        ("draining", "c-1"),
        ("ready", "c-1"),
        ("creating", "instead of process 1"),
        ("creating", ""),
    ];
    assert_eq!(history, expected.map(|(event, detail)| (event.to_owned(), detail.to_owned())));
    for number in 0..20 {
        b.create(&format!("k{number}"));
    }
    assert_eq!(rig.file.recent_history(100).unwrap().len(), 10);
    assert!(rig.file.history("cluster", "k", 100).unwrap().is_empty());
}
