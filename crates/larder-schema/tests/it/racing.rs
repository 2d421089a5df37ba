//! Several connections and several processes on one file.
//!
//! The processes are this test program again, told by an environment variable which file to use.

use std::{
    env,
    io::{BufRead as _, BufReader, Write as _, stdin, stdout},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::Barrier,
};

use larder_model::Model;
use larder_schema::Ensured;

use crate::support::{Airline, SqliteStore, block_on};

#[derive(Model)]
#[model(table = "airline")]
#[expect(dead_code, reason = "only its declaration counts")]
struct LaterAirline {
    #[model(key)]
    id: i64,
    iata: String,
    name: Option<String>,
    founded: Option<i32>,
    #[model(default = "0")]
    fleet: u32,
}

const FILE: &str = "LARDER_TEST_SCHEMA_FILE";

#[test]
fn connections_that_race_change_the_schema_once() {
    const CONNECTIONS: usize = 4;
    for _ in 0..10 {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("schema.db");
        let barrier = Barrier::new(CONNECTIONS);
        let race = || {
            let store = SqliteStore::open(&path);
            let schema = store.schema();
            barrier.wait();
            block_on(schema.ensure::<Airline>()).unwrap();
            barrier.wait();
            block_on(schema.ensure::<LaterAirline>()).unwrap();
            store.changes()
        };
        let changes: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..CONNECTIONS).map(|_| scope.spawn(race)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(changes, 1 + 2);
    }
}

#[test]
fn processes_that_race_change_the_schema_once() {
    const PROCESSES: usize = 3;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("schema.db");
    let start = |_| -> Child {
        Command::new(env::current_exe().unwrap())
            .args(["--exact", "racing::process", "--ignored", "--nocapture"])
            .env(FILE, &path)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let mut children: Vec<_> = (0..PROCESSES).map(start).collect();
    let mut outputs = Vec::new();
    for child in &mut children {
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        assert!(lines.any(|line| line.contains("@ready")), "the child did not start");
        outputs.push(lines);
    }
    for child in &mut children {
        child.stdin.take().unwrap().write_all(b"go\n").unwrap();
    }
    let mut migrated = 0;
    for (mut child, mut lines) in children.into_iter().zip(outputs) {
        let line = lines.find(|line| line.contains("@migrated")).expect("the child did not end");
        migrated += usize::from(line.contains("true"));
        lines.for_each(drop);
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(migrated, 1);
}

#[test]
#[ignore = "run as a child process by the test above"]
fn process() {
    let Some(file) = env::var_os(FILE).map(PathBuf::from) else { return };
    let store = SqliteStore::open(&file);
    let say = |what: &str| {
        let mut out = stdout().lock();
        writeln!(out, "@{what}").unwrap();
        out.flush().unwrap();
    };
    say("ready");
    stdin().lines().next().unwrap().unwrap();
    let ensured = block_on(store.schema().ensure::<LaterAirline>()).unwrap();
    say(&format!("migrated {}", matches!(ensured, Ensured::Migrated { .. })));
}
