//! Eight processes on fifty configurations, stopped, continued and killed at random.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    fs::OpenOptions,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use larder_clusters::{AcquireError, Creator, DestroyError, Error, Shared, SharedRegistry, State};
use larder_core::{Clock as _, SystemClock};
use larder_sqlite_file::FileOptions;
use rustix::process::Signal;

use crate::child::{
    LEASE, LONG, Process, check_integrity, end_at_a_panic, is_full, listen, open, pause, say, task,
    wait_until,
};

const PROCESSES: usize = 8;
const CONFIGURATIONS: u32 = 50;

/// What a process holds at the end.
const HELD: u32 = 12;

fn configuration(number: u32) -> String {
    format!("{number:032x}")
}

/// The processes, and what was done to them.
#[derive(Debug)]
struct Crowd {
    file: PathBuf,
    processes: Vec<Process>,
    stopped: [bool; PROCESSES],
    kills: u32,
    stops: u32,
}

impl Crowd {
    fn start(file: &Path) -> Self {
        let processes = (0..PROCESSES).map(|number| Self::one(file, number)).collect();
        let stopped = [false; PROCESSES];
        Self { file: file.to_owned(), processes, stopped, kills: 0, stops: 0 }
    }

    fn one(file: &Path, number: usize) -> Process {
        Process::start("stress::takes_part", file, number)
    }

    /// Does something bad to one of them. Two are always left running.
    fn disturb(&mut self) {
        let chosen = rand::random_range(0..PROCESSES);
        let running = self.stopped.iter().filter(|stopped| !**stopped).count();
        match rand::random_range(0..4) {
            0 => {
                self.processes[chosen].kill();
                self.processes[chosen] = Self::one(&self.file, chosen);
                self.stopped[chosen] = false;
                self.kills += 1;
            }
            1 if !self.stopped[chosen] && running > 2 => {
                self.processes[chosen].signal(Signal::STOP);
                self.stopped[chosen] = true;
                self.stops += 1;
            }
            _ => self.go_on(chosen),
        }
    }

    fn go_on(&mut self, chosen: usize) {
        self.processes[chosen].signal(Signal::CONT);
        self.stopped[chosen] = false;
    }
}

#[test]
fn whatever_happens_to_processes_there_is_one_creator_and_no_leak() {
    let duration = Duration::from_secs(if is_full() { 60 } else { 4 });
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("clusters.db");
    let registry = open(&file);
    let mut crowd = Crowd::start(&file);
    let clock = SystemClock::new();
    let start = clock.now();
    while clock.now().since(start) < duration {
        pause(Duration::from_millis(rand::random_range(10..80)));
        crowd.disturb();
    }
    for number in 0..PROCESSES {
        crowd.go_on(number);
    }
    let Crowd { mut processes, kills, stops, .. } = crowd;
    for process in &mut processes {
        process.tell("stop");
    }
    let (figures, held): (Vec<(u64, u64)>, Vec<_>) = processes.iter().map(held_by).unzip();
    check_usage(&registry, &held);
    // Half of them die, and what they held is held no more.
    let left = held[PROCESSES / 2..].to_vec();
    processes.drain(..PROCESSES / 2).for_each(|mut process| process.kill());
    check_usage(&registry, &left);
    processes.into_iter().for_each(|process| drop(process.end()));
    check_usage(&registry, &[]);
    check_nothing_is_stuck(&registry);
    check_fences(&file);
    check_integrity(&file);
    let counts = event_counts(&file);
    println!(
        "{duration:?}: {kills} killed, {stops} stopped; events {counts:?}; those who lived to the \
         end acquired {} times and were fenced {} times",
        figures.iter().map(|figures| figures.0).sum::<u64>(),
        figures.iter().map(|figures| figures.1).sum::<u64>()
    );
    assert!(kills > 0 && stops > 0 && counts["takeover"] > 0);
    assert!(counts["ready"] > u64::from(CONFIGURATIONS));
}

