//! Loads two schemas into scratch databases, has a plan lead from one to the other, and looks
//! whether it did.

use std::fmt::Write as _;

use larder_migrate::{Connector, Session, Target, UrlConnector, introspect};
use larder_model::{Catalog, Class, Dialect, Plan, Scope, Step, Undo};

use crate::witness;

/// A pair of schemas: what is there, and what should be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pair {
    pub(crate) name: &'static str,
    /// Statements that make the schema as it is; empty for none.
    pub(crate) current: &'static str,
    /// Statements that make the schema as it should be.
    pub(crate) desired: &'static str,
}

/// What must survive a plan.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rows {
    /// Statements that fill the schema as it is.
    pub(crate) insert: &'static str,
    /// A statement whose answer is the same before and after the plan; its columns are texts and
    /// integers.
    pub(crate) ask: &'static str,
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

    /// Runs every statement of a plan; on SQLite as a runner does, in one transaction in which
    /// foreign keys are not enforced, and which ends only if all of them hold.
    pub(crate) async fn apply(&mut self, plan: &Plan) {
        for step in &plan.steps {
            assert!(step.class < Class::Ambiguous, "{step:#?}");
        }
        self.run_all(plan.statements(), &format!("{plan:#?}")).await;
    }

    /// Takes a plan back; panics if a step can not be taken back.
    #[allow(dead_code, reason = "not every database has such a test")]
    pub(crate) async fn undo(&mut self, plan: &Plan) {
        let mut statements = Vec::new();
        for step in plan.steps.iter().rev() {
            match &step.undo {
                Undo::Statements(back) => statements.extend(back.iter().map(String::as_str)),
                Undo::Irreversible => panic!("{step:#?}"),
            }
        }
        self.run_all(statements.into_iter(), &format!("{plan:#?}")).await;
    }

    async fn run_all(&mut self, statements: impl Iterator<Item = &str>, context: &str) {
        let is_sqlite = self.session.dialect() == Dialect::Sqlite;
        if is_sqlite {
            self.session.run("PRAGMA foreign_keys = OFF").await.unwrap();
            self.session.begin().await.unwrap();
        }
        for sql in statements {
            let ran = self.session.run(sql).await;
            ran.unwrap_or_else(|error| panic!("{error:?}\n{sql}\n{context}"));
        }
        if is_sqlite {
            let sql = "SELECT \"table\", rowid, parent FROM pragma_foreign_key_check";
            let broken = self.session.fetch(sql, &[]).await.unwrap();
            assert!(broken.is_empty(), "{broken:?}\n{context}");
            self.session.commit().await.unwrap();
            self.session.run("PRAGMA foreign_keys = ON").await.unwrap();
        }
    }

    /// The number that each probe of a plan answers with.
    #[allow(dead_code, reason = "not every database has such a test")]
    pub(crate) async fn probe(&mut self, plan: &Plan) -> Vec<Option<u64>> {
        let mut answers = Vec::new();
        for step in &plan.steps {
            let Some(probe) = &step.probe else {
                answers.push(None);
                continue;
            };
            let rows = self.session.fetch(&probe.sql, &[]).await;
            let rows = rows.unwrap_or_else(|error| panic!("{error:?}\n{step:#?}"));
            let [row] = rows.as_slice() else { panic!("{rows:?}\n{step:#?}") };
            let count = row[0].as_integer().and_then(|count| u64::try_from(count).ok());
            answers.push(Some(count.unwrap_or_else(|| panic!("{row:?}\n{step:#?}"))));
        }
        answers
    }
}

/// Has a plan lead from `current` to `desired`; panics with both schemas if it does not.
pub(crate) async fn converge(pair: &Pair, current: &mut Scratch, desired: &mut Scratch) {
    converge_with_rows(pair, &Rows::default(), current, desired).await;
}

/// The same with rows: every probe answers 0, and what is asked has one answer before and after.
pub(crate) async fn converge_with_rows(
    pair: &Pair,
    rows: &Rows,
    current: &mut Scratch,
    desired: &mut Scratch,
) {
    current.load(pair.current).await;
    current.load(rows.insert).await;
    desired.load(pair.desired).await;
    let wanted = desired.look().await;
    let before = current.look().await;
    let dialect = current.session.dialect();
    let plan = Plan::between(dialect, &Scope::Exact, &before, &wanted);
    let ask = async |scratch: &mut Scratch| match rows.ask {
        "" => Vec::new(),
        sql => scratch.session.fetch(sql, &[]).await.unwrap(),
    };
    let answer = ask(current).await;
    if !rows.insert.is_empty() {
        let is_lossless = |step: &Step| step.class < Class::Destructive;
        let answers = current.probe(&plan).await;
        for (step, answer) in plan.steps.iter().zip(answers) {
            assert!(!is_lossless(step) || answer.unwrap_or(0) == 0, "{answer:?}: {step:#?}");
        }
    }
    current.apply(&plan).await;
    assert_eq!(answer, ask(current).await, "{}: {plan:#?}", pair.name);
    let after = current.look().await;
    let left = Plan::between(dialect, &Scope::Exact, &after, &wanted);
    let mut report = String::new();
    if !left.is_empty() {
        let _ = writeln!(report, "left to do: {left:#?}");
    }
    if after.fingerprint() != wanted.fingerprint() {
        let _ = writeln!(report, "is: {after:#?}\nshould be: {wanted:#?}");
    }
    let told = witness::told(&mut *current.session).await;
    let wanted = witness::told(&mut *desired.session).await;
    assert!(!told.is_empty() || after.tables.is_empty(), "the server says nothing: {after:#?}");
    for line in told.difference(&wanted) {
        let _ = writeln!(report, "the server says of it alone: {line}");
    }
    for line in wanted.difference(&told) {
        let _ = writeln!(report, "the server says of the other one alone: {line}");
    }
    assert!(report.is_empty(), "{}: {report}\nplan: {plan:#?}", pair.name);
}
