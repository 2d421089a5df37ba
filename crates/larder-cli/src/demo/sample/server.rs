//! A sample in tables of a server: the one that is there if it is the right one, otherwise a new
//! one.
//!
//! Guards that a table which is not the sample's is never touched, and that an incomplete sample
//! is never asked: what it was made from is written down last.

use std::{fs, path::PathBuf};

use larder::{
    Database, DatabaseOptions, DatabaseUrl, Engine, OpenError, Params, QueryError,
    core::{Clock as _, SystemClock},
    query::{DatabaseTransaction, RowLimit},
};

use super::{
    build::fill,
    content::{Found, compare, take_out_surplus},
    dialect::Dialect,
    file::cache_path,
    place::default_path,
    ready::{Hold, Sample},
    spec::Spec,
    tables,
};
use crate::{demo::progress::Progress, failure::Failure};

/// Keeps other demos away from the tables, by a lock of the server that ends with its connection.
#[derive(Debug)]
pub(crate) struct Lock {
    database: Database,
    dialect: Dialect,
    held: DatabaseTransaction,
}

/// The number of the lock on PostgreSQL; any will do that others are unlikely to use.
const LOCK_NUMBER: i64 = 0x6c61_7264_6572;
/// How long the lock is waited for on MySQL, where it has to be said.
const LOCK_TIME_MAX_SECONDS: u32 = 3_600;

/// Opens the sample in this database, or builds it.
pub(crate) async fn open(
    text: &str,
    spec: Spec,
    progress: &mut Progress,
) -> Result<Sample, Failure> {
    let url: DatabaseUrl = text.parse().map_err(OpenError::DatabaseUrl)?;
    let dialect = Dialect::of(url.engine());
    let database = connect(&url).await?;
    let lock = Lock::take(&database, dialect, progress).await?;
    let clock = SystemClock::new();
    let started = clock.now();
    let (checksum, build_time) = match look(&database, dialect, spec).await? {
        Found::Same(checksum) => {
            take_out_surplus(&database, dialect, spec).await?;
            (checksum, None)
        }
        found => {
            if matches!(found, Found::Other) {
                drop_tables(&database, dialect).await?;
            }
            let checksum = Box::pin(fill(&database, dialect, spec, progress)).await;
            progress.clear();
            (checksum?.text(), Some(clock.now().since(started)))
        }
    };
    let size_bytes = size(&database, dialect).await?;
    Ok(Sample {
        shown: url.to_string(),
        url: text.to_owned(),
        cache: default_cache(),
        dialect,
        spec,
        checksum,
        build_time,
        size_bytes,
        hold: Hold::Server(Box::new(lock)),
    })
}

/// Removes the sample in this database. `false` if there is none.
pub(crate) async fn clean(text: &str, progress: &Progress) -> Result<bool, Failure> {
    let url: DatabaseUrl = text.parse().map_err(OpenError::DatabaseUrl)?;
    let dialect = Dialect::of(url.engine());
    let database = connect(&url).await?;
    let lock = Lock::take(&database, dialect, progress).await?;
    let found = look(&database, dialect, Spec { seed: 0, bookings: 0 }).await?;
    let is_there = !matches!(found, Found::Nothing);
    if is_there {
        drop_tables(&database, dialect).await?;
    }
    lock.release().await;
    Ok(is_there)
}

/// A file beside that of the sample in a file, if there may be one.
fn default_cache() -> Option<PathBuf> {
    let path = cache_path(&default_path().ok()?);
    fs::create_dir_all(path.parent()?).ok()?;
    Some(path)
}

async fn connect(url: &DatabaseUrl) -> Result<Database, Failure> {
    let connected = Database::connect(url, &DatabaseOptions::default()).await;
    let failed = |source| OpenError::Database { url: url.to_string(), source };
    Ok(connected.map_err(failed)?)
}

impl Lock {
    /// Waits for the lock, and says so if it has to.
    async fn take(
        database: &Database,
        dialect: Dialect,
        progress: &Progress,
    ) -> Result<Self, QueryError> {
        let mut held = database.begin().await?;
        let none = Params::new();
        let (attempt, wait) = match dialect {
            Dialect::MySql => (
                format!("SELECT {}", mysql_lock("GET_LOCK", ", 0")),
                format!("SELECT {}", mysql_lock("GET_LOCK", &format!(", {LOCK_TIME_MAX_SECONDS}"))),
            ),
            // From the function, because its own result is of a type without values.
            _ => (
                format!("SELECT CAST(pg_try_advisory_xact_lock({LOCK_NUMBER}) AS int)"),
                format!("SELECT count(*) FROM pg_advisory_xact_lock({LOCK_NUMBER})"),
            ),
        };
        let got: Vec<i64> = held.fetch(&attempt, &none, RowLimit::All).await?.to()?;
        if *got != [1] {
            progress.say("waiting for another demo on this database");
            held.fetch(&wait, &none, RowLimit::All).await?;
        }
        Ok(Self { database: database.clone(), dialect, held })
    }

