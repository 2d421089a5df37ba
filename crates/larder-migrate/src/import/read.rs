//! The tables of other tools, each read with one statement.

use larder_model::{Dialect, TableName};

use crate::{
    Cell, FileVersion, History, HistoryEntry, HistorySource, ImportError, Session, SessionErrorKind,
};

/// Reads what a tool says that it applied. `table` is needed only if the tool was told to use
/// another one than its own.
///
/// # Errors
/// [`ImportError::NoHistory`], [`ImportError::Dirty`], and what the database says.
///
/// # Cancel safety
/// The session must be dropped afterwards.
pub async fn read_history(
    session: &mut dyn Session,
    tool: HistorySource,
    table: Option<&TableName>,
) -> Result<History, ImportError> {
    let dialect = session.dialect();
    let table = table.cloned().unwrap_or_else(|| tool.table(dialect));
    let table = dialect.quoted_table(&table);
    let sql = format!("SELECT {} FROM {table}", columns(tool, dialect));
    let rows = session.fetch(&sql, &[]).await.map_err(|source| match source.kind() {
        SessionErrorKind::UndefinedTable => ImportError::NoHistory { tool },
        _ => ImportError::Session { tool, source },
    })?;
    let rows = rows.iter().map(|row| Row::decode(row)).collect();
    history(tool, table, rows)
}

/// Version, name, checksum, time, kind, and whether it ended well, all as texts; what orders them
/// last.
fn columns(tool: HistorySource, dialect: Dialect) -> String {
    let text = match dialect {
        Dialect::MariaDb | Dialect::MySql => "CHAR",
        _ => "text",
    };
    let cast = |column: &str| format!("CAST({} AS {text})", dialect.quoted(column));
    let none = format!("CAST(NULL AS {text})");
    let yes = |column: &str| {
        let column = dialect.quoted(column);
        format!("CASE WHEN {column} THEN 'yes' ELSE 'no' END")
    };
    let bytes = |column: &str| match dialect {
        Dialect::Postgres => format!("encode({}, 'hex')", dialect.quoted(column)),
        _ => format!("HEX({})", dialect.quoted(column)),
    };
    let all = match tool {
        HistorySource::Diesel => {
            [cast("version"), none.clone(), none.clone(), cast("run_on"), none, "'yes'".to_owned()]
        }
        HistorySource::Flyway => [
            cast("version"),
            cast("description"),
            cast("checksum"),
            cast("installed_on"),
            cast("type"),
            yes("success"),
        ],
        HistorySource::GolangMigrate => {
            let clean = format!("CASE WHEN {} THEN 'no' ELSE 'yes' END", dialect.quoted("dirty"));
            [cast("version"), none.clone(), none.clone(), none.clone(), none, clean]
        }
        HistorySource::Refinery => [
            cast("version"),
            cast("name"),
            cast("checksum"),
            cast("applied_on"),
            none,
            "'yes'".to_owned(),
        ],
        HistorySource::Sqlx => [
            cast("version"),
            cast("description"),
            bytes("checksum"),
            cast("installed_on"),
            none,
            yes("success"),
        ],
    };
    let rank = if tool == HistorySource::Flyway { cast("installed_rank") } else { cast("version") };
    format!("{}, {rank}", all.join(", "))
}

#[derive(Debug, Default)]
struct Row {
    version: Option<String>,
    name: Option<String>,
    checksum: Option<String>,
    applied_at: Option<String>,
    kind: Option<String>,
    is_fine: bool,
    rank: i64,
}

impl Row {
    fn decode(row: &[Cell]) -> Self {
        let text = |at: usize| row.get(at).and_then(Cell::as_text).map(str::to_owned);
        Self {
            version: text(0),
            name: text(1),
            checksum: text(2),
            applied_at: text(3),
            kind: text(4),
            is_fine: text(5).as_deref() == Some("yes"),
            rank: text(6).and_then(|rank| rank.parse().ok()).unwrap_or(0),
        }
    }
}

fn history(tool: HistorySource, table: String, mut rows: Vec<Row>) -> Result<History, ImportError> {
    // What was undone was applied before that.
    rows.sort_by_key(|row| row.rank);
    let mut history = History { tool, table, entries: Vec::new(), up_to: None };
    for row in rows {
        // Flyway's repeatable migrations have no version.
        let Some(text) = row.version else { continue };
        if !row.is_fine {
            return Err(ImportError::Dirty { tool, version: text });
        }
        let Some(version) = FileVersion::parse(&text) else {
            return Err(ImportError::Version { tool, version: text });
        };
        let raises = |up_to: &Option<FileVersion>| up_to.as_ref().is_none_or(|old| *old < version);
        let kind = row.kind.unwrap_or_default();
        if tool == HistorySource::GolangMigrate || kind == "BASELINE" {
            if raises(&history.up_to) {
                history.up_to = Some(version);
            }
            continue;
        }
        history.entries.retain(|entry| entry.version != version);
        if matches!(kind.as_str(), "DELETE" | "SCHEMA") || kind.starts_with("UNDO") {
            continue;
        }
        let Row { name, checksum, applied_at, .. } = row;
        history.entries.push(HistoryEntry { version, name, checksum, applied_at });
    }
    history.entries.sort_by(|one, other| one.version.cmp(&other.version));
    Ok(history)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(rank: i64, version: &str, kind: &str) -> Row {
        Row {
            version: Some(version.to_owned()),
            kind: Some(kind.to_owned()),
            is_fine: true,
            rank,
            ..Row::default()
        }
    }

    fn versions(history: &History) -> Vec<String> {
        history.entries.iter().map(|entry| entry.version.to_string()).collect()
    }

    #[test]
    fn flyway_undoes_and_deletes_in_the_order_of_its_ranks() {
        let rows = vec![
            row(10, "2", "SQL"),
            row(2, "1", "SQL"),
            row(3, "2", "SQL"),
            row(4, "2", "UNDO_SQL"),
            row(5, "3", "SQL"),
            row(6, "3", "DELETE"),
            Row { is_fine: true, ..Row::default() },
        ];
        let history = history(HistorySource::Flyway, String::new(), rows).unwrap();
        assert_eq!(versions(&history), ["1", "2"]);
    }

    #[test]
    fn a_baseline_covers_what_came_before_it() {
        let rows = vec![row(1, "5", "BASELINE"), row(2, "6", "SQL")];
        let history = history(HistorySource::Flyway, String::new(), rows).unwrap();
        let has = |text| history.has(&FileVersion::parse(text).unwrap());
        assert!(has("1") && has("5") && has("6") && !has("7"));
    }

    #[test]
    fn what_did_not_end_well_is_refused() {
        let dirty = Row { is_fine: false, ..row(1, "7", "") };
        let error = history(HistorySource::GolangMigrate, String::new(), vec![dirty]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "golang-migrate says that migration 7 did not end well; mend that with golang-migrate \
             first",
        );
    }
}
