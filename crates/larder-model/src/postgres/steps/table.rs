//! Steps about tables as a whole.

use super::{
    super::ddl::{self, full, quoted},
    context::Context,
    of, probe, unsupported,
};
use crate::{Change, Class, Step, Table, TableName, Undo};

pub(super) fn create(context: &Context<'_>, change: &Change, table: &Table) -> Step {
    let indexes = table.indexes.iter().map(|index| &index.name);
    let uniques = table.uniques.iter().filter_map(|unique| unique.name.as_ref());
    let key = table.primary_key.iter().filter_map(|key| key.name.as_ref());
    for name in indexes.chain(uniques).chain(key) {
        if let Some(other) = context.taken_by(&table.name, name) {
            return unsupported(change, &taken(name, &other));
        }
    }
    Step {
        class: Class::Additive,
        statements: ddl::create_table(table),
        undo: Undo::Statements(vec![format!("DROP TABLE {}", full(&table.name))]),
        ..of(change)
    }
}

/// Why an index is not made.
pub(super) fn taken(name: &str, by: &TableName) -> String {
    format!("the name {name:?} is taken by {by}; give the index a name of its own")
}

pub(super) fn drop(context: &Context<'_>, change: &Change, table: &Table) -> Step {
    Step {
        class: Class::Destructive,
        statements: vec![format!("DROP TABLE {}", full(context.renamed(&table.name)))],
        probe: Some(probe::rows(context, &table.name, "rows of the table")),
        ..of(change)
    }
}

pub(super) fn rename(change: &Change, from: &TableName, to: &TableName) -> Step {
    let statements = |from: &TableName, to: &TableName| {
        let mut statements = Vec::new();
        if from.schema != to.schema
            && let Some(schema) = &to.schema
        {
            let schema = quoted(schema);
            statements.push(format!("ALTER TABLE {} SET SCHEMA {schema}", full(from)));
        }
        if from.name != to.name {
            let moved = TableName { schema: to.schema.clone(), name: from.name.clone() };
            let name = quoted(&to.name);
            statements.push(format!("ALTER TABLE {} RENAME TO {name}", full(&moved)));
        }
        statements
    };
    Step {
        statements: statements(from, to),
        undo: Undo::Statements(statements(to, from)),
        reason: Some("programs that use the former name fail from then on".to_owned()),
        ..of(change)
    }
}

/// PostgreSQL's tables have no options that differ but the comment.
pub(super) fn comment(change: &Change, from: &Table, to: &Table) -> Option<Step> {
    let statement = |comment: &Option<String>| ddl::table_comment(&to.name, comment.as_deref());
    (from.comment != to.comment).then(|| Step {
        description: "change the table's comment".to_owned(),
        class: if from.comment.is_none() { Class::Additive } else { Class::Metadata },
        statements: vec![statement(&to.comment)],
        undo: Undo::Statements(vec![statement(&from.comment)]),
        ..of(change)
    })
}
