//! The largest value is taken, the next larger one is refused and changes nothing.

use bytes::Bytes;
use larder_core::{EntryId, ErrorKind, FillOutcome, LeaseOutcome, LeaseRequest};

use crate::{
    Fixture,
    bench::{Bench, Handle, LONG, key, refused, ttl},
    samples,
};

use super::entries::pattern;

/// Larger limits are taken on trust: a case that needs gigabytes runs nowhere.
const TESTED_BYTES_MAX: usize = 64 << 20;

/// A value of exactly the declared limit is stored and read back.
pub async fn a_value_of_the_declared_limit_is_stored(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let Some(limit) = tested_limit(&bench) else {
        return;
    };
    let value = pattern(limit);
    bench.cache.put(&key("put"), value.clone()).await;
    Handle::expect(bench.cache.read(&key("put")).await, value.clone(), "put");
    bench.cache.remove(&key("put")).await;

    let lease = bench.cache.win(&key("fill")).await;
    let outcome = bench.cache.fill(&key("fill"), &lease, value.clone()).await;
    assert_eq!(outcome, FillOutcome::Stored);
    Handle::expect(bench.cache.read(&key("fill")).await, value, "fill");
}

/// One byte more is refused as `TooLarge` by `put`, and what was there stays.
pub async fn a_put_beyond_the_limit_changes_nothing(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let Some(too_large) = too_large(&bench) else {
        return;
    };
    let (old, fresh) = (key("old"), key("fresh"));
    bench.cache.put(&old, "stays").await;
    for key in [&old, &fresh] {
        let result = bench.cache.0.put(key, too_large.clone(), ttl(LONG)).await;
        refused(result, ErrorKind::TooLarge, "put beyond the limit");
    }
    Handle::expect(bench.cache.read(&old).await, "stays", "after the refusal");
    assert_eq!(bench.cache.read(&fresh).await, None);

    // A refused put has not ended the lease either.
    let lease = bench.cache.win(&fresh).await;
    let result = bench.cache.0.put(&fresh, too_large, ttl(LONG)).await;
    refused(result, ErrorKind::TooLarge, "put beyond the limit");
    let outcome = bench.cache.fill(&fresh, &lease, "loaded").await;
    assert_eq!(outcome, FillOutcome::Stored);
}

/// One byte more is refused as `TooLarge` by `fill`; the dead entry and the lease stay.
pub async fn a_fill_beyond_the_limit_keeps_entry_and_lease(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let Some(too_large) = too_large(&bench) else {
        return;
    };
    let k = key("k");
    let dead = samples::envelope(bench.cache.epoch().await, &[], &[], "dead").encode(&k, None);
    bench.cache.put(&k, dead.clone()).await;
    let request = LeaseRequest::new(LONG).with_dead(EntryId::peek(&dead));
    let LeaseOutcome::Won(lease) = bench.cache.ask(&k, request).await else {
        panic!("the entry was named dead and nobody held the lease");
    };
    let result = bench.cache.0.fill(&k, &lease, too_large, ttl(LONG)).await;
    refused(result, ErrorKind::TooLarge, "fill beyond the limit");

    Handle::expect(bench.cache.read(&k).await, dead, "after the refusal");
    assert_eq!(bench.cache.ask(&k, request).await, LeaseOutcome::Held);
    let outcome = bench.cache.fill(&k, &lease, "smaller").await;
    assert_eq!(outcome, FillOutcome::Stored, "the lease is still held");
    Handle::expect(bench.cache.read(&k).await, "smaller", "after the fill");
}

/// A value one byte beyond the limit, if there is a limit that a case can exceed.
pub(crate) fn too_large(bench: &Bench<'_>) -> Option<Bytes> {
    tested_limit(bench).map(|limit| vec![b'x'; limit + 1].into())
}

fn tested_limit(bench: &Bench<'_>) -> Option<usize> {
    let limit = bench.capability.value_bytes_max;
    let tested = limit.filter(|limit| *limit <= TESTED_BYTES_MAX);
    if tested.is_none() {
        bench.skipped("the largest value: the limit is absent or above 64 MiB");
    }
    tested
}
