//! Random steps of several processes, against a model that knows no SQL.
//!
//! The model is the specification in a page: after every step the file has to agree with it about
//! every thing, and the former tool has to see the same.

use std::{collections::BTreeMap, time::Duration};

use proptest::{prelude::*, sample::Index};

use super::rig::{LEASE, Rig};
use crate::{Error, Fence, HoldId, Registration, Released, SharedRegistry, State, Update};

const KEYS: [&str; 2] = ["a", "b"];
const PROCESSES: u32 = 4;

#[derive(Clone, Debug)]
enum Step {
    Advance(u64),
    CleanUp { process: u32, key: usize },
    Die { process: u32 },
    Drain { process: u32, key: usize },
    FormerCounts { key: usize, more: bool },
    FormerDeletes { key: usize },
    Join { process: u32, key: usize },
    Register { process: u32, key: usize },
    Release { hold: Index },
    Remove { process: u32, key: usize },
    Report { owner: Index, report: u8 },
    Sweep { process: u32 },
}

fn step() -> impl Strategy<Value = Step> {
    let process = || 0..PROCESSES;
    let key = || 0..KEYS.len();
    prop_oneof![
        2 => (1_000_u64..70_000).prop_map(Step::Advance),
        1 => (process(), key()).prop_map(|(process, key)| Step::CleanUp { process, key }),
        2 => process().prop_map(|process| Step::Die { process }),
        2 => (process(), key()).prop_map(|(process, key)| Step::Drain { process, key }),
        1 => (key(), any::<bool>()).prop_map(|(key, more)| Step::FormerCounts { key, more }),
        1 => key().prop_map(|key| Step::FormerDeletes { key }),
        3 => (process(), key()).prop_map(|(process, key)| Step::Join { process, key }),
        10 => (process(), key()).prop_map(|(process, key)| Step::Register { process, key }),
        8 => any::<Index>().prop_map(|hold| Step::Release { hold }),
        1 => (process(), key()).prop_map(|(process, key)| Step::Remove { process, key }),
        12 => (any::<Index>(), 0..8_u8).prop_map(|(owner, report)| Step::Report { owner, report }),
        1 => process().prop_map(|process| Step::Sweep { process }),
    ]
}

/// A process in one of its lives.
type Life = (u32, u32);

/// A thing as the model has it.
#[derive(Clone, Debug, Default)]
struct Model {
    state: Option<State>,
    fence: Fence,
    resource: Option<String>,
    owner: Option<Life>,
    lease_until: u64,
    holders: BTreeMap<HoldId, Life>,
    strangers: i64,
    /// What the former tool's table says of usage: brought up to date by writes alone.
    counted: i64,
    /// Whether the former tool changed it since; then the next call on the thing is a write.
    drifted: bool,
}

impl Model {
    fn is(&self, state: State) -> bool {
        self.state == Some(state)
    }

    fn is_owned(&self) -> bool {
        self.is(State::Creating) || self.is(State::Draining)
    }
}

struct World {
    rig: Rig,
    registries: Vec<SharedRegistry>,
    lives: Vec<u32>,
    things: [Model; KEYS.len()],
    now: u64,
    last_fence: Fence,
    /// Everybody who was ever told to own something, and the key of it.
    owners: Vec<(usize, Life, Fence)>,
    /// Every hold that was ever given, and the key and process of it.
    holds: Vec<(usize, u32, HoldId)>,
    names: u32,
}

impl World {
    fn new() -> Self {
        let rig = Rig::new();
        let registries = (0..PROCESSES).map(|process| rig.start(process)).collect();
        Self {
            rig,
            registries,
            lives: vec![0; PROCESSES as usize],
            things: Default::default(),
            now: 0,
            last_fence: Fence::default(),
            owners: Vec::new(),
            holds: Vec::new(),
            names: 0,
        }
    }

    fn life(&self, process: u32) -> Life {
        (process, self.lives[process as usize])
    }

    fn lives(&self, life: Life) -> bool {
        self.life(life.0) == life
    }

    fn registry(&self, process: u32) -> SharedRegistry {
        self.registries[process as usize].clone()
    }

