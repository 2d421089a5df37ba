//! Plain entries are what other programs read and write.

use larder_core::{ErrorKind, Key, KeySpace, PlainStore, Ttl};
use larder_memcached::{MemcachedBackend, MemcachedConfig, ServerAddress};
use tokio::net::TcpStream;

mod common;

fn key() -> Key {
    Key::from_digest(KeySpace::Query, rand::random())
}

fn ttl(seconds: i64) -> Ttl {
    Ttl::try_from_secs(seconds).unwrap()
}

async fn opened(setup: &str) -> (MemcachedBackend, MemcachedConfig) {
    let config = common::config(setup);
    (MemcachedBackend::connect(config.clone()).await.unwrap(), config)
}

async fn socket(server: &ServerAddress) -> TcpStream {
    let ServerAddress::Tcp { host, port } = server else { panic!("no port") };
    TcpStream::connect((host.as_str(), *port)).await.unwrap()
}

async fn asked(stream: &mut TcpStream, command: &str) -> String {
    String::from_utf8(common::raw(stream, command).await).unwrap()
}

mod memcached {
    use super::*;

    #[tokio::test]
    #[ignore = "needs a live service"]
    async fn what_another_client_stored_is_found_and_the_reverse() {
        let (cache, config) = opened("memcached").await;
        let mut other = socket(&config.servers[0]).await;
        let (theirs, ours) = (key(), key());
        let rows = r#"[{"airline_id": 1, "name": "Lufthansa"}]"#;
        // Flags of another client's serializer are none of our business.
        let set = format!("set {} 16 60 {}\r\n{rows}\r\n", theirs.visible(), rows.len());
        assert_eq!(asked(&mut other, &set).await, "STORED\r\n");
        assert_eq!(cache.plain_get(&theirs).await.unwrap().as_deref(), Some(rows.as_bytes()));

        cache.plain_set(&ours, rows.into(), ttl(60)).await.unwrap();
        let (name, len) = (ours.visible(), rows.len());
        let reply = asked(&mut other, &format!("get {name}\r\n")).await;
        assert_eq!(reply, format!("VALUE {name} 0 {len}\r\n{rows}\r\nEND\r\n"));
        assert!(cache.plain_delete(&ours).await.unwrap());
        assert!(!cache.plain_delete(&ours).await.unwrap(), "it is gone");
        assert_eq!(asked(&mut other, &format!("get {name}\r\n")).await, "END\r\n");
    }

    #[tokio::test]
    #[ignore = "needs a live service"]
    async fn lifetimes_beyond_thirty_days_are_kept() {
        let (cache, config) = opened("memcached").await;
        let mut other = socket(&config.servers[0]).await;
        for seconds in [1, 300, 30 * 86_400, 30 * 86_400 + 1, 3_650 * 86_400] {
            let key = key();
            cache.plain_set(&key, "value".into(), ttl(seconds)).await.unwrap();
            let reply = asked(&mut other, &format!("mg {} t\r\n", key.visible())).await;
            let left: i64 = reply.trim_end().strip_prefix("HD t").unwrap().parse().unwrap();
            assert!((seconds - 2..=seconds).contains(&left), "{left} of {seconds} s are left");
        }
    }

    #[tokio::test]
    #[ignore = "needs a live service"]
    async fn empty_and_large_values_are_stored_and_too_large_ones_refused() {
        let (cache, _) = opened("memcached").await;
        for len in [0, 1, 31, 32, 33, 100_000, 1_000_000] {
            let key = key();
            cache.plain_set(&key, vec![b'x'; len].into(), ttl(60)).await.unwrap();
            let found = cache.plain_get(&key).await.unwrap().unwrap();
            assert!(found.len() == len && found.iter().all(|byte| *byte == b'x'), "{len} bytes");
        }
        let too_large = cache.plain_set(&key(), vec![b'x'; 2 << 20].into(), ttl(60)).await;
        assert_eq!(too_large.unwrap_err().kind(), ErrorKind::TooLarge);
    }
}

mod memcached_fleet {
    use super::*;

    /// The place is that of other clients with the same list of servers: MD5 of the name, on the
    /// ring whose vectors are in the unit tests.
    #[tokio::test]
    #[ignore = "needs a live service"]
    async fn each_entry_is_on_exactly_one_server() {
        let (cache, config) = opened("memcached_fleet").await;
        let mut places = [0; 3];
        for _ in 0..30 {
            let key = key();
            cache.plain_set(&key, "value".into(), ttl(60)).await.unwrap();
            let mut found = Vec::new();
            for (place, server) in config.servers.iter().enumerate() {
                let mut other = socket(server).await;
                let reply = asked(&mut other, &format!("get {}\r\n", key.visible())).await;
                found.extend(reply.starts_with("VALUE").then_some(place));
            }
            let [place] = found[..] else { panic!("it is on {found:?}") };
            places[place] += 1;
        }
        assert!(places.iter().all(|count| *count > 0), "{places:?}");
    }
}

mod python {
    use std::process::Command;

    use super::*;

    fn python(script: &str) -> String {
        let Some(python) = std::env::var_os("LARDER_PYTHON") else {
            panic!("LARDER_PYTHON is not set; `cargo xtask test` finds one");
        };
        let output = Command::new(python).args(["-c", script]).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{error}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn client(config: &MemcachedConfig) -> String {
        format!("from pymemcache.client.base import Client; c = Client(\"{}\")", config.servers[0])
    }

    #[tokio::test]
    #[ignore = "needs a live service"]
    async fn pymemcache_and_larder_read_each_others_entries() {
        let (cache, config) = opened("memcached").await;
        let (theirs, ours, rows) = (key(), key(), r#"[{"id": 1}]"#);
        let client = client(&config);
        let stored = python(&format!(
            "{client}; print(c.set(\"{}\", '{rows}', expire=60, noreply=False))",
            theirs.visible()
        ));
        assert_eq!(stored.trim(), "True");
        assert_eq!(cache.plain_get(&theirs).await.unwrap().as_deref(), Some(rows.as_bytes()));
        cache.plain_set(&ours, rows.into(), ttl(60)).await.unwrap();
        let found = python(&format!("{client}; print(c.get(\"{}\").decode())", ours.visible()));
        assert_eq!(found.trim(), rows);
    }
}
