//! What became of a cluster.

use larder_clusters::{ClusterCache, ClusterStatus};

use crate::support::{HOUR, Place, config};

fn told(cache: &ClusterCache, id: &str) -> Vec<String> {
    let events = cache.history(id, 100).unwrap();
    events.into_iter().rev().map(|event| event.event).collect()
}

#[test]
fn the_states_of_a_cluster_are_remembered_in_order() {
    let place = Place::new();
    let cache = place.cache();
    cache.cache_new_cluster("a", &config("a")).unwrap();
    assert!(cache.update_cluster_status("a", ClusterStatus::Terminating).unwrap());
    assert!(cache.update_cluster_status("a", ClusterStatus::Terminating).unwrap());
    assert!(!cache.update_cluster_status("absent", ClusterStatus::Error).unwrap());
    place.clock.advance(HOUR);
    assert_eq!(cache.cleanup_expired().unwrap(), 1);
    cache.cache_new_cluster("a", &config("a")).unwrap();
    cache.activate("a").unwrap();
    cache.clear().unwrap();
    cache.cache_new_cluster("a", &config("a")).unwrap();
    cache.remove("a").unwrap();
    let expected =
        ["cached", "TERMINATING", "expired", "cached", "activated", "cleared", "cached", "removed"];
    assert_eq!(told(&cache, "a"), expected);
    assert_eq!(told(&cache, "absent"), [""; 0]);
    let newest = &cache.history("a", 1).unwrap()[0];
    assert_eq!((newest.at_ms, newest.pid), (place.now_ms(), Some(std::process::id())));
}

#[test]
fn history_is_bounded_however_much_happens() {
    let place = Place::new();
    let cache = ClusterCache::open(place.options().with_history_max(10)).unwrap();
    for n in 0..30 {
        cache.cache_new_cluster(&format!("c{n}"), &config("n")).unwrap();
    }
    assert_eq!(cache.file().recent_history(100).unwrap().len(), 10);
    assert_eq!(cache.clear().unwrap(), 30);
    let events = cache.file().recent_history(100).unwrap();
    assert_eq!(events.len(), 10);
    assert!(events.iter().all(|event| event.event == "cleared"), "{events:?}");
}
