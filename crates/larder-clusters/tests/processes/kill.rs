//! Writers that are killed in the middle of what they do.

use std::{collections::BTreeMap, path::Path, time::Duration};

use larder_clusters::{Registration, Released, SharedRegistry, State, Update};

use crate::child::{Process, check_integrity, end_at_a_panic, is_full, open, pause, say, task};

const WRITERS: usize = 4;

/// The steps that a writer takes with each of its keys, in this order.
const STEPS: [&str; 6] = ["creating", "ready", "joined", "left", "draining", "gone"];

/// How far a thing has come, as far as the file tells.
fn progress(registry: &SharedRegistry, key: &str) -> Option<usize> {
    let info = registry.info(key).unwrap()?;
    Some(match info.state {
        State::Creating => 0,
        // The death of a holder hides that it joined, so joining and leaving look the same.
        State::Ready => 1,
        State::Draining => 4,
        State::Gone => 5,
        other => panic!("{key} is {other}"),
    })
}

/// What of the acknowledged step has to be in the file, and what may be there already.
fn expected(acknowledged: usize) -> (usize, usize) {
    let visible = |step: usize| if (1..=3).contains(&step) { 1 } else { step };
    (visible(acknowledged), visible((acknowledged + 1).min(STEPS.len() - 1)))
}

#[test]
fn nothing_acknowledged_is_lost_when_writers_are_killed() {
    let rounds = if is_full() { 500 } else { 20 };
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("clusters.db");
    let registry = open(&file);
    let mut steps = 0;
    let mut everything = BTreeMap::new();
    for round in 0..rounds {
        let acknowledged = one_round(&file, round);
        steps += acknowledged.values().map(|step| step + 1).sum::<usize>();
        check(&registry, &acknowledged);
        check_integrity(&file);
        everything.extend(acknowledged);
    }
    // And nothing of an earlier round was undone by a later one.
    check(&registry, &everything);
    assert!(everything.len() > rounds, "the writers got nowhere");
    let swept = registry.sweep().unwrap();
    println!(
        "{rounds} rounds with {WRITERS} writers: {steps} acknowledged steps with {} things, none \
         lost; {} left to be drained",
        everything.len(),
        swept.unused.len()
    );
    // Whatever the dead owned can be taken.
    for key in swept.unused {
        assert!(registry.drain(&key).unwrap().is_some(), "{key}");
    }
}

/// The furthest acknowledged step of each key.
fn one_round(file: &Path, round: usize) -> BTreeMap<String, usize> {
    let mut writers: Vec<_> = (0..WRITERS)
        .map(|writer| Process::start("kill::writes_until_killed", file, round * WRITERS + writer))
        .collect();
    let mut acknowledged = BTreeMap::new();
    let mut note = |said: String| {
        let (step, key) = said.split_once(' ').unwrap();
        let step = STEPS.iter().position(|known| *known == step).unwrap();
        acknowledged.insert(key.to_owned(), step);
    };
    // All of them are at it, and then it ends in the middle of something.
    for writer in &writers {
        note(writer.hear().unwrap());
    }
    pause(Duration::from_micros(rand::random_range(0..40_000)));
    writers.iter_mut().for_each(Process::kill);
    for writer in &writers {
        writer.rest().into_iter().for_each(&mut note);
    }
    acknowledged
}

fn check(registry: &SharedRegistry, acknowledged: &BTreeMap<String, usize>) {
    for (key, step) in acknowledged {
        let (least, most) = expected(*step);
        let found = progress(registry, key);
        assert!(
            found.is_some_and(|found| (least..=most).contains(&found)),
            "{key}: acknowledged {:?}, found {found:?}",
            STEPS[*step]
        );
    }
}

#[test]
#[ignore = "run as a child process by the test above"]
fn writes_until_killed() {
    let Some((file, number)) = task() else { return };
    end_at_a_panic();
    let registry = open(&file);
    for thing in 0.. {
        let key = format!("{number}-{thing}");
        let Registration::Creator(creation) = registry.register_creation(&key).unwrap() else {
            panic!("{key} is nobody else's");
        };
        say(&format!("creating {key}"));
        let ready = Update::Ready { resource_id: &key };
        registry.update_status(&key, creation.fence, ready).unwrap();
        say(&format!("ready {key}"));
        let hold = registry.join(&key).unwrap();
        say(&format!("joined {key}"));
        let left = registry.release(&key, &hold.id).unwrap();
        assert_eq!(left, Released::StillUsed { usage: 1 });
        say(&format!("left {key}"));
        let Released::Last(drain) = registry.release(&key, &creation.hold).unwrap() else {
            panic!("{key} is used by nobody else");
        };
        say(&format!("draining {key}"));
        registry.update_status(&key, drain.fence, Update::Gone).unwrap();
        say(&format!("gone {key}"));
    }
}
