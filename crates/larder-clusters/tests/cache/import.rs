//! The file-based cache that came before.

use std::time::Duration;

use larder_clusters::{ClusterStatus, Error, ImportError};

use crate::support::{HOUR, Place, config, ids};

#[test]
fn the_former_cache_is_taken_over() {
    let place = Place::new();
    let cache = place.cache();
    let document = r#"{
        "cluster_id": "0609-133723-abc", "cluster_name": "test-cluster",
        "host": "https://u:hunter2@workspace.example", "node_type_id": "m5.large",
        "spark_version": "13.3.x-scala2.12", "num_workers": 2, "autotermination_minutes": 120,
        "is_shared": true, "token": "hunter2", "status": "RUNNING", "access_count": 7,
        "created_at": "2024-12-31T23:50:00+00:00", "expiry_time": "2025-01-01 00:50:00"
    }"#;
    let outcome = cache.import_json(document).unwrap();
    assert_eq!(outcome.imported, ["0609-133723-abc"]);
    let cluster = cache.load_cluster_cache().unwrap().unwrap();
    assert_eq!(cluster.cluster_name.as_deref(), Some("test-cluster"));
    assert_eq!(cluster.host.as_deref(), Some("https://workspace.example"));
    assert_eq!((cluster.num_workers, cluster.access_count), (Some(2), 7));
    assert_eq!(cluster.created_at_ms, Some(place.now_ms() - 600_000));
    assert_eq!(cluster.time_remaining(place.now_ms()), Duration::from_secs(3_000));
    assert!(cluster.is_shared);
    let config = cache.config("0609-133723-abc").unwrap().unwrap();
    assert_eq!(config.field("node_type_id"), Some(&"m5.large".into()));
    assert_eq!(config.field("token"), None);
}

#[test]
fn what_is_known_stays_and_a_second_import_does_nothing() {
    let place = Place::new();
    let cache = place.cache();
    cache.cache_new_cluster("a", &config("kept")).unwrap();
    let document = r#"[{"cluster_id": "a", "cluster_name": "new"}, {"cluster_id": "b"}]"#;
    let outcome = cache.import_json(document).unwrap();
    assert_eq!((outcome.imported, outcome.known), (vec!["b".to_owned()], vec!["a".to_owned()]));
    let again = cache.import_json(document).unwrap();
    assert_eq!((again.imported.len(), again.known.len()), (0, 2));
    assert_eq!(cache.cluster("a").unwrap().unwrap().cluster_name.as_deref(), Some("kept"));
    // The active one stays the active one.
    assert_eq!(cache.load_cluster_cache().unwrap().unwrap().cluster_id, "a");
    let b = cache.cluster("b").unwrap().unwrap();
    assert_eq!(b.time_remaining(place.now_ms()), HOUR);
}

#[test]
fn the_newest_valid_one_becomes_active_if_none_is() {
    let place = Place::new();
    let cache = place.cache();
    let document = r#"{"clusters": {
        "expired": {"created_at": "2024-12-31 23:59:00", "expiry_time": "2024-12-31 23:59:59"},
        "old": {"created_at": "2024-12-31 22:00:00", "expiry_time": 1735693200.5},
        "new": {"created_at": "2024-12-31 23:00:00", "expiry_time": "2025-01-01 00:00:01"},
        "off": {"created_at": "2024-12-31 23:30:00", "expiry_time": "2025-01-01 00:00:01",
                "is_active": 0, "status": "terminated"}
    }}"#;
    assert_eq!(cache.import_json(document).unwrap().imported.len(), 4);
    assert_eq!(cache.load_cluster_cache().unwrap().unwrap().cluster_id, "new");
    let all = cache.all_clusters().unwrap();
    assert_eq!(ids(&all), ["expired", "off", "new", "old"]);
    assert_eq!(all[1].status, ClusterStatus::Terminated);
    assert_eq!(all[3].expires_at_ms, Some(1_735_693_200_500));
    assert_eq!(cache.history("old", 9).unwrap()[0].event, "imported");
}

#[test]
fn a_document_is_taken_over_whole_or_not_at_all() {
    let place = Place::new();
    let cache = place.cache();
    for (document, expected) in [
        ("{", "the document is no JSON"),
        ("7", "neither a cluster nor a collection"),
        (r#"[{"cluster_id": "a"}, {}]"#, "entry 2 has no cluster_id"),
        (
            r#"[{"cluster_id": "a"}, {"cluster_id": "b", "expiry_time": "hunter2"}]"#,
            "entry 2 has no valid time in expiry_time",
        ),
        (r#"{"cluster_id": "a", "created_at": "now"}"#, "entry 1 has no valid time in created_at"),
    ] {
        match cache.import_json(document) {
            Err(Error::Import(error)) => {
                let text = error.to_string();
                assert!(text.contains(expected) && !text.contains("hunter2"), "{text}");
                assert!(!matches!(error, ImportError::Json(_)) || document == "{");
            }
            other => panic!("{document}: {other:?}"),
        }
        assert_eq!(cache.statistics().unwrap().total_clusters, 0, "{document}");
    }
}
