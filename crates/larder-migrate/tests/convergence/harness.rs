//! Loads two schemas into scratch databases, has a plan lead from one to the other, and looks
//! whether it did.

use std::fmt::Write as _;

use larder_migrate::{Connector, Session, Target, UrlConnector, introspect};
use larder_model::{Catalog, Class, Plan, Scope};

/// A pair of schemas: what is there, and what should be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pair {
    pub(crate) name: &'static str,
    /// Statements that make the schema as it is; empty for none.
    pub(crate) current: &'static str,
    /// Statements that make the schema as it should be.
    pub(crate) desired: &'static str,
}

/// A scratch database, dropped by the database's own part of the harness.
pub(crate) struct Scratch {
    pub(crate) session: Box<dyn Session>,
    pub(crate) target: Target,
}

impl Scratch {
    pub(crate) async fn open(url: &str) -> Self {
        let session = UrlConnector::new(url).connect().await.unwrap();
        Self { session, target: Target::Schema(None) }
    }

    pub(crate) async fn load(&mut self, sql: &str) {
        if !sql.trim().is_empty() {
            self.session.run(sql).await.unwrap_or_else(|error| panic!("{error:?}\n{sql}"));
        }
    }

    pub(crate) async fn look(&mut self) -> Catalog {
        introspect(&mut *self.session, &self.target).await.unwrap()
    }

    /// Runs every statement of a plan, in transactions where they admit it.
    pub(crate) async fn apply(&mut self, plan: &Plan) {
        for step in &plan.steps {
            assert!(step.class < Class::Ambiguous, "{step:#?}");
            for sql in &step.statements {
                let ran = self.session.run(sql).await;
                ran.unwrap_or_else(|error| panic!("{error:?}\n{sql}\n{plan:#?}"));
            }
        }
    }
}

/// Has a plan lead from `current` to `desired`; panics with both schemas if it does not.
pub(crate) async fn converge(pair: &Pair, current: &mut Scratch, desired: &mut Scratch) {
    current.load(pair.current).await;
    desired.load(pair.desired).await;
    let wanted = desired.look().await;
    let before = current.look().await;
    let dialect = current.session.dialect();
    let plan = Plan::between(dialect, &Scope::Exact, &before, &wanted);
    current.apply(&plan).await;
    let after = current.look().await;
    let left = Plan::between(dialect, &Scope::Exact, &after, &wanted);
    let mut report = String::new();
    if !left.is_empty() {
        let _ = writeln!(report, "left to do: {left:#?}");
    }
    if after.fingerprint() != wanted.fingerprint() {
        let _ = writeln!(report, "is: {after:#?}\nshould be: {wanted:#?}");
    }
    assert!(report.is_empty(), "{}: {report}\nplan: {plan:#?}", pair.name);
}
