//! Rows become values of every kind, and errors name the column.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use rust_decimal::Decimal;
use serde::Deserialize;
use uuid::Uuid;

use crate::{Columns, RowError, RowSet, Value};

/// A row of one column, converted fresh and after a round trip; both must agree.
fn cell<T: serde::de::DeserializeOwned>(value: Value) -> Result<T, RowError> {
    row([("c", value)])
}

fn row<T: serde::de::DeserializeOwned, const N: usize>(
    columns: [(&str, Value); N],
) -> Result<T, RowError> {
    let mut set = RowSet::new(Columns::new(columns.iter().map(|(name, _)| (*name, ""))));
    set.push(columns.map(|(_, value)| value).into());
    let fresh = set.rows()[0].to::<T>();
    let stored = RowSet::decode_to::<T>(&set.encode()).unwrap();
    match (&fresh, &stored) {
        (Ok(_), Ok(list)) => assert_eq!(list.len(), 1),
        (Err(fresh), Err(stored)) => assert_eq!(fresh.to_string(), stored.to_string()),
        _ => panic!("fresh and stored rows convert differently"),
    }
    fresh
}

fn text(text: &str) -> Value {
    Value::Text(text.into())
}

fn message<T: std::fmt::Debug>(result: Result<T, RowError>) -> String {
    result.unwrap_err().to_string()
}

