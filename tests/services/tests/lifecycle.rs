//! What a test may do to a server of its own, and that nothing outlives the one who started it.

use std::{
    env, fs,
    io::{BufRead as _, BufReader},
    net::TcpStream,
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use larder_services::{Options, Reply, Service, Setup, start, start_with};

fn running(setup: Setup) -> Service {
    start(setup).unwrap_or_else(|error| panic!("{error}"))
}

fn listens(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}

/// Asks until it is so; the tests of this file wait for other processes, not for time.
fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..3000 {
        if holds() {
            return;
        }
        std::thread::park_timeout(std::time::Duration::from_millis(10));
    }
    panic!("{what}: it never happened");
}

/// The child of the test below: starts a server, says where it is, and waits to be killed.
#[test]
#[ignore = "run as a child process by the test below"]
#[expect(clippy::print_stdout, reason = "its parent reads what it prints")]
fn starts_a_server_and_waits() {
    let Ok(setup) = env::var("LARDER_SERVICES_ROLE") else {
        return;
    };
    let service = running(setup.parse().expect("the parent names a setup"));
    println!("at {} in {}", service.port(), service.server(0).folder().display());
    loop {
        std::thread::park();
    }
}

/// A process that holds a server, and where that is.
struct Starter {
    process: Child,
    port: u16,
    folder: PathBuf,
}

impl Starter {
    fn of(setup: Setup) -> Self {
        let own = env::current_exe().expect("a test runs");
        let mut process = Command::new(own)
            .args(["--ignored", "--exact", "--nocapture", "starts_a_server_and_waits"])
            .env("LARDER_SERVICES_ROLE", setup.name())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it runs already");
        let lines = BufReader::new(process.stdout.take().expect("it is piped")).lines();
        let line = lines
            .map(|line| line.expect("the child writes text"))
            .find_map(|line| Some(line.split_once("at ")?.1.to_owned()))
            .expect("the child says where its server is");
        let (port, folder) = line.split_once(" in ").expect("both are said");
        let port = port.parse().expect("it is a number");
        Self { process, port, folder: folder.into() }
    }

    fn kill(&mut self) {
        self.process.kill().expect("it waits for that");
        self.process.wait().expect("it is our child");
    }
}

fn nothing_survives_a_killed_starter(setup: Setup) {
    let mut starter = Starter::of(setup);
    assert!(listens(starter.port));
    starter.kill();
    eventually("the server ends", || !listens(starter.port));

    // The next process that starts anything clears away what is left.
    let mut next = Starter::of(Setup::Redis);
    assert!(!starter.folder.exists(), "{}", starter.folder.display());
    next.kill();
}

mod redis {
    use super::*;

    #[test]
    #[ignore = "needs a live service"]
    fn nothing_survives_a_killed_starter() {
        super::nothing_survives_a_killed_starter(Setup::Redis);
    }

    #[test]
    #[ignore = "needs a live service"]
    fn nothing_is_left_of_a_dropped_server() {
        let service = running(Setup::Redis);
        let (port, folder) = (service.port(), service.server(0).folder().to_owned());
        drop(service);
        assert!(!listens(port));
        // The folder goes with the last server of the process, which other tests may still have.
        assert!(!folder.exists() || folder.parent().is_some_and(|run| run.join("lock").is_file()));
    }

    #[test]
    #[ignore = "needs a live service"]
    fn a_panic_stops_the_server() {
        let port = std::thread::spawn(|| {
            let service = running(Setup::Redis);
            std::panic::panic_any(service.port());
        });
        let port = port.join().expect_err("it panics");
        let port = *port.downcast::<u16>().expect("the port is in the panic");
        assert!(!listens(port));
    }

    #[test]
    #[ignore = "needs a live service"]
    fn a_restart_keeps_the_port() {
        let service = running(Setup::Redis);
        let (server, port) = (service.server(0), service.port());
        let pid = server.pid();
        server.restart().expect("it starts again");
        assert_ne!(server.pid(), pid);
        assert_eq!(server.port(), port);
        eventually("it answers", || server.answers());
    }

