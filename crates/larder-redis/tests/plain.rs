//! Plain entries are what other programs write and read.

mod support;

use ::redis::Value;
use larder_core::{CacheBackend as _, ErrorKind, Key, KeySpace, PlainStore as _, Ttl};

use support::{config, connect, wire};

macro_rules! setup {
    ($module:ident, $name:literal) => {
        mod $module {
            #[tokio::test]
            #[ignore = "needs a live service"]
            async fn plain_entries_are_shared_with_other_programs() {
                super::plain_entries_are_shared_with_other_programs($name).await;
            }
        }
    };
}

setup!(redis, "REDIS");
setup!(redis_cluster, "REDIS_CLUSTER");
setup!(valkey, "VALKEY");

async fn plain_entries_are_shared_with_other_programs(setup: &str) {
    let cache = connect(config(setup).with_value_bytes_max(1_000)).await;
    let url = support::url(setup);
    let key = Key::from_digest(KeySpace::Query, rand::random());
    let name = key.visible().to_string();
    let ttl = Ttl::new(std::time::Duration::from_millis(1_500)).unwrap();

    assert_eq!(cache.plain_get(&key).await.unwrap(), None);
    assert!(!cache.plain_delete(&key).await.unwrap());
    cache.plain_set(&key, "[{\"id\": 1}]".into(), ttl).await.unwrap();
    let mut get = ::redis::cmd("GET");
    get.arg(&name);
    assert_eq!(wire::ask(&url, &get).await, Some(Value::BulkString(b"[{\"id\": 1}]".into())));
    let millis = wire::time_left(&url, &name).await.unwrap();
    assert!((1_000..=2_000).contains(&millis), "{millis} ms of whole seconds");
    assert!(cache.plain_delete(&key).await.unwrap());

    let mut setex = ::redis::cmd("SETEX");
    setex.arg(&name).arg(60).arg("theirs");
    wire::ask(&url, &setex).await.unwrap();
    assert_eq!(cache.plain_get(&key).await.unwrap().as_deref(), Some(&b"theirs"[..]));
    // A plain entry is none of the protocol's.
    assert_eq!(cache.read(&key, &[]).await.unwrap().value, None);
    assert!(cache.plain_delete(&key).await.unwrap());

    let error = cache.plain_set(&key, vec![0; 1_001].into(), ttl).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
}
