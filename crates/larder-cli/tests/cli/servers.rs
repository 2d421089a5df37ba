//! The command against real servers: each module needs the setup that it is named after.

use std::{env, time::Duration};

use larder_testkit::{Direction, FaultProxy, WireFault};
use serde_json::Value;

use crate::support::{CANARY, Place, Ran, eventually};

/// The URL of a setup.
fn url(setup: &str) -> String {
    let name = format!("LARDER_{setup}_URL");
    env::var(&name)
        .unwrap_or_else(|_| panic!("{name} is not set; `cargo xtask test` starts the servers"))
}

/// A name that nobody else has.
fn random_name() -> String {
    let nanos = std::time::UNIX_EPOCH.elapsed().unwrap().as_nanos();
    format!("larder_cli_{}_{nanos}", std::process::id())
}

/// The part of a check-up that is well.
fn well(place: &Place, option: &str, url: &str) -> Value {
    let database = if option == "--database" { vec![] } else { vec!["--database", "a.db"] };
    let ran = place.run(&[&["doctor", option, url, "--json"], &database[..]].concat());
    assert_eq!((ran.code, &*ran.stderr), (Some(0), ""), "{ran:?}");
    let found: Value = serde_json::from_str(&ran.stdout).unwrap();
    let part = found[option.trim_start_matches("--")].clone();
    assert_eq!(part["latency"]["round_trips"], 10, "{part}");
    assert!(!part["facts"].as_array().unwrap().is_empty(), "{part}");
    let text = place.run(&[&["doctor", option, url], &database[..]].concat()).ok();
    assert!(text.contains(part["server"].as_str().unwrap()), "{text}");
    part
}