/// How often a process acquired and was fenced until it was told to stop, and what it holds then.
fn held_by(process: &Process) -> ((u64, u64), Vec<u32>) {
    let mut figures = (0, 0);
    loop {
        let said = process.hear().expect("the process should live");
        match said.split_once(' ') {
            Some(("acquired", count)) => figures.0 = count.parse().unwrap(),
            Some(("fenced", count)) => figures.1 = count.parse().unwrap(),
            Some(("holding", held)) => {
                let held = held.split(' ').map(|number| number.parse().unwrap());
                return (figures, held.collect());
            }
            _ => panic!("{said}"),
        }
    }
}

/// Usage is the holders that live, for every configuration.
#[track_caller]
fn check_usage(registry: &SharedRegistry, held: &[Vec<u32>]) {
    for number in 0..CONFIGURATIONS {
        let expected = held.iter().flatten().filter(|held| **held == number).count() as u64;
        let usage = || registry.info(&configuration(number)).unwrap().map_or(0, |info| info.usage);
        // A guard that was dropped just before its process ended gives back in the background.
        wait_until("usage equals living holders", || usage() == expected);
    }
}

/// Everything can be had by whoever comes now.
fn check_nothing_is_stuck(registry: &SharedRegistry) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        for number in 0..CONFIGURATIONS {
            let key = configuration(number);
            let made = std::future::ready(Ok::<_, Infallible>("new".to_owned()));
            let guard = registry.acquire(&key, |_| made, LONG).await.unwrap();
            guard.release_with(|_| std::future::ready(Ok::<_, Infallible>(()))).await.unwrap();
            assert_eq!(registry.info(&key).unwrap().unwrap().state, State::Gone);
        }
    });
}

/// No fence was given twice: not to two creators, not to two who drain, and what was ready was so
/// under the fence of a creator.
fn check_fences(file: &Path) {
    let connection = FileOptions::new(file).open().unwrap();
    let count = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    let twice = "SELECT count(*) FROM (
        SELECT fence FROM larder_event WHERE event IN ('creating', 'draining')
        GROUP BY fence HAVING count(*) > 1)";
    assert_eq!(count(twice), 0, "a fence was given twice");
    let twice = "SELECT count(*) FROM (
        SELECT fence FROM larder_event WHERE event = 'ready' GROUP BY fence HAVING count(*) > 1)";
    assert_eq!(count(twice), 0, "a creation ended twice");
    let unowned =
        "SELECT count(*) FROM larder_event AS ready WHERE event = 'ready' AND NOT EXISTS (
        SELECT 1 FROM larder_event AS creating WHERE creating.event = 'creating'
        AND creating.fence = ready.fence AND creating.key = ready.key
        AND creating.id < ready.id AND creating.pid = ready.pid)";
    assert_eq!(count(unowned), 0, "somebody finished what another one created");
}

fn event_counts(file: &Path) -> BTreeMap<String, u64> {
    let connection = FileOptions::new(file).open().unwrap();
    let mut select =
        connection.prepare("SELECT event, count(*) FROM larder_event GROUP BY event").unwrap();
    let count = |count: i64| u64::try_from(count).unwrap();
    let rows = select.query_map([], |row| Ok((row.get(0)?, count(row.get(1)?)))).unwrap();
    let mut counts: BTreeMap<_, _> = rows.map(Result::unwrap).collect();
    let takeovers = "SELECT count(*) FROM larder_event WHERE detail LIKE 'instead of %'";
    let takeovers = connection.query_row(takeovers, [], |row| row.get(0)).unwrap();
    counts.insert("takeover".to_owned(), count(takeovers));
    counts
}

#[test]
#[ignore = "run as a child process by the test above"]
fn takes_part() {
    let Some((file, number)) = task() else { return };
    end_at_a_panic();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&stop);
    std::thread::spawn(move || {
        let told_to = listen();
        told.store(true, Ordering::SeqCst);
        assert_eq!(told_to.as_deref(), Some("stop"));
    });
    runtime.block_on(async {
        let registry = open(&file);
        let tasks: Vec<_> = (0..3)
            .map(|_| tokio::spawn(take_part(file.clone(), registry.clone(), Arc::clone(&stop))))
            .collect();
        let (mut acquired, mut fenced) = (0, 0);
        for task in tasks {
            let figures = task.await.unwrap();
            acquired += figures.0;
            fenced += figures.1;
        }
        say(&format!("acquired {acquired}"));
        say(&format!("fenced {fenced}"));
        hold_at_the_end(&file, &registry, u32::try_from(number).unwrap()).await;
    });
}

