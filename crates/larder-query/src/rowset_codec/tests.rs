//! What was stored comes back, and hostile bytes do no harm.

use proptest::prelude::*;
use serde::Deserialize;

use super::*;
use crate::{
    Value,
    value::tests::{any_value, same},
};

fn sample() -> RowSet {
    let mut set = RowSet::new(Columns::new([("id", "INTEGER"), ("name", "TEXT"), ("id", "REAL")]));
    set.push(vec![Value::Int(-1), Value::Text("Zürich".into()), Value::Float(-0.0)]);
    set.push(vec![Value::UInt(u64::MAX), Value::Null, Value::Decimal("1.10".into())]);
    set.push(vec![Value::Date(-1), Value::Bytes(vec![0, 255]), Value::Uuid([7; 16])]);
    let list = Value::Array(vec![Value::Int(7), Value::Array(vec![Value::Null])]);
    set.push(vec![Value::Null, list, Value::Array(vec![])]);
    set
}

fn any_set() -> impl Strategy<Value = RowSet> {
    prop::collection::vec(("[a-c]{0,2}", "[A-C]{0,2}"), 0..4).prop_flat_map(|columns| {
        let width = columns.len();
        let rows = prop::collection::vec(prop::collection::vec(any_value(), width), 0..5);
        rows.prop_map(move |rows| {
            let names = columns.iter().map(|(name, kind)| (&**name, &**kind));
            let mut set = RowSet::new(Columns::new(names));
            rows.into_iter().for_each(|values| set.push(values));
            set
        })
    })
}

fn check_same(left: &RowSet, right: &RowSet) {
    assert_eq!(left.columns(), right.columns());
    assert_eq!(left.len(), right.len());
    for (left, right) in left.into_iter().zip(right) {
        let pairs = || left.values().iter().zip(right.values());
        assert!(pairs().all(|(left, right)| same(left, right)), "{left:?} {right:?}");
    }
}

#[test]
fn the_format_does_not_change() {
    let mut set = RowSet::new(Columns::new([("n", "INT")]));
    set.push(vec![Value::Int(-2)]);
    set.push(vec![Value::Text("é".into())]);
    assert_eq!(set.encode()[..], *b"\x01\x01\x01n\x03INT\x02\x01\x03\x03\x01\x07\x02\xc3\xa9");
}

#[test]
fn the_format_of_a_list_does_not_change() {
    let mut set = RowSet::new(Columns::new([("a", "INT4[]")]));
    set.push(vec![Value::Array(vec![Value::Int(1), Value::Null, Value::Array(vec![])])]);
    assert_eq!(set.encode()[..], *b"\x01\x01\x01a\x06INT4[]\x01\x01\x0f\x03\x03\x02\x00\x0f\x00");
    check_same(&RowSet::decode(&set.encode()).unwrap(), &set);
}

#[test]
fn lists_that_are_nested_too_deep_are_refused() {
    let nested = |depth: usize| {
        let lists = [tag::ARRAY, 1].repeat(depth);
        [&[VERSION, 1, 0, 0, 1, ROW_MARK][..], &lists, &[tag::NULL]].concat()
    };
    assert!(RowSet::decode(&nested(DEPTH_MAX.into())).is_ok());
    assert!(RowSet::decode(&nested(usize::from(DEPTH_MAX) + 1)).is_err());
    assert!(RowSet::decode(&nested(100_000)).is_err());
}

#[test]
fn every_truncation_and_every_extension_is_refused() {
    let stored = sample().encode();
    check_same(&RowSet::decode(&stored).unwrap(), &sample());
    for len in 0..stored.len() {
        assert!(RowSet::decode(&stored[..len]).is_err(), "{len} bytes");
    }
    assert!(RowSet::decode(&[&stored[..], b"\0"].concat()).is_err());
}

#[test]
fn every_flipped_bit_is_read_otherwise_or_refused() {
    let stored = sample().encode();
    for bit in 0..stored.len() * 8 {
        let mut flipped = stored.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        if let Ok(set) = RowSet::decode(&flipped) {
            // One content has one encoding, so another encoding is another content.
            assert_eq!(set.encode()[..], flipped[..], "bit {bit}");
        }
    }
}

#[test]
fn an_unknown_version_is_refused() {
    let mut stored = sample().encode().to_vec();
    stored[0] = VERSION + 1;
    assert!(RowSet::decode(&stored).is_err());
    assert!(RowSet::decode(b"[{\"id\":1}]").is_err());
    assert!(RowSet::decode(b"").is_err());
}

#[test]
fn counts_and_lengths_beyond_the_bytes_allocate_nothing() {
    let huge = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f];
    let columns = [&[VERSION][..], &huge].concat();
    let name = [&[VERSION, 1][..], &huge].concat();
    let rows = [&[VERSION, 0][..], &huge, &[ROW_MARK; 30]].concat();
    let text = [&[VERSION, 1, 0, 0, 1, ROW_MARK, tag::TEXT][..], &huge].concat();
    let list = [&[VERSION, 1, 0, 0, 1, ROW_MARK, tag::ARRAY][..], &huge].concat();
    for stored in [columns, name, rows, text, list] {
        assert!(RowSet::decode(&stored).is_err(), "{stored:?}");
    }
}

#[test]
fn rows_without_columns_are_counted() {
    let mut set = RowSet::new(Columns::default());
    set.push(vec![]);
    set.push(vec![]);
    assert_eq!(RowSet::decode(&set.encode()).unwrap().len(), 2);
}

#[test]
fn a_mismatch_does_not_hide_damage() {
    let stored = sample().encode();
    let typed = RowSet::decode_to::<(String, String, String)>(&stored);
    assert!(matches!(typed, Ok(Err(_))));
    let cut = &stored[..stored.len() - 1];
    assert!(RowSet::decode_to::<(String, String, String)>(cut).is_err());
}

#[derive(Debug, Deserialize, PartialEq)]
struct Typed {
    a: Option<i64>,
    b: Option<String>,
}

proptest! {
    #[test]
    fn what_was_encoded_is_decoded(set in any_set()) {
        let stored = set.encode();
        check_same(&RowSet::decode(&stored).unwrap(), &set);
    }

    #[test]
    fn arbitrary_bytes_are_refused_or_read_exactly(stored: Vec<u8>) {
        let versioned = [&[VERSION][..], &stored].concat();
        for stored in [&stored, &versioned] {
            if let Ok(set) = RowSet::decode(stored) {
                prop_assert_eq!(&set.encode()[..], &stored[..]);
            }
        }
    }

    #[test]
    fn a_stored_row_converts_as_the_fresh_one_does(set in any_set()) {
        let stored = set.encode();
        let fresh = set.to::<Typed>();
        let decoded = RowSet::decode_to::<Typed>(&stored).unwrap();
        prop_assert_eq!(format!("{fresh:?}"), format!("{decoded:?}"));
        let fresh = set.to::<serde_json::Value>();
        let decoded = RowSet::decode_to::<serde_json::Value>(&stored).unwrap();
        prop_assert_eq!(format!("{fresh:?}"), format!("{decoded:?}"));
    }
}
