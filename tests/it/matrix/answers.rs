//! What is asked comes back the same: from the database, from the miss, from the hit.

use std::sync::Arc;

use larder::{Params, Source, Value};
use larder_cache::Tier;
use rust_decimal::Decimal;
use serde::Deserialize;

use super::tables::{airports, everything, everything_as_json, wide_table};
use crate::support::{Bench, Engine, TIERS, Tiers, assert_same};

pub(super) async fn rows_of_every_type(bench: Arc<Bench>) {
    everything(&bench).await;
    for tiers in TIERS {
        let larder = bench.process(tiers).await;
        let rows = bench.miss_and_hit(&larder, "SELECT * FROM everything ORDER BY id").await;
        // That all three are equal does not say that they are right.
        let [first, second, third] = rows.rows() else { panic!("{} rows", rows.len()) };
        let (ordinary, extreme) = everything_as_json(bench.engine);
        assert_eq!(serde_json::to_string(first).unwrap(), ordinary);
        assert_eq!(serde_json::to_string(second).unwrap(), extreme);
        assert_eq!(first.value("name"), Some(&Value::Text("Lufthansa".into())));
        assert_eq!(first.value("big"), Some(&Value::Int(42)));
        assert_eq!(first.value("ratio"), Some(&Value::Float(0.1)));
        assert_eq!(first.value("data"), Some(&Value::Bytes(vec![0, 0xff, 0x10])));
        assert_eq!(first.value("price").map(ToString::to_string).as_deref(), Some("12.3400000000"));
        let moment = first.value("moment").map(ToString::to_string).unwrap();
        assert_eq!(moment.replace('T', " "), "2024-02-29 12:30:15.123456");
        assert_eq!(second.value("big"), Some(&Value::Int(i64::MIN)));
        assert_eq!(second.value("name"), Some(&Value::Text(String::new())));
        assert_eq!(second.value("data"), Some(&Value::Bytes(Vec::new())));
        assert!(third.values()[1..].iter().all(Value::is_null), "{third:?}");

        // The answer of the process before is found by the next one, and is still the same.
        let second = bench.second_process(tiers).await;
        let found = second.query("SELECT * FROM everything ORDER BY id").fetch_all().await.unwrap();
        assert_eq!(found.source(), Source::Hit(Tier::Far));
        assert_same(&found, &rows, "the second process");
    }
}

/// What the types of the rows become in Rust.
#[derive(Clone, Debug, PartialEq, Deserialize)]
struct Everything {
    id: i32,
    flag: Option<bool>,
    small: Option<i16>,
    big: Option<i64>,
    ratio: Option<f64>,
    price: Option<Decimal>,
    name: Option<String>,
    data: Option<Vec<u8>>,
    day: Option<chrono::NaiveDate>,
    moment: Option<chrono::NaiveDateTime>,
}

pub(super) async fn typed_rows_of_every_type(bench: Arc<Bench>) {
    everything(&bench).await;
    let sql = "SELECT id, flag, small, big, ratio, price, name, data, day, moment \
               FROM everything ORDER BY id";
    for tiers in TIERS {
        let larder = bench.process(tiers).await;
        let fetch = || larder.query_as::<Everything>(sql).fetch_all();
        let (miss, hit) = (fetch().await.unwrap(), fetch().await.unwrap());
        assert_eq!((miss.source(), hit.source().is_hit()), (Source::Miss, true), "{tiers:?}");
        let expected: Vec<Everything> = bench.uncached(sql, &Params::new()).await.to().unwrap();
        assert_eq!(*miss, expected);
        assert_eq!(*hit, expected);
        let first = &hit[0];
        assert_eq!((first.flag, first.small, first.big), (Some(true), Some(-7), Some(42)));
        assert_eq!(first.price, Some("12.34".parse().unwrap()));
        assert_eq!(first.data.as_deref(), Some(&[0, 0xff, 0x10][..]));
        let moment = "2024-02-29T12:30:15.123456".parse().unwrap();
        assert_eq!((first.day, first.moment), ("2024-02-29".parse().ok(), Some(moment)));
        assert_eq!((hit[1].flag, hit[1].name.as_deref()), (Some(false), Some("")));
        assert_eq!((hit[2].flag, hit[2].name.as_deref(), hit[2].moment), (None, None, None));
    }
}

