//! Names that one database can not have and the others can.
//!
//! Guards that such a name is refused before any statement is written: MySQL puts a question mark
//! for what it does not know in a name, and says nothing.

use crate::{Dialect, Identifier, ModelError, TableModel};

/// PostgreSQL's own columns, which every table has.
const POSTGRES_COLUMNS: [&str; 6] = ["cmax", "cmin", "ctid", "tableoid", "xmax", "xmin"];
/// InnoDB's, in whatever case.
const MYSQL_COLUMNS: [&str; 4] = ["DB_ROLL_PTR", "DB_ROW_ID", "DB_TRX_ID", "FTS_DOC_ID"];
/// InnoDB's, in whatever case.
const MYSQL_INDEXES: [&str; 2] = ["GEN_CLUST_INDEX", "PRIMARY"];

/// Refuses the first name of the model that the database can not have.
pub(crate) fn check_names(dialect: Dialect, model: &TableModel) -> Result<(), ModelError> {
    let columns = || model.columns.iter().map(|column| &column.name);
    let indexes = || model.indexes.iter().filter_map(|index| index.name.as_ref());
    let checks = || model.checks.iter().filter_map(|check| check.name.as_ref());
    let is_one_of = |kept: &[&str], name: &Identifier| kept.iter().any(|kept| name.is_alike(kept));
    let unusable = match dialect {
        Dialect::MariaDb | Dialect::MySql => [&model.name]
            .into_iter()
            .chain(columns())
            .chain(indexes())
            .chain(checks())
            .find(|name| !is_mysql_name(name))
            .or_else(|| columns().find(|name| is_one_of(&MYSQL_COLUMNS, name)))
            .or_else(|| indexes().find(|name| is_one_of(&MYSQL_INDEXES, name))),
        Dialect::Postgres => columns().find(|name| POSTGRES_COLUMNS.contains(&name.as_str())),
        Dialect::Sqlite => indexes().find(|name| dialect.is_reserved(name.as_str())),
    };
    match unusable {
        Some(name) => Err(ModelError::UnusableName { dialect, name: name.clone() }),
        None => Ok(()),
    }
}

/// Names have no blank at their end, and only characters of the basic plane.
fn is_mysql_name(name: &Identifier) -> bool {
    let name = name.as_str();
    let is_blank = |last: char| last.is_ascii_whitespace() || last == '\u{b}';
    !name.ends_with(is_blank) && name.chars().all(|character| u32::from(character) <= 0xFFFF)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CheckModel, ColumnKind, ColumnModel, IndexModel};

    const ALL: [Dialect; 4] =
        [Dialect::MariaDb, Dialect::MySql, Dialect::Postgres, Dialect::Sqlite];

    fn id(name: &str) -> Identifier {
        Identifier::new(name).unwrap()
    }

    /// Which databases refuse the name.
    #[track_caller]
    fn check(model: &TableModel, name: &str, refusing: &[Dialect]) {
        for dialect in ALL {
            let name = id(name);
            let expected = match refusing.contains(&dialect) {
                true => Err(ModelError::UnusableName { dialect, name }),
                false => Ok(()),
            };
            assert_eq!(check_names(dialect, model), expected);
            if refusing.contains(&dialect) {
                assert_eq!(dialect.lower(model, None).unwrap_err(), expected.unwrap_err());
            }
        }
    }

    fn table(table: &str, column: &str, index: &str, check: &str) -> TableModel {
        let expression = "1 = 1".to_owned();
        TableModel::builder(id(table))
            .column(ColumnModel::new(id(column), ColumnKind::Int64))
            .index(IndexModel::over([id(column)]).with_name(id(index)))
            .check(CheckModel { name: Some(id(check)), expression })
            .build()
            .unwrap()
    }

    #[test]
    fn every_database_refuses_what_it_can_not_have() {
        let mysql = [Dialect::MariaDb, Dialect::MySql];
        for name in ["a ", "a\n", "flight 🛫"] {
            check(&table(name, "c", "i", "k"), name, &mysql);
            check(&table("t", name, "i", "k"), name, &mysql);
            check(&table("t", "c", name, "k"), name, &mysql);
            check(&table("t", "c", "i", name), name, &mysql);
        }
        check(&table("t", "db_row_id", "i", "k"), "db_row_id", &mysql);
        check(&table("t", "c", "primary", "k"), "primary", &mysql);
        check(&table("t", "xmin", "i", "k"), "xmin", &[Dialect::Postgres]);
        check(&table("t", "c", "SQLITE_i", "k"), "SQLITE_i", &[Dialect::Sqlite]);
    }

    #[test]
    fn names_that_only_look_so_are_fine() {
        for (column, index) in [("XMIN", "primary_"), ("größe", "db_row_id"), ("a b", "ctid")] {
            check(&table("xmin", column, index, "xmax"), column, &[]);
        }
    }
}
