//! What `read`, `put` and `remove` do to one entry, and that no two keys meet.

use std::collections::HashSet;

use bytes::Bytes;
use larder_core::{Key, KeySpace};

use crate::{
    Fixture,
    bench::{Bench, Handle, key},
    hostile_names,
};

/// What was never stored is not there.
pub async fn what_was_never_stored_reads_as_miss(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    assert_eq!(bench.cache.read(&key("never")).await, None);
    assert!(!bench.cache.remove(&key("never")).await, "removed nothing");
    assert_eq!(bench.cache.read(&key("never")).await, None);
}

/// A stored value is read back, by every later read.
pub async fn what_was_put_is_read(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    bench.cache.put(&key("k"), "value").await;
    for _ in 0..3 {
        Handle::expect(bench.cache.read(&key("k")).await, "value", "after put");
    }
}

/// The last value counts, whether it is longer or shorter.
pub async fn put_replaces_what_is_there(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    for value in ["first", "second and longer", "", "4th"] {
        bench.cache.put(&key("k"), value).await;
        Handle::expect(bench.cache.read(&key("k")).await, value, "after put");
    }
}

/// Removing ends an entry, says so once, and leaves room for the next.
pub async fn a_removed_entry_reads_as_miss(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    bench.cache.put(&key("k"), "first").await;
    assert!(bench.cache.remove(&key("k")).await, "there was an entry");
    assert_eq!(bench.cache.read(&key("k")).await, None);
    assert!(!bench.cache.remove(&key("k")).await, "removed twice");
    bench.cache.put(&key("k"), "second").await;
    Handle::expect(bench.cache.read(&key("k")).await, "second", "after remove");
}

/// Every byte value survives, in values that a text protocol would stumble over.
pub async fn values_come_back_byte_for_byte(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let every_byte: Vec<u8> = (0..=255).collect();
    let values: [Bytes; 9] = [
        Bytes::new(),
        "x".into(),
        "\0".into(),
        every_byte.into(),
        "\r\n".into(),
        "END\r\nVALUE k 0 1\r\n".into(),
        "$-1\r\n".into(),
        vec![0xff; bench.fitting(65_536)].into(),
        pattern(bench.fitting(1 << 20)),
    ];
    let named = |i: usize| key(&format!("value {i}"));
    for (i, value) in values.iter().enumerate() {
        bench.cache.put(&named(i), value.clone()).await;
    }
    for (i, value) in values.into_iter().enumerate() {
        let what = format!("{} bytes", value.len());
        Handle::expect(bench.cache.read(&named(i)).await, value, &what);
    }
}

/// An empty value is an entry, not a miss.
pub async fn an_empty_value_is_found(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    bench.cache.put(&key("k"), "").await;
    assert_eq!(bench.cache.read(&key("k")).await, Some(Bytes::new()));
    assert!(bench.cache.remove(&key("k")).await, "an empty entry is one");
}

/// Names that break parsers are all distinct keys, and none affects another.
pub async fn hostile_names_are_distinct_keys(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let keys: Vec<_> = hostile_names().iter().copied().map(Key::object).collect();
    all_are_distinct(&bench, &keys).await;
}

/// Tuples that print alike are different keys.
pub async fn tuples_that_look_alike_are_distinct_keys(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let query = || Key::builder(KeySpace::Query);
    let keys = [
        query().finish(),
        query().text("").finish(),
        query().bytes(b"").finish(),
        query().absent().finish(),
        query().text("ab").text("c").finish(),
        query().text("a").text("bc").finish(),
        query().text("abc").finish(),
        query().bytes(b"abc").finish(),
        query().number(1).finish(),
        query().text("1").finish(),
        query().text("1.0").finish(),
        query().text("true").finish(),
        query().text("NULL").finish(),
        Key::builder(KeySpace::Object).text("abc").finish(),
        Key::builder(KeySpace::Response).text("abc").finish(),
    ];
    all_are_distinct(&bench, &keys).await;
}

/// The whole digest names the entry, and the key space with it: a backend that stores a part of
/// either serves one caller's entry to another.
pub async fn keys_that_differ_in_one_bit_or_in_space_are_distinct(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let mut keys = Vec::new();
    for digest in [[0_u8; 32], [0xff; 32], *b"a digest of thirty-two characte\n"] {
        for space in [KeySpace::Object, KeySpace::Query, KeySpace::Response] {
            keys.push(Key::from_digest(space, digest));
        }
        for position in 0..32 {
            let mut flipped = digest;
            flipped[position] ^= 0x20;
            keys.push(Key::from_digest(KeySpace::Query, flipped));
        }
    }
    all_are_distinct(&bench, &keys).await;
}

/// Stores under every key, reads all, removes every other one, reads all again.
async fn all_are_distinct(bench: &Bench<'_>, keys: &[Key]) {
    assert_eq!(
        keys.iter().collect::<HashSet<_>>().len(),
        keys.len(),
        "the keys themselves are distinct"
    );
    let value = |i: usize| format!("value of key {i}");
    for (i, key) in keys.iter().enumerate() {
        bench.cache.put(key, value(i)).await;
    }
    for (i, key) in keys.iter().enumerate() {
        Handle::expect(bench.cache.read(key).await, value(i), &format!("key {i}"));
    }
    for (i, key) in keys.iter().enumerate().step_by(2) {
        assert!(bench.cache.remove(key).await, "key {i} was there");
    }
    for (i, key) in keys.iter().enumerate() {
        let found = bench.cache.read(key).await;
        if i % 2 == 0 {
            assert_eq!(found, None, "key {i} was removed");
        } else {
            Handle::expect(found, value(i), &format!("key {i}, never removed"));
        }
    }
}

/// Bytes in which every position can be told from its neighbours.
pub(crate) fn pattern(len: usize) -> Bytes {
    let byte = |i: usize| (i.wrapping_mul(31) ^ (i >> 8)).to_le_bytes()[0];
    (0..len).map(byte).collect()
}
