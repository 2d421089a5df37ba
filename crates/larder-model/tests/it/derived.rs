//! What the derive macro makes of a struct, field by field and word by word.

use larder_model::{
    CheckModel, ColumnKind, ColumnModel, DataType, DefaultModel, DefaultValue, ForeignKeyModel,
    Identifier, IndexModel, IndexPartModel, Model, ReferentialAction, TableModel,
};

fn id(name: &'static str) -> Identifier {
    Identifier::from_static(name)
}

fn text(text: &'static str) -> DefaultValue {
    DefaultValue::Text(text.into())
}

/// Flights, of which there are many.
///
/// This is not for the database.
#[derive(Model)]
#[model(table = "flight leg", schema = "app", comment, renamed_from = "leg")]
#[model(unique("no", "airline"), unique("airline", "day"))]
#[model(index("day", desc("no"), name = "by day", unique, where = "no > 0", method = "btree"))]
#[model(index(desc(expression("lower(cabin)"))))]
#[model(foreign_key("airline", references = "\"air line\"(id)", on_update = "cascade"))]
#[model(check = "no > 0", check("price >= 0", name = "not free"))]
#[allow(dead_code)]
struct FlightLeg {
    #[model(key, auto_increment)]
    id: i64,
    #[model(references = "flight leg(id)", on_delete = "set null", index)]
    #[cfg(any())]
    not_there: i64,
    #[model(rename = "parent leg", references = "\"flight leg\"(id)", on_delete = "set null")]
    parent: Option<i64>,
    /// Docs are for people who read the program.
    airline: i32,
    #[model(renamed_from = "number", default = "1", comment = "from 1 to 9999")]
    no: u8,
    #[model(default = now)]
    day: Day,
    #[model(unique, fixed_length = 6, default = "'LH0''1'")]
    code: String,
    #[model(length = 20, collation = "C", default_sql = "upper('x')")]
    gate: Option<Box<str>>,
    #[model(labels("economy", "first's"), default = "'economy'")]
    cabin: String,
    #[model(labels("x"), enum_name = "state")]
    state: Option<std::sync::Arc<str>>,
    #[model(native(postgres = "citext", mysql = "tinytext", sqlite = "TEXT"))]
    remark: std::borrow::Cow<'static, str>,
    #[model(generated = "no + 1")]
    next: Option<i32>,
    #[model(default = "X'00ff'")]
    raw: Vec<u8>,
    #[model(default = "TRUE")]
    r#final: bool,
    ratio: f32,
    #[model(default = "-0.5")]
    share: f64,
    #[model(skip)]
    cached: std::collections::HashMap<String, u32>,
}

/// A type of one's own.
struct Day;

impl larder_model::ColumnType for Day {
    const KIND: ColumnKind = ColumnKind::Date;
}

#[test]
fn every_word_means_what_the_builder_means() {
    let sql = |name: &str| IndexPartModel::expression(name);
    let cabin = DataType::Enum {
        name: id("flight leg_cabin"),
        labels: vec!["economy".to_owned(), "first's".to_owned()],
    };
    let state = DataType::Enum { name: id("state"), labels: vec!["x".to_owned()] };
    let remark = DataType::Native {
        kind: ColumnKind::Text,
        mysql: Some("tinytext".to_owned()),
        postgres: Some("citext".to_owned()),
        sqlite: Some("TEXT".to_owned()),
    };
    let column = |name, data_type: DataType| ColumnModel::new(id(name), data_type);
    let kind = |name, kind: ColumnKind| ColumnModel::new(id(name), kind);
    let table = TableModel::builder(id("flight leg"))
        .schema(id("app"))
        .comment("Flights, of which there are many.")
        .renamed_from(id("leg"))
        .column(kind("id", ColumnKind::Int64).with_key().with_auto_increment())
        .column(kind("parent leg", ColumnKind::Int64).with_null())
        .column(kind("airline", ColumnKind::Int32))
        .column(
            kind("no", ColumnKind::Int16)
                .with_renamed_from(id("number"))
                .with_default(DefaultValue::Number("1".into()))
                .with_comment("from 1 to 9999"),
        )
        .column(kind("day", ColumnKind::Date).with_default(DefaultModel::Now))
        .column(
            column("code", DataType::Char { length: 6 }).with_unique().with_default(text("LH0'1")),
        )
        .column(
            column("gate", DataType::Varchar { length: 20 })
                .with_null()
                .with_collation("C")
                .with_default(DefaultModel::Sql("upper('x')".into())),
        )
        .column(column("cabin", cabin).with_default(text("economy")))
        .column(column("state", state).with_null())
        .column(column("remark", remark))
        .column(kind("next", ColumnKind::Int32).with_null().with_generated("no + 1"))
        .column(kind("raw", ColumnKind::Blob).with_default(DefaultValue::Blob(vec![0, 255].into())))
        .column(kind("final", ColumnKind::Boolean).with_default(DefaultValue::Boolean(true)))
        .column(kind("ratio", ColumnKind::Float32))
        .column(
            kind("share", ColumnKind::Float64).with_default(DefaultValue::Number("-0.5".into())),
        )
        .unique(vec![id("no"), id("airline")])
        .unique(vec![id("airline"), id("day")])
        .index(
            IndexModel::of_parts(vec![
                IndexPartModel::column(id("day")),
                IndexPartModel::column(id("no")).descending(),
            ])
            .with_name(id("by day"))
            .with_unique()
            .with_predicate("no > 0")
            .with_method("btree"),
        )
        .index(IndexModel::of_parts(vec![sql("lower(cabin)").descending()]))
        .foreign_key(
            ForeignKeyModel::new(id("airline"), id("air line"), id("id"))
                .with_on_update(ReferentialAction::Cascade),
        )
        .foreign_key(
            ForeignKeyModel::new(id("parent leg"), id("flight leg"), id("id"))
                .with_on_delete(ReferentialAction::SetNull),
        )
        .check(CheckModel { name: None, expression: "no > 0".to_owned() })
        .check(CheckModel { name: Some(id("not free")), expression: "price >= 0".to_owned() })
        .build()
        .unwrap();
    assert_eq!(*FlightLeg::table(), table);
    assert_eq!(FlightLeg::entry().name(), "FlightLeg");
}

#[test]
fn aliases_are_what_they_stand_for() {
    type Code = Option<Vec<u8>>;
    #[derive(Model)]
    #[expect(dead_code, reason = "the table counts")]
    struct Aliased {
        code: Code,
    }
    let code = &Aliased::table().columns()[0];
    assert!(code.nullable);
    assert_eq!(code.data_type, DataType::Kind(ColumnKind::Blob));
}

#[test]
fn a_list_of_key_columns_has_its_own_order() {
    #[derive(Model)]
    #[model(key("b", "a"))]
    #[expect(dead_code, reason = "the table counts")]
    struct Keyed {
        a: i64,
        b: String,
    }
    let key: Vec<_> = Keyed::table().key().map(|column| column.name.as_str()).collect();
    assert_eq!(key, ["b", "a"]);
}

mod elsewhere {
    pub(crate) use larder_model as model;
}

#[test]
fn the_crate_may_have_another_name() {
    #[derive(Model)]
    #[model(crate = "elsewhere::model", index("a"), check = "a > 0")]
    #[expect(dead_code, reason = "the table counts")]
    struct Renamed {
        #[model(key, default = "1")]
        a: i64,
    }
    use crate::derived::elsewhere;
    assert_eq!(Renamed::table().name().as_str(), "renamed");
}
