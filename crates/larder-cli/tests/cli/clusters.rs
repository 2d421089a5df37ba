//! `larder clusters`: what is shown, what is done, and what is not done without a yes.

mod looks;
mod python;
mod secrets;
mod shared;

use std::fs;

use serde_json::Value;

use crate::support::{Place, Ran};

const FILE: &str = "clusters.db";

/// A document of the former cache: one cluster that is valid for ever, one that has expired.
const FORMER: &str = r#"[
    {"cluster_id": "cluster-123", "cluster_name": "test-cluster", "is_shared": true,
     "host": "https://workspace.cloud.databricks.com", "node_type_id": "m5.large",
     "num_workers": 1, "access_count": 3, "created_at": "2024-01-15 10:30:00",
     "expiry_time": "2999-01-15 11:30:00", "last_accessed": "2024-01-15 10:45:00.250"},
    {"cluster_id": "cluster-122", "created_at": "2024-01-14 10:30:00", "access_count": 9,
     "expiry_time": "2024-01-14 11:30:00", "status": "TERMINATED"}
]"#;

/// Runs a subcommand on `clusters.db`.
fn clusters(place: &Place, args: &[&str]) -> Ran {
    place.run(&[&["clusters"], args, &["--file", FILE]].concat())
}

/// A place whose file has the clusters of [`FORMER`].
fn imported() -> Place {
    let place = Place::new();
    fs::write(place.path("ephemeral.json"), FORMER).unwrap();
    clusters(&place, &["import", "ephemeral.json"]).ok();
    place
}

/// Asserts success with nothing on standard error; the document.
#[track_caller]
fn json(ran: Ran) -> Value {
    assert_eq!((ran.code, &*ran.stderr), (Some(0), ""), "{ran:?}");
    serde_json::from_str(&ran.stdout).unwrap()
}

fn ids(list: &Value) -> Vec<&str> {
    let all = list["clusters"].as_array().unwrap().iter();
    all.map(|cluster| cluster["cluster_id"].as_str().unwrap()).collect()
}

#[test]
fn what_can_not_be_taken_back_needs_a_yes() {
    let place = imported();
    clusters(&place, &["backup", "copy.db"]).ok();
    for args in [&["clear"][..], &["restore", "copy.db"], &["cleanup-shared"]] {
        let line = clusters(&place, args).failed(4);
        assert!(line.contains("nothing was done") && line.contains("--yes"), "{line}");
    }
    assert_eq!(ids(&json(clusters(&place, &["list", "--json"]))).len(), 2);
    assert_eq!(json(clusters(&place, &["clear", "--yes", "--json"]))["removed"], 2);
    assert_eq!(clusters(&place, &["clear", "--yes"]).ok(), "Cleared 0 clusters\n");
    assert_eq!(clusters(&place, &["restore", "copy.db", "--yes"]).ok(), "Restored 2 clusters\n");
    assert_eq!(ids(&json(clusters(&place, &["list", "--json"]))).len(), 2);
    assert_eq!(
        clusters(&place, &["cleanup-shared", "--yes"]).ok(),
        "Cleaned up 0 shared clusters\n"
    );
}

#[test]
fn a_cluster_is_added_from_a_file_the_command_line_and_the_environment() {
    let place = Place::new();
    let config = r#"{"cluster_name": "from-file", "host": "", "spark_conf": {"a": "b"}}"#;
    fs::write(place.path("config.json"), config).unwrap();
    let environment = [
        ("DATABRICKS_HOST", "https://workspace.example"),
        ("DATABRICKS_CLUSTER_ID", "0609-133723-abc"),
        ("LARDER_CLUSTERS_FILE", FILE),
    ];
    let run = |args: &[&str]| place.run_with(&environment, &[&["clusters"], args].concat());
    let added = json(run(&["add", "--config", "config.json", "--workers", "4", "--json"]));
    let cluster = &added["cached"];
    assert_eq!(cluster["cluster_id"], "0609-133723-abc");
    assert_eq!(cluster["host"], "https://workspace.example");
    assert_eq!(
        (&cluster["cluster_name"], &cluster["num_workers"]),
        (&"from-file".into(), &4.into())
    );
    let text = run(&["add", "c-2", "--host", "https://other", "--name", "n", "--shared"]).ok();
    assert!(text.starts_with("Cached cluster c-2 until 2"), "{text}");
    let list = json(run(&["list", "--json"]));
    assert_eq!(ids(&list), ["c-2", "0609-133723-abc"]);
    assert_eq!(list["clusters"][0]["host"], "https://other");
    assert_eq!(json(run(&["status", "--json"]))["active"]["cluster_id"], "c-2");
    let hour = list["clusters"][0]["remaining_seconds"].as_u64().unwrap();
    assert!((3_500..=3_600).contains(&hour), "{hour}");
    let day = json(run(&["add", "c-3", "--expiry-hours", "24", "--json"]));
    let day = day["cached"]["remaining_seconds"].as_u64().unwrap();
    assert!((86_300..=86_400).contains(&day), "{day}");
}

#[test]
fn the_former_cache_is_imported_once() {
    let place = Place::new();
    fs::write(place.path("ephemeral.json"), FORMER).unwrap();
    let text = clusters(&place, &["import", "ephemeral.json"]).ok();
    assert_eq!(text, "imported  cluster-123\nimported  cluster-122\nImported 2 clusters\n");
    let again = json(clusters(&place, &["import", "ephemeral.json", "--json"]));
    assert_eq!(again["known"], serde_json::json!(["cluster-123", "cluster-122"]));
    assert_eq!(fs::read_to_string(place.path("ephemeral.json")).unwrap(), FORMER);
    fs::write(place.path("bad.json"), "[{}]").unwrap();
    let line = clusters(&place, &["import", "bad.json"]).failed(1);
    assert!(line.contains("bad.json") && line.contains("entry 1 has no cluster_id"), "{line}");
}

