//! Models and plans, in the words of both servers.
//!
//! The plans are kept as texts beside this file: a change of one is a change of what people read.

use std::fmt::Write as _;

use crate::{
    Catalog, Check, CheckModel, Column, ColumnKind, ColumnModel, DataType, DefaultModel,
    DefaultValue, Dialect, ForeignKeyModel, Generated, Identifier, Identity, Index, IndexModel,
    IndexPartModel, ModelError, Plan, PrimaryKey, ReferentialAction, Scope, Table, TableModel,
    TableName, Undo, Unique,
};

const BOTH: [Dialect; 2] = [Dialect::MariaDb, Dialect::MySql];

fn id(name: &str) -> Identifier {
    Identifier::new(name).unwrap()
}

fn column(name: &str, data_type: impl Into<DataType>) -> ColumnModel {
    ColumnModel::new(id(name), data_type)
}

fn build(columns: Vec<ColumnModel>) -> TableModel {
    let builder = TableModel::builder(id("t"));
    columns.into_iter().fold(builder, |builder, column| builder.column(column)).build().unwrap()
}

fn types(dialect: Dialect, model: &TableModel) -> Vec<String> {
    let lowered = dialect.lower(model, None).unwrap();
    lowered.table.columns.into_iter().map(|column| column.ty).collect()
}

#[test]
fn a_text_is_short_where_something_needs_it_to_be() {
    let text = |name| column(name, ColumnKind::Text);
    let default = DefaultModel::Value(DefaultValue::Text("x".into()));
    let long = DefaultModel::Value(DefaultValue::Text("x".repeat(256).into()));
    let model = TableModel::builder(id("t"))
        .column(text("key").with_key())
        .column(text("unique").with_unique())
        .column(text("indexed"))
        .column(text("searched"))
        .column(text("refers"))
        .column(text("defaulted").with_default(default))
        .column(text("long").with_default(long))
        .column(text("plain"))
        .column(column("blob", ColumnKind::Blob).with_unique())
        .index(IndexModel::over([id("indexed")]))
        .index(IndexModel::over([id("searched")]).with_method("FULLTEXT"))
        .foreign_key(ForeignKeyModel::new(id("refers"), id("p"), id("id")))
        .build()
        .unwrap();
    let short = "varchar(255)";
    let long = "longtext";
    let expected = [short, short, short, long, short, short, long, long, "varbinary(255)"];
    for dialect in BOTH {
        assert_eq!(types(dialect, &model), expected, "{dialect}");
    }
    let lowered = Dialect::MySql.lower(&model, None).unwrap().table;
    let default = lowered.columns[6].default.as_deref().unwrap();
    assert!(default.starts_with("(_utf8mb4'xxx"), "{default}");
    assert_eq!(lowered.columns[5].default.as_deref(), Some("'x'"));
}

#[test]
fn what_the_servers_have_not_is_an_error() {
    let refused = |dialect: Dialect, model: TableModel| match dialect.lower(&model, None) {
        Err(ModelError::Unsupported { feature, .. }) => feature,
        other => panic!("{other:?}"),
    };
    let indexed = |index: IndexModel| {
        let columns = [column("a", ColumnKind::Int32), column("j", ColumnKind::Json).with_null()];
        let builder = TableModel::builder(id("t")).index(index);
        columns.into_iter().fold(builder, |b, column| b.column(column)).build().unwrap()
    };
    for dialect in BOTH {
        let partial = IndexModel::over([id("a")]).with_predicate("a > 0");
        assert_eq!(refused(dialect, indexed(partial)), "partial index");
        let gin = IndexModel::over([id("a")]).with_method("gin");
        assert_eq!(refused(dialect, indexed(gin)), "index of this kind");
        let document = IndexModel::over([id("j")]);
        assert_eq!(refused(dialect, indexed(document)), "index over a JSON document");
        let key = ForeignKeyModel::new(id("a"), id("p"), id("id"));
        let key = key.with_on_delete(ReferentialAction::SetDefault);
        let builder = TableModel::builder(id("t")).column(column("a", ColumnKind::Int32));
        let model = builder.foreign_key(key).build().unwrap();
        assert_eq!(refused(dialect, model), "SET DEFAULT of a foreign key");
    }
    let expression = IndexModel::of_parts(vec![IndexPartModel::expression("a + 1")]);
    assert_eq!(refused(Dialect::MariaDb, indexed(expression.clone())), "index over an expression");
    assert!(Dialect::MySql.lower(&indexed(expression), None).is_ok());
    let hash = IndexModel::over([id("a")]).with_method("HASH");
    let lowered = Dialect::MySql.lower(&indexed(hash), None).unwrap();
    assert_eq!(lowered.table.indexes[0].method, None);
}

