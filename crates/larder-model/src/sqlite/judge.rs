//! What a rebuild may cost, and which rows stand in its way.
//!
//! Invariant: a change that may lose a value is destructive or asks about the rows first, and no
//! such change says that it can be taken back.

use super::{
    altered::{Altered, find_column},
    ddl::row_number_alias,
    probe::{self, Questions},
    types::affinity,
};
use crate::{Catalog, Change, Class, Column, Dialect, Table, sql_tokens};

/// What is known about a rebuild before it runs.
#[derive(Debug)]
pub(super) struct Verdict {
    pub(super) class: Class,
    pub(super) questions: Questions,
    /// Whether the way back restores everything.
    pub(super) reversible: bool,
}

impl Verdict {
    fn depends(&mut self, question: crate::Probe) {
        self.class = self.class.max(Class::DataDependent);
        self.questions.ask(Some(question));
    }
}

pub(super) fn judge(of: &Altered<'_>, current: &Catalog, desired: &Catalog) -> Verdict {
    let mut verdict =
        Verdict { class: Class::Rewrite, questions: Questions::default(), reversible: true };
    for change in &of.changes {
        one(of, change, current, desired, &mut verdict);
    }
    row_numbers(of, &mut verdict);
    if of.after.without_rowid
        && let Some(key) = &of.after.primary_key
    {
        for column in key.columns.iter().filter_map(|name| find_column(&of.after, name)) {
            if find_column(of.before, &column.name).is_some_and(|before| before.nullable) {
                verdict.depends(probe::nulls(of, column));
            }
        }
    }
    if of.after.strict && !of.before.strict {
        for column in &of.before.columns {
            let after = find_column(&of.after, &column.name);
            let question = after.and_then(|after| probe::conversion(of, column, after));
            question.into_iter().for_each(|question| verdict.depends(question));
        }
    }
    verdict
}

fn one(
    of: &Altered<'_>,
    change: &Change,
    current: &Catalog,
    desired: &Catalog,
    verdict: &mut Verdict,
) {
    match change {
        Change::AddCheck(_, check) => verdict.depends(probe::check(of, &check.expression)),
        Change::AddColumn(_, column) => {
            let is_number = row_number_alias(&of.after).is_some_and(|of| of.name == column.name);
            if !column.nullable && column.default.is_none() && !is_number {
                verdict.depends(match column.generated {
                    Some(_) => probe::nulls(of, column),
                    None => probe::all(of.before, &without_value(column)),
                });
            }
        }
        Change::AddForeignKey(_, key) => {
            verdict.depends(probe::orphans(of, key, current, desired));
        }
        Change::AddPrimaryKey(_, key) => verdict.depends(probe::duplicates(of, &key.columns)),
        Change::AddUnique(_, unique) => verdict.depends(probe::duplicates(of, &unique.columns)),
        Change::AlterColumn { from, to, .. } => altered_column(of, from, to, verdict),
        Change::DropColumn(_, column) if column.generated.is_none() => {
            verdict.class = verdict.class.max(Class::Destructive);
            verdict.questions.ask(Some(probe::values(of.before, column)));
            verdict.reversible = false;
        }
        _ => {}
    }
}

/// How rows are described that have no value for a new column.
pub(super) fn without_value(column: &Column) -> String {
    format!("rows without a value for {:?}, which has no default", column.name)
}

fn altered_column(of: &Altered<'_>, from: &Column, to: &Column, verdict: &mut Verdict) {
    if from.nullable && !to.nullable && to.generated.is_none() {
        // NULL would become the default, and then nobody knows where it was.
        verdict.reversible &= to.default.is_none();
        verdict.depends(probe::nulls(of, from));
    }
    let converts = affinity(&from.ty, of.before.strict) != affinity(&to.ty, of.after.strict);
    if converts {
        verdict.class = verdict.class.max(Class::DataDependent);
        verdict.reversible = false;
    }
    // A table that becomes strict is asked about as a whole.
    let becomes_strict = of.after.strict && !of.before.strict;
    if to.generated.is_none() && !becomes_strict {
        verdict.questions.ask(probe::conversion(of, from, to));
        if of.after.strict && from.ty != to.ty {
            verdict.class = verdict.class.max(Class::DataDependent);
        }
    }
    if from.generated.is_none() && to.generated.is_some() {
        verdict.class = verdict.class.max(Class::Destructive);
        verdict.questions.ask(Some(probe::values(of.before, from)));
        verdict.reversible = false;
    }
    if from.identity != to.identity {
        verdict.reversible = false;
    }
    if from.collation != to.collation {
        for columns in unique_over(&of.after, &to.name) {
            verdict.depends(probe::duplicates(of, columns));
        }
    }
}

/// The keys that a column belongs to.
fn unique_over<'a>(table: &'a Table, column: &str) -> Vec<&'a [String]> {
    let key = table.primary_key.iter().map(|key| key.columns.as_slice());
    let uniques = table.uniques.iter().map(|unique| unique.columns.as_slice());
    let has = |columns: &&[String]| columns.iter().any(|name| name.eq_ignore_ascii_case(column));
    key.chain(uniques).filter(has).collect()
}

/// An existing column that becomes the row number takes integers only; row numbers that no column
/// shows are lost where a table goes without them.
fn row_numbers(of: &Altered<'_>, verdict: &mut Verdict) {
    let was = row_number_alias(of.before).map(|column| column.name.as_str());
    if let Some(column) = row_number_alias(&of.after)
        && was != Some(column.name.as_str())
        && find_column(of.before, &column.name).is_some()
    {
        verdict.depends(probe::not_integers(of, column));
    }
    if Altered::has_own_row_number(of.before) && !Altered::has_own_row_number(&of.after) {
        verdict.reversible = false;
    }
}

/// A trigger or a view that may use one of these columns, and what it is called.
pub(super) fn user_of<'a>(table: &'a Table, dropped: &[&Column]) -> Option<(&'a str, String)> {
    table.dependents.iter().find_map(|dependent| {
        let tokens = sql_tokens(Dialect::Sqlite, &dependent.sql);
        let names: Vec<_> = tokens.iter().filter_map(crate::SqlToken::name).collect();
        let is_used =
            |column: &&&Column| names.iter().any(|name| name.eq_ignore_ascii_case(&column.name));
        let column = dropped.iter().find(is_used)?;
        Some((dependent.name.as_str(), column.name.clone()))
    })
}
