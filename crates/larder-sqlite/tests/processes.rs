//! Several processes on one cache file, and processes that are killed.
//!
//! The processes are this test program again, told by an environment variable what to do. A
//! line of theirs that starts with `@` speaks to the parent; the rest is the test harness's.

use std::{
    collections::HashMap,
    env,
    fs::OpenOptions,
    io::{self, BufRead as _, BufReader, Lines, Write as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    time::Duration,
};

use larder_core::{
    CacheBackend as _, EntryId, FillOutcome, Generation, Key, LeaseOutcome, LeaseRequest, Tag, Ttl,
};
use larder_sqlite::{SqliteBackend, SqliteConfig};
use larder_sqlite_file::{FileOptions, rusqlite::Connection};

const FILE: &str = "LARDER_TEST_FILE";
const NUMBER: &str = "LARDER_TEST_NUMBER";

struct Process {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Process {
    /// Starts this program again, to run one of its ignored tests.
    fn start(test: &str, file: &Path, number: usize) -> Self {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", test, "--ignored", "--nocapture", "--test-threads=1"])
            .env(FILE, file)
            .env(NUMBER, number.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// What the child says next; `None` at its end. A line that was cut off by its death counts
    /// only if its end came through.
    fn hear(&mut self) -> Option<String> {
        for line in &mut self.lines {
            if let Some((_, said)) = line.unwrap().split_once('@') {
                return Some(said.strip_suffix('.').unwrap_or("cut off").to_owned());
            }
        }
        None
    }

    fn go(&mut self) {
        self.child.stdin.as_mut().unwrap().write_all(b"go\n").unwrap();
    }

    #[track_caller]
    fn expect_success(mut self) {
        while self.hear().is_some() {}
        assert!(self.child.wait().unwrap().success());
    }
}

/// Tells the parent something, at once.
fn say(what: &str) {
    let mut out = io::stdout().lock();
    writeln!(out, "@{what}.").unwrap();
    out.flush().unwrap();
}

fn wait_for_go() {
    say("ready");
    io::stdin().lines().next().unwrap().unwrap();
}

/// The file and the number that the parent gave; `None` if this is no child process.
fn task() -> Option<(PathBuf, usize)> {
    let number = env::var(NUMBER).ok()?.parse().ok()?;
    Some((env::var_os(FILE)?.into(), number))
}

fn run(work: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
        .block_on(work);
}

async fn open(file: &Path) -> SqliteBackend {
    // Many children on few processors: what counts is that nobody is refused, not how long it
    // takes.
    let config = SqliteConfig::new(file).with_busy_timeout(Duration::from_secs(60));
    SqliteBackend::open(config).await.unwrap()
}

fn hour() -> Ttl {
    Ttl::new(Duration::from_secs(3_600)).unwrap()
}

fn check_integrity(file: &Path) {
    let connection: Connection = FileOptions::new(file).open().unwrap();
    let verdict: String =
        connection.pragma_query_value(None, "integrity_check", |row| row.get(0)).unwrap();
    assert_eq!(verdict, "ok");
    let mismatch: bool = connection
        .query_row(
            "SELECT (entries, bytes, tags) <> (
                (SELECT count(*) FROM entry),
                (SELECT coalesce(sum(length(value) + 128), 0) FROM entry),
                (SELECT count(*) FROM generation)) FROM meta",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert!(!mismatch, "the counts in the file are wrong");
}

#[test]
fn many_processes_share_one_file() {
    const PROCESSES: usize = 6;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("cache.db");
    // All open at once, so that they race for making the file, too.
    let mut children: Vec<_> =
        (0..PROCESSES).map(|number| Process::start("contends_for_leases", &file, number)).collect();
    for child in &mut children {
        assert_eq!(child.hear().as_deref(), Some("ready"));
    }
    children.iter_mut().for_each(Process::go);
    let mut wins = 0;
    let mut bumped = HashMap::new();
    for (number, mut child) in children.into_iter().enumerate() {
        while let Some(said) = child.hear() {
            match said.split_once(' ') {
                Some(("wins", count)) => wins += count.parse::<u32>().unwrap(),
                Some(("bumped", generation)) => {
                    bumped.insert(number, generation.to_owned());
                }
                _ => panic!("{said}"),
            }
        }
        child.expect_success();
    }
    assert!(wins > 0, "nobody ever won a lease");
    run(async {
        let backend = open(&file).await;
        for number in 0..PROCESSES {
            let snapshot = backend.read(&own_key(number), &[own_tag(number)]).await.unwrap();
            assert_eq!(snapshot.value.as_deref(), Some(number.to_string().as_bytes()));
            let generation = snapshot.stamps[0].unwrap().generation;
            assert_eq!(bumped[&number], hex(generation), "process {number}");
        }
    });
    check_integrity(&file);
}

fn own_key(number: usize) -> Key {
    Key::object(&format!("process {number}"))
}

fn own_tag(number: usize) -> Tag {
    Tag::named(&format!("process {number}"))
}

fn hex(generation: Generation) -> String {
    format!("{:032x}", u128::from_be_bytes(*generation.as_bytes()))
}

#[test]
#[ignore = "run as a child process by the test above"]
fn contends_for_leases() {
    const ROUNDS: usize = 200;
    const KEYS: usize = 3;
    let Some((file, number)) = task() else { return };
    run(async {
        wait_for_go();
        let backend = open(&file).await;
        let mut wins = 0;
        // Everybody takes what it found last for dead, so that there is always something to load.
        let mut dead = [None; KEYS];
        for round in 0..ROUNDS {
            let place = (round + number) % KEYS;
            let name = format!("contended {place}");
            let key = Key::object(&name);
            let request = LeaseRequest::new(Duration::from_secs(600)).with_dead(dead[place]);
            match backend.lease(&key, request).await.unwrap() {
                LeaseOutcome::Held => {}
                LeaseOutcome::Found(value) => dead[place] = EntryId::peek(&value),
                LeaseOutcome::Won(lease) => {
                    wins += 1;
                    // Made exclusively: it fails if another holder is here, too.
                    let marker = file.with_file_name(&name);
                    OpenOptions::new().write(true).create_new(true).open(&marker).unwrap();
                    tokio::task::yield_now().await;
                    std::fs::remove_file(&marker).unwrap();
                    let value = value_with_id();
                    dead[place] = EntryId::peek(&value);
                    let filled = backend.fill(&key, &lease, value.into(), hour()).await;
                    assert_eq!(filled.unwrap(), FillOutcome::Stored);
                }
            }
        }
        backend.put(&own_key(number), number.to_string().into(), hour()).await.unwrap();
        let stamps = backend.bump(&[own_tag(number)]).await.unwrap();
        say(&format!("wins {wins}"));
        say(&format!("bumped {}", hex(stamps[0].generation)));
        assert_eq!(backend.stats().errors, 0);
    });
}

/// The start of an envelope: as much as it takes to have an id.
fn value_with_id() -> Vec<u8> {
    let mut value = b"LRDR\x01\0\0\0".to_vec();
    value.extend(EntryId::random().as_bytes());
    value
}

/// What the parent knows to be in the file.
#[derive(Default)]
struct Acknowledged {
    /// The last acknowledged state of each key; `None` is "removed".
    entries: HashMap<String, Option<String>>,
    generations: HashMap<String, String>,
}

impl Acknowledged {
    fn note(&mut self, said: &str) {
        let words: Vec<_> = said.split(' ').collect();
        match words[..] {
            ["put", key, value] => {
                self.entries.insert(key.into(), Some(value.into()));
            }
            ["remove", key] => {
                self.entries.insert(key.into(), None);
            }
            ["bump", tag, generation] => {
                self.generations.insert(tag.into(), generation.into());
            }
            _ => assert_eq!(said, "cut off"),
        }
    }

    async fn check(&self, backend: &SqliteBackend) {
        for (key, value) in &self.entries {
            let snapshot = backend.read(&Key::object(key), &[]).await.unwrap();
            let found = snapshot.value.map(|value| String::from_utf8(value.to_vec()).unwrap());
            assert_eq!(&found, value, "{key}");
        }
        for (tag, generation) in &self.generations {
            let stamps = backend.generations(&[Tag::named(tag)]).await.unwrap();
            assert_eq!(&hex(stamps[0].generation), generation, "{tag}");
        }
    }
}

#[test]
fn nothing_acknowledged_is_lost_when_the_process_is_killed() {
    const ROUNDS: usize = 40;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("cache.db");
    let mut acknowledged = Acknowledged::default();
    let mut epoch = None;
    for round in 0..ROUNDS {
        let mut child = Process::start("writes_until_killed", &file, round);
        // Killed after some writes, in the middle of others: the child does not wait for us.
        for _ in 0..rand::random_range(1..200) {
            acknowledged.note(&child.hear().unwrap());
        }
        child.child.kill().unwrap();
        while let Some(said) = child.hear() {
            acknowledged.note(&said);
        }
        child.child.wait().unwrap();
        run(async {
            let backend = open(&file).await;
            acknowledged.check(&backend).await;
            let now = backend.epoch().await.unwrap();
            assert_eq!(*epoch.get_or_insert(now), now, "a killed process loses no history");
        });
        check_integrity(&file);
    }
    assert!(acknowledged.entries.len() > ROUNDS);
}

#[test]
#[ignore = "run as a child process by the test above"]
fn writes_until_killed() {
    let Some((file, round)) = task() else { return };
    run(async {
        let backend = std::sync::Arc::new(open(&file).await);
        let writers = (0..4).map(|writer| {
            let backend = std::sync::Arc::clone(&backend);
            tokio::spawn(async move {
                for step in 0_usize.. {
                    // Never used again after the line that acknowledges it, except by the
                    // removal; so what is under way at the end is nothing that was acknowledged.
                    let key = format!("{round}-{writer}-{step}");
                    let value = "x".repeat(step % 3_000);
                    backend.put(&Key::object(&key), value.clone().into(), hour()).await.unwrap();
                    say(&format!("put {key} {value}"));
                    if step % 3 == 0 {
                        let key = format!("{round}-{writer}-gone-{step}");
                        backend.put(&Key::object(&key), "x".into(), hour()).await.unwrap();
                        backend.remove(&Key::object(&key)).await.unwrap();
                        say(&format!("remove {key}"));
                    }
                    if step % 5 == 0 {
                        let tag = format!("{round}-{writer}-{step}");
                        let stamps = backend.bump(&[Tag::named(&tag)]).await.unwrap();
                        say(&format!("bump {tag} {}", hex(stamps[0].generation)));
                    }
                }
            })
        });
        for writer in writers.collect::<Vec<_>>() {
            writer.await.unwrap();
        }
    });
}
