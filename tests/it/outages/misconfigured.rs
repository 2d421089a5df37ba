//! A far tier that can not work: an error when it is opened that says why, or a cache that always
//! misses within its time limit. Never a hang, a panic, or a password in a message.

use std::time::Duration;

use larder::{CacheError, OpenError};
use larder_core::ErrorKind;
use larder_services::{Options, Setup};
use larder_testkit::{Accept, FaultProxy};
use tokio::net::TcpListener;

use crate::support::{
    Bench, Engine, FarTier, Tiers, address_of, random_name, service_url, with_address,
};

/// Far beyond every limit: whatever takes longer hangs.
const LIMIT: Duration = Duration::from_secs(30);
const CANARY: &str = "hunter2";

/// Opens the far tier and, if that works, reads a few times. The error of the opening, if any.
async fn open_and_read(setup: &'static str, url: &str) -> Option<CacheError> {
    let far = FarTier::Server { setup, url: url.to_owned() };
    let bench = Bench::new(Engine::Sqlite, far).await;
    bench.behind_its_back(&["CREATE TABLE t (n)", "INSERT INTO t VALUES (7)"]).await;
    let bench = bench.with_far_time_limit(Duration::from_millis(200));
    let outcome = tokio::time::timeout(LIMIT, bench.try_process(Tiers::Far)).await;
    let larder = match outcome.expect("opening hangs") {
        Ok(larder) => larder,
        Err(error) => {
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains(CANARY), "a password is shown: {shown}");
            match error {
                OpenError::Far { source, .. } => return Some(source),
                other => panic!("another error: {other:?}"),
            }
        }
    };
    for _ in 0..8 {
        let fetch = larder.query("SELECT n FROM t").fetch_scalar::<i64>();
        let answer = tokio::time::timeout(LIMIT, fetch).await.expect("a read hangs").unwrap();
        assert_eq!((*answer, answer.source().as_str()), (7, "CACHE_MISS"));
    }
    let far = larder.stats().far.unwrap();
    assert!(far.errors > 0, "a far tier that can not work was not noticed: {far:?}");
    None
}

/// A URL without credentials, with some.
fn with_credentials(url: &str, user: &str) -> String {
    with_address(url, &format!("{user}:{CANARY}@{}", address_of(url)))
}

/// The URL without the credentials that it may have.
fn bare(url: &str) -> String {
    let (scheme, _) = url.split_once("://").unwrap();
    format!("{scheme}://{}", address_of(url))
}

async fn nobody_listens(setup: &'static str) {
    let url = bare(&service_url(setup));
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = free.local_addr().unwrap().to_string();
    drop(free);
    if let Some(error) = open_and_read(setup, &with_address(&url, &address)).await {
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
    }
}

async fn nobody_answers(setup: &'static str) {
    let url = bare(&service_url(setup));
    let proxy = FaultProxy::start(address_of(&url)).await.unwrap();
    proxy.set_accept(Accept::Stall);
    let url = with_address(&url, &proxy.address().to_string());
    if let Some(error) = open_and_read(setup, &url).await {
        assert_eq!(error.kind(), ErrorKind::Timeout, "{error:?}");
    }
}

/// The scheme of one product at the port of another.
async fn wrong_protocol(setup: &'static str, scheme: &str, kinds: &[ErrorKind]) {
    let url = format!("{scheme}://{}", address_of(&service_url(setup)));
    if let Some(error) = open_and_read(setup, &url).await {
        assert!(kinds.contains(&error.kind()), "{error:?}");
    }
}

async fn wrong_password(setup: &'static str) {
    let url = bare(&service_url(setup));
    let user = random_name("nobody");
    let error = open_and_read(setup, &with_credentials(&url, &user)).await;
    let error = error.expect("a wrong password is found when the far tier is opened");
    assert_eq!(error.kind(), ErrorKind::Authentication, "{error:?}");
}

async fn unknown_certificate(setup: &'static str) {
    // Without the authority that signed it, nobody vouches for the server.
    let error = open_and_read(setup, &bare(&service_url(setup))).await;
    let error = error.expect("an unknown certificate is found when the far tier is opened");
    assert!(!error.is_retryable(), "{error:?}");
}

/// A certificate that a known authority has signed, for a server of another name.
async fn certificate_of_somebody_else(setup: Setup) {
    let options = Options::new().with_certificate_for(["elsewhere.example"]);
    let service = tokio::task::block_in_place(|| larder_services::start_with(setup, &options));
    let service = service.unwrap();
    let error = open_and_read(setup.name(), service.url()).await;
    let error = error.expect("another name is found when the far tier is opened");
    assert!(!error.is_retryable(), "{error:?}");
}

/// A server that wants an encrypted connection gets a plain one, or the other way round.
async fn wrong_encryption(setup: &'static str, scheme: &str) {
    let url = format!("{scheme}://{}", address_of(&service_url(setup)));
    let _refused_or_missed = open_and_read(setup, &url).await;
}

/// What is said when something that speaks another language answers, or hangs up on it.
const FOREIGN: &[ErrorKind] =
    &[ErrorKind::Protocol, ErrorKind::Unavailable, ErrorKind::Timeout, ErrorKind::Other];

macro_rules! cases {
    ($($setup:ident { $($name:ident => $case:expr;)* })*) => {$(
        mod $setup {
            use super::*;
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                #[ignore = "needs a live service"]
                async fn $name() {
                    $case.await;
                }
            )*
        }
    )*};
}

cases! {
    redis {
        a_port_where_nobody_listens => nobody_listens("redis");
        a_port_where_nobody_answers => nobody_answers("redis");
        a_memcached_url_at_a_redis_port => wrong_protocol("redis", "memcached", FOREIGN);
        a_password_where_none_is_wanted => wrong_password("redis");
        an_encrypted_connection_to_a_plain_port => wrong_encryption("redis", "rediss");
    }
    valkey {
        a_port_where_nobody_listens => nobody_listens("valkey");
        a_port_where_nobody_answers => nobody_answers("valkey");
        a_memcached_url_at_a_valkey_port => wrong_protocol("valkey", "memcached", FOREIGN);
        a_password_where_none_is_wanted => wrong_password("valkey");
        an_encrypted_connection_to_a_plain_port => wrong_encryption("valkey", "valkeys");
    }
    memcached {
        a_port_where_nobody_listens => nobody_listens("memcached");
        a_port_where_nobody_answers => nobody_answers("memcached");
        a_redis_url_at_a_memcached_port => wrong_protocol("memcached", "redis", FOREIGN);
        an_encrypted_connection_to_a_plain_port => wrong_encryption("memcached", "memcacheds");
    }
    postgres {
        a_redis_url_at_a_database => wrong_protocol("postgres", "redis", FOREIGN);
        a_memcached_url_at_a_database => wrong_protocol("postgres", "memcached", FOREIGN);
    }
    redis_acl {
        a_wrong_password => wrong_password("redis_acl");
    }
    memcached_auth {
        a_wrong_password => wrong_password("memcached_auth");
    }
    redis_tls {
        a_certificate_of_an_unknown_authority => unknown_certificate("redis_tls");
        a_certificate_of_somebody_else => certificate_of_somebody_else(Setup::RedisTls);
        a_plain_connection_to_an_encrypted_port => wrong_encryption("redis_tls", "redis");
    }
    memcached_tls {
        a_certificate_of_an_unknown_authority => unknown_certificate("memcached_tls");
        a_certificate_of_somebody_else => certificate_of_somebody_else(Setup::MemcachedTls);
        a_plain_connection_to_an_encrypted_port => wrong_encryption("memcached_tls", "memcached");
    }
}
