//! What is in an entry, and what becomes of a query.

use proptest::prelude::*;

use super::*;
use crate::{Columns, Value, value::tests::any_value};

/// What `json.dumps(rows, default=str)` of Python 3.11 writes for [`golden_row`].
const GOLDEN: &str = r#"[{"id": 9007199254740993, "name": "K\u00f6ln \u2708 \ud83d\ude00 \"q\" \\ \u007f\u001f/", "price": "1.50", "tiny": "0E-8", "at": "2024-01-01 00:00:00", "at2": "2024-01-01 00:00:00.500000+00:00", "on": "2024-02-29", "t": "12:30:00", "b": "b\"\\x00it's\"", "f": 1e+16, "g": 1.234e-05, "h": 0.1, "i": 1.7976931348623157e+308, "n": null, "yes": true, "doc": {"a": [1, 2.5, null]}, "u": 18446744073709551615, "neg": -0.0}]"#;

const MOMENT: i64 = 1_704_067_200_000_000;

fn golden_row() -> RowSet {
    let text = |text: &str| Value::Text(text.to_owned());
    let cells = [
        ("id", Value::Int(9_007_199_254_740_993)),
        ("name", text("Köln \u{2708} \u{1F600} \"q\" \\ \u{7f}\u{1f}/")),
        ("price", Value::Decimal("1.50".into())),
        ("tiny", Value::Decimal("0.00000000".into())),
        ("at", Value::Timestamp(MOMENT)),
        ("at2", Value::TimestampUtc(MOMENT + 500_000)),
        ("on", Value::Date(19_782)),
        ("t", Value::Time(45_000_000_000)),
        ("b", Value::Bytes(b"\x00it's".to_vec())),
        ("f", Value::Float(1e16)),
        ("g", Value::Float(0.000_012_34)),
        ("h", Value::Float(0.1)),
        ("i", Value::Float(f64::MAX)),
        ("n", Value::Null),
        ("yes", Value::Bool(true)),
        ("doc", Value::Json("{\"a\": [1, 2.5, null]}".into())),
        ("u", Value::UInt(u64::MAX)),
        ("neg", Value::Float(-0.0)),
    ];
    let mut set = RowSet::new(Columns::new(cells.iter().map(|(name, _)| (*name, "type"))));
    set.push(cells.map(|(_, value)| value).into());
    set
}

#[test]
fn the_key_is_the_hash_of_the_text() {
    assert_eq!(
        plain_key("SELECT 1").visible().to_string(),
        "query:e004ebd5b5532a4b85984a62f8ad48a81aa3460c1ca07701f386135d72cdecf5"
    );
    assert_ne!(plain_key("SELECT 1"), plain_key("select 1"));
}

#[test]
fn an_entry_has_the_bytes_that_python_writes() {
    let plain = payload::plain_rows(Engine::Postgres, golden_row());
    let bytes = payload::encode(&plain).unwrap();
    assert_eq!(String::from_utf8(bytes.to_vec()).unwrap(), GOLDEN);
    assert_eq!(payload::decode(&bytes), Some(plain));
}

#[test]
fn on_mysql_values_have_the_forms_of_its_driver() {
    let mut set = RowSet::new(Columns::new(["t", "b", "d", "z"].map(|name| (name, ""))));
    set.push(vec![
        Value::Time(-7_200_000_000),
        Value::Bool(true),
        Value::Json("{\"a\":1}".into()),
        Value::TimestampUtc(MOMENT),
    ]);
    let plain = payload::plain_rows(Engine::MySql, set);
    let values = plain.rows()[0].values();
    assert_eq!(values[0], Value::Text("-1 day, 22:00:00".into()));
    assert_eq!(values[1], Value::Int(1));
    assert_eq!(values[2], Value::Text("{\"a\":1}".into()));
    assert_eq!(values[3], Value::Text("2024-01-01 00:00:00".into()));
}

#[test]
fn of_two_columns_of_one_name_none_is_lost() {
    let mut set = RowSet::new(Columns::new([("id", ""), ("id", "")]));
    set.push(vec![Value::Int(1), Value::Int(2)]);
    let bytes = payload::encode(&payload::plain_rows(Engine::Sqlite, set)).unwrap();
    assert_eq!(&bytes[..], b"[{\"id\": 1, \"id:2\": 2}]");
}