#[test]
fn names_are_made_short_and_never_twice() {
    let long = "é".repeat(31);
    let model = TableModel::builder(id(&long))
        .column(column("a_b", ColumnKind::Int32))
        .column(column("a", ColumnKind::Int32))
        .column(column("b", ColumnKind::Int32))
        .column(column(&"ü".repeat(31), ColumnKind::Int32))
        .unique(vec![id("a_b")])
        .unique(vec![id("a"), id("b")])
        .index(IndexModel::over([id("a_b"), id(&"ü".repeat(31))]))
        .index(IndexModel::over([id("b")]))
        .index(IndexModel::over([id("a_b")]))
        .index(IndexModel::over([id("a"), id("b")]))
        .check(CheckModel { name: None, expression: "a > 0".to_owned() })
        .build()
        .unwrap();
    let table = Dialect::MySql.lower(&model, None).unwrap().table;
    let uniques = table.uniques.iter().map(|unique| unique.name.clone().unwrap());
    let mut names: Vec<_> =
        uniques.chain(table.indexes.iter().map(|index| index.name.clone())).collect();
    assert!(names.iter().all(|name| name.chars().count() <= 64), "{names:?}");
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 6, "{names:?}");
    assert_eq!(table.checks[0].name, Some(format!("{long}_check1")));
}

/// A table with something of everything.
fn table(name: &str) -> Table {
    let mut table = Table::new(TableName::new(name));
    let id = Column::new("id", "bigint");
    table.columns = vec![
        Column { nullable: false, identity: Some(Identity::AutoIncrement), ..id },
        Column::new("n", "int"),
        Column { nullable: false, default: Some("'x'".into()), ..Column::new("v", "varchar(20)") },
        Column::new("e", "enum('a','b')"),
        Column::new("at", "datetime(6)"),
        Column {
            generated: Some(Generated { expression: "`n` + 1".into(), stored: false }),
            ..Column::new("g", "bigint")
        },
    ];
    table.primary_key = Some(PrimaryKey { name: None, columns: vec!["id".into()] });
    table.uniques = vec![unique("v_key", &["v"])];
    table.indexes = vec![Index::new("n_idx", &["n"])];
    table.checks =
        vec![Check { name: Some("n_check".into()), expression: "`n` > 0".into(), validated: true }];
    table.foreign_keys = vec![reference("n_fkey", "n", "parent")];
    table.collation = Some("utf8mb4_bin".into());
    table
}

fn unique(name: &str, columns: &[&str]) -> Unique {
    Unique {
        name: Some(name.into()),
        columns: columns.iter().map(|name| (*name).to_owned()).collect(),
        nulls_not_distinct: false,
        deferrable: None,
        include: Vec::new(),
    }
}

fn reference(name: &str, column: &str, target: &str) -> crate::ForeignKey {
    crate::ForeignKey {
        name: Some(name.into()),
        columns: vec![column.into()],
        target: TableName::new(target),
        target_columns: vec!["id".into()],
        on_delete: ReferentialAction::Cascade,
        on_update: ReferentialAction::NoAction,
        deferrable: None,
        validated: true,
    }
}

fn parent() -> Table {
    let mut parent = Table::new(TableName::new("parent"));
    parent.columns = vec![Column { nullable: false, ..Column::new("id", "int") }];
    parent.primary_key = Some(PrimaryKey { name: None, columns: vec!["id".into()] });
    parent
}

fn catalog(tables: Vec<Table>) -> Catalog {
    Catalog { enums: Vec::new(), tables }
}

/// A plan as text.
fn shown(dialect: Dialect, scope: &Scope, current: Vec<Table>, desired: Vec<Table>) -> String {
    let plan = Plan::between(dialect, scope, &catalog(current), &catalog(desired));
    let mut text = String::new();
    for step in &plan.steps {
        let _ = writeln!(text, "{}: {}", step.table, step.description);
        let _ = writeln!(text, "  {}, {:?} waits", step.class, step.lock);
        for sql in &step.statements {
            let _ = writeln!(text, "  do    {sql}");
        }
        match &step.undo {
            Undo::Statements(undo) => {
                undo.iter().for_each(|sql| drop(writeln!(text, "  undo  {sql}")));
            }
            Undo::Irreversible => drop(writeln!(text, "  undo  nothing brings it back")),
        }
        if let Some(probe) = &step.probe {
            let _ = writeln!(text, "  asks  {}\n        {}", probe.what, probe.sql);
        }
        if let Some(reason) = &step.reason {
            let _ = writeln!(text, "  why   {reason}");
        }
    }
    text
}

fn snapshot(name: &str, current: &[Table], desired: &[Table]) {
    for dialect in BOTH {
        let text = shown(dialect, &Scope::Exact, current.to_vec(), desired.to_vec());
        insta::assert_snapshot!(format!("{name}_{dialect:?}"), text);
    }
}

