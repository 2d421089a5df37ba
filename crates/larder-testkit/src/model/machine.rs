//! Makes the planned calls on a backend and lets the oracle judge the answers.

use std::{marker::PhantomData, sync::Arc, time::Duration};

use bytes::Bytes;
use larder_core::{
    Clock, EntryId, Epoch, ErrorKind, Key, Lease, LeaseOutcome, LeaseRequest, LeaseToken,
    ReadRequest, Tag,
};
use proptest::{
    prelude::{BoxedStrategy, Just, Strategy},
    test_runner::{Config, FileFailurePersistence, TestRunner},
};
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest};
use tokio::runtime::Runtime;

use crate::{
    Fixture, Time,
    bench::{Bench, Handle, LONG, answered, refused, ttl},
    samples,
};

use super::{
    oracle::{Oracle, Rules, Window},
    plan::{Call, Dead, KEYS, LOADERS, Life, Plan, TAGS, Value},
};

/// The most calls in one sequence.
const CALLS_MAX: usize = 60;

/// Compares a backend with the model under random sequences of up to 60 calls.
///
/// `sequences` is how many there are, unless the environment variable `PROPTEST_CASES` says
/// otherwise. A sequence that fails is made as short as possible, reported, and kept in
/// `proptest-regressions/state_machine.txt`, relative to the working directory.
///
/// # Panics
/// If the backend answers what the model does not allow.
pub fn run_state_machine<F: Fixture>(sequences: u32) {
    let persistence = FileFailurePersistence::Direct("proptest-regressions/state_machine.txt");
    let mut config = Config {
        failure_persistence: Some(Box::new(persistence)),
        // Where time passes by itself, shortening a sequence costs real time, too.
        max_shrink_time: 60_000,
        ..Config::default()
    };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = sequences;
    }
    if let Some(violation) = run_with::<F>(config) {
        panic!("{violation}");
    }
}

/// Looks for a sequence of calls under which a backend differs from the model, and describes it.
///
/// Unlike [`run_state_machine`] it does not keep what it finds: it is for showing that a backend
/// with a planted flaw is found out.
#[must_use]
pub fn differs_from_model<F: Fixture>(sequences: u32) -> Option<String> {
    run_with::<F>(Config {
        cases: sequences,
        failure_persistence: None,
        // The strategy of state machines insists on being shrunk a little.
        max_shrink_iters: 100,
        ..Config::default()
    })
}

fn run_with<F: Fixture>(config: Config) -> Option<String> {
    let strategy = Machine::<F>::sequential_strategy(1..=CALLS_MAX);
    let result = TestRunner::new(config.clone()).run(&strategy, |(plan, calls, seen)| {
        Machine::<F>::test_sequential(config.clone(), plan, calls, seen);
        Ok(())
    });
    result.err().map(|violation| violation.to_string())
}

struct Machine<F>(PhantomData<F>);

impl<F: Fixture> ReferenceStateMachine for Machine<F> {
    type State = Plan;
    type Transition = Call;

    fn init_state() -> BoxedStrategy<Plan> {
        Just(Plan::default()).boxed()
    }

    fn transitions(plan: &Plan) -> BoxedStrategy<Call> {
        plan.next()
    }

    fn apply(plan: Plan, call: &Call) -> Plan {
        plan.after(call)
    }
}

impl<F: Fixture> StateMachineTest for Machine<F> {
    type SystemUnderTest = (Rig, Runtime);
    type Reference = Self;

    fn init_test(_plan: &Plan) -> (Rig, Runtime) {
        let built = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = match built {
            Ok(runtime) => runtime,
            Err(error) => panic!("a runtime could not be started: {error}"),
        };
        let rig = runtime.block_on(async { Rig::new(Box::new(F::create().await)).await });
        (rig, runtime)
    }

    fn apply((mut rig, runtime): (Rig, Runtime), _plan: &Plan, call: Call) -> (Rig, Runtime) {
        runtime.block_on(rig.make(call));
        (rig, runtime)
    }
}

