//! What joining a shared thing costs, and looking at one, beside the same by hand.
//!
//! The yardsticks are bare prepared statements on a file of their own with the same settings: the
//! transactions that a program would write which trusts every process to lower its count. The
//! rounds are interleaved, so that a busy machine is busy for everybody. Joining is flushed to the
//! disk at each commit, here as there; so it is measured once more in memory, where the disk does
//! not hide the difference.

#![expect(clippy::print_stdout, reason = "a benchmark reports on standard output")]

use std::{convert::Infallible, future::ready, hint::black_box, path::Path, time::Duration};

use larder_clusters::{ClusterFile, ClusterFileOptions, Released, SharedRegistry, State, Update};
use larder_core::{Clock as _, SystemClock, Tick};
use larder_sqlite_file::{
    FileOptions, Retry, Synchronous, immediate,
    rusqlite::{Connection, Error},
};
use tokio::runtime::Runtime;

const THINGS: u32 = 1_000;
const ROUNDS: u32 = 60;
const LOOKS: u32 = 200;
const JOINS: u32 = 10;

const TABLES: &str = "
    CREATE TABLE thing(key TEXT PRIMARY KEY, state TEXT, resource TEXT, usage INTEGER) STRICT;
    CREATE TABLE holder(id TEXT PRIMARY KEY, key TEXT, pid INTEGER, since INTEGER) STRICT";
const READY: &str = "SELECT resource FROM thing WHERE key = ?1 AND state = 'ready'";
const JOIN: &str = "INSERT INTO holder VALUES (?1, ?2, ?3, 0)";
const LEAVE: &str = "DELETE FROM holder WHERE id = ?1";
const COUNT: &str = "UPDATE thing SET usage = usage + ?2 WHERE key = ?1 RETURNING usage";

struct Bench {
    registry: SharedRegistry,
    bare: Connection,
    runtime: Runtime,
    clock: SystemClock,
    _directory: tempfile::TempDir,
}

fn key(thing: u32) -> String {
    format!("{thing:032x}")
}

impl Bench {
    fn new(place: Option<&Path>) -> Self {
        let directory = match place {
            Some(place) => tempfile::tempdir_in(place).unwrap(),
            None => tempfile::tempdir().unwrap(),
        };
        let file = ClusterFile::open(ClusterFileOptions::new(directory.path().join("ours.db")));
        let registry = file.unwrap().shared();
        let bare = FileOptions::new(directory.path().join("bare.db"))
            .with_synchronous(Synchronous::Full)
            .open()
            .unwrap();
        bare.execute_batch(TABLES).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let bench =
            Self { registry, bare, runtime, clock: SystemClock::new(), _directory: directory };
        bench.fill();
        bench
    }

    fn fill(&self) {
        for thing in 0..THINGS {
            let key = key(thing);
            let registration = self.registry.register_creation(&key).unwrap();
            let larder_clusters::Registration::Creator(creation) = registration else {
                panic!("{key} is new");
            };
            let ready = Update::Ready { resource_id: "c" };
            self.registry.update_status(&key, creation.fence, ready).unwrap();
            self.bare.execute("INSERT INTO thing VALUES (?1, 'ready', 'c', 1)", [key]).unwrap();
        }
    }

    fn acquire(&self, thing: u32) {
        self.runtime.block_on(async {
            let made = ready(Ok::<_, Infallible>(String::new()));
            let limit = Duration::from_secs(60);
            let guard = self.registry.acquire(&key(thing), |_| made, limit).await.unwrap();
            let released = guard.release().await.unwrap();
            assert_eq!(released, Released::StillUsed { usage: 1 });
        });
    }

    fn join(&self, thing: u32) {
        let hold = self.registry.join(&key(thing)).unwrap();
        self.registry.release(&hold.key, &hold.id).unwrap();
    }

    fn join_by_hand(&mut self, thing: u32) {
        let key = key(thing);
        let retry = Retry::default();
        let id = format!("{:032x}", rand::random::<u128>());
        immediate(&mut self.bare, &retry, |transaction| {
            let resource: String =
                transaction.prepare_cached(READY)?.query_row([&key], |row| row.get(0))?;
            let pid = std::process::id();
            transaction.prepare_cached(JOIN)?.execute((&id, &key, pid))?;
            let count = |row: &larder_sqlite_file::rusqlite::Row<'_>| row.get::<_, i64>(0);
            transaction.prepare_cached(COUNT)?.query_row((&key, 1), count)?;
            Ok::<_, Error>(black_box(resource))
        })
        .unwrap();
        immediate(&mut self.bare, &retry, |transaction| {
            transaction.prepare_cached(LEAVE)?.execute([&id])?;
            let count = |row: &larder_sqlite_file::rusqlite::Row<'_>| row.get::<_, i64>(0);
            transaction.prepare_cached(COUNT)?.query_row((&key, -1), count)
        })
        .unwrap();
    }

    fn look(&self, thing: u32) {
        let info = self.registry.info(&key(thing)).unwrap().unwrap();
        assert_eq!((info.state, info.usage), (State::Ready, 1));
    }

    fn look_by_hand(&self, thing: u32) {
        let sql = "SELECT state, resource, usage FROM thing WHERE key = ?1";
        let mut select = self.bare.prepare_cached(sql).unwrap();
        let row = select.query_row([key(thing)], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, i64>(2)?))
        });
        assert_eq!(black_box(row.unwrap()).2, 1);
    }

    /// The median of each kind of work, over interleaved rounds.
    fn compare(&mut self, place: &str) {
        let mut times: [Vec<Duration>; 5] = Default::default();
        for round in 0..ROUNDS {
            let thing = |step: u32| (round * LOOKS + step) * 7_919 % THINGS;
            let start = self.clock.now();
            (0..JOINS).for_each(|step| self.acquire(thing(step)));
            let start = self.note(start, &mut times[0]);
            (0..JOINS).for_each(|step| self.join(thing(step)));
            let start = self.note(start, &mut times[1]);
            (0..JOINS).for_each(|step| self.join_by_hand(thing(step)));
            let start = self.note(start, &mut times[2]);
            (0..LOOKS).for_each(|step| self.look(thing(step)));
            let start = self.note(start, &mut times[3]);
            (0..LOOKS).for_each(|step| self.look_by_hand(thing(step)));
            self.note(start, &mut times[4]);
        }
        let [acquire, join, join_by_hand, look, look_by_hand] = times.map(|mut times| {
            times.sort_unstable();
            times[times.len() / 2]
        });
        for (name, time, by_hand, steps) in [
            ("acquire and release", acquire, join_by_hand, JOINS),
            ("join and release", join, join_by_hand, JOINS),
            ("look", look, look_by_hand, LOOKS),
        ] {
            println!("{name}, {place}: {:?}, bare SQL {:?}", time / steps, by_hand / steps);
            let ratio = time.as_secs_f64() / by_hand.as_secs_f64();
            println!("ratio {name} / bare SQL, {place}: {ratio:.2}x");
        }
    }

    fn note(&self, start: Tick, times: &mut Vec<Duration>) -> Tick {
        let now = self.clock.now();
        times.push(now.since(start));
        now
    }
}

fn main() {
    Bench::new(None).compare("on disk");
    let memory = Path::new("/dev/shm");
    if memory.is_dir() {
        Bench::new(Some(memory)).compare("in memory");
    }
}
