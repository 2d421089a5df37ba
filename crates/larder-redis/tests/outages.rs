//! What happens to a server in service: it is killed, paused, restarted and filled up. Readers get a
//! miss or an error within the time limit, and everything recovers by itself.

mod support;

use std::{sync::Arc, time::Duration};

use larder_core::{CacheBackend as _, ErrorKind, FillOutcome, Key, Tag};
use larder_redis::MastershipCheck;
use larder_services::{Reply, Setup};

use support::{
    PATIENCE, connect, hour, own,
    verbs::{hear, recovered, stamp, value, win},
    wire,
};

/// Short enough to wait for. A busy machine may take longer.
const LIMIT: Duration = Duration::from_secs(1);

mod redis {
    use super::*;

    #[tokio::test]
    #[ignore = "needs a live service"]
    async fn a_server_that_was_killed_and_restarted_is_a_cold_cache() {
        let service = own::service(Setup::Redis);
        let server = service.server(0);
        let cache = connect(own::config(&service)).await;
        let (k, tag) = (Key::object("k"), Tag::named("t"));
        let before = cache.epoch().await.unwrap();
        let late = win(&cache, &k).await;
        cache.put(&Key::object("other"), "v".into(), hour()).await.unwrap();
        cache.generations(&[tag]).await.unwrap();
        let mut feed = cache.watch(larder_testkit::Time::real().clock()).await.unwrap();
        hear(&mut feed).await;

        server.kill();
        let error = cache.read(&k, &[]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        server.start().unwrap();
        // The very first call is answered, over a new connection.
        assert_eq!(value(&cache, &k).await, None);
        assert_ne!(cache.epoch().await.unwrap(), before);
        assert_eq!(stamp(&cache, tag).await, None);
        let outcome = cache.fill(&k, &late, "old".into(), hour()).await.unwrap();
        assert_eq!(outcome, FillOutcome::Refused, "a lease of another life");
        recovered(&cache).await;
        assert!(hear(&mut feed).await.0, "the feed was interrupted");
        cache.bump(&[tag]).await.unwrap();
        assert!(hear(&mut feed).await.1.contains(&tag), "and works again");
        own::connections_are_bounded(server, 2).await;
    }

    #[tokio::test]
    #[ignore = "needs a live service"]
    async fn a_server_that_stands_still_costs_no_more_than_the_time_limit() {
        let service = own::service(Setup::Redis);
        let server = service.server(0);
        let cache = support::connect_hastily(own::config(&service).with_time_limit(LIMIT)).await;
        let k = Key::object("k");
        support::eventually("it is stored", async || cache.put(&k, "v".into(), hour()).await.ok())
            .await;
        server.pause();
        for _ in 0..2 {
            let call = tokio::time::timeout(PATIENCE, cache.read(&k, &[])).await;
            let error = call.expect("an error comes").unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Timeout);
            assert!(error.is_retryable());
        }
        server.resume();
        support::eventually("it answers again", async || cache.read(&k, &[]).await.ok()?.value)
            .await;
        own::connections_are_bounded(server, 2).await;
    }

    #[tokio::test]
    #[ignore = "needs a live service"]
    async fn many_readers_share_one_connection_through_an_outage() {
        let service = own::service(Setup::Redis);
        let server = service.server(0);
        let cache = Arc::new(connect(own::config(&service)).await);
        for _ in 0..3 {
            let reads = (0..200).map(|i| {
                let cache = Arc::clone(&cache);
                tokio::spawn(async move { cache.read(&Key::object(&format!("{i}")), &[]).await })
            });
            let reads: Vec<_> = reads.collect();
            server.restart().unwrap();
            for read in reads {
                // Whether a read was before, amid or after the restart is open; that it ends is not.
                let _ = read.await.unwrap();
            }
            recovered(&cache).await;
            own::connections_are_bounded(server, 2).await;
        }
    }

