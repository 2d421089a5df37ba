//! What happens when another server takes a master's place: what was invalidated stays invalidated,
//! and everything recovers by itself.

mod support;

use std::time::Duration;

use larder_core::{CacheBackend as _, ErrorKind, Key, ReadRequest, Tag};
use larder_redis::RedisBackend;
use larder_services::{Reply, Server, Setup};

use support::{
    connect, eventually, hour, own,
    verbs::{hear, recovered, stamp, value},
    wire,
};

/// Short enough to wait for. A busy machine may take longer.
const LIMIT: Duration = Duration::from_secs(2);

mod redis_replicated {
    use super::*;

    #[tokio::test]
    #[ignore = "needs a live service"]
    async fn a_replica_is_not_taken_for_a_master() {
        let service = own::service(Setup::RedisReplicated);
        let error = support::refusal(own::config_of(service.server(1))).await;
        assert_eq!(error.kind(), ErrorKind::ReadOnly);
    }

    #[tokio::test]
    #[ignore = "needs a live service"]
    async fn a_bump_that_a_failover_lost_is_not_undone() {
        let service = own::service(Setup::RedisReplicated);
        let (old, new) = (service.server(0), service.server(1));
        let config = own::config_of(old);
        let namespace = config.namespace.clone();
        let cache = connect(config).await;
        let (k, tag) = (Key::object("k"), Tag::named("t"));
        let stale = cache.generations(&[tag]).await.unwrap()[0];
        cache.put(&k, "v1".into(), hour()).await.unwrap();
        let cleared = Key::object("cleared");
        cache.put(&cleared, "v1".into(), hour()).await.unwrap();
        replicated(old, new).await;

        // The bump and the clear are acknowledged by a master whose place is taken already.
        service.promote(new).unwrap();
        cache.bump(&[tag]).await.unwrap();
        cache.clear().await.unwrap();
        old.kill();

        let after = connect(own::config_of(new).with_namespace(namespace)).await;
        let found = stamp(&after, tag).await.expect("the replica has the old generation");
        assert_eq!(found.generation, stale.generation, "the bump was lost indeed");
        assert_ne!(found, stale, "and yet what depends on it is dead");
        assert_eq!(value(&after, &cleared).await, None, "the clear was lost, too");
        recovered(&after).await;
    }

    #[tokio::test]
    #[ignore = "needs a live service"]
    async fn a_demoted_master_with_an_open_connection_serves_nothing() {
        let service = own::service(Setup::RedisReplicated);
        let (old, new) = (service.server(0), service.server(1));
        // The check in front of each read notices it, however rarely anything else is asked.
        let config = own::config_of(old).with_verify_interval(Duration::from_secs(3_600));
        let cache = connect(config).await;
        let k = Key::object("k");
        cache.put(&k, "v1".into(), hour()).await.unwrap();
        assert_eq!(value(&cache, &k).await.as_deref(), Some("v1"));
        replicated(old, new).await;
        service.promote(new).unwrap();
        own::command(old, &["REPLICAOF", "127.0.0.1", &new.port().to_string()]);
        for _ in 0..3 {
            let error = cache.read(&k, &[]).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ReadOnly, "{error}");
        }
        let requests = [ReadRequest { key: &k, tags: &[] }];
        assert!(cache.read_many(&requests).await.is_err());
        assert!(cache.generations(&[Tag::named("t")]).await.is_err());
    }

    #[tokio::test]
    #[ignore = "needs a live service"]
    async fn a_failback_over_one_connection_is_noticed() {
        let service = own::service(Setup::RedisReplicated);
        let (old, new) = (service.server(0), service.server(1));
        let config = own::config_of(old).with_verify_interval(Duration::ZERO);
        let cache = connect(config).await;
        let (k, tag) = (Key::object("k"), Tag::named("t"));
        let before = cache.generations(&[tag]).await.unwrap()[0];
        cache.put(&k, "v1".into(), hour()).await.unwrap();
        replicated(old, new).await;

        // While nobody reads, the master follows its replica, which lacks a bump, and leads again.
        service.promote(new).unwrap();
        cache.bump(&[tag]).await.unwrap();
        let connections = own::connections(old);
        own::command(old, &["REPLICAOF", "127.0.0.1", &new.port().to_string()]);
        old.wait_until(|| is_linked(old)).unwrap();
        own::command(old, &["REPLICAOF", "NO", "ONE"]);
        assert_eq!(own::connections(old), connections, "nobody closed our connection");

        let now = stamp(&cache, tag).await.expect("the old generation is back");
        assert_eq!(now.generation, before.generation, "the bump was lost indeed");
        assert_ne!(now, before, "and yet what depends on it is dead");
        assert_eq!(value(&cache, &k).await, None);
        recovered(&cache).await;
    }

    fn is_linked(replica: &Server) -> bool {
        let info = own::command(replica, &["INFO", "replication"]);
        info.text().unwrap_or_default().contains("master_link_status:up")
    }

    /// Waits until the replica has everything.
    async fn replicated(master: &Server, replica: &Server) {
        let offset = |server: &Server, name: &str| {
            let info = own::command(server, &["INFO", "replication"]);
            let text = info.text().unwrap_or_default().to_owned();
            let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            line.and_then(|number| number.trim().parse::<u64>().ok())
        };
        let wanted = offset(master, "master_repl_offset");
        eventually("the replica follows", async || {
            (offset(replica, "slave_repl_offset") >= wanted).then_some(())
        })
        .await;
    }
}

