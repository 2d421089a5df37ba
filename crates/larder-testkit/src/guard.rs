//! Compares what a backend claims with what is tested and with what it does.
//!
//! A claim that no group checks is not a claim, and a group that runs without its claim says that
//! the claim was forgotten.

use larder_core::{Capability, ErrorKind, FillOutcome, Tag};

use crate::{
    Fixture,
    bench::{Bench, Handle, LONG, key, refused, ttl},
    cases,
    runner::block_on,
};

/// The groups that run whatever a backend claims.
const ALWAYS: [&str; 2] = ["core", "ttl"];

/// Compares the groups that run with the backend's [`Capability`], and checks that it refuses
/// what it does not claim.
///
/// # Panics
/// If they differ, in either direction.
pub fn run_guard<F: Fixture>(groups: &[&str]) {
    block_on(async {
        let fixture = F::create().await;
        let bench = Bench::open(&fixture).await;
        compare(&bench.capability, groups);
        if !bench.capability.add {
            add_is_unsupported(&bench).await;
        }
        if !bench.capability.touch {
            touch_is_unsupported(&bench).await;
        }
        if !bench.capability.clear {
            clear_is_unsupported(&bench).await;
        }
        if !bench.capability.watch {
            let result = bench.cache.0.watch(bench.clock()).await;
            refused(result.map(|_| "a feed"), ErrorKind::Unsupported, "watch");
        }
        if !bench.capability.batch {
            drop(bench);
            batch_works_without_the_claim::<F>().await;
        }
    });
}

fn compare(capability: &Capability, groups: &[&str]) {
    let claims = [
        ("add", capability.add),
        ("batch", capability.batch),
        ("clear", capability.clear),
        ("persistent", capability.persistent),
        ("shared", capability.shared),
        ("touch", capability.touch),
        ("watch", capability.watch),
    ];
    for group in groups {
        assert!(cases::GROUPS.contains(group), "there is no group `{group}`");
    }
    for group in ALWAYS {
        assert!(groups.contains(&group), "the group `{group}` must run");
    }
    for (group, claimed) in claims {
        let runs = groups.contains(&group);
        assert!(!claimed || runs, "the backend claims `{group}`, but the group does not run");
        assert!(claimed || !runs, "the group `{group}` runs, but the backend does not claim it");
    }
    assert!(capability.value_bytes_max != Some(0), "a backend that takes no value is none");
}

async fn add_is_unsupported(bench: &Bench<'_>) {
    let (cache, there, absent) = (&bench.cache, key("there"), key("absent"));
    cache.put(&there, "stays").await;
    for k in [&there, &absent] {
        let result = cache.0.add(k, "added".into(), ttl(LONG)).await;
        refused(result, ErrorKind::Unsupported, "add");
    }
    Handle::expect(cache.read(&there).await, "stays", "after a refused add");
    assert_eq!(cache.read(&absent).await, None, "after a refused add");
}

async fn touch_is_unsupported(bench: &Bench<'_>) {
    let (cache, there, absent) = (&bench.cache, key("there"), key("absent"));
    cache.put(&there, "stays").await;
    for k in [&there, &absent] {
        let result = cache.0.touch(k, ttl(LONG)).await;
        refused(result, ErrorKind::Unsupported, "touch");
    }
    Handle::expect(cache.read(&there).await, "stays", "after a refused touch");
}

async fn clear_is_unsupported(bench: &Bench<'_>) {
    let (cache, k, leased) = (&bench.cache, key("stays"), key("leased"));
    cache.put(&k, "stays").await;
    let lease = cache.win(&leased).await;
    refused(cache.0.clear().await, ErrorKind::Unsupported, "clear");
    Handle::expect(cache.read(&k).await, "stays", "after a refused clear");
    let outcome = cache.fill(&leased, &lease, "loaded").await;
    assert_eq!(outcome, FillOutcome::Stored, "after a refused clear");
}

/// Without the claim `read_many` and `remove_many` are slower, not absent.
async fn batch_works_without_the_claim<F: Fixture>() {
    for case in cases::group("batch") {
        let fixture = F::create().await;
        (case.run)(&fixture).await;
    }
}

/// Checks that two stores of one fixture type share nothing: neither entries nor leases, nor
/// generations, nor a `clear`.
///
/// # Panics
/// If they do.
pub fn run_isolation<F: Fixture>() {
    block_on(async {
        let (one, other) = (F::create().await, F::create().await);
        let (one, other) = (Bench::open(&one).await, Bench::open(&other).await);
        let (k, leased, tags) = (key("k"), key("leased"), [Tag::named("t")]);

        one.cache.put(&k, "one's").await;
        assert_eq!(other.cache.read(&k).await, None, "an entry is shared");
        other.cache.put(&k, "other's").await;
        Handle::expect(one.cache.read(&k).await, "one's", "overwritten");
        other.cache.win(&leased).await;
        let lease = one.cache.win(&leased).await;

        let stamps = one.cache.generations(&tags).await;
        assert_eq!(other.cache.stamps(&tags).await, [None], "a tag is shared");
        other.cache.bump(&tags).await;
        assert_eq!(one.cache.generations(&tags).await, stamps, "a tag is shared");

        other.cache.remove(&k).await;
        other.cache.remove(&leased).await;
        if other.capability.clear {
            other.cache.clear().await;
        }
        Handle::expect(one.cache.read(&k).await, "one's", "removed elsewhere");
        let outcome = one.cache.fill(&leased, &lease, "loaded").await;
        assert_eq!(outcome, FillOutcome::Stored, "ended elsewhere");
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passes(capability: Capability, groups: &[&str]) -> bool {
        std::panic::catch_unwind(|| compare(&capability, groups)).is_ok()
    }

    #[test]
    fn claims_and_groups_must_agree_in_both_directions() {
        let mut capability = Capability::protocol_only();
        assert!(passes(capability, &["core", "ttl"]));
        assert!(!passes(capability, &["core"]), "ttl is not optional");
        assert!(!passes(capability, &["core", "ttl", "add"]), "not claimed");
        capability.add = true;
        assert!(passes(capability, &["add", "core", "ttl"]));
        assert!(!passes(capability, &["core", "ttl"]), "claimed, not run");
        assert!(!passes(capability, &["add", "core", "ttl", "ad"]), "no such");
    }
}
