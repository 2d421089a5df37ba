//! Generations are created once, change with every bump, and never return.

use std::collections::HashSet;

use larder_core::{Generation, Stamp, Tag};

use crate::{
    Fixture,
    bench::{Bench, key},
    hostile_names,
    race::{both, race},
};

/// Reading does not create: a tag without a generation stays without one.
pub async fn reading_creates_no_generation(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let tags = [Tag::named("a"), Tag::named("b")];
    for _ in 0..2 {
        assert_eq!(bench.cache.stamps(&tags).await, [None, None]);
    }
}

/// A missing generation is created, and then it is the generation.
pub async fn a_missing_generation_is_created_once(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let (cache, tags) = (&bench.cache, [Tag::named("a"), Tag::named("b")]);
    let created = cache.generations(&tags).await;
    assert_ne!(created[0].generation, created[1].generation);
    assert_eq!(cache.generations(&tags).await, created);
    assert_eq!(cache.stamps(&tags).await, some(&created));

    let third = [tags[0], Tag::named("c"), tags[1]];
    let mixed = cache.generations(&third).await;
    assert_eq!([mixed[0], mixed[2]], created[..], "the known ones stay");
    assert_ne!(mixed[1].generation, created[0].generation);
}

/// Of many that find a tag missing, all get the generation of the one that came first.
pub async fn concurrent_creations_agree(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    for round in 0..8 {
        let tags = [Tag::named(&format!("round {round}")), Tag::named("common")];
        let handles = vec![bench.cache.clone()];
        let stamps = race(&handles, |cache| async move { cache.generations(&tags).await }).await;
        agree(&stamps);
        assert_eq!(bench.cache.stamps(&tags).await, some(&stamps[0]));
    }
}

#[track_caller]
pub(crate) fn agree(stamps: &[Vec<Stamp>]) {
    assert!(
        stamps.windows(2).all(|pair| pair[0] == pair[1]),
        "one tag has two generations at once: {stamps:?}"
    );
}

/// A bump gives a new generation to a tag that had one and to a tag that had none.
pub async fn a_bump_always_changes_the_generation(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let (cache, tags) = (&bench.cache, [Tag::named("known"), Tag::named("missing")]);
    let known = cache.generations(&tags[..1]).await[0];
    let bumped = cache.bump(&tags).await;
    assert_eq!(bumped.len(), 2);
    assert_ne!(bumped[0].generation, known.generation);
    assert_eq!(cache.stamps(&tags).await, some(&bumped));
    assert_eq!(cache.generations(&tags).await, bumped, "not created again");
}

/// A bump of one tag is no bump of another.
pub async fn a_bump_leaves_other_tags_alone(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let names: Vec<_> = hostile_names().iter().map(|name| Tag::named(name)).collect();
    let before = generations_of_many(&bench, &names).await;
    let distinct: HashSet<_> = before.iter().map(|stamp| stamp.generation).collect();
    assert_eq!(distinct.len(), names.len(), "two tags share a generation");

    for (i, tag) in names.iter().enumerate().step_by(2) {
        let bumped = bench.cache.bump(&[*tag]).await;
        assert_ne!(bumped, [before[i]], "tag {i} was bumped");
    }
    let after = generations_of_many(&bench, &names).await;
    for i in 0..names.len() {
        assert_eq!(after[i] == before[i], i % 2 == 1, "tag {i}");
    }
}

/// Tags of all kinds with one name, and tags that differ in one bit, are different tags.
pub async fn tags_that_look_alike_are_distinct(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let mut tags = vec![
        Tag::named("db"),
        Tag::database("db"),
        Tag::table("db", ""),
        Tag::table("", "db"),
        Tag::table("d", "b"),
        Tag::from_bytes([0; 16]),
        Tag::from_bytes([0xff; 16]),
    ];
    for position in 0..16 {
        let mut bytes = [0; 16];
        bytes[position] = 1;
        tags.push(Tag::from_bytes(bytes));
    }
    let stamps = bench.cache.generations(&tags).await;
    let distinct: HashSet<_> = stamps.iter().map(|stamp| stamp.generation).collect();
    assert_eq!(distinct.len(), tags.len());
}

