//! Plans that begin where a run was broken off.

use super::*;
use crate::{Class, Column, PrimaryKey, ReferentialAction, Scope, Step, Unique};

fn table(name: &str, key: &str, columns: &[(&str, &str)]) -> Table {
    let mut table = Table::new(TableName::new(name));
    let column = |(name, ty): &(&str, &str)| Column { nullable: false, ..Column::new(*name, *ty) };
    table.columns = columns.iter().map(column).collect();
    let name = Some(format!("{name}_pkey"));
    table.primary_key = Some(PrimaryKey { name, columns: vec![key.into()] });
    table
}

fn reference() -> ForeignKey {
    ForeignKey {
        name: Some("refers".into()),
        columns: vec!["up".into()],
        target: TableName::new("parent"),
        target_columns: vec!["id".into()],
        on_delete: ReferentialAction::Cascade,
        on_update: ReferentialAction::NoAction,
        deferrable: None,
        validated: true,
    }
}

fn family(ty: &str, has_reference: bool) -> Catalog {
    let parent = table("parent", "id", &[("id", ty)]);
    let mut child = table("child", "id", &[("id", "bigint"), ("up", ty)]);
    child.foreign_keys.extend(has_reference.then(reference));
    Catalog { enums: Vec::new(), tables: vec![child, parent] }
}

fn missing() -> Vec<MissingReference> {
    vec![MissingReference { table: TableName::new("child"), key: reference() }]
}

fn plan(dialect: Dialect, current: &Catalog, desired: &Catalog) -> Plan {
    Plan::restoring(dialect, &Scope::managed(), current, desired, &missing())
}

fn changed(catalog: &Catalog, table: &str, change: impl Fn(&mut Table)) -> Catalog {
    let mut catalog = catalog.clone();
    let mut tables = catalog.tables.iter_mut();
    change(tables.find(|of| of.name.name == table).unwrap());
    catalog
}

fn only(plan: &Plan) -> &Step {
    assert_eq!(plan.steps.len(), 1, "{plan:#?}");
    &plan.steps[0]
}

const SERVERS: [Dialect; 3] = [Dialect::MariaDb, Dialect::MySql, Dialect::Postgres];

#[test]
fn what_is_off_depends_on_how_far_a_run_came() {
    let (current, desired) = (family("int", true), family("bigint", false));
    let plan = Plan::between(Dialect::MySql, &Scope::managed(), &current, &desired);
    let descriptions: Vec<_> = plan.steps.iter().map(|step| step.description.as_str()).collect();
    assert_eq!(descriptions.len(), 4, "{descriptions:?}");
    // Whether the first step is done is not known as long as nobody has said so.
    for done in 0..4 {
        assert_eq!(plan.missing_references(done), missing(), "{done}");
    }
    assert!(plan.missing_references(4).is_empty());
    // One that was not taken off by then, and that nobody finds, was dropped by somebody.
    let mut later = plan.clone();
    later.steps.rotate_right(1);
    later.steps.swap(0, 3);
    assert!(matches!(later.steps[1].interlude, Some(Interlude::TakesOff(_))), "{later:#?}");
    assert!(later.missing_references(0).is_empty());
    // The next plan only puts it back, and until that is done it is off.
    later.steps.remove(1);
    assert_eq!(later.missing_references(0), missing());
    assert!(later.only_puts_back(&later.steps[2]) && !plan.only_puts_back(&plan.steps[3]));
}

#[test]
fn what_is_off_is_put_back_after_everything_else() {
    for dialect in [Dialect::MariaDb, Dialect::MySql] {
        let halfway = changed(&family("int", false), "parent", |of| {
            of.columns[0].ty = "bigint".into();
        });
        let plan = plan(dialect, &halfway, &family("bigint", false));
        let last = plan.steps.last().unwrap();
        assert_eq!(last.interlude, Some(Interlude::PutsBack(reference())), "{plan:#?}");
        assert_eq!(plan.steps.len(), 2, "{plan:#?}");
    }
}

#[test]
fn what_is_off_is_put_back_where_nothing_else_is_to_be_done() {
    for dialect in SERVERS {
        let found = family("bigint", false);
        let plan = plan(dialect, &found, &found);
        let step = only(&plan);
        assert_eq!(step.class, Class::Additive);
        assert!(step.statements[0].contains("refers") && step.probe.is_some(), "{step:#?}");
        assert_eq!(plan.from, found.fingerprint());
    }
}