#[test]
fn what_is_no_list_of_like_objects_is_not_read() {
    for payload in [
        "",
        "null",
        "{}",
        "[1]",
        "[[1]]",
        "[{\"a\": 1}, {\"b\": 1}]",
        "[{\"a\": 1}, {\"a\": 1, \"b\": 1}]",
        "[{\"a\": 1, \"a\": 2}]",
        "[{\"a\": NaN}]",
        "[{\"a\": 1}",
        "[{\"a\": 1}] x",
        "[{\"a\": \"\\ud800\"}]",
        "\u{0}\u{1}",
    ] {
        assert_eq!(payload::decode(payload.as_bytes()), None, "{payload}");
    }
    assert_eq!(payload::decode(b"[{\"a\": \xff}]"), None);
    assert_eq!(payload::decode(&[b'['; 100_000]), None);
    assert_eq!(payload::decode(b" [ ] "), Some(RowSet::default()));
}

#[test]
fn numbers_lose_no_digit() {
    let digits = "123456789012345678901234567890";
    let payload = format!("[{{\"a\": {digits}, \"b\": 1e999, \"c\": 1.5, \"d\": -9}}]");
    let rows = payload::decode(payload.as_bytes()).unwrap();
    let values = rows.rows()[0].values();
    assert_eq!(values[0], Value::Decimal(digits.into()));
    assert_eq!(values[1], Value::Decimal("1e999".into()));
    assert_eq!(values[2..], [Value::Float(1.5), Value::Int(-9)]);
    assert_eq!(payload::encode(&rows).unwrap(), payload);
}

proptest! {
    #[test]
    fn a_hit_has_the_rows_of_the_miss(
        rows in prop::collection::vec(prop::collection::vec(any_value(), 3), 0..5),
        engine in prop::sample::select(vec![Engine::MySql, Engine::Postgres, Engine::Sqlite]),
    ) {
        let mut set = RowSet::new(Columns::new([("a", "x"), ("ä\"", ""), ("a", "")]));
        rows.into_iter().for_each(|row| set.push(row));
        let plain = payload::plain_rows(engine, set);
        if let Some(bytes) = payload::encode(&plain) {
            let read = payload::decode(&bytes).unwrap();
            prop_assert_eq!(format!("{:?}", read), format!("{plain:?}"));
            prop_assert_eq!(payload::encode(&read).unwrap(), bytes);
        }
    }

    #[test]
    fn no_bytes_are_more_than_a_miss(payload in any::<Vec<u8>>(), text in "[\\[{\"a:1,}\\]\\\\ u]{0,40}") {
        let _ = payload::decode(&payload);
        let _ = payload::decode(text.as_bytes());
    }
}

#[cfg(feature = "sqlite")]
mod live {
    use std::{
        collections::HashMap,
        sync::{
            Mutex,
            atomic::{AtomicBool, Ordering},
        },
    };

    use async_trait::async_trait;
    use bytes::Bytes;
    use larder_core::{Error, ErrorKind, Operation};

    use super::*;
    use crate::DatabaseOptions;

    const SQL: &str = "SELECT id, name FROM airline ORDER BY id";

    /// A store in memory that can be told to fail or to hang.
    #[derive(Debug, Default)]
    struct Store {
        entries: Mutex<HashMap<String, (Bytes, Ttl)>>,
        fails: AtomicBool,
        hangs: AtomicBool,
    }

    impl Store {
        async fn call(&self, operation: Operation) -> larder_core::Result<()> {
            if self.hangs.load(Ordering::SeqCst) {
                std::future::pending::<()>().await;
            }
            match self.fails.load(Ordering::SeqCst) {
                true => Err(Error::new(ErrorKind::Unavailable, "test", operation)),
                false => Ok(()),
            }
        }

        fn entry(&self, sql: &str) -> Option<(Bytes, Ttl)> {
            self.entries.lock().unwrap().get(&plain_key(sql).visible().to_string()).cloned()
        }

        fn plant(&self, sql: &str, payload: &'static str) {
            let entry = (Bytes::from_static(payload.as_bytes()), Ttl::MIN);
            self.entries.lock().unwrap().insert(plain_key(sql).visible().to_string(), entry);
        }
    }