pub(super) async fn every_character_survives(bench: Arc<Bench>) {
    let create = bench.engine.spelled(
        "CREATE TABLE alphabet (id INTEGER PRIMARY KEY, chars TEXT)",
        "CREATE TABLE alphabet (id INTEGER PRIMARY KEY, chars TEXT)",
        "CREATE TABLE alphabet (id INTEGER PRIMARY KEY, chars LONGTEXT CHARACTER SET utf8mb4)",
    );
    bench.behind_its_back(&[create]).await;
    let larder = bench.process(Tiers::Far).await;
    let insert = bench.engine.sql("INSERT INTO alphabet VALUES (?, ?)");
    let select = bench.engine.sql("SELECT chars FROM alphabet WHERE id = ?");
    // PostgreSQL's texts hold every character but the first.
    let first = u32::from(bench.engine == Engine::Postgres);
    for plane in 0..17_u32 {
        let chars: String = (plane << 16..(plane + 1) << 16)
            .filter(|code| *code >= first)
            .filter_map(char::from_u32)
            .collect();
        let id = i64::from(plane);
        let written = larder.execute(&insert).bind(id).bind(&chars).run().await.unwrap();
        assert_eq!(written.applied().unwrap(), 1);
        for is_hit in [false, true] {
            let found = larder.query(&select).bind(id).fetch_scalar::<String>().await.unwrap();
            assert_eq!(found.source().is_hit(), is_hit, "plane {plane}");
            assert!(*found == chars, "plane {plane} does not come back the same");
        }
    }
}

pub(super) async fn an_empty_answer_is_cached(bench: Arc<Bench>) {
    everything(&bench).await;
    for tiers in TIERS {
        let larder = bench.process(tiers).await;
        let none =
            bench.miss_and_hit(&larder, "SELECT id, name FROM everything WHERE id < 0").await;
        assert_eq!((none.len(), none.columns().len()), (0, 2));
        let sql = "SELECT name FROM everything WHERE id = -1";
        for is_hit in [false, true] {
            let found = larder.query(sql).fetch_optional().await.unwrap();
            assert_eq!((found.value(), found.source().is_hit()), (None, is_hit), "{tiers:?}");
        }
    }
}

pub(super) async fn a_row_alone_a_value_alone_and_no_row(bench: Arc<Bench>) {
    everything(&bench).await;
    for tiers in TIERS {
        let larder = bench.process(tiers).await;
        let sql = bench.engine.sql("SELECT id, name FROM everything WHERE id = ?");
        for is_hit in [false, true] {
            let row = larder.query(&sql).bind(1_i64).fetch_one().await.unwrap();
            assert_eq!(row.source().is_hit(), is_hit);
            assert_eq!(row.get::<String>("name").unwrap(), "Lufthansa");
            let row = larder.query(&sql).bind(2_i64).fetch_optional().await.unwrap();
            assert_eq!(row.value().unwrap().get::<i64>(0).unwrap(), 2);
            let absent = larder.query(&sql).bind(9_i64).fetch_optional().await.unwrap();
            assert_eq!((absent.value(), absent.source().is_hit()), (None, is_hit));
            let count = larder.query("SELECT count(*) FROM everything").fetch_scalar::<i64>();
            let count = count.await.unwrap();
            assert_eq!((*count, count.source().is_hit()), (3, is_hit));
        }
    }
}

pub(super) async fn a_large_answer_is_the_same(bench: Arc<Bench>) {
    wide_table(&bench, 1_000, 96).await;
    for tiers in TIERS {
        let larder = bench.process(tiers).await;
        let rows = bench.miss_and_hit(&larder, "SELECT id, filler FROM wide ORDER BY id").await;
        assert_eq!(rows.len(), 1_000);
        assert!(rows.encode().len() > 96_000);
    }
}

pub(super) async fn an_answer_above_a_mebibyte_is_served(bench: Arc<Bench>) {
    wide_table(&bench, 300, 8_000).await;
    let sql = "SELECT id, filler FROM wide ORDER BY id";
    let expected = bench.uncached(sql, &Params::new()).await;
    assert!(expected.encode().len() > 2 << 20);
    for tiers in TIERS {
        let larder = bench.process(tiers).await;
        for is_hit in [false, true, true] {
            let rows = larder.query(sql).fetch_all().await.unwrap();
            assert_same(&rows, &expected, "a large answer");
            match (bench.far.stores_large_values(), tiers) {
                (true, _) => assert_eq!(rows.source().is_hit(), is_hit, "{tiers:?}"),
                (false, Tiers::Far) => assert_eq!(rows.source(), Source::Miss),
                // The near tier has it until it wants it confirmed by the far tier.
                (false, Tiers::NearAndFar) => {}
            }
        }
        // A value that is too large is no trouble with the server.
        let far = larder.stats().far.unwrap();
        assert_eq!((far.errors, far.is_open), (0, false), "{far:?}");
        bench.miss_and_hit(&larder, "SELECT count(*) FROM wide").await;
    }
}

