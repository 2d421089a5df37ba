//! Two real processes over one database and one cache file.
//!
//! The test runs itself again as the second process, which reads on command: a line on its
//! standard input asks, a line on its standard output answers.

use std::{
    env,
    io::{self, BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::Duration,
};

use larder::{Larder, Near};

const ROLE: &str = "LARDER_TEST_READER";
const SQL: &str = "SELECT name FROM airline WHERE iata = ?";

async fn open(dir: &Path, near: bool) -> Larder {
    let builder = Larder::builder()
        .database(&format!("sqlite://{}?mode=rwc", dir.join("airport.db").display()))
        .far(&format!("sqlite://{}", dir.join("cache.db").display()))
        .far_time_limit(Duration::from_secs(20));
    let builder = if near { builder.near(Near::mebibytes(4)) } else { builder.without_near() };
    builder.build().await.unwrap()
}

/// The other process.
struct Reader {
    child: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Reader {
    fn start(dir: &Path, near: bool) -> Self {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["processes::the_second_process", "--exact", "--nocapture", "--ignored"])
            .env(ROLE, format!("{near} {}", dir.display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (questions, answers) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Self { child, questions, answers: BufReader::new(answers) }
    }

    /// The name that the other process sees, and where it found it.
    fn ask(&mut self) -> (String, String) {
        writeln!(self.questions).unwrap();
        let mut line = String::new();
        loop {
            line.clear();
            assert!(self.answers.read_line(&mut line).unwrap() > 0, "the other process ended");
            // The test harness talks on the same channel.
            if let Some(answer) = line.trim_end().strip_prefix("ANSWER ") {
                let (source, name) = answer.split_once(' ').unwrap();
                return (name.to_owned(), source.to_owned());
            }
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        // Its own child, by its handle.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
#[ignore = "the second process of the other tests, which run it"]
async fn the_second_process() {
    let Ok(role) = env::var(ROLE) else { return };
    let (near, dir) = role.split_once(' ').unwrap();
    let larder = open(Path::new(dir), near == "true").await;
    for line in io::stdin().lock().lines() {
        line.unwrap();
        let name = larder.query(SQL).bind("LH").fetch_scalar::<String>().await.unwrap();
        let mut out = io::stdout().lock();
        writeln!(out, "\nANSWER {} {}", name.source(), *name).unwrap();
        out.flush().unwrap();
    }
}

async fn with_one_airline(dir: &Path) -> Larder {
    let larder = open(dir, true).await;
    larder.execute("CREATE TABLE airline (iata TEXT, name TEXT)").run().await.unwrap();
    larder.execute("INSERT INTO airline VALUES ('LH', 'one')").run().await.unwrap();
    larder
}

async fn rename(larder: &Larder, name: &str) {
    let update = larder.execute("UPDATE airline SET name = ? WHERE iata = 'LH'");
    update.bind(name).run().await.unwrap().applied().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_in_one_process_is_seen_by_the_next_read_of_another() {
    let dir = tempfile::tempdir().unwrap();
    let larder = with_one_airline(dir.path()).await;
    let mut reader = Reader::start(dir.path(), false);
    assert_eq!(reader.ask(), ("one".to_owned(), "CACHE_MISS".to_owned()));
    assert_eq!(reader.ask(), ("one".to_owned(), "CACHE_HIT".to_owned()));
    for name in ["two", "three", "four"] {
        rename(&larder, name).await;
        assert_eq!(reader.ask(), (name.to_owned(), "CACHE_MISS".to_owned()));
        let mine = larder.query(SQL).bind("LH").fetch_scalar::<String>().await.unwrap();
        assert_eq!((mine.as_str(), mine.source().is_hit()), (name, true), "its fill is shared");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_near_tier_in_another_process_follows_within_the_staleness_bound() {
    let dir = tempfile::tempdir().unwrap();
    let larder = with_one_airline(dir.path()).await;
    let mut reader = Reader::start(dir.path(), true);
    assert_eq!(reader.ask().0, "one");
    for name in ["two", "three"] {
        rename(&larder, name).await;
        // The bound is a second; the deadline only keeps a failure from running for ever.
        for attempt in 0.. {
            if reader.ask().0 == name {
                break;
            }
            assert!(attempt < 1_000, "the other process never noticed");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_killed_leaves_a_cache_that_others_go_on_with() {
    let dir = tempfile::tempdir().unwrap();
    let larder = with_one_airline(dir.path()).await;
    for round in 0..5 {
        let mut reader = Reader::start(dir.path(), round % 2 == 0);
        reader.ask();
        drop(reader);
        let name = format!("round {round}");
        rename(&larder, &name).await;
        let read = larder.query(SQL).bind("LH").fetch_scalar::<String>().await.unwrap();
        assert_eq!(*read, name);
    }
}