#[test]
fn local_times_of_the_former_cache_are_those_of_this_machines_zone() {
    let place = Place::new();
    let document = r#"{"cluster_id": "a", "created_at": "2024-01-15T10:30:00.123456",
                       "expiry_time": "2999-07-15T10:30:00"}"#;
    fs::write(place.path("ephemeral.json"), document).unwrap();
    // A zone by its rule, so that no database of zones is needed.
    let zone = [("TZ", "EST5EDT,M3.2.0,M11.1.0"), ("LARDER_CLUSTERS_FILE", FILE)];
    place.run_with(&zone, &["clusters", "import", "ephemeral.json"]).ok();
    let list = json(clusters(&place, &["list", "--json"]));
    assert_eq!(list["clusters"][0]["created_at"], "2024-01-15T15:30:00.123Z");
    assert_eq!(list["clusters"][0]["expiry_time"], "2999-07-15T14:30:00Z");
}

#[test]
fn expired_clusters_are_cleaned_up_without_a_question() {
    let place = imported();
    assert_eq!(clusters(&place, &["cleanup"]).ok(), "Removed 1 expired cluster\n");
    assert_eq!(json(clusters(&place, &["cleanup", "--json"]))["removed"], 0);
    assert_eq!(ids(&json(clusters(&place, &["list", "--json"]))), ["cluster-123"]);
}

#[test]
fn a_copy_replaces_nothing_and_a_foreign_one_is_refused() {
    let place = imported();
    clusters(&place, &["backup", "copy.db"]).ok();
    let line = clusters(&place, &["backup", "copy.db"]).failed(1);
    assert!(line.contains("copy.db exists"), "{line}");
    place.run(&["query", "CREATE TABLE t (x)", "--database", "sqlite://other.db?mode=rwc"]).ok();
    let line = clusters(&place, &["restore", "other.db", "--yes"]).failed(1);
    assert!(line.contains("other.db") && line.contains("another program"), "{line}");
    assert_eq!(ids(&json(clusters(&place, &["list", "--json"]))).len(), 2);
}

#[test]
fn the_file_is_the_users_unless_told_otherwise() {
    let place = Place::new();
    place.run(&["clusters", "add", "a"]).ok();
    assert!(place.path(".local/state/larder/clusters.db").is_file());
    let state = place.path("state");
    let state = [("XDG_STATE_HOME", state.to_str().unwrap())];
    place.run_with(&state, &["clusters", "add", "b"]).ok();
    let list = json(place.run_with(&state, &["clusters", "list", "--json"]));
    assert_eq!(ids(&list), ["b"]);
    assert!(place.path("state/larder/clusters.db").is_file());
}

#[test]
fn a_file_that_is_not_there_is_not_made_by_looking() {
    let place = Place::new();
    for args in [
        &["status"][..],
        &["list"],
        &["shared"],
        &["history"],
        &["watch"],
        &["clear", "--yes"],
        &["cleanup"],
        &["optimize"],
        &["backup", "copy.db"],
        &["cleanup-shared", "--yes"],
    ] {
        let line = clusters(&place, args).failed(1);
        assert!(line.contains("clusters.db is not there"), "{line}");
    }
    let info = json(clusters(&place, &["dbinfo", "--json"]));
    assert_eq!((&info["database_exists"], &info["database_size"]), (&false.into(), &0.into()));
    assert_eq!(place.files(), [""; 0]);
}

#[test]
fn a_file_of_another_program_and_what_is_no_file_are_left_alone() {
    let place = Place::new();
    place.run(&["query", "CREATE TABLE t (x)", "--database", "sqlite://clusters.db?mode=rwc"]).ok();
    let before = fs::read(place.path(FILE)).unwrap();
    for args in [&["status"][..], &["add", "a"], &["clear", "--yes"]] {
        let line = clusters(&place, args).failed(1);
        assert!(line.contains("clusters.db") && line.contains("another program"), "{line}");
    }
    assert_eq!(fs::read(place.path(FILE)).unwrap(), before);
    fs::create_dir(place.path("directory")).unwrap();
    let line = place.run(&["clusters", "status", "--file", "directory"]).failed(1);
    assert!(line.contains("is a directory"), "{line}");
    let line = place.run(&["clusters", "add", "a", "--file", "absent/c.db"]).failed(1);
    assert!(line.contains("absent"), "{line}");
}

#[test]
fn a_command_line_that_makes_no_sense_is_exit_code_2() {
    let place = imported();
    for args in [
        &["add"][..],
        &["add", ""],
        &["add", "a", "--workers", "many"],
        &["add", "a", "--expiry-hours", "0"],
        &["list", "--expired", "--valid"],
        &["list", "--status", "on fire"],
        &["history", "--limit", "0"],
        &["watch", "--count", "0"],
        &["watch", "--interval", "0"],
        &["status", "--prometheus", "--json"],
        &["cleanup-shared", "--force", "--yes"],
        &["import"],
        &["backup"],
        &["nonsense"],
    ] {
        clusters(&place, args).failed(2);
    }
    let without = place.run(&["clusters"]);
    assert_eq!((without.code, &*without.stdout), (Some(2), ""));
    assert!(without.stderr.contains("Usage: larder clusters"), "{without:?}");
    assert!(place.run(&["clusters", "--help"]).ok().contains("DATABRICKS_HOST"));
}
