//! Which models a policy admits, and which steps are whose.
//!
//! Invariant: a model is migrated whole or not at all; one that is refused stands in nobody
//! else's way.

use std::sync::Arc;

use larder_model::{Dialect, Plan, Policy, Refusal};

use crate::{
    Cell, MigrateError, Session,
    migrator::{look::Look, want::Want},
};

/// What is to be done, and what is not.
#[derive(Debug)]
pub(crate) struct Verdict<'w, 'a> {
    /// The steps for all models that are admitted.
    pub(crate) plan: Plan,
    /// The models that are admitted, with the steps that are theirs.
    pub(crate) admitted: Vec<Share<'w, 'a>>,
    /// The models that are not, with all that they would need.
    pub(crate) refused: Vec<(&'w Want<'a>, Arc<Plan>, Vec<Refusal>)>,
}

/// A model's part of a plan.
#[derive(Debug)]
pub(crate) struct Share<'w, 'a> {
    pub(crate) want: &'w Want<'a>,
    /// Its steps, as a plan of their own.
    pub(crate) plan: Arc<Plan>,
    /// Their places in the plan for all.
    pub(crate) places: Vec<usize>,
}

/// Asks the rows, and has the policy judge. A round for each model that is refused, at most.
pub(crate) async fn judge<'w, 'a>(
    session: &mut dyn Session,
    look: &Look,
    wants: &[&'w Want<'a>],
    policy: Policy,
) -> Result<Verdict<'w, 'a>, MigrateError> {
    let mut wants = wants.to_vec();
    let mut answers = Answers::default();
    let mut refused = Vec::new();
    loop {
        let plan = look.plan(&wants);
        let rows = answers.ask(session, &plan).await?;
        let refusals = plan.refused(policy, &rows);
        let shares = share(look.dialect, &plan, &wants);
        if refusals.is_empty() {
            let restoring = look.plan_and_restore(&wants);
            let rows = answers.ask(session, &restoring).await?;
            // Where rows stand in the way of that, it has to wait for whoever removes them.
            if restoring != plan && restoring.refused(policy, &rows).is_empty() {
                let admitted = share(look.dialect, &restoring, &wants);
                return Ok(Verdict { plan: restoring, admitted, refused });
            }
            return Ok(Verdict { plan, admitted: shares, refused });
        }
        wants.clear();
        for share in shares {
            let its = share.refusals(&refusals);
            match its.is_empty() {
                true => wants.push(share.want),
                false => refused.push((share.want, share.plan, its)),
            }
        }
    }
}

/// How many rows stand in the way of each step.
pub(crate) async fn probe(
    session: &mut dyn Session,
    plan: &Plan,
) -> Result<Vec<Option<u64>>, MigrateError> {
    Answers::default().ask(session, plan).await
}

/// Answers of the rows, each of which may have cost a look at all of them.
#[derive(Default)]
struct Answers(Vec<(String, u64)>);

impl Answers {
    async fn ask(
        &mut self,
        session: &mut dyn Session,
        plan: &Plan,
    ) -> Result<Vec<Option<u64>>, MigrateError> {
        let mut rows = Vec::with_capacity(plan.steps.len());
        for step in &plan.steps {
            rows.push(match &step.probe {
                Some(probe) => Some(self.answer(session, &probe.sql).await?),
                None => None,
            });
        }
        Ok(rows)
    }

    async fn answer(&mut self, session: &mut dyn Session, sql: &str) -> Result<u64, MigrateError> {
        if let Some((_, known)) = self.0.iter().find(|(asked, _)| asked == sql) {
            return Ok(*known);
        }
        let rows = session.fetch(sql, &[]).await;
        let rows = rows.map_err(MigrateError::session("count the rows in the way of a step"))?;
        let count = rows.first().and_then(|row| row.first()).and_then(Cell::as_integer);
        let count = u64::try_from(count.unwrap_or(0)).unwrap_or(0);
        self.0.push((sql.to_owned(), count));
        Ok(count)
    }
}