    #[tokio::test]
    #[ignore = "needs a live service"]
    async fn a_server_without_room_refuses_entries_and_takes_invalidations() {
        let service = own::service_with(Setup::Redis, &["--maxmemory-policy", "noeviction"]);
        let server = service.server(0);
        let cache = connect(own::config(&service)).await;
        let (k, tag) = (Key::object("k"), Tag::named("t"));
        cache.put(&k, "v".into(), hour()).await.unwrap();
        let lease = win(&cache, &Key::object("leased")).await;
        let before = cache.generations(&[tag]).await.unwrap()[0];
        own::command(server, &["CONFIG", "SET", "maxmemory", "1"]);

        let error = cache.put(&k, "more".into(), hour()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NoSpace);
        let error = cache.fill(&Key::object("leased"), &lease, "x".into(), hour()).await;
        assert_eq!(error.unwrap_err().kind(), ErrorKind::NoSpace);
        cache.bump(&[tag]).await.unwrap();
        assert_ne!(stamp(&cache, tag).await, Some(before), "invalidated all the same");
        assert!(cache.remove(&k).await.unwrap());
        cache.clear().await.unwrap();

        own::command(server, &["CONFIG", "SET", "maxmemory", "0"]);
        recovered(&cache).await;
    }

    #[tokio::test]
    #[ignore = "needs a live service"]
    async fn a_server_that_forgot_the_scripts_learns_them_again() {
        let service = own::service(Setup::Redis);
        let cache = connect(own::config(&service)).await;
        for round in 0..3 {
            own::command(service.server(0), &["SCRIPT", "FLUSH"]);
            let k = Key::object(&format!("round {round}"));
            let lease = win(&cache, &k).await;
            own::command(service.server(0), &["SCRIPT", "FLUSH"]);
            let outcome = cache.fill(&k, &lease, "v".into(), hour()).await.unwrap();
            assert_eq!(outcome, FillOutcome::Stored);
            own::command(service.server(0), &["SCRIPT", "FLUSH"]);
            assert!(!cache.add(&k, "other".into(), hour()).await.unwrap());
        }
    }

    #[tokio::test]
    #[ignore = "needs a live service"]
    async fn what_others_do_to_the_keys_costs_misses_only() {
        let service = own::service(Setup::Redis);
        let server = service.server(0);
        let config = own::config(&service);
        let namespace = config.namespace.clone();
        let cache = connect(config).await;
        let (k, tag) = (Key::object("k"), Tag::named("t"));
        let entry = wire::entry(&namespace, &k);
        let mut feed = cache.watch(larder_testkit::Time::real().clock()).await.unwrap();

        // Somebody flushes.
        cache.put(&k, "v".into(), hour()).await.unwrap();
        let before = cache.generations(&[tag]).await.unwrap();
        hear(&mut feed).await;
        own::command(server, &["FLUSHALL"]);
        assert!(hear(&mut feed).await.0, "the feed says so");
        assert_eq!(value(&cache, &k).await, None);
        assert_ne!(cache.generations(&[tag]).await.unwrap(), before);
        recovered(&cache).await;

        // Somebody puts something else in the place of an entry, a lease and a generation.
        let generation = format!("L:{namespace}:g:{}", wire::base64(tag.as_bytes()));
        for name in [entry.clone(), entry.replace("}:e", "}:l"), generation] {
            own::command(server, &["DEL", &name]);
            own::command(server, &["RPUSH", &name, "1"]);
        }
        let snapshot = cache.read(&k, &[tag]).await.unwrap();
        assert_eq!((snapshot.value, snapshot.stamps), (None, vec![None]));
        let stamps = cache.generations(&[tag]).await;
        assert_eq!(stamps.unwrap_err().kind(), ErrorKind::Corrupt);
        cache.bump(&[tag]).await.unwrap();
        cache.generations(&[tag]).await.unwrap();
        let lease = win(&cache, &k).await;
        cache.fill(&k, &lease, "mended".into(), hour()).await.unwrap();
        assert_eq!(value(&cache, &k).await.as_deref(), Some("mended"));

        // Somebody writes over the namespace's generation.
        own::command(server, &["SET", &format!("L:{namespace}:g:all.a"), "nonsense"]);
        assert_eq!(value(&cache, &k).await, None);
        recovered(&cache).await;
    }