#[derive(Debug, Deserialize, PartialEq)]
struct Airline {
    id: u16,
    name: String,
    alliance: Option<String>,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Status {
    Ready,
    Failed { reason: String },
}

#[derive(Debug, Deserialize, PartialEq)]
struct Id(i64);

#[test]
fn a_struct_takes_columns_by_name_in_any_order() {
    let airline: Airline = row([
        ("alliance", Value::Null),
        ("unknown", Value::Bool(true)),
        ("name", text("Lufthansa")),
        ("id", Value::Int(7)),
        ("id", Value::Int(8)),
    ])
    .unwrap();
    assert_eq!(airline, Airline { id: 7, name: "Lufthansa".into(), alliance: None });
}

#[test]
fn errors_name_the_column_and_both_types_but_no_value() {
    let columns = |id, name| [("id", id), ("name", name), ("alliance", Value::Null)];
    assert_eq!(
        message(row::<Airline, 3>(columns(Value::Int(70_001), text("x")))),
        "column \"id\": found integer out of range, expected u16"
    );
    assert_eq!(
        message(row::<Airline, 3>(columns(text("hunter2"), text("x")))),
        "column \"id\": found text, expected u16"
    );
    assert_eq!(
        message(row::<Airline, 3>(columns(Value::Int(1), Value::Null))),
        "column \"name\": found NULL, expected a string"
    );
    assert_eq!(message(row::<Airline, 1>([("id", Value::Int(1))])), "there is no column \"name\"");
}

#[test]
fn tuples_and_lists_take_columns_by_position() {
    let two = || [("a", Value::Int(1)), ("a", text("x"))];
    assert_eq!(row::<(i32, String), 2>(two()).unwrap(), (1, "x".into()));
    assert_eq!(
        message(row::<(i32, String, i32), 2>(two())),
        "found 2 columns, expected a tuple of size 3"
    );
    assert_eq!(message(row::<(i32,), 2>(two())), "found 2 columns, expected a tuple of size 1");
    assert_eq!(message(row::<i32, 2>(two())), "found 2 columns, expected i32");
    assert_eq!(
        row::<Vec<Option<i64>>, 2>([("a", Value::Int(1)), ("b", Value::Null)]).unwrap(),
        [Some(1), None]
    );
    assert_eq!(message(row::<(i32, i32), 2>(two())), "column \"a\": found text, expected i32");
}

#[test]
fn a_map_takes_every_column() {
    let map: BTreeMap<String, Option<i64>> =
        row([("b", Value::Int(1)), ("a", Value::Null), ("b", Value::Int(3))]).unwrap();
    let expected = [("a", None), ("b", Some(1)), ("b:2", Some(3))];
    assert_eq!(map, expected.map(|(name, value)| (name.to_owned(), value)).into());
}

#[test]
fn a_row_of_one_column_is_the_value_in_it() {
    assert_eq!(cell::<i64>(Value::Int(7)).unwrap(), 7);
    assert_eq!(cell::<Id>(Value::Int(7)).unwrap(), Id(7));
    assert_eq!(cell::<(i64,)>(Value::Int(7)).unwrap(), (7,));
    assert_eq!(cell::<Option<i64>>(Value::Null).unwrap(), None);
    assert_eq!(cell::<Option<i64>>(Value::Int(1)).unwrap(), Some(1));
    assert_eq!(cell::<Vec<u8>>(Value::Bytes(vec![1, 2])).unwrap(), [1, 2]);
    assert_eq!(cell::<[u8; 2]>(Value::Bytes(vec![1, 2])).unwrap(), [1, 2]);
    assert!(cell::<[u8; 2]>(Value::Bytes(vec![1, 2, 3])).is_err());
    assert!(cell::<[u8; 4]>(Value::Bytes(vec![1, 2, 3])).is_err());
    assert_eq!(cell::<char>(text("é")).unwrap(), 'é');
    assert_eq!(message(cell::<i64>(Value::Null)), "column \"c\": found NULL, expected i64");
    cell::<()>(Value::Null).unwrap();
    assert!(cell::<()>(Value::Int(0)).is_err());
}

#[test]
fn integers_go_where_they_fit() {
    assert_eq!(cell::<i8>(Value::Int(-128)).unwrap(), -128);
    assert!(cell::<i8>(Value::Int(128)).is_err());
    assert!(cell::<u64>(Value::Int(-1)).is_err());
    assert_eq!(cell::<u64>(Value::UInt(u64::MAX)).unwrap(), u64::MAX);
    assert!(cell::<i64>(Value::UInt(u64::MAX)).is_err());
    assert_eq!(cell::<i128>(Value::UInt(u64::MAX)).unwrap(), u64::MAX.into());
    assert_eq!(cell::<i64>(Value::Decimal("42".into())).unwrap(), 42);
    assert!(cell::<i64>(Value::Decimal("42.5".into())).is_err());
    assert_eq!(cell::<i128>(Value::Decimal(i128::MIN.to_string())).unwrap(), i128::MIN);
    assert!(cell::<i64>(Value::Float(1.0)).is_err());
    assert!(cell::<i64>(text("1")).is_err());
}

#[test]
fn booleans_are_zero_and_one() {
    assert!(!cell::<bool>(Value::Int(0)).unwrap());
    assert!(cell::<bool>(Value::UInt(1)).unwrap());
    assert!(cell::<bool>(Value::Bool(true)).unwrap());
    assert_eq!(cell::<u8>(Value::Bool(true)).unwrap(), 1);
    assert!(cell::<bool>(Value::Int(2)).is_err());
    assert!(cell::<bool>(text("true")).is_err());
}

#[test]
fn floats_take_only_integers_that_they_hold_exactly() {
    assert!((cell::<f64>(Value::Int(1 << 53)).unwrap() - 9_007_199_254_740_992.0).abs() < 0.5);
    assert_eq!(
        message(cell::<f64>(Value::Int((1 << 53) + 1))),
        "column \"c\": found integer with too many digits, expected f64"
    );
    assert!(cell::<f32>(Value::UInt((1 << 24) + 1)).is_err());
    assert!((cell::<f64>(Value::Decimal("2.5".into())).unwrap() - 2.5).abs() < f64::EPSILON);
    assert!(cell::<f64>(Value::Float(f64::NAN)).unwrap().is_nan());
    assert!(cell::<f64>(text("1.5")).is_err());
}

#[test]
fn text_is_not_taken_from_other_types() {
    assert_eq!(cell::<String>(text("")).unwrap(), "");
    assert!(cell::<String>(Value::Int(1)).is_err());
    assert!(cell::<String>(Value::Bytes(b"text".to_vec())).is_err());
    assert!(cell::<Vec<u8>>(text("text")).is_err());
    assert_eq!(cell::<String>(Value::Decimal("1.10".into())).unwrap(), "1.10");
    assert_eq!(cell::<String>(Value::Date(0)).unwrap(), "1970-01-01");
}

#[test]
fn enums_are_texts_or_documents() {
    assert_eq!(cell::<Status>(text("ready")).unwrap(), Status::Ready);
    let failed = Status::Failed { reason: "x".into() };
    let document = "{\"failed\":{\"reason\":\"x\"}}";
    assert_eq!(cell::<Status>(text(document)).unwrap(), failed);
    assert_eq!(cell::<Status>(Value::Json(document.into())).unwrap(), failed);
    assert_eq!(cell::<Status>(Value::Json("\"ready\"".into())).unwrap(), Status::Ready);
    assert!(cell::<Status>(text("neither")).is_err());
    assert!(cell::<Status>(Value::Int(0)).is_err());
}

#[test]
fn documents_nest() {
    #[derive(Debug, Deserialize, PartialEq)]
    struct Outer {
        airline: Airline,
        tags: Vec<String>,
        pair: (u8, u8),
    }
    let airline = "{\"id\":1,\"name\":\"x\",\"alliance\":null}";
    for kind in [Value::Json, Value::Text] {
        let outer: Outer = row([
            ("airline", kind(airline.into())),
            ("tags", kind("[\"a\"]".into())),
            ("pair", kind("[1,2]".into())),
        ])
        .unwrap();
        assert_eq!(outer.airline.id, 1);
        assert_eq!(outer.tags, ["a"]);
        assert_eq!(outer.pair, (1, 2));
    }
    let error = message(row::<Outer, 3>([
        ("airline", text(airline)),
        ("tags", text("[1")),
        ("pair", text("[1,2]")),
    ]));
    assert!(error.starts_with("column \"tags\": the JSON document "), "{error}");
    assert_eq!(cell::<Vec<i64>>(Value::Json("[1,2]".into())).unwrap(), [1, 2]);
    assert!(cell::<Vec<i64>>(Value::Json("[1] 2".into())).is_err());
}

#[test]
fn self_describing_types_see_what_is_there() {
    let any: serde_json::Value = row([
        ("a", Value::Int(i64::MAX)),
        ("a", Value::Json("{\"x\":[1]}".into())),
        ("b", Value::Null),
        ("d", Value::Decimal("1.10".into())),
    ])
    .unwrap();
    assert_eq!(any, serde_json::json!({"a": i64::MAX, "a:2": {"x": [1]}, "b": null, "d": "1.10"}));
    #[derive(Debug, Deserialize)]
    struct Flat {
        #[serde(flatten)]
        airline: Airline,
        extra: bool,
    }
    let flat: Flat = row([
        ("extra", Value::Bool(true)),
        ("id", Value::Int(3)),
        ("name", text("x")),
        ("alliance", text("y")),
    ])
    .unwrap();
    assert!(flat.extra);
    assert_eq!(flat.airline.alliance.as_deref(), Some("y"));
}

#[test]
fn deep_documents_are_refused() {
    let deep = "[".repeat(100_000);
    assert!(cell::<serde_json::Value>(Value::Json(deep)).is_err());
}

#[test]
fn lists_go_into_lists() {
    let list = |items: &[i64]| Value::Array(items.iter().copied().map(Value::Int).collect());
    assert_eq!(cell::<Vec<i64>>(list(&[1, 2])).unwrap(), [1, 2]);
    assert!(cell::<Vec<i64>>(list(&[])).unwrap().is_empty());
    assert_eq!(cell::<[i16; 2]>(list(&[1, 2])).unwrap(), [1, 2]);
    assert!(cell::<[i16; 2]>(list(&[1, 2, 3])).is_err());
    assert_eq!(cell::<(Vec<u8>,)>(list(&[1, 2])).unwrap(), (vec![1, 2],));
    let texts = Value::Array(vec![text("a"), Value::Null]);
    let expected = [Some("a".to_owned()), None];
    assert_eq!(cell::<Vec<Option<String>>>(texts.clone()).unwrap(), expected);
    assert_eq!(message(cell::<Vec<String>>(texts)), "column \"c\": found NULL, expected a string");
    let nested = Value::Array(vec![list(&[1]), list(&[2])]);
    assert_eq!(cell::<Vec<Vec<i64>>>(nested.clone()).unwrap(), [[1], [2]]);
    assert_eq!(cell::<serde_json::Value>(nested).unwrap(), serde_json::json!([[1], [2]]));
    assert!(cell::<i64>(list(&[1])).is_err());
    let pair: (i64, Vec<i64>) = row([("a", Value::Int(7)), ("b", list(&[8]))]).unwrap();
    assert_eq!(pair, (7, vec![8]));
}

#[test]
fn decimals_and_identifiers_read_themselves() {
    let decimal = |text: &str| Value::Decimal(text.into());
    let exact = "12345678901234567.890";
    assert_eq!(cell::<Decimal>(decimal(exact)).unwrap().to_string(), exact);
    assert_eq!(cell::<Decimal>(text(exact)).unwrap().to_string(), exact);
    assert_eq!(cell::<Decimal>(Value::Int(-3)).unwrap(), Decimal::from(-3));

    let id = Uuid::from_u128(0x1234);
    assert_eq!(cell::<Uuid>(Value::Uuid(id.into_bytes())).unwrap(), id);
    assert_eq!(cell::<Uuid>(Value::Bytes(id.as_bytes().to_vec())).unwrap(), id);
    assert_eq!(cell::<Uuid>(text(&id.to_string())).unwrap(), id);
    assert_eq!(cell::<[u8; 16]>(Value::Uuid(id.into_bytes())).unwrap(), id.into_bytes());
}

#[test]
fn dates_and_times_read_themselves() {
    let day: NaiveDate = cell(Value::Date(19_782)).unwrap();
    assert_eq!(day.to_string(), "2024-02-29");
    let time: NaiveTime = cell(Value::Time(1_500)).unwrap();
    assert_eq!(time.to_string(), "00:00:00.001500");
    let naive: NaiveDateTime = cell(Value::Timestamp(-1)).unwrap();
    assert_eq!(naive.and_utc().timestamp_micros(), -1);
    let utc: DateTime<Utc> = cell(Value::TimestampUtc(-1)).unwrap();
    assert_eq!(utc.timestamp_micros(), -1);
    // A moment without a zone does not become one with a zone, and not the other way round.
    assert!(cell::<DateTime<Utc>>(Value::Timestamp(0)).is_err());
    assert!(cell::<NaiveDateTime>(Value::TimestampUtc(0)).is_err());
}

#[test]
fn sqlites_own_text_for_moments_is_read() {
    let naive: NaiveDateTime = cell(text("2024-02-29 12:30:00")).unwrap();
    assert_eq!(naive.to_string(), "2024-02-29 12:30:00");
    let fine: NaiveDateTime = cell(text("2024-02-29 12:30:00.000001")).unwrap();
    assert_eq!(fine.and_utc().timestamp_subsec_micros(), 1);
    assert_eq!(cell::<String>(text("2024-02-29 12:30:00")).unwrap(), "2024-02-29 12:30:00");
    for other in ["2024-02-29 12:30", "2024-02-29 12:30:00x", "2024-02-2é 12:30:0"] {
        assert!(cell::<NaiveDateTime>(text(other)).is_err());
    }
    let utc: DateTime<Utc> = cell(text("2024-02-29T12:30:00.250+00:00")).unwrap();
    assert_eq!(utc.timestamp_subsec_millis(), 250);
}
