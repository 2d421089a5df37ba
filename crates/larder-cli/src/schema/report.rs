//! Plans as people read them.
//!
//! Guards that everything that a step says of itself is shown, and that nothing of a database
//! reaches the terminal as a control character.

use std::io::{self, Write};

use larder::{
    migrate::Planned,
    model::{Class, LockLevel, Plan, Policy, Step, Undo},
};

use crate::output::{Paint, count, escape};

/// Writes a plan, with the verdict of a policy on each step.
pub(super) fn plan(
    out: &mut dyn Write,
    planned: &Planned,
    policy: Policy,
    sql: bool,
    color: bool,
) -> io::Result<()> {
    let plan = &planned.plan;
    if plan.is_empty() {
        let models = count(planned.models.len() as u64);
        writeln!(
            out,
            "{}",
            Paint::Good.show(&format!("{models} models are as they should be"), color)
        )?;
        return unmanaged(out, plan, color);
    }
    writeln!(out, "{} for {}", Paint::Strong.show(&planned.id, color), plan.dialect)?;
    for (at, one) in plan.steps.iter().enumerate() {
        let rows = planned.rows.get(at).copied().flatten();
        step(out, at, one, rows, policy, color)?;
        if sql {
            for statement in &one.statements {
                writeln!(out, "       {}", Paint::Dim.show(&escape::controls(statement), color))?;
            }
        }
    }
    unmanaged(out, plan, color)?;
    verdict(out, planned, policy, color)
}

fn step(
    out: &mut dyn Write,
    at: usize,
    step: &Step,
    rows: Option<u64>,
    policy: Policy,
    color: bool,
) -> io::Result<()> {
    let admitted = policy.admits(step, rows);
    let (sign, paint) = if admitted { ("+", Paint::Good) } else { ("!", Paint::Bad) };
    let text = format!("{}: {}", step.table, step.description);
    writeln!(
        out,
        "{:>3}. {} {}  {}",
        at + 1,
        paint.show(sign, color),
        escape::controls(&text),
        class_paint(step.class).show(step.class.as_str(), color)
    )?;
    let mut notes = Vec::new();
    match step.lock {
        LockLevel::None => {}
        LockLevel::Writers => notes.push("writers to the table wait".to_owned()),
        LockLevel::Everybody => notes.push("everybody who uses the table waits".to_owned()),
        LockLevel::DatabaseWriters => notes.push("writers to the database wait".to_owned()),
    }
    if step.undo == Undo::Irreversible && !step.statements.is_empty() {
        notes.push("can not be taken back".to_owned());
    }
    if let (Some(probe), Some(rows)) = (&step.probe, rows)
        && rows > 0
    {
        notes.push(format!("{} {}", count(rows), probe.what));
    }
    notes.extend(step.reason.clone());
    if !notes.is_empty() {
        let notes = escape::controls(&notes.join("; ")).into_owned();
        writeln!(out, "       {}", Paint::Dim.show(&notes, color))?;
    }
    Ok(())
}

const fn class_paint(class: Class) -> Paint {
    match class {
        Class::Additive | Class::Metadata => Paint::Good,
        Class::Online => Paint::Plain,
        Class::DataDependent | Class::Rewrite => Paint::Slow,
        _ => Paint::Bad,
    }
}

fn unmanaged(out: &mut dyn Write, plan: &Plan, color: bool) -> io::Result<()> {
    for found in &plan.unmanaged {
        let text =
            format!("     {}: {}, which no model asks for; it stays", found.table, found.text);
        writeln!(out, "{}", Paint::Dim.show(&escape::controls(&text), color))?;
    }
    Ok(())
}

fn verdict(out: &mut dyn Write, planned: &Planned, policy: Policy, color: bool) -> io::Result<()> {
    let steps = planned.plan.steps.len();
    let refused = planned.plan.refused(policy, &planned.rows).len();
    if refused == 0 {
        return writeln!(out, "{steps} steps, all of which the policy {policy} admits");
    }
    let text = format!("{refused} of {steps} steps are not admitted by the policy {policy}");
    writeln!(out, "{}", Paint::Bad.show(&text, color))?;
    match easiest(planned) {
        Some(other) => writeln!(out, "they would be by --policy {other}"),
        None => writeln!(out, "no policy admits all of them: they need a person"),
    }
}

/// The mildest policy that admits every step.
fn easiest(planned: &Planned) -> Option<Policy> {
    [Policy::Additive, Policy::Safe, Policy::Full]
        .into_iter()
        .find(|policy| planned.plan.refused(*policy, &planned.rows).is_empty())
}
