//! What processes share, as the command sees it.

use larder::clusters::{ClusterFile, ClusterFileOptions, Registration, SharedRegistry, Update};

use super::*;

const HASH: &str = "0123456789abcdef0123456789abcdef";

/// A registry on the file, with a thing that is ready and that this process uses.
fn used(place: &Place) -> SharedRegistry {
    let file = ClusterFile::open(ClusterFileOptions::new(place.path(FILE))).unwrap();
    let registry = file.shared();
    let Registration::Creator(creation) = registry.register_creation(HASH).unwrap() else {
        panic!("there was something already");
    };
    let ready = Update::Ready { resource_id: "cluster-456" };
    registry.update_status(HASH, creation.fence, ready).unwrap();
    registry
}

#[test]
fn what_is_shared_is_told_with_its_users() {
    let place = imported();
    assert_eq!(clusters(&place, &["shared"]).ok(), "No shared clusters\n");
    let registry = used(&place);
    let text = clusters(&place, &["shared"]).ok();
    let pid = std::process::id();
    for line in [
        "=== Shared Clusters ===".to_owned(),
        "Shared Cluster 1:".to_owned(),
        "  Config Hash: 0123456789abcdef...".to_owned(),
        "  Cluster ID: cluster-456".to_owned(),
        "  Status: ready".to_owned(),
        format!("  Worker PID: {pid}"),
        "  Usage Count: 1".to_owned(),
        format!("  Used By: PID {pid}"),
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in {text}");
    }
    let told = json(clusters(&place, &["shared", "--json"]));
    let shared = &told["shared"][0];
    assert_eq!((&shared["config_hash"], &shared["usage_count"]), (&HASH.into(), &1.into()));
    assert_eq!((&shared["status"], &shared["is_abandoned"]), (&"ready".into(), &false.into()));
    assert_eq!(shared["holders"][0]["pid"], pid);
    let view = clusters(&place, &["watch", "--count", "1"]).ok();
    assert!(view.contains("0123456789abcdef...  cluster-456  ready"), "{view}");
    let figures = clusters(&place, &["status", "--prometheus"]).ok();
    assert!(figures.contains("larder_shared_things{state=\"ready\"} 1\n"), "{figures}");
    assert!(figures.contains("larder_shared_users 1\n"), "{figures}");
    let events = json(clusters(&place, &["history", HASH, "--json"]));
    assert!(events["events"].as_array().unwrap().len() >= 2, "{events}");
    drop(registry);
}

#[test]
fn what_is_in_use_is_taken_off_the_record_only_by_force() {
    let place = imported();
    let registry = used(&place);
    let kept = json(clusters(&place, &["cleanup-shared", "--yes", "--json"]));
    assert_eq!(kept, serde_json::json!({ "removed": [], "kept": [HASH] }));
    let text = clusters(&place, &["cleanup-shared", "0123", "--yes"]).ok();
    assert_eq!(text, format!("in use   {HASH}\nCleaned up 0 shared clusters\n"));
    let line = clusters(&place, &["cleanup-shared", "absent", "--yes"]).failed(1);
    assert!(line.contains("no shared cluster"), "{line}");
    clusters(&place, &["cleanup-shared", "0123", "--force"]).failed(4);
    assert_eq!(registry.info(HASH).unwrap().unwrap().usage, 1);
    let text = clusters(&place, &["cleanup-shared", "0123", "--force", "--yes"]).ok();
    assert_eq!(text, format!("removed  {HASH}\nCleaned up 1 shared cluster\n"));
    assert_eq!(registry.all().unwrap(), []);
}

#[test]
fn nothing_is_restored_while_something_is_in_use() {
    let place = imported();
    clusters(&place, &["backup", "copy.db"]).ok();
    let registry = used(&place);
    let line = clusters(&place, &["restore", "copy.db", "--yes"]).failed(1);
    assert!(line.contains("in use"), "{line}");
    assert_eq!(registry.info(HASH).unwrap().unwrap().usage, 1);
    let fence = registry.info(HASH).unwrap().unwrap().fence;
    assert!(registry.remove(HASH).unwrap());
    clusters(&place, &["restore", "copy.db", "--yes"]).ok();
    assert_eq!(registry.info(HASH).unwrap(), None);
    // The copy is from before that fence, which nobody gets again.
    let Registration::Creator(creation) = registry.register_creation(HASH).unwrap() else {
        panic!("there is something");
    };
    assert!(creation.fence > fence);
}
