//! What counts and what does not.

use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

use super::*;
use crate::{ColumnKind, Dialect, IndexPartModel, ReferentialAction, TableModelBuilder, testing};

fn id(name: &str) -> Identifier {
    Identifier::new(name).unwrap()
}

/// A table that has everything once.
fn airline() -> TableModel {
    let labels = vec!["low".to_owned(), "full".to_owned()];
    let fare = DataType::Enum { name: id("fare"), labels };
    let price = DataType::Decimal { precision: 10, scale: 2 };
    let founded = DataType::Temporal { kind: ColumnKind::Timestamp, digits: 3 };
    let native = DataType::Native {
        kind: ColumnKind::Text,
        mysql: None,
        postgres: Some("citext".to_owned()),
        sqlite: None,
    };
    let text = DefaultValue::Text("de".into());
    TableModel::builder(id("airline"))
        .schema(id("app"))
        .column(ColumnModel::new(id("id"), ColumnKind::Int64).with_auto_increment())
        .column(ColumnModel::new(id("iata"), DataType::Char { length: 2 }).with_unique())
        .column(
            ColumnModel::new(id("country"), DataType::Varchar { length: 5 })
                .with_default(text)
                .with_collation("C"),
        )
        .column(ColumnModel::new(id("fare"), fare).with_null())
        .column(
            ColumnModel::new(id("price"), price).with_default(DefaultValue::Number("0.10".into())),
        )
        .column(ColumnModel::new(id("founded"), founded).with_default(DefaultModel::Now))
        .column(ColumnModel::new(id("name"), native))
        .column(ColumnModel::new(id("lower"), ColumnKind::Text).with_generated("lower(name)"))
        .column(ColumnModel::new(id("parent"), ColumnKind::Int64).with_null())
        .key(vec![id("id")])
        .unique(vec![id("country"), id("name")])
        .index(
            IndexModel::of_parts(vec![
                IndexPartModel::column(id("price")).descending(),
                IndexPartModel::expression("upper(name)"),
            ])
            .with_predicate("price > 0"),
        )
        .foreign_key(
            ForeignKeyModel::new(id("parent"), id("airline"), id("id"))
                .with_on_delete(ReferentialAction::SetNull),
        )
        .check(CheckModel { name: Some(id("positive")), expression: "price >= 0".to_owned() })
        .build()
        .unwrap()
}

/// The same bytes were put together and hashed by another program.
#[test]
fn the_encoding_stays_what_it_is() {
    assert_eq!(
        airline().checksum().to_string(),
        "v1:sha256:abf66732d32361d91a86ec0d24ec8931371a526b0d9e16ec9016cee15efba052"
    );
    let column = ColumnModel::new(id("a"), ColumnKind::Text);
    let table = TableModel::builder(id("t")).column(column).build().unwrap();
    let digest = Sha256::digest(
        b"larder model 1\0\
          \0\0\0\0\0\0\0\0\0\
          \0\0\0\0\0\0\0\x01t\
          \0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\x41\
          \0\0\0\0\0\0\0\x01a\
          \0\0\0\0\0\0\0\x04kind\0\0\0\0\0\0\0\x04text\
          \0\0\
          \0\0\0\0\0\0\0\x04none\
          \0\0\0\0\0\0\0\0\0\
          \0\0\0\0\0\0\0\0\0\
          \0\0\0\0\0\0\0\0\
          \0\0\0\0\0\0\0\0\
          \0\0\0\0\0\0\0\0\
          \0\0\0\0\0\0\0\0\
          \0\0\0\0\0\0\0\0",
    );
    assert_eq!(table.checksum().as_bytes()[..], digest[..]);
}

/// A registry keeps what earlier versions wrote.
#[test]
fn json_of_before_is_read() {
    let json = include_str!("../../tests/fixtures/airline.json");
    let read: TableModel = serde_json::from_str(json).unwrap();
    assert_eq!(read, airline());
    let written: serde_json::Value = serde_json::to_value(&read).unwrap();
    assert_eq!(written, serde_json::from_str::<serde_json::Value>(json).unwrap());
}

