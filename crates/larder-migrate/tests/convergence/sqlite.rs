//! SQLite: pairs of schemas, rows that survive, random schemas.

mod lossless;
mod measured;
mod pairs;
mod random;

use larder_model::{Plan, Scope, Undo};

use crate::harness::{Pair, Rows, Scratch, converge, converge_with_rows};

const MEMORY: &str = "sqlite::memory:";

async fn scratch(sql: &str) -> Scratch {
    let mut scratch = Scratch::open(MEMORY).await;
    scratch.load(sql).await;
    scratch
}

async fn check(pair: &Pair) {
    converge(pair, &mut scratch("").await, &mut scratch("").await).await;
}

async fn check_rows(pair: &Pair, rows: &Rows) {
    converge_with_rows(pair, rows, &mut scratch("").await, &mut scratch("").await).await;
}

/// The plan from one schema to another, and the schema that it starts from.
async fn plan(current: &str, desired: &str) -> (Scratch, Plan) {
    let mut current = scratch(current).await;
    let before = current.look().await;
    let wanted = scratch(desired).await.look().await;
    let plan = Plan::between(current.session.dialect(), &Scope::Exact, &before, &wanted);
    (current, plan)
}

/// A plan that can be taken back leaves what was there before it.
async fn check_undo(pair: &Pair) {
    let (mut current, plan) = plan(pair.current, pair.desired).await;
    if plan.steps.iter().all(|step| step.undo != Undo::Irreversible) {
        let before = current.look().await;
        current.apply(&plan).await;
        current.undo(&plan).await;
        let after = current.look().await;
        assert_eq!(before.fingerprint(), after.fingerprint(), "{}: {plan:#?}", pair.name);
    }
}

#[tokio::test]
async fn every_pair_converges_in_both_directions() {
    for pair in pairs::PAIRS {
        let back = Pair { current: pair.desired, desired: pair.current, ..*pair };
        for pair in [pair, &back] {
            check(pair).await;
            check_undo(pair).await;
        }
    }
}

#[test]
fn pairs_have_names_of_their_own() {
    let mut names: Vec<_> = pairs::PAIRS.iter().map(|pair| pair.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), pairs::PAIRS.len());
    assert!(names.len() >= 50, "{}", names.len());
}
