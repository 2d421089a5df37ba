//! Whole plans as they are shown, and the class of each change.

use std::fmt::Write as _;

use crate::{
    Catalog, Check, Class, Column, Dialect, EnumType, ForeignKey, Generated, Identity, Index,
    IndexPart, NullsOrder, Plan, Policy, PrimaryKey, ReferentialAction, Scope, Table, TableName,
    Undo, Unique,
};

/// What closes every quote and every comment there is.
const HOSTILE: &str = "x'\"; DROP TABLE y; -- $larder$ \\";

fn name(table: &str) -> TableName {
    TableName::in_schema("app", table)
}

fn table(of: &str, columns: &[(&str, &str)]) -> Table {
    let mut table = Table::new(name(of));
    table.columns = columns.iter().map(|(name, ty)| Column::new(*name, *ty)).collect();
    table
}

fn catalog(tables: &[&Table]) -> Catalog {
    let tables = tables.iter().map(|table| (*table).clone()).collect();
    Catalog { tables, ..Catalog::default() }
}

fn changed(table: &Table, change: impl FnOnce(&mut Table)) -> Table {
    let mut table = table.clone();
    change(&mut table);
    table
}

fn plan(current: &Catalog, desired: &Catalog) -> Plan {
    Plan::between(Dialect::Postgres, &Scope::Exact, current, desired)
}

/// A plan as a person reads it.
fn shown(plan: &Plan) -> String {
    let mut text = String::new();
    for step in &plan.steps {
        let alone = if step.transactional { "" } else { ", outside of a transaction" };
        let _ = writeln!(text, "{}: {}", step.table, step.description);
        let _ = writeln!(text, "  {}, waiting: {:?}{alone}", step.class, step.lock);
        if let Some(reason) = &step.reason {
            let _ = writeln!(text, "  because {reason}");
        }
        if let Some(probe) = &step.probe {
            let _ = writeln!(text, "  ? {}\n    -- {}", probe.sql, probe.what);
        }
        for sql in &step.statements {
            let _ = writeln!(text, "  > {}", sql.replace('\n', "\n    "));
        }
        match &step.undo {
            Undo::Irreversible => text.push_str("  < nothing brings it back\n"),
            Undo::Statements(statements) => {
                for sql in statements {
                    let _ = writeln!(text, "  < {}", sql.replace('\n', "\n    "));
                }
            }
        }
    }
    text
}

fn person() -> Table {
    changed(
        &table(
            "person",
            &[("id", "bigint"), ("name", "character varying(20)"), ("age", "integer")],
        ),
        |table| {
            table.columns[0].nullable = false;
            table.columns[0].identity = Some(Identity::ByDefault);
            table.columns[1].default = Some("'x'::character varying".into());
            let name = Some("person_pkey".into());
            table.primary_key = Some(PrimaryKey { name, columns: vec!["id".into()] });
        },
    )
}

fn unique(name: &str, columns: &[&str]) -> Unique {
    Unique {
        name: Some(name.into()),
        columns: columns.iter().map(|column| (*column).to_owned()).collect(),
        nulls_not_distinct: false,
        deferrable: None,
        include: Vec::new(),
    }
}

fn check(name: &str, expression: &str) -> Check {
    Check { name: Some(name.into()), expression: expression.into(), validated: true }
}

fn reference(name: &str, column: &str, target: &str) -> ForeignKey {
    ForeignKey {
        name: Some(name.into()),
        columns: vec![column.into()],
        target: self::name(target),
        target_columns: vec!["id".into()],
        on_delete: ReferentialAction::NoAction,
        on_update: ReferentialAction::NoAction,
        deferrable: None,
        validated: true,
    }
}

fn mood(labels: &[&str]) -> EnumType {
    let labels = labels.iter().map(|label| (*label).to_owned()).collect();
    EnumType { name: name("mood"), labels }
}

