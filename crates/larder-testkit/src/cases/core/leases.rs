//! At most one loader per key: who wins a lease, how long it holds, what ends it.

use std::time::Duration;

use bytes::Bytes;
use larder_core::{EntryId, FillOutcome, Key, Lease, LeaseOutcome, LeaseRequest, LeaseToken};

use crate::{
    Fixture,
    bench::{Bench, Handle, LONG, key},
    race::{CONTENDERS, race},
    samples,
};

/// The first loader wins, every other one is told to wait.
pub async fn the_first_loader_wins_and_the_others_wait(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    bench.cache.win(&key("k")).await;
    for _ in 0..3 {
        assert_eq!(bench.cache.lease(&key("k")).await, LeaseOutcome::Held);
    }
    bench.cache.win(&key("another key")).await;
    assert_eq!(bench.cache.read(&key("k")).await, None, "a lease is no entry");
}

/// Of many loaders at once exactly one wins, on every key anew.
pub async fn exactly_one_of_many_concurrent_loaders_wins(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    for round in 0..8 {
        let key = key(&format!("round {round}"));
        let handles = vec![bench.cache.clone()];
        let outcomes = race(&handles, |cache| async move { cache.lease(&key).await }).await;
        one_won(&outcomes);
    }
}

/// Exactly one answer is `Won`, all others are `Held`.
#[track_caller]
pub(crate) fn one_won(outcomes: &[LeaseOutcome]) {
    let won = outcomes.iter().filter(|o| matches!(o, LeaseOutcome::Won(_)));
    let held = outcomes.iter().filter(|o| matches!(o, LeaseOutcome::Held));
    assert_eq!((won.count(), held.count()), (1, CONTENDERS - 1));
}

/// A lease that ran out goes to the next loader; the late fill is refused and disturbs nobody.
pub async fn a_lease_that_ran_out_goes_to_the_next_loader(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let k = key("k");
    let late = bench.cache.win_for(&k, bench.short()).await;
    bench.outlast(bench.short()).await;
    assert!(!bench.cache.renew(&k, &late, LONG).await, "it is over");
    assert!(!bench.cache.release(&k, &late).await, "it is over");
    assert_eq!(bench.cache.fill(&k, &late, "late").await, FillOutcome::Refused);

    let next = bench.cache.win(&k).await;
    assert_ne!(next.token, late.token, "tokens do not return");
    assert_eq!(bench.cache.fill(&k, &late, "late").await, FillOutcome::Refused);
    assert!(!bench.cache.release(&k, &late).await, "not the late one's");
    assert!(!bench.cache.renew(&k, &late, LONG).await, "not the late one's");
    assert_eq!(bench.cache.read(&k).await, None);
    assert_eq!(bench.cache.fill(&k, &next, "loaded").await, FillOutcome::Stored);
    Handle::expect(bench.cache.read(&k).await, "loaded", "after the fill");
}

/// A lease holds for its whole time: a fill shortly before the end is stored.
pub async fn a_lease_holds_until_its_time_is_over(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let times = [1_u64, 2, 999, 1_000, 1_001, 60_000, 86_400_000];
    for time in times.map(Duration::from_millis) {
        let k = key(&format!("{time:?}"));
        let before = bench.now();
        let lease = bench.cache.win_for(&k, time).await;
        if bench.time.is_manual() {
            bench.time.pass(time - Duration::from_millis(1)).await;
        }
        let others = bench.cache.lease(&k).await;
        let outcome = bench.cache.fill(&k, &lease, "loaded").await;
        // Where time passes by itself, a lease of a millisecond may be over by now.
        if bench.now().since(before) < time {
            assert_eq!(others, LeaseOutcome::Held, "a lease of {time:?}");
            assert_eq!(outcome, FillOutcome::Stored, "a lease of {time:?}");
        }
    }
}

/// The shortest lease, and a renewal by no time at all, are over soon instead of never.
pub async fn the_shortest_lease_is_not_for_ever(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let (granted, renewed) = (key("granted"), key("renewed"));
    bench.cache.win_for(&granted, Duration::ZERO).await;
    let lease = bench.cache.win(&renewed).await;
    let held = bench.cache.renew(&renewed, &lease, Duration::ZERO).await;
    assert!(held, "a lease of an hour is renewed");
    bench.outlast(LeaseRequest::MIN_TIME).await;
    bench.cache.win(&granted).await;
    bench.cache.win(&renewed).await;
}

/// Renewing counts from the renewal on, whether it lengthens or shortens.
pub async fn a_renewed_lease_holds_from_the_renewal_on(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let (longer, shorter) = (key("longer"), key("shorter"));
    let before = bench.now();
    let lease = bench.cache.win_for(&longer, bench.short()).await;
    let renewed = bench.cache.renew(&longer, &lease, LONG).await;
    if bench.now().since(before) < bench.short() {
        assert!(renewed, "the lease was held");
    }
    let short = bench.cache.win(&shorter).await;
    assert!(bench.cache.renew(&shorter, &short, bench.short()).await);

    bench.outlast(bench.short()).await;
    if renewed {
        assert_eq!(bench.cache.lease(&longer).await, LeaseOutcome::Held);
        assert_eq!(bench.cache.fill(&longer, &lease, "loaded").await, FillOutcome::Stored);
    }
    assert_eq!(bench.cache.fill(&shorter, &short, "late").await, FillOutcome::Refused);
}

