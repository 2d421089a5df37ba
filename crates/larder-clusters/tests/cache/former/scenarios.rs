//! What has to hold whoever runs the statements of the Python tool.

use std::path::Path;

use larder_clusters::{
    ClusterCache, ClusterFilter, ClusterStatus, Registration, Released, State, Update,
};
use serde_json::{Value, json};

use super::statements as tool;
use crate::support::{Place, config, ids};

/// Somebody who is not this crate, and runs a statement on the file.
pub(super) trait Runner {
    /// The rows of one statement; none for a script.
    fn run(&self, path: &Path, sql: &str, params: &[Value]) -> Vec<Vec<Value>>;
}

/// The file, which the other program made, and a handle that opens it by the system's clock, as
/// the tool's statements do.
struct Shared<'a> {
    place: Place,
    runner: &'a dyn Runner,
}

impl<'a> Shared<'a> {
    fn made_by(runner: &'a dyn Runner) -> Self {
        let shared = Self { place: Place::new(), runner };
        shared.run(tool::SCHEMA, &[]);
        shared
    }

    fn run(&self, sql: &str, params: &[Value]) -> Vec<Vec<Value>> {
        self.runner.run(&self.place.path("clusters.db"), sql, params)
    }

    fn cache(&self) -> ClusterCache {
        let path = self.place.path("clusters.db");
        ClusterCache::open(larder_clusters::ClusterFileOptions::new(path)).unwrap()
    }

    /// The tool caches a cluster.
    fn save(&self, id: &str, created_at: &Value, expiry_time: &Value) {
        self.run(tool::DEACTIVATE, &[]);
        let row = [
            json!(id),
            json!("tool"),
            json!("https://h.example"),
            json!(2),
            json!("RUNNING"),
            created_at.clone(),
            expiry_time.clone(),
            json!(0),
        ];
        self.run(tool::SAVE, &row);
    }

    /// An hour ago and in an hour, as the tool writes it.
    fn times(&self) -> (Value, Value) {
        let row = self.run(tool::LOCAL_TIMES, &[]).remove(0);
        (row[0].clone(), row[1].clone())
    }
}

pub(super) fn opens_and_lists(runner: &dyn Runner) {
    let shared = Shared::made_by(runner);
    let (past, future) = shared.times();
    shared.save("expired-local", &past, &past);
    shared.save("valid-local", &past, &future);
    shared.save("active-local", &future, &future);
    for (id, expiry, active) in [
        ("expired-utc", json!("2024-01-15 10:30:00"), 0),
        ("valid-utc", json!("2999-01-15 10:30:00.123"), 0),
        ("broken", json!("some day"), 1),
    ] {
        let sql = "INSERT INTO clusters (cluster_id, expiry_time, is_active, status) \
                   VALUES (?, ?, CAST(? AS INTEGER), 'terminated')";
        shared.run(sql, &[json!(id), expiry, json!(active)]);
    }
    for (hash, status) in [("h1", "creating"), ("h2", "ready"), ("h3", "failed")] {
        shared.run(tool::REGISTER, &[json!(hash), json!(1)]);
        let cluster = if status == "ready" { json!("valid-local") } else { Value::Null };
        shared.run(tool::FINISH, &[json!(status), cluster, Value::Null, json!(hash)]);
    }
    let before = shared.run("SELECT * FROM clusters", &[]);

    let cache = shared.cache();
    assert_eq!(cache.load_cluster_cache().unwrap().unwrap().cluster_id, "active-local");
    let valid = cache.clusters(&ClusterFilter::new().unexpired()).unwrap();
    let mut valid = ids(&valid);
    valid.sort_unstable();
    assert_eq!(valid, ["active-local", "valid-local", "valid-utc"]);
    let statistics = cache.statistics().unwrap();
    assert_eq!((statistics.total_clusters, statistics.expired_clusters), (6, 3));
    assert_eq!((statistics.active_clusters, statistics.total_accesses), (1, 6));
    let broken = cache.cluster("broken").unwrap().unwrap();
    assert_eq!((broken.expires_at_ms, broken.status), (None, ClusterStatus::Terminated));
    assert_eq!(cache.config("valid-local").unwrap(), None);
    assert_eq!(shared.run("SELECT * FROM clusters", &[]), before, "looking changes nothing");

    assert_eq!(cache.cleanup_expired().unwrap(), 3);
    let mut left = shared.run(tool::ALL, &[]);
    left.sort_by_key(|row| row[0].to_string());
    assert_eq!(left, [[json!("active-local")], [json!("valid-local")], [json!("valid-utc")]]);
}

