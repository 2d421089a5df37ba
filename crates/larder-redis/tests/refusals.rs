//! What can not work is refused with an error of the right kind, within the time limit, and
//! without a word about secrets.

mod support;

use std::{sync::Arc, time::Duration};

use larder_core::{CacheBackend as _, ErrorKind, Key};
use larder_redis::{Address, Deployment, RedisBackend, RedisConfig};

use support::{
    connect,
    fake::{Fake, Said, healthy, says},
    from_url, refusal,
};

const SHORT: Duration = Duration::from_millis(300);

#[tokio::test]
async fn nobody_listens() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let error = refusal(from_url(&format!("redis://:canary@127.0.0.1:{free}"))).await;
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.is_retryable());
    let error = refusal(from_url("redis+unix:///nowhere/at/all.sock")).await;
    assert_eq!(error.kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn a_host_that_is_not_there() {
    let error = refusal(from_url("redis://:canary@nowhere.invalid")).await;
    assert_eq!(error.kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn a_server_that_accepts_and_never_answers() {
    let silent = Fake::start(|_, _| Said::Nothing).await;
    for url in ["redis", "rediss", "redis+cluster"] {
        let config = from_url(&format!("{url}://127.0.0.1:{}", silent.port()));
        let error = refusal(config.with_time_limit(SHORT)).await;
        assert_eq!(error.kind(), ErrorKind::Timeout, "{url}");
    }
    let sentinel = format!("redis+sentinel://127.0.0.1:{}/m", silent.port());
    let error = refusal(from_url(&sentinel).with_time_limit(SHORT)).await;
    assert_eq!(error.kind(), ErrorKind::Timeout);
}

#[tokio::test]
async fn a_connection_that_falls_silent_is_replaced() {
    // The first connection dies after the greeting and the health check, as it would in a
    // network that drops packets.
    let server = Fake::start(|connection, words| match (connection, words[0].as_str()) {
        (0, "MGET") => Said::Nothing,
        _ => healthy(words),
    })
    .await;
    let cache = connect(server.config().with_time_limit(SHORT)).await;
    let error = cache.read(&Key::object("k"), &[]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    let snapshot = cache.read(&Key::object("k"), &[]).await.unwrap();
    assert_eq!((snapshot.value, server.connections()), (None, 2));
}

#[tokio::test]
async fn many_callers_of_a_silent_server_share_one_connection() {
    let server = Fake::start(|connection, words| match (connection, words[0].as_str()) {
        (0, "INFO" | "TIME" | "AUTH") => healthy(words),
        _ => Said::Nothing,
    })
    .await;
    let cache = Arc::new(connect(server.config().with_time_limit(SHORT)).await);
    for _ in 0..3 {
        let calls = (0..50).map(|i| {
            let cache = Arc::clone(&cache);
            tokio::spawn(async move { cache.read(&Key::object(&format!("{i}")), &[]).await })
        });
        for call in calls.collect::<Vec<_>>() {
            let kind = call.await.unwrap().unwrap_err().kind();
            assert!(matches!(kind, ErrorKind::Timeout | ErrorKind::Unavailable), "{kind:?}");
        }
    }
    // One that died, and then one at a time as each attempt ran out of time.
    assert!(server.connections() <= 8, "{} connections", server.connections());
}

#[tokio::test]
async fn servers_that_are_not_redis() {
    for said in [
        &b"ERROR\r\n"[..],
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\x15\x03\x01\x00\x02\x02\x0a",
        b"J\x00\x00\x00\x0a5.5.5-10.11.14-MariaDB\x00",
        b"$99999999999\r\n",
    ] {
        let server = Fake::saying(said).await;
        let error = refusal(server.config()).await;
        assert_eq!(error.kind(), ErrorKind::Protocol, "{}", said.escape_ascii());
        assert!(!error.is_retryable());
    }
}

#[tokio::test]
async fn tls_where_there_is_none() {
    let plain = Fake::saying(b"-ERR Protocol error: canary\r\n").await;
    let error = refusal(plain.config().with_tls(true)).await;
    assert_eq!(error.kind(), ErrorKind::Protocol);
}

#[tokio::test]
async fn servers_that_are_not_what_the_url_says() {
    let version = "redis_version:7.0.15\r\nrun_id:a\r\nredis_mode:";
    for (server, role, cluster, kind) in [
        ("redis_version:6.0.16\r\nrun_id:a".into(), "master", false, ErrorKind::Unsupported),
        (format!("{version}standalone"), "slave", false, ErrorKind::ReadOnly),
        (format!("{version}cluster"), "master", false, ErrorKind::InvalidInput),
        (format!("{version}sentinel"), "master", false, ErrorKind::InvalidInput),
        ("nothing:0".into(), "master", false, ErrorKind::Protocol),
        (format!("{version}standalone"), "nonsense", false, ErrorKind::ReadOnly),
    ] {
        let name = server.clone();
        let role = format!("role:{role}");
        let fake = Fake::start(move |_, words| says(words, &server, &role)).await;
        let mut config = fake.config();
        if cluster {
            let seed = Address::tcp("127.0.0.1", fake.port());
            config.deployment = Deployment::Cluster(vec![seed]);
        }
        let error = refusal(config).await;
        assert_eq!(error.kind(), kind, "{name}: {error}");
    }
}

#[tokio::test]
async fn what_a_server_refuses_has_its_kind() {
    for (refusal, kind) in [
        ("-LOADING Redis is loading the dataset in memory\r\n", ErrorKind::Unavailable),
        ("-BUSY Redis is busy running a script\r\n", ErrorKind::Busy),
        ("-NOPERM this user has no permissions\r\n", ErrorKind::Authentication),
        ("-OOM command not allowed\r\n", ErrorKind::NoSpace),
        ("+what is this\r\n", ErrorKind::Protocol),
        ("*1\r\n$-1\r\n", ErrorKind::Protocol),
    ] {
        let server = Fake::start(move |_, words| match words[0].as_str() {
            "MGET" => Said::Bytes(refusal.into()),
            _ => healthy(words),
        })
        .await;
        let cache = connect(server.config()).await;
        let error = cache.read(&Key::object("k"), &[]).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{refusal}");
        assert_eq!(cache.stats().errors, 1);
    }
}

#[tokio::test]
async fn what_a_server_says_before_it_is_asked_is_heard() {
    for (said, kind) in [
        (&b"-ERR max number of clients reached\r\n"[..], ErrorKind::Unavailable),
        (b"-DENIED Redis is running in protected mode\r\n", ErrorKind::Authentication),
        (b"220 mail.example.org ESMTP\r\n", ErrorKind::Protocol),
    ] {
        let server = Fake::greeting(said).await;
        let error = refusal(server.config()).await;
        assert_eq!(error.kind(), kind, "{}", said.escape_ascii());
    }
}

#[tokio::test]
async fn a_configuration_that_makes_no_sense_connects_to_nobody() {
    let server = Fake::start(|_, words| healthy(words)).await;
    for config in [
        server.config().with_namespace("a:b"),
        server.config().with_namespace(""),
        server.config().with_ca_file("/nowhere.pem"),
        server.config().with_time_limit(Duration::ZERO),
    ] {
        let error = RedisBackend::connect(config).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
    }
    let missing = server.config().with_tls(true).with_ca_file("/nowhere/ca.pem");
    let error = refusal(missing).await;
    assert_eq!((error.kind(), server.connections()), (ErrorKind::InvalidInput, 0));
}

mod certificates {
    use std::path::PathBuf;

    use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
    use tokio::net::TcpListener;
    use tokio_rustls::{
        TlsAcceptor,
        rustls::{
            ServerConfig,
            pki_types::{CertificateDer, PrivateKeyDer},
        },
    };

    use super::*;

    /// Who signs, and the file that says so.
    struct Authority {
        issuer: Issuer<'static, KeyPair>,
        file: PathBuf,
    }

    impl Authority {
        fn new() -> Self {
            let mut params = CertificateParams::new(Vec::new()).unwrap();
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            let key = KeyPair::generate().unwrap();
            let certificate = params.self_signed(&key).unwrap();
            let name = format!("larder-{:016x}.pem", rand::random::<u64>());
            let file = std::env::temp_dir().join(name);
            std::fs::write(&file, certificate.pem()).unwrap();
            Self { issuer: Issuer::new(params, key), file }
        }

        /// A server with a certificate for this name, which says what a server without TLS says
        /// that speaks another protocol.
        async fn server_for(&self, name: &str, days: i64) -> u16 {
            let key = KeyPair::generate().unwrap();
            let mut params = CertificateParams::new([name.to_owned()]).unwrap();
            params.not_before = rcgen::date_time_ymd(2020, 1, 1);
            params.not_after = rcgen::date_time_ymd(if days < 0 { 2021 } else { 2090 }, 1, 1);
            let certificate = params.signed_by(&key, &self.issuer).unwrap();
            let chain = vec![CertificateDer::from(certificate.der().to_vec())];
            let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
            let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
            let config = ServerConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_no_client_auth()
                .with_single_cert(chain, key)
                .unwrap();
            let acceptor = TlsAcceptor::from(Arc::new(config));
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let port = listener.local_addr().unwrap().port();
            tokio::spawn(async move {
                while let Ok((stream, _peer)) = listener.accept().await {
                    let acceptor = acceptor.clone();
                    tokio::spawn(async move {
                        use tokio::io::AsyncWriteExt as _;

                        let Ok(mut stream) = acceptor.accept(stream).await else { return };
                        let _ = stream.write_all(b"-NOAUTH canary\r\n").await;
                        let _ = stream.shutdown().await;
                    });
                }
            });
            port
        }
    }

    impl Drop for Authority {
        fn drop(&mut self) {
            let _ = std::fs::remove_file(&self.file);
        }
    }

    async fn outcome(port: u16, ca: &Authority) -> ErrorKind {
        let config: RedisConfig = from_url(&format!("rediss://:canary@127.0.0.1:{port}"));
        refusal(config.with_ca_file(&ca.file)).await.kind()
    }

    #[tokio::test]
    async fn a_certificate_counts_if_all_of_it_is_right() {
        let (trusted, stranger) = (Authority::new(), Authority::new());
        let good = trusted.server_for("127.0.0.1", 1).await;
        // This one lets us through to the server, which then refuses for its own reasons.
        assert_eq!(outcome(good, &trusted).await, ErrorKind::Authentication);
        for (port, what) in [
            (stranger.server_for("127.0.0.1", 1).await, "signed by a stranger"),
            (trusted.server_for("example.org", 1).await, "for another host"),
            (trusted.server_for("127.0.0.1", -1).await, "expired"),
        ] {
            let config = from_url(&format!("rediss://:canary@127.0.0.1:{port}"));
            let error = refusal(config.with_ca_file(&trusted.file)).await;
            assert_eq!(error.kind(), ErrorKind::Authentication, "{what}");
            assert!(error.to_string().contains("certificate"), "{what}: {error}");
        }
        let error = refusal(from_url(&format!("rediss://:canary@127.0.0.1:{good}"))).await;
        assert!(error.to_string().contains("certificate"), "without the file: {error}");
    }
}

/// What a live server of one kind says to a URL that means another.
async fn live_refusal(url: &str, kinds: &[ErrorKind]) {
    let error = refusal(from_url(url).with_time_limit(Duration::from_secs(5))).await;
    assert!(kinds.contains(&error.kind()), "{error}");
}

/// The host and port of a setup's URL.
fn host(setup: &str) -> String {
    let url = support::url(setup);
    let rest = url.split_once("://").unwrap().1;
    let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest);
    rest.split(['/', ',', '?']).next().unwrap().to_owned()
}

mod redis {
    use super::*;

    #[tokio::test]
    #[ignore = "needs a live service"]
    async fn refuses_what_it_is_not() {
        let host = host("REDIS");
        live_refusal(&format!("redis+cluster://{host}"), &[ErrorKind::InvalidInput]).await;
        live_refusal(&format!("redis://:canary@{host}"), &[ErrorKind::Authentication]).await;
        live_refusal(&format!("redis://{host}/4000"), &[ErrorKind::InvalidInput]).await;
        // What a server makes of a greeting in TLS is up to it: it may wait for its end.
        let kinds = [ErrorKind::Protocol, ErrorKind::Timeout, ErrorKind::Unavailable];
        live_refusal(&format!("rediss://{host}"), &kinds).await;
    }
}

mod redis_acl {
    use super::*;

    #[tokio::test]
    #[ignore = "needs a live service"]
    async fn refuses_the_wrong_user_and_the_wrong_password() {
        let host = host("REDIS_ACL");
        for userinfo in ["", ":canary@", "larder:canary@", "nobody:canary@"] {
            let url = format!("redis://{userinfo}{host}");
            live_refusal(&url, &[ErrorKind::Authentication]).await;
        }
    }
}

mod redis_cluster {
    use super::*;

    #[tokio::test]
    #[ignore = "needs a live service"]
    async fn refuses_to_be_taken_for_one_server() {
        let url = format!("redis://{}", host("REDIS_CLUSTER"));
        live_refusal(&url, &[ErrorKind::InvalidInput]).await;
    }
}

mod redis_sentinel {
    use super::*;

    #[tokio::test]
    #[ignore = "needs a live service"]
    async fn refuses_an_unknown_master_and_to_be_taken_for_one() {
        let host = host("REDIS_SENTINEL");
        let unknown = format!("redis+sentinel://{host}/canary");
        live_refusal(&unknown, &[ErrorKind::InvalidInput]).await;
        live_refusal(&format!("redis://{host}"), &[ErrorKind::InvalidInput]).await;
    }
}

mod redis_tls {
    use super::*;

    #[tokio::test]
    #[ignore = "needs a live service"]
    async fn refuses_plain_text_and_is_refused_without_its_authority() {
        let host = host("REDIS_TLS");
        let kinds = [ErrorKind::Protocol, ErrorKind::Unavailable];
        live_refusal(&format!("redis://{host}"), &kinds).await;
        live_refusal(&format!("rediss://{host}"), &[ErrorKind::Authentication]).await;
    }
}

mod memcached {
    use super::*;

    #[tokio::test]
    #[ignore = "needs a live service"]
    async fn is_not_redis() {
        let host = host("MEMCACHED");
        for userinfo in ["", ":canary@"] {
            let url = format!("redis://{userinfo}{host}");
            live_refusal(&url, &[ErrorKind::Protocol]).await;
        }
    }
}
