//! Pairs of schemas on PostgreSQL.

#[path = "../postgres_live/databases.rs"]
mod databases;
mod pairs;
mod random;

use databases::with_databases;

use crate::harness::{Pair, Scratch, converge};

/// Empties a database but for PostgreSQL's own, and makes `public` anew.
const RESET: &str = "
    DO $$ DECLARE name text; BEGIN
      FOR name IN SELECT nspname FROM pg_namespace
        WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
      LOOP EXECUTE format('DROP SCHEMA %I CASCADE', name); END LOOP;
    END $$;
    CREATE SCHEMA public";

async fn scratch(url: &str) -> Scratch {
    let mut scratch = Scratch::open(url).await;
    scratch.load(RESET).await;
    scratch
}

/// Has every pair converge, in both directions, and says which did not.
async fn all_converge(pairs: &'static [Pair]) {
    with_databases(|[one, other]: [String; 2]| async move {
        let mut failed = Vec::new();
        for pair in pairs {
            let (one, other) = (one.clone(), other.clone());
            let done = tokio::spawn(async move {
                converge(pair, &mut scratch(&one).await, &mut scratch(&other).await).await;
            });
            if done.await.is_err() {
                failed.push(pair.name);
            }
        }
        assert!(failed.is_empty(), "{} of {}: {failed:#?}", failed.len(), pairs.len());
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn columns_and_types_converge() {
    all_converge(pairs::COLUMNS).await;
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn defaults_numbers_and_computed_columns_converge() {
    all_converge(pairs::VALUES).await;
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn indexes_converge() {
    all_converge(pairs::INDEXES).await;
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn keys_references_and_checks_converge() {
    all_converge(pairs::CONSTRAINTS).await;
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn enumerated_types_converge() {
    all_converge(pairs::ENUMS).await;
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn tables_and_names_converge() {
    all_converge(pairs::TABLES).await;
}
