//! All rules on all statements of a file.

use std::collections::BTreeSet;

use larder_model::Dialect;

use crate::{
    FileError, Finding, MigrationFiles, Position, Rule, Script,
    files::{Directives, prepare},
    lint::{
        data, locks,
        parse::{Kind, Parsed},
        transactions,
    },
};

/// What the rules see of a file.
pub(super) struct Context<'a> {
    pub(super) dialect: Dialect,
    pub(super) is_transaction: bool,
    /// The tables that the file itself has created until now: nobody uses them yet.
    pub(super) created: BTreeSet<String>,
    pub(super) statements: Vec<Seen<'a>>,
}

/// A statement with its place.
pub(super) struct Seen<'a> {
    pub(super) parsed: Parsed<'a>,
    pub(super) at: Position,
    pub(super) allowed: Vec<Rule>,
}

impl Context<'_> {
    pub(super) fn is_new(&self, table: &str) -> bool {
        self.created.contains(table)
    }

    pub(super) const fn is_mysql_family(&self) -> bool {
        matches!(self.dialect, Dialect::MariaDb | Dialect::MySql)
    }
}

/// What a rule says: itself and a sentence.
pub(super) type Said = (Rule, String);

/// Checks the files that go up, and returns what they break in the order in which it stands there.
///
/// Files that are not for this database are passed over. A file or a statement says with
/// `-- larder: allow=LR003` which rules it may break: at the head of the file for all of it, above
/// or behind a statement for that one.
///
/// # Errors
/// A file that can not be read as statements, or has a directive without a meaning.
pub fn lint(files: &MigrationFiles, dialect: Dialect) -> Result<Vec<Finding>, FileError> {
    let mut findings = Vec::new();
    for file in files.files() {
        findings.extend(lint_script(&file.up, dialect)?);
    }
    Ok(findings)
}

/// Checks one file, see [`lint`].
///
/// # Errors
/// As [`lint`].
pub fn lint_script(script: &Script, dialect: Dialect) -> Result<Vec<Finding>, FileError> {
    if !script.directives().is_for(dialect) {
        return Ok(Vec::new());
    }
    let mut findings = Vec::new();
    let finding = |rule, at, message| Finding { rule, path: script.path().to_owned(), at, message };
    match prepare(script, dialect) {
        Ok(_) => {}
        Err(FileError::Statement { at, objection, .. }) => {
            findings.push(finding(Rule::Transaction, at, objection.to_string()));
        }
        Err(error) => return Err(error),
    }

    let mut context = context(script, dialect)?;
    for index in 0..context.statements.len() {
        let mut said = Vec::new();
        locks::check(&context, index, &mut said);
        data::check(&context, index, &mut said);
        transactions::check(&context, index, &mut said);
        let seen = &context.statements[index];
        for (rule, message) in said {
            if !seen.allowed.contains(&rule) {
                findings.push(finding(rule, seen.at, message));
            }
        }
        if let Kind::CreateTable { table } = &seen.parsed.kind {
            let table = table.clone();
            context.created.insert(table);
        }
    }
    let allowed = &script.directives().allow;
    findings.retain(|finding| !allowed.contains(&finding.rule));
    findings.sort_by_key(|finding| (finding.at, finding.rule));
    Ok(findings)
}

fn context(script: &Script, dialect: Dialect) -> Result<Context<'_>, FileError> {
    let split =
        script.statements(dialect).map_err(|error| FileError::split(script.path(), error))?;
    let mut statements: Vec<Seen<'_>> = Vec::new();
    for (index, statement) in split.list.iter().enumerate() {
        // What stands in the same line behind a statement is about that one.
        let (behind, above) = statement.lead.split_once('\n').unwrap_or(("", statement.lead));
        if let Some(before) = statements.last_mut() {
            before.allowed.extend(allowed(behind));
        }
        let parsed = Parsed::new(statement.text, dialect);
        let allowed = if index == 0 { Vec::new() } else { allowed(above) };
        statements.push(Seen { parsed, at: statement.position, allowed });
    }
    if let Some(last) = statements.last_mut() {
        last.allowed.extend(allowed(split.rest.lines().next().unwrap_or_default()));
    }
    let is_transaction = match dialect {
        Dialect::MariaDb | Dialect::MySql => false,
        _ => !script.directives().no_transaction,
    };
    Ok(Context { dialect, is_transaction, created: BTreeSet::new(), statements })
}

/// The rules that comments allow to break. Directives without a meaning have been refused before.
fn allowed(comments: &str) -> Vec<Rule> {
    Directives::of_statement(comments).map(|directives| directives.allow).unwrap_or_default()
}

#[cfg(test)]
mod tests;
