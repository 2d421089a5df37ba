//! Each rule, and what it lets pass.

use proptest::{option, prelude::*, sample};

use super::*;
use crate::{
    CheckModel, DefaultValue, Dialect, IndexPartModel, ModelError as Error, TableModelBuilder,
    testing,
};

fn id(name: &str) -> Identifier {
    Identifier::new(name).unwrap()
}

fn ids(names: &[&str]) -> Vec<Identifier> {
    names.iter().map(|name| id(name)).collect()
}

fn column(name: &str, data_type: impl Into<DataType>) -> ColumnModel {
    ColumnModel::new(id(name), data_type)
}

fn text(name: &str) -> ColumnModel {
    column(name, ColumnKind::Text)
}

fn int(name: &str) -> ColumnModel {
    column(name, ColumnKind::Int64)
}

/// `t(a text, b bigint, n bigint null)`.
fn table() -> TableModelBuilder {
    let columns = [text("a"), int("b"), int("n").with_null()];
    columns.into_iter().fold(TableModel::builder(id("t")), TableModelBuilder::column)
}

#[track_caller]
fn check(builder: TableModelBuilder, expected: Error) {
    assert_eq!(builder.build().unwrap_err(), expected);
}

/// A table with this column alone.
#[track_caller]
fn check_column(column: ColumnModel, expected: Error) {
    check(TableModel::builder(id("t")).column(column), expected);
}

