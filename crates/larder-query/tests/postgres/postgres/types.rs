//! Every type goes out and comes back, as a column and as a parameter, fresh and stored.

use std::collections::BTreeMap;

use larder_query::{Params, RowLimit, RowSet, Value};

use crate::{Fixture, rows, run};

fn text(text: &str) -> Value {
    Value::Text(text.into())
}

fn decimal(text: &str) -> Value {
    Value::Decimal(text.into())
}

fn array(items: impl IntoIterator<Item = Value>) -> Value {
    Value::Array(items.into_iter().collect())
}

/// Types, literals, and what they read as.
fn samples() -> Vec<(&'static str, &'static str, Value)> {
    let float = Value::Float;
    vec![
        ("bool", "t", Value::Bool(true)),
        ("bool", "f", Value::Bool(false)),
        ("int2", "-32768", Value::Int(-32_768)),
        ("int4", "2147483647", Value::Int(2_147_483_647)),
        ("int8", "-9223372036854775808", Value::Int(i64::MIN)),
        ("oid", "4294967295", Value::Int(4_294_967_295)),
        ("xid8", "18446744073709551615", Value::UInt(u64::MAX)),
        ("float4", "1.5", float(1.5)),
        ("float4", "-Infinity", float(f64::NEG_INFINITY)),
        ("float8", "0.1", float(0.1)),
        ("float8", "-0", float(-0.0)),
        ("float8", "1e-300", float(1e-300)),
        ("numeric", "1.10", decimal("1.10")),
        ("numeric", "-0.0000001", decimal("-0.0000001")),
        ("numeric", "0.000", decimal("0.000")),
        ("numeric", "100000000", decimal("100000000")),
        (
            "numeric",
            "12345678901234567890.12345678901234567890",
            decimal("12345678901234567890.12345678901234567890"),
        ),
        ("numeric", "NaN", decimal("NaN")),
        ("text", "Zürich", text("Zürich")),
        ("text", "", text("")),
        ("varchar", "x ", text("x ")),
        ("bpchar", "x ", text("x ")),
        ("char(3)", "x", text("x  ")),
        ("name", "x", text("x")),
        ("\"char\"", "x", text("x")),
        ("xml", "<a/>", text("<a/>")),
        ("bytea", "\\x00ff", Value::Bytes(vec![0, 255])),
        ("bytea", "", Value::Bytes(vec![])),
        ("date", "2024-02-29", Value::Date(19_782)),
        ("date", "0001-01-01", Value::Date(-719_162)),
        ("date", "infinity", text("infinity")),
        ("date", "-infinity", text("-infinity")),
        ("time", "23:59:59.999999", Value::Time(86_399_999_999)),
        ("time", "24:00", Value::Time(86_400_000_000)),
        ("timetz", "12:30:00.5+02", text("12:30:00.500+02")),
        ("timestamp", "1969-12-31 23:59:59.999999", Value::Timestamp(-1)),
        ("timestamp", "infinity", text("infinity")),
        ("timestamptz", "2024-02-29 12:30:00+02", Value::TimestampUtc(1_709_202_600_000_000)),
        ("timestamptz", "-infinity", text("-infinity")),
        ("interval", "1 year 2 months 3 days 04:05:06.5", text("P1Y2M3DT4H5M6.5S")),
        ("interval", "-1 month 1 day -00:00:01", text("P-1M1DT-1S")),
        ("interval", "0", text("PT0S")),
        (
            "uuid",
            "00112233-4455-6677-8899-aabbccddeeff",
            Value::Uuid([
                0, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd,
                0xee, 0xff,
            ]),
        ),
        ("json", "{\"b\": 1,  \"a\": [null]}", Value::Json("{\"b\": 1,  \"a\": [null]}".into())),
        ("jsonb", "{\"b\": 1,  \"a\": 1.10}", Value::Json("{\"a\": 1.10, \"b\": 1}".into())),
        ("inet", "10.0.0.1", text("10.0.0.1")),
        ("inet", "10.0.0.1/8", text("10.0.0.1/8")),
        ("inet", "::1", text("::1")),
        ("cidr", "10.0.0.0/8", text("10.0.0.0/8")),
        ("cidr", "2001:db8::/32", text("2001:db8::/32")),
        ("macaddr", "08:00:2b:01:02:03", text("08:00:2b:01:02:03")),
        ("macaddr8", "08:00:2b:01:02:03:04:05", text("08:00:2b:01:02:03:04:05")),
        ("bit(3)", "101", text("101")),
        ("varbit", "1010000001", text("1010000001")),
        // What follows is as the server writes it.
        ("money", "1234.5", text("$1,234.50")),
        ("int4range", "[1,5)", text("[1,5)")),
        ("numrange", "empty", text("empty")),
        ("point", "(1,2)", text("(1,2)")),
        ("tsvector", "'a':1 'b':2", text("'a':1 'b':2")),
        ("jsonpath", "$.\"a\"", text("$.\"a\"")),
        ("regclass", "pg_class", text("pg_class")),
        ("pg_lsn", "16/B374D848", text("16/B374D848")),
        ("mood", "happy", text("happy")),
        ("code", "AB", text("AB")),
        ("pair", "(7,\"a b\")", text("(7,\"a b\")")),
        ("int4[]", "{1,NULL,-3}", array([Value::Int(1), Value::Null, Value::Int(-3)])),
        ("int8[]", "{}", array([])),
        (
            "int2[]",
            "{{1,2},{3,4}}",
            array([array([Value::Int(1), Value::Int(2)]), array([Value::Int(3), Value::Int(4)])]),
        ),
        (
            "text[]",
            "{a,\"\",NULL,\"NULL\",\"{}\"}",
            array([text("a"), text(""), Value::Null, text("NULL"), text("{}")]),
        ),
        ("bool[]", "{t}", array([Value::Bool(true)])),
        ("numeric[]", "{1.10,NaN}", array([decimal("1.10"), decimal("NaN")])),
        ("float8[]", "{0.1}", array([float(0.1)])),
        ("date[]", "{2024-02-29,infinity}", array([Value::Date(19_782), text("infinity")])),
        ("timestamptz[]", "{1970-01-01 00:00:00Z}", array([Value::TimestampUtc(0)])),
        ("interval[]", "{1 day}", array([text("P1D")])),
        ("uuid[]", "{00000000-0000-0000-0000-000000000000}", array([Value::Uuid([0; 16])])),
        ("jsonb[]", "{\"{}\"}", array([Value::Json("{}".into())])),
        ("bytea[]", "{\"\\\\x00\"}", array([Value::Bytes(vec![0])])),
        ("inet[]", "{::1}", array([text("::1")])),
        ("mood[]", "{sad,NULL}", array([text("sad"), Value::Null])),
        ("code[]", "{AB}", array([text("AB")])),
        (
            "pair[]",
            "{\"(7,a)\",NULL,\"(8,b)\"}",
            array([text("(7,a)"), Value::Null, text("(8,b)")]),
        ),
        ("int4range[]", "{\"[1,5)\"}", array([text("[1,5)")])),
    ]
}

