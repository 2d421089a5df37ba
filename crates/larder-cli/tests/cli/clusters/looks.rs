//! What is shown, to people and to programs.

use std::process::{Command, Stdio};

use super::*;

/// The text without the line that changes as time passes.
fn steady(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.starts_with("  Time Remaining: "));
    lines.map(|line| format!("{line}\n")).collect()
}

#[test]
fn status_looks_as_it_always_did() {
    let place = imported();
    let text = clusters(&place, &["status"]).ok();
    let size = fs::metadata(place.path(FILE)).unwrap().len();
    let expected = format!(
        "
=== Cache Statistics ===
  Total Clusters: 2
  Active Clusters: 1
  Expired Clusters: 1
  Total Accesses: 12
  Shared Clusters: 1
  Cache File Size: {size} bytes

=== Active Cached Cluster ===
  Cluster ID: cluster-123
  Created At: 2024-01-15T10:30:00Z
  Expires At: 2999-01-15T11:30:00Z
  Is Valid: Yes
  Access Count: 3
  Is Shared: Yes
  Last Accessed: 2024-01-15T10:45:00Z
"
    );
    assert_eq!(steady(&text), expected);
    assert!(text.contains("  Time Remaining: ") && text.ends_with(" minutes\n"), "{text}");
    let seen = json(clusters(&place, &["status", "--json"]));
    assert_eq!(seen["statistics"]["total_accesses"], 12);
    assert_eq!(seen["statistics"]["cache_file_size"], size);
    assert_eq!(seen["active"]["last_accessed"], "2024-01-15T10:45:00.250Z");
    clusters(&place, &["clear", "--yes"]).ok();
    let text = clusters(&place, &["status"]).ok();
    assert!(text.ends_with("\nNo active cached cluster\n"), "{text}");
    assert_eq!(json(clusters(&place, &["status", "--json"]))["active"], Value::Null);
}

#[test]
fn a_list_has_numbered_blocks_and_takes_conditions() {
    let place = imported();
    let text = clusters(&place, &["list"]).ok();
    let expected = "
=== Cached Clusters ===

Cluster 1:
  ID: cluster-123
  Name: test-cluster
  Status: RUNNING
  Created: 2024-01-15T10:30:00Z
  Expires: 2999-01-15T11:30:00Z
  Active: Yes
  Access Count: 3
  Is Shared: Yes
  Last Accessed: 2024-01-15T10:45:00Z

Cluster 2:
  ID: cluster-122
  Name: N/A
  Status: TERMINATED
  Created: 2024-01-14T10:30:00Z
  Expires: 2024-01-14T11:30:00Z
  Active: No
  Access Count: 9
  Is Shared: No
  Last Accessed: 2024-01-14T10:30:00Z
";
    assert_eq!(steady(&text), expected);
    assert!(text.ends_with("  Time Remaining: expired\n"), "{text}");
    for (args, expected) in [
        (&["--active"][..], &["cluster-123"][..]),
        (&["--valid", "--shared"], &["cluster-123"]),
        (&["--expired"], &["cluster-122"]),
        (&["--status", "terminated"], &["cluster-122"]),
        (&["--name", "test-cluster"], &["cluster-123"]),
        (&["--host", "https://workspace.cloud.databricks.com"], &["cluster-123"]),
        (&["--host", "x' OR 1 = 1 --"], &[]),
        (&["--expired", "--shared"], &[]),
    ] {
        let list = json(clusters(&place, &[&["list", "--json"], args].concat()));
        assert_eq!(ids(&list), expected, "{args:?}");
    }
    assert_eq!(clusters(&place, &["list", "--name", "x"]).ok(), "No cached clusters\n");
}

#[test]
fn the_file_and_its_log_are_told() {
    let place = imported();
    let text = clusters(&place, &["dbinfo"]).ok();
    let path = place.path(FILE);
    let size = fs::metadata(&path).unwrap().len();
    for line in [
        "=== Database Information ===".to_owned(),
        "  Database Exists: Yes".to_owned(),
        format!("  Database Size: {size} bytes"),
        "  WAL File Exists: No".to_owned(),
        "  WAL File Size: 0 bytes".to_owned(),
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in {text}");
    }
    let info = json(clusters(&place, &["dbinfo", "--json"]));
    assert_eq!(info["database_size"], size);
    assert!(info["database_path"].as_str().unwrap().ends_with("/clusters.db"), "{info}");
    let optimized = json(clusters(&place, &["optimize", "--json"]));
    assert_eq!(optimized["log_is_empty"], true);
    assert!(clusters(&place, &["optimize"]).ok().starts_with("Database optimized: "));
}

#[test]
fn the_history_of_a_cluster_is_told() {
    let place = imported();
    clusters(&place, &["add", "cluster-7"]).ok();
    clusters(&place, &["cleanup"]).ok();
    let events = |args: &[&str]| {
        let told = json(clusters(&place, &[&["history", "--json"], args].concat()));
        let event = |event: &Value| {
            let text = |field: &str| event[field].as_str().unwrap().to_owned();
            format!("{} {}", text("key"), text("event"))
        };
        told["events"].as_array().unwrap().iter().map(event).collect::<Vec<_>>()
    };
    assert_eq!(
        events(&[]),
        ["cluster-122 expired", "cluster-7 cached", "cluster-122 imported", "cluster-123 imported"]
    );
    assert_eq!(events(&["cluster-122"]), ["cluster-122 expired", "cluster-122 imported"]);
    assert_eq!(events(&["--limit", "1"]), ["cluster-122 expired"]);
    let text = clusters(&place, &["history", "cluster-7"]).ok();
    assert!(text.contains("cached cluster  cluster-7"), "{text}");
    assert_eq!(clusters(&place, &["history", "absent"]).ok(), "Nothing is known\n");
}

#[test]
fn monitoring_reads_the_figures() {
    let place = imported();
    let text = clusters(&place, &["status", "--prometheus"]).ok();
    assert!(text.contains("\nlarder_clusters{state=\"expired\"} 1\n"), "{text}");
}

#[test]
fn a_view_follows_the_other_where_nobody_watches_a_screen() {
    let place = imported();
    let text = clusters(&place, &["watch", "--count", "2", "--interval", "0.1"]).ok();
    assert_eq!(text.matches("=== Cache Statistics ===").count(), 2, "{text}");
    assert_eq!(text.matches("No shared clusters\n").count(), 2, "{text}");
    assert!(!text.contains('\u{1b}'), "{text}");
    let text = clusters(&place, &["watch", "--count", "3", "--interval", "0.1", "--json"]).ok();
    let views: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(views.len(), 3);
    for view in &views {
        assert_eq!(view["active"]["cluster_id"], "cluster-123");
        assert_eq!(view["shared"], serde_json::json!([]));
        assert!(view["at"].as_str().unwrap().ends_with('Z'), "{view}");
    }
}

#[cfg(unix)]
#[test]
fn whoever_interrupts_has_seen_enough() {
    use std::io::{BufRead as _, BufReader, Read as _};

    let place = imported();
    let mut command = place.command();
    command.args(["clusters", "watch", "--file", FILE, "--interval", "600"]);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    // Once the first view stands there, it waits.
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while line != "No shared clusters\n" {
        line.clear();
        assert_ne!(out.read_line(&mut line).unwrap(), 0, "it ended by itself");
    }
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    let status = child.wait().unwrap();
    assert_eq!(rest, "");
    assert!(status.success(), "{status}");
}