    #[tokio::test]
    #[ignore = "needs a live service"]
    async fn a_generation_is_prolonged_by_loads() {
        let service = own::service(Setup::Redis);
        let config = own::config(&service).with_generation_ttl(Duration::from_secs(100));
        let name = format!("L:{}:g:{}", config.namespace, wire::base64(Tag::named("t").as_bytes()));
        let cache = connect(config).await;
        let before = cache.generations(&[Tag::named("t")]).await.unwrap();
        let left = || {
            let left = own::command(service.server(0), &["TTL", &name]);
            let Reply::Integer(seconds) = left else { panic!("{left}") };
            seconds
        };
        assert!(left() > 90);
        own::command(service.server(0), &["EXPIRE", &name, "40"]);
        assert_eq!(cache.generations(&[Tag::named("t")]).await.unwrap(), before);
        assert!(left() > 90, "prolonged");
        own::command(service.server(0), &["EXPIRE", &name, "60"]);
        cache.generations(&[Tag::named("t")]).await.unwrap();
        assert!(left() <= 60, "not before its second half");
    }
}

mod redis_acl {
    use super::*;

    #[tokio::test]
    #[ignore = "needs a live service"]
    async fn a_user_who_may_not_listen_is_told_so() {
        let service = own::service(Setup::RedisAcl);
        own::command(service.server(0), &["ACL", "SETUSER", "larder", "-client|tracking"]);
        let cache = connect(own::config(&service)).await;
        recovered(&cache).await;
        let clock = larder_testkit::Time::real().clock();
        let error = cache.watch(clock).await.map(drop).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
        let advice = cache.health().await.unwrap().advice;
        assert!(advice.iter().any(|advice| advice.contains("tracking")), "{advice:?}");
    }

    /// The permissions that the crate's page lists, and no more.
    #[tokio::test]
    #[ignore = "needs a live service"]
    async fn the_documented_permissions_are_enough() {
        let service = own::service(Setup::RedisAcl);
        let recipe = include_str!("../README.md");
        let line = recipe.lines().find(|line| line.starts_with("ACL SETUSER larder")).unwrap();
        let rules: Vec<_> = line.split(' ').skip(3).map(|rule| rule.trim_matches('"')).collect();
        let rules: Vec<_> =
            rules.iter().map(|rule| rule.replace(">password", ">s3cret/word")).collect();
        let mut words = vec!["ACL", "SETUSER", "larder", "reset"];
        words.extend(rules.iter().map(String::as_str));
        own::command(service.server(0), &words);

        let config = own::config(&service).with_namespace("larder");
        let config = config.with_mastership(MastershipCheck::Always);
        let cache = connect(config.with_verify_interval(Duration::ZERO)).await;
        let (k, tags) = (Key::object("k"), [Tag::named("t")]);
        let clock = larder_testkit::Time::real().clock();
        let mut feed = cache.watch(clock).await.unwrap();
        cache.generations(&tags).await.unwrap();
        let lease = win(&cache, &k).await;
        assert!(cache.renew(&k, &lease, Duration::from_secs(60)).await.unwrap());
        assert!(cache.release(&k, &lease).await.unwrap());
        let lease = win(&cache, &k).await;
        cache.fill(&k, &lease, "v".into(), hour()).await.unwrap();
        assert!(!cache.add(&k, "v".into(), hour()).await.unwrap());
        assert!(cache.touch(&k, hour()).await.unwrap());
        assert_eq!(value(&cache, &k).await.as_deref(), Some("v"));
        cache.bump(&tags).await.unwrap();
        hear(&mut feed).await;
        assert_eq!(cache.remove_many(&[k]).await.unwrap(), 1);
        cache.clear().await.unwrap();
        cache.health().await.unwrap();
        cache.epoch().await.unwrap();
        assert_eq!(cache.stats().errors, 0);
    }
}
