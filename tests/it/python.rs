//! A program in Python and plain mode share entries, on Redis and on Memcached.
//!
//! The program does what a cache-aside deployment does: `query:` and the SHA-256 of the text,
//! `json.dumps(rows, default=str)`, `setex` of redis-py and `set` of pymemcache.

use std::{env, process::Command, time::Duration};

use larder::{Larder, PlainQueries, Source, Tier, Value};
use serde_json::json;

const PROGRAM: &str = r#"
import hashlib, json, sys
from datetime import date, datetime
from decimal import Decimal

kind, url, action, sql = sys.argv[1:]
key = f"query:{hashlib.sha256(sql.encode()).hexdigest()}"
if kind == "redis":
    import redis
    client = redis.Redis.from_url(url, decode_responses=True)
    store = lambda text: client.setex(key, 300, text)
else:
    from pymemcache.client.base import Client
    host, port = url.split("//")[1].split("/")[0].split(":")
    client = Client((host, int(port)))
    store = lambda text: client.set(key, text, expire=300)

if action == "store":
    rows = [
        {"id": 1, "name": "Köln", "price": Decimal("1.50"), "at": datetime(2024, 1, 1), "x": 0.1},
        {"id": 2, "name": None, "price": Decimal("0E-8"), "at": date(2024, 2, 29), "x": 1e16},
    ]
    store(json.dumps(rows, default=str))
elif action == "garbage":
    store("no JSON at all")
elif action == "delete":
    client.delete(key)
elif action == "ttl":
    print(client.ttl(key))
    sys.exit()
# Also after a write without a reply: the same connection answers in order.
cached = client.get(key)
print(json.dumps(json.loads(cached)) if cached and action != "garbage" else "null")
"#;

/// A setting of the test.
fn variable(name: &str) -> String {
    env::var(name)
        .unwrap_or_else(|_| panic!("{name} is not set; `cargo xtask test` starts the servers"))
}

/// A service in Rust and a program in Python on one cache.
struct Shared {
    kind: &'static str,
    url: String,
    larder: Larder,
    /// A text that no other test asks.
    sql: String,
}

impl Shared {
    async fn new(kind: &'static str) -> Self {
        let url = variable(&format!("LARDER_{}_URL", kind.to_uppercase()));
        let builder = Larder::builder().database("sqlite::memory:").far(&url).without_near();
        // A machine that is busy with other tests is no reason for a miss.
        let builder = builder.far_time_limit(Duration::from_secs(20));
        let larder = builder.ttl(Duration::from_secs(300)).build().await.unwrap();
        for sql in [
            "CREATE TABLE airline (id INTEGER, name TEXT, fleet INTEGER, rating REAL, logo BLOB)",
            "INSERT INTO airline VALUES (1, 'Ü \"\u{1F600}\"', 9007199254740993, 0.1, x'00ff'), \
             (2, NULL, NULL, 1e16, NULL)",
        ] {
            larder.execute(sql).run().await.unwrap();
        }
        let sql = format!(
            "SELECT id, name, fleet, rating, logo, 1 AS r{:x} FROM airline",
            rand::random::<u64>()
        );
        Self { kind, url, larder, sql }
    }

    fn plain(&self) -> &PlainQueries {
        self.larder.plain().unwrap()
    }

    /// What the program in Python says.
    fn python(&self, action: &str) -> serde_json::Value {
        let mut command = Command::new(variable("LARDER_PYTHON"));
        let ran = command.args(["-c", PROGRAM, self.kind, &self.url, action, &self.sql]).output();
        let ran = ran.unwrap();
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        serde_json::from_slice(&ran.stdout).unwrap()
    }

    async fn source(&self) -> Source {
        self.plain().query(&self.sql).fetch().await.unwrap().source()
    }

    async fn entries_of_python_are_hits(&self) {
        self.python("store");
        let hit = self.plain().query(&self.sql).fetch().await.unwrap();
        assert_eq!(hit.source(), Source::Hit(Tier::Far));
        let text = |text: &str| Value::Text(text.to_owned());
        let names: Vec<_> = hit.rows().columns().names().collect();
        assert_eq!(names, ["id", "name", "price", "at", "x"]);
        let expected = [
            [
                Value::Int(1),
                text("Köln"),
                text("1.50"),
                text("2024-01-01 00:00:00"),
                Value::Float(0.1),
            ],
            [Value::Int(2), Value::Null, text("0E-8"), text("2024-02-29"), Value::Float(1e16)],
        ];
        for (row, expected) in hit.rows().into_iter().zip(&expected) {
            assert_eq!(row.values(), expected);
        }
        assert_eq!(hit.rows().len(), 2);

        self.python("delete");
        assert_eq!(self.source().await, Source::Miss);
        self.python("garbage");
        assert_eq!(self.source().await, Source::Miss);
        assert_eq!(self.source().await, Source::Hit(Tier::Far));
    }

    async fn entries_of_plain_mode_are_read_by_python(&self) {
        let miss = self.plain().query(&self.sql).fetch().await.unwrap();
        assert_eq!(miss.source(), Source::Miss);
        let read = self.python("read");
        assert_eq!(read, serde_json::to_value(miss.rows()).unwrap());
        assert_eq!(read[0]["name"], "Ü \"\u{1F600}\"");
        assert_eq!(read[0]["fleet"], 9_007_199_254_740_993_i64);
        assert_eq!(read[0]["logo"], "b'\\x00\\xff'");
        assert_eq!(read[1]["rating"], 1e16);

        assert!(self.plain().invalidate(&self.sql).await.unwrap());
        assert_eq!(self.python("read"), json!(null));
        assert!(!self.plain().invalidate(&self.sql).await.unwrap());
        assert_eq!(self.source().await, Source::Miss);
    }
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn entries_of_redis_py_are_hits() {
    Shared::new("redis").await.entries_of_python_are_hits().await;
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn entries_of_plain_mode_are_read_by_redis_py() {
    let shared = Shared::new("redis").await;
    shared.entries_of_plain_mode_are_read_by_python().await;
    let left = shared.python("ttl").as_i64().unwrap();
    assert!((1..=300).contains(&left), "{left}");
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn entries_of_pymemcache_are_hits() {
    Shared::new("memcached").await.entries_of_python_are_hits().await;
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn entries_of_plain_mode_are_read_by_pymemcache() {
    Shared::new("memcached").await.entries_of_plain_mode_are_read_by_python().await;
}
