//! Every setup comes up, and its servers are what its name says.

use larder_services::{Reply, Service, Setup, start};

fn running(setup: Setup) -> Service {
    let service = start(setup).unwrap_or_else(|error| panic!("{error}"));
    for server in service.servers() {
        server.wait_until(|| server.answers()).unwrap_or_else(|error| panic!("{error}"));
    }
    service
}

/// The setup comes up with so many servers, and its URL begins like this.
fn check(setup: Setup, servers: usize, scheme: &str) {
    let service = running(setup);
    assert_eq!(service.servers().len(), servers);
    assert!(service.url().starts_with(scheme), "{}", service.url());
}

macro_rules! simple {
    ($($module:ident $setup:ident $servers:literal $scheme:literal),* $(,)?) => {$(
        mod $module {
            #[test]
            #[ignore = "needs a live service"]
            fn it_comes_up() {
                super::check(super::Setup::$setup, $servers, $scheme);
            }
        }
    )*};
}

simple! {
    mariadb Mariadb 1 "mariadb://larder:larder@127.0.0.1:",
    memcached Memcached 1 "memcached://127.0.0.1:",
    memcached_auth MemcachedAuth 1 "memcached://larder:s3cret%2Fword@127.0.0.1:",
    memcached_fleet MemcachedFleet 3 "memcached://127.0.0.1:",
    memcached_new MemcachedNew 1 "memcached://127.0.0.1:",
    memcached_tls MemcachedTls 1 "memcacheds://127.0.0.1:",
    memcached_unix MemcachedUnix 1 "memcached+unix:///",
    mysql Mysql 1 "mysql://larder:larder@127.0.0.1:",
    postgres Postgres 1 "postgres://larder:larder@127.0.0.1:",
    postgres_new PostgresNew 1 "postgres://larder:larder@127.0.0.1:",
    python Python 0 "/",
    redis Redis 1 "redis://127.0.0.1:",
    redis_new RedisNew 1 "redis://127.0.0.1:",
    redis_tls RedisTls 1 "rediss://127.0.0.1:",
    redis_unix RedisUnix 1 "redis+unix:///",
    valkey Valkey 1 "valkey://127.0.0.1:",
    valkey_new ValkeyNew 1 "valkey://127.0.0.1:",
}

mod postgres_tls {
    use super::*;

    #[test]
    #[ignore = "needs a live service"]
    fn one_server_serves_all_three_ways() {
        let service = running(Setup::PostgresTls);
        let [server] = service.servers() else {
            panic!("it is one server");
        };
        let tls =
            format!("127.0.0.1:{}/larder_tls?sslmode=verify-full&sslrootcert=", server.port());
        assert!(service.url().contains(&tls), "{}", service.url());
        assert!(service.ca().is_file());
        let unix = service.url_of(Setup::PostgresUnix).expect("it has a socket too");
        assert!(unix.contains("/larder_unix?host=/"), "{unix}");
        assert!(service.url_of(Setup::Postgres).is_some());
        assert_eq!(service.url_of(Setup::PostgresNew), None);
    }
}

mod redis_acl {
    use super::*;

    #[test]
    #[ignore = "needs a live service"]
    fn the_user_may_do_what_a_cache_does_and_nothing_else() {
        let service = running(Setup::RedisAcl);
        let may = |words: &[&str]| {
            let dry = [&["ACL", "DRYRUN", "larder"], words].concat();
            service.server(0).commanded(&dry).expect("the administrator may ask") == ok()
        };
        for allowed in [
            &["GET", "L:larder:k"][..],
            &["SET", "query:00", "v"],
            &["EVALSHA", "00", "1", "L:larder:k"],
            &["INFO"],
            &["CONFIG", "GET", "maxmemory-policy"],
            &["CLIENT", "TRACKING", "on"],
        ] {
            assert!(may(allowed), "{allowed:?}");
        }
        for refused in [
            &["GET", "other"][..],
            &["FLUSHALL"],
            &["KEYS", "*"],
            &["CONFIG", "SET", "maxmemory", "0"],
            &["SHUTDOWN"],
        ] {
            assert!(!may(refused), "{refused:?}");
        }
    }

    fn ok() -> Reply {
        Reply::Text("OK".to_owned())
    }
}

mod redis_replicated {
    use super::*;

    #[test]
    #[ignore = "needs a live service"]
    fn a_replica_can_be_promoted_when_the_primary_is_gone() {
        let service = running(Setup::RedisReplicated);
        let primary = service.primary().expect("there is one");
        let [replica] = service.replicas()[..] else {
            panic!("there is one replica");
        };
        primary.commanded(&["SET", "key", "value"]).expect("it writes");
        let has_it = || replica.commanded(&["GET", "key"]).is_ok_and(|reply| reply != Reply::Nil);
        replica.wait_until(has_it).expect("it follows");
        primary.kill();
        service.promote(replica).expect("it takes over");
        let primary = service.primary().expect("there is one again");
        assert_eq!(primary.port(), replica.port());
        let value = primary.commanded(&["GET", "key"]).expect("it reads");
        assert_eq!(value.text(), Some("value"));
    }
}

mod redis_sentinel {
    use super::*;

    #[test]
    #[ignore = "needs a live service"]
    fn the_sentinels_replace_a_primary_that_is_gone() {
        let service = running(Setup::RedisSentinel);
        assert_eq!(service.servers().len(), 5);
        let old = service.primary().expect("there is one");
        let [replica] = service.replicas()[..] else {
            panic!("there is one replica");
        };
        old.kill();
        replica.wait_until(|| service.primary().is_ok()).expect("the sentinels promote it");
        let sentinel = service.server(4);
        let port = replica.port().to_string();
        let is_known = || {
            let reply = sentinel.commanded(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", "larder"]);
            let reply = reply.expect("a sentinel answers");
            reply.items().get(1).and_then(Reply::text) == Some(port.as_str())
        };
        sentinel.wait_until(is_known).expect("the sentinels say so");
    }
}

mod redis_cluster {
    use super::*;

    #[test]
    #[ignore = "needs a live service"]
    fn a_replica_can_take_over_the_slots_of_its_primary() {
        let service = running(Setup::RedisCluster);
        assert_eq!(service.replicas().len(), 3);
        // Servers 0 to 2 are the primaries, and number 3 follows number 0.
        let (primary, replica) = (service.server(0), service.server(3));
        primary.kill();
        service.promote(replica).expect("it takes over");
        let other = service.server(1);
        let is_whole = || {
            let info = other.commanded(&["CLUSTER", "INFO"]).expect("it answers");
            info.text().is_some_and(|info| info.contains("cluster_state:ok"))
        };
        other.wait_until(is_whole).expect("the cluster goes on");
    }
}
