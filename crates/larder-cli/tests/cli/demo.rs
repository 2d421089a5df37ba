//! `larder demo`: the sample, the figures, and their two forms.

use std::{
    io::{BufRead as _, BufReader},
    process::Stdio,
};

use serde_json::Value;

use crate::support::Place;

const SMALL: [&str; 5] = ["demo", "--bookings", "2000", "--database", "sample.db"];

fn json(place: &Place, args: &[&str]) -> Value {
    let ran = place.run(&[&SMALL[..], &["--json"], args].concat());
    assert_eq!((ran.code, &*ran.stderr), (Some(0), ""), "{ran:?}");
    serde_json::from_str(&ran.stdout).unwrap()
}

/// The rows of every table, as the command itself reads them.
fn content(place: &Place) -> String {
    let tables = ["airline", "airport", "flight", "passenger", "booking"];
    let table = |name: &str| {
        let sql = format!("SELECT * FROM {name} ORDER BY 1");
        place.run(&["query", &sql, "--database", "sample.db", "--format", "csv"]).ok()
    };
    tables.map(table).concat()
}

#[test]
fn the_second_run_uses_the_sample_of_the_first_and_leaves_it_as_it_was() {
    let place = Place::new();
    let first = json(&place, &[]);
    let rows = content(&place);
    let second = json(&place, &[]);
    assert_eq!(first["sample"]["reused"], false);
    assert_eq!(second["sample"]["reused"], true);
    assert_eq!(first["sample"]["checksum"], second["sample"]["checksum"]);
    assert_eq!(first["sample"]["bookings"], 2_000);
    assert_eq!(content(&place), rows);
    assert_eq!(place.files(), ["sample-cache.db", "sample.db", "sample.db.lock"]);
    assert_eq!(rows.lines().count(), 5 + 100 + 500 + 2_100 + 1_400 + 2_000);

    // Another place, the same rows; another seed, others.
    let elsewhere = Place::new();
    assert_eq!(json(&elsewhere, &[])["sample"]["checksum"], first["sample"]["checksum"]);
    assert_eq!(content(&elsewhere), rows);
    let reseeded = json(&elsewhere, &["--seed", "7"]);
    assert_eq!(reseeded["sample"]["reused"], false);
    assert_ne!(reseeded["sample"]["checksum"], first["sample"]["checksum"]);
    assert_ne!(content(&elsewhere), rows);
}

#[test]
fn every_state_of_the_cache_is_shown() {
    let place = Place::new();
    // A second time, so that what the first left in the cache would be noticed.
    for _ in 0..2 {
        let figures = json(&place, &[]);
        let queries = figures["queries"].as_array().unwrap();
        let names: Vec<_> = queries.iter().map(|query| query["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["Simple", "Medium", "Advanced"]);
        for query in queries {
            let steps = query["steps"].as_array().unwrap();
            let origin = |step: &Value| (step["source"].clone(), step["tier"].clone());
            let origins: Vec<_> = steps.iter().map(origin).collect();
            let miss = (Value::from("CACHE_MISS"), Value::Null);
            let hit = |tier: &str| (Value::from("CACHE_HIT"), Value::from(tier));
            let refresh = (Value::from("CACHE_REFRESH"), Value::Null);
            let write = (Value::Null, Value::Null);
            assert_eq!(
                origins,
                [miss.clone(), hit("near"), hit("far"), refresh, write, miss.clone(), miss]
            );
            assert_eq!(query["answer_changed"], true, "{query}");
            assert!(query["rows"].as_u64().unwrap() > 0, "{query}");
            assert!(steps.iter().all(|step| step["latency_ns"].as_u64().unwrap() > 0));
        }
        let keyspaces = figures["service"]["keyspaces"].as_array().unwrap();
        assert_eq!(keyspaces.len(), 3);
        // The call after the undoing is a miss of its own.
        assert!(keyspaces.iter().all(|keyspace| keyspace["misses"] == 4), "{keyspaces:?}");
        for keyspace in keyspaces {
            // Now and then a near entry is checked against the far tier.
            let [near, far] =
                ["near_hits", "far_hits"].map(|hits| keyspace[hits].as_u64().unwrap());
            assert_eq!(near + far, 5_001, "{keyspace}");
            assert!(near > far, "{keyspace}");
        }
    }
}

#[test]
fn without_a_far_tier_there_is_no_far_hit() {
    let place = Place::new();
    let figures = json(&place, &["--cache", "none"]);
    assert!(figures["neighbour"].is_null() && figures["service"]["far"].is_null());
    assert_eq!(figures["cache"], "none");
    assert!(!figures["queries"].to_string().contains("\"far\""));
    assert!(!place.files().contains(&"sample-cache.db".to_owned()));

    let figures = json(&place, &["--cache", "memory:"]);
    assert!(figures["queries"].to_string().contains("\"far\""));
}

#[test]
fn the_tables_fit_on_a_screen_and_have_colour_only_on_request() {
    let place = Place::new();
    let plain = place.run(&SMALL).ok();
    assert!(!plain.contains('\u{1b}'));
    assert!(plain.lines().all(|line| line.chars().count() <= 100), "{plain}");
    for expected in ["Advanced", "CACHE_HIT near", "CACHE_HIT far", "hit rate", "as fast"] {
        assert!(plain.contains(expected), "{expected}: {plain}");
    }
    assert!(place.run(&[&SMALL[..], &["--color"]].concat()).ok().contains("\u{1b}[32m"));
    let refused = place.run_with(&[("NO_COLOR", "1")], &SMALL);
    assert!(!refused.ok().contains('\u{1b}'));
}

#[test]
fn the_sample_lies_in_the_directory_for_caches() {
    let place = Place::new();
    let home = place.as_ref().to_str().unwrap();
    place.run_with(&[("XDG_CACHE_HOME", home)], &["demo", "--bookings", "10"]).ok();
    assert!(place.path("larder/airport.db").exists());
    place.run(&["demo", "--bookings", "10"]).ok();
    assert!(place.path(".cache/larder/airport.db").exists());
}

#[test]
fn a_file_that_is_no_sample_is_left_alone() {
    let place = Place::with_database();
    let before = std::fs::read(place.path("a.db")).unwrap();
    let line = place.run(&["demo", "--database", "a.db"]).failed(1);
    assert!(line.contains("a.db exists and is no sample"), "{line}");
    assert_eq!(std::fs::read(place.path("a.db")).unwrap(), before);
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let place = Place::new();
    place.run(&SMALL).ok();
    for args in [&SMALL[..], &[&SMALL[..], &["--json"]].concat()] {
        let mut child = place
            .command()
            .args(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // One line, as `head -1` reads it, or none at all.
        if !args.contains(&"--json") {
            let mut line = String::new();
            BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
            assert!(line.starts_with("larder demo"));
        }
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        assert!(output.status.success(), "{output:?}");
    }
}
