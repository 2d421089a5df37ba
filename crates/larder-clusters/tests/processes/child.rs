//! How a test has processes of its own: they are this program again, told by environment
//! variables which of its ignored tests to run. A line of theirs that starts with `@` speaks to
//! the parent; the rest is the test harness's.

use std::{
    env,
    io::{self, BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::Duration,
};

use larder_clusters::{ClusterFile, ClusterFileOptions, SharedOptions, SharedRegistry};
use larder_core::{Clock as _, SystemClock};
use larder_sqlite_file::FileOptions;
use rustix::process::{Pid, Signal, kill_process};

const FILE: &str = "LARDER_TEST_FILE";
const NUMBER: &str = "LARDER_TEST_NUMBER";

/// Longer than anything here takes, on any machine.
pub(crate) const LONG: Duration = Duration::from_secs(120);

/// The lease in every process: short, because it is waited for.
pub(crate) const LEASE: Duration = Duration::from_millis(600);

/// A child process.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    stdin: Option<ChildStdin>,
    said: Receiver<String>,
}

impl Process {
    /// Starts this program again, to run one of its ignored tests.
    pub(crate) fn start(test: &str, file: &Path, number: usize) -> Self {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", test, "--ignored", "--nocapture", "--test-threads=1"])
            .env(FILE, file)
            .env(NUMBER, number.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (sender, said) = channel();
        // Read at once, so that a child never waits for a parent that looks elsewhere.
        thread::spawn(move || {
            for line in lines {
                let Ok(line) = line else { return };
                // A line that was cut off by the child's death is none.
                if let Some(line) =
                    line.split_once('@').and_then(|(_, line)| line.strip_suffix('.'))
                    && sender.send(line.to_owned()).is_err()
                {
                    return;
                }
            }
        });
        let stdin = child.stdin.take();
        Self { child, stdin, said }
    }

    /// What the child says next; `None` at its end.
    #[track_caller]
    pub(crate) fn hear(&self) -> Option<String> {
        match self.said.recv_timeout(LONG) {
            Ok(line) => Some(line),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("the child is stuck"),
        }
    }

    #[track_caller]
    pub(crate) fn expect(&self, said: &str) {
        assert_eq!(self.hear().as_deref(), Some(said));
    }

    /// Everything it says from here to its end.
    pub(crate) fn rest(&self) -> Vec<String> {
        std::iter::from_fn(|| self.hear()).collect()
    }

    pub(crate) fn tell(&mut self, line: &str) {
        writeln!(self.stdin.as_mut().unwrap(), "{line}").unwrap();
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Kills it, and waits until the system has forgotten it. One that has ended before did so
    /// for a reason of its own.
    #[track_caller]
    pub(crate) fn kill(&mut self) {
        assert_eq!(self.child.try_wait().unwrap(), None, "a child ended by itself");
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Tells it to end by closing its input.
    #[track_caller]
    pub(crate) fn end(mut self) -> Vec<String> {
        drop(self.stdin.take());
        let rest = self.rest();
        assert!(self.child.wait().unwrap().success());
        rest
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // One that a failed test leaves behind; one that has ended can not be killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Tells the parent something, at once.
pub(crate) fn say(what: &str) {
    let mut out = io::stdout().lock();
    writeln!(out, "@{what}.").unwrap();
    out.flush().unwrap();
}

/// What the parent says next; `None` when it wants an end.
pub(crate) fn listen() -> Option<String> {
    io::stdin().lines().next().map(Result::unwrap)
}

/// The file and the number that the parent gave; `None` if this is no child process.
pub(crate) fn task() -> Option<(PathBuf, usize)> {
    let number = env::var(NUMBER).ok()?.parse().ok()?;
    Some((env::var_os(FILE)?.into(), number))
}

/// Makes every panic the end of this process, so that the parent sees it.
pub(crate) fn end_at_a_panic() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        report(panic);
        std::process::abort();
    }));
}

/// Whether the full lengths are asked for.
pub(crate) fn is_full() -> bool {
    env::var_os("LARDER_CLUSTERS_FULL").is_some()
}

pub(crate) fn open(file: &Path) -> SharedRegistry {
    let options = ClusterFileOptions::new(file)
        // Many processes on few processors, some of them stopped with the lock in their hands.
        .with_busy_timeout(LONG)
        .with_history_max(u32::MAX);
    let shared =
        SharedOptions::default().with_lease(LEASE).with_poll_interval(Duration::from_millis(20));
    SharedRegistry::new(ClusterFile::open(options).unwrap(), shared)
}

pub(crate) fn check_integrity(file: &Path) {
    let connection = FileOptions::new(file).with_busy_timeout(LONG).open().unwrap();
    let verdict: String =
        connection.pragma_query_value(None, "integrity_check", |row| row.get(0)).unwrap();
    assert_eq!(verdict, "ok");
}

/// Looks again and again until it is so.
#[track_caller]
pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let clock = SystemClock::new();
    let start = clock.now();
    while !is_so() {
        assert!(clock.now().since(start) < LONG, "it never came to this: {what}");
        pause(Duration::from_millis(10));
    }
}

/// Lets some time pass in which the children do what they do.
pub(crate) fn pause(duration: Duration) {
    thread::park_timeout(duration);
}