#[track_caller]
fn passes(builder: TableModelBuilder) -> TableModel {
    builder.build().unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn a_table_has_columns_that_a_row_can_fill() {
    let empty = TableModel::builder(id("t"));
    check(empty.clone(), Error::NoColumns);
    check(empty.clone().column(text("a").with_generated("1")), Error::NoColumns);
    let many = (0..1_018).map(|number| int(&format!("c{number}")));
    let too_many = Error::TooMany { what: "columns", count: 1_018, max: 1_017 };
    check(many.fold(empty, TableModelBuilder::column), too_many);
}

#[test]
fn names_are_names_of_their_own() {
    check(table().column(text("A")), Error::DuplicateColumn { column: id("A") });
    let name = id("SQLite_x");
    let reserved = TableModel::builder(name.clone()).column(text("a"));
    check(reserved, Error::ReservedName { name });
    passes(TableModel::builder(id("sqlite")).column(text("a")));
    passes(TableModel::builder(id("näh_tab")).column(text("a")));
}

#[test]
fn renames_are_from_what_is_gone() {
    let from = |name| Error::RenamedFrom { name: id(name) };
    check(table().renamed_from(id("t")), from("t"));
    check(table().column(text("c").with_renamed_from(id("a"))), from("a"));
    check(table().column(text("c").with_renamed_from(id("c"))), from("c"));
    let twice = |name| text(name).with_renamed_from(id("x"));
    check(table().column(twice("c")).column(twice("d")), from("x"));
    passes(table().renamed_from(id("T")).column(twice("c")));
}

#[test]
fn types_are_in_range() {
    let modifier = |data_type: DataType| {
        check_column(column("a", data_type), Error::Modifier { column: id("a") });
    };
    let labels = |labels: &[&str]| DataType::Enum {
        name: id("e"),
        labels: labels.iter().map(|label| (*label).to_owned()).collect(),
    };
    for length in [0, 256] {
        modifier(DataType::Char { length });
    }
    for length in [0, 16_384] {
        modifier(DataType::Varchar { length });
    }
    for (precision, scale) in [(0, 0), (66, 0), (2, 3), (65, 31)] {
        modifier(DataType::Decimal { precision, scale });
    }
    modifier(DataType::Temporal { kind: ColumnKind::Time, digits: 7 });
    modifier(DataType::Temporal { kind: ColumnKind::Date, digits: 0 });
    let long = "é".repeat(32);
    for list in [&[][..], &[""], &["a", "A"], &["a ", "a"], &["a,b"], &["a\0"], &[&long]] {
        modifier(labels(list));
    }
    for ty in ["", " ", "a\0"] {
        let kind = ColumnKind::Text;
        let postgres = Some(ty.to_owned());
        modifier(DataType::Native { kind, mysql: None, postgres, sqlite: None });
    }
    for fine in [
        DataType::Char { length: 255 },
        DataType::Varchar { length: 16_383 },
        DataType::Decimal { precision: 65, scale: 30 },
        DataType::Temporal { kind: ColumnKind::TimestampUtc, digits: 6 },
        labels(&["it's", " a", "größe"]),
    ] {
        passes(TableModel::builder(id("t")).column(column("a", fine)));
    }
}

#[test]
fn defaults_fit() {
    let mismatch = |column| check_column(column, Error::DefaultMismatch { column: id("a") });
    let words = |text: &str| DefaultValue::Text(text.to_owned().into());
    let number = |digits: &str| DefaultValue::Number(digits.to_owned().into());
    let labels = vec!["x".to_owned()];
    let decimal = DataType::Decimal { precision: 3, scale: 1 };
    let time = DataType::Temporal { kind: ColumnKind::Time, digits: 1 };
    mismatch(text("a").with_default(DefaultValue::Boolean(true)));
    mismatch(text("a").with_default(DefaultModel::Now));
    mismatch(text("a").with_default(DefaultModel::Sql(" ".into())));
    let computed = text("c").with_default(words("x")).with_generated("a");
    check(table().column(computed), Error::DefaultMismatch { column: id("c") });
    mismatch(int("a").with_key().with_auto_increment().with_default(number("1")));
    mismatch(column("a", DataType::Char { length: 2 }).with_default(words("äöü")));
    mismatch(column("a", DataType::Varchar { length: 2 }).with_default(words("äöü")));
    mismatch(column("a", DataType::Enum { name: id("e"), labels }).with_default(words("X")));
    mismatch(column("a", decimal.clone()).with_default(number("123.4")));
    mismatch(column("a", decimal.clone()).with_default(number("1.25")));
    mismatch(column("a", time.clone()).with_default(words("12:00:00.25")));
    mismatch(column("a", ColumnKind::Json).with_default(words("{a}")));
    for fine in [
        column("a", DataType::Varchar { length: 3 }).with_default(words("äöü")),
        column("a", decimal).with_default(number("-99.9")),
        column("a", time).with_default(words("12:00:00.5")),
        column("a", ColumnKind::Date).with_default(DefaultModel::Now),
        text("a").with_default(DefaultModel::Sql("upper('a')".into())),
    ] {
        passes(TableModel::builder(id("t")).column(fine));
    }
}

#[test]
fn collations_are_for_texts() {
    let collation = || Error::Collation { column: id("a") };
    let labels = vec!["x".to_owned()];
    check_column(int("a").with_collation("C"), collation());
    check_column(text("a").with_collation(""), collation());
    let label = DataType::Enum { name: id("e"), labels };
    check_column(column("a", label).with_collation("C"), collation());
    passes(table().column(column("c", DataType::Char { length: 2 }).with_collation("C")));
}

#[test]
fn comments_have_a_limit() {
    let long = "é".repeat(1_025);
    check(table().comment(long.clone()), Error::Comment { of: "the table".to_owned() });
    let of = "column \"a\"".to_owned();
    check_column(text("a").with_comment(long), Error::Comment { of: of.clone() });
    check_column(text("a").with_comment("a\0"), Error::Comment { of });
    passes(table().comment("é".repeat(1_024)));
}

#[test]
fn computed_columns_are_nothing_else() {
    let computed = || Error::Computed { column: id("c") };
    check(table().column(int("c").with_generated("b").with_key()), computed());
    check(table().column(int("c").with_generated("b").with_auto_increment()), computed());
    let of = "column \"c\"".to_owned();
    check(table().column(int("c").with_generated(" ")), Error::Expression { of });
}

#[test]
fn keys_are_whole() {
    check(table().key(ids(&["n"])), Error::NullableKey { column: id("n") });
    check(table().key(ids(&["x"])), Error::UnknownColumn { column: id("x") });
    check(table().key(ids(&["A"])), Error::UnknownColumn { column: id("A") });
    check(table().key(ids(&["a", "a"])), Error::RepeatedColumn { column: id("a") });
    let flagged = table().column(int("c").with_key()).key(ids(&["a"]));
    check(flagged, Error::KeyMismatch { column: id("c") });
    let unnumbered = |column: ColumnModel| {
        let error = Error::AutoIncrement { column: column.name.clone() };
        check(table().column(column.with_auto_increment()), error);
    };
    unnumbered(int("c"));
    unnumbered(text("c").with_key());
    unnumbered(column("c", ColumnKind::Decimal).with_key());
    let partly = table().column(int("c").with_auto_increment()).key(ids(&["c", "a"]));
    check(partly, Error::AutoIncrement { column: id("c") });
    let table = passes(table().column(int("c").with_auto_increment().with_key()));
    assert_eq!(table.key().map(|column| column.name.as_str()).collect::<Vec<_>>(), ["c"]);
}

#[test]
fn uniques_say_something_new() {
    let twice = |columns: &str| {
        let of = format!("the unique constraint over {columns}");
        Error::DuplicateConstraint { of }
    };
    check(table().unique(vec![]), Error::NoColumnsNamed);
    check(table().unique(ids(&["x"])), Error::UnknownColumn { column: id("x") });
    check(table().unique(ids(&["a", "a"])), Error::RepeatedColumn { column: id("a") });
    check(table().unique(ids(&["a"])).unique(ids(&["a"])), twice("[\"a\"]"));
    check(table().key(ids(&["a", "b"])).unique(ids(&["a", "b"])), twice("[\"a\", \"b\"]"));
    check(table().column(int("c").with_key().with_unique()), twice("[\"c\"]"));
    passes(table().unique(ids(&["a", "b"])).unique(ids(&["b", "a"])));
    // A column that says so itself, and a constraint that says so of it, are one.
    let by_column = passes(TableModel::builder(id("t")).column(text("a").with_unique()));
    let by_table = TableModel::builder(id("t")).column(text("a")).unique(ids(&["a"]));
    assert_eq!(by_column, passes(by_table));
}

#[test]
fn parts_have_a_limit() {
    let names: Vec<_> = (0..17).map(|number| format!("c{number}")).collect();
    let columns = names.iter().map(|name| int(name));
    let table = columns.fold(TableModel::builder(id("t")), TableModelBuilder::column);
    let names: Vec<_> = names.iter().map(|name| id(name)).collect();
    let what = "columns of one key, constraint or index";
    let too_many = Error::TooMany { what, count: 17, max: 16 };
    check(table.clone().unique(names.clone()), too_many.clone());
    check(table.clone().key(names.clone()), too_many.clone());
    check(table.clone().index(IndexModel::over(names)), too_many);
    let expressions = (0..17).map(|number| IndexPartModel::expression(format!("c{number} + 1")));
    let too_many = Error::TooMany { what: "parts of one index", count: 17, max: 16 };
    check(table.index(IndexModel::of_parts(expressions.collect())), too_many);
}

#[test]
fn indexes_are_over_what_is_there() {
    let of = |parts| table().index(IndexModel::of_parts(parts));
    let over = |names: &[&str]| IndexModel::over(ids(names));
    let expression = || Error::Expression { of: "an index".to_owned() };
    check(of(vec![]), Error::NoColumnsNamed);
    check(table().index(over(&["x"])), Error::UnknownColumn { column: id("x") });
    check(table().index(over(&["a", "a"])), Error::RepeatedColumn { column: id("a") });
    check(of(vec![IndexPartModel::expression("")]), expression());
    check(table().index(over(&["a"]).with_predicate("a\0")), expression());
    for method in ["", "gin; DROP TABLE x", "1x", "g in"] {
        let error = Error::Method { method: method.to_owned() };
        check(table().index(over(&["a"]).with_method(method)), error);
    }
    let named = |name: &str| over(&["a"]).with_name(id(name));
    check(table().index(named("T")), Error::DuplicateName { name: id("T") });
    check(table().index(named("i")).index(named("I")), Error::DuplicateName { name: id("I") });
    let twice = Error::DuplicateConstraint {
        of: "an index without a name over the same columns".to_owned(),
    };
    check(table().index(over(&["a"])).index(over(&["a"]).with_unique()), twice);
    passes(table().index(over(&["a"])).index(named("i")).index(over(&["a", "b"])));
}

#[test]
fn references_fit_on_both_sides() {
    let reference = |columns: &[&str], targets: &[&str]| {
        ForeignKeyModel::over(ids(columns), id("u"), ids(targets))
    };
    let with = |key| table().foreign_key(key);
    check(with(reference(&[], &[])), Error::NoColumnsNamed);
    check(with(reference(&["a"], &[])), Error::NoColumnsNamed);
    check(with(reference(&["a"], &["x", "y"])), Error::NoColumnsNamed);
    check(with(reference(&["x"], &["y"])), Error::UnknownColumn { column: id("x") });
    check(with(reference(&["a", "a"], &["x", "y"])), Error::RepeatedColumn { column: id("a") });
    check(with(reference(&["a", "b"], &["x", "x"])), Error::RepeatedColumn { column: id("x") });
    let twice = with(reference(&["a"], &["x"]))
        .foreign_key(reference(&["a"], &["x"]).with_on_delete(ReferentialAction::Cascade));
    let of = "the reference of [\"a\"] to \"u\"".to_owned();
    check(twice, Error::DuplicateConstraint { of });
    let elsewhere = reference(&["a"], &["x"]).with_target_schema(id("s"));
    passes(with(reference(&["a"], &["x"])).foreign_key(elsewhere));
}

#[test]
fn actions_change_only_what_can_change() {
    use ReferentialAction::{Cascade, SetDefault, SetNull};
    let reference = |column: &str| ForeignKeyModel::new(id(column), id("u"), id("x"));
    let action = |column| Error::Action { column: id(column) };
    let with = |key| table().column(int("c").with_generated("b").with_null()).foreign_key(key);
    check(with(reference("b").with_on_delete(SetNull)), action("b"));
    check(with(reference("b").with_on_update(SetNull)), action("b"));
    check(with(reference("c").with_on_delete(SetNull)), action("c"));
    check(with(reference("c").with_on_delete(SetDefault)), action("c"));
    check(with(reference("c").with_on_update(Cascade)), action("c"));
    passes(with(reference("c").with_on_delete(Cascade)));
    passes(with(reference("n").with_on_delete(SetNull).with_on_update(SetNull)));
}

#[test]
fn a_table_refers_to_its_own_keys() {
    let reference = |columns: &[&str], targets: &[&str]| {
        ForeignKeyModel::over(ids(columns), id("t"), ids(targets))
    };
    let own = |column| Error::SelfReference { column: id(column) };
    let unkeyed = table().foreign_key(reference(&["n"], &["b"]));
    check(unkeyed.clone(), own("n"));
    passes(unkeyed.clone().key(ids(&["b"])));
    passes(unkeyed.clone().unique(ids(&["b"])));
    let index = || IndexModel::over(ids(&["b"]));
    passes(unkeyed.clone().index(index().with_unique()));
    check(unkeyed.clone().index(index()), own("n"));
    check(unkeyed.clone().index(index().with_unique().with_predicate("b > 0")), own("n"));
    check(unkeyed.key(ids(&["b", "a"])), own("n"));
    let kinds = table().key(ids(&["a"])).foreign_key(reference(&["n"], &["a"]));
    check(kinds, own("n"));
    let unknown = table().foreign_key(reference(&["n"], &["x"]));
    check(unknown, Error::UnknownColumn { column: id("x") });
    let swapped = table().key(ids(&["a", "b"])).foreign_key(reference(&["n", "a"], &["b", "a"]));
    passes(swapped);
    // Another schema is another table.
    let elsewhere = reference(&["n"], &["x"]).with_target_schema(id("s"));
    passes(table().foreign_key(elsewhere.clone()));
    let unknown = Error::UnknownColumn { column: id("x") };
    check(table().schema(id("s")).foreign_key(elsewhere), unknown);
}

#[test]
fn checks_say_something_new() {
    let condition = |name: Option<&str>, expression: &str| CheckModel {
        name: name.map(id),
        expression: expression.to_owned(),
    };
    let with = |check| table().check(check);
    check(with(condition(None, "")), Error::Expression { of: "a check".to_owned() });
    let twice = with(condition(None, "b > 0")).check(condition(Some("c"), "b > 0"));
    check(twice, Error::DuplicateConstraint { of: "the check \"b > 0\"".to_owned() });
    let named = with(condition(Some("c"), "b > 0")).check(condition(Some("C"), "b > 1"));
    check(named, Error::DuplicateName { name: id("C") });
    passes(with(condition(None, "b > 0")).check(condition(None, "b < 9")));
}

#[test]
fn a_type_has_one_name() {
    let label =
        |name: &str, label: &str| DataType::Enum { name: id(name), labels: vec![label.to_owned()] };
    let with = |one, other| table().column(column("c", one)).column(column("d", other));
    let name = |name| Error::DuplicateName { name: id(name) };
    check(with(label("T", "x"), label("e", "x")), name("T"));
    check(with(label("e", "x"), label("e", "y")), name("e"));
    check(with(label("e", "x"), label("E", "x")), name("E"));
    passes(with(label("e", "x"), label("e", "x")));
}

#[test]
fn what_is_read_is_checked() {
    let read =
        |json: &str| serde_json::from_str::<TableModel>(json).map_err(|error| error.to_string());
    let table = read(r#"{"name":"t","columns":[{"name":"a","type":{"kind":"text"},"key":true}]}"#);
    let table = table.unwrap();
    assert_eq!(table, passes(TableModel::builder(id("t")).column(text("a").with_key())));
    for (json, expected) in [
        (r#"{"name":"t","columns":[]}"#, "a table without columns"),
        (r#"{"name":"","columns":[]}"#, "a name is empty"),
        (r#"{"name":"t"}"#, "missing field `columns`"),
        (
            r#"{"name":"t","columns":[{"name":"a","type":{"char":{"length":0}}}]}"#,
            "the type of column \"a\" is out of range",
        ),
        (
            r#"{"name":"t","columns":[{"name":"a","type":{"kind":"text"}}],"key":["b"]}"#,
            "there is no column \"b\"",
        ),
    ] {
        let error = read(json).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
}

/// A few names, so that they meet.
fn any_name() -> impl Strategy<Value = Identifier> {
    sample::select(vec!["a", "b", "c", "d", "e", "A", "t", "sqlite_x", "xmin", "a\"b"]).prop_map(id)
}

fn any_text() -> impl Strategy<Value = String> {
    sample::select(vec!["", " ", "a", "a > 0", "\0", "gin", "x'y"]).prop_map(str::to_owned)
}

fn any_names() -> impl Strategy<Value = Vec<Identifier>> {
    prop::collection::vec(any_name(), 0..3)
}

fn any_type() -> impl Strategy<Value = DataType> {
    let kind = || sample::select(vec![ColumnKind::Time, ColumnKind::Int64, ColumnKind::Text]);
    let labels = prop::collection::vec(any_text(), 0..3);
    prop_oneof![
        9 => testing::data_type(),
        1 => any::<u32>().prop_map(|length| DataType::Varchar { length }),
        1 => any::<(u16, u16)>().prop_map(|(precision, scale)| DataType::Decimal { precision, scale }),
        1 => (kind(), any::<u8>()).prop_map(|(kind, digits)| DataType::Temporal { kind, digits }),
        1 => (any_name(), labels).prop_map(|(name, labels)| DataType::Enum { name, labels }),
    ]
}

fn any_default() -> impl Strategy<Value = DefaultModel> {
    prop_oneof![
        Just(DefaultModel::Now),
        any_text().prop_map(|sql| DefaultModel::Sql(sql.into())),
        any::<bool>().prop_map(|is| DefaultValue::Boolean(is).into()),
        "-?[0-9]{0,3}[.]?[0-9]{0,2}".prop_map(|text| DefaultValue::Number(text.into()).into()),
        any::<String>().prop_map(|text| DefaultValue::Text(text.into()).into()),
        any::<Vec<u8>>().prop_map(|bytes| DefaultValue::Blob(bytes.into()).into()),
    ]
}

fn any_column() -> impl Strategy<Value = ColumnModel> {
    let flags = any::<[bool; 4]>();
    let rest = (
        option::weighted(0.1, any_default()),
        option::weighted(0.05, any_text()),
        option::weighted(0.05, any_text()),
        option::weighted(0.05, any_name()),
    );
    (any_name(), any_type(), flags, rest).prop_map(|(name, data_type, flags, rest)| {
        let (default, generated, collation, renamed_from) = rest;
        ColumnModel {
            nullable: flags[0] && flags[2],
            key: flags[1] && flags[3],
            unique: flags[2] && flags[3],
            auto_increment: flags.iter().all(|flag| *flag),
            default,
            generated,
            collation,
            renamed_from,
            ..ColumnModel::new(name, data_type)
        }
    })
}

prop_compose! {
    fn any_builder()(
        columns in prop::collection::vec(any_column(), 0..3),
        key in option::weighted(0.2, any_names()),
        unique in option::weighted(0.2, any_names()),
        index in option::weighted(0.2, (any_names(), option::of(any_text()))),
        reference in option::weighted(0.2, (any_names(), any_name(), any_names())),
        check in option::weighted(0.3, any_text()),
    ) -> TableModelBuilder {
        let mut builder = TableModel::builder(id("t"));
        builder = columns.into_iter().fold(builder, TableModelBuilder::column);
        if let Some(key) = key {
            builder = builder.key(key);
        }
        if let Some(unique) = unique {
            builder = builder.unique(unique);
        }
        if let Some((columns, method)) = index {
            builder = builder.index(IndexModel { method, ..IndexModel::over(columns) });
        }
        if let Some((columns, target, target_columns)) = reference {
            builder = builder.foreign_key(ForeignKeyModel::over(columns, target, target_columns));
        }
        if let Some(expression) = check {
            builder = builder.check(CheckModel { name: None, expression });
        }
        builder
    }
}

proptest! {
    /// Nothing that a program puts together makes it panic, and what passes can be read again.
    #[test]
    fn whatever_is_put_together_is_a_table_or_an_error(builder in any_builder()) {
        if let Ok(table) = builder.build() {
            let json = serde_json::to_string(&table).unwrap();
            prop_assert_eq!(&serde_json::from_str::<TableModel>(&json).unwrap(), &table);
            for dialect in [Dialect::MariaDb, Dialect::MySql, Dialect::Postgres, Dialect::Sqlite] {
                if let Ok(lowered) = dialect.lower(&table, None) {
                    let _ = dialect.create_table(&lowered.table);
                }
            }
        }
    }
}

/// Otherwise the property above could hold because nothing passes.
#[test]
fn some_of_what_is_put_together_is_a_table() {
    use proptest::{strategy::ValueTree as _, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let mut is_table = || any_builder().new_tree(&mut runner).unwrap().current().build().is_ok();
    let tables = (0..500).filter(|_| is_table()).count();
    assert!((25..475).contains(&tables), "{tables}");
}
