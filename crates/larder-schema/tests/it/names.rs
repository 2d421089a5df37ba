//! Names are names, whatever is in them.

use larder_model::{ColumnKind, ColumnModel, Identifier, TableModel};
use larder_schema::Ensured;

use crate::support::{SqliteStore, block_on, entry};

const HOSTILE: [&str; 14] = [
    "users; DROP TABLE x--",
    "a\"b",
    "\"",
    "\"\"); --",
    "select",
    "TABLE",
    "it's",
    "[x]",
    "`x`",
    "a?b:c@d$e",
    " ",
    "таблица",
    "🛫",
    "'main'.x\n/*",
];

fn name(name: &str) -> Identifier {
    Identifier::new(name).unwrap()
}

#[test]
fn hostile_names_are_created_extended_and_found_again() {
    block_on(async {
        let store = SqliteStore::in_memory();
        store.run("CREATE TABLE x (kept)").await;
        let optional = |of| ColumnModel::new(name(of), ColumnKind::Text, true, None);
        for table in HOSTILE {
            let key = ColumnModel::new(name("k"), ColumnKind::Text, false, None).with_key();
            let mut columns = vec![key];
            for column in HOSTILE {
                columns.push(optional(column));
                let model = TableModel::new(name(table), columns.clone()).unwrap();
                let ensured = store.schema().ensure_entry(entry(model)).await.unwrap();
                assert!(matches!(ensured, Ensured::Migrated { .. }), "{table:?} {column:?}");
            }
            let model = entry(TableModel::new(name(table), columns).unwrap());
            assert_eq!(store.schema().ensure_entry(model).await.unwrap(), Ensured::Verified);
        }
        let tables = "SELECT count(*) FROM sqlite_schema WHERE type = 'table'";
        assert_eq!(store.ask(tables).await, (HOSTILE.len() + 1).to_string());
        let columns = "SELECT count(*) FROM pragma_table_info('users; DROP TABLE x--')";
        assert_eq!(store.ask(columns).await, (HOSTILE.len() + 1).to_string());
    });
}

#[test]
fn an_index_with_a_hostile_name_is_looked_into() {
    block_on(async {
        let store = SqliteStore::in_memory();
        store.run("CREATE TABLE t (a TEXT NOT NULL)").await;
        store.run("CREATE UNIQUE INDEX \"i'); DROP TABLE t; --\"\"\" ON t (a)").await;
        let column = ColumnModel::new(name("a"), ColumnKind::Text, false, None).with_unique();
        let model = entry(TableModel::new(name("t"), vec![column]).unwrap());
        assert_eq!(store.schema().ensure_entry(model).await.unwrap(), Ensured::Verified);
    });
}
