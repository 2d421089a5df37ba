//! What goes wrong is told in one line, with an exit code, and without a secret.

use crate::support::{CANARY, Place};

#[test]
fn a_command_line_that_makes_no_sense_is_exit_code_2() {
    let place = Place::with_database();
    for args in [
        &["query"][..],
        &["nonsense"],
        &["query", "SELECT 1", "extra"],
        &["query", "SELECT 1", "--format", "xml"],
        &["query", "SELECT 1", "--ttl", "0"],
        &["query", "SELECT 1", "--ttl", "-1"],
        &["query", "SELECT 1", "--ttl", "soon"],
        &["query", "SELECT 1", "--repeat", "0"],
        &["query", "SELECT 1", "--databse", "a.db"],
        &["query", "SELECT ?", "--database", "a.db", "--bind", "int:x"],
        &["query", "DELETE FROM airline", "--database", "a.db", "--repeat", "2"],
        &["demo", "--bookings", "0"],
        &["demo", "--color", "--no-color"],
        &["demo", "--database", "postgress://h/d"],
        &["demo", "--database", "sqlite::memory:"],
        &["doctor", "--time-limit", "0"],
        &["doctor", "--color", "--no-color"],
    ] {
        place.run(args).failed(2);
    }
    let without = place.run(&[]);
    assert_eq!((without.code, &*without.stdout), (Some(2), ""));
    assert!(without.stderr.contains("Usage: larder"), "{without:?}");
}

#[test]
fn help_and_version_are_exit_code_0() {
    let place = Place::new();
    for (args, expected) in [
        (&["--help"][..], "Usage: larder <COMMAND>"),
        (&["query", "--help"], "DATABASE_URL"),
        (&["query", "--help"], "json:{\"a\":1}"),
        (&["demo", "-h"], "--bookings"),
        (&["doctor", "--help"], "CACHE_PASSWORD"),
        (&["--version"], env!("CARGO_PKG_VERSION")),
    ] {
        let ran = place.run(args);
        assert_eq!((ran.code, &*ran.stderr), (Some(0), ""));
        assert!(ran.stdout.contains(expected), "{}", ran.stdout);
    }
}

#[test]
fn what_the_database_says_comes_through() {
    let place = Place::with_database();
    for (sql, expected) in [
        ("SELECT * FROM missing", "a table does not exist: "),
        ("SELECT absent FROM airline", "a column does not exist: "),
        ("SELEC 1", "the statement is not valid: "),
        ("SELECT * FROM airline WHERE iata = ?", "1 expected, 0 bound"),
        ("INSERT INTO airline (iata) VALUES ('LH')", "a unique key exists already: "),
        ("BEGIN", "transactions"),
    ] {
        let line = place.query(sql, &[]).failed(1);
        assert!(line.contains(expected), "{line}");
    }
    let line = place.query("SELECT * FROM missing", &[]).failed(1);
    assert_eq!(line.matches("no such table").count(), 1, "{line}");
}

#[test]
fn a_database_that_can_not_be_opened_is_named() {
    let place = Place::new();
    std::fs::write(place.path("text.db"), "no database at all, only text\n".repeat(200)).unwrap();
    for (database, expected) in [
        ("sqlite://missing.db", "sqlite://missing.db"),
        ("missing.db", "neither a URL of a known scheme nor an existing file"),
        ("sqlite://no/such/directory/a.db?mode=rwc", "no/such/directory/a.db"),
        ("text.db", "text.db"),
        ("sqlite:", "does not say where"),
    ] {
        let line = place.run(&["query", "SELECT 1", "--database", database]).failed(1);
        assert!(line.contains(expected), "{line}");
    }
    let line = place.run(&["query", "SELECT 1"]).failed(1);
    assert!(line.contains("no database is configured: set DATABASE_URL"), "{line}");
}

