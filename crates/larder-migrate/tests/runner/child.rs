//! Processes of their own, which run this program again and can be killed and stopped.

use std::{env, process::Stdio, sync::Arc, time::Duration};

use async_trait::async_trait;
use larder_migrate::{Connector, MigrateOptions, Migrator, ModelRef, Standing, UrlConnector};
use larder_model::Policy;
use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    process::{ChildStdout, Command},
};

use crate::{
    kept::{self, Scene},
    killed, storm,
    support::{Scratch, Script, Scripted, alters, options, table},
};

const ACT: &str = "LARDER_RUNNER_ACT";
const URL: &str = "LARDER_RUNNER_DATABASE";
const LEASE: &str = "LARDER_RUNNER_LEASE_MS";

/// A process.
pub(crate) struct Child {
    child: tokio::process::Child,
    out: Lines<BufReader<ChildStdout>>,
    said: String,
}

impl Child {
    /// Starts a process that acts on a database.
    pub(crate) fn start(scratch: &Scratch, act: &str, lease: Duration) -> Self {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["child::acts", "--exact", "--ignored", "--nocapture"])
            .env(ACT, act)
            .env(URL, &scratch.url)
            .env(LEASE, lease.as_millis().to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, out, said: String::new() }
    }

    /// Waits until it says something that begins so.
    pub(crate) async fn says(&mut self, word: &str) {
        let wait = async {
            while let Some(line) = self.out.next_line().await.unwrap() {
                self.said += &line;
                self.said.push('\n');
                if line.contains(word) {
                    return true;
                }
            }
            false
        };
        let is_said = tokio::time::timeout(Duration::from_secs(60), wait).await;
        assert_eq!(is_said, Ok(true), "it did not say {word:?}: {}", self.said);
    }

    /// Tells it to go on.
    pub(crate) async fn go_on(&mut self) {
        let input = self.child.stdin.as_mut().unwrap();
        input.write_all(b"go on\n").await.unwrap();
        input.flush().await.unwrap();
    }

    /// Waits until it holds the lock, and stops it.
    pub(crate) async fn stop_as_holder(&mut self) {
        self.says("holds").await;
        self.signal(Signal::STOP);
        let id = self.child.id().unwrap();
        crate::support::until("the process is stopped", async || {
            let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap();
            stat.rsplit_once(')').is_some_and(|(_, state)| state.trim_start().starts_with('T'))
        })
        .await;
    }

    pub(crate) fn id(&self) -> Option<u32> {
        self.child.id()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.child.id().unwrap()).unwrap();
        kill_process(Pid::from_raw(id).unwrap(), signal).unwrap();
    }

    /// Waits until it has ended; what it said.
    pub(crate) async fn ended(&mut self) -> String {
        while let Ok(Some(line)) = self.out.next_line().await {
            self.said += &line;
            self.said.push('\n');
        }
        self.child.wait().await.unwrap();
        std::mem::take(&mut self.said)
    }

    /// Whether it ended well; to be asked after [`Child::ended`].
    pub(crate) async fn succeeded(&mut self) -> bool {
        self.child.wait().await.unwrap().success()
    }
}

/// Says something to whoever started this process.
#[expect(clippy::print_stdout, reason = "what a process of a test is heard by")]
pub(crate) fn say(text: &str) {
    println!("{text}");
}

/// Waits until whoever started this process says that it shall go on.
pub(crate) async fn told_to_go_on() {
    tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new()).unwrap())
        .await
        .unwrap();
}

/// Waits before the step that widens the table.
#[derive(Debug)]
struct Holds;

#[async_trait]
impl Script for Holds {
    async fn before(&self, sql: &str) {
        if alters("airline", sql) {
            say("holds");
            told_to_go_on().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "started by other tests in a process of its own"]
async fn acts() {
    let Ok(act) = env::var(ACT) else { return };
    let connector: Arc<dyn Connector> = Arc::new(UrlConnector::new(env::var(URL).unwrap()));
    let lease = Duration::from_millis(env::var(LEASE).unwrap().parse().unwrap());
    let options = options().with_lease(lease);
    match act.split_once(':') {
        None if act == "hold" => hold(connector, options).await,
        None if act == "storm" => storm::take_part(connector, options).await,
        Some(("kill", number)) => killed::run(connector, options, number.parse().unwrap()).await,
        Some((scene, number)) => {
            let scene = Scene::parse(scene).unwrap_or_else(|| panic!("{act}"));
            kept::run(connector, options, scene, number.parse().unwrap()).await;
        }
        None => panic!("{act}"),
    }
}

async fn hold(connector: Arc<dyn Connector>, options: MigrateOptions) {
    let migrator = Migrator::new(Arc::new(Scripted::new(connector, Holds)), options);
    let wide = table("airline", &["seats"]);
    match migrator.ensure(&[ModelRef::new("Airline", &wide)], Policy::Additive).await {
        Ok(standings) => say(&format!("ok={}", standings.iter().all(Standing::is_ensured))),
        Err(error) => say(&format!("error={error:?}")),
    }
}