    /// Lets others have it.
    pub(super) async fn release(self) {
        let Self { database, dialect, mut held } = self;
        if dialect == Dialect::MySql {
            let release = format!("SELECT {}", mysql_lock("RELEASE_LOCK", ""));
            // Closing the connection, below, releases it too.
            let _ = held.fetch(&release, &Params::new(), RowLimit::All).await;
        }
        let _ = held.rollback().await;
        database.close().await;
    }
}

/// Locks of MySQL are the server's, not the database's.
fn mysql_lock(function: &str, more: &str) -> String {
    format!("{function}(CONCAT('larder_demo.', DATABASE()){more})")
}

async fn look(database: &Database, dialect: Dialect, spec: Spec) -> Result<Found, Failure> {
    let present = present(database, dialect).await?;
    let foreign = || Failure::ForeignTables { tables: present.join(", ") };
    if present.is_empty() {
        return Ok(Found::Nothing);
    }
    if !present.contains(&tables::origin(dialect)) {
        return Err(foreign());
    }
    match compare(database, dialect, spec).await {
        Ok(Some(checksum)) => Ok(Found::Same(checksum)),
        Ok(None) => Ok(Found::Other),
        // Without its own columns it is somebody else's.
        Err(error) if error.is_retryable() => Err(error.into()),
        Err(_not_ours) => Err(foreign()),
    }
}

/// The tables with the names of the sample's.
async fn present(database: &Database, dialect: Dialect) -> Result<Vec<String>, QueryError> {
    let schema = match dialect {
        Dialect::MySql => "DATABASE()",
        _ => "current_schema()",
    };
    let names = tables::ALL.iter().map(|table| dialect.table(table.name));
    let names: Vec<_> =
        names.chain([tables::origin(dialect)]).map(|name| format!("'{name}'")).collect();
    let sql = format!(
        "SELECT CAST(table_name AS CHAR(64)) FROM information_schema.tables \
         WHERE table_schema = {schema} AND table_name IN ({})",
        names.join(", ")
    );
    let rows: Vec<String> = database.fetch(&sql, &Params::new(), RowLimit::All).await?.to()?;
    Ok(rows.into_iter().map(|name| name.trim_end().to_owned()).collect())
}

/// Drops the sample's tables, the one that tells of its origin last.
async fn drop_tables(database: &Database, dialect: Dialect) -> Result<(), QueryError> {
    let names = tables::ALL.iter().rev().map(|table| dialect.table(table.name));
    for name in names.chain([tables::origin(dialect)]) {
        database.execute(&format!("DROP TABLE IF EXISTS {name}"), &Params::new()).await?;
    }
    Ok(())
}

/// The bytes of the tables and their indexes, as far as the server knows.
async fn size(database: &Database, dialect: Dialect) -> Result<u64, QueryError> {
    let names: Vec<_> =
        tables::ALL.iter().map(|table| format!("'{}'", dialect.table(table.name))).collect();
    let names = names.join(", ");
    let sql = match dialect {
        Dialect::MySql => format!(
            "SELECT CAST(COALESCE(SUM(data_length + index_length), 0) AS UNSIGNED) \
             FROM information_schema.tables \
             WHERE table_schema = DATABASE() AND table_name IN ({names})"
        ),
        _ => format!(
            "SELECT CAST(COALESCE(SUM(pg_total_relation_size(oid)), 0) AS bigint) FROM pg_class \
             WHERE relnamespace = CAST(current_schema() AS regnamespace) AND relname IN ({names})"
        ),
    };
    let rows: Vec<u64> = database.fetch(&sql, &Params::new(), RowLimit::All).await?.to()?;
    Ok(rows.first().copied().unwrap_or_default())
}

/// Whether a sample on this engine lies in tables of a server.
pub(crate) const fn is_server(engine: Engine) -> bool {
    !matches!(engine, Engine::Sqlite)
}