    fn is_abandoned(&self, key: usize) -> bool {
        let thing = &self.things[key];
        let dead = !thing.owner.is_some_and(|owner| self.lives(owner));
        thing.is_owned() && (dead || thing.lease_until <= self.now)
    }

    fn usage(&self, key: usize) -> i64 {
        let thing = &self.things[key];
        let living = thing.holders.values().filter(|holder| self.lives(**holder)).count();
        i64::try_from(living).unwrap() + thing.strangers
    }

    fn reap(&mut self, key: usize) {
        let dead: Vec<_> = self.things[key]
            .holders
            .iter()
            .filter(|(_, life)| !self.lives(**life))
            .map(|(id, _)| id.clone())
            .collect();
        // While it is created, the creator is the one holder, alive or not.
        if !self.things[key].is(State::Creating) {
            self.things[key].holders.retain(|id, _| !dead.contains(id));
        }
        self.things[key].counted = self.usage(key);
    }

    /// What a call on a thing does before anything else.
    fn settle(&mut self, key: usize) {
        if std::mem::take(&mut self.things[key].drifted) {
            self.reap(key);
        }
    }

    /// A fence that was given has to be above all that were given before.
    fn own(&mut self, key: usize, life: Life, fence: Fence, state: State) {
        assert!(fence > self.last_fence, "{fence} after {}", self.last_fence);
        self.last_fence = fence;
        self.owners.push((key, life, fence));
        let lease_until = self.now + u64::try_from(LEASE.as_millis()).unwrap();
        let thing = &mut self.things[key];
        thing.state = Some(state);
        thing.fence = fence;
        thing.owner = Some(life);
        thing.lease_until = lease_until;
        thing.holders.clear();
        thing.strangers = 0;
        thing.counted = 0;
    }

    fn hold(&mut self, key: usize, process: u32, id: HoldId) {
        let life = self.life(process);
        assert!(self.things[key].holders.insert(id.clone(), life).is_none());
        self.holds.push((key, process, id));
    }

    fn register(&mut self, process: u32, key: usize) {
        self.settle(key);
        let outcome = self.registry(process).register_creation(KEYS[key]).unwrap();
        let thing = self.things[key].clone();
        let free = self.is_abandoned(key)
            || matches!(thing.state, None | Some(State::Gone | State::Failed));
        match outcome {
            Registration::Creator(creation) => {
                assert!(free, "two owners of {thing:?}");
                let leftover = thing.resource.clone().filter(|_| !thing.is(State::Gone));
                assert_eq!(creation.leftover, leftover);
                self.things[key].resource = leftover;
                self.own(key, self.life(process), creation.fence, State::Creating);
                self.hold(key, process, creation.hold);
                self.things[key].counted = 1;
            }
            Registration::Ready(hold) => {
                assert!(thing.is(State::Ready));
                assert_eq!((Some(hold.resource_id), hold.fence), (thing.resource, thing.fence));
                self.hold(key, process, hold.id);
                self.reap(key);
            }
            Registration::Joiner(waiting) => {
                assert!(thing.is(State::Creating) && !free);
                assert_eq!(waiting.fence, thing.fence);
            }
            Registration::Draining(waiting) => {
                assert!(thing.is(State::Draining) && !free);
                assert_eq!(waiting.fence, thing.fence);
            }
            Registration::Failed { .. } => panic!("nobody is told to wait after a failure"),
        }
    }

    fn join(&mut self, process: u32, key: usize) {
        self.settle(key);
        let joined = self.registry(process).join(KEYS[key]);
        match joined {
            Ok(hold) => {
                assert!(self.things[key].is(State::Ready));
                self.hold(key, process, hold.id);
                self.reap(key);
            }
            Err(Error::NotJoinable { state, .. }) => {
                assert_eq!(state, self.things[key].state);
                assert_ne!(state, Some(State::Ready));
            }
            Err(error) => panic!("{error:?}"),
        }
    }

