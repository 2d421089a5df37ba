//! Readers and a writer that go on whatever happens to the cache, and judge every answer.
//!
//! The rows of the table hold versions that only grow. The writer notes what it begins to write and
//! what was acknowledged as invalidated everywhere. A reader notes what was acknowledged before it
//! began: an older version is stale. A version that nobody has written yet, or another row than the
//! one that was asked for, is wrong in any case.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use larder::Larder;
use tokio::task::JoinSet;

use super::{Bench, Engine, Tiers, patience::DEADLINE};

const ROWS: usize = 8;
/// How many tasks read at the same time.
const READERS: usize = 16;
/// How many processes they belong to.
pub(crate) const PROCESSES: usize = 3;
/// Every write invalidates all rows. Without a distance between writes there would be no hits.
const READS_PER_WRITE: u64 = 150;
/// Far beyond every limit of the far tier: a read that takes longer hangs.
const READ_LIMIT: Duration = DEADLINE;

/// What the writer knows of each row.
#[derive(Debug, Default)]
struct Row {
    begun: AtomicI64,
    acknowledged: AtomicI64,
}

#[derive(Debug, Default)]
struct World {
    rows: [Row; ROWS],
    reads: AtomicU64,
    /// Per process, so that recovery means that of every one.
    hits: [AtomicU64; PROCESSES],
    acknowledged: AtomicU64,
    is_over: AtomicBool,
}

/// Sixteen readers in three processes, and one writer in a fourth.
#[derive(Debug)]
pub(crate) struct Traffic {
    world: Arc<World>,
    tasks: JoinSet<()>,
    readers: Vec<Larder>,
}

impl Traffic {
    /// Makes the table and starts; returns when every process has hits.
    pub(crate) async fn start(bench: &Bench) -> Self {
        let rows: Vec<_> = (0..ROWS).map(|id| format!("({id}, 0)")).collect();
        let create = "CREATE TABLE counted (id BIGINT PRIMARY KEY, version BIGINT NOT NULL)";
        let insert = format!("INSERT INTO counted VALUES {}", rows.join(", "));
        bench.behind_its_back(&[create, &insert]).await;
        let world = Arc::new(World::default());
        let mut tasks = JoinSet::new();
        let writer = bench.process(Tiers::Far).await;
        tasks.spawn(write(Arc::clone(&world), writer, bench.engine));
        let mut readers = Vec::new();
        for _ in 0..PROCESSES {
            readers.push(bench.second_process(Tiers::Far).await);
        }
        for task in 0..READERS {
            let process = task % PROCESSES;
            let larder = readers[process].clone();
            tasks.spawn(read(Arc::clone(&world), larder, process, bench.engine));
        }
        let mut traffic = Self { world, tasks, readers };
        traffic.until_hits("before anything happens").await;
        traffic
    }

    /// Waits until every process has hit the cache again, many times.
    pub(crate) async fn until_hits(&mut self, when: &str) {
        const HITS: u64 = 50;
        let hits = |world: &World| world.hits.each_ref().map(|hits| hits.load(Ordering::SeqCst));
        let before = hits(&self.world);
        let so_far = |world: &World| {
            hits(world).iter().zip(before).map(|(now, before)| (now - before).min(HITS)).sum()
        };
        self.until(HITS * PROCESSES as u64, &format!("hits {when}"), so_far).await;
    }

    /// Waits until so many reads were answered, by whatever answered them.
    pub(crate) async fn until_reads(&mut self, reads: u64, when: &str) {
        let count = |world: &World| world.reads.load(Ordering::SeqCst);
        let before = count(&self.world);
        self.until(reads, &format!("reads {when}"), |world| count(world) - before).await;
    }

    /// Waits until an invalidation is acknowledged again.
    pub(crate) async fn until_acknowledged(&mut self, when: &str) {
        let count = |world: &World| world.acknowledged.load(Ordering::SeqCst);
        let before = count(&self.world);
        let what = format!("acknowledged invalidations {when}");
        self.until(5, &what, |world| count(world) - before).await;
    }

