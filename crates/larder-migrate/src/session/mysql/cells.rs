//! From the server's rows to ours.
//!
//! Guards that an integer is an integer whatever its width and sign, and that everything else is
//! text: the catalog returns texts as blobs here and there.

use sqlx::{Column as _, Decode, MySql, Row as _, TypeInfo as _, ValueRef as _, mysql::MySqlRow};

use crate::Cell;

/// The cells of a row.
pub(super) fn of(row: &MySqlRow) -> Result<Vec<Cell>, sqlx::Error> {
    (0..row.columns().len()).map(|at| cell(row, at)).collect()
}

fn cell(row: &MySqlRow, at: usize) -> Result<Cell, sqlx::Error> {
    let value = row.try_get_raw(at)?;
    if value.is_null() {
        return Ok(Cell::Null);
    }
    let name = row.column(at).type_info().name().to_owned();
    if !is_integer(&name) {
        let bytes = <&[u8] as Decode<MySql>>::decode(value).map_err(sqlx::Error::Decode)?;
        // A default of bytes may be printed as they are; the replacement character tells so.
        return Ok(Cell::Text(String::from_utf8_lossy(bytes).into_owned()));
    }
    if !name.ends_with("UNSIGNED") {
        let value = <i64 as sqlx::Decode<MySql>>::decode(value);
        return value.map(Cell::Integer).map_err(sqlx::Error::Decode);
    }
    let value = <u64 as sqlx::Decode<MySql>>::decode(value).map_err(sqlx::Error::Decode)?;
    // Of what does not fit every digit is kept.
    Ok(i64::try_from(value).map_or_else(|_| Cell::Text(value.to_string()), Cell::Integer))
}

fn is_integer(name: &str) -> bool {
    let base = name.split([' ', '(']).next().unwrap_or_default();
    matches!(base, "BIGINT" | "BOOLEAN" | "INT" | "MEDIUMINT" | "SMALLINT" | "TINYINT" | "YEAR")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_of_every_width_and_sign_are_integers() {
        for name in ["BOOLEAN", "TINYINT(1)", "TINYINT UNSIGNED", "INT", "BIGINT UNSIGNED", "YEAR"]
        {
            assert!(is_integer(name), "{name}");
        }
        for name in ["DECIMAL", "VARCHAR", "VARBINARY", "LONGBLOB", "DATETIME", "INTERVAL"] {
            assert!(!is_integer(name), "{name}");
        }
    }
}