/// A backend, the model beside it, and what the loaders hold.
struct Rig {
    cache: Handle,
    clock: Arc<dyn Clock>,
    time: Time,
    unit: Duration,
    epoch: Epoch,
    oracle: Oracle,
    loaders: [Option<Lease>; LOADERS],
    values: u32,
    /// How often a large value repeats itself.
    large: usize,
    // Nobody asks it any more, but it may own what the handle works on; so it goes last.
    _store: Box<dyn Fixture>,
}

impl Rig {
    async fn new(fixture: Box<dyn Fixture>) -> Self {
        let bench = Bench::open(&*fixture).await;
        let resolution = bench.capability.ttl_resolution;
        let rules = Rules { resolution, margin: bench.margin(), may_evict: fixture.may_evict() };
        let millisecond = Duration::from_millis(1);
        Self {
            clock: bench.clock(),
            // Real time is not spent by the second: there, little expires on coarse clocks.
            unit: if bench.time.is_manual() { resolution.max(millisecond) } else { millisecond },
            epoch: bench.cache.epoch().await,
            oracle: Oracle::new(rules),
            loaders: [None; LOADERS],
            values: 0,
            // Half of what fits, because an envelope takes some room, and 16 bytes a repetition.
            large: bench.fitting(64_000) / 32,
            time: bench.time,
            cache: bench.cache,
            _store: fixture,
        }
    }

    async fn make(&mut self, call: Call) {
        match call {
            Call::Advance { units } => self.time.pass(self.unit * units).await,
            Call::Add { .. } | Call::Clear | Call::Touch { .. } => self.optional(call).await,
            Call::Fill { .. } | Call::Lease { .. } | Call::Release { .. } | Call::Renew { .. } => {
                self.load(call).await;
            }
            Call::Bump { .. } | Call::Generations { .. } => self.tag(call).await,
            _ => self.look(call).await,
        }
    }

    async fn look(&mut self, call: Call) {
        let begin = self.clock.now();
        match call {
            Call::Put { key, value, life } => {
                let (value, life) = (self.value(key, value), self.life(life));
                self.cache.put_for(&named(key), value.clone(), life).await;
                let window = self.since(begin);
                self.oracle.put(window, &named(key), (&value, life));
            }
            Call::Read { key, tags } => {
                let (key, tags) = (named(key), tags_of(&tags));
                let answer = self.cache.snapshot(&key, &tags).await;
                let window = self.since(begin);
                self.oracle.read(window, &key, &tags, &answer);
            }
            Call::ReadMany { keys, tags } => {
                let (keys, tags) = (keys_of(&keys), tags_of(&tags));
                let requests: Vec<_> =
                    keys.iter().map(|key| ReadRequest { key, tags: &tags }).collect();
                let answers = self.cache.read_many(&requests).await;
                let window = self.since(begin);
                assert_eq!(answers.len(), keys.len(), "one snapshot per request");
                for (key, answer) in keys.iter().zip(&answers) {
                    self.oracle.read(window, key, &tags, answer);
                }
            }
            Call::Remove { key } => {
                let answer = self.cache.remove(&named(key)).await;
                let window = self.since(begin);
                self.oracle.remove(window, &named(key), answer);
            }
            Call::RemoveMany { keys } => {
                let keys = keys_of(&keys);
                let answer = self.cache.remove_many(&keys).await;
                let window = self.since(begin);
                self.oracle.remove_many(window, &keys, answer);
            }
            other => unreachable!("{other:?} is made elsewhere"),
        }
    }

    async fn tag(&mut self, call: Call) {
        match call {
            Call::Bump { tags } => {
                let tags = tags_of(&tags);
                let answer = self.cache.bump(&tags).await;
                self.oracle.bump(&tags, &answer);
            }
            Call::Generations { tags } => {
                let tags = tags_of(&tags);
                let answer = self.cache.generations(&tags).await;
                self.oracle.generations(&tags, &answer);
            }
            other => unreachable!("{other:?} is made elsewhere"),
        }
    }