    /// Says that every row was overwritten and that this was acknowledged, although it was not.
    pub(crate) fn lie(&self) {
        for row in &self.world.rows {
            row.begun.fetch_add(1_000_000, Ordering::SeqCst);
            row.acknowledged.fetch_add(1_000_000, Ordering::SeqCst);
        }
    }

    /// Stops, and reports what any of the tasks found wrong.
    pub(crate) async fn stop(mut self) {
        self.world.is_over.store(true, Ordering::SeqCst);
        while let Some(ended) = self.tasks.join_next().await {
            report(ended);
        }
    }

    /// Waits until there are enough. A slow machine is no failure, but one more has to come within
    /// the deadline.
    async fn until(&mut self, enough: u64, what: &str, count: impl Fn(&World) -> u64) {
        let world = Arc::clone(&self.world);
        let poll = async {
            let mut last = count(&world);
            while last < enough {
                let more = async {
                    while count(&world) == last {
                        tokio::time::sleep(Duration::from_millis(5)).await;
                    }
                };
                tokio::time::timeout(DEADLINE, more).await?;
                last = count(&world);
            }
            Ok::<_, tokio::time::error::Elapsed>(())
        };
        tokio::select! {
            // A task ends early only if it found something wrong.
            Some(ended) = self.tasks.join_next() => {
                report(ended);
                panic!("a task ended: {what}");
            }
            waited = poll => if waited.is_err() {
                let far: Vec<_> = self.readers.iter().map(|larder| larder.stats().far).collect();
                let reached = count(&world);
                panic!("{reached} of {enough} {what}, and no more within {DEADLINE:?}; {far:#?}");
            },
        }
    }
}

fn report(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        std::panic::resume_unwind(error.into_panic());
    }
}

async fn read(world: Arc<World>, larder: Larder, process: usize, engine: Engine) {
    let sql = engine.sql("SELECT id, version FROM counted WHERE id = ?");
    while !world.is_over.load(Ordering::SeqCst) {
        let id = rand::random_range(0..ROWS);
        let key = i64::try_from(id).unwrap();
        let row = &world.rows[id];
        let floor = row.acknowledged.load(Ordering::SeqCst);
        let fetch = larder.query_as::<(i64, i64)>(&sql).bind(key).fetch_one();
        let answer = tokio::time::timeout(READ_LIMIT, fetch).await.expect("a read hangs");
        let answer = answer.unwrap_or_else(|error| panic!("an error reached a reader: {error:?}"));
        let (found, version) = *answer;
        let ceiling = row.begun.load(Ordering::SeqCst);
        let source = answer.source();
        assert_eq!(found, key, "the value of another key, {source}");
        assert!(version >= floor, "stale: {version} after {floor} was acknowledged, {source}");
        assert!(version <= ceiling, "{version} was never written, {source}");
        world.reads.fetch_add(1, Ordering::SeqCst);
        if source.is_hit() {
            world.hits[process].fetch_add(1, Ordering::SeqCst);
        }
        // Without a pause, readers would keep the machine from everything else.
        tokio::time::sleep(Duration::from_micros(rand::random_range(0..500))).await;
    }
}

async fn write(world: Arc<World>, larder: Larder, engine: Engine) {
    let sql = engine.sql("UPDATE counted SET version = ? WHERE id = ?");
    while !world.is_over.load(Ordering::SeqCst) {
        let id = rand::random_range(0..ROWS);
        let row = &world.rows[id];
        let version = row.begun.fetch_add(1, Ordering::SeqCst) + 1;
        let write = larder.execute(&sql).bind(version).bind(i64::try_from(id).unwrap());
        let written = write.run().await;
        let written = written.unwrap_or_else(|error| panic!("a write failed: {error:?}"));
        assert_eq!(written.rows_affected, 1);
        if written.invalidation.is_applied() {
            row.acknowledged.fetch_max(version, Ordering::SeqCst);
            world.acknowledged.fetch_add(1, Ordering::SeqCst);
        }
        let reads = world.reads.load(Ordering::SeqCst) + READS_PER_WRITE;
        let pace = async {
            while world.reads.load(Ordering::SeqCst) < reads {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        // Readers that wait for a time limit do not keep the writer waiting.
        let _ = tokio::time::timeout(Duration::from_millis(200), pace).await;
    }
}
