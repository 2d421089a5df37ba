//! What a comparison finds, and in which order.

use super::*;
use crate::{
    Check, Column, ColumnKind, EnumType, Identity, Index, IndexPart, PrimaryKey, ReferentialAction,
    Unique,
};

const ALL: [Dialect; 4] = [Dialect::MariaDb, Dialect::MySql, Dialect::Postgres, Dialect::Sqlite];

fn table(name: &str, columns: &[&str]) -> Table {
    let mut table = Table::new(TableName::new(name));
    table.columns = columns.iter().map(|name| Column::new(*name, "TEXT")).collect();
    table
}

fn catalog(tables: &[Table]) -> Catalog {
    let mut catalog = Catalog { enums: Vec::new(), tables: tables.to_vec() };
    catalog.sort();
    catalog
}

fn reference(column: &str, target: &str, target_column: &str) -> ForeignKey {
    ForeignKey {
        name: None,
        columns: vec![column.to_owned()],
        target: TableName::new(target),
        target_columns: vec![target_column.to_owned()],
        on_delete: ReferentialAction::NoAction,
        on_update: ReferentialAction::NoAction,
        deferrable: None,
        validated: true,
    }
}

fn unique(columns: &[&str]) -> Unique {
    Unique {
        name: None,
        columns: columns.iter().map(|&name| name.to_owned()).collect(),
        nulls_not_distinct: false,
        deferrable: None,
        include: Vec::new(),
    }
}

fn named_check(name: Option<&str>, expression: &str) -> Check {
    Check { name: name.map(str::to_owned), expression: expression.to_owned(), validated: true }
}

fn key(columns: &[&str]) -> Option<PrimaryKey> {
    let columns = columns.iter().map(|&name| name.to_owned()).collect();
    Some(PrimaryKey { name: None, columns })
}

/// The changes as they read, each behind its table.
fn shown(found: &Comparison) -> Vec<String> {
    found.changes.iter().map(|change| format!("{}: {change}", change.table())).collect()
}

#[track_caller]
fn check_all(scope: &Scope, current: &[Table], desired: &[Table], expected: &[&str]) {
    for dialect in ALL {
        let found = compare(dialect, scope, &catalog(current), &catalog(desired));
        assert_eq!(shown(&found), expected, "{dialect}");
    }
}

fn told(scope: &Scope, current: &[Table], desired: &[Table]) -> Vec<String> {
    let found = compare(Dialect::Sqlite, scope, &catalog(current), &catalog(desired));
    found.unmanaged.into_iter().map(|of| format!("{} {}", of.table, of.text)).collect()
}

#[test]
fn what_is_there_is_no_change() {
    let mut one = table("t", &["a", "b"]);
    one.primary_key = key(&["a"]);
    one.uniques = vec![unique(&["b"]), unique(&["a", "b"])];
    one.indexes = vec![Index::new("i", &["b"]), Index::new("j", &["a"])];
    one.checks = vec![named_check(Some("c"), "a > b"), named_check(None, "a > 0")];
    one.foreign_keys = vec![reference("b", "t", "a")];
    let mut other = one.clone();
    other.columns.reverse();
    other.uniques.reverse();
    other.indexes.reverse();
    other.checks.reverse();
    other.checks[0].name = Some("other".into());
    for scope in [Scope::Exact, Scope::managed()] {
        check_all(&scope, std::slice::from_ref(&one), std::slice::from_ref(&other), &[]);
    }
}

#[test]
fn tables_come_after_those_that_they_refer_to() {
    let mut a = table("a", &["b"]);
    a.foreign_keys = vec![reference("b", "b", "c"), reference("b", "a", "b")];
    let mut b = table("b", &["c"]);
    b.foreign_keys = vec![reference("c", "c", "x")];
    let c = table("c", &["x"]);
    let found = compare(
        Dialect::Postgres,
        &Scope::Exact,
        &Catalog::default(),
        &catalog(&[a.clone(), b.clone(), c.clone()]),
    );
    assert_eq!(
        shown(&found),
        [
            "c: create table with 1 columns",
            "b: create table with 1 columns",
            "a: create table with 1 columns"
        ]
    );
    // What refers to itself, or to what is there, has its references from the start.
    let Change::CreateTable(created) = &found.changes[2] else { panic!() };
    assert_eq!(created.foreign_keys.len(), 2);
    check_all(&Scope::Exact, &[a, b, c], &[], &["a: drop table", "b: drop table", "c: drop table"]);
}