#[test]
fn tables_are_created_with_everything_in_them() {
    let mut everything = person();
    everything.comment = Some("who".into());
    everything.columns[1].comment = Some(HOSTILE.into());
    everything.columns[1].collation = Some("\"C\"".into());
    let generated = Generated { expression: "age * 2".into(), stored: true };
    everything
        .columns
        .push(Column { generated: Some(generated), ..Column::new("double", "integer") });
    let serial = Column { identity: Some(Identity::Serial), ..Column::new("turn", "integer") };
    everything.columns.push(serial);
    everything.uniques.push(Unique {
        deferrable: Some(true),
        include: vec!["age".into()],
        nulls_not_distinct: true,
        ..unique("one", &["name"])
    });
    everything.checks.push(check("adult", "age > 17"));
    everything.checks.push(Check { validated: false, ..check("later", "age < 200") });
    let mut parent = reference("parent", "age", "person");
    parent.on_delete = ReferentialAction::SetNull;
    everything.foreign_keys.push(parent);
    everything.indexes.push(Index {
        unique: true,
        method: Some("btree".into()),
        parts: vec![
            IndexPart { descending: true, ..IndexPart::expression("lower(name)") },
            IndexPart {
                nulls: Some(NullsOrder::First),
                collation: Some("\"C\"".into()),
                opclass: Some("text_pattern_ops".into()),
                ..IndexPart::column("name")
            },
        ],
        include: vec!["age".into()],
        predicate: Some("age > 5".into()),
        nulls_not_distinct: true,
        ..Index::new("by_name", &[])
    });
    let mut first = table("first", &[("second", "bigint"), ("id", "bigint")]);
    first.foreign_keys.push(reference("circle", "second", "second"));
    let mut second = table("second", &[("first", "bigint"), ("id", "bigint")]);
    second.foreign_keys.push(reference("circle", "first", "first"));
    let desired =
        Catalog { enums: vec![mood(&["a", HOSTILE])], tables: vec![first, everything, second] };
    insta::assert_snapshot!(shown(&plan(&Catalog::default(), &desired)));
}

#[test]
fn names_and_texts_end_nothing_that_they_stand_in() {
    let mut before = table(HOSTILE, &[(HOSTILE, "integer")]);
    before.name.schema = Some(HOSTILE.into());
    let mut after = changed(&before, |table| {
        table.columns[0].identity = Some(Identity::ByDefault);
        table.columns[0].nullable = false;
        table.columns[0].comment = Some(HOSTILE.into());
        table.comment = Some(HOSTILE.into());
        table.uniques.push(unique(HOSTILE, &[HOSTILE]));
        table.indexes.push(Index::new(format!("{HOSTILE}2"), &[HOSTILE]));
    });
    after
        .columns
        .push(Column { identity: Some(Identity::Serial), ..Column::new("it's", "bigint") });
    let of = |labels: &[&str]| EnumType {
        name: TableName::in_schema(HOSTILE, "mood"),
        labels: labels.iter().map(|label| (*label).to_owned()).collect(),
    };
    let current = Catalog { enums: vec![of(&["a"])], tables: vec![before] };
    let desired = Catalog { enums: vec![of(&[HOSTILE, "a", "it's"])], tables: vec![after] };
    insta::assert_snapshot!(shown(&plan(&current, &desired)));
}

#[test]
fn columns_change_one_difference_at_a_time() {
    let before = person();
    let after = changed(&before, |table| {
        table.columns[0].identity = Some(Identity::Always);
        table.columns[1].ty = "text".into();
        table.columns[1].default = Some("'y'::text".into());
        table.columns[1].nullable = false;
        table.columns[1].comment = Some("called".into());
        table.columns[2].ty = "bigint".into();
        table.columns[2].default = Some("'-1'::integer".into());
        table.columns.push(Column::new("note", "text"));
        let now = Some("now()".to_owned());
        let at = Column::new("at", "timestamp with time zone");
        table.columns.push(Column { default: now, nullable: false, ..at });
        let random = Some("gen_random_uuid()".to_owned());
        table.columns.push(Column { default: random, ..Column::new("key", "uuid") });
        table.columns.push(Column { nullable: false, ..Column::new("must", "integer") });
    });
    insta::assert_snapshot!(shown(&plan(&catalog(&[&before]), &catalog(&[&after]))));
}