pub(super) fn both_write(runner: &dyn Runner) {
    let shared = Shared::made_by(runner);
    let (past, future) = shared.times();
    shared.save("theirs", &past, &future);
    let cache = shared.cache();
    assert_eq!(cache.update_cluster_access("theirs").unwrap(), Some(2));

    // What we cache is what the tool loads, counts and looks at.
    cache.cache_new_cluster("ours", &config("ours").with_shared(true)).unwrap();
    assert_eq!(shared.run(tool::LOAD, &[]), [[json!("ours"), json!(1)]]);
    shared.run(tool::ACCESS, &[json!("ours")]);
    assert_eq!(shared.run(tool::LOAD, &[]), [[json!("ours"), json!(2)]]);
    let ours = cache.load_cluster_cache().unwrap().unwrap();
    assert_eq!((&*ours.cluster_id, ours.access_count), ("ours", 2));
    assert!(ours.last_accessed_ms.is_some());
    assert_eq!(shared.run(tool::STATISTICS, &[]), [[json!(2), json!(1), json!(4), json!(1)]]);

    // What it caches is what we load.
    shared.save("newer", &future, &future);
    assert_eq!(cache.load_cluster_cache().unwrap().unwrap().cluster_id, "newer");

    // It cleans up what of ours has expired, because our text compares with its clock.
    let soon = std::time::Duration::ZERO;
    cache.cache_new_cluster_for("gone", &config("gone"), soon).unwrap();
    let sql = "UPDATE clusters SET expiry_time = strftime('%Y-%m-%d %H:%M:%f', 'now', '-1 minute') \
               WHERE cluster_id = 'gone'";
    shared.run(sql, &[]);
    shared.run(tool::CLEANUP, &[]);
    assert_eq!(cache.cluster("gone").unwrap(), None);
    assert_eq!(cache.cluster("ours").unwrap().unwrap().cluster_id, "ours");
    shared.run(tool::REMOVE, &[json!("ours")]);
    assert_eq!(cache.config("ours").unwrap(), None);

    // The registry is its own as before.
    shared.run(tool::REGISTER, &[json!("h"), json!(1)]);
    shared.run(tool::FINISH, &[json!("ready"), json!("newer"), Value::Null, json!("h")]);
    shared.run(tool::INCREMENT, &[json!("h")]);
    let sql = "SELECT cluster_id, usage_count FROM shared_cluster_registry";
    assert_eq!(shared.run(sql, &[]), [[json!("newer"), json!(2)]]);
    let verdict = shared.run("PRAGMA integrity_check", &[]);
    assert_eq!(verdict, [[json!("ok")]]);
}

pub(super) fn replaced_by_the_tool(runner: &dyn Runner) {
    let shared = Shared::made_by(runner);
    let cache = shared.cache();
    cache.cache_new_cluster("a", &config("ours").with_num_workers(8)).unwrap();
    let (past, future) = shared.times();
    shared.save("a", &past, &future);
    assert_eq!(cache.config("a").unwrap(), None);
    let cluster = cache.cluster("a").unwrap().unwrap();
    assert_eq!((cluster.cluster_name.as_deref(), cluster.config_hash), (Some("tool"), None));
    // The configuration that nobody can see any more goes with the next clean-up.
    cache.cleanup_expired().unwrap();
    let sql = "SELECT count(*) FROM larder_cluster";
    assert_eq!(shared.run(sql, &[]), [[json!(0)]]);
}

pub(super) fn shared_things_are_joined(runner: &dyn Runner) {
    let shared = Shared::made_by(runner);
    let me = std::process::id();
    // No process has a number of ten digits.
    let nobody = 4_000_000_000_u32;
    for (hash, pid, status, cluster) in [
        ("creating", me, "creating", None),
        ("dead", nobody, "creating", None),
        ("failed", me, "failed", None),
        ("ready", nobody, "ready", Some("cluster-456")),
    ] {
        shared.run(tool::REGISTER, &[json!(hash), json!(pid)]);
        shared.run(tool::FINISH, &[json!(status), json!(cluster), Value::Null, json!(hash)]);
    }
    let row = |hash: &str| {
        let sql = "SELECT status, cluster_id, usage_count FROM shared_cluster_registry \
                   WHERE config_hash = ?";
        shared.run(sql, &[json!(hash)]).remove(0)
    };
    let cache = shared.cache();
    let registry = cache.file().shared();
    let states: Vec<_> =
        registry.all().unwrap().into_iter().map(|info| (info.key, info.state)).collect();
    let expected = [
        ("creating", State::Creating),
        ("dead", State::Creating),
        ("failed", State::Failed),
        ("ready", State::Ready),
    ];
    assert_eq!(states, expected.map(|(key, state)| (key.to_owned(), state)));

    // One of the tool's users is there already, and both sides see the other's come and go.
    let Registration::Ready(hold) = registry.register_creation("ready").unwrap() else {
        panic!("it can not be joined");
    };
    assert_eq!(hold.resource_id, "cluster-456");
    assert_eq!(row("ready"), [json!("ready"), json!("cluster-456"), json!(2)]);
    shared.run(tool::INCREMENT, &[json!("ready")]);
    assert_eq!(registry.info("ready").unwrap().unwrap().usage, 3);
    let released = registry.release("ready", &hold.id).unwrap();
    assert_eq!(released, Released::StillUsed { usage: 2 });
    assert_eq!(row("ready"), [json!("ready"), json!("cluster-456"), json!(2)]);

    // A creator of the tool that lives is waited for, one that died is taken over.
    let waiting = registry.register_creation("creating").unwrap();
    assert!(matches!(waiting, Registration::Joiner(_)), "{waiting:?}");
    let Registration::Creator(creation) = registry.register_creation("dead").unwrap() else {
        panic!("nobody takes it over");
    };
    let ready = Update::Ready { resource_id: "cluster-789" };
    registry.update_status("dead", creation.fence, ready).unwrap();
    assert_eq!(row("dead"), [json!("ready"), json!("cluster-789"), json!(1)]);
}