    #[test]
    #[ignore = "needs a live service"]
    fn a_killed_server_is_gone_until_it_is_started() {
        let service = running(Setup::Redis);
        let server = service.server(0);
        server.kill();
        assert_eq!(server.pid(), None);
        assert!(!server.answers() && !listens(server.port()));
        server.start().expect("it starts again");
        eventually("it answers", || server.answers());
    }

    #[test]
    #[ignore = "needs a live service"]
    fn a_paused_server_accepts_and_says_nothing() {
        let service = running(Setup::Redis);
        let server = service.server(0);
        server.pause();
        assert!(listens(server.port()));
        assert!(!server.answers());
        server.resume();
        eventually("it answers", || server.answers());
        // One that stands still can be stopped all the same.
        server.pause();
        server.stop();
        assert!(!listens(server.port()));
    }

    #[test]
    #[ignore = "needs a live service"]
    fn options_reach_the_server() {
        let options = Options::new().with_args(["--maxmemory", "2mb"]);
        let service = start_with(Setup::Redis, &options).unwrap_or_else(|error| panic!("{error}"));
        let reply = service.server(0).commanded(&["CONFIG", "GET", "maxmemory"]);
        let reply = reply.expect("it answers");
        assert_eq!(reply.items().get(1).and_then(Reply::text), Some("2097152"));
    }

    #[test]
    #[ignore = "needs a live service"]
    fn a_server_that_can_not_start_is_reported_with_its_log() {
        let options = Options::new().with_args(["--no-such-option", "1"]);
        let error = start_with(Setup::Redis, &options).expect_err("it has no such option");
        assert!(!error.is_unavailable());
        let text = error.to_string();
        assert!(text.contains("did not stay alive"), "{text}");
        assert!(text.contains("no-such-option"), "{text}");
        let log = text.lines().find_map(|line| Some(line.split_once("the end of ")?.1));
        let log = log.and_then(|log| log.strip_suffix(':')).expect("the log is named");
        assert!(fs::read_to_string(log).is_ok_and(|log| log.contains("no-such-option")));
    }
}

mod memcached {
    use super::*;

    /// It has several threads, of which the signal reaches one.
    #[test]
    #[ignore = "needs a live service"]
    fn a_paused_server_says_nothing_from_the_moment_on() {
        let service = running(Setup::Memcached);
        let server = service.server(0);
        for _ in 0..3 {
            server.pause();
            assert!(!server.answers());
            server.resume();
            eventually("it answers", || server.answers());
        }
    }

    #[test]
    #[ignore = "needs a live service"]
    fn nothing_survives_a_killed_starter() {
        super::nothing_survives_a_killed_starter(Setup::Memcached);
    }

    #[test]
    #[ignore = "needs a live service"]
    fn a_restart_keeps_the_port() {
        let service = running(Setup::Memcached);
        let port = service.port();
        service.restart().expect("it starts again");
        assert_eq!(service.port(), port);
        eventually("it answers", || service.server(0).answers());
    }
}

/// Crashed and started again, with what it had.
fn a_killed_database_starts_again(setup: Setup) {
    let service = running(setup);
    let (server, port) = (service.server(0), service.port());
    server.kill();
    assert!(!listens(port));
    server.start().unwrap_or_else(|error| panic!("{error}"));
    eventually("it answers", || server.answers());
    assert_eq!(server.port(), port);
}

mod mariadb {
    use super::*;

    #[test]
    #[ignore = "needs a live service"]
    fn a_killed_database_starts_again() {
        super::a_killed_database_starts_again(Setup::Mariadb);
    }
}

mod mysql {
    use super::*;

    #[test]
    #[ignore = "needs a live service"]
    fn a_killed_database_starts_again() {
        super::a_killed_database_starts_again(Setup::Mysql);
    }
}

mod postgres {
    use super::*;

    #[test]
    #[ignore = "needs a live service"]
    fn a_killed_database_starts_again() {
        super::a_killed_database_starts_again(Setup::Postgres);
    }

    #[test]
    #[ignore = "needs a live service"]
    fn nothing_survives_a_killed_starter() {
        super::nothing_survives_a_killed_starter(Setup::Postgres);
    }
}
