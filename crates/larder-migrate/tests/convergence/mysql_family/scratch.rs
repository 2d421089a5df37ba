//! What a pair goes through.

use larder_migrate::normalise;
use larder_model::{Catalog, Lowered, Plan, Scope, TableKind, Undo};

use super::databases::{open, with_databases};
use crate::harness::{Pair, Scratch, converge};

/// Has a plan lead from one schema to another, and back if `both`.
pub(crate) async fn check(
    variable: &'static str,
    name: &'static str,
    from: &'static str,
    to: &'static str,
    both: bool,
) {
    let directions = if both { vec![(from, to), (to, from)] } else { vec![(from, to)] };
    for (current, desired) in directions {
        with_databases(variable, async move |[one, other]: [String; 2]| {
            let pair = Pair { name, current, desired };
            let mut current = Scratch::open(&one).await;
            let mut desired = Scratch::open(&other).await;
            converge(&pair, &mut current, &mut desired).await;
            recreate(&mut desired, &one).await;
        })
        .await;
        with_databases(variable, async move |[one, other]: [String; 2]| {
            let mut scratch = Scratch::open(&one).await;
            scratch.load(current).await;
            let mut wanted = Scratch::open(&other).await;
            wanted.load(desired).await;
            take_back(&mut scratch, &wanted.look().await).await;
        })
        .await;
    }
}

/// What a plan did can be taken back, step by step from its end, as far as the steps say so.
async fn take_back(scratch: &mut Scratch, wanted: &Catalog) {
    let mut before = scratch.look().await;
    let plan = Plan::between(scratch.session.dialect(), &Scope::Exact, &before, wanted);
    let mut done = Vec::new();
    for step in &plan.steps {
        let Undo::Statements(undo) = &step.undo else {
            break;
        };
        scratch.apply(&Plan { steps: vec![step.clone()], ..plan.clone() }).await;
        done.push((step, undo));
    }
    for (step, undo) in done.into_iter().rev() {
        for sql in undo {
            let ran = scratch.session.run(sql).await;
            ran.unwrap_or_else(|error| panic!("{error:?}\n{sql}\n{step:#?}"));
        }
    }
    let mut after = scratch.look().await;
    for catalog in [&mut before, &mut after] {
        catalog.tables.iter_mut().for_each(|table| table.columns.sort_by_key(|of| of.name.clone()));
    }
    assert_eq!(after.fingerprint(), before.fingerprint(), "{after:#?} {before:#?} {plan:#?}");
}

/// What a description is, a table made from it is as well, and so is a temporary one: nothing of
/// it was lost.
async fn recreate(desired: &mut Scratch, scratch: &str) {
    let wanted = desired.look().await;
    let mut session = open(scratch).await;
    let models: Vec<_> = wanted
        .tables
        .iter()
        .filter(|table| table.kind == TableKind::Table && table.opaque.is_none())
        .map(|table| Lowered { enums: Vec::new(), table: table.clone() })
        .collect();
    let expected = Catalog {
        enums: Vec::new(),
        tables: models.iter().map(|model| model.table.clone()).collect(),
    };
    let found = normalise(&mut *session, models).await.unwrap();
    assert_eq!(without_names(found), without_names(expected));
}

/// Names of checks that the server made up are others in another table.
fn without_names(mut catalog: Catalog) -> Catalog {
    for table in &mut catalog.tables {
        for check in &mut table.checks {
            check.name = None;
        }
        table.checks.sort_by(|one, other| one.expression.cmp(&other.expression));
    }
    catalog
}
