//! Statistics, sizes, cleaning up.

use larder_clusters::FileInfo;

use crate::support::{HOUR, Place, config, ids};

#[test]
fn statistics_count_what_is_there() {
    let place = Place::new();
    let cache = place.cache();
    let empty = cache.statistics().unwrap();
    assert_eq!((empty.total_clusters, empty.total_accesses), (0, 0));
    for id in ["a", "b"] {
        cache.cache_new_cluster(id, &config(id).with_shared(id == "a")).unwrap();
    }
    place.clock.advance(HOUR);
    for id in ["c", "d", "e"] {
        cache.cache_new_cluster(id, &config(id)).unwrap();
    }
    cache.update_cluster_access("a").unwrap();
    let statistics = cache.statistics().unwrap();
    assert_eq!(statistics.total_clusters, 5);
    assert_eq!(statistics.active_clusters, 1);
    assert_eq!(statistics.expired_clusters, 2);
    assert_eq!(statistics.total_accesses, 6);
    assert_eq!(statistics.shared_clusters, 1);
    let length = std::fs::metadata(place.path("clusters.db")).unwrap().len();
    assert_eq!(statistics.cache_file_bytes, length);
    // An active one that has expired is not active any more.
    place.clock.advance(HOUR);
    assert_eq!(cache.statistics().unwrap().active_clusters, 0);
}

#[test]
fn only_what_has_expired_is_cleaned_up() {
    let place = Place::new();
    let cache = place.cache();
    cache.cache_new_cluster("a", &config("a")).unwrap();
    place.clock.advance(HOUR / 2);
    cache.cache_new_cluster("b", &config("b")).unwrap();
    assert_eq!(cache.cleanup_expired().unwrap(), 0);
    place.clock.advance(HOUR / 2);
    assert_eq!(cache.cleanup_expired().unwrap(), 1);
    assert_eq!(ids(&cache.all_clusters().unwrap()), ["b"]);
    assert_eq!(cache.clear().unwrap(), 1);
    assert_eq!(cache.clear().unwrap(), 0);
    let sql = "SELECT (SELECT count(*) FROM clusters) + (SELECT count(*) FROM larder_cluster)";
    let left: i64 = place.raw().query_row(sql, [], |row| row.get(0)).unwrap();
    assert_eq!(left, 0);
}

#[test]
fn room_is_given_back() {
    let place = Place::new();
    let cache = place.cache();
    for n in 0..200 {
        let config = config("n").with("notes", format!("{n}").repeat(500));
        cache.cache_new_cluster(&format!("c{n}"), &config).unwrap();
    }
    cache.clear().unwrap();
    let optimized = cache.optimize().unwrap();
    let size = |info: &FileInfo| info.total_bytes();
    assert!(size(&optimized.after) < size(&optimized.before), "{optimized:?}");
    assert!(optimized.log_is_empty);
    assert_eq!(optimized.after.wal_bytes, Some(0));
    assert_eq!(cache.file_info().unwrap(), optimized.after);
    // The file still is what it has to be.
    place.cache().cache_new_cluster("a", &config("a")).unwrap();
}

#[test]
fn a_log_that_somebody_reads_is_told() {
    let place = Place::new();
    let cache = place.cache();
    cache.cache_new_cluster("a", &config("a")).unwrap();
    let reader = place.raw();
    reader.execute_batch("BEGIN; SELECT * FROM clusters").unwrap();
    let options = place.options().with_busy_timeout(std::time::Duration::from_millis(10));
    let optimized = larder_clusters::ClusterCache::open(options).unwrap().optimize().unwrap();
    assert!(!optimized.log_is_empty);
}

#[test]
fn a_file_that_is_not_there_has_no_sizes() {
    let place = Place::new();
    let info = FileInfo::of(&place.path("absent.db")).unwrap();
    assert_eq!((info.database_bytes, info.wal_bytes, info.shm_bytes), (None, None, None));
    assert_eq!(info.total_bytes(), 0);
}
