//! All steps from a schema as it is to one as it should be.
//!
//! Invariant: the steps stand in an order in which they can run; no step needs one that comes
//! after it.

use std::{collections::BTreeSet, fmt};

use serde::{Deserialize, Serialize};

use crate::{Class, Dialect, Difference, Fingerprint, LockLevel, Policy, Refusal, Step, Undo};

/// The steps from a schema as it is to the one that was asked for. No steps: nothing to do.
///
/// Its JSON is stable: fields are added, and neither renamed nor removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "plain data that others read and show")]
pub struct Plan {
    /// Whose statements they are.
    pub dialect: Dialect,
    /// The schema that it starts from, as far as it was looked at. A plan is applied to no other.
    pub from: Fingerprint,
    /// The steps in their order.
    pub steps: Vec<Step>,
    /// What is there that nobody asked for, and stays.
    pub unmanaged: Vec<Difference>,
}

impl Plan {
    /// Whether there is nothing to do.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// The plan with a step before all others for each of these schemas in which something is to
    /// be made; `missing` are schemas of PostgreSQL that are not there.
    #[must_use]
    pub fn with_missing_schemas(mut self, missing: &BTreeSet<String>) -> Self {
        let first_in = |schema: &String| {
            let mut steps = self.steps.iter();
            steps.find(|step| step.table.schema.as_ref() == Some(schema))
        };
        let create = |(schema, first): (&String, &Step)| {
            let quoted = self.dialect.quoted(schema);
            Step {
                table: first.table.clone(),
                description: format!("create schema {schema:?}"),
                class: Class::Additive,
                lock: LockLevel::None,
                // Somebody else may be about to make it as well.
                statements: vec![format!("CREATE SCHEMA IF NOT EXISTS {quoted}")],
                transactional: true,
                undo: Undo::Statements(vec![format!("DROP SCHEMA {quoted}")]),
                probe: None,
                reason: None,
                interlude: None,
            }
        };
        let with_first = missing.iter().filter_map(|schema| Some((schema, first_in(schema)?)));
        let creates: Vec<_> = with_first.map(create).collect();
        self.steps.splice(0..0, creates);
        self
    }

    /// The steps that a policy does not admit, given how many rows stand in the way of each step;
    /// `rows` has one place for each step, `None` for a step without a probe.
    #[must_use]
    pub fn refused(&self, policy: Policy, rows: &[Option<u64>]) -> Vec<Refusal> {
        let judged = self.steps.iter().enumerate().map(|(at, step)| {
            let rows = rows.get(at).copied().flatten();
            (!policy.admits(step, rows)).then_some(Refusal { step: at, rows })
        });
        judged.flatten().collect()
    }

    /// Every statement of every step.
    pub fn statements(&self) -> impl Iterator<Item = &str> {
        self.steps.iter().flat_map(|step| step.statements.iter().map(String::as_str))
    }
}

impl fmt::Display for Plan {
    /// One line: the steps, separated by semicolons.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.steps.iter().enumerate() {
            if at > 0 {
                f.write_str("; ")?;
            }
            write!(f, "{}: {}", step.table, step.description)?;
        }
        Ok(())
    }
}