/// The trouble of a check-up with another user and password.
fn refused(place: &Place, option: &str, url: &str) -> Value {
    let (scheme, rest) = url.split_once("://").unwrap();
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    let url = format!("{scheme}://nobody:{CANARY}@{host}");
    let ran = place.run(&["doctor", option, &url, "--json"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(!format!("{ran:?}").contains(CANARY), "{ran:?}");
    let found: Value = serde_json::from_str(&ran.stdout).unwrap();
    found[option.trim_start_matches("--")]["trouble"].clone()
}

/// The command on another server's port tells that something else answers.
fn confused(place: &Place, option: &str, url: &str, scheme: &str) {
    let host = url.split_once("://").unwrap().1;
    let ran = place.run(&["doctor", option, &format!("{scheme}://{host}"), "--json"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let found: Value = serde_json::from_str(&ran.stdout).unwrap();
    let trouble = &found[option.trim_start_matches("--")]["trouble"];
    assert!(!trouble["mend"].as_str().unwrap().is_empty(), "{trouble}");
}

/// A hit from the far tier, across two runs of the command.
fn shared_answer(place: &Place, cache: &str) {
    let sql = format!("SELECT name AS {} FROM airline WHERE iata = ?", random_name());
    let args = ["--bind", "LH", "--cache", cache];
    assert_eq!(place.query(&sql, &args).sources(), ["CACHE_MISS"]);
    eventually("a hit", || place.query(&sql, &args), is_far_hit);
    let write = "UPDATE airline SET name = 'Larder Air' WHERE iata = 'LH'";
    let write = || place.query(write, &["--cache", cache]);
    eventually("an invalidation", write, |ran| ran.code == Some(0));
    let fresh = place.query(&sql, &args);
    assert!(fresh.stdout.contains("Larder Air"), "{fresh:?}");
    assert_eq!(fresh.sources(), ["CACHE_MISS"]);
}

fn is_far_hit(ran: &Ran) -> bool {
    ran.sources() == ["CACHE_HIT (far)"]
}

/// Every far hit of the demonstration comes from this cache.
fn demo_cache(cache: &str) {
    let place = Place::new();
    let args = ["demo", "--bookings", "2000", "--database", "s.db", "--cache", cache, "--json"];
    let figures = |ran: &Ran| serde_json::from_str::<Value>(&ran.stdout).unwrap();
    let is_well = |ran: &Ran| ran.code == Some(0) && figures(ran)["service"]["far"]["errors"] == 0;
    let figures = figures(&eventually("a run without errors", || place.run(&args), is_well));
    for query in figures["queries"].as_array().unwrap() {
        assert_eq!(query["answer_changed"], true, "{query}");
        assert_eq!(query["steps"][2]["tier"], "far", "{query}");
    }
}

/// A database of its own, which is dropped when the test ends.
pub(crate) struct Own {
    place: Place,
    server: String,
    name: String,
}

impl Own {
    pub(crate) fn new(setup: &str) -> Self {
        let own = Self { place: Place::new(), server: url(setup), name: random_name() };
        own.admin(&format!("CREATE DATABASE {}", own.name)).ok();
        own
    }

    fn admin(&self, sql: &str) -> Ran {
        self.place.run(&["query", sql, "--database", &self.server])
    }

    pub(crate) const fn place(&self) -> &Place {
        &self.place
    }

    /// The URL of the database.
    pub(crate) fn url(&self) -> String {
        let (before, parameters) = self.server.split_once('?').unwrap_or((&self.server, ""));
        let (server, _name) = before.rsplit_once('/').unwrap();
        let sign = if parameters.is_empty() { "" } else { "?" };
        format!("{server}/{}{sign}{parameters}", self.name)
    }

    fn query(&self, sql: &str, args: &[&str]) -> Ran {
        self.place.run(&[&["query", sql, "--database", &self.url()], args].concat())
    }

    fn demo(&self, args: &[&str]) -> Ran {
        let url = self.url();
        let demo = ["demo", "--bookings", "2000", "--database", &url];
        self.place.run(&[&demo[..], args].concat())
    }

    /// Questions, parameters, writes and rows that come back through the cache.
    fn answers(&self, placeholder: &str) {
        self.query("CREATE TABLE airline (iata VARCHAR(8), fleet BIGINT)", &[]).ok();
        let rows = "INSERT INTO airline VALUES ('LH', 9007199254740993), ('XX', NULL)";
        assert!(self.query(rows, &[]).ok().contains("2 rows affected"));
        let sql = format!("SELECT iata, fleet FROM airline WHERE iata = {placeholder}");
        let args = ["--bind", "LH", "--format", "csv", "--cache", "sqlite://c.db"];
        let miss = self.query(&sql, &args);
        assert_eq!(miss.stdout, "iata,fleet\nLH,9007199254740993\n", "{miss:?}");
        assert_eq!(miss.sources(), ["CACHE_MISS"]);
        let hit = eventually("a hit", || self.query(&sql, &args), is_far_hit);
        assert_eq!(hit.stdout, "iata,fleet\nLH,9007199254740993\n");
        self.query("UPDATE airline SET fleet = 1", &["--cache", "sqlite://c.db"]).ok();
        assert_eq!(self.query(&sql, &args).stdout, "iata,fleet\nLH,1\n");

        self.query("CREATE TABLE moment (on_day DATE, at_time TIMESTAMP NULL)", &[]).ok();
        let insert = match placeholder {
            "?" => "INSERT INTO moment VALUES (?, ?)",
            _ => "INSERT INTO moment VALUES ($1, $2)",
        };
        let moment = "timestamp:2024-02-29T12:30:00";
        self.query(insert, &["--bind", "date:2024-02-29", "--bind", moment]).ok();
        let read = self.query("SELECT * FROM moment", &["--format", "csv"]).ok();
        assert!(read.contains("2024-02-29,2024-02-29T12:30:00"), "{read}");
    }

    /// The demonstration builds, uses again, rebuilds and removes its tables, and no others.
    fn demonstration(&self) {
        self.query("CREATE TABLE larder_demo_airline (a INTEGER)", &[]).ok();
        let line = self.demo(&[]).failed(1);
        assert!(line.contains("larder_demo_airline") && line.contains("left alone"), "{line}");
        self.demo(&["--clean"]).failed(1);
        self.query("DROP TABLE larder_demo_airline", &[]).ok();

        let figures = |args: &[&str]| -> Value {
            serde_json::from_str(&self.demo(&[&["--json"], args].concat()).ok()).unwrap()
        };
        let first = figures(&[]);
        assert_eq!(first["sample"]["reused"], false);
        for query in first["queries"].as_array().unwrap() {
            assert_eq!(query["answer_changed"], true, "{query}");
            let sources: Vec<_> =
                query["steps"].as_array().unwrap().iter().map(|step| &step["source"]).collect();
            assert_eq!(sources[0], "CACHE_MISS");
            assert_eq!((sources[1], sources[2]), (&"CACHE_HIT".into(), &"CACHE_HIT".into()));
            assert_eq!((sources[5], sources[6]), (&"CACHE_MISS".into(), &"CACHE_MISS".into()));
        }
        let second = figures(&[]);
        assert_eq!(second["sample"]["reused"], true);
        assert_eq!(second["sample"]["checksum"], first["sample"]["checksum"]);
        assert_eq!(figures(&["--seed", "7"])["sample"]["reused"], false);
        // What an interrupted demo left is taken out, and what it lost is built anew.
        let late =
            "INSERT INTO larder_demo_airline VALUES (101, '??', 'Late Air', 'Nowhere', 2025)";
        self.query(late, &[]).ok();
        assert_eq!(figures(&["--seed", "7"])["sample"]["reused"], true);
        let count =
            self.query("SELECT count(*) AS n FROM larder_demo_airline", &["--format", "csv"]);
        assert_eq!(count.stdout, "n\n100\n");
        self.query("DELETE FROM larder_demo_booking WHERE booking_id = 7", &[]).ok();
        assert_eq!(figures(&["--seed", "7"])["sample"]["reused"], false);

        let text = self.demo(&["--seed", "7"]).ok();
        assert!(text.contains("--clean"), "{text}");
        assert_eq!(self.demo(&["--clean"]).ok(), "The sample is removed.\n");
        assert_eq!(self.demo(&["--clean"]).ok(), "There is no sample.\n");
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        let dropped = self.admin(&format!("DROP DATABASE {}", self.name));
        if !std::thread::panicking() {
            dropped.ok();
        }
    }
}

mod redis {
    use super::*;

    #[test]
    #[ignore = "needs a live service"]
    fn the_doctor_tells_how_the_server_is() {
        let place = Place::with_database();
        let part = well(&place, "--cache", &url("REDIS"));
        assert!(part["server"].as_str().unwrap().contains("Redis"), "{part}");
        confused(&place, "--cache", &url("REDIS"), "rediss");
    }

    #[test]
    #[ignore = "needs a live service"]
    fn a_wrong_password_is_told_and_not_echoed() {
        let trouble = refused(&Place::with_database(), "--cache", &url("REDIS"));
        assert_eq!(trouble["kind"], "authentication", "{trouble}");
    }

    #[test]
    #[ignore = "needs a live service"]
    fn answers_are_shared_by_processes() {
        shared_answer(&Place::with_database(), &url("REDIS"));
        demo_cache(&url("REDIS"));
    }
}

mod memcached {
    use super::*;

    #[test]
    #[ignore = "needs a live service"]
    fn the_doctor_tells_how_the_server_is() {
        let place = Place::with_database();
        let part = well(&place, "--cache", &url("MEMCACHED"));
        assert!(part["server"].as_str().unwrap().to_lowercase().contains("memcached"), "{part}");
        confused(&place, "--cache", &url("MEMCACHED"), "memcacheds");
    }

    #[test]
    #[ignore = "needs a live service"]
    fn answers_are_shared_by_processes() {
        shared_answer(&Place::with_database(), &url("MEMCACHED"));
        demo_cache(&url("MEMCACHED"));
    }

    /// Slower than a service would wait for.
    #[test]
    #[ignore = "needs a live service"]
    fn answers_are_shared_through_a_slow_network() {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let url = url("MEMCACHED");
        let server = url.strip_prefix("memcached://").unwrap();
        let proxy = runtime.block_on(FaultProxy::start(server)).unwrap();
        let (delay, jitter) = (Duration::from_millis(150), Duration::ZERO);
        proxy.set(Direction::Replies, WireFault::Latency { delay, jitter });
        shared_answer(&Place::with_database(), &format!("memcached://{}", proxy.address()));
    }
}

/// The tests of one database engine.
macro_rules! database {
    ($module:ident, $setup:literal, $product:literal, $placeholder:literal) => {
        mod $module {
            use super::*;

            #[test]
            #[ignore = "needs a live service"]
            fn the_doctor_tells_how_the_server_is() {
                let part = well(&Place::new(), "--database", &url($setup));
                assert!(part["server"].as_str().unwrap().contains($product), "{part}");
                let ahead = part["clock_ahead_ms"].as_i64().unwrap();
                assert!(ahead.unsigned_abs() < 60_000, "{part}");
            }

            #[test]
            #[ignore = "needs a live service"]
            fn a_wrong_password_is_told_and_not_echoed() {
                let trouble = refused(&Place::new(), "--database", &url($setup));
                assert_eq!(trouble["kind"], "authentication", "{trouble}");
            }

            #[test]
            #[ignore = "needs a live service"]
            fn a_database_that_is_not_there_is_told() {
                let url = url($setup);
                let (server, _name) = url.rsplit_once('/').unwrap();
                let missing = format!("{server}/{}", random_name());
                let ran = Place::new().run(&["doctor", "--database", &missing, "--json"]);
                assert_eq!(ran.code, Some(1), "{ran:?}");
                assert!(ran.stdout.contains("\"no_database\""), "{ran:?}");
            }

            #[test]
            #[ignore = "needs a live service"]
            fn queries_are_answered_and_cached() {
                Own::new($setup).answers($placeholder);
            }

            #[test]
            #[ignore = "needs a live service"]
            fn the_demonstration_keeps_to_its_own_tables() {
                Own::new($setup).demonstration();
            }
        }
    };
}

database!(postgres, "POSTGRES", "PostgreSQL", "$1");
database!(mysql, "MYSQL", "MySQL", "?");
database!(mariadb, "MARIADB", "MariaDB", "?");