/// No bump returns a generation that any earlier bump returned.
pub async fn generations_never_return(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let tags = [Tag::named("a"), Tag::named("b")];
    let mut seen: HashSet<Generation> = HashSet::new();
    for round in 0..250 {
        for stamp in bench.cache.bump(&tags).await {
            assert!(seen.insert(stamp.generation), "round {round}");
        }
    }
}

/// The order of the answer is that of the question, for as many tags as an entry may carry.
pub async fn sixty_four_tags_are_answered_in_order(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let cache = &bench.cache;
    let named = |i: usize| Tag::named(&format!("tag {i}"));
    let tags: Vec<_> = (0..Tag::MAX_PER_ENTRY).map(named).collect();
    let stamps = cache.bump(&tags).await;
    assert_eq!(stamps.len(), tags.len());
    assert_eq!(cache.stamps(&tags).await, some(&stamps));
    assert_eq!(cache.generations(&tags).await, stamps);

    let backwards: Vec<_> = tags.iter().rev().copied().collect();
    let expected: Vec<_> = stamps.iter().rev().copied().map(Some).collect();
    assert_eq!(cache.stamps(&backwards).await, expected);
    for (tag, stamp) in tags.iter().zip(&stamps) {
        assert_eq!(cache.stamps(&[*tag]).await, [Some(*stamp)]);
    }
}

/// No tags at all is a question with an empty answer.
pub async fn no_tags_are_answered_with_no_stamps(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    assert_eq!(bench.cache.generations(&[]).await, []);
    assert_eq!(bench.cache.bump(&[]).await, []);
    assert_eq!(bench.cache.snapshot(&key("k"), &[]).await.stamps, []);
}

/// A tag that is named twice in one call has one generation, also when it is bumped twice.
pub async fn a_tag_named_twice_has_one_generation(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let (cache, tag) = (&bench.cache, Tag::named("twice"));
    let created = cache.generations(&[tag, tag]).await;
    assert_eq!(created.len(), 2);
    assert_eq!(created[0], created[1]);
    assert_eq!(cache.stamps(&[tag, tag]).await, some(&created));

    let bumped = cache.bump(&[tag, tag]).await;
    assert_eq!(bumped.len(), 2);
    let current = cache.generations(&[tag]).await[0];
    assert_ne!(current, created[0]);
    assert!(bumped.contains(&current), "the bump did not say what is now");
}

/// A creation that found the tag missing does not overwrite the bump that came between.
pub async fn a_creation_that_races_with_a_bump_does_not_undo_it(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    for round in 0..64_usize {
        let tags = [Tag::named(&format!("round {round}"))];
        let (creator, bumper) = (bench.cache.clone(), bench.cache.clone());
        let create = async move { creator.generations(&tags).await };
        let bump = async move { bumper.bump(&tags).await };
        let (_, bumped) = both(round, create, bump).await;
        let current = bench.cache.stamps(&tags).await;
        assert_eq!(current, some(&bumped), "round {round}");
    }
}

/// Of many bumps at once each returns its own generation, and one of them stays.
pub async fn concurrent_bumps_all_change_the_generation(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let tags = [Tag::named("hot")];
    let handles = vec![bench.cache.clone()];
    let bumped = race(&handles, |cache| async move { cache.bump(&tags).await[0] }).await;
    let current = bench.cache.generations(&tags).await[0];
    assert!(bumped.contains(&current), "the tag has another generation");
}

pub(crate) fn some(stamps: &[Stamp]) -> Vec<Option<Stamp>> {
    stamps.iter().copied().map(Some).collect()
}

async fn generations_of_many(bench: &Bench<'_>, tags: &[Tag]) -> Vec<Stamp> {
    let mut stamps = Vec::new();
    for chunk in tags.chunks(Tag::MAX_PER_ENTRY) {
        stamps.extend(bench.cache.generations(chunk).await);
    }
    stamps
}