#[test]
fn tables_that_refer_to_each_other_get_and_lose_references_by_themselves() {
    let mut a = table("a", &["b"]);
    a.foreign_keys = vec![reference("b", "b", "a")];
    let mut b = table("b", &["a"]);
    b.foreign_keys = vec![reference("a", "a", "b")];
    let both = [a, b];
    for dialect in [Dialect::MariaDb, Dialect::MySql, Dialect::Postgres] {
        let found = compare(dialect, &Scope::managed(), &Catalog::default(), &catalog(&both));
        assert_eq!(
            shown(&found),
            [
                "a: create table with 1 columns",
                "b: create table with 1 columns",
                "a: add foreign key (b) to b"
            ]
        );
        let Change::CreateTable(first) = &found.changes[0] else { panic!() };
        assert!(first.foreign_keys.is_empty());
    }
    let found = compare(Dialect::Sqlite, &Scope::managed(), &Catalog::default(), &catalog(&both));
    assert_eq!(found.changes.len(), 2);
    check_all(
        &Scope::Exact,
        &both,
        &[],
        &["b: drop foreign key (a) to a", "a: drop table", "b: drop table"],
    );
}

#[test]
fn changes_stand_in_an_order_in_which_they_can_be_made() {
    let mut before = table("t", &["a", "b", "old"]);
    before.primary_key = key(&["a"]);
    before.indexes = vec![Index::new("i", &["old"])];
    before.checks = vec![named_check(None, "old > 0")];
    let mut after = table("t", &["a", "b", "new"]);
    after.columns[1].nullable = false;
    after.primary_key = key(&["b"]);
    after.indexes = vec![Index::new("i", &["new"])];
    after.uniques = vec![unique(&["new"])];
    after.foreign_keys = vec![reference("new", "u", "x")];
    let gone = table("gone", &["x"]);
    let came = table("u", &["x"]);
    check_all(
        &Scope::Exact,
        &[before, gone],
        &[after, came],
        &[
            "t: drop primary key",
            "t: drop index \"i\"",
            "t: drop check (old > 0)",
            "u: create table with 1 columns",
            "t: change column \"b\": from NULL to NOT NULL",
            "t: add column \"new\" TEXT",
            "t: drop column \"old\"",
            "t: add primary key (b)",
            "t: add unique (new)",
            "t: add index \"i\"",
            "t: add foreign key (new) to u",
            "gone: drop table",
        ],
    );
}

#[test]
fn references_go_before_the_keys_that_they_refer_to() {
    let mut parent = table("a", &["x"]);
    parent.primary_key = key(&["x"]);
    let mut child = table("b", &["x"]);
    child.foreign_keys = vec![reference("x", "a", "x")];
    check_all(
        &Scope::Exact,
        &[parent, child],
        &[table("a", &["x"]), table("b", &["x"])],
        &["b: drop foreign key (x) to a", "a: drop primary key"],
    );
}

#[test]
fn what_nobody_asked_for_stays_and_is_told_about() {
    let mut found = table("t", &["a", "extra", "needed"]);
    found.columns[2].nullable = false;
    found.uniques = vec![unique(&["extra"])];
    found.indexes = vec![Index::new("i", &["extra"])];
    found.checks = vec![named_check(None, "extra > 0")];
    found.foreign_keys = vec![reference("extra", "u", "x")];
    let other = table("other", &["x"]);
    let wanted = table("t", &["a"]);
    let both = [found, other];
    let wanted = [wanted];
    check_all(&Scope::managed(), &both, &wanted, &[]);
    assert_eq!(
        told(&Scope::managed(), &both, &wanted),
        [
            "t has a column \"extra\"",
            "t has a column \"needed\", which has no default and may not be NULL, so that no row \
             can be inserted without it",
            "t is unique in (extra)",
            "t has an index \"i\"",
            "t has a check (extra > 0)",
            "t refers to u",
        ]
    );
    let exact = compare(Dialect::Sqlite, &Scope::Exact, &catalog(&both), &catalog(&wanted));
    assert_eq!(exact.changes.len(), 7);
    assert!(exact.unmanaged.is_empty());
}