#[test]
fn every_single_change_changes_it() {
    let changes: &[fn(&mut TableModel)] = &[
        |table| table.schema = None,
        |table| table.schema = Some(id("other")),
        |table| table.name = id("Airline"),
        |table| table.columns[0].name = id("ID"),
        |table| table.columns[0].auto_increment = false,
        |table| table.columns[0].data_type = ColumnKind::Int32.into(),
        |table| table.columns[1].data_type = DataType::Char { length: 3 },
        |table| table.columns[1].data_type = DataType::Varchar { length: 2 },
        |table| table.columns[2].default = None,
        |table| table.columns[2].default = Some(DefaultModel::Sql("de".into())),
        |table| table.columns[2].default = Some(DefaultValue::Text("fr".into()).into()),
        |table| table.columns[2].collation = None,
        |table| table.columns[3].nullable = false,
        |table| match &mut table.columns[3].data_type {
            DataType::Enum { labels, .. } => labels.reverse(),
            _ => unreachable!(),
        },
        |table| match &mut table.columns[3].data_type {
            DataType::Enum { name, .. } => *name = id("other"),
            _ => unreachable!(),
        },
        |table| table.columns[4].data_type = DataType::Decimal { precision: 10, scale: 3 },
        |table| table.columns[4].data_type = DataType::Decimal { precision: 11, scale: 2 },
        |table| table.columns[4].default = Some(DefaultValue::Number("0.1".into()).into()),
        |table| table.columns[5].default = None,
        |table| match &mut table.columns[5].data_type {
            DataType::Temporal { digits, .. } => *digits = 6,
            _ => unreachable!(),
        },
        |table| match &mut table.columns[6].data_type {
            DataType::Native { mysql, postgres, .. } => std::mem::swap(mysql, postgres),
            _ => unreachable!(),
        },
        |table| table.columns[7].generated = Some("upper(name)".to_owned()),
        |table| table.columns[7].generated = None,
        |table| drop(table.columns.pop()),
        |table| table.key.clear(),
        |table| table.key.push(id("iata")),
        |table| table.key = vec![id("iata"), id("id")],
        |table| drop(table.uniques.pop()),
        |table| table.uniques[0].columns.reverse(),
        |table| table.indexes.clear(),
        |table| table.indexes[0].name = Some(id("i")),
        |table| table.indexes[0].unique = true,
        |table| table.indexes[0].predicate = None,
        |table| table.indexes[0].method = Some("gin".to_owned()),
        |table| table.indexes[0].parts.reverse(),
        |table| table.indexes[0].parts[0].descending = false,
        |table| table.indexes[0].parts[1] = IndexPartModel::column(id("upper(name)")),
        |table| table.foreign_keys.clear(),
        |table| table.foreign_keys[0].target_schema = Some(id("app")),
        |table| table.foreign_keys[0].target = id("other"),
        |table| table.foreign_keys[0].target_columns = vec![id("iata")],
        |table| table.foreign_keys[0].columns = vec![id("price")],
        |table| table.foreign_keys[0].on_delete = ReferentialAction::Cascade,
        |table| table.foreign_keys[0].on_update = ReferentialAction::Cascade,
        |table| table.checks.clear(),
        |table| table.checks[0].name = None,
        |table| table.checks[0].expression = "price > 0".to_owned(),
    ];
    let mut seen = vec![airline().checksum()];
    for (at, change) in changes.iter().enumerate() {
        let mut table = airline();
        change(&mut table);
        assert!(!seen.contains(&table.checksum()), "change {at}");
        seen.push(table.checksum());
    }
}

#[test]
fn comments_and_former_names_do_not_count() {
    let mut table = airline();
    table.comment = Some("airlines".to_owned());
    table.renamed_from = Some(id("carrier"));
    table.columns[0].comment = Some("number".to_owned());
    table.columns[0].renamed_from = Some(id("no"));
    assert_eq!(table.checksum(), airline().checksum());
}

/// What counts of a table, in one order.
fn content(table: &TableModel) -> String {
    fn sorted<T: std::fmt::Debug>(items: &[T]) -> Vec<String> {
        let mut all: Vec<_> = items.iter().map(|item| format!("{item:?}")).collect();
        all.sort();
        all
    }
    let mut columns = table.columns.clone();
    for column in &mut columns {
        column.comment = None;
        column.renamed_from = None;
    }
    let lists = [
        sorted(&columns),
        sorted(&table.uniques),
        sorted(&table.indexes),
        sorted(&table.foreign_keys),
        sorted(&table.checks),
    ];
    format!("{:?} {:?} {:?} {lists:?}", table.schema, table.name, table.key)
}

/// The same table with everything that has no order in another one.
fn shuffled(table: &TableModel) -> impl Strategy<Value = TableModel> + use<> {
    let parts = (
        Just(table.columns.clone()).prop_shuffle(),
        Just(table.uniques.clone()).prop_shuffle(),
        Just(table.indexes.clone()).prop_shuffle(),
        Just(table.foreign_keys.clone()).prop_shuffle(),
        Just(table.checks.clone()).prop_shuffle(),
    );
    let (name, key) = (table.name.clone(), table.key.clone());
    parts.prop_map(move |(columns, uniques, indexes, foreign_keys, checks)| {
        let builder = TableModel::builder(name.clone()).key(key.clone());
        let builder = columns.into_iter().fold(builder, TableModelBuilder::column);
        let mut table = builder.build().unwrap();
        (table.uniques, table.indexes) = (uniques, indexes);
        (table.foreign_keys, table.checks) = (foreign_keys, checks);
        table
    })
}

proptest! {
    #[test]
    fn order_does_not_count(
        (table, other) in testing::table_model(Dialect::Sqlite)
            .prop_flat_map(|table| { let other = shuffled(&table); (Just(table), other) })
    ) {
        prop_assert_eq!(table.checksum(), other.checksum());
    }

    #[test]
    fn equal_checksums_are_equal_content((one, other) in testing::pair(Dialect::Sqlite)) {
        let is_equal = content(&one) == content(&other);
        prop_assert_eq!(one.checksum() == other.checksum(), is_equal);
    }

    #[test]
    fn json_keeps_everything(table in testing::table_model(Dialect::Postgres)) {
        let json = serde_json::to_string(&table).unwrap();
        let read: TableModel = serde_json::from_str(&json).unwrap();
        prop_assert_eq!(read.checksum(), table.checksum());
        prop_assert_eq!(read, table);
    }
}
