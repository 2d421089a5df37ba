//! `larder doctor` without any server: files, nothing, and what does not answer.

use std::net::TcpListener;

use serde_json::Value;

use crate::support::{CANARY, Place, Ran};

/// The document, the exit code, and nothing on standard error.
fn json(ran: Ran) -> (Value, Option<i32>) {
    assert_eq!(ran.stderr, "", "{ran:?}");
    (serde_json::from_str(&ran.stdout).unwrap(), ran.code)
}

#[test]
fn two_files_are_well() {
    let place = Place::with_database();
    let args = ["doctor", "--database", "a.db", "--cache", "sqlite://cache.db", "--json"];
    let (found, code) = json(place.run(&args));
    assert_eq!((code, &found["works"], &found["version"]), (Some(0), &true.into(), &1.into()));
    for (part, url) in [("database", "sqlite://a.db"), ("cache", "sqlite://cache.db")] {
        let part = &found[part];
        assert_eq!(part["url"], url);
        assert!(part["status"] == "ok" || part["status"] == "advice", "{part}");
        assert!(part["server"].as_str().unwrap().contains("SQLite"), "{part}");
        assert_eq!(part["latency"]["round_trips"], 10);
        let [min, median, max] =
            ["min_ns", "median_ns", "max_ns"].map(|name| part["latency"][name].as_u64().unwrap());
        assert!(0 < min && min <= median && median <= max, "{part}");
        assert!(part["trouble"].is_null() && part["clock_ahead_ms"].is_null(), "{part}");
    }
}

#[test]
fn the_text_fits_on_a_screen_and_has_colour_only_on_request() {
    let place = Place::with_database();
    let args = ["doctor", "--database", "a.db", "--cache", "memory:"];
    let plain = place.run(&args).ok();
    assert!(plain.lines().all(|line| line.chars().count() <= 100), "{plain}");
    for expected in ["larder doctor", "database", "cache", "round trips", "server"] {
        assert!(plain.contains(expected), "{expected}: {plain}");
    }
    assert!(!plain.contains('\u{1b}'));
    assert!(place.run(&[&args[..], &["--color"]].concat()).ok().contains('\u{1b}'));
}

#[test]
fn a_cache_is_a_choice_and_a_database_is_not() {
    let place = Place::with_database();
    let (found, code) = json(place.run(&["doctor", "--database", "a.db", "--json"]));
    assert_eq!((code, &found["cache"]["status"]), (Some(0), &"not_configured".into()));
    let none = ["doctor", "--database", "a.db", "--cache", "none", "--json"];
    assert_eq!(json(place.run(&none)).0["cache"]["status"], "not_configured");

    let (found, code) = json(place.run(&["doctor", "--cache", "memory:", "--json"]));
    assert_eq!((code, &found["database"]["status"]), (Some(1), &"failed".into()));
    let mend = found["database"]["trouble"]["mend"].as_str().unwrap();
    assert!(mend.contains("DATABASE_URL"), "{mend}");
    assert_eq!(found["works"], false);
}

#[test]
fn settings_come_from_the_environment_and_the_file() {
    let place = Place::with_database();
    std::fs::write(place.path(".env"), "DB_ENGINE=sqlite\nDB_NAME=a.db\n").unwrap();
    let variables = [("CACHE_ENGINE", "sqlite"), ("CACHE_PATH", "env.db")];
    let (found, code) = json(place.run_with(&variables, &["doctor", "--json"]));
    assert_eq!(code, Some(0));
    assert_eq!(found["database"]["url"], "sqlite://a.db");
    assert_eq!(found["cache"]["url"], "sqlite://env.db");
}

