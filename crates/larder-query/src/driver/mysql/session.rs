//! What is learned from the server once, and how every session is set up alike.
//!
//! Guards that all connections of a pool give the same answers, for as long as the pool lives: what
//! decides about answers is read from the first session and written into every other one.

use sqlx::{AssertSqlSafe, Executor as _, MySqlConnection};

use super::{error, run, types::Types};
use crate::{DatabaseError, DatabaseErrorKind, Engine, QueryError, Value};

/// What is known of the server and of every session with it.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) engine: Engine,
    /// Engine and version, for people.
    pub(super) server: String,
    /// The server, so that two of them are told apart.
    pub(super) server_id: String,
    /// The default database of the sessions; empty if there is none.
    pub(super) database: String,
    /// What of the session decides about answers.
    pub(super) identity: String,
    pub(super) types: Types,
    setup: String,
}

/// Settings that change answers, whatever the server sets them to. Alphabetical.
const SETTINGS: [&str; 9] = [
    "default_week_format",
    "div_precision_increment",
    "group_concat_max_len",
    "lc_time_names",
    "max_sort_length",
    "sql_auto_is_null",
    "sql_mode",
    "sql_safe_updates",
    "sql_select_limit",
];

/// What is needed before anything else can be asked for: text in UTF-8, moments in UTC, each
/// statement a transaction of its own, and the server's mode rather than the one that the client's
/// flags make of it.
const FIRST: &str = "SET NAMES utf8mb4, time_zone = '+00:00', autocommit = 1, \
                     completion_type = 0, sql_mode = @@GLOBAL.sql_mode";

/// Modes that change where a text or a name ends.
const UNREADABLE_MODES: [(&str, &str); 2] = [
    ("ANSI_QUOTES", "sql_mode holds ANSI_QUOTES, under which statements can not be analysed"),
    (
        "NO_BACKSLASH_ESCAPES",
        "sql_mode holds NO_BACKSLASH_ESCAPES, under which statements can not be analysed",
    ),
];

impl Session {
    /// Sets up the first session of a pool and reads what the others are to be like.
    pub(super) async fn learn(connection: &mut MySqlConnection) -> Result<Self, QueryError> {
        connection.execute(FIRST).await.map_err(error::map)?;
        let sql = "SELECT VERSION(), COALESCE(DATABASE(), ''), CURRENT_USER(), \
                   COALESCE(CURRENT_ROLE(), ''), @@collation_connection";
        let [version, database, user, role, collation] = texts(connection, sql).await?;
        let engine = engine_of(&version);
        let mut settings = Vec::with_capacity(SETTINGS.len() + 1);
        for name in SETTINGS {
            settings.push((name, setting(connection, name).await?));
        }
        let mode = settings.iter().find(|(name, _)| *name == "sql_mode");
        refuse_unreadable(mode.map_or("", |(_, mode)| mode))?;
        let isolation = match engine {
            Engine::MySql => "transaction_isolation",
            _ => "tx_isolation",
        };
        let level = match setting(connection, isolation).await?.as_str() {
            // An answer that was never committed must not be stored.
            "READ-UNCOMMITTED" => "READ-COMMITTED".to_owned(),
            level => level.to_owned(),
        };
        settings.push((isolation, level));
        let setup = setup(&collation, &settings);
        connection.execute(AssertSqlSafe(setup.as_str())).await.map_err(error::map)?;
        let values: Vec<_> =
            settings.iter().map(|(name, value)| format!("{name}={value}")).collect();
        Ok(Self {
            engine,
            server: server_name(engine, &version),
            server_id: server_id(connection, engine).await?,
            identity: [&database, &user, &role, &version, &collation, &values.join("\n")]
                .map(|part| format!("{}:{part}", part.len()))
                .join(""),
            database,
            types: Types::ask(connection, engine).await?,
            setup,
        })
    }