#[test]
fn what_is_there_or_has_no_place_is_not_put_back() {
    for dialect in SERVERS {
        let there = family("bigint", true);
        assert!(plan(dialect, &there, &there).is_empty());
        let other = changed(&there, "child", |of| of.foreign_keys[0].name = Some("x".into()));
        assert!(plan(dialect, &other, &other).is_empty());
        let found = family("bigint", false);
        let renamed = changed(&found, "child", |of| of.columns[1].name = "other".into());
        assert!(plan(dialect, &renamed, &renamed).is_empty());
        let mut alone = found.clone();
        alone.tables.remove(1);
        assert!(plan(dialect, &alone, &alone).is_empty());
        assert!(!missing()[0].fits(dialect, &alone) && missing()[0].fits(dialect, &found));
    }
    let found = family("bigint", false);
    assert!(plan(Dialect::Sqlite, &found, &found).is_empty());
}

#[test]
fn one_that_a_model_wants_keeps_the_name_that_it_had() {
    for dialect in SERVERS {
        let wanted = changed(&family("bigint", true), "child", |of| {
            of.foreign_keys[0].name = Some("child_up_fkey".into());
        });
        let plan = plan(dialect, &family("bigint", false), &wanted);
        assert!(only(&plan).statements[0].contains("refers"), "{plan:#?}");
    }
}

#[test]
fn one_that_a_model_wants_otherwise_is_not_put_back() {
    for dialect in SERVERS {
        let wanted = changed(&family("bigint", true), "child", |of| {
            of.foreign_keys[0].on_delete = ReferentialAction::SetNull;
        });
        let plan = plan(dialect, &family("bigint", false), &wanted);
        let step = only(&plan);
        assert!(step.interlude.is_none() && step.statements[0].contains("SET NULL"), "{step:#?}");
    }
}

#[test]
fn a_reference_follows_the_names_of_its_columns() {
    for dialect in SERVERS {
        let wanted = changed(&family("bigint", false), "child", |of| {
            of.columns[1].name = "above".into();
            of.columns[1].renamed_from = Some("up".into());
        });
        let plan = plan(dialect, &family("bigint", false), &wanted);
        let last = plan.steps.last().unwrap();
        let Some(Interlude::PutsBack(key)) = &last.interlude else { panic!("{plan:#?}") };
        assert_eq!(key.columns, ["above"]);
    }
}

/// It would be taken off, and could not be put back.
#[test]
fn a_reference_that_would_not_fit_any_more_is_not_taken_off() {
    let desired = changed(&family("int", false), "parent", |of| of.columns[0].ty = "bigint".into());
    for current in [family("int", true), family("int", false)] {
        let plan = plan(Dialect::MySql, &current, &desired);
        assert!(plan.steps.iter().any(|step| step.class == Class::Unsupported), "{plan:#?}");
        assert!(plan.steps.iter().all(|step| step.interlude.is_none()), "{plan:#?}");
    }
}

#[test]
fn a_reference_that_was_not_checked_is_checked() {
    let found =
        changed(&family("bigint", true), "child", |of| of.foreign_keys[0].validated = false);
    assert!(missing()[0].is_missing(Dialect::Postgres, &found));
    let expected = ["ALTER TABLE \"child\" VALIDATE CONSTRAINT \"refers\""];
    let step = plan(Dialect::Postgres, &found, &found).steps.remove(0);
    assert_eq!(step.statements, expected);
    // The same if a model wants it.
    let wanted = family("bigint", true);
    let plan = plan(Dialect::Postgres, &found, &wanted);
    assert_eq!(only(&plan).statements, expected);
}

#[test]
fn a_key_that_is_gone_can_not_be_referred_to() {
    let keyless = changed(&family("bigint", false), "parent", |of| of.primary_key = None);
    let refused = plan(Dialect::Postgres, &keyless, &keyless);
    assert_eq!(only(&refused).class, Class::Unsupported);
    assert!(!missing()[0].fits(Dialect::Postgres, &keyless));
    let unique = changed(&keyless, "parent", |of| {
        of.uniques = vec![Unique {
            name: Some("u".into()),
            columns: vec!["id".into()],
            nulls_not_distinct: false,
            deferrable: None,
            include: Vec::new(),
        }];
    });
    let plan = plan(Dialect::Postgres, &keyless, &unique);
    assert!(matches!(plan.steps.last().unwrap().interlude, Some(Interlude::PutsBack(_))));
}

#[test]
fn plans_of_before_are_still_read() {
    let plan = plan(Dialect::Postgres, &family("int", true), &family("bigint", true));
    assert!(!plan.is_empty());
    let json = serde_json::to_string(&plan).unwrap();
    assert!(!json.contains("interlude"), "{json}");
    assert_eq!(serde_json::from_str::<Plan>(&json).unwrap(), plan);
}
