//! Clusters that come, are used, change and go.

use std::{thread, time::Duration};

use larder_clusters::{ClusterConfig, ClusterFilter, ClusterStatus, Error};

use crate::support::{HOUR, Place, config, ids};

#[test]
fn what_was_cached_is_loaded_until_it_expires() {
    let place = Place::new();
    let cache = place.cache();
    assert_eq!(cache.load_cluster_cache().unwrap(), None);
    let cached = cache.cache_new_cluster("a", &config("n").with_shared(true)).unwrap();
    assert_eq!((cached.cluster_name.as_deref(), cached.num_workers), (Some("n"), Some(1)));
    assert_eq!(cached.created_at_ms, Some(place.now_ms()));
    assert_eq!(cached.time_remaining(place.now_ms()), HOUR);
    assert_eq!((cached.access_count, cached.is_active, cached.is_shared), (1, true, true));
    assert_eq!(cached.status, ClusterStatus::Running);
    place.clock.advance(HOUR - Duration::from_millis(1));
    assert_eq!(cache.load_cluster_cache().unwrap().as_ref(), Some(&cached));
    assert!(cache.is_cluster_cache_valid(&cached));
    place.clock.advance(Duration::from_millis(1));
    assert_eq!(cache.load_cluster_cache().unwrap(), None);
    assert!(!cache.is_cluster_cache_valid(&cached));
    // It is still there for whoever asks.
    assert_eq!(cache.cluster("a").unwrap(), Some(cached));
}

#[test]
fn the_default_expiry_is_a_setting_and_a_call_may_differ() {
    let place = Place::new();
    let options = place.options().with_default_expiry(2 * HOUR);
    let cache = larder_clusters::ClusterCache::open(options).unwrap();
    let cached = cache.cache_new_cluster("a", &config("n")).unwrap();
    assert_eq!(cached.time_remaining(place.now_ms()), 2 * HOUR);
    let short = Duration::from_secs(1);
    let cached = cache.cache_new_cluster_for("b", &config("n"), short).unwrap();
    assert_eq!(cached.time_remaining(place.now_ms()), short);
    let cached = cache.cache_new_cluster_for("c", &config("n"), Duration::MAX).unwrap();
    assert!(cache.is_cluster_cache_valid(&cached));
}

#[test]
fn a_new_cluster_becomes_the_active_one_and_the_others_stay() {
    let place = Place::new();
    let cache = place.cache();
    for id in ["a", "b", "c"] {
        cache.cache_new_cluster(id, &config(id)).unwrap();
        place.clock.advance(Duration::from_secs(1));
    }
    assert_eq!(cache.load_cluster_cache().unwrap().unwrap().cluster_id, "c");
    assert_eq!(ids(&cache.all_clusters().unwrap()), ["c", "b", "a"]);
    assert!(cache.activate("a").unwrap());
    assert!(!cache.activate("absent").unwrap());
    assert_eq!(cache.load_cluster_cache().unwrap().unwrap().cluster_id, "a");
    let active = cache.clusters(&ClusterFilter::new().active(true)).unwrap();
    assert_eq!(ids(&active), ["a"]);
}

#[test]
fn every_use_is_counted_also_beside_the_active_one() {
    let place = Place::new();
    let cache = place.cache();
    cache.cache_new_cluster("a", &config("a")).unwrap();
    cache.cache_new_cluster("b", &config("b")).unwrap();
    place.clock.advance(Duration::from_secs(9));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..25 {
                    cache.update_cluster_access("a").unwrap();
                }
            });
        }
    });
    assert_eq!(cache.update_cluster_access("a").unwrap(), Some(102));
    assert_eq!(cache.update_cluster_access("absent").unwrap(), None);
    let a = cache.cluster("a").unwrap().unwrap();
    assert_eq!((a.access_count, a.last_accessed_ms), (102, Some(place.now_ms())));
    assert_eq!(cache.cluster("b").unwrap().unwrap().access_count, 1);
    assert_eq!(cache.statistics().unwrap().total_accesses, 103);
}

#[test]
fn a_cluster_that_is_cached_again_is_replaced_and_keeps_its_place() {
    let place = Place::new();
    let cache = place.cache();
    cache.cache_new_cluster("a", &config("old")).unwrap();
    cache.update_cluster_access("a").unwrap();
    cache.update_cluster_status("a", ClusterStatus::Terminated).unwrap();
    place.clock.advance(2 * HOUR);
    let again = cache.cache_new_cluster("a", &config("new").with_num_workers(8)).unwrap();
    assert_eq!((again.cluster_name.as_deref(), again.num_workers), (Some("new"), Some(8)));
    assert_eq!((again.access_count, again.status), (1, ClusterStatus::Running));
    assert!(cache.is_cluster_cache_valid(&again));
    assert_eq!(cache.config("a").unwrap().unwrap().cluster_name(), Some("new"));
    assert_eq!(cache.all_clusters().unwrap().len(), 1);
}

