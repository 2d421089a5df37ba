//! A future that is dropped at any of its awaits leaves a whole operation or none, and a backend
//! that still gives the right answer to everybody.

use bytes::Bytes;
use larder_core::{Error, FillOutcome, Key, LeaseOutcome, LeaseRequest, ReadRequest, Tag};

use crate::{
    Fixture,
    bench::{Bench, Handle, LONG, answered, key, ttl},
    interrupt,
};

/// More awaits than any verb has; reaching it means that a verb never answers.
const POLLS_MAX: usize = 200;

/// Gives the call up after 0, 1, 2… polls, each time on a subject of its own, until it answers.
async fn at_every_await<T, S>(
    bench: &Bench<'_>,
    verb: &str,
    prepare: impl AsyncFn(Key) -> S,
    call: impl AsyncFn(Key, &S) -> Result<T, Error>,
    verify: impl AsyncFn(Key, &S),
) {
    let witness = key("witness");
    bench.cache.put(&witness, "witness").await;
    for polls in 0..POLLS_MAX {
        let k = key(&format!("{verb} after {polls} polls"));
        let subject = prepare(k).await;
        let result = interrupt(call(k, &subject), polls).await;
        // An answer that was left behind on a connection would now reach the wrong caller.
        let found = bench.cache.read(&witness).await;
        Handle::expect(found, "witness", &format!("{verb} after {polls} polls"));
        verify(k, &subject).await;
        if let Some(result) = result {
            answered(result);
            return;
        }
    }
    panic!("{verb} has not answered after {POLLS_MAX} polls");
}

/// Reading verbs that are given up change nothing and mix up no answers.
pub async fn a_read_that_is_given_up_disturbs_nobody(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let (cache, tags) = (&bench.cache, [Tag::named("a"), Tag::named("b")]);
    let stamps = cache.generations(&tags).await;
    let prepare = async |k: Key| cache.put(&k, visible(&k)).await;
    let verify = async |k: Key, (): &()| {
        let snapshot = cache.snapshot(&k, &tags).await;
        Handle::expect(snapshot.value, visible(&k), "after the interrupted read");
        assert_eq!(snapshot.stamps, super::generations::some(&stamps));
    };
    let read = async |k: Key, (): &()| cache.0.read(&k, &tags).await;
    at_every_await(&bench, "read", prepare, read, verify).await;
    let read_many = async |k: Key, (): &()| {
        let request = ReadRequest { key: &k, tags: &tags };
        cache.0.read_many(&[request, request]).await
    };
    at_every_await(&bench, "read_many", prepare, read_many, verify).await;
    let epoch = async |_: Key, (): &()| cache.0.epoch().await;
    at_every_await(&bench, "epoch", prepare, epoch, verify).await;
    let health = async |_: Key, (): &()| cache.0.health().await;
    at_every_await(&bench, "health", prepare, health, verify).await;
}

/// A put that is given up has stored the whole value or left the old one.
pub async fn a_put_that_is_given_up_is_whole_or_nothing(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let cache = &bench.cache;
    let value = super::entries::pattern(bench.fitting(100_000));
    let prepare = async |k: Key| cache.put(&k, "old").await;
    let call = async |k: Key, (): &()| cache.0.put(&k, value.clone(), ttl(LONG)).await;
    at_every_await(&bench, "put", prepare, call, async |k, (): &()| {
        let found = cache.read(&k).await;
        assert!(
            found.as_deref() == Some(b"old") || found.as_ref() == Some(&value),
            "a part of a value was stored"
        );
    })
    .await;
}

/// A remove that is given up has removed entry and lease, or neither.
pub async fn a_remove_that_is_given_up_is_whole_or_nothing(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let cache = &bench.cache;
    let prepare = async |k: Key| cache.put(&k, "old").await;
    let verify = async |k: Key, (): &()| {
        if let Some(found) = cache.read(&k).await {
            assert_eq!(found, "old");
        }
        cache.remove(&k).await;
        assert_eq!(cache.read(&k).await, None);
    };
    let remove = async |k: Key, (): &()| cache.0.remove(&k).await;
    at_every_await(&bench, "remove", prepare, remove, verify).await;
    let remove_many = async |k: Key, (): &()| cache.0.remove_many(&[k, key("other")]).await;
    at_every_await(&bench, "remove_many", prepare, remove_many, verify).await;
}

