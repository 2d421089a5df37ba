//! What holds for the whole database: its identity, the registry's format, the epoch.

use larder_model::Dialect;
use rand::RngExt as _;

use crate::{
    Cell, MigrateError, Param, Session, SessionErrorKind, hex,
    registry::{FORMAT, Fields, Names, Registry, RegistryTable, placeholder},
};

const META: RegistryTable = RegistryTable::Meta;
const UID: &str = "database_uid";
const FORMAT_KEY: &str = "registry_format";
const EPOCH: &str = "ddl_epoch";

/// How often a migrator changed the database; 0 if there is no registry that could be read. To be
/// called outside of a transaction.
pub(crate) async fn epoch(session: &mut dyn Session, names: &Names) -> Result<u64, MigrateError> {
    use SessionErrorKind::{Permission, UndefinedColumn, UndefinedTable};
    match read(session, names, EPOCH).await {
        Ok(value) => Ok(value.and_then(|value| value.parse().ok()).unwrap_or(0)),
        Err(error) if matches!(error.kind(), Permission | UndefinedColumn | UndefinedTable) => {
            Ok(0)
        }
        Err(error) => Err(MigrateError::session("read the epoch")(error)),
    }
}

async fn read(
    session: &mut dyn Session,
    names: &Names,
    key: &str,
) -> Result<Option<String>, crate::SessionError> {
    let (column, value) = (names.dialect.quoted("key"), names.dialect.quoted("value"));
    let (table, one) = (names.quoted(META), placeholder(names.dialect, 1));
    let sql = format!("SELECT {value} FROM {table} WHERE {column} = {one}");
    let rows = session.fetch(&sql, &[Param::Text(key)]).await?;
    Ok(rows.first().and_then(|row| row.first()).and_then(Cell::as_text).map(str::to_owned))
}

impl Registry {
    /// Writes what a new registry begins with, and checks that this crate understands an old one.
    /// Under the lock.
    pub(crate) async fn begin(&self, session: &mut dyn Session) -> Result<(), MigrateError> {
        match self.meta(session, FORMAT_KEY).await? {
            Some(format) if format.parse().is_ok_and(|format: i64| format <= FORMAT) => {}
            Some(format) => {
                let reason = format!("its format is {format:?}, and this version knows {FORMAT}");
                return Err(MigrateError::Registry { reason });
            }
            None => {
                let random: [u8; 16] = rand::rng().random();
                let (uid, format) = (hex(&random), FORMAT.to_string());
                let mut missing = Vec::new();
                for (key, value) in [(UID, &*uid), (EPOCH, "0"), (FORMAT_KEY, &*format)] {
                    if self.meta(session, key).await?.is_none() {
                        missing.push((key, value));
                    }
                }
                self.put_meta(session, &missing).await?;
            }
        }
        Ok(())
    }

    /// The registry's own identity of the database.
    pub(crate) async fn uid(
        &self,
        session: &mut dyn Session,
    ) -> Result<Option<String>, MigrateError> {
        self.meta(session, UID).await
    }

    /// Tells every other process that the schema was changed. Under the lock, and where the
    /// change is in a transaction in the same one.
    pub(crate) async fn bump_epoch(&self, session: &mut dyn Session) -> Result<(), MigrateError> {
        let dialect = self.dialect();
        let value = dialect.quoted("value");
        let (integer, text) = match dialect {
            Dialect::MariaDb | Dialect::MySql => ("SIGNED", "CHAR"),
            Dialect::Sqlite => ("INTEGER", "TEXT"),
            _ => ("bigint", "text"),
        };
        let next = format!("CAST(CAST({value} AS {integer}) + 1 AS {text})");
        let key = Fields::new(dialect).text("key", EPOCH);
        let (sql, params) = Fields::new(dialect).sql("value", next).update(&self.table(META), &key);
        let bumped = session.execute(&sql, &params).await;
        bumped.map_err(MigrateError::session("write the epoch"))?;
        Ok(())
    }

    async fn meta(
        &self,
        session: &mut dyn Session,
        key: &str,
    ) -> Result<Option<String>, MigrateError> {
        if !self.has(META) {
            return Ok(None);
        }
        let value = read(session, &self.names, key).await;
        value.map_err(MigrateError::session("read the registry"))
    }

    /// One statement for all of them, so that a process that is killed leaves all or none.
    async fn put_meta(
        &self,
        session: &mut dyn Session,
        values: &[(&str, &str)],
    ) -> Result<(), MigrateError> {
        let dialect = self.dialect();
        let row = |at: usize| {
            format!("({}, {})", placeholder(dialect, 2 * at + 1), placeholder(dialect, 2 * at + 2))
        };
        let rows: Vec<_> = (0..values.len()).map(row).collect();
        let (key, value) = (dialect.quoted("key"), dialect.quoted("value"));
        let table = self.table(META);
        let sql = format!("INSERT INTO {table} ({key}, {value}) VALUES {}", rows.join(", "));
        let params: Vec<_> =
            values.iter().flat_map(|(key, value)| [Param::Text(key), Param::Text(value)]).collect();
        let done = session.execute(&sql, &params).await;
        done.map_err(MigrateError::session("write into the registry"))?;
        Ok(())
    }
}