pub(super) async fn parameters_of_every_type(bench: Arc<Bench>) {
    everything(&bench).await;
    let engine = bench.engine;
    for tiers in TIERS {
        let larder = bench.process(tiers).await;
        // Each twice: a miss and a hit, compared with the uncached answer to the same parameters.
        macro_rules! check {
            ($column:literal, $operator:literal, $value:expr, $ids:expr) => {{
                let condition = concat!("SELECT id FROM everything WHERE ", $column, $operator);
                let sql = engine.sql(&format!("{condition} ? ORDER BY id"));
                let mut params = Params::new();
                params.bind($value);
                let expected = bench.uncached(&sql, &params).await;
                assert_eq!(expected.to::<i64>().unwrap(), $ids, "{sql}");
                for is_hit in [false, true] {
                    let rows = larder.query(&sql).bind($value).fetch_all().await.unwrap();
                    assert_eq!(rows.source().is_hit(), is_hit, "{sql} {tiers:?}");
                    assert_same(&rows, &expected, &sql);
                }
            }};
        }
        check!("id", " = ", 1_i32, [1]);
        check!("id", " = ", 2_i32, [2]);
        check!("id", " = ", 1_i64, [1]);
        check!("small", " = ", -7_i16, [1]);
        check!("big", " = ", i64::MIN, [2]);
        check!("big", " > ", 0_i64, [1]);
        check!("ratio", " = ", 0.1_f64, [1]);
        check!("name", " = ", "Lufthansa", [1]);
        check!("name", " = ", "", [2]);
        check!("name", " = ", "' OR 1 = 1 --", [] as [i64; 0]);
        check!("name", " = ", None::<&str>, [] as [i64; 0]);
        check!("data", " = ", &[0_u8, 0xff, 0x10][..], [1]);
        check!("data", " = ", &[][..] as &[u8], [2]);
        if engine != Engine::Sqlite {
            check!("flag", " = ", true, [1]);
            check!("price", " = ", "12.34".parse::<Decimal>().unwrap(), [1]);
            let day: chrono::NaiveDate = "2024-02-29".parse().unwrap();
            check!("day", " = ", day, [1]);
            let moment: chrono::NaiveDateTime = "2024-02-29T12:30:15.123456".parse().unwrap();
            check!("moment", " = ", moment, [1]);
        }
        let two = engine.sql("SELECT id FROM everything WHERE name = ? AND id = ?");
        for is_hit in [false, true] {
            let rows = larder.query(&two).bind("Lufthansa").bind(1_i32).fetch_all().await.unwrap();
            assert_eq!((rows.len(), rows.source().is_hit()), (1, is_hit));
            let rows = larder.query(&two).bind("Lufthansa").bind(2_i32).fetch_all().await.unwrap();
            assert_eq!((rows.len(), rows.source().is_hit()), (0, is_hit));
        }
    }
}

pub(super) async fn joins_aggregates_ctes_and_views(bench: Arc<Bench>) {
    airports(&bench).await;
    for tiers in TIERS {
        let larder = bench.process(tiers).await;
        for sql in [
            "SELECT a.name, f.number FROM flight f JOIN airline a ON a.id = f.airline \
             ORDER BY f.number",
            "SELECT a.id, f.id, a.id FROM airline a LEFT JOIN flight f ON a.id = f.airline \
             ORDER BY a.id, f.id",
            "SELECT a.name, count(*) AS flights, sum(f.seats) AS seats, avg(f.seats) AS mean, \
             min(f.number) AS earliest FROM flight f JOIN airline a ON a.id = f.airline \
             GROUP BY a.name HAVING count(*) > 1 ORDER BY a.name",
            "WITH busy AS (SELECT airline, count(*) AS n FROM flight GROUP BY airline) \
             SELECT a.name, b.n FROM busy b JOIN airline a ON a.id = b.airline ORDER BY a.name",
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10) \
             SELECT sum(i) AS total, (SELECT count(*) FROM flight) AS flights FROM n",
            "SELECT number, rank() OVER (ORDER BY seats DESC) AS place FROM flight ORDER BY number",
            "SELECT name FROM airline WHERE id IN (SELECT airline FROM flight WHERE seats > 200) \
             ORDER BY name",
            "SELECT name FROM airline UNION SELECT number FROM flight ORDER BY 1",
            "SELECT DISTINCT airline FROM flight ORDER BY airline LIMIT 2 OFFSET 1",
            "SELECT CASE WHEN seats > 200 THEN 'large' ELSE 'small' END AS size, \
             coalesce(number, '-') AS number FROM flight ORDER BY id",
            "SELECT * FROM large_flight ORDER BY id",
            "SELECT v.number, a.name FROM large_flight v JOIN airline a ON a.id = v.airline \
             ORDER BY v.number",
        ] {
            bench.miss_and_hit(&larder, sql).await;
        }
    }
}