    async fn load(&mut self, call: Call) {
        let begin = self.clock.now();
        match call {
            Call::Lease { loader, key, time, dead } => {
                let (key, time) = (named(key), self.life(time));
                let dead = match dead {
                    Dead::Nothing => None,
                    Dead::Stored => self.oracle.stored_id(&key),
                    Dead::Other => Some(EntryId::random()),
                };
                let request = LeaseRequest::new(time).with_dead(dead);
                let answer = self.cache.ask(&key, request).await;
                let window = self.since(begin);
                self.oracle.lease(window, &key, time, dead, &answer);
                if let LeaseOutcome::Won(lease) = answer {
                    self.loaders[loader] = Some(lease);
                }
            }
            Call::Fill { loader, key, value, life } => {
                let lease = self.held(loader);
                let (value, life) = (self.value(key, value), self.life(life));
                let key = named(key);
                let answer = self.cache.fill_for(&key, &lease, value.clone(), life).await;
                let window = self.since(begin);
                self.oracle.fill(window, &key, &lease, (&value, life), answer);
            }
            Call::Release { loader, key } => {
                let (lease, key) = (self.held(loader), named(key));
                let answer = self.cache.release(&key, &lease).await;
                let window = self.since(begin);
                self.oracle.release(window, &key, &lease, answer);
            }
            Call::Renew { loader, key, time } => {
                let (lease, key, time) = (self.held(loader), named(key), self.life(time));
                let answer = self.cache.renew(&key, &lease, time).await;
                let window = self.since(begin);
                self.oracle.renew(window, &key, &lease, time, answer);
            }
            other => unreachable!("{other:?} is made elsewhere"),
        }
    }

    /// The verbs that a backend may lack; it then says so, and nothing happens.
    async fn optional(&mut self, call: Call) {
        let (capability, begin) = (self.cache.0.capability(), self.clock.now());
        match call {
            Call::Add { key, value, life } => {
                let (value, life) = (self.value(key, value), self.life(life));
                let key = named(key);
                let result = self.cache.0.add(&key, value.clone(), ttl(life)).await;
                if !capability.add {
                    return refused(result, ErrorKind::Unsupported, "add");
                }
                let window = self.since(begin);
                self.oracle.add(window, &key, (&value, life), answered(result));
            }
            Call::Clear => {
                let result = self.cache.0.clear().await;
                if !capability.clear {
                    return refused(result, ErrorKind::Unsupported, "clear");
                }
                answered(result);
                let tags = tags_of(&(0..TAGS).collect::<Vec<_>>());
                let stamps = self.cache.stamps(&tags).await;
                let now: Vec<_> = tags.into_iter().zip(stamps).collect();
                self.oracle.clear(&now);
            }
            Call::Touch { key, life } => {
                let (key, life) = (named(key), self.life(life));
                let result = self.cache.0.touch(&key, ttl(life)).await;
                if !capability.touch {
                    return refused(result, ErrorKind::Unsupported, "touch");
                }
                let window = self.since(begin);
                self.oracle.touch(window, &key, life, answered(result));
            }
            other => unreachable!("{other:?} is made elsewhere"),
        }
    }

    fn since(&self, begin: larder_core::Tick) -> Window {
        Window { begin, end: self.clock.now() }
    }

    fn life(&self, life: Life) -> Duration {
        match life {
            Life::Long => LONG,
            Life::Units(units) => self.unit * units,
        }
    }

    /// What the loader holds, or thinks it holds; one that never won tries a made-up lease.
    fn held(&self, loader: usize) -> Lease {
        self.loaders[loader]
            .unwrap_or_else(|| Lease { token: LeaseToken::random(), epoch: self.epoch })
    }

    /// Bytes that no other call of the sequence stores.
    fn value(&mut self, key: usize, value: Value) -> Bytes {
        self.values += 1;
        let text = format!("value {}", self.values);
        let payload = match value {
            Value::Raw => return text.into(),
            Value::Envelope => text,
            Value::Large => text.repeat(self.large),
        };
        samples::envelope(self.epoch, &[], &[], &payload).encode(&named(key), None)
    }
}

fn named(key: usize) -> Key {
    Key::object(["zero", "one", "two", "three"][key % KEYS])
}

fn keys_of(keys: &[usize]) -> Vec<Key> {
    keys.iter().copied().map(named).collect()
}

fn tags_of(tags: &[usize]) -> Vec<Tag> {
    let tag = |tag: &usize| Tag::named(["zero", "one", "two"][tag % TAGS]);
    tags.iter().map(tag).collect()
}