#[test]
fn constraints_come_while_others_write() {
    let before = person();
    let team = changed(&table("team", &[("id", "bigint")]), |table| {
        table.columns[0].nullable = false;
    });
    let keyed = changed(&team, |table| {
        let name = Some("team_pkey".into());
        table.primary_key = Some(PrimaryKey { name, columns: vec!["id".into()] });
    });
    let after = changed(&before, |table| {
        table.columns.push(Column::new("team", "bigint"));
        table.uniques.push(unique("person_name_key", &["name"]));
        table.indexes.push(Index::new("person_age_idx", &["age"]));
        table.checks.push(check("adult", "age > 17"));
        table.foreign_keys.push(reference("person_age_fkey", "age", "team"));
        table.foreign_keys.push(reference("person_team_fkey", "team", "team"));
    });
    let plan = plan(&catalog(&[&before, &team]), &catalog(&[&after, &keyed]));
    insta::assert_snapshot!(shown(&plan));
}

#[test]
fn what_goes_says_what_is_lost() {
    let before = changed(&person(), |table| {
        table.uniques.push(unique("person_name_key", &["name"]));
        table.indexes.push(Index::new("person_age_idx", &["age"]));
        table.checks.push(check("adult", "age > 17"));
        let generated = Generated { expression: "age * 2".into(), stored: true };
        table
            .columns
            .push(Column { generated: Some(generated), ..Column::new("double", "integer") });
        table.foreign_keys.push(reference("parent", "id", "person"));
    });
    let after = changed(&person(), |table| {
        table.columns.pop();
    });
    let gone = table("gone", &[("a", "integer")]);
    let current = Catalog { enums: vec![mood(&["a"])], ..catalog(&[&gone, &before]) };
    insta::assert_snapshot!(shown(&plan(&current, &catalog(&[&after]))));
}

#[test]
fn renames_come_first_and_questions_use_the_former_names() {
    let before = person();
    let mut after = changed(&before, |table| {
        table.name.name = "human".into();
        table.renamed_from = Some("person".into());
        table.columns[1].name = "called".into();
        table.columns[1].renamed_from = Some("name".into());
        table.columns[1].nullable = false;
        table.columns[1].ty = "character varying(10)".into();
        table.columns.remove(2);
    });
    after.uniques.push(unique("human_called_key", &["called"]));
    insta::assert_snapshot!(shown(&plan(&catalog(&[&before]), &catalog(&[&after]))));
}

#[test]
fn labels_are_added_in_place_or_take_a_new_type() {
    let users =
        changed(&table("person", &[("mood", "app.mood"), ("moods", "app.mood[]")]), |table| {
            table.columns[0].default = Some("'b'::app.mood".into());
            table.checks.push(check("c", "mood <> 'c'::app.mood"));
            let predicate = Some("mood = 'b'::app.mood".into());
            table.indexes.push(Index { predicate, ..Index::new("i", &["mood"]) });
        });
    let with = |labels: &[&str]| Catalog { enums: vec![mood(labels)], ..catalog(&[&users]) };
    let added = plan(&with(&["b", "c"]), &with(&["a", "b", "b2", "c", "d"]));
    insta::assert_snapshot!("labels_that_come", shown(&added));
    let gone = plan(&with(&["a", "b", "c"]), &with(&["b", "c"]));
    insta::assert_snapshot!("labels_that_go", shown(&gone));
    let moved = plan(&with(&["a", "b", "c"]), &with(&["c", "b", "a"]));
    assert_eq!(moved.steps[0].class, Class::Rewrite);
}

#[test]
fn numbers_go_on_where_they_were() {
    let identity =
        [None, Some(Identity::Serial), Some(Identity::ByDefault), Some(Identity::Always)];
    let of = |identity| {
        changed(&table("t", &[("id", "integer")]), |table| {
            table.columns[0].nullable = false;
            table.columns[0].identity = identity;
        })
    };
    let mut text = String::new();
    for from in identity {
        for to in identity.into_iter().filter(|to| *to != from) {
            let plan = plan(&catalog(&[&of(from)]), &catalog(&[&of(to)]));
            let _ = writeln!(text, "{from:?} to {to:?}\n{}", shown(&plan));
        }
    }
    insta::assert_snapshot!(text);
}

