//! The token of the workspace is stored nowhere and shown nowhere.

use super::*;
use crate::support::CANARY;

/// What the environment of a service holds.
const ENVIRONMENT: [(&str, &str); 4] = [
    ("DATABRICKS_HOST", "https://token:hunter2@workspace.example"),
    ("DATABRICKS_TOKEN", CANARY),
    ("DATABRICKS_CLUSTER_ID", "c-1"),
    ("LARDER_CLUSTERS_FILE", FILE),
];

fn has_canary(bytes: &[u8]) -> bool {
    bytes.windows(CANARY.len()).any(|window| window == CANARY.as_bytes())
}

#[test]
fn the_token_is_in_no_file_and_in_no_output() {
    let place = Place::new();
    let config = r#"{"cluster_name": "n", "token": "hunter2", "DATABRICKS_TOKEN": "hunter2",
        "spark_conf": {"spark.databricks.token": "hunter2", "a": "https://u:hunter2@h/"}}"#;
    fs::write(place.path("config.json"), config).unwrap();
    let document = r#"[{"cluster_id": "c-2", "token": "hunter2", "host": "https://x:hunter2@h"}]"#;
    fs::write(place.path("ephemeral.json"), document).unwrap();
    let run = |args: &[&str]| {
        let ran = place.run_with(&ENVIRONMENT, &[&["clusters"], args].concat());
        assert!(!format!("{ran:?}").contains(CANARY), "{ran:?}");
        ran
    };
    run(&["add", "--config", "config.json"]).ok();
    run(&["import", "ephemeral.json"]).ok();
    for args in [
        &["status"][..],
        &["list", "--json"],
        &["history"],
        &["shared"],
        &["dbinfo"],
        &["optimize"],
        &["backup", "copy.db"],
        &["watch", "--count", "1"],
        &["status", "--prometheus"],
    ] {
        run(args).ok();
    }
    let list = json(run(&["list", "--json"]));
    let hosts = [&list["clusters"][0]["host"], &list["clusters"][1]["host"]];
    assert_eq!(hosts, ["https://h", "https://workspace.example"]);
    for name in place.files() {
        let is_input = name.ends_with(".json");
        assert_eq!(has_canary(&fs::read(place.path(&name)).unwrap()), is_input, "{name}");
    }
}

#[test]
fn where_the_token_would_be_stored_nothing_is() {
    let place = Place::new();
    fs::write(place.path("config.json"), r#"{"custom_tags": ["x hunter2"]}"#).unwrap();
    fs::write(place.path("ephemeral.json"), r#"{"hunter2": {"cluster_name": "n"}}"#).unwrap();
    for args in [
        &["add", "hunter2"][..],
        &["add", "--name", "hunter2"],
        &["add", "--host", "https://h/?token=hunter2"],
        &["add", "--config", "config.json"],
        &["import", "ephemeral.json"],
    ] {
        let ran = place.run_with(&ENVIRONMENT, &[&["clusters"], args].concat());
        let line = ran.failed(1);
        assert!(line.contains("DATABRICKS_TOKEN") && !line.contains(CANARY), "{line}");
    }
    assert_eq!(place.files(), ["config.json", "ephemeral.json"]);
}

#[test]
fn no_url_in_the_wrong_place_is_echoed() {
    let place = imported();
    let url = "postgres://u:hunter2@h/d";
    for args in [
        &["status", "--file", url][..],
        &["add", url],
        &["add", "a", "--config", url],
        &["import", url],
        &["backup", url],
        &["restore", url],
        &["history", url],
        &["cleanup-shared", url],
        &["list", "--status", url],
        &[url],
    ] {
        let ran = place.run(&[&["clusters"], args].concat());
        assert!(matches!(ran.code, Some(1 | 2)), "{ran:?}");
        assert!(!format!("{ran:?}").contains(CANARY), "{ran:?}");
    }
    let line = place.run_with(&[("LARDER_CLUSTERS_FILE", url)], &["clusters", "status"]).failed(2);
    assert!(line.contains("LARDER_CLUSTERS_FILE") && !line.contains(CANARY), "{line}");
}
