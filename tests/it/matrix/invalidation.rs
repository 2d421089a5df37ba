//! What was written is seen: by the writer, by another process, behind views, at the commit.

use std::sync::Arc;

use larder::{Larder, Source};
use larder_cache::Tier;

use super::tables::airports;
use crate::support::{Bench, TIERS, Tiers, eventually};

const NAME: &str = "SELECT name FROM airline WHERE id = 1";
const COUNT: &str = "SELECT count(*) FROM airline";
const SEATS: &str = "SELECT sum(seats) AS n FROM large_flight";

async fn name(larder: &Larder) -> (String, Source) {
    let found = larder.query(NAME).fetch_scalar::<String>().await.unwrap();
    (found.to_string(), found.source())
}

async fn count(larder: &Larder) -> (i64, Source) {
    let found = larder.query(COUNT).fetch_scalar::<i64>().await.unwrap();
    (*found, found.source())
}

async fn rename(bench: &Bench, larder: &Larder, name: &str) {
    let sql = bench.engine.sql("UPDATE airline SET name = ? WHERE id = 1");
    assert_eq!(larder.execute(&sql).bind(name).run().await.unwrap().applied().unwrap(), 1);
}

pub(super) async fn a_write_is_seen_by_another_process_at_once(bench: Arc<Bench>) {
    airports(&bench).await;
    for tiers in TIERS {
        let writer = bench.process(tiers).await;
        let reader = bench.second_process(Tiers::Far).await;
        let known = count(&reader).await.0;
        assert_eq!(count(&reader).await, (known, Source::Hit(Tier::Far)));
        name(&reader).await;
        let other = "SELECT count(*) FROM flight";
        bench.miss_and_hit(&reader, other).await;

        for new in ["Kranich", "Lufthansa"] {
            rename(&bench, &writer, new).await;
            assert_eq!(name(&reader).await, (new.to_owned(), Source::Miss));
            assert_eq!(name(&writer).await.0, new);
            assert_eq!(name(&reader).await, (new.to_owned(), Source::Hit(Tier::Far)));
        }
        let insert = bench.engine.sql("INSERT INTO airline VALUES (?, ?)");
        let insert = writer.execute(&insert).bind(9_i32).bind("New").run().await.unwrap();
        assert_eq!(insert.applied().unwrap(), 1);
        assert_eq!(count(&reader).await, (known + 1, Source::Miss));
        assert_eq!(count(&reader).await, (known + 1, Source::Hit(Tier::Far)));
        let delete = writer.execute("DELETE FROM airline WHERE id = 9").run().await.unwrap();
        assert_eq!(delete.applied().unwrap(), 1);
        assert_eq!(count(&reader).await, (known, Source::Miss));
        assert_eq!(count(&writer).await.0, known);

        let flights = reader.query(other).fetch_all().await.unwrap();
        assert!(flights.source().is_hit(), "nobody wrote to another table");
    }
}

pub(super) async fn a_near_tier_elsewhere_follows_within_its_bound(bench: Arc<Bench>) {
    airports(&bench).await;
    let writer = bench.process(Tiers::NearAndFar).await;
    let reader = bench.second_process(Tiers::NearAndFar).await;
    assert_eq!(name(&reader).await.0, "Lufthansa");
    for new in ["Kranich", "Lufthansa", "Kranich"] {
        rename(&bench, &writer, new).await;
        assert_eq!(name(&writer).await.0, new, "the writer reads its own write");
        eventually("the other near tier notices", async || name(&reader).await.0 == new).await;
        assert_eq!(name(&reader).await.0, new, "and does not go back");
    }
}

pub(super) async fn a_rollback_invalidates_nothing_and_a_commit_does(bench: Arc<Bench>) {
    airports(&bench).await;
    let update = "UPDATE airline SET name = 'Kranich' WHERE id = 1";
    let back = "UPDATE airline SET name = 'Lufthansa' WHERE id = 1";
    for tiers in TIERS {
        let larder = bench.process(tiers).await;
        let reader = bench.second_process(Tiers::Far).await;
        assert_eq!(name(&larder).await, ("Lufthansa".to_owned(), Source::Miss));

        let mut tx = larder.begin().await.unwrap();
        assert_eq!(tx.execute(update).run().await.unwrap().rows_affected, 1);
        let inside = tx.query(NAME).fetch_one().await.unwrap();
        assert_eq!(inside.get::<String>(0).unwrap(), "Kranich", "its own write");
        assert_eq!(name(&reader).await, ("Lufthansa".to_owned(), Source::Hit(Tier::Far)));
        tx.rollback().await.unwrap();
        let (kept, source) = name(&larder).await;
        assert_eq!((kept.as_str(), source.is_hit()), ("Lufthansa", true), "{tiers:?}");

        let mut tx = larder.begin().await.unwrap();
        tx.execute(update).run().await.unwrap();
        drop(tx);
        assert!(name(&larder).await.1.is_hit(), "dropped is rolled back");

        let mut tx = larder.begin().await.unwrap();
        tx.execute(update).run().await.unwrap();
        tx.commit().await.unwrap().applied().unwrap();
        assert_eq!(name(&reader).await, ("Kranich".to_owned(), Source::Miss));
        assert_eq!(name(&larder).await.0, "Kranich");
        larder.execute(back).run().await.unwrap().applied().unwrap();
    }
}

pub(super) async fn what_is_behind_a_view_invalidates_it(bench: Arc<Bench>) {
    airports(&bench).await;
    for tiers in TIERS {
        let larder = bench.process(tiers).await;
        bench.miss_and_hit(&larder, SEATS).await;
        let update = "UPDATE flight SET seats = seats + 1 WHERE id = 1";
        larder.execute(update).run().await.unwrap().applied().unwrap();
        bench.miss_and_hit(&larder, SEATS).await;
    }
}
