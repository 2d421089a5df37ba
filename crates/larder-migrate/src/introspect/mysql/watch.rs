//! Whether something changed, and where.
//!
//! The server counts the statements that change a schema, when they begin, for everybody at once
//! and whatever way they come: as a text, prepared, or from within a procedure; `FLUSH STATUS`
//! leaves the counters alone. Temporary tables count on MySQL 9.7, and have counters of their own
//! on MariaDB 10.11. `CREATE_TIME` would tell as well, also of what MySQL does with
//! `ALGORITHM=INSTANT`, but it has a resolution of a second, and MySQL leaves it at `RENAME TABLE`.

use larder_model::TableName;
use sha2::{Digest as _, Sha256};

use super::read::{list, show};
use crate::{Cell, Session, SessionError, SessionErrorKind};

/// How often the list of tables is asked for if one of them is gone by the time it is shown.
const ATTEMPTS_MAX: usize = 5;

/// The digest of what `SHOW CREATE TABLE` prints, without the next number of the table.
pub(in crate::introspect) async fn tokens(
    session: &mut dyn Session,
    tables: &[TableName],
) -> Result<Vec<Option<String>>, SessionError> {
    for attempt in 1.. {
        match tokens_now(session, tables).await {
            // It was dropped after it had been listed.
            Err(error)
                if error.kind() == SessionErrorKind::UndefinedTable && attempt < ATTEMPTS_MAX => {}
            outcome => return outcome,
        }
    }
    unreachable!("the last attempt returns")
}

async fn tokens_now(
    session: &mut dyn Session,
    tables: &[TableName],
) -> Result<Vec<Option<String>>, SessionError> {
    let (environment, listed) = list(session, Some(tables)).await?;
    let found: Vec<_> = tables
        .iter()
        .map(|table| {
            let wanted = environment.folded(&table.name);
            listed.iter().find(|listed| environment.folded(&listed.name) == wanted)
        })
        .collect();
    let names: Vec<_> = found.iter().flatten().map(|listed| listed.name.as_str()).collect();
    let mut shown = show(session, &names).await?.into_iter();
    let tokens = found.iter().map(|found| found.and_then(|_| shown.next()).map(|sql| token(&sql)));
    Ok(tokens.collect())
}

fn token(sql: &str) -> String {
    let digest = Sha256::digest(without_counter(sql).as_bytes());
    let hex: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("v1:{hex}")
}

/// Takes out the number that the next row gets. It stands right behind the engine, before anything
/// that a person could have written.
fn without_counter(sql: &str) -> String {
    const COUNTER: &str = " AUTO_INCREMENT=";
    let Some(options) = sql.rfind("\n) ENGINE=") else { return sql.to_owned() };
    let Some(at) = sql[options..].find(COUNTER).map(|at| options + at) else {
        return sql.to_owned();
    };
    let is_right_behind = !sql[options + "\n) ENGINE=".len()..at].contains(' ');
    let digits = &sql[at + COUNTER.len()..];
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    match is_right_behind {
        true => format!("{}{}", &sql[..at], &digits[end..]),
        false => sql.to_owned(),
    }
}

/// Statements that change a schema, and when the server started, because it begins to count at
/// zero.
const SIGNAL: &str = "SELECT 'now', UNIX_TIMESTAMP(); \
    SHOW GLOBAL STATUS WHERE Variable_name IN ('Com_alter_db', 'Com_alter_sequence', \
    'Com_alter_table', 'Com_create_db', 'Com_create_index', 'Com_create_sequence', \
    'Com_create_table', 'Com_create_trigger', 'Com_create_view', 'Com_drop_db', \
    'Com_drop_index', 'Com_drop_sequence', 'Com_drop_table', 'Com_drop_trigger', \
    'Com_drop_view', 'Com_rename_table', 'Uptime')";

pub(in crate::introspect) async fn signal(
    session: &mut dyn Session,
) -> Result<String, SessionError> {
    let mut signal = String::new();
    let (mut now, mut uptime) = (0_i64, 0_i64);
    for row in session.fetch(SIGNAL, &[]).await? {
        let name = row.first().and_then(Cell::as_text).unwrap_or_default();
        let value = match row.get(1) {
            Some(Cell::Integer(value)) => *value,
            Some(Cell::Text(text)) => text.parse().unwrap_or_default(),
            _ => 0,
        };
        match name {
            "now" => now = value,
            "Uptime" => uptime = value,
            name => {
                let name = name.strip_prefix("Com_").unwrap_or(name);
                signal.push_str(&format!("{name}={value};"));
            }
        }
    }
    signal.push_str(&format!("since={}", now - uptime));
    Ok(signal)
}

/// What identifies a server: MySQL has an id of its own. MariaDB has nothing made for this; what
/// it has are the machine, its network card, the port, and where the data lie.
///
/// Two statements, because a session of another crate may prepare them, which takes one at a time.
const DATABASE: &str = "SELECT CAST(COALESCE(DATABASE(), '') AS CHAR)";
const SERVER: &str = "SHOW VARIABLES WHERE Variable_name IN ('datadir', 'hostname', 'port', \
    'server_id', 'server_uid', 'server_uuid')";

pub(in crate::introspect) async fn identity(
    session: &mut dyn Session,
) -> Result<String, SessionError> {
    let text = |row: &[Cell], at: usize| {
        row.get(at).and_then(Cell::as_text).unwrap_or_default().to_owned()
    };
    let rows = session.fetch(DATABASE, &[]).await?;
    let database = rows.first().map(|row| text(row, 0)).unwrap_or_default();
    let rows = session.fetch(SERVER, &[]).await?;
    let values: Vec<_> = rows.iter().map(|row| (text(row, 0), text(row, 1))).collect();
    let has_uuid = values.iter().any(|(name, _)| name == "server_uuid");
    let mut identity = "mysql".to_owned();
    for (_, value) in values.iter().filter(|(name, _)| !has_uuid || name == "server_uuid") {
        identity.push_str(&format!(":{}:{value}", value.len()));
    }
    Ok(format!("{identity}/{database}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_number_does_not_count() {
        let table = |counter: &str| {
            format!("CREATE TABLE `t` (\n  `a` int\n) ENGINE=InnoDB{counter} COMMENT='x'")
        };
        assert_eq!(token(&table("")), token(&table(" AUTO_INCREMENT=77")));
        assert_ne!(token(&table("")), token(&table(" ROW_FORMAT=COMPRESSED")));
    }

    #[test]
    fn what_a_person_wrote_counts() {
        let sql = "CREATE TABLE `t` (\n  `a` int\n) ENGINE=InnoDB COMMENT=' AUTO_INCREMENT=1'";
        assert_eq!(without_counter(sql), sql);
        let sql = "CREATE TABLE `t` (\n  `a` int COMMENT ' AUTO_INCREMENT=1'\n) ENGINE=InnoDB";
        assert_eq!(without_counter(sql), sql);
    }
}