#[test]
fn computed_columns_are_made_anew_with_what_goes_with_them() {
    let generated =
        |expression: &str| Some(Generated { expression: expression.to_owned(), stored: true });
    let before = changed(&table("t", &[("a", "integer"), ("g", "integer")]), |table| {
        table.columns[1].generated = generated("a + 1");
        table.uniques.push(unique("u", &["g"]));
        table.checks.push(check("c", "g > 0"));
        table.indexes.push(Index { include: vec!["g".into()], ..Index::new("i", &["a"]) });
    });
    let after = changed(&before, |table| table.columns[1].generated = generated("a + 2"));
    let plain = changed(&before, |table| table.columns[1].generated = None);
    let steps = |from: &Table, to: &Table| shown(&plan(&catalog(&[from]), &catalog(&[to])));
    let all = [steps(&before, &after), steps(&before, &plain), steps(&plain, &before)].join("\n");
    insta::assert_snapshot!(all);
}

#[test]
fn what_nobody_but_a_person_knows_is_refused_with_a_reason() {
    let before = table("t", &[("a", "text"), ("b", "integer"), ("old", "text")]);
    let mut refused = Vec::new();
    let mut refuse = |current: &Catalog, scope: &Scope, desired: &Catalog| {
        let plan = Plan::between(Dialect::Postgres, scope, current, desired);
        for policy in [Policy::Additive, Policy::Safe, Policy::Full] {
            assert!(!plan.refused(policy, &vec![Some(0); plan.steps.len()]).is_empty());
        }
        refused.push(shown(&plan));
    };
    let exact = Scope::Exact;
    let number = changed(&before, |table| table.columns[0].ty = "integer".into());
    refuse(&catalog(&[&before]), &exact, &catalog(&[&number]));
    let computed = changed(&before, |table| {
        let generated = Generated { expression: "b + 1".into(), stored: true };
        table.columns.push(Column { generated: Some(generated), ..Column::new("g", "integer") });
    });
    let wide = changed(&computed, |table| table.columns[1].ty = "bigint".into());
    refuse(&catalog(&[&computed]), &exact, &catalog(&[&wide]));
    let opaque = changed(&before, |table| table.opaque = Some("it is partitioned".into()));
    refuse(&catalog(&[&opaque]), &exact, &catalog(&[&number]));
    let indexed = changed(&before, |table| table.indexes.push(Index::new("i", &["a"])));
    let mut other = indexed.clone();
    other.name = name("other");
    refuse(&catalog(&[&indexed]), &Scope::managed(), &catalog(&[&indexed, &other]));
    let renamed = changed(&before, |table| table.columns[2].name = "new".into());
    let columns = before.columns.iter().map(|column| column.name.clone()).collect();
    let previously = [(before.name.clone(), columns)].into();
    refuse(&catalog(&[&before]), &Scope::Managed { previously }, &catalog(&[&renamed]));
    insta::assert_snapshot!(refused.join("\n"));
}

#[test]
fn an_existing_numbering_and_an_existing_text_will_do() {
    let found = changed(&table("t", &[("id", "bigint"), ("a", "character varying(9)")]), |table| {
        table.columns[0].identity = Some(Identity::Serial);
        table.columns[1].default = Some("'x'::character varying".into());
    });
    let wanted = changed(&table("t", &[("id", "bigint"), ("a", "text")]), |table| {
        table.columns[0].identity = Some(Identity::ByDefault);
        table.columns[1].kind = Some(crate::ColumnKind::Text);
        table.columns[1].default = Some("'x'::text".into());
    });
    let managed = Scope::managed();
    let plan =
        Plan::between(Dialect::Postgres, &managed, &catalog(&[&found]), &catalog(&[&wanted]));
    assert!(plan.is_empty(), "{}", shown(&plan));
}