    impl fmt::Display for Store {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("test")
        }
    }

    #[async_trait]
    impl PlainStore for Store {
        async fn plain_get(&self, key: &Key) -> larder_core::Result<Option<Bytes>> {
            self.call(Operation::Read).await?;
            let entries = self.entries.lock().unwrap();
            Ok(entries.get(&key.visible().to_string()).map(|(value, _)| value.clone()))
        }

        async fn plain_set(&self, key: &Key, value: Bytes, ttl: Ttl) -> larder_core::Result<()> {
            self.call(Operation::Put).await?;
            self.entries.lock().unwrap().insert(key.visible().to_string(), (value, ttl));
            Ok(())
        }

        async fn plain_delete(&self, key: &Key) -> larder_core::Result<bool> {
            self.call(Operation::Remove).await?;
            Ok(self.entries.lock().unwrap().remove(&key.visible().to_string()).is_some())
        }
    }

    async fn plain() -> (PlainQueries, Arc<Store>) {
        let url = "sqlite::memory:".parse().unwrap();
        let database = Database::connect(&url, &DatabaseOptions::default()).await.unwrap();
        for sql in [
            "CREATE TABLE airline (id INTEGER, name TEXT)",
            "INSERT INTO airline VALUES (1, 'Lufthansa'), (2, NULL)",
        ] {
            database.execute(sql, &Params::new()).await.unwrap();
        }
        let store = Arc::new(Store::default());
        (PlainQueries::new(database, Arc::clone(&store) as _), store)
    }

    async fn source(plain: &PlainQueries) -> &'static str {
        plain.query(SQL).fetch().await.unwrap().source().as_str()
    }

    /// Lets every task run until it waits for something.
    async fn settle() {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn a_miss_is_stored_and_a_hit_has_the_same_rows() {
        let (plain, store) = plain().await;
        let miss = plain.query(SQL).ttl(Duration::from_secs(300)).fetch().await.unwrap();
        let hit = plain.query(SQL).fetch().await.unwrap();
        assert_eq!((miss.source().as_str(), hit.source().as_str()), ("CACHE_MISS", "CACHE_HIT"));
        assert_eq!(miss.rows(), hit.rows());
        let (payload, ttl) = store.entry(SQL).unwrap();
        assert_eq!(
            &payload[..],
            b"[{\"id\": 1, \"name\": \"Lufthansa\"}, {\"id\": 2, \"name\": null}]"
        );
        assert_eq!(ttl.as_duration(), Duration::from_secs(300));
        assert_eq!(plain.query("SELECT  1").fetch().await.unwrap().source(), Source::Miss);
        assert_eq!(plain.query("SELECT 1").fetch().await.unwrap().source(), Source::Miss);
    }

    #[tokio::test]
    async fn entries_of_others_are_hits_and_malformed_ones_are_overwritten() {
        let (plain, store) = plain().await;
        store.plant(SQL, "[{\"id\": 7, \"name\": \"from Python\"}]");
        let hit = plain.query(SQL).fetch().await.unwrap();
        assert_eq!(hit.rows().to::<(i64, String)>().unwrap(), [(7, "from Python".to_owned())]);
        for malformed in ["", "null", "{}", "[1]", "[{\"a\": 1}, {}]", "\u{80}\u{4}K"] {
            store.plant(SQL, malformed);
            assert_eq!([source(&plain).await, source(&plain).await], ["CACHE_MISS", "CACHE_HIT"]);
        }
        assert_eq!(plain.stats().malformed, 6);
    }

    #[tokio::test]
    async fn an_empty_answer_is_stored_for_a_short_time() {
        let (plain, store) = plain().await;
        let sql = "SELECT * FROM airline WHERE id = 99";
        let miss = plain.query(sql).fetch().await.unwrap();
        let hit = plain.query(sql).fetch().await.unwrap();
        assert!(hit.source().is_hit());
        assert_eq!((hit.rows(), hit.rows().len()), (miss.rows(), 0));
        let (payload, ttl) = store.entry(sql).unwrap();
        assert_eq!((&payload[..], ttl.as_duration()), (&b"[]"[..], EMPTY_TTL_MAX));
    }

    #[tokio::test]
    async fn a_refresh_asks_the_database_and_an_invalidation_says_what_was_there() {
        let (plain, store) = plain().await;
        store.plant(SQL, "[{\"id\": 7}]");
        let fresh = plain.query(SQL).refresh().fetch().await.unwrap();
        assert_eq!((fresh.source(), fresh.rows().len()), (Source::Refresh, 2));
        assert_eq!(plain.query(SQL).fetch().await.unwrap().rows(), fresh.rows());
        assert!(plain.invalidate(SQL).await.unwrap());
        assert!(!plain.invalidate(SQL).await.unwrap());
        assert_eq!(source(&plain).await, "CACHE_MISS");
    }

    #[tokio::test]
    async fn only_reads_go_through() {
        let (plain, store) = plain().await;
        for sql in [
            "UPDATE airline SET name = 'x'",
            "INSERT INTO airline VALUES (3, 'x') RETURNING id",
            "SELECT 1; DELETE FROM airline",
            "DROP TABLE airline",
            "BEGIN",
            "ATTACH 'x.db' AS x",
            "CREATE TEMP TABLE t (a)",
            "EXECUTE something",
        ] {
            let refused = plain.query(sql).fetch().await;
            assert!(matches!(refused, Err(PlainError::NotARead)), "{sql}: {refused:?}");
        }
        let random = "SELECT random() AS r";
        for _ in 0..2 {
            assert_eq!(plain.query(random).fetch().await.unwrap().source(), Source::Bypass);
        }
        assert!(store.entry(random).is_none());
        let assumed = || async { plain.query(random).assume_cacheable().fetch().await.unwrap() };
        assert_eq!(assumed().await.rows(), assumed().await.rows());
    }

    #[tokio::test]
    async fn the_databases_errors_and_the_callers_come_through() {
        let (plain, _store) = plain().await;
        let missing = plain.query("SELECT * FROM missing").fetch().await.unwrap_err();
        let PlainError::Query(missing) = missing else { panic!("{missing:?}") };
        assert_eq!(missing.database_kind(), Some(crate::DatabaseErrorKind::MissingTable));
        let zero = plain.query(SQL).ttl(Duration::ZERO).fetch().await.unwrap_err();
        assert!(matches!(zero, PlainError::Query(QueryError::Ttl(TtlError::Zero))), "{zero:?}");
    }

    #[tokio::test]
    async fn a_store_that_fails_is_a_miss_and_is_left_alone_for_a_while() {
        let (plain, store) = plain().await;
        store.fails.store(true, Ordering::SeqCst);
        for _ in 0..5 {
            assert_eq!(source(&plain).await, "CACHE_MISS");
        }
        let stats = plain.stats();
        assert_eq!((stats.read_errors, stats.skipped, stats.stored), (1, 4, 0));
        assert!(plain.invalidate(SQL).await.is_err(), "an invalidation is tried nevertheless");
    }

    #[tokio::test]
    async fn a_store_that_hangs_costs_one_short_wait() {
        let (plain, store) = plain().await;
        let plain = plain.with_time_limit(Duration::from_millis(1));
        store.hangs.store(true, Ordering::SeqCst);
        assert_eq!(source(&plain).await, "CACHE_MISS");
        assert_eq!(source(&plain).await, "CACHE_MISS");
        let stats = plain.stats();
        assert_eq!((stats.read_errors, stats.skipped), (1, 1));
    }

    #[tokio::test]
    async fn readers_of_one_text_share_one_load() {
        let (plain, _store) = plain().await;
        // The database in memory has one connection, so that loads wait for this to end.
        let transaction = plain.database().begin().await.unwrap();
        let readers: Vec<_> = (0..12)
            .map(|_| {
                let plain = plain.clone();
                tokio::spawn(async move { plain.query(SQL).fetch().await.unwrap() })
            })
            .collect();
        settle().await;
        transaction.rollback().await.unwrap();
        for reader in readers {
            assert_eq!(reader.await.unwrap().source(), Source::Miss);
        }
        assert_eq!((plain.stats().misses, plain.stats().stored), (12, 1));
    }

    #[tokio::test]
    async fn a_load_that_began_before_an_invalidation_stores_nothing() {
        let (plain, store) = plain().await;
        let transaction = plain.database().begin().await.unwrap();
        let early = tokio::spawn({
            let plain = plain.clone();
            async move { plain.query(SQL).fetch().await.unwrap() }
        });
        settle().await;
        assert!(!plain.invalidate(SQL).await.unwrap());
        let late = tokio::spawn({
            let plain = plain.clone();
            async move { plain.query(SQL).fetch().await.unwrap() }
        });
        settle().await;
        transaction.rollback().await.unwrap();
        early.await.unwrap();
        late.await.unwrap();
        // The second one did not join the first, and is the one that stored.
        assert_eq!((plain.stats().superseded, plain.stats().stored), (1, 1));
        assert!(store.entry(SQL).is_some());
    }
}
