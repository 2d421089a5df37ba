//! The protocol as the engine runs it: snapshot, lease, load, fill; and what a reader may serve.

use bytes::Bytes;
use larder_core::{
    Envelope, FillOutcome, Key, Lease, LeaseOutcome, LeaseRequest, Rejection, Stamp, Tag,
};

use crate::{
    Fixture,
    bench::{Bench, Handle, LONG, key},
    samples::{self, damaged_envelopes, expectation},
};

/// A miss is loaded and filled; the next read is a hit.
pub async fn a_miss_is_filled_and_then_hit(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let (k, tags) = (key("k"), [Tag::named("table"), Tag::named("row")]);
    let load = begin(&bench.cache, &k, &tags).await;
    assert_eq!(load.finish(&bench.cache, "v1").await, FillOutcome::Stored);
    assert_eq!(judge(&bench.cache, &k, &tags).await, Ok(Bytes::from("v1")));
}

/// A bump during the load makes the filled entry dead on arrival.
pub async fn a_bump_during_the_load_makes_the_fill_dead_on_arrival(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let (k, tags) = (key("k"), [Tag::named("table"), Tag::named("row")]);
    for bumped in tags {
        let load = begin(&bench.cache, &k, &tags).await;
        bench.cache.bump(&[bumped]).await;
        assert_eq!(load.finish(&bench.cache, "old").await, FillOutcome::Stored);
        let judged = judge(&bench.cache, &k, &tags).await;
        assert_eq!(judged, Err(Rejection::Invalidated));
        bench.cache.remove(&k).await;
    }
}

/// A bump invalidates every entry that depends on the tag, and only those.
pub async fn a_bump_invalidates_exactly_what_depends_on_it(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let (one, two, common) = (Tag::named("one"), Tag::named("two"), Tag::named("common"));
    let entries = [(key("a"), [one, common]), (key("b"), [two, common]), (key("c"), [common, one])];
    for (k, tags) in &entries {
        let load = begin(&bench.cache, k, tags).await;
        load.finish(&bench.cache, "v1").await;
    }
    bench.cache.bump(&[one]).await;
    for (k, tags) in &entries {
        let judged = judge(&bench.cache, k, tags).await;
        assert_eq!(judged.is_err(), tags.contains(&one), "{k:?}");
    }
    bench.cache.bump(&[common]).await;
    for (k, tags) in &entries {
        let judged = judge(&bench.cache, k, tags).await;
        assert_eq!(judged, Err(Rejection::Invalidated), "{k:?}");
    }
}

/// What was invalidated is loaded anew, by exactly one loader, and is then a hit again.
pub async fn an_invalidated_entry_is_loaded_anew(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let (k, tags) = (key("k"), [Tag::named("t")]);
    for round in 0..5 {
        let load = begin(&bench.cache, &k, &tags).await;
        let others = LeaseRequest::new(LONG).with_dead(load.dead);
        let held = bench.cache.ask(&k, others).await;
        assert_eq!(held, LeaseOutcome::Held, "round {round}");
        let value = format!("v{round}");
        load.finish(&bench.cache, &value).await;
        let judged = judge(&bench.cache, &k, &tags).await;
        assert_eq!(judged, Ok(Bytes::from(value)), "round {round}");
        bench.cache.bump(&tags).await;
    }
}

/// A loader that waited finds what the winner filled.
pub async fn whoever_waited_finds_what_was_filled(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let k = key("k");
    let load = begin(&bench.cache, &k, &[]).await;
    assert_eq!(bench.cache.lease(&k).await, LeaseOutcome::Held);
    load.finish(&bench.cache, "v1").await;
    let LeaseOutcome::Found(stored) = bench.cache.lease(&k).await else {
        panic!("the winner has filled");
    };
    let found = Envelope::decode(&stored, &k, None).map(|envelope| envelope.payload);
    assert_eq!(found, Ok(Bytes::from("v1")));
}

/// Damaged and foreign bytes come back as they are, and decoding rejects each of them.
pub async fn damaged_entries_come_back_unchanged_and_are_rejected(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let k = key("k");
    for (what, bytes) in damaged_envelopes(&k) {
        if bytes.len() > bench.fitting(bytes.len()) {
            bench.skipped(&format!("{what}: larger than the largest value"));
            continue;
        }
        bench.cache.put(&k, bytes.clone()).await;
        let found = bench.cache.read(&k).await;
        Handle::expect(found.clone(), bytes, &what);
        let decoded = found.map(|found| Envelope::decode(&found, &k, None));
        assert!(matches!(decoded, Some(Err(_))), "{what}: {decoded:?}");
    }
    bench.cache.remove(&k).await;
    let load = begin(&bench.cache, &k, &[]).await;
    load.finish(&bench.cache, "repaired").await;
    let judged = judge(&bench.cache, &k, &[]).await;
    assert_eq!(judged, Ok(Bytes::from("repaired")));
}

/// A load under way: what was known when it began.
pub(crate) struct Load {
    key: Key,
    tags: Vec<Tag>,
    stamps: Vec<Stamp>,
    dead: Option<larder_core::EntryId>,
    lease: Lease,
}

/// Snapshot and lease, in this order.
pub(crate) async fn begin(cache: &Handle, key: &Key, tags: &[Tag]) -> Load {
    let stored = cache.snapshot(key, tags).await.value;
    let dead = stored.as_deref().and_then(larder_core::EntryId::peek);
    let stamps = cache.generations(tags).await;
    let request = LeaseRequest::new(LONG).with_dead(dead);
    let LeaseOutcome::Won(lease) = cache.ask(key, request).await else {
        panic!("nobody else is loading");
    };
    Load { key: *key, tags: tags.to_vec(), stamps, dead, lease }
}

impl Load {
    /// Fills with what was loaded.
    pub(crate) async fn finish(&self, cache: &Handle, payload: &str) -> FillOutcome {
        let envelope = samples::envelope(self.lease.epoch, &self.tags, &self.stamps, payload);
        let stored = envelope.encode(&self.key, None);
        cache.fill(&self.key, &self.lease, stored).await
    }
}

/// What a reader would serve now, or why it would not.
pub(crate) async fn judge(cache: &Handle, key: &Key, tags: &[Tag]) -> Result<Bytes, Rejection> {
    let snapshot = cache.snapshot(key, tags).await;
    let Some(stored) = &snapshot.value else {
        panic!("the filled entry is stored, dead or not");
    };
    let envelope = Envelope::decode(stored, key, None)?;
    envelope.header.check(&snapshot, &expectation(tags))?;
    Ok(envelope.payload)
}