#[test]
fn a_constraint_that_was_not_checked_is_only_checked() {
    let parent = person();
    let whole = changed(&table("t", &[("a", "bigint")]), |table| {
        table.checks.push(check("c", "a > 0"));
        table.foreign_keys.push(reference("f", "a", "person"));
    });
    let begun = changed(&whole, |table| {
        table.checks[0].validated = false;
        table.foreign_keys[0].validated = false;
    });
    let plan = plan(&catalog(&[&parent, &begun]), &catalog(&[&parent, &whole]));
    let statements: Vec<_> = plan.statements().collect();
    assert_eq!(
        statements,
        [
            "ALTER TABLE \"app\".\"t\" VALIDATE CONSTRAINT \"c\"",
            "ALTER TABLE \"app\".\"t\" VALIDATE CONSTRAINT \"f\"",
        ]
    );
}

#[test]
fn a_key_that_others_refer_to_is_not_taken_away() {
    let parent = person();
    let child = changed(&table("t", &[("a", "bigint")]), |table| {
        table.foreign_keys.push(reference("f", "a", "person"));
    });
    let keyless = changed(&parent, |table| table.primary_key = None);
    let refused = plan(&catalog(&[&parent, &child]), &catalog(&[&keyless, &child]));
    assert_eq!(refused.steps[0].class, Class::Unsupported, "{}", shown(&refused));
    // With another key of the same columns the reference goes for a while.
    let other = changed(&keyless, |table| table.uniques.push(unique("u", &["id"])));
    let moved = plan(&catalog(&[&parent, &child]), &catalog(&[&other, &child]));
    let order: Vec<_> = moved.steps.iter().map(|step| step.description.as_str()).collect();
    assert_eq!(
        order,
        [
            "drop foreign key (a) to app.person",
            "drop primary key",
            "add unique (id)",
            "add foreign key (a) to app.person",
        ]
    );
}

#[test]
fn a_constraint_whose_name_is_taken_gets_another_one() {
    let found = changed(&table("t", &[("a", "integer")]), |table| {
        table.checks.push(check("t_check1", "a > 0"));
    });
    let wanted = changed(&found, |table| {
        table.checks = vec![check("t_check1", "a < 9"), check("t_check2", "a > 0")];
    });
    let plan = Plan::between(
        Dialect::Postgres,
        &Scope::managed(),
        &catalog(&[&found]),
        &catalog(&[&wanted]),
    );
    let first = plan.statements().next().unwrap();
    assert_eq!(
        first,
        "ALTER TABLE \"app\".\"t\" ADD CONSTRAINT \"t_check1_1\" CHECK (a < 9) NOT VALID"
    );
}

#[test]
fn a_missing_schema_comes_before_everything_in_it() {
    let [one, other] = [table("one", &[("id", "bigint")]), table("other", &[("id", "bigint")])];
    let missing = ["app", "another"].map(str::to_owned).into();
    let plan = plan(&catalog(&[]), &catalog(&[&one, &other])).with_missing_schemas(&missing);
    let [create, first, _] = plan.steps.as_slice() else { panic!("{plan:#?}") };
    assert_eq!(create.statements, ["CREATE SCHEMA IF NOT EXISTS \"app\""]);
    assert_eq!((create.class, &create.table), (Class::Additive, &first.table));
    assert_eq!(create.undo, Undo::Statements(vec!["DROP SCHEMA \"app\"".into()]));
}

#[test]
fn a_check_that_a_plan_left_behind_goes() {
    let is_filled = "age IS NOT NULL";
    let left = changed(&person(), |table| {
        table.checks.push(check("person_age_is_filled", is_filled));
        table.checks.push(check("of_somebody_else", is_filled));
    });
    let statements = |before: &Table, after: &Table| -> Vec<String> {
        let plan = Plan::between(
            Dialect::Postgres,
            &Scope::managed(),
            &catalog(&[before]),
            &catalog(&[after]),
        );
        plan.statements().map(str::to_owned).collect()
    };
    let filled = |table: &Table| changed(table, |table| table.columns[2].nullable = false);
    let drop = "ALTER TABLE \"app\".\"person\" DROP CONSTRAINT \"person_age_is_filled\"";
    assert_eq!(statements(&left, &person()), [drop]);
    assert_eq!(statements(&filled(&left), &filled(&person())), [drop]);
    // What is begun is gone on with, and the check is not made again.
    let set = "ALTER TABLE \"app\".\"person\" ALTER COLUMN \"age\" SET NOT NULL";
    assert_eq!(statements(&left, &filled(&person())), [set, drop]);
}
