//! Plans as they read.

use std::fmt::Write as _;

use super::*;
use crate::{
    Check, Column, Dependent, ForeignKey, Identity, Plan, PrimaryKey, ReferentialAction, Scope,
    Unique,
};

fn table(name: &str, columns: &[(&str, &str)]) -> Table {
    let mut table = Table::new(TableName::new(name));
    table.columns = columns.iter().map(|(name, ty)| Column::new(*name, *ty)).collect();
    table
}

fn airline() -> Table {
    let mut table = table("airline", &[("id", "INTEGER"), ("iata", "TEXT"), ("fleet", "INTEGER")]);
    table.columns[0].nullable = false;
    table.columns[0].identity = Some(Identity::AutoIncrement);
    table.primary_key = Some(PrimaryKey { name: None, columns: vec!["id".into()] });
    table.indexes = vec![Index::new("airline_iata_idx", &["iata"])];
    table.dependents = vec![Dependent {
        name: "log".into(),
        sql: "CREATE TRIGGER log AFTER INSERT ON airline BEGIN SELECT new.iata; END".into(),
        is_own: true,
    }];
    table
}

fn catalog(tables: &[Table]) -> Catalog {
    let mut catalog = Catalog { enums: Vec::new(), tables: tables.to_vec() };
    catalog.sort();
    catalog
}

fn plan(scope: &Scope, current: &[Table], desired: &[Table]) -> Plan {
    Plan::between(Dialect::Sqlite, scope, &catalog(current), &catalog(desired))
}

/// Everything of a plan, one line for each thing.
fn shown(plan: &Plan) -> String {
    let mut text = String::new();
    for step in &plan.steps {
        let _ = writeln!(text, "{}: {}", step.table, step.description);
        let _ = writeln!(text, "  {}, locks {:?}", step.class, step.lock);
        for statement in &step.statements {
            let _ = writeln!(text, "  {statement};");
        }
        if let Some(probe) = &step.probe {
            let _ = writeln!(text, "  probe for {}\n    {};", probe.what, probe.sql);
        }
        match &step.undo {
            Undo::Irreversible => text.push_str("  irreversible\n"),
            Undo::Statements(statements) => {
                text.push_str("  undo\n");
                for statement in statements {
                    let _ = writeln!(text, "    {statement};");
                }
            }
        }
        if let Some(reason) = &step.reason {
            let _ = writeln!(text, "  because {reason}");
        }
    }
    text
}

fn check_of(expression: &str) -> Check {
    Check { name: None, expression: expression.to_owned(), validated: true }
}

fn reference(column: &str, target: &str) -> ForeignKey {
    ForeignKey {
        name: None,
        columns: vec![column.to_owned()],
        target: TableName::new(target),
        target_columns: vec!["id".to_owned()],
        on_delete: ReferentialAction::Cascade,
        on_update: ReferentialAction::NoAction,
        deferrable: None,
        validated: true,
    }
}

#[test]
fn a_table_is_created_with_its_indexes() {
    let mut flight = table("flight", &[("id", "TEXT"), ("airline", "INTEGER"), ("note", "TEXT")]);
    flight.columns[2].default = Some("'it''s'".into());
    flight.foreign_keys = vec![reference("airline", "airline")];
    flight.uniques = vec![Unique {
        name: Some("once".into()),
        columns: vec!["id".into(), "airline".into()],
        nulls_not_distinct: false,
        deferrable: None,
        include: Vec::new(),
    }];
    flight.checks = vec![check_of("length(note) < 80")];
    insta::assert_snapshot!(shown(&plan(&Scope::managed(), &[], &[airline(), flight])));
}

#[test]
fn columns_are_added_as_sqlite_does_it() {
    let mut after = airline();
    let column = |name: &str, ty: &str| Column::new(name, ty);
    after.columns.push(column("note", "TEXT"));
    after.columns.push(Column {
        nullable: false,
        default: Some("'new'".into()),
        ..column("status", "TEXT")
    });
    after.columns.push(Column { nullable: false, ..column("country", "TEXT") });
    after.columns.push(column("alliance", "INTEGER"));
    after.checks = vec![check_of("status IN ('new', 'old')"), check_of("fleet > alliance")];
    let mut alliance = table("alliance", &[("id", "INTEGER")]);
    alliance.primary_key = Some(PrimaryKey { name: None, columns: vec!["id".into()] });
    after.foreign_keys = vec![reference("alliance", "alliance")];
    let (current, desired) = ([airline(), alliance.clone()], [after, alliance]);
    insta::assert_snapshot!(shown(&plan(&Scope::managed(), &current, &desired)));
}

#[test]
fn a_table_is_written_anew_with_everything_that_hangs_on_it() {
    let mut after = airline();
    after.columns[1].nullable = false;
    after.columns[2] = Column { default: Some("0".into()), ..Column::new("fleet", "TEXT") };
    after
        .columns
        .push(Column { default: Some("CURRENT_TIMESTAMP".into()), ..Column::new("at", "TEXT") });
    after.checks = vec![check_of("length(iata) = 2")];
    insta::assert_snapshot!(shown(&plan(&Scope::Exact, &[airline()], &[after])));
}

#[test]
fn what_adds_a_rule_alone_can_be_taken_back() {
    let mut after = airline();
    after.checks = vec![check_of("fleet >= 0")];
    insta::assert_snapshot!(shown(&plan(&Scope::managed(), &[airline()], &[after])));
}

#[test]
fn renames_come_after_what_is_written_anew() {
    let mut after = airline();
    after.name = TableName::new("carrier");
    after.renamed_from = Some("airline".into());
    after.columns[1].name = "code".into();
    after.columns[1].renamed_from = Some("iata".into());
    after.columns[1].nullable = false;
    after.columns.push(Column::new("note", "TEXT"));
    after.indexes = vec![Index::new("carrier_note_idx", &["note", "code"])];
    after.indexes[0].unique = true;
    let mut flight = table("flight", &[("airline", "INTEGER")]);
    flight.foreign_keys = vec![reference("airline", "airline")];
    let mut flight_after = flight.clone();
    flight_after.foreign_keys = vec![reference("airline", "carrier")];
    let (current, desired) = ([airline(), flight], [after, flight_after]);
    insta::assert_snapshot!(shown(&plan(&Scope::managed(), &current, &desired)));
}

#[test]
fn what_goes_is_counted() {
    let mut after = airline();
    after.columns.truncate(2);
    after.indexes.clear();
    let gone = table("gone", &[("a", "TEXT")]);
    insta::assert_snapshot!(shown(&plan(&Scope::Exact, &[airline(), gone], &[after])));
}

#[test]
fn what_a_trigger_or_a_view_uses_is_not_dropped() {
    let mut after = airline();
    after.columns.remove(1);
    after.indexes.clear();
    let mut gone = table("gone", &[("a", "TEXT")]);
    let sql = "CREATE VIEW v AS SELECT a FROM gone".to_owned();
    gone.dependents = vec![Dependent { name: "v".into(), sql, is_own: false }];
    insta::assert_snapshot!(shown(&plan(&Scope::Exact, &[airline(), gone], &[after])));
}

#[test]
fn options_of_a_table_change_with_its_rows() {
    let mut strict = airline();
    strict.strict = true;
    let mut without = table("t", &[("a", "TEXT")]);
    without.columns[0].nullable = false;
    without.primary_key = Some(PrimaryKey { name: None, columns: vec!["a".into()] });
    let plain = without.clone();
    without.without_rowid = true;
    insta::assert_snapshot!(shown(&plan(&Scope::Exact, &[airline(), plain], &[strict, without])));
}