#[test]
fn a_rename_takes_everything_along() {
    let mut found = table("old", &["a", "b"]);
    found.primary_key = key(&["a"]);
    found.uniques = vec![unique(&["b", "a"])];
    let mut index = Index::new("i", &["a"]);
    index.parts.push(IndexPart::expression("lower(a)"));
    index.predicate = Some("a > 0".into());
    found.indexes = vec![index];
    found.checks = vec![named_check(None, "a > 0 and 'a' > b")];
    found.foreign_keys = vec![reference("a", "old", "a")];
    let mut child = table("child", &["x"]);
    child.foreign_keys = vec![reference("x", "old", "a")];
    let mut wanted = table("new", &["c", "b"]);
    wanted.renamed_from = Some("old".into());
    wanted.columns[0].renamed_from = Some("a".into());
    wanted.primary_key = key(&["c"]);
    wanted.uniques = vec![unique(&["b", "c"])];
    let mut index = Index::new("i", &["c"]);
    index.parts.push(IndexPart::expression("lower(c)"));
    index.predicate = Some("c > 0".into());
    wanted.indexes = vec![index];
    wanted.checks = vec![named_check(None, "c > 0 and 'a' > b")];
    wanted.foreign_keys = vec![reference("c", "new", "c")];
    let mut wanted_child = table("child", &["x"]);
    wanted_child.foreign_keys = vec![reference("x", "new", "c")];
    for scope in [Scope::Exact, Scope::managed()] {
        for dialect in [Dialect::Postgres, Dialect::Sqlite] {
            let current = catalog(&[found.clone(), child.clone()]);
            let desired = catalog(&[wanted.clone(), wanted_child.clone()]);
            let found = compare(dialect, &scope, &current, &desired);
            assert_eq!(
                shown(&found),
                ["new: rename table from old", "new: rename column \"a\" to \"c\""]
            );
        }
    }
}

#[test]
fn a_former_name_that_is_gone_or_still_wanted_is_no_rename() {
    let mut wanted = table("t", &["a", "b"]);
    wanted.columns[1].renamed_from = Some("a".into());
    let adds = &["t: add column \"b\" TEXT"];
    check_all(&Scope::Exact, &[table("t", &["a"])], &[wanted.clone()], adds);
    let after = [table("t", &["a", "b"])];
    check_all(&Scope::Exact, &after, &[wanted], &[]);
    let mut renamed = table("u", &["a"]);
    renamed.renamed_from = Some("t".into());
    let both = [renamed, table("t", &["a"])];
    let creates = &["u: create table with 1 columns"];
    check_all(&Scope::managed(), &[table("t", &["a"])], &both, creates);
}

#[test]
fn a_column_that_may_have_been_renamed_is_asked_about() {
    let found = table("t", &["a", "foreign"]);
    let wanted = table("t", &["b"]);
    let previously = |columns: &[&str]| {
        let columns = columns.iter().map(|&name| name.to_owned()).collect();
        Scope::Managed { previously: [(TableName::new("t"), columns)].into() }
    };
    let (found, wanted) = ([found], [wanted]);
    let suspects = &["t: \"b\" is missing and \"a\" is there: it may have been renamed"];
    check_all(&previously(&["a"]), &found, &wanted, suspects);
    let adds = &["t: add column \"b\" TEXT"];
    // The last model had neither, or both.
    check_all(&previously(&[]), &found, &wanted, adds);
    check_all(&previously(&["a", "b"]), &found, &wanted, adds);
    check_all(&Scope::managed(), &found, &wanted, adds);
    let mut other = table("t", &["b"]);
    other.columns[0].ty = "INTEGER".into();
    let adds = &["t: add column \"b\" INTEGER"];
    check_all(&previously(&["a"]), &found, &[other], adds);
    let mut said = table("t", &["b"]);
    said.columns[0].renamed_from = Some("a".into());
    let renames = &["t: rename column \"a\" to \"b\""];
    check_all(&previously(&["a"]), &found, &[said], renames);
}

#[test]
fn a_type_that_holds_the_values_will_do() {
    let mut found = table("t", &["a"]);
    found.columns[0].ty = "VARCHAR(36)".into();
    found.columns[0].collation = Some("NOCASE".into());
    let mut wanted = table("t", &["a"]);
    wanted.columns[0].kind = Some(ColumnKind::Text);
    let count = |scope: &Scope, wanted: &Table| {
        let one = |table: &Table| catalog(std::slice::from_ref(table));
        let (current, desired) = (one(&found), one(wanted));
        compare(Dialect::Sqlite, scope, &current, &desired).changes.len()
    };
    assert_eq!(count(&Scope::managed(), &wanted), 0);
    assert_eq!(count(&Scope::Exact, &wanted), 1);
    wanted.columns[0].kind = Some(ColumnKind::Int64);
    assert_eq!(count(&Scope::managed(), &wanted), 1);
    wanted.columns[0].kind = None;
    assert_eq!(count(&Scope::managed(), &wanted), 1);
}