#[test]
fn one_part_that_fails_does_not_hide_the_other() {
    let place = Place::with_database();
    std::fs::write(place.path("text.db"), "no cache at all, only text\n".repeat(200)).unwrap();
    for (database, cache, failed, works) in [
        ("a.db", "sqlite://text.db", "cache", "database"),
        ("text.db", "memory:", "database", "cache"),
        ("sqlite://missing.db", "memory:", "database", "cache"),
        ("nothing", "memory:", "database", "cache"),
        ("a.db", "ftp://h", "cache", "database"),
    ] {
        let args = ["doctor", "--database", database, "--cache", cache, "--json"];
        let (found, code) = json(place.run(&args));
        assert_eq!((code, &found[failed]["status"]), (Some(1), &"failed".into()), "{found}");
        assert!(!found[failed]["trouble"]["mend"].as_str().unwrap().is_empty(), "{found}");
        assert!(found[works]["latency"]["min_ns"].as_u64().unwrap() > 0, "{found}");
    }
}

/// Nobody listens at a port that was given back just now.
fn closed_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Which engines this build has, and with which scheme.
fn engines() -> Vec<(&'static str, &'static str)> {
    let mut engines = Vec::new();
    if cfg!(feature = "postgres") {
        engines.push(("--database", "postgres"));
    }
    if cfg!(feature = "mysql") {
        engines.extend([("--database", "mysql"), ("--database", "mariadb")]);
    }
    if cfg!(feature = "redis") {
        engines.extend([("--cache", "redis"), ("--cache", "valkey")]);
    }
    if cfg!(feature = "memcached") {
        engines.push(("--cache", "memcached"));
    }
    engines
}

fn examine(place: &Place, option: &str, url: &str, limit: &str) -> Value {
    let (found, code) = json(place.run(&["doctor", option, url, "--time-limit", limit, "--json"]));
    assert_eq!(code, Some(1), "{found}");
    assert!(!found.to_string().contains(CANARY), "{found}");
    let text = place.run(&["doctor", option, url, "--time-limit", limit]);
    assert!(!format!("{text:?}").contains(CANARY), "{text:?}");
    assert!(text.stdout.contains("  mend  "), "{text:?}");
    found[option.trim_start_matches("--")].clone()
}

#[test]
fn at_the_wrong_port_it_asks_whether_the_server_runs() {
    let place = Place::new();
    for (option, scheme) in engines() {
        let path = if option == "--database" { "/d" } else { "" };
        let url = format!("{scheme}://u:hunter2@127.0.0.1:{}{path}", closed_port());
        let part = examine(&place, option, &url, "10");
        assert_eq!(part["status"], "failed", "{url}: {part}");
        let mend = part["trouble"]["mend"].as_str().unwrap();
        assert!(mend.contains("is the server running"), "{url}: {part}");
    }
}

#[test]
fn a_server_that_takes_the_connection_and_is_silent_ends_in_time() {
    let place = Place::new();
    for (option, scheme) in engines() {
        // The backlog takes connections that nobody accepts.
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = silent.local_addr().unwrap().port();
        let path = if option == "--database" { "/d" } else { "" };
        let url = format!("{scheme}://127.0.0.1:{port}{path}");
        let part = examine(&place, option, &url, "2");
        let kind = part["trouble"]["kind"].as_str().unwrap();
        assert!(["timeout", "connection", "unavailable"].contains(&kind), "{url}: {part}");
    }
}

#[test]
fn an_engine_that_is_not_compiled_in_is_named_with_its_feature() {
    let place = Place::new();
    for (is_compiled, option, url, feature) in [
        (cfg!(feature = "postgres"), "--database", "postgres://h/d", "postgres"),
        (cfg!(feature = "mysql"), "--database", "mariadb://h/d", "mysql"),
        (cfg!(feature = "redis"), "--cache", "valkey://h", "redis"),
        (cfg!(feature = "memcached"), "--cache", "memcached://h", "memcached"),
    ] {
        if is_compiled {
            continue;
        }
        let part = examine(&place, option, url, "10");
        assert_eq!(part["trouble"]["kind"], "not_compiled");
        let error = part["trouble"]["error"].as_str().unwrap();
        assert!(error.contains(&format!("enable the feature \"{feature}\"")), "{error}");
    }
}
