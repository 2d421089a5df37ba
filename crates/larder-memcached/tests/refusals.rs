//! What can not work ends in a typed error within the time limit, and says no secret.

use std::{sync::Arc, time::Duration};

use larder_core::{CacheBackend, ErrorKind, Key, Ttl};
use larder_memcached::{Credentials, MemcachedBackend, MemcachedConfig, ServerAddress};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

mod common;

/// Long enough for a busy machine, and short against the limit of a test.
const LIMIT: Duration = Duration::from_millis(800);

/// A server that says this as soon as anybody asks something, and nothing after it.
async fn impostor(says: &'static [u8]) -> MemcachedConfig {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut question = [0; 256];
            let _ = stream.read(&mut question).await;
            let _ = stream.write_all(says).await;
            // Nothing is closed, so that only the client can end it.
            open.push(stream);
        }
    });
    MemcachedConfig::new([ServerAddress::tcp("127.0.0.1", port)]).with_time_limit(LIMIT)
}

async fn kind_of(config: MemcachedConfig) -> ErrorKind {
    // The limit counts for the connection and for the reply.
    let connect = tokio::time::timeout(8 * LIMIT, MemcachedBackend::connect(config));
    let Ok(result) = connect.await else { panic!("nothing within the time limit") };
    let error = result.map(|backend| backend.to_string()).unwrap_err();
    let printed = format!("{error} {error:?}");
    assert!(!printed.contains("canary"), "{printed}");
    error.kind()
}

#[tokio::test]
async fn a_server_of_another_protocol_is_a_protocol_error() {
    for says in [
        &b"-ERR unknown command 'version', with args beginning with: \r\n"[..],
        b"-NOAUTH Authentication required.\r\n",
        b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n",
        b"220 mail.example ESMTP\r\n",
        b"\x15\x03\x01\x00\x02\x02\x46",
        b"J\x00\x00\x00\x0a8.0.36\x00",
        b"STORED\r\nSTORED\r\nSTORED\r\n",
        b"VERSION 1.6.18\r\nSTAT a b\r\nEND\r\nEND\r\nEND\r\n",
        b"VERSION 1.6.18\r\nEND\r\nEND\r\n",
        b"ERROR\r\n",
    ] {
        let found = kind_of(impostor(says).await).await;
        // What has no end of a line is waited for.
        let silent = !says.contains(&b'\n');
        let expected = if silent { ErrorKind::Timeout } else { ErrorKind::Protocol };
        assert_eq!(found, expected, "{}", says.escape_ascii());
    }
}

#[tokio::test]
async fn a_server_that_says_nothing_is_a_timeout() {
    assert_eq!(kind_of(impostor(b"").await).await, ErrorKind::Timeout);
    assert_eq!(kind_of(impostor(b"VERSION 1.6").await).await, ErrorKind::Timeout);
}

#[tokio::test]
async fn a_server_that_talks_without_end_is_cut_off() {
    let flood: &'static [u8] = b"STAT name value\r\n".repeat(5_000).leak();
    let says = [&b"VERSION 1.6.18\r\n"[..], flood].concat().leak();
    assert_eq!(kind_of(impostor(says).await).await, ErrorKind::Protocol);
    let line: &'static [u8] = vec![b'x'; 1 << 20].leak();
    assert_eq!(kind_of(impostor(line).await).await, ErrorKind::Protocol);
}

#[tokio::test]
async fn nobody_at_the_port_is_unavailable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let nobody = MemcachedConfig::new([ServerAddress::tcp("127.0.0.1", port)]);
    assert_eq!(kind_of(nobody).await, ErrorKind::Unavailable);
    let no_file = MemcachedConfig::new([ServerAddress::unix("/nowhere/memcached.sock")]);
    assert_eq!(kind_of(no_file).await, ErrorKind::Unavailable);
}

#[tokio::test]
async fn a_configuration_that_can_not_work_is_invalid() {
    let server = || MemcachedConfig::new([ServerAddress::tcp("127.0.0.1", 9)]);
    for wrong in [
        server().with_namespace("a:b"),
        server().with_credentials(Credentials::new("canary", "canary\r\nflush_all")),
        server().with_tls(true).with_ca("/nowhere/canary.pem"),
        MemcachedConfig::new([]),
    ] {
        assert_eq!(kind_of(wrong).await, ErrorKind::InvalidInput);
    }
}

#[tokio::test]
async fn a_file_without_certificates_is_invalid() {
    let directory = tempfile::tempdir().unwrap();
    for content in
        ["", "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"]
    {
        let file = directory.path().join("ca.pem");
        std::fs::write(&file, content).unwrap();
        let config = MemcachedConfig::new([ServerAddress::tcp("127.0.0.1", 9)]);
        let config = config.with_tls(true).with_ca(file);
        assert_eq!(kind_of(config).await, ErrorKind::InvalidInput, "{content}");
    }
}

#[tokio::test]
async fn plain_text_where_encryption_is_expected_is_refused() {
    let config = impostor(b"VERSION 1.6.18\r\n").await.with_tls(true);
    assert_eq!(kind_of(config).await, ErrorKind::Protocol);
}

mod memcached {
    use super::*;

    async fn backend(limit: usize) -> Arc<MemcachedBackend> {
        let config = common::config("memcached").with_namespace(common::namespace());
        Arc::new(MemcachedBackend::connect(config.with_value_bytes_max(limit)).await.unwrap())
    }

