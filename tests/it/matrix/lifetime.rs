//! How long an answer lives, and how often the database is asked for it.

use std::{sync::Arc, time::Duration};

use larder::{Larder, Source};
use larder_cache::Tier;

use super::tables::airports;
use crate::support::{Bench, TIERS, Tiers, eventually};

const NAME: &str = "SELECT name FROM airline WHERE id = 1";
const RENAME: &str = "UPDATE airline SET name = 'Kranich' WHERE id = 1";
const RENAME_BACK: &str = "UPDATE airline SET name = 'Lufthansa' WHERE id = 1";

async fn name(larder: &Larder) -> (String, Source) {
    let found = larder.query(NAME).fetch_scalar::<String>().await.unwrap();
    (found.to_string(), found.source())
}

pub(super) async fn refresh_and_invalidate(bench: Arc<Bench>) {
    airports(&bench).await;
    for tiers in TIERS {
        let larder = bench.process(tiers).await;
        let reader = bench.second_process(Tiers::Far).await;
        assert_eq!(name(&larder).await, ("Lufthansa".to_owned(), Source::Miss));
        bench.behind_its_back(&[RENAME]).await;
        let (stale, source) = name(&larder).await;
        assert_eq!((stale.as_str(), source.is_hit()), ("Lufthansa", true), "nobody told it");

        let fresh = larder.query(NAME).force_refresh().fetch_scalar::<String>().await.unwrap();
        assert_eq!((fresh.as_str(), fresh.source()), ("Kranich", Source::Refresh));
        assert_eq!(name(&reader).await, ("Kranich".to_owned(), Source::Hit(Tier::Far)));
        assert!(name(&larder).await.1.is_hit());

        bench.behind_its_back(&[RENAME_BACK]).await;
        larder.invalidate_table("airline").await.unwrap().applied().unwrap();
        assert_eq!(name(&reader).await, ("Lufthansa".to_owned(), Source::Miss));
        assert_eq!(name(&larder).await.0, "Lufthansa");

        let rows = || larder.query(NAME).tag("front page");
        rows().fetch_all().await.unwrap();
        assert!(rows().fetch_all().await.unwrap().source().is_hit());
        rows().invalidate().await.unwrap().applied().unwrap();
        assert_eq!(rows().fetch_all().await.unwrap().source(), Source::Miss);
        assert!(rows().fetch_all().await.unwrap().source().is_hit());
        larder.invalidate_tag("front page").await.applied().unwrap();
        assert_eq!(rows().fetch_all().await.unwrap().source(), Source::Miss);
        larder.clear().await.applied().unwrap();
        assert_eq!(rows().fetch_all().await.unwrap().source(), Source::Miss);
    }
}

pub(super) async fn an_answer_expires(bench: Arc<Bench>) {
    airports(&bench).await;
    for tiers in TIERS {
        let larder = bench.process(tiers).await;
        let brief = || larder.query(NAME).ttl(Duration::from_secs(2)).fetch_scalar::<String>();
        let long =
            || larder.query("SELECT name FROM airline WHERE id = 1 ").fetch_scalar::<String>();
        assert_eq!(*brief().await.unwrap(), "Lufthansa");
        assert_eq!(*long().await.unwrap(), "Lufthansa");
        bench.behind_its_back(&[RENAME]).await;
        eventually("the brief answer expires", async || *brief().await.unwrap() == "Kranich").await;
        let kept = long().await.unwrap();
        assert_eq!((kept.as_str(), kept.source().is_hit()), ("Lufthansa", true), "{tiers:?}");
        bench.behind_its_back(&[RENAME_BACK]).await;
    }
}

pub(super) async fn fifty_tasks_load_once(bench: Arc<Bench>) {
    airports(&bench).await;
    for tiers in TIERS {
        // Two processes: one flight in each, and one lease between them.
        let processes = [bench.process(tiers).await, bench.second_process(tiers).await];
        let tasks: Vec<_> = (0..50)
            .map(|task| {
                let larder = processes[task % 2].clone();
                tokio::spawn(async move { name(&larder).await.0 })
            })
            .collect();
        for task in tasks {
            assert_eq!(task.await.unwrap(), "Lufthansa");
        }
        let loads = processes.iter().map(|larder| larder.stats().keyspaces["airline"].loads);
        assert_eq!(loads.sum::<u64>(), 1, "{tiers:?}");
    }
}
