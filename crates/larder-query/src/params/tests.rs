//! The encoding of parameters is one to one.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

/// An owned parameter whose equality compares floats by their bits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Owned {
    Array(u8, Vec<Self>),
    Bool(bool),
    Bytes(Vec<u8>),
    Date(i32),
    Decimal(String),
    F32(u32),
    F64(u64),
    I16(i16),
    I32(i32),
    I64(i64),
    I8(i8),
    Json(String),
    Null(u8),
    Text(String),
    Time(i64),
    Timestamp(i64),
    TimestampUtc(i64),
    U16(u16),
    U32(u32),
    U64(u64),
    U8(u8),
    Uuid([u8; 16]),
}

impl Owned {
    fn param(&self) -> Param<'_> {
        match self {
            Self::Array(..) => Param::Null(ParamType::Array),
            Self::Bool(value) => Param::Bool(*value),
            Self::Bytes(bytes) => Param::Bytes(bytes),
            Self::Date(days) => Param::Date(*days),
            Self::Decimal(text) => Param::Decimal(text),
            Self::F32(bits) => Param::F32(f32::from_bits(*bits)),
            Self::F64(bits) => Param::F64(f64::from_bits(*bits)),
            Self::I16(value) => Param::I16(*value),
            Self::I32(value) => Param::I32(*value),
            Self::I64(value) => Param::I64(*value),
            Self::I8(value) => Param::I8(*value),
            Self::Json(text) => Param::Json(text),
            Self::Null(tag) => Param::Null(ParamType::from_tag(*tag).unwrap()),
            Self::Text(text) => Param::Text(text),
            Self::Time(micros) => Param::Time(*micros),
            Self::Timestamp(micros) => Param::Timestamp(*micros),
            Self::TimestampUtc(micros) => Param::TimestampUtc(*micros),
            Self::U16(value) => Param::U16(*value),
            Self::U32(value) => Param::U32(*value),
            Self::U64(value) => Param::U64(*value),
            Self::U8(value) => Param::U8(*value),
            Self::Uuid(bytes) => Param::Uuid(*bytes),
        }
    }

    fn of(param: Param<'_>) -> Self {
        match param {
            Param::Array(list) => {
                Self::Array(list.element().tag(), list.iter().map(Self::of).collect())
            }
            Param::Bool(value) => Self::Bool(value),
            Param::Bytes(bytes) => Self::Bytes(bytes.to_vec()),
            Param::Date(days) => Self::Date(days),
            Param::Decimal(text) => Self::Decimal(text.to_owned()),
            Param::F32(value) => Self::F32(value.to_bits()),
            Param::F64(value) => Self::F64(value.to_bits()),
            Param::I16(value) => Self::I16(value),
            Param::I32(value) => Self::I32(value),
            Param::I64(value) => Self::I64(value),
            Param::I8(value) => Self::I8(value),
            Param::Json(text) => Self::Json(text.to_owned()),
            Param::Null(kind) => Self::Null(kind.tag()),
            Param::Text(text) => Self::Text(text.to_owned()),
            Param::Time(micros) => Self::Time(micros),
            Param::Timestamp(micros) => Self::Timestamp(micros),
            Param::TimestampUtc(micros) => Self::TimestampUtc(micros),
            Param::U16(value) => Self::U16(value),
            Param::U32(value) => Self::U32(value),
            Param::U64(value) => Self::U64(value),
            Param::U8(value) => Self::U8(value),
            Param::Uuid(bytes) => Self::Uuid(bytes),
        }
    }
}

fn any_param() -> impl Strategy<Value = Owned> {
    any_scalar().prop_recursive(2, 6, 10, |item| {
        (0_u8..22, prop::collection::vec(item, 0..10))
            .prop_map(|(element, items)| Owned::Array(element, items))
    })
}

