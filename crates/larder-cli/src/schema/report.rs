//! Plans as people read them.
//!
//! Guards that everything that a step says of itself is shown, and that nothing of a database
//! reaches the terminal as a control character.

use std::{
    borrow::Cow,
    io::{self, Write},
};

use larder::{
    migrate::Planned,
    model::{Class, LockLevel, Plan, Policy, Refusal, Step, Undo},
};

use crate::output::{Paint, count, counted, escape};

/// How plans are to be shown.
#[derive(Clone, Copy, Debug)]
pub(super) struct View {
    /// The policy that the steps are judged by.
    pub(super) policy: Policy,
    /// Whether the statements are shown too.
    pub(super) sql: bool,
    pub(super) color: bool,
}

/// Writes a plan, with the verdict of a policy on each step.
pub(super) fn plan(out: &mut dyn Write, planned: &Planned, view: View) -> io::Result<()> {
    let (plan, color) = (&planned.plan, view.color);
    if plan.is_empty() {
        settled(out, planned.models.len(), color)?;
    } else {
        let id = Paint::Strong.show(&planned.id, color);
        let steps = counted(plan.steps.len(), "step");
        let apart = if is_apart(plan) { ", each of which commits by itself" } else { "" };
        writeln!(out, "{id}, {steps} for {}{apart}\n", plan.dialect)?;
        steps_of(out, planned, view)?;
    }
    unmanaged(out, plan, color)
}

/// Whether no step runs in a transaction, as on MySQL and MariaDB.
fn is_apart(plan: &Plan) -> bool {
    !plan.steps.iter().any(|step| step.transactional)
}

/// Says that there is nothing to do.
pub(super) fn settled(out: &mut dyn Write, models: usize, color: bool) -> io::Result<()> {
    let text = match models {
        0 => "there are no models".to_owned(),
        1 => "the table of the one model is as it should be".to_owned(),
        models => format!("the tables of all {models} models are as they should be"),
    };
    writeln!(out, "{}", Paint::Good.show(&text, color))
}

/// Writes what differs from a model: one line for each step, below the model's own line.
pub(super) fn difference(out: &mut dyn Write, plan: &Plan, color: bool) -> io::Result<()> {
    for step in &plan.steps {
        let text = format!("{}: {}", step.table, step.description);
        let class = class_paint(step.class).show(step.class.as_str(), color);
        writeln!(out, "           {}  {class}", escape::controls(&text))?;
    }
    Ok(())
}

fn steps_of(out: &mut dyn Write, planned: &Planned, view: View) -> io::Result<()> {
    let steps = &planned.plan.steps;
    let width = |text: &dyn Fn(&Step) -> usize| steps.iter().map(text).max().unwrap_or_default();
    let layout = Layout {
        class: width(&|step| step.class.as_str().len()),
        table: width(&|step| step.table.to_string().chars().count()),
        tells_apart: !is_apart(&planned.plan),
    };
    for (at, one) in steps.iter().enumerate() {
        let rows = planned.rows.get(at).copied().flatten();
        step(out, (at + 1, one, rows), &layout, view)?;
    }
    writeln!(out)
}

/// What is the same for all steps of a plan.
#[derive(Clone, Copy, Debug)]
struct Layout {
    /// How wide columns are, in characters.
    class: usize,
    table: usize,
    /// Whether it has to be said of a step that it runs outside of the transaction.
    tells_apart: bool,
}

fn step(
    out: &mut dyn Write,
    (number, step, rows): (usize, &Step, Option<u64>),
    layout: &Layout,
    view: View,
) -> io::Result<()> {
    let color = view.color;
    let (sign, paint) = match view.policy.admits(step, rows) {
        true => ("+", Paint::Good),
        false => ("!", Paint::Bad),
    };
    let class = format!("{:<width$}", step.class.as_str(), width = layout.class);
    let table = format!("{:<width$}", step.table.to_string(), width = layout.table);
    let text = escape::controls(&step.description);
    writeln!(
        out,
        "{number:>3} {} {}  {}  {text}",
        paint.show(sign, color),
        class_paint(step.class).show(&class, color),
        escape::controls(&table)
    )?;
    if layout.tells_apart && !step.transactional {
        let note = "runs outside of the transaction";
        writeln!(out, "      {}", Paint::Dim.show(note, color))?;
    }
    for note in notes(step, rows) {
        writeln!(out, "      {}", Paint::Dim.show(&escape::controls(&note), color))?;
    }
    if view.sql {
        for statement in &step.statements {
            for line in format!("{statement};").lines() {
                writeln!(out, "        {}", Paint::Dim.show(&escape::controls(line), color))?;
            }
        }
    }
    Ok(())
}

/// What there is to know about a step besides what it does.
fn notes(step: &Step, rows: Option<u64>) -> Vec<String> {
    let mut notes = Vec::new();
    match step.lock {
        // Said for an instant's work on SQLite, it would stand at every step.
        LockLevel::DatabaseWriters if step.class > Class::Metadata => {
            notes.push("writers to the database wait meanwhile".to_owned());
        }
        LockLevel::DatabaseWriters | LockLevel::None => {}
        LockLevel::Everybody => {
            notes.push("everybody who uses the table waits meanwhile".to_owned());
        }
        LockLevel::Writers => notes.push("writers to the table wait meanwhile".to_owned()),
    }
    if step.undo == Undo::Irreversible && !step.statements.is_empty() {
        notes.push("can not be taken back".to_owned());
    }
    if let (Some(probe), Some(rows)) = (&step.probe, rows)
        && rows > 0
    {
        notes.push(match rows {
            1 => format!("1 {}", singular(&probe.what)),
            _ => format!("{} {}", count(rows), probe.what),
        });
    }
    notes.extend(step.reason.clone());
    notes
}

