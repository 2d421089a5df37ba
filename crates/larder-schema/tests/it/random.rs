//! Random tables: what was created is found as it was declared.

use std::borrow::Cow;

use larder_model::{ColumnKind, ColumnModel, DefaultValue, Identifier, TableModel};
use larder_schema::{Ensured, SchemaError};
use proptest::{collection::vec, option, prelude::*, sample::Index};

use crate::support::{SqliteStore, block_on, entry};

const KINDS: [ColumnKind; 12] = [
    ColumnKind::Blob,
    ColumnKind::Boolean,
    ColumnKind::Date,
    ColumnKind::Decimal,
    ColumnKind::Integer,
    ColumnKind::Json,
    ColumnKind::Real,
    ColumnKind::Text,
    ColumnKind::Time,
    ColumnKind::Timestamp,
    ColumnKind::TimestampUtc,
    ColumnKind::Uuid,
];

fn name() -> impl Strategy<Value = Identifier> {
    let text = prop_oneof!["[a-z]{1,8}", "[a-c\"'`;\\[\\]? -]{1,12}", "\\PC{1,15}"];
    text.prop_filter_map("not a name", |text| Identifier::new(text).ok())
}

fn default_for(kind: ColumnKind) -> BoxedStrategy<DefaultValue> {
    match kind {
        ColumnKind::Blob => {
            vec(any::<u8>(), 0..5).prop_map(|bytes| DefaultValue::Blob(Cow::Owned(bytes))).boxed()
        }
        ColumnKind::Uuid => any::<[u8; 16]>()
            .prop_map(|bytes| DefaultValue::Blob(Cow::Owned(bytes.to_vec())))
            .boxed(),
        ColumnKind::Boolean => any::<bool>().prop_map(DefaultValue::Boolean).boxed(),
        ColumnKind::Integer => any::<i64>()
            .prop_map(|value| DefaultValue::Number(Cow::Owned(value.to_string())))
            .boxed(),
        ColumnKind::Decimal | ColumnKind::Real => "-?[0-9]{1,25}(\\.[0-9]{1,5})?"
            .prop_map(|digits| DefaultValue::Number(Cow::Owned(digits)))
            .boxed(),
        _ => "[^\\x00]{0,8}".prop_map(|text| DefaultValue::Text(Cow::Owned(text))).boxed(),
    }
}

prop_compose! {
    fn column()(kind in proptest::sample::select(&KINDS[..]))(
        name in name(),
        kind in Just(kind),
        nullable in any::<bool>(),
        key in proptest::bool::weighted(0.2),
        unique in proptest::bool::weighted(0.2),
        default in option::weighted(0.4, default_for(kind)),
    ) -> ColumnModel {
        let mut column = ColumnModel::new(name, kind, nullable && !key, default);
        if key { column = column.with_key(); }
        if unique { column = column.with_unique(); }
        column
    }
}

fn columns() -> impl Strategy<Value = Vec<ColumnModel>> {
    vec(column(), 1..8)
}

/// The table of these columns, if they make one that SQLite does not keep to itself.
fn table(name: &Identifier, columns: &[ColumnModel]) -> Option<TableModel> {
    TableModel::new(name.clone(), columns.to_vec()).ok()
}

proptest! {
    #[test]
    fn what_was_created_needs_nothing_more(name in name(), columns in columns()) {
        let Some(table) = table(&name, &columns) else { return Ok(()) };
        block_on(async {
            let store = SqliteStore::in_memory();
            let ensured = store.schema().ensure_entry(entry(table.clone())).await;
            prop_assert!(matches!(ensured, Ok(Ensured::Migrated { .. })), "{ensured:?}");
            let plan = store.schema().plan(&table).await.unwrap();
            prop_assert!(plan.is_empty(), "{plan}");
            Ok(())
        })?;
    }

    #[test]
    fn a_later_model_is_reached_or_refused_without_a_trace(
        name in name(),
        columns in columns(),
        earlier in vec(any::<Index>(), 1..4),
        has_row in any::<bool>(),
    ) {
        let earlier: Vec<_> = earlier.iter().map(|index| index.get(&columns).clone()).collect();
        let (Some(earlier), Some(later)) = (table(&name, &earlier), table(&name, &columns)) else {
            return Ok(());
        };
        block_on(async {
            let store = SqliteStore::in_memory();
            store.schema().ensure_entry(entry(earlier.clone())).await.unwrap();
            if has_row {
                let values = vec!["1"; earlier.columns().len()].join(", ");
                let name = name.as_str().replace('"', "\"\"");
                store.run(&format!("INSERT INTO \"{name}\" VALUES ({values})")).await;
            }
            let before = store.changes();
            match store.schema().ensure_entry(entry(later.clone())).await {
                Ok(_) => {
                    let plan = store.schema().plan(&later).await.unwrap();
                    prop_assert!(plan.is_empty(), "{plan}");
                }
                Err(SchemaError::Refused { .. }) => {
                    prop_assert_eq!(store.changes(), before);
                    let plan = store.schema().plan(&earlier).await.unwrap();
                    prop_assert!(plan.is_empty(), "{plan}");
                }
                Err(error) => prop_assert!(false, "{error:?}"),
            }
            Ok(())
        })?;
    }
}