fn any_scalar() -> impl Strategy<Value = Owned> {
    // Small alphabets and numbers, so that pairs of lists come close to each other.
    prop_oneof![
        any::<bool>().prop_map(Owned::Bool),
        prop::collection::vec(0_u8..20, 0..6).prop_map(Owned::Bytes),
        (-2_i32..2).prop_map(Owned::Date),
        "[01.]{0,3}".prop_map(Owned::Decimal),
        (0_u32..0x7f80_0001).prop_map(Owned::F32),
        prop_oneof![Just(0.0_f64), Just(-0.0), -2.0..2.0].prop_map(|v| Owned::F64(v.to_bits())),
        (-2_i16..2).prop_map(Owned::I16),
        (-2_i32..2).prop_map(Owned::I32),
        (-2_i64..2).prop_map(Owned::I64),
        (-2_i8..2).prop_map(Owned::I8),
        "[01\\[\\]]{0,3}".prop_map(Owned::Json),
        (0_u8..22).prop_map(Owned::Null),
        "[abNUL\\x00\\x0d]{0,4}".prop_map(Owned::Text),
        any::<i64>().prop_map(Owned::Time),
        (-2_i64..2).prop_map(Owned::Timestamp),
        (-2_i64..2).prop_map(Owned::TimestampUtc),
        (0_u16..2).prop_map(Owned::U16),
        (0_u32..2).prop_map(Owned::U32),
        (0_u64..2).prop_map(Owned::U64),
        (0_u8..2).prop_map(Owned::U8),
        any::<[u8; 16]>().prop_map(Owned::Uuid),
    ]
    .prop_filter("not-a-number has one encoding", |param| match param.param() {
        Param::F32(value) => !value.is_nan(),
        _ => true,
    })
}

fn bound(list: &[Owned]) -> Params {
    let mut params = Params::new();
    for param in list {
        match param {
            Owned::Array(element, items) => {
                let element = ParamType::from_tag(*element).unwrap();
                params.push_list(element, bound(items).as_bytes());
            }
            scalar => Slot(&mut params).put(scalar.param()),
        }
    }
    params
}

fn bytes(bind: impl Bind) -> Vec<u8> {
    let mut params = Params::new();
    params.bind(bind);
    params.as_bytes().to_vec()
}

fn check_distinct(encodings: &[Vec<u8>]) {
    let set: BTreeSet<_> = encodings.iter().collect();
    assert_eq!(set.len(), encodings.len());
}

#[test]
fn one_of_every_type_is_another_parameter() {
    check_distinct(&[
        bytes(1_i8),
        bytes(1_i16),
        bytes(1_i32),
        bytes(1_i64),
        bytes(1_u8),
        bytes(1_u16),
        bytes(1_u32),
        bytes(1_u64),
        bytes(1.0_f32),
        bytes(1.0_f64),
        bytes("1"),
        bytes(true),
        bytes(b"1"),
    ]);
}

#[test]
fn null_empty_and_the_word_null_are_distinct() {
    check_distinct(&[
        bytes(None::<&str>),
        bytes(None::<i64>),
        bytes(Value::Null),
        bytes(""),
        bytes("NULL"),
        bytes([0_u8; 0]),
        bytes(b"NULL"),
    ]);
}

#[test]
fn zero_has_a_sign_and_not_a_number_is_one_value() {
    check_distinct(&[bytes(0.0), bytes(-0.0), bytes(f64::NAN)]);
    assert_eq!(bytes(f64::NAN), bytes(-f64::NAN));
    assert_eq!(bytes(f64::NAN), bytes(f64::from_bits(0x7ff0_0000_0000_0001)));
    assert_eq!(bytes(f32::NAN), bytes(-f32::NAN));
}

#[test]
fn boundaries_between_parameters_count() {
    let mut lists = Vec::new();
    for (first, second) in [("ab", "c"), ("a", "bc"), ("", "abc"), ("abc", "")] {
        let mut params = Params::new();
        params.bind(first).bind(second);
        lists.push(params.as_bytes().to_vec());
    }
    lists.push(bytes("abc"));
    check_distinct(&lists);
}

#[test]
fn composed_and_decomposed_text_are_distinct() {
    assert_ne!(bytes("\u{e9}"), bytes("e\u{301}"));
}