#[test]
fn what_a_model_says_nothing_about_is_taken_over() {
    let mut found = table("t", &["id", "a"]);
    found.columns[0].identity = Some(Identity::AutoIncrement);
    found.columns[1].default = Some("'x'".into());
    found.columns[1].comment = Some("about".into());
    found.columns[1].collation = Some("NOCASE".into());
    found.primary_key = key(&["id"]);
    found.strict = true;
    let mut wanted = table("t", &["id", "a"]);
    check_all(&Scope::managed(), &[found.clone()], &[wanted.clone()], &[]);
    wanted.columns[1].default = Some("'y'".into());
    let expected = &["t: change column \"a\": default 'x' to 'y'"];
    check_all(&Scope::managed(), &[found], &[wanted], expected);
}

#[test]
fn a_key_that_may_be_null_in_the_table_is_not_held_against_it() {
    let mut found = table("t", &["a", "b"]);
    found.primary_key = key(&["b", "a"]);
    let mut wanted = table("t", &["a", "b"]);
    wanted.columns.iter_mut().for_each(|column| column.nullable = false);
    wanted.primary_key = key(&["a", "b"]);
    check_all(&Scope::managed(), &[found.clone()], &[wanted.clone()], &[]);
    let exact = compare(Dialect::Sqlite, &Scope::Exact, &catalog(&[found]), &catalog(&[wanted]));
    assert_eq!(exact.changes.len(), 4);
}

#[test]
fn a_unique_index_is_as_good_as_a_unique_constraint() {
    let mut wanted = table("t", &["a", "b"]);
    wanted.uniques = vec![unique(&["a", "b"])];
    let with = |change: fn(&mut Index)| {
        let mut found = table("t", &["a", "b"]);
        let mut index = Index::new("i", &["b", "a"]);
        index.unique = true;
        change(&mut index);
        found.indexes = vec![index];
        found
    };
    let wanted = [wanted];
    check_all(&Scope::managed(), &[with(|_| {})], &wanted, &[]);
    let adds = &["t: add unique (a, b)"];
    check_all(&Scope::managed(), &[with(|of| of.unique = false)], &wanted, adds);
    check_all(&Scope::managed(), &[with(|of| of.valid = false)], &wanted, adds);
    check_all(&Scope::managed(), &[with(|of| of.predicate = Some("a > 0".into()))], &wanted, adds);
    check_all(&Scope::managed(), &[with(|of| of.parts[0].prefix = Some(3))], &wanted, adds);
    check_all(&Scope::managed(), &[with(|of| of.parts.truncate(1))], &wanted, adds);
    let expected = &["t: drop index \"i\"", "t: add unique (a, b)"];
    check_all(&Scope::Exact, &[with(|_| {})], &wanted, expected);
    // It goes, because another one is to have its name.
    let mut other = wanted.clone();
    other[0].indexes = vec![Index::new("i", &["a"])];
    let expected = &["t: drop index \"i\"", "t: add unique (a, b)", "t: add index \"i\""];
    check_all(&Scope::managed(), &[with(|_| {})], &other, expected);
}

#[test]
fn a_key_is_as_good_as_a_unique_constraint() {
    let mut found = table("t", &["a", "b"]);
    found.primary_key = key(&["a", "b"]);
    let mut wanted = found.clone();
    wanted.primary_key = key(&["b", "a"]);
    wanted.uniques = vec![unique(&["a", "b"])];
    check_all(&Scope::managed(), &[found.clone()], &[wanted.clone()], &[]);
    wanted.primary_key = key(&["a"]);
    let expected = &["t: drop primary key", "t: add primary key (a)", "t: add unique (a, b)"];
    check_all(&Scope::managed(), &[found], &[wanted], expected);
}

#[test]
fn an_index_of_another_name_will_do_and_one_of_the_same_name_is_replaced() {
    let mut found = table("t", &["a", "b"]);
    found.indexes = vec![Index::new("dba", &["a"]), Index::new("i", &["a", "b"])];
    let mut wanted = table("t", &["a", "b"]);
    wanted.indexes = vec![Index::new("mine", &["a"]), Index::new("i", &["b"])];
    let expected = &["t: drop index \"i\"", "t: add index \"i\""];
    check_all(&Scope::managed(), &[found.clone()], &[wanted.clone()], expected);
    // One whose name is to be another's does not stay for its sake.
    wanted.indexes = vec![Index::new("other", &["a", "b"]), Index::new("i", &["b"])];
    let expected = &["t: drop index \"i\"", "t: add index \"other\"", "t: add index \"i\""];
    check_all(&Scope::managed(), &[found], &[wanted], expected);
}