mod redis_sentinel {
    use super::*;

    #[tokio::test]
    #[ignore = "needs a live service"]
    async fn a_failover_is_followed_without_a_restart() {
        let service = own::service(Setup::RedisSentinel);
        let cache = connect(own::config(&service)).await;
        let k = Key::object("k");
        cache.put(&k, "v".into(), hour()).await.unwrap();
        let before = cache.epoch().await.unwrap();
        service.server(0).kill();
        recovered(&cache).await;
        assert_ne!(cache.epoch().await.unwrap(), before);
        assert_eq!(value(&cache, &k).await, None, "cold, not stale");
    }

    #[tokio::test]
    #[ignore = "needs a live service"]
    async fn sentinels_that_are_gone_are_not_needed() {
        let service = own::service(Setup::RedisSentinel);
        // The first one is dead, the second one hangs.
        service.server(2).kill();
        service.server(3).pause();
        let config = own::config(&service).with_time_limit(3 * LIMIT);
        let cache = support::connect_hastily(config).await;
        recovered(&cache).await;
        service.server(3).resume();
    }
}

mod redis_cluster {
    use super::*;

    fn keys() -> Vec<Key> {
        (0..60).map(|i| Key::object(&format!("key {i}"))).collect()
    }

    async fn put_all(cache: &RedisBackend, keys: &[Key]) {
        for k in keys {
            cache.put(k, "v".into(), hour()).await.unwrap();
        }
    }

    #[tokio::test]
    #[ignore = "needs a live service"]
    async fn a_master_that_is_killed_takes_only_its_own_entries_with_it() {
        let service = own::service(Setup::RedisCluster);
        let cache = connect(own::config(&service)).await;
        let before = cache.epoch().await.unwrap();
        let keys = keys();
        put_all(&cache, &keys).await;
        service.server(0).kill();
        for k in &keys {
            eventually("every key is answered", async || cache.read(k, &[]).await.ok()).await;
        }
        assert_ne!(cache.epoch().await.unwrap(), before);
        put_all(&cache, &keys).await;
        for k in &keys {
            assert_eq!(value(&cache, k).await.as_deref(), Some("v"));
        }
        for server in service.servers().iter().skip(1) {
            own::connections_are_bounded(server, 2).await;
        }
    }