/// A released lease is free at once, and the one who gave it back can not fill.
pub async fn a_released_lease_goes_to_the_next_loader_at_once(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let k = key("k");
    let first = bench.cache.win(&k).await;
    assert!(bench.cache.release(&k, &first).await, "it was held");
    assert!(!bench.cache.release(&k, &first).await, "released twice");
    assert!(!bench.cache.renew(&k, &first, LONG).await, "released");
    assert_eq!(bench.cache.read(&k).await, None, "a release stores nothing");

    let second = bench.cache.win(&k).await;
    assert_eq!(bench.cache.fill(&k, &first, "late").await, FillOutcome::Refused);
    assert_eq!(bench.cache.fill(&k, &second, "loaded").await, FillOutcome::Stored);
}

/// Only the token that was granted, for this key and in this epoch, is the lease.
pub async fn what_is_not_the_lease_neither_renews_nor_releases(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let (k, other) = (key("k"), key("other"));
    let lease = bench.cache.win(&k).await;
    let elsewhere = bench.cache.win(&other).await;
    let forged = Lease { token: LeaseToken::random(), ..lease };
    for (what, wrong) in [("another token", forged), ("another key's", elsewhere)] {
        assert!(!bench.cache.renew(&k, &wrong, LONG).await, "{what}");
        assert!(!bench.cache.release(&k, &wrong).await, "{what}");
    }
    let nobody = key("never leased");
    assert!(!bench.cache.renew(&nobody, &lease, LONG).await);
    assert!(!bench.cache.release(&nobody, &lease).await);
    assert_eq!(
        bench.cache.fill(&k, &lease, "loaded").await,
        FillOutcome::Stored,
        "the true lease is still held"
    );
}

/// Whoever asks for a lease on a live entry gets the entry.
pub async fn a_live_entry_is_found_instead_of_leased(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let k = key("k");
    bench.cache.put(&k, "value").await;
    let found = LeaseOutcome::Found(Bytes::from("value"));
    assert_eq!(bench.cache.lease(&k).await, found);
    bench.cache.remove(&k).await;
    bench.cache.win(&k).await;
}

/// The entry that the caller found dead is leased; it stays until the fill replaces it.
pub async fn the_dead_entry_is_leased_and_stays_until_the_fill(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let k = key("k");
    let (dead, id) = stored_envelope(&bench, &k, "dead").await;
    let request = LeaseRequest::new(LONG).with_dead(Some(id));
    let LeaseOutcome::Won(lease) = bench.cache.ask(&k, request).await else {
        panic!("the entry was named dead and nobody held the lease");
    };
    Handle::expect(bench.cache.read(&k).await, dead.clone(), "while leased");
    assert_eq!(bench.cache.ask(&k, request).await, LeaseOutcome::Held);
    assert_eq!(
        bench.cache.lease(&k).await,
        LeaseOutcome::Found(dead),
        "who does not know that it is dead finds it"
    );
    assert_eq!(bench.cache.fill(&k, &lease, "loaded").await, FillOutcome::Stored);
    Handle::expect(bench.cache.read(&k).await, "loaded", "after the fill");
}

/// An entry that came after the dead one is found, not leased away.
pub async fn the_successor_of_a_dead_entry_is_found(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let k = key("k");
    let (_, dead) = stored_envelope(&bench, &k, "dead").await;
    let (successor, _) = stored_envelope(&bench, &k, "successor").await;
    let request = LeaseRequest::new(LONG).with_dead(Some(dead));
    assert_eq!(bench.cache.ask(&k, request).await, LeaseOutcome::Found(successor));
}

/// Bytes that carry no entry id can not be named dead; they are found until they are removed.
pub async fn bytes_without_an_id_are_found(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let k = key("k");
    let request = LeaseRequest::new(LONG).with_dead(Some(EntryId::random()));
    for value in ["", "LRDR", "a value of more than twenty-four bytes"] {
        bench.cache.put(&k, value).await;
        let found = LeaseOutcome::Found(Bytes::from(value));
        assert_eq!(bench.cache.ask(&k, request).await, found);
        assert_eq!(bench.cache.lease(&k).await, found);
    }
    bench.cache.remove(&k).await;
    assert!(matches!(bench.cache.ask(&k, request).await, LeaseOutcome::Won(_)));
}

async fn stored_envelope(bench: &Bench<'_>, key: &Key, payload: &str) -> (Bytes, EntryId) {
    let envelope = samples::envelope(bench.cache.epoch().await, &[], &[], payload);
    let stored = envelope.encode(key, None);
    bench.cache.put(key, stored.clone()).await;
    (stored, envelope.header.id)
}