/// Acquires, holds and gives back until it is told to stop.
/// How often it acquired, and how often it came too late with what it had created.
async fn take_part(file: PathBuf, registry: SharedRegistry, stop: Arc<AtomicBool>) -> (u64, u64) {
    let (mut acquired, mut fenced) = (0, 0);
    while !stop.load(Ordering::SeqCst) {
        let key = configuration(rand::random_range(0..CONFIGURATIONS));
        let guard = match acquire(&file, &registry, &key).await {
            Ok(guard) => guard,
            Err(error) if is_bad_luck(&error) => {
                fenced += u64::from(matches!(error, AcquireError::NotRecorded { .. }));
                continue;
            }
            Err(error) => panic!("{error:?}"),
        };
        acquired += 1;
        assert!(guard.resource_id().starts_with(&key), "{guard}");
        tokio::time::sleep(Duration::from_millis(rand::random_range(0..15))).await;
        match rand::random_range(0..3) {
            0 => drop(guard),
            1 => drop(guard.release().await.unwrap()),
            _ => {
                let destroyed = guard.release_with(|_| short_work()).await;
                let fenced = |error: &DestroyError| {
                    matches!(error, DestroyError::Registry(Error::Fenced { .. }))
                };
                assert!(destroyed.as_ref().map_or_else(fenced, |_| true), "{destroyed:?}");
            }
        }
    }
    (acquired, fenced)
}

/// It was stopped for longer than its lease, or waited for one that was.
fn is_bad_luck(error: &AcquireError) -> bool {
    matches!(
        error,
        AcquireError::NotRecorded { source: Error::Fenced { .. }, .. }
            | AcquireError::Failed { .. }
    )
}

async fn short_work() -> Result<(), Infallible> {
    tokio::time::sleep(Duration::from_millis(rand::random_range(0..10))).await;
    Ok(())
}

async fn acquire(
    file: &Path,
    registry: &SharedRegistry,
    key: &str,
) -> Result<Shared, AcquireError> {
    let create = async |creator: Creator| {
        // Made exclusively: it fails if another creator has the same fence.
        let marker = file.with_file_name(format!("fence-{}", creator.fence()));
        OpenOptions::new().write(true).create_new(true).open(marker)?;
        // Now and then longer than the lease would be if nobody renewed it, so that some are
        // stopped in the middle of it and find somebody else at work when they go on.
        let long = rand::random_range(0..12) == 0;
        let millis = rand::random_range(0..if long { 2 * LEASE.as_millis() } else { 10 });
        let pause = Duration::from_millis(u64::try_from(millis).unwrap());
        tokio::time::sleep(pause).await;
        Ok::<_, std::io::Error>(format!("{key}-{}", creator.fence()))
    };
    registry.acquire(key, create, LONG).await
}

/// Holds a few things until the parent wants an end or kills it.
async fn hold_at_the_end(file: &Path, registry: &SharedRegistry, number: u32) {
    let mut guards = Vec::new();
    let numbers: Vec<_> = (0..HELD).map(|held| (number * 3 + held * 7) % CONFIGURATIONS).collect();
    for number in &numbers {
        let guard = loop {
            match acquire(file, registry, &configuration(*number)).await {
                Ok(guard) => break guard,
                Err(error) if is_bad_luck(&error) => {}
                Err(error) => panic!("{error:?}"),
            }
        };
        guards.push(guard);
    }
    let numbers: Vec<_> = numbers.iter().map(u32::to_string).collect();
    say(&format!("holding {}", numbers.join(" ")));
    // The parent closes the input when it has looked.
    let closed = tokio::task::spawn_blocking(|| while listen().is_some() {});
    closed.await.unwrap();
}
