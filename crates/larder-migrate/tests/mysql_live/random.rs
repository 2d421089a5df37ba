//! Random models.

use larder_migrate::{Session, Target, introspect, normalise};
use larder_model::{Catalog, Class, Plan, Scope, TableModel, testing};
use proptest::{
    strategy::{Strategy, ValueTree as _},
    test_runner::{Config, TestRunner},
};

use crate::{
    databases::{open, with_databases},
    on_both,
};

on_both!(any_model_is_described_as_it_was_normalised, any_pair_of_models_converges);

const CASES: u32 = 24;

fn samples<S: Strategy>(strategy: &S) -> Vec<S::Value> {
    let mut runner = TestRunner::new(Config::default());
    (0..CASES).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}

async fn desired(session: &mut dyn Session, model: &TableModel) -> Catalog {
    let lowered = session.dialect().lower(model, None);
    let lowered = lowered.unwrap_or_else(|error| panic!("{error:?} {model:#?}"));
    let normal = normalise(session, vec![lowered]).await;
    normal.unwrap_or_else(|error| panic!("{error:?} {model:#?}"))
}

async fn look(session: &mut dyn Session) -> Catalog {
    introspect(session, &Target::Schema(None)).await.unwrap()
}

async fn apply(session: &mut dyn Session, plan: &Plan) {
    for step in &plan.steps {
        assert!(step.class < Class::Ambiguous, "{step:#?}");
        if let Some(probe) = &step.probe {
            let asked = session.fetch(&probe.sql, &[]).await;
            asked.unwrap_or_else(|error| panic!("{error:?} {step:#?}"));
        }
    }
    for sql in plan.statements() {
        session.run(sql).await.unwrap_or_else(|error| panic!("{error:?}\n{sql}\n{plan:#?}"));
    }
}

async fn drop_all(session: &mut dyn Session, catalog: &Catalog) {
    for table in &catalog.tables {
        let sql = format!("DROP TABLE {}", session.dialect().quoted_table(&table.name));
        session.run(&sql).await.unwrap();
    }
}

async fn any_model_is_described_as_it_was_normalised(variable: &str) {
    with_databases(variable, async |[url]: [String; 1]| {
        let mut session = open(&url).await;
        let dialect = session.dialect();
        for model in samples(&testing::table_model(dialect)) {
            let desired = desired(&mut *session, &model).await;
            let empty = Catalog::default();
            let plan = Plan::between(dialect, &Scope::managed(), &empty, &desired);
            apply(&mut *session, &plan).await;
            let found = look(&mut *session).await;
            assert_eq!(found.fingerprint(), desired.fingerprint(), "{found:#?} {desired:#?}");
            drop_all(&mut *session, &found).await;
        }
    })
    .await;
}

async fn any_pair_of_models_converges(variable: &str) {
    with_databases(variable, async |[url]: [String; 1]| {
        let mut session = open(&url).await;
        let dialect = session.dialect();
        for (one, other) in samples(&testing::pair(dialect)) {
            for model in [&one, &other] {
                let desired = desired(&mut *session, model).await;
                let found = look(&mut *session).await;
                let plan = Plan::between(dialect, &Scope::Exact, &found, &desired);
                apply(&mut *session, &plan).await;
                let found = look(&mut *session).await;
                let left = Plan::between(dialect, &Scope::Exact, &found, &desired);
                assert!(left.is_empty(), "{left:#?} after {plan:#?}");
                assert_eq!(found.fingerprint(), desired.fingerprint());
            }
            let found = look(&mut *session).await;
            drop_all(&mut *session, &found).await;
        }
    })
    .await;
}