#[test]
fn tables_come_and_go() {
    let mut circle = parent();
    circle.columns.push(Column::new("t", "bigint"));
    circle.foreign_keys.push(reference("circle", "t", "t"));
    snapshot("create", &[], &[circle.clone(), table("t")]);
    snapshot("drop", &[circle, table("t")], &[]);
}

#[test]
fn columns_come_go_and_change() {
    let mut desired = table("t");
    desired.columns.push(Column::new("new", "json"));
    desired.columns.push(Column { nullable: false, ..Column::new("needed", "int") });
    desired.columns.remove(4);
    desired.columns[1] = Column { nullable: false, ..Column::new("n", "bigint") };
    desired.columns[2] =
        Column { default: None, nullable: true, ..Column::new("v", "varchar(60)") };
    desired.columns[3].ty = "enum('a','b','c')".into();
    let mut wider = parent();
    wider.columns[0].ty = "bigint".into();
    snapshot("change", &[parent(), table("t")], &[wider, desired]);
}

#[test]
fn what_may_lose_something_says_so() {
    let mut desired = table("t");
    desired.columns[1].ty = "smallint".into();
    desired.columns[2].ty = "varchar(5)".into();
    desired.columns[3].ty = "enum('b','c')".into();
    desired.columns[4].ty = "timestamp(6)".into();
    snapshot("shrink", &[parent(), table("t")], &[parent(), desired]);
}

#[test]
fn keys_indexes_checks_and_references_change() {
    let mut desired = table("t");
    desired.columns[0].identity = None;
    desired.primary_key = Some(PrimaryKey { name: None, columns: vec!["v".into()] });
    desired.uniques = vec![unique("n_key", &["n", "v"])];
    desired.indexes = vec![Index::new("v_idx", &["v"])];
    desired.checks[0].expression = "`n` > 1".into();
    desired.foreign_keys[0].on_delete = ReferentialAction::SetNull;
    desired.comment = Some("it's".into());
    snapshot("constraints", &[parent(), table("t")], &[parent(), desired]);
}

#[test]
fn names_change_and_nothing_else() {
    let mut desired = table("later");
    desired.renamed_from = Some("t".into());
    desired.columns[1].name = "number".into();
    desired.columns[1].renamed_from = Some("n".into());
    desired.columns[5].generated.as_mut().unwrap().expression = "`number` + 1".into();
    desired.indexes = vec![Index::new("n_idx", &["number"])];
    desired.checks[0].expression = "`number` > 0".into();
    desired.foreign_keys[0].columns = vec!["number".into()];
    snapshot("rename", &[parent(), table("t")], &[parent(), desired]);
}

#[test]
fn nothing_to_do_is_no_step() {
    for dialect in BOTH {
        for scope in [Scope::Exact, Scope::managed()] {
            let tables = vec![parent(), table("t")];
            assert_eq!(shown(dialect, &scope, tables.clone(), tables), "");
        }
    }
}

/// What only a person knows, or nobody can do, has no statement.
#[test]
fn no_statement_is_made_up() {
    for dialect in BOTH {
        let mut desired = table("t");
        desired.collation = None;
        let current = vec![parent(), table("t")];
        let text = shown(dialect, &Scope::Exact, current, vec![parent(), desired]);
        assert!(text.contains("unsupported") && !text.contains("  do "), "{text}");
    }
}

mod properties {
    use proptest::prelude::*;

    use super::*;

    fn model() -> impl Strategy<Value = (Dialect, TableModel)> {
        let of = |dialect| crate::testing::table_model(dialect).prop_map(move |m| (dialect, m));
        prop_oneof![of(Dialect::MySql), of(Dialect::MariaDb)]
    }

    proptest! {
        /// Whatever the models, a plan is made, and every name in it is quoted.
        #[test]
        fn every_model_is_lowered_and_compared((dialect, one) in model(), (_, other) in model()) {
            let (Ok(one), Ok(other)) = (dialect.lower(&one, None), dialect.lower(&other, None))
            else {
                return Ok(());
            };
            prop_assert!(one.table.columns.iter().all(|column| !column.ty.is_empty()));
            for kind in one.table.columns.iter().filter_map(|column| Some((column.kind?, &column.ty))) {
                prop_assert!(dialect.holds(kind.0, kind.1, false), "{kind:?}");
            }
            let (one, other) = (catalog(vec![one.table]), catalog(vec![other.table]));
            for scope in [Scope::Exact, Scope::managed()] {
                prop_assert!(Plan::between(dialect, &scope, &one, &one).is_empty());
                let plan = Plan::between(dialect, &scope, &one, &other);
                for step in &plan.steps {
                    prop_assert_eq!(step.statements.is_empty(), step.class >= crate::Class::Ambiguous);
                    prop_assert!(!step.transactional);
                }
            }
        }
    }
}