    fn release(&mut self, hold: Index) {
        let Some((key, process, id)) = pick(&self.holds, hold) else { return };
        self.settle(key);
        let outcome = self.registry(process).release(KEYS[key], &id);
        if !self.things[key].holders.contains_key(&id) {
            assert!(matches!(outcome, Ok(Released::NotHeld)), "{outcome:?}");
            return;
        }
        if self.things[key].is(State::Creating) {
            assert!(matches!(outcome, Err(Error::Transition { .. })), "{outcome:?}");
            return;
        }
        self.things[key].holders.remove(&id);
        self.reap(key);
        match outcome.unwrap() {
            Released::Last(drain) => {
                assert_eq!(self.usage(key), 0);
                assert_eq!(drain.resource_id, self.things[key].resource);
                self.own(key, self.life(process), drain.fence, State::Draining);
            }
            Released::StillUsed { usage } => {
                assert_eq!(i64::try_from(usage).unwrap(), self.usage(key));
                assert!(usage > 0);
            }
            Released::NotHeld => panic!("a hold was lost"),
        }
    }

    fn report(&mut self, owner: Index, report: u8) {
        let Some((key, life, fence)) = pick(&self.owners, owner) else { return };
        // A process that died reports in its next life what it remembers: no better than late.
        let registry = self.registry(life.0);
        self.names += 1;
        let name = format!("r-{}", self.names);
        let thing = self.things[key].clone();
        if report == 7 {
            let renewed = registry.renew(KEYS[key], fence);
            assert_eq!(renewed.is_ok(), thing.fence == fence && thing.is_owned(), "{renewed:?}");
            if renewed.is_ok() {
                self.go_on(key, life.0);
            }
            return;
        }
        let update = match report {
            0 => Update::Creating { resource_id: Some(&name) },
            1 => Update::Failed { error: "planned" },
            2 | 3 => Update::Gone,
            _ => Update::Ready { resource_id: &name },
        };
        let outcome = registry.update_status(KEYS[key], fence, update);
        if thing.fence != fence || thing.state.is_none() {
            assert!(matches!(outcome, Err(Error::Fenced { .. })), "{outcome:?}");
            return;
        }
        let allowed = match (thing.state, update.state()) {
            (Some(State::Creating), State::Creating | State::Failed | State::Ready) => true,
            (Some(State::Draining), State::Failed | State::Gone) => true,
            (Some(State::Ready), State::Failed) => true,
            // Said twice; nothing changes.
            (Some(State::Gone), State::Gone) | (Some(State::Failed), State::Failed) => {
                outcome.unwrap();
                return;
            }
            _ => false,
        };
        assert_eq!(outcome.is_ok(), allowed, "{outcome:?}");
        // What is refused is taken back, and what was noted of the former tool with it.
        if allowed {
            self.settle(key);
            if update.state() == State::Creating {
                self.go_on(key, life.0);
            }
            self.accept(key, update.state(), name);
        }
    }

    /// Whoever has the fence is the owner: here a process in its next life, if it died.
    fn go_on(&mut self, key: usize, process: u32) {
        let life = self.life(process);
        self.things[key].owner = Some(life);
        self.things[key].lease_until = self.now + 60_000;
    }

    fn accept(&mut self, key: usize, state: State, name: String) {
        let thing = &mut self.things[key];
        thing.state = Some(state);
        match state {
            State::Creating => thing.resource = Some(name),
            State::Ready => {
                thing.resource = Some(name);
                self.reap(key);
            }
            _ => {
                thing.holders.clear();
                thing.strangers = 0;
                thing.counted = 0;
            }
        }
    }

    fn drain(&mut self, process: u32, key: usize) {
        self.settle(key);
        let outcome = self.registry(process).drain(KEYS[key]).unwrap();
        let thing = &self.things[key];
        let free = match thing.state {
            Some(State::Ready) => self.usage(key) == 0,
            Some(State::Failed) => thing.resource.is_some(),
            _ => self.is_abandoned(key),
        };
        assert_eq!(outcome.is_some(), free, "{thing:?}");
        match outcome {
            Some(drain) => {
                assert_eq!(drain.resource_id, thing.resource);
                self.own(key, self.life(process), drain.fence, State::Draining);
            }
            None if thing.is(State::Ready) => self.reap(key),
            None => {}
        }
    }

