//! Steps about columns that the database numbers.
//!
//! Invariant: the next number after a step is larger than all that were given out before it.

use super::{
    super::ddl::{self, escaped, full, quoted},
    block, of,
};
use crate::{Change, Column, Identity, Step, TableName, Undo};

/// The name of the sequence that a column has, as an expression.
pub(super) fn sequence_of(table: &TableName, column: &str) -> String {
    format!("pg_catalog.pg_get_serial_sequence({}, {})", escaped(&full(table)), escaped(column))
}

fn alter(table: &TableName, column: &str, action: &str) -> String {
    format!("ALTER TABLE {} ALTER COLUMN {} {action}", full(table), quoted(column))
}

fn description(of: &Column, identity: Option<Identity>) -> String {
    let text = match identity {
        None => "is not numbered any more",
        Some(Identity::Always) => "is always numbered by the database",
        Some(Identity::Serial) => "is numbered from a sequence of its own",
        Some(Identity::AutoIncrement | Identity::ByDefault) => {
            "is numbered by the database where a row says nothing"
        }
    };
    format!("change column {:?}: it {text}", of.name)
}

/// A column that is not numbered any more.
pub(super) fn remove(change: &Change, table: &TableName, from: &Column) -> Step {
    Step {
        description: description(from, None),
        statements: match from.identity {
            Some(Identity::Serial) => vec![drop_sequence(table, &from.name)],
            _ => vec![alter(table, &from.name, "DROP IDENTITY")],
        },
        reason: Some("where the numbers had come to is forgotten".to_owned()),
        ..of(change)
    }
}

/// The sequence can not go before the default, and its name is known to the server only.
fn drop_sequence(table: &TableName, column: &str) -> String {
    block(&format!(
        "DECLARE sequence text := {}; \
         BEGIN {}; EXECUTE 'DROP SEQUENCE ' || sequence; END",
        sequence_of(table, column),
        alter(table, column, "DROP DEFAULT"),
    ))
}

/// A column that is numbered, or numbered otherwise.
pub(super) fn set(change: &Change, table: &TableName, from: &Column, to: &Column) -> Step {
    let undo = match from.identity {
        Some(_) => Undo::Statements(numbered(table, to, from)),
        None => Undo::Statements(match to.identity {
            Some(Identity::Serial) => vec![drop_sequence(table, &to.name)],
            _ => vec![alter(table, &to.name, "DROP IDENTITY")],
        }),
    };
    Step {
        description: description(to, to.identity),
        statements: numbered(table, from, to),
        undo,
        ..of(change)
    }
}

fn kind(identity: Option<Identity>) -> &'static str {
    match identity {
        Some(Identity::Always) => "ALWAYS",
        _ => "BY DEFAULT",
    }
}

fn numbered(table: &TableName, from: &Column, to: &Column) -> Vec<String> {
    let name = &to.name;
    let generated = kind(to.identity);
    let add_identity = alter(table, name, &format!("ADD GENERATED {generated} AS IDENTITY"));
    let add_sequence = [
        ddl::create_sequence(table, to),
        alter(table, name, &format!("SET DEFAULT {}", ddl::next_value(table, to))),
        ddl::own_sequence(table, to),
    ];
    let sequence = sequence_of(table, name);
    match (from.identity, to.identity) {
        (None, Some(Identity::Serial)) => {
            let mut statements = add_sequence.to_vec();
            statements.push(go_on(table, name));
            statements
        }
        (None, _) => vec![add_identity, go_on(table, name)],
        // The next number is taken from what goes and given to what comes.
        (Some(Identity::Serial), _) => vec![block(&format!(
            "DECLARE sequence text := {sequence}; number bigint := pg_catalog.nextval(sequence::regclass); \
             BEGIN {}; EXECUTE 'DROP SEQUENCE ' || sequence; {add_identity}; \
             PERFORM pg_catalog.setval({sequence}::regclass, number, false); END",
            alter(table, name, "DROP DEFAULT"),
        ))],
        (_, Some(Identity::Serial)) => vec![block(&format!(
            "DECLARE number bigint := pg_catalog.nextval({sequence}::regclass); \
             BEGIN {}; {}; PERFORM pg_catalog.setval({sequence}::regclass, number, false); END",
            alter(table, name, "DROP IDENTITY"),
            add_sequence.join("; "),
        ))],
        _ => vec![alter(table, name, &format!("SET GENERATED {generated}"))],
    }
}

/// Has a new sequence go on behind the largest number that is there.
fn go_on(table: &TableName, column: &str) -> String {
    let name = quoted(column);
    format!(
        "SELECT pg_catalog.setval({}::regclass, greatest(max({name}), 1), \
         coalesce(max({name}) >= 1, false)) FROM {}",
        sequence_of(table, column),
        full(table),
    )
}