    /// Sets up a further session like the first one.
    pub(super) async fn set_up(
        &self,
        connection: &mut MySqlConnection,
    ) -> Result<(), DatabaseError> {
        let setup = AssertSqlSafe(self.setup.as_str());
        connection.execute(setup).await.map(drop).map_err(error::map)
    }
}

fn engine_of(version: &str) -> Engine {
    if version.contains("MariaDB") { Engine::MariaDb } else { Engine::MySql }
}

fn server_name(engine: Engine, version: &str) -> String {
    format!("{engine} {}", version.split('-').next().unwrap_or(version))
}

fn refuse_unreadable(sql_mode: &str) -> Result<(), QueryError> {
    for (mode, message) in UNREADABLE_MODES {
        if sql_mode.split(',').any(|have| have.eq_ignore_ascii_case(mode)) {
            return Err(error::own(DatabaseErrorKind::Other, message).into());
        }
    }
    Ok(())
}

fn setup(collation: &str, settings: &[(&str, String)]) -> String {
    let mut setup = format!(
        "SET NAMES utf8mb4 COLLATE {}, time_zone = '+00:00', autocommit = 1, completion_type = 0",
        quoted(collation)
    );
    for (name, value) in settings {
        // A number in quotes is no number to the server.
        let is_number = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
        let value = if is_number { value.clone() } else { quoted(value) };
        setup.push_str(&format!(", {name} = {value}"));
    }
    setup
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

/// Something that stays the same as long as the server does, and that another server does not
/// have. MariaDB has nothing made for this; what it has are the machine, its network card, the
/// port, and where the data lie.
async fn server_id(connection: &mut MySqlConnection, engine: Engine) -> Result<String, QueryError> {
    let names = match engine {
        Engine::MySql => "'server_uuid'",
        _ => "'datadir', 'hostname', 'port', 'server_id', 'server_uid'",
    };
    let sql = format!("SHOW VARIABLES WHERE Variable_name IN ({names})");
    let rows = run::fetch_text(connection, &sql).await?;
    let mut id = String::new();
    for row in rows.rows() {
        let (_, value): (String, String) = row.to()?;
        id.push_str(&format!(":{}:{value}", value.len()));
    }
    Ok(id)
}

async fn setting(connection: &mut MySqlConnection, name: &str) -> Result<String, QueryError> {
    let [value] = texts(connection, &format!("SELECT @@{name}")).await?;
    Ok(value)
}

/// The columns of the only row, as texts.
async fn texts<const N: usize>(
    connection: &mut MySqlConnection,
    sql: &str,
) -> Result<[String; N], QueryError> {
    let rows = run::fetch_text(connection, sql).await?;
    let row = rows.into_rows().into_iter().next().ok_or(QueryError::RowNotFound)?;
    let values: Vec<String> = row.values().iter().map(Value::to_string).collect();
    values.try_into().map_err(|_| QueryError::RowNotFound)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_tells_the_engine() {
        assert_eq!(engine_of("10.11.18-MariaDB-0+deb12u1"), Engine::MariaDb);
        assert_eq!(engine_of("5.5.5-10.6.1-MariaDB"), Engine::MariaDb);
        assert_eq!(engine_of("9.7.4-2"), Engine::MySql);
        assert_eq!(server_name(Engine::MySql, "8.0.36-28"), "MySQL 8.0.36");
    }

    #[test]
    fn modes_that_move_the_ends_of_names_are_refused() {
        assert!(refuse_unreadable("STRICT_TRANS_TABLES,PIPES_AS_CONCAT").is_ok());
        for mode in ["ANSI_QUOTES", "A,ansi_quotes,B", "NO_BACKSLASH_ESCAPES"] {
            assert!(refuse_unreadable(mode).is_err(), "{mode}");
        }
    }

    #[test]
    fn values_are_quoted() {
        let settings = [("a", "1".to_owned()), ("b", "x'\\".to_owned()), ("c", String::new())];
        let setup = setup("utf8mb4_bin", &settings);
        assert!(setup.ends_with(", a = 1, b = 'x''\\\\', c = ''"), "{setup}");
    }
}