    #[tokio::test]
    #[ignore = "needs a live service"]
    async fn a_value_beyond_the_configured_limit_is_not_sent() {
        let cache = backend(100).await;
        let ttl = Ttl::new(Duration::from_secs(60)).unwrap();
        cache.put(&Key::object("k"), vec![0; 100].into(), ttl).await.unwrap();
        let error = cache.put(&Key::object("k"), vec![0; 101].into(), ttl).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooLarge);
        let found = cache.read(&Key::object("k"), &[]).await.unwrap().value;
        assert_eq!(found.map(|value| value.len()), Some(100), "what was there stays");
        assert_eq!(cache.stats().errors, 1);
    }

    /// The configured limit is beyond the server's: the server refuses, and says so.
    #[tokio::test]
    #[ignore = "needs a live service"]
    async fn a_value_that_the_server_finds_too_large_is_a_typed_error() {
        let cache = backend(64 << 20).await;
        let ttl = Ttl::new(Duration::from_secs(60)).unwrap();
        let error = cache.put(&Key::object("k"), vec![0; 3 << 20].into(), ttl).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooLarge, "{error}");
        cache.put(&Key::object("k"), "small".into(), ttl).await.unwrap();
        assert!(cache.read(&Key::object("k"), &[]).await.unwrap().value.is_some());
        let advice = cache.health().await.unwrap().advice;
        assert!(advice.iter().any(|advice| advice.contains("-I")), "{advice:?}");
    }

    #[tokio::test]
    #[ignore = "needs a live service"]
    async fn encryption_at_a_plain_port_is_refused() {
        let config = common::config("memcached").with_tls(true).with_time_limit(LIMIT);
        let kind = kind_of(config).await;
        assert!(matches!(kind, ErrorKind::Protocol | ErrorKind::Timeout), "{kind:?}");
    }

    #[tokio::test]
    #[ignore = "needs a live service"]
    async fn whatever_lies_in_the_place_of_our_items_is_a_miss() {
        let config = common::config("memcached").with_namespace(common::namespace());
        let ServerAddress::Tcp { host, port } = &config.servers[0] else { panic!("no port") };
        let mut stream = tokio::net::TcpStream::connect((host.as_str(), *port)).await.unwrap();
        let item = format!("{}:n", config.namespace);
        let cache = MemcachedBackend::connect(config.clone()).await.unwrap();
        let (key, ttl) = (Key::object("k"), Ttl::new(Duration::from_secs(60)).unwrap());
        for garbage in ["", "9007199254740993", &"x".repeat(900_000)] {
            cache.put(&key, "value".into(), ttl).await.unwrap();
            let set = format!("set {item} 0 0 {}\r\n{garbage}\r\n", garbage.len());
            assert_eq!(common::raw(&mut stream, &set).await, b"STORED\r\n");
            assert_eq!(cache.read(&key, &[]).await.unwrap().value, None, "history unknown");
            cache.put(&key, "value".into(), ttl).await.unwrap();
            assert!(cache.read(&key, &[]).await.unwrap().value.is_some(), "it goes on");
        }
    }

    /// Everything is gone, and the connection stays open: misses, and leases from before do not
    /// hold.
    #[tokio::test]
    #[ignore = "needs a live service"]
    async fn a_lost_history_refuses_the_fill() {
        use larder_core::{FillOutcome, LeaseOutcome, LeaseRequest};

        let config = common::config("memcached").with_namespace(common::namespace());
        let ServerAddress::Tcp { host, port } = &config.servers[0] else { panic!("no port") };
        let mut stream = tokio::net::TcpStream::connect((host.as_str(), *port)).await.unwrap();
        let item = format!("{}:n", config.namespace);
        let cache = MemcachedBackend::connect(config).await.unwrap();
        let (key, ttl) = (Key::object("k"), Ttl::new(Duration::from_secs(60)).unwrap());
        let request = LeaseRequest::new(Duration::from_secs(60));
        let LeaseOutcome::Won(lease) = cache.lease(&key, request).await.unwrap() else {
            panic!("nobody else loads");
        };
        assert_eq!(common::raw(&mut stream, &format!("delete {item}\r\n")).await, b"DELETED\r\n");
        let outcome = cache.fill(&key, &lease, "old".into(), ttl).await.unwrap();
        assert_eq!(outcome, FillOutcome::Refused);
        assert_eq!(cache.read(&key, &[]).await.unwrap().value, None);
    }
}

mod memcached_auth {
    use super::*;

    #[tokio::test]
    #[ignore = "needs a live service"]
    async fn wrong_or_missing_credentials_are_an_authentication_error() {
        let right = common::config("memcached_auth");
        let mut none = right.clone();
        none.credentials = None;
        assert_eq!(kind_of(none).await, ErrorKind::Authentication);
        let wrong = right.with_credentials(Credentials::new("larder", "canary"));
        assert_eq!(kind_of(wrong).await, ErrorKind::Authentication);
    }
}

mod memcached_tls {
    use super::*;

    #[tokio::test]
    #[ignore = "needs a live service"]
    async fn a_certificate_that_nobody_signed_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let ca = directory.path().join("other.pem");
        let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        std::fs::write(&ca, other.cert.pem()).unwrap();
        let config = common::config("memcached_tls").with_ca(ca);
        assert_eq!(kind_of(config).await, ErrorKind::Protocol);
    }

    #[tokio::test]
    #[ignore = "needs a live service"]
    async fn plain_text_at_an_encrypted_port_is_refused() {
        let config = common::config("memcached_tls").with_tls(false).with_time_limit(LIMIT);
        let kind = kind_of(config).await;
        let typed = [ErrorKind::Protocol, ErrorKind::Timeout, ErrorKind::Unavailable];
        assert!(typed.contains(&kind), "{kind:?}");
    }
}