#[test]
fn lists_have_a_type_and_a_length() {
    check_distinct(&[
        bytes(vec![1_i64, 2]),
        bytes(vec![1_i32, 2]),
        bytes(vec![1_i64]),
        bytes(1_i64),
        bytes(Vec::<i64>::new()),
        bytes(Vec::<i32>::new()),
        bytes(vec![None::<i64>]),
        bytes(None::<Vec<i64>>),
        bytes(vec![vec![1_i64], vec![2]]),
        bytes(vec![vec![1_i64, 2]]),
        bytes(vec![1_u8]),
    ]);
    let mut params = Params::new();
    params.bind(vec![Some("a"), None]).bind(vec![1_u8]).bind([7_i16; 20]).bind(7_i64);
    let list: Vec<_> = params.iter().map(Param::to_value).collect();
    let texts = Value::Array(vec![Value::Text("a".into()), Value::Null]);
    let numbers = Value::Array(vec![Value::Int(7); 20]);
    assert_eq!(list, [texts, Value::Bytes(vec![1]), numbers, Value::Int(7)]);
}

#[test]
fn a_long_text_written_in_place_says_how_long_it_is() {
    let text = "9".repeat(300);
    let mut params = Params::new();
    params.bind(7_i32);
    Slot(&mut params).decimal(&text);
    params.bind("after");
    let list: Vec<_> = params.iter().collect();
    assert_eq!(list, [Param::I32(7), Param::Decimal(&text), Param::Text("after")]);
    let mut put = Params::new();
    put.bind(7_i32);
    Slot(&mut put).put(Param::Decimal(&text));
    put.bind("after");
    assert_eq!(put, params);
}

#[test]
fn texts_of_every_length_survive() {
    let text = "\u{e9}t\u{e9} in Frankfurt am Main".repeat(3);
    for len in 0..text.len() {
        let mut params = Params::new();
        params.bind(&text.as_bytes()[..len]).bind(7_i64);
        let list: Vec<_> = params.iter().collect();
        assert_eq!(list, [Param::Bytes(&text.as_bytes()[..len]), Param::I64(7)]);
    }
}

#[test]
fn small_parameters_stay_in_the_inline_buffer() {
    let mut params = Params::new();
    params.bind("LH").bind(400_i64).bind(9.5).bind(None::<&str>);
    params.bind("Frankfurt am Main").bind(true);
    assert!(params.buffer.is_in_place());
}

#[test]
fn debug_shows_types_and_no_value() {
    let mut params = Params::new();
    params.bind("hunter2").bind(None::<i64>);
    assert_eq!(format!("{params:?}"), "Params[Text, I64]");
}

#[test]
fn type_tags_are_their_positions() {
    for (tag, kind) in ParamType::ALL.into_iter().enumerate() {
        assert_eq!(usize::from(kind.tag()), tag);
    }
}

#[test]
fn arbitrary_bytes_end_the_iteration_without_a_panic() {
    for tag in 0..=u8::MAX {
        for rest in [&[][..], &[0xff; 12], &[1, 0xff]] {
            let bytes = [&[tag], rest].concat();
            let count = ParamIter::new(&bytes).count();
            assert!(count <= bytes.len());
        }
    }
}

proptest! {
    #[test]
    fn what_was_bound_is_read_back(list in prop::collection::vec(any_param(), 0..8)) {
        let params = bound(&list);
        prop_assert_eq!(params.len(), list.len());
        let back: Vec<_> = params.iter().map(Owned::of).collect();
        prop_assert_eq!(back, list);
    }

    #[test]
    fn equal_bytes_mean_equal_lists(
        lists in prop::collection::vec(prop::collection::vec(any_param(), 0..3), 2..40),
    ) {
        let mut seen = BTreeMap::new();
        for list in lists {
            let before = seen.entry(bound(&list).as_bytes().to_vec()).or_insert_with(|| list.clone());
            prop_assert_eq!(&*before, &list);
        }
    }
}