/// Gives every step to the first model that it is about.
pub(crate) fn share<'w, 'a>(
    dialect: Dialect,
    plan: &Plan,
    wants: &[&'w Want<'a>],
) -> Vec<Share<'w, 'a>> {
    let mut places = vec![Vec::new(); wants.len()];
    for (at, step) in plan.steps.iter().enumerate() {
        let owner = wants.iter().position(|want| want.concerns(dialect, step));
        // What is put back on the table of a model that was refused is nobody's. For any other
        // step that none claims, such as one that takes off a reference of such a table, the first
        // one answers.
        let owner = owner.or_else(|| (!plan.only_puts_back(step)).then_some(0));
        if let Some(places) = owner.and_then(|owner| places.get_mut(owner)) {
            places.push(at);
        }
    }
    let share = |(want, places): (&&'w Want<'a>, Vec<usize>)| {
        let steps = places.iter().map(|at| plan.steps[*at].clone()).collect();
        let is_its =
            |of: &&larder_model::Difference| dialect.is_same_table(&of.table, want.table());
        let unmanaged = plan.unmanaged.iter().filter(is_its).cloned().collect();
        let plan = Plan { dialect, from: plan.from.clone(), steps, unmanaged };
        Share { want, plan: Arc::new(plan), places }
    };
    wants.iter().zip(places).map(share).collect()
}

impl<'w, 'a> Share<'w, 'a> {
    /// Of a model to which nothing has to be done.
    pub(crate) fn nothing(look: &Look, want: &'w Want<'a>) -> Self {
        Self { want, plan: Arc::new(look.nothing()), places: Vec::new() }
    }

    /// Those of all refusals that are about its steps, with the steps' places in its own plan.
    fn refusals(&self, all: &[Refusal]) -> Vec<Refusal> {
        let its = all.iter().filter_map(|of| {
            let step = self.places.iter().position(|at| *at == of.step)?;
            Some(Refusal { step, rows: of.rows })
        });
        its.collect()
    }
}

#[cfg(test)]
mod tests {
    use larder_model::{
        Class, ColumnKind, ColumnModel, Fingerprint, Identifier, LockLevel, Lowered, Step, Table,
        TableModel, TableName, Undo,
    };

    use super::*;

    fn model() -> TableModel {
        let id = Identifier::from_static("id");
        let builder = TableModel::builder(Identifier::from_static("t"));
        builder.column(ColumnModel::new(id, ColumnKind::Int64)).build().unwrap()
    }

    fn want<'a>(name: &'a str, model: &'a TableModel) -> Want<'a> {
        let table = Table::new(TableName::new(name));
        let lowered = Lowered { enums: Vec::new(), table };
        Want { place: 0, name, model, checksum: String::new(), lowered }
    }

    fn step(table: &str) -> Step {
        Step {
            table: TableName::new(table),
            description: String::new(),
            class: Class::Additive,
            lock: LockLevel::None,
            statements: vec![format!("-- {table}")],
            transactional: true,
            undo: Undo::Irreversible,
            probe: None,
            reason: None,
            interlude: None,
        }
    }

    #[test]
    fn every_step_is_somebodys_and_keeps_its_refusal() {
        let model = model();
        let (a, b) = (want("a", &model), want("b", &model));
        let plan = Plan {
            dialect: Dialect::MySql,
            from: Fingerprint::from_text(""),
            steps: vec![step("b"), step("a"), step("b"), step("nobody")],
            unmanaged: Vec::new(),
        };
        let shares = share(Dialect::MySql, &plan, &[&a, &b]);
        assert_eq!(shares[0].places, [1, 3]);
        assert_eq!(shares[1].places, [0, 2]);
        let all = [Refusal { step: 2, rows: Some(7) }];
        assert!(shares[0].refusals(&all).is_empty());
        assert_eq!(shares[1].refusals(&all), [Refusal { step: 1, rows: Some(7) }]);
    }
}