#[test]
fn a_cache_file_that_can_not_be_opened_is_named_and_left_alone() {
    let place = Place::with_database();
    let text = "no cache at all, only text\n".repeat(200);
    std::fs::write(place.path("text.db"), &text).unwrap();
    for cache in ["sqlite://text.db", "sqlite://a.db", "sqlite://no/such/directory/c.db"] {
        let line = place.query("SELECT 1", &["--cache", cache]).failed(1);
        assert!(line.contains(&format!("the cache can not be opened: {cache}: ")), "{line}");
    }
    assert_eq!(std::fs::read_to_string(place.path("text.db")).unwrap(), text);
    let line = place.query("SELECT 1", &["--cache", "ftp://h"]).failed(1);
    assert!(line.contains("the cache URL is not valid: unknown scheme"), "{line}");
}

#[test]
fn a_cache_that_is_away_is_no_reason_to_go_without_an_answer() {
    let place = Place::with_database();
    for cache in ["redis://127.0.0.1:1", "memcached://127.0.0.1:1"] {
        let ran = place.query("SELECT 1", &["--cache", cache]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
    }
}

#[test]
fn no_password_is_echoed_wherever_it_stands() {
    let place = Place::with_database();
    let seen = |ran: crate::support::Ran| {
        assert_ne!(ran.code, Some(0), "{ran:?}");
        assert!(ran.stderr.starts_with("error: "), "{ran:?}");
        assert!(!format!("{ran:?}").contains(CANARY), "{ran:?}");
    };
    // A cache that is away is no failure.
    let hidden = |ran: crate::support::Ran| {
        assert!(!format!("{ran:?}").contains(CANARY), "{ran:?}");
    };
    for url in [
        "postgres://u:hunter2@localhost:1/d",
        "postgress://u:hunter2@h/d",
        "mysql://u:a/hunter2@h/d",
        "postgres:hunter2",
        "redis://:hunter2@localhost:1",
        "memcached://u:hunter2@h",
        "sqlite://a.db?key=hunter2",
    ] {
        seen(place.run(&["query", "SELECT 1", "--database", url]));
        seen(place.run(&["query", "SELECT 1", "--database", url, "--cache", "x"]));
        seen(place.run(&["query", "SELECT 1", &format!("--databas={url}")]));
        seen(place.run(&["query", "SELECT 1", url]));
        seen(place.run(&["query", "SELECT 1", "--ttl", url]));
        seen(place.run(&["demo", "--database", url]));
        seen(place.run(&["demo", "--bookings", url]));
        seen(place.run(&["doctor", "--time-limit", url]));
        seen(place.run(&[url]));
        seen(place.run_with(&[("DATABASE_URL", url)], &["query", "SELECT 1"]));
        if !url.starts_with("sqlite") {
            hidden(place.run(&["query", "SELECT 1", "--database", "a.db", "--cache", url]));
            hidden(place.run(&["demo", "--database", "d.db", "--bookings", "10", "--cache", url]));
            let variables = [("DATABASE_URL", "a.db"), ("CACHE_URL", url)];
            hidden(place.run_with(&variables, &["query", "SELECT 1"]));
        }
    }
    let variables = [("DB_ENGINE", "mysql"), ("DB_USER", "u"), ("DB_PASSWORD", CANARY)];
    seen(place.run_with(&variables, &["query", "SELECT 1"]));
    let variables = [("DATABASE_URL", "a.db"), ("CACHE_TTL", CANARY)];
    seen(place.run_with(&variables, &["query", "SELECT 1"]));
    seen(place.query("SELECT ?", &["--bind", "int:hunter2"]));
    std::fs::write(place.path(".env"), "DB_PASSWORD=\"hunter2\n").unwrap();
    seen(place.run(&["query", "SELECT 1"]));
    std::fs::write(place.path(".env"), "DB PASSWORD hunter2\n").unwrap();
    seen(place.run(&["query", "SELECT 1"]));
}