    fn take_off(&mut self, process: u32, key: usize, forced: bool) {
        self.settle(key);
        let registry = self.registry(process);
        let name = KEYS[key];
        let outcome = if forced { registry.remove(name) } else { registry.cleanup(name) };
        let thing = &self.things[key];
        let expected = match thing.state {
            None | Some(State::Gone) => false,
            Some(State::Failed) => true,
            Some(State::Ready) => forced || self.usage(key) == 0,
            _ => forced || self.is_abandoned(key),
        };
        assert_eq!(outcome.unwrap(), expected, "{thing:?}");
        if expected {
            let fence = registry.info(name).unwrap().unwrap().fence;
            assert!(fence > self.last_fence);
            self.last_fence = fence;
            self.things[key].fence = fence;
            self.accept(key, State::Gone, String::new());
        }
    }

    fn former_counts(&mut self, key: usize, more: bool) {
        // That tool counts what it can join, and takes back what it counted.
        let thing = &mut self.things[key];
        if !thing.is(State::Ready) || (!more && thing.strangers == 0) {
            return;
        }
        let by = if more { 1 } else { -1 };
        thing.strangers += by;
        thing.counted += by;
        thing.drifted = true;
        self.rig.former(
            "UPDATE shared_cluster_registry SET usage_count = usage_count + ?2
             WHERE config_hash = ?1",
            (KEYS[key], by),
        );
    }

    fn former_deletes(&mut self, key: usize) {
        self.rig.former("DELETE FROM shared_cluster_registry WHERE config_hash = ?1", [KEYS[key]]);
        if self.things[key].state.is_some() {
            self.accept(key, State::Gone, String::new());
        }
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Advance(millis) => {
                self.now += millis;
                self.rig.advance(Duration::from_millis(millis));
            }
            Step::CleanUp { process, key } => self.take_off(process, key, false),
            Step::Die { process } => {
                self.lives[process as usize] += 1;
                self.registries[process as usize] = self.rig.start(process);
            }
            Step::Drain { process, key } => self.drain(process, key),
            Step::FormerCounts { key, more } => self.former_counts(key, more),
            Step::FormerDeletes { key } => self.former_deletes(key),
            Step::Join { process, key } => self.join(process, key),
            Step::Register { process, key } => self.register(process, key),
            Step::Release { hold } => self.release(hold),
            Step::Remove { process, key } => self.take_off(process, key, true),
            Step::Report { owner, report } => self.report(owner, report),
            Step::Sweep { process } => {
                self.registry(process).sweep().unwrap();
                for key in 0..KEYS.len() {
                    self.settle(key);
                    if self.things[key].is(State::Ready) {
                        self.reap(key);
                    }
                }
            }
        }
    }

    /// The file agrees with the model, and the former tool with both.
    fn check(&self) {
        for (key, thing) in self.things.iter().enumerate() {
            let info = self.registry(0).info(KEYS[key]).unwrap();
            assert_eq!(info.as_ref().map(|info| info.state), thing.state);
            let Some(info) = info else { continue };
            assert_eq!(info.fence, thing.fence);
            assert_eq!(info.is_abandoned, self.is_abandoned(key));
            if thing.is(State::Ready) {
                assert_eq!(i64::try_from(info.usage).unwrap(), self.usage(key));
            }
            if !thing.is(State::Gone) {
                assert_eq!(info.resource_id, thing.resource);
            }
            let seen = self.rig.seen_by_former(KEYS[key]);
            let expected = match info.state {
                State::Creating | State::Draining => Some(("creating", None)),
                State::Failed => Some(("failed", thing.resource.clone())),
                State::Ready => Some(("ready", thing.resource.clone())),
                State::Gone => None,
            };
            let seen_as = seen.as_ref().map(|seen| (seen.0.as_str(), seen.1.clone()));
            assert_eq!(seen_as, expected);
            if thing.is(State::Ready) {
                assert_eq!(seen.map(|seen| seen.3), Some(thing.counted));
            }
        }
    }
}

fn pick<T: Clone>(all: &[T], index: Index) -> Option<T> {
    if all.is_empty() { None } else { Some(index.get(all).clone()) }
}

/// Every case writes a file, flushed at each step, so there are few by default.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(64)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    #[test]
    fn the_file_agrees_with_the_model_after_every_step(
        steps in proptest::collection::vec(step(), 1..60),
    ) {
        let mut world = World::new();
        for step in steps {
            world.take(step);
            world.check();
        }
    }
}