#[test]
fn a_configuration_comes_back_small_or_large_and_without_secrets() {
    let place = Place::new();
    let cache = place.cache();
    let conf: serde_json::Map<_, _> =
        (0..2_000).map(|n| (format!("spark.setting.{n}"), "on".into())).collect();
    let large = config("large").with("spark_conf", conf).with("token", "hunter2");
    cache.cache_new_cluster("large", &large).unwrap();
    cache.cache_new_cluster("small", &config("small")).unwrap();
    assert_eq!(cache.config("large").unwrap(), Some(large.stored()));
    assert_eq!(cache.config("small").unwrap(), Some(config("small")));
    assert_eq!(cache.config("absent").unwrap(), None);
    let stored = |id| {
        let sql = "SELECT encoding, length(config), config_bytes FROM larder_cluster \
                   WHERE cluster_id = ?1";
        let row = |row: &larder_sqlite_file::rusqlite::Row<'_>| {
            Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?))
        };
        place.raw().query_row(sql, [id], row).unwrap()
    };
    let (encoding, stored_bytes, json_bytes) = stored("large");
    assert_eq!(encoding, "zlib");
    assert!(stored_bytes * 4 < json_bytes, "{stored_bytes} of {json_bytes}");
    assert_eq!(stored("small").0, "json");
    // The hash is that of what was given, so that others who have it find the cluster.
    let found = cache.clusters(&ClusterFilter::new().config_hash(large.hash())).unwrap();
    assert_eq!(ids(&found), ["large"]);
}

#[test]
fn a_configuration_that_is_too_large_or_damaged_is_an_error_and_changes_nothing() {
    let place = Place::new();
    let cache = place.cache();
    cache.cache_new_cluster("a", &config("a")).unwrap();
    let huge = ClusterConfig::new().with("x", "y".repeat(17 << 20));
    let refused = cache.cache_new_cluster("b", &huge);
    assert!(matches!(refused, Err(Error::ConfigTooLarge { .. })), "{refused:?}");
    assert_eq!(ids(&cache.all_clusters().unwrap()), ["a"]);
    place.raw().execute("UPDATE larder_cluster SET encoding = 'zlib'", []).unwrap();
    let damaged = cache.config("a");
    assert!(
        matches!(&damaged, Err(Error::ConfigDamaged { cluster_id }) if cluster_id == "a"),
        "{damaged:?}"
    );
}

#[test]
fn filters_mean_what_they_say_and_hold_values_instead_of_sql() {
    let place = Place::new();
    let cache = place.cache();
    cache.cache_new_cluster("old", &config("x").with_num_workers(4)).unwrap();
    place.clock.advance(HOUR);
    let other = ClusterConfig::new().with_host("https://other").with_cluster_name("x");
    cache.cache_new_cluster("b'; DROP TABLE clusters; --", &other).unwrap();
    cache.cache_new_cluster("c", &config("y").with_shared(true).with_num_workers(8)).unwrap();
    cache.update_cluster_status("c", ClusterStatus::Pending).unwrap();
    let check = |filter: ClusterFilter, expected: &[&str]| {
        let mut found = cache.clusters(&filter).unwrap();
        found.sort_by(|a, b| a.cluster_id.cmp(&b.cluster_id));
        assert_eq!(ids(&found), expected, "{filter:?}");
    };
    let (b, all) = ("b'; DROP TABLE clusters; --", ClusterFilter::new);
    check(all(), &[b, "c", "old"]);
    check(all().except(b), &["c", "old"]);
    check(all().except("absent-1"), &[b, "c", "old"]);
    check(all().name("x"), &[b, "old"]);
    check(all().name("' OR 1 = 1 --"), &[]);
    check(all().host("https://other"), &[b]);
    check(all().shared(true), &["c"]);
    check(all().shared(false), &[b, "old"]);
    check(all().expired(), &["old"]);
    check(all().unexpired(), &[b, "c"]);
    check(all().active(false), &[b, "old"]);
    check(all().status(ClusterStatus::Pending), &["c"]);
    check(all().workers_min(4), &["c", "old"]);
    check(all().workers_min(4).unexpired().name("x"), &[]);
}

#[test]
fn a_cluster_that_is_removed_is_gone_with_its_configuration() {
    let place = Place::new();
    let cache = place.cache();
    cache.cache_new_cluster("a", &config("a")).unwrap();
    assert!(cache.remove("a").unwrap());
    assert!(!cache.remove("a").unwrap());
    assert_eq!(cache.config("a").unwrap(), None);
    let left: i64 =
        place.raw().query_row("SELECT count(*) FROM larder_cluster", [], |row| row.get(0)).unwrap();
    assert_eq!(left, 0);
}