#[test]
fn a_check_of_the_same_name_is_replaced() {
    let mut found = table("t", &["a"]);
    found.checks = vec![named_check(Some("labels"), "a IN ('x')"), named_check(None, "a > 0")];
    let mut wanted = table("t", &["a"]);
    wanted.checks = vec![named_check(Some("labels"), "a IN ('x', 'y')")];
    let (found, wanted) = ([found], [wanted]);
    check_all(
        &Scope::managed(),
        &found,
        &wanted,
        &["t: drop check (a IN ('x'))", "t: add check (a IN ('x', 'y'))"],
    );
    assert_eq!(told(&Scope::managed(), &found, &wanted), ["t has a check (a > 0)"]);
}

#[test]
fn a_reference_that_does_something_else_is_replaced() {
    let mut found = table("t", &["a"]);
    found.foreign_keys = vec![reference("a", "u", "x"), reference("a", "v", "x")];
    let mut wanted = table("t", &["a"]);
    let cascade = ForeignKey { on_delete: ReferentialAction::Cascade, ..reference("a", "u", "x") };
    wanted.foreign_keys = vec![cascade];
    check_all(
        &Scope::managed(),
        &[found],
        &[wanted],
        &["t: drop foreign key (a) to u", "t: add foreign key (a) to u"],
    );
}

#[test]
fn an_opaque_table_is_never_altered() {
    let mut found = table("t", &["a", "b"]);
    found.opaque = Some("it is partitioned".into());
    let same = table("t", &["a", "b"]);
    check_all(&Scope::managed(), std::slice::from_ref(&found), &[same], &[]);
    let wanted = table("t", &["a", "c"]);
    let refused = &["t: it differs and is never altered: it is partitioned"];
    let opaque = std::slice::from_ref(&found);
    check_all(&Scope::managed(), opaque, std::slice::from_ref(&wanted), refused);
    check_all(&Scope::Exact, opaque, &[wanted], refused);
    let mut renamed = table("t", &["a", "c"]);
    renamed.columns[1].renamed_from = Some("b".into());
    check_all(&Scope::managed(), &[found], &[renamed], refused);
}

#[test]
fn what_is_no_table_is_left_alone() {
    let mut view = table("t", &[]);
    view.kind = TableKind::View;
    let wanted = table("t", &["a"]);
    let refused = &["t: it is not an ordinary table"];
    let views = std::slice::from_ref(&view);
    check_all(&Scope::managed(), views, std::slice::from_ref(&wanted), refused);
    check_all(&Scope::Exact, views, &[wanted], refused);
    check_all(&Scope::Exact, views, views, &[]);
    check_all(&Scope::Exact, views, &[], refused);
    check_all(&Scope::Exact, &[], views, refused);
    check_all(&Scope::managed(), views, &[], &[]);
}

#[test]
fn enumerated_types_come_first_and_go_last() {
    let labels = |of: &str, labels: &[&str]| EnumType {
        name: TableName::new(of),
        labels: labels.iter().map(|&label| label.to_owned()).collect(),
    };
    let current = Catalog {
        enums: vec![labels("gone", &["x"]), labels("more", &["x"]), labels("same", &["x"])],
        tables: vec![table("old", &["a"])],
    };
    let desired = Catalog {
        enums: vec![labels("more", &["x", "y"]), labels("new", &["x"]), labels("same", &["x"])],
        tables: vec![table("t", &["a"])],
    };
    let found = compare(Dialect::Postgres, &Scope::Exact, &current, &desired);
    assert_eq!(
        shown(&found),
        [
            "more: change labels from [\"x\"] to [\"x\", \"y\"]",
            "new: create enumerated type [\"x\"]",
            "t: create table with 1 columns",
            "old: drop table",
            "gone: drop enumerated type",
        ]
    );
    let managed = compare(Dialect::Postgres, &Scope::managed(), &current, &desired);
    assert_eq!(managed.changes.len(), 3);
}

#[test]
fn case_tells_names_apart_where_the_database_says_so() {
    let mut found = table("T", &["A", "b"]);
    found.primary_key = key(&["A"]);
    found.indexes = vec![Index::new("i", &["b"])];
    let mut wanted = table("T", &["a", "B"]);
    wanted.primary_key = key(&["a"]);
    wanted.indexes = vec![Index::new("i", &["B"])];
    let (current, desired) = (catalog(&[found]), catalog(&[wanted]));
    for dialect in [Dialect::MariaDb, Dialect::MySql, Dialect::Sqlite] {
        let found = compare(dialect, &Scope::Exact, &current, &desired);
        assert_eq!(found.changes, [], "{dialect}");
    }
    let found = compare(Dialect::Postgres, &Scope::Exact, &current, &desired);
    assert_eq!(found.changes.len(), 8);
}