    #[tokio::test]
    #[ignore = "needs a live service"]
    async fn a_master_that_stands_still_is_replaced() {
        let service = own::service(Setup::RedisCluster);
        let config = own::config(&service);
        let keys = keys();
        put_all(&connect(config.clone()).await, &keys).await;
        let cache = support::connect_hastily(config.with_time_limit(LIMIT)).await;
        service.server(1).pause();
        for k in &keys {
            eventually("every key is answered", async || cache.read(k, &[]).await.ok()).await;
        }
        service.server(1).resume();
        recovered(&cache).await;
    }

    #[tokio::test]
    #[ignore = "needs a live service"]
    async fn a_clear_that_a_failover_lost_is_not_undone() {
        let service = own::service(Setup::RedisCluster);
        let cache = connect(own::config(&service)).await;
        let keys = keys();
        put_all(&cache, &keys).await;
        let (master, replica) = (service.server(2), service.server(5));
        // The third master has some of the namespace's generations, and its replica none of their
        // new values.
        replica.pause();
        own::command(master, &["CLIENT", "KILL", "TYPE", "slave"]);
        cache.clear().await.unwrap();
        master.kill();
        replica.resume();
        eventually("the replica leads", async || service.promote(replica).ok()).await;
        for k in &keys {
            let read = eventually("it is answered", async || cache.read(k, &[]).await.ok()).await;
            assert_eq!(read.value, None, "{k:?}");
        }
    }

    #[tokio::test]
    #[ignore = "needs a live service"]
    async fn a_slot_that_moves_is_followed() {
        let service = own::service(Setup::RedisCluster);
        let config = own::config(&service);
        let namespace = config.namespace.clone();
        let cache = connect(config).await;
        let k = Key::object("k");
        cache.put(&k, "before".into(), hour()).await.unwrap();
        let entry = wire::entry(&namespace, &k);
        let reply = own::command(service.server(0), &["CLUSTER", "KEYSLOT", &entry]);
        let Reply::Integer(slot) = reply else { panic!("{reply}") };
        let source = usize::try_from(slot * 3 / 16_384).unwrap();
        let (source, target) = (service.server(source), service.server((source + 1) % 3));
        let id = |server| own::command(server, &["CLUSTER", "MYID"]).text().unwrap().to_owned();
        let (source_id, target_id) = (id(source), id(target));
        let slot = slot.to_string();
        let set = |server, state: &str, id: &str| {
            own::command(server, &["CLUSTER", "SETSLOT", &slot, state, id]);
        };
        set(target, "IMPORTING", &source_id);
        set(source, "MIGRATING", &target_id);

        // What is still there is served there; what is not is asked for at the target. Neither
        // has both an entry and its lease, and so nothing can be stored.
        assert_eq!(value(&cache, &k).await.as_deref(), Some("before"));
        cache.remove(&k).await.unwrap();
        assert_eq!(value(&cache, &k).await, None);
        let error = cache.put(&k, "amid".into(), hour()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(cache.generations(&[Tag::named("elsewhere")]).await.is_ok());

        set(target, "NODE", &target_id);
        set(source, "NODE", &target_id);
        assert_eq!(value(&cache, &k).await, None);
        cache.put(&k, "after".into(), hour()).await.unwrap();
        assert_eq!(value(&cache, &k).await.as_deref(), Some("after"));
    }

    #[tokio::test]
    #[ignore = "needs a live service"]
    async fn the_feed_survives_a_failover() {
        let service = own::service(Setup::RedisCluster);
        let cache = connect(own::config(&service)).await;
        let mut feed = cache.watch(larder_testkit::Time::real().clock()).await.unwrap();
        hear(&mut feed).await;
        service.server(0).kill();
        let tags: Vec<_> = (0..30).map(|i| Tag::named(&format!("tag {i}"))).collect();
        eventually("the feed is reset", async || hear(&mut feed).await.0.then_some(())).await;
        eventually("all tags can be bumped", async || cache.bump(&tags).await.ok()).await;
        eventually("what is bumped is heard", async || {
            cache.bump(&tags).await.ok()?;
            let (reset, heard) = hear(&mut feed).await;
            (!reset && tags.iter().all(|tag| heard.contains(tag))).then_some(())
        })
        .await;
    }
}
