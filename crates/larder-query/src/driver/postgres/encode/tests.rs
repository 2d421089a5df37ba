//! Values go where they fit, and nothing is changed on the way.

use super::*;
use crate::{Bind, Params, Value, driver::postgres::decode::decode};

/// Writes a value as a type and reads it back.
fn round_trip(value: impl Bind, oid: u32) -> Result<Value, Refused> {
    let mut params = Params::new();
    params.bind(value);
    let param = params.iter().next().unwrap();
    let kind = Kind::of_oid(oid);
    let mut bytes = Vec::new();
    if !encode(param, &kind, &mut bytes)? {
        return Ok(Value::Null);
    }
    Ok(decode(&kind, &bytes, &mut |_, _| unreachable!()).unwrap())
}

fn fit_of(value: impl Bind, oid: u32) -> Fit {
    let mut params = Params::new();
    params.bind(value);
    fit(params.iter().next().unwrap(), &Kind::of_oid(oid))
}

#[test]
fn integers_go_where_they_fit() {
    assert_eq!(round_trip(7_i64, 21), Ok(Value::Int(7)));
    assert_eq!(round_trip(u32::MAX, 26), Ok(Value::Int(u32::MAX.into())));
    assert_eq!(round_trip(u64::MAX, 1700), Ok(Value::Decimal(u64::MAX.to_string())));
    assert!(round_trip(i64::from(i32::MAX) + 1, 23).is_err());
    assert!(round_trip(-1, 26).is_err());
}

#[test]
fn floats_and_decimals_go_where_they_fit() {
    assert_eq!(round_trip(1.5, 700), Ok(Value::Float(1.5)));
    assert_eq!(round_trip(0.1, 1700), Ok(Value::Decimal("0.1".into())));
    assert_eq!(round_trip(0.1_f32, 1700), Ok(Value::Decimal("0.1".into())));
    assert_eq!(round_trip(-f64::INFINITY, 1700), Ok(Value::Decimal("-Infinity".into())));
    assert_eq!(round_trip(f64::NAN, 1700), Ok(Value::Decimal("NaN".into())));
    assert!(round_trip(1e300, 700).is_err());
    assert_eq!(fit_of(0.1, 700), Fit::Own(ParamType::F64));
    let decimal = |text: &str| Value::Decimal(text.into());
    assert_eq!(round_trip(decimal("1.10"), 1700), Ok(decimal("1.10")));
    assert_eq!(round_trip(decimal("7.00"), 23), Ok(Value::Int(7)));
    assert!(round_trip(decimal("7.5"), 23).is_err());
    assert_eq!(fit_of(decimal("2.5"), 701), Fit::Own(ParamType::Decimal));
    assert_eq!(fit_of(7_i64, 701), Fit::Own(ParamType::I64));
}

#[test]
fn moments_keep_their_microseconds() {
    for micros in [0, -1, EPOCH_MICROS, i64::MAX] {
        assert_eq!(round_trip(Value::Timestamp(micros), 1114), Ok(Value::Timestamp(micros)));
    }
    assert_eq!(round_trip(Value::Date(-1), 1082), Ok(Value::Date(-1)));
    assert_eq!(round_trip(Value::Date(1), 1114), Ok(Value::Timestamp(86_400_000_000)));
    assert!(round_trip(Value::Timestamp(i64::MIN), 1114).is_err());
    assert!(round_trip(Value::Date(i32::MIN), 1082).is_err());
    assert!(round_trip(Value::Time(-1), 1083).is_err());
}

#[test]
fn texts_are_read_by_the_server_unless_they_are_what_is_wanted() {
    let id = "00112233-4455-6677-8899-aabbccddeeff";
    assert_eq!(fit_of(id, 2950), Fit::Direct);
    assert_eq!(round_trip(id, 2950).unwrap().to_string(), id);
    assert_eq!(fit_of("{00112233445566778899aabbccddeeff}", 2950), Fit::Text);
    assert_eq!(fit_of("2024-02-29", 1082), Fit::Text);
    assert_eq!(fit_of("7", 23), Fit::Text);
    assert_eq!(fit_of("x", 25), Fit::Direct);
    assert_eq!(round_trip("{\"a\":1}", 3802), Ok(Value::Json("{\"a\":1}".into())));
    assert!(round_trip("a\0b", 25).is_err());
    assert_eq!(fit_of(vec!["10.0.0.1"], 1041), Fit::Texts);
    assert_eq!(fit_of("{10.0.0.1}", 1041), Fit::Text);
}

#[test]
fn what_does_not_fit_has_its_own_type() {
    assert_eq!(fit_of(7_i32, 25), Fit::Own(ParamType::I32));
    assert_eq!(fit_of(Value::Timestamp(0), 1184), Fit::Own(ParamType::Timestamp));
    assert_eq!(fit_of(vec![7_i64], 25), Fit::OwnList(ParamType::I64));
    assert_eq!(fit_of(vec![vec![true]], 1007), Fit::OwnList(ParamType::Bool));
    assert_eq!(fit_of(Value::Array(vec![]), 25), Fit::OwnList(ParamType::Text));
    assert_eq!(fit_of(None::<i64>, 25), Fit::Direct);
}

#[test]
fn lists_nest_evenly() {
    let list = |items: &[i64]| Value::Array(items.iter().copied().map(Value::Int).collect());
    assert_eq!(round_trip(vec![1_i64, 2], 1007), Ok(list(&[1, 2])));
    assert_eq!(round_trip(Vec::<i64>::new(), 1007), Ok(list(&[])));
    let mixed = Value::Array(vec![Value::Date(0), Value::Text("infinity".into())]);
    assert_eq!(fit_of(&mixed, 1182), Fit::Texts);
    let texts = ["1970-01-01", "infinity"].map(|text| Value::Text(text.into()));
    assert_eq!(round_trip(mixed, 1009), Ok(Value::Array(texts.into())));
    let null = Value::Array(vec![Value::Int(1), Value::Null]);
    assert_eq!(round_trip(vec![Some(1_i16), None], 1007), Ok(null));
    let nested = Value::Array(vec![list(&[1, 2]), list(&[3, 4])]);
    assert_eq!(round_trip(nested.clone(), 1016), Ok(nested));
    for uneven in [
        vec![list(&[1]), list(&[2, 3])],
        vec![list(&[1]), Value::Int(2)],
        vec![list(&[1]), Value::Null],
        vec![Value::Int(2), list(&[1])],
    ] {
        assert!(round_trip(Value::Array(uneven), 1016).is_err());
    }
    assert!(round_trip(vec![i64::MAX], 1007).is_err());
}