/// A lease that nobody heard of is held by nobody or by that nobody; it never has two holders.
pub async fn a_lease_that_is_given_up_has_one_holder_at_most(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let cache = &bench.cache;
    let prepare = async |_: Key| ();
    let call = async |k: Key, (): &()| cache.0.lease(&k, LeaseRequest::new(LONG)).await;
    at_every_await(&bench, "lease", prepare, call, async |k, (): &()| {
        match cache.lease(&k).await {
            LeaseOutcome::Found(_) => panic!("a lease stored an entry"),
            LeaseOutcome::Held => {
                // An invalidation frees the key from a holder who knows nothing of it.
                cache.remove(&k).await;
                cache.win(&k).await;
            }
            LeaseOutcome::Won(_) => {
                assert_eq!(cache.lease(&k).await, LeaseOutcome::Held);
            }
        }
    })
    .await;
}

/// A fill that is given up is stored and has ended the lease, or neither; so are renew and
/// release.
pub async fn a_fill_that_is_given_up_is_whole_or_nothing(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let cache = &bench.cache;
    let value = super::entries::pattern(bench.fitting(50_000));
    let prepare = async |k: Key| cache.win(&k).await;
    let call = async |k: Key, lease: &_| cache.0.fill(&k, lease, value.clone(), ttl(LONG)).await;
    at_every_await(&bench, "fill", prepare, call, async |k: Key, lease: &_| {
        // Where the fill is still on its way to a server, it may arrive between these calls;
        // whichever fill comes second is refused.
        let again = cache.fill(&k, lease, value.clone()).await;
        let found = cache.read(&k).await;
        Handle::expect(found, value.clone(), "stored by one of two fills");
        let third = cache.fill(&k, lease, "third").await;
        assert_eq!(third, FillOutcome::Refused, "the second said {again:?}");
    })
    .await;

    let verify = async |k: Key, _: &_| {
        assert_eq!(cache.read(&k).await, None);
        cache.remove(&k).await;
        cache.win(&k).await;
    };
    let renew = async |k: Key, lease: &_| cache.0.renew(&k, lease, LONG).await;
    at_every_await(&bench, "renew", prepare, renew, verify).await;
    let release = async |k: Key, lease: &_| cache.0.release(&k, lease).await;
    at_every_await(&bench, "release", prepare, release, verify).await;
}

/// A bump that is given up has changed a tag or has not; the tag has one generation either way.
pub async fn a_bump_that_is_given_up_leaves_one_generation(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let cache = &bench.cache;
    let tags_of = |k: &Key| ["one", "two"].map(|tag| Tag::named(&format!("{tag} {}", k.visible())));
    let prepare = async |k: Key| cache.generations(&tags_of(&k)).await;
    let verify = async |k: Key, _: &Vec<_>| {
        let tags = tags_of(&k);
        // What was given up may still arrive once for each tag, and then not again.
        for _ in 0..=tags.len() {
            let bumped = cache.bump(&tags).await;
            if cache.generations(&tags).await == bumped {
                return;
            }
        }
        panic!("a bump does not last");
    };
    let bump = async |k: Key, _: &Vec<_>| cache.0.bump(&tags_of(&k)).await;
    at_every_await(&bench, "bump", prepare, bump, verify).await;
    let nothing = async |_: Key| Vec::new();
    let generations = async |k: Key, _: &Vec<_>| cache.0.generations(&tags_of(&k)).await;
    at_every_await(&bench, "generations", nothing, generations, verify).await;
}

/// The optional verbs, where the backend has them: whole or nothing.
pub async fn optional_verbs_that_are_given_up_are_whole_or_nothing(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let cache = &bench.cache;
    if bench.capability.add {
        let value = super::entries::pattern(bench.fitting(50_000));
        let call = async |k: Key, (): &()| cache.0.add(&k, value.clone(), ttl(LONG)).await;
        at_every_await(
            &bench,
            "add",
            async |_: Key| (),
            call,
            async |k: Key, (): &()| {
                let found = cache.read(&k).await;
                assert!(found.is_none() || found.as_ref() == Some(&value));
            },
        )
        .await;
    }
    if bench.capability.touch {
        let prepare = async |k: Key| cache.put(&k, "old").await;
        let call = async |k: Key, (): &()| cache.0.touch(&k, ttl(2 * LONG)).await;
        at_every_await(&bench, "touch", prepare, call, async |k: Key, (): &()| {
            Handle::expect(cache.read(&k).await, "old", "after the interrupted touch");
        })
        .await;
    }
}

fn visible(key: &Key) -> Bytes {
    key.visible().to_string().into()
}