/// What a probe counts, if it is one: `rows that break (x > 0)` is `row that breaks (x > 0)` then.
fn singular(what: &str) -> Cow<'_, str> {
    const FORMS: [(&str, &str); 6] = [
        ("rows that break ", "row that breaks "),
        ("rows that equal ", "row that equals "),
        ("rows that go ", "row that goes "),
        ("rows that refer ", "row that refers "),
        ("rows ", "row "),
        ("values ", "value "),
    ];
    let one = |(many, one): &(&str, &str)| Some(format!("{one}{}", what.strip_prefix(many)?));
    FORMS.iter().find_map(one).map_or(Cow::Borrowed(what), Cow::Owned)
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
    if plan.unmanaged.is_empty() {
        return Ok(());
    }
    writeln!(out, "no model asks for these, and they stay:")?;
    for found in &plan.unmanaged {
        let text = format!("      {}: {}", found.table, found.text);
        writeln!(out, "{}", Paint::Dim.show(&escape::controls(&text), color))?;
    }
    writeln!(out)
}

/// The steps that only `--yes` has done: those that lose something, or may.
pub(super) fn lossy(plan: &Plan) -> Vec<usize> {
    let is_lossy = |step: &Step| {
        let is_final = step.undo == Undo::Irreversible && step.class > Class::Online;
        step.class == Class::Destructive || is_final
    };
    (0..plan.steps.len()).filter(|at| is_lossy(&plan.steps[*at])).collect()
}

/// Says what a policy thinks of a plan, and which one admits it.
pub(super) fn verdict(out: &mut dyn Write, planned: &Planned, view: View) -> io::Result<()> {
    let (steps, policy) = (&planned.plan.steps, view.policy);
    let refused = planned.plan.refused(policy, &planned.rows);
    if refused.is_empty() {
        return match steps.len() {
            0 => Ok(()),
            1 => writeln!(out, "the policy {policy} admits it"),
            _ => writeln!(out, "the policy {policy} admits all of them"),
        };
    }
    let numbers: Vec<_> = refused.iter().map(|refusal| refusal.step + 1).collect();
    let which = match (steps.len(), numbers.len()) {
        (1, _) => "it".to_owned(),
        (all, refused) if all == refused => "any of them".to_owned(),
        _ => named(&numbers),
    };
    let text = format!("the policy {policy} does not admit {which}");
    writeln!(out, "{}", Paint::Bad.show(&text, view.color))?;
    let full: Vec<_> = planned.plan.refused(Policy::Full, &planned.rows);
    let stands = |step: &Step| matches!(step.class, Class::Ambiguous | Class::Unsupported);
    let (hard, of_rows): (Vec<_>, Vec<_>) =
        full.iter().partition(|refusal| steps.get(refusal.step).is_some_and(stands));
    let numbers = |of: &[&Refusal]| of.iter().map(|one| one.step + 1).collect::<Vec<_>>();
    if !of_rows.is_empty() {
        writeln!(out, "rows stand in the way of {}", named(&numbers(&of_rows)))?;
    }
    if !hard.is_empty() {
        return writeln!(out, "no policy admits {}", named(&numbers(&hard)));
    }
    match easiest(planned) {
        Some(other) if of_rows.is_empty() => writeln!(out, "--policy {other} does"),
        Some(other) => writeln!(out, "without these rows, --policy {other} does"),
        None => Ok(()),
    }
}

/// Steps by their numbers.
pub(super) fn named(numbers: &[usize]) -> String {
    let texts: Vec<_> = numbers.iter().map(ToString::to_string).collect();
    format!("step{} {}", if texts.len() == 1 { "" } else { "s" }, texts.join(", "))
}

/// The mildest policy that admits every step if no row stands in its way.
fn easiest(planned: &Planned) -> Option<Policy> {
    let rows: Vec<_> =
        planned.plan.steps.iter().map(|step| step.probe.as_ref().map(|_| 0)).collect();
    [Policy::Additive, Policy::Safe, Policy::Full]
        .into_iter()
        .find(|policy| planned.plan.refused(*policy, &rows).is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_what_a_probe_counts_is_said_as_one() {
        for (many, one) in [
            ("rows that break the check (a > 0)", "row that breaks the check (a > 0)"),
            ("rows that equal another one in (a)", "row that equals another one in (a)"),
            ("rows that go with it", "row that goes with it"),
            ("rows that refer to none in b", "row that refers to none in b"),
            ("rows that would have no value in \"a\"", "row that would have no value in \"a\""),
            ("rows whose \"a\" is text", "row whose \"a\" is text"),
            ("rows with NULL in a", "row with NULL in a"),
            ("values of (a) that several rows have", "value of (a) that several rows have"),
            ("values that several rows have in (a)", "value that several rows have in (a)"),
            ("text in a that b has no characters for", "text in a that b has no characters for"),
        ] {
            assert_eq!(singular(many), one);
        }
    }
}
