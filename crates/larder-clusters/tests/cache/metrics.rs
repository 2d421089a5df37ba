//! The figures as monitoring systems read them.

use crate::support::{HOUR, Place, config};

#[test]
fn the_figures_are_those_of_the_statistics() {
    let place = Place::new();
    let cache = place.cache();
    cache.cache_new_cluster("a", &config("a\"}\n")).unwrap();
    place.clock.advance(HOUR);
    cache.cache_new_cluster("b", &config("b").with_shared(true)).unwrap();
    cache.cache_new_cluster("c", &config("c")).unwrap();
    cache.update_cluster_access("c").unwrap();
    let text = cache.prometheus().unwrap();
    for line in [
        "# TYPE larder_clusters gauge",
        "larder_clusters{state=\"active\"} 1",
        "larder_clusters{state=\"expired\"} 1",
        "larder_clusters{state=\"idle\"} 1",
        "larder_clusters_accesses 4",
        "larder_clusters_marked_shared 1",
        "larder_shared_things{state=\"ready\"} 0",
        "larder_shared_users 0",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in {text}");
    }
    assert!(text.contains("larder_clusters_file_bytes{file=\"wal\"} "), "{text}");
    assert!(text.ends_with('\n') && !text.contains("a\\"), "{text}");
}