async fn fixture() -> Fixture {
    let fixture = Fixture::new().await;
    let types = "CREATE TYPE mood AS ENUM ('sad', 'happy'); \
                 CREATE DOMAIN code AS varchar(2) CHECK (length(VALUE) = 2); \
                 CREATE TYPE pair AS (n int, t text)";
    run(&fixture.database, types).await;
    fixture
}

fn same(left: &Value, right: &Value) -> bool {
    // Zero has a sign, and not-a-number equals itself.
    format!("{left:?}") == format!("{right:?}")
}

fn value(set: &RowSet) -> &Value {
    set.rows()[0].value(0).unwrap()
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn every_type_comes_back_from_a_literal_and_from_a_stored_row() {
    let fixture = fixture().await;
    for (kind, literal, expected) in samples() {
        let quoted = literal.replace('\'', "''");
        let sql = format!("SELECT '{quoted}'::{kind} AS v, NULL::{kind} AS n");
        let set = rows(&fixture.database, &sql).await;
        assert!(same(value(&set), &expected), "{kind} {literal}: {:?}", value(&set));
        assert_eq!(set.rows()[0].value("n"), Some(&Value::Null), "{kind}");
        let stored = RowSet::decode(&set.encode()).unwrap();
        assert!(same(value(&stored), &expected), "{kind} {literal} stored");
    }
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn every_type_is_taken_as_a_parameter_and_stored_as_it_was() {
    let fixture = fixture().await;
    let database = &fixture.database;
    for (kind, literal, expected) in samples() {
        run(database, "DROP TABLE IF EXISTS t").await;
        run(database, &format!("CREATE TABLE t (id int, v {kind})")).await;
        // The value as it was read, the text of the literal, and NULL.
        let bound = [expected.clone(), text(literal), Value::Null];
        for (id, value) in (0_i32..).zip(&bound) {
            let mut params = Params::new();
            params.bind(id).bind(value);
            let inserted = database.execute("INSERT INTO t VALUES ($1, $2)", &params).await;
            let inserted = inserted.unwrap_or_else(|error| panic!("{kind} {value:?}: {error:?}"));
            assert_eq!(inserted.rows_affected, 1);
        }
        let set = rows(database, "SELECT v FROM t ORDER BY id").await;
        let values: Vec<_> = set.rows().iter().map(|row| row.values()[0].clone()).collect();
        let expected = [expected.clone(), expected, Value::Null];
        assert_eq!(format!("{values:?}"), format!("{expected:?}"), "{kind} {literal}");
    }
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn rows_become_rust_types() {
    let fixture = fixture().await;
    let database = &fixture.database;
    let set =
        rows(database, "SELECT ARRAY[1, 2]::int4[], ARRAY['a', NULL], 'happy'::mood, 1.10").await;
    let row = &set.rows()[0];
    assert_eq!(row.get::<Vec<i64>>(0).unwrap(), [1, 2]);
    assert_eq!(row.get::<Vec<Option<String>>>(1).unwrap(), [Some("a".into()), None]);
    #[derive(Debug, PartialEq, serde::Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Mood {
        Happy,
    }
    assert_eq!(row.get::<Mood>(2).unwrap(), Mood::Happy);
    assert_eq!(row.get::<rust_decimal::Decimal>(3).unwrap().to_string(), "1.10");
    let json = rows(database, "SELECT '{\"a\": [1]}'::jsonb").await;
    let map: BTreeMap<String, Vec<i64>> = json.rows()[0].get(0).unwrap();
    assert_eq!(map["a"], [1]);
    let moments =
        rows(database, "SELECT '2024-02-29 12:00Z'::timestamptz, '2024-02-29'::date").await;
    let (moment, day): (chrono::DateTime<chrono::Utc>, chrono::NaiveDate) =
        moments.rows()[0].to().unwrap();
    assert_eq!(
        (moment.to_rfc3339(), day.to_string()),
        ("2024-02-29T12:00:00+00:00".into(), "2024-02-29".into())
    );
    let endless = rows(database, "SELECT 'infinity'::date").await;
    let error = endless.rows()[0].get::<chrono::NaiveDate>(0).unwrap_err();
    assert!(error.to_string().contains("column \"date\""), "{error}");
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn records_and_what_a_void_function_returns_are_read() {
    let fixture = fixture().await;
    let set =
        rows(&fixture.database, "SELECT (1::int4, 'a'::text, ARRAY[2::int8], '[1,5)'::int4range)")
            .await;
    let expected = array([Value::Int(1), text("a"), array([Value::Int(2)]), text("[1,5)")]);
    assert_eq!(value(&set), &expected);
    assert_eq!(value(&rows(&fixture.database, "SELECT pg_sleep(0)").await), &Value::Null);
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn many_values_of_a_type_that_only_the_server_knows_keep_their_order() {
    let fixture = fixture().await;
    let sql = "SELECT CASE WHEN n % 7 <> 0 THEN int4range(n, n + 1) END, n, point(n, 0) \
               FROM generate_series(1, 100) AS n";
    let set = rows(&fixture.database, sql).await;
    for row in set.rows() {
        let n: i64 = row.get(1).unwrap();
        let range = if n % 7 == 0 { Value::Null } else { text(&format!("[{n},{})", n + 1)) };
        assert_eq!(row.values()[0], range);
        assert_eq!(row.values()[2], text(&format!("({n},0)")));
    }
    let one = fixture.database.fetch(sql, &Params::new(), RowLimit::One).await.unwrap();
    assert_eq!(one.rows()[0].values()[0], text("[1,2)"));
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn columns_keep_their_names_types_and_duplicates() {
    let fixture = fixture().await;
    let set =
        rows(&fixture.database, "SELECT 1 AS b, 'sad'::mood AS a, 2::int8 AS b, ':zz' WHERE false")
            .await;
    let names: Vec<_> = set.columns().names().collect();
    assert_eq!(names, ["b", "a", "b", "?column?"]);
    let kinds: Vec<_> = (0..3).filter_map(|i| set.columns().declared_type(i)).collect();
    assert_eq!(kinds, ["INT4", "mood", "INT8"]);
}
