//! What the file looks like from outside, and its upkeep.

use std::path::{Path, PathBuf};

use larder_sqlite_file::rusqlite::{self, Connection, Result, Row, params};

use crate::{
    SqliteConfig,
    batch::{Meta, now},
    error::Trouble,
};

/// What is known about a cache file.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FileInfo {
    /// The file.
    pub path: PathBuf,
    /// The size of the file, in bytes.
    pub bytes: u64,
    /// The size of the write-ahead log beside it, in bytes; 0 if there is none.
    pub wal_bytes: u64,
    /// The size of the log's index, in bytes; 0 if there is none.
    pub shm_bytes: u64,
    /// The size of a page, in bytes.
    pub page_bytes: u64,
    /// The number of pages.
    pub pages: u64,
    /// The number of pages among them that are free.
    pub free_pages: u64,
    /// The number of entries, dead ones included.
    pub entries: u64,
    /// The entries that a read finds.
    pub live: u64,
    /// The entries whose time is over or that were cleared, and which were not swept yet.
    pub expired: u64,
    /// The bytes of the entries, as [`SqliteConfig::bytes_max`] counts them.
    pub entry_bytes: u64,
    /// The leases, dead ones included.
    pub leases: u64,
    /// The tags whose generation is known.
    pub tags: u64,
    /// The version of SQLite.
    pub sqlite_version: &'static str,
    /// The journal mode: `wal`.
    pub journal_mode: String,
}

/// Counts everything; takes time in proportion to the number of entries.
pub(crate) fn file_info(connection: &Connection, config: &SqliteConfig) -> Result<FileInfo> {
    let transaction = connection.unchecked_transaction()?;
    let meta = Meta::load(&transaction)?;
    let number = |name: &str| transaction.pragma_query_value(None, name, unsigned);
    let live = transaction.query_row(
        "SELECT count(*) FROM entry WHERE namespace = ?1 AND expires > ?2",
        params![meta.namespace, now(config)],
        unsigned,
    )?;
    let entries = transaction.query_row("SELECT count(*) FROM entry", [], unsigned)?;
    Ok(FileInfo {
        path: config.path.clone(),
        bytes: length(&config.path),
        wal_bytes: length(&beside(&config.path, "-wal")),
        shm_bytes: length(&beside(&config.path, "-shm")),
        page_bytes: number("page_size")?,
        pages: number("page_count")?,
        free_pages: number("freelist_count")?,
        entries,
        live,
        expired: entries.saturating_sub(live),
        entry_bytes: u64::try_from(meta.bytes).unwrap_or_default(),
        leases: transaction.query_row("SELECT count(*) FROM lease", [], unsigned)?,
        tags: u64::try_from(meta.tags).unwrap_or_default(),
        sqlite_version: rusqlite::version(),
        journal_mode: transaction.pragma_query_value(None, "journal_mode", |row| row.get(0))?,
    })
}

/// What will not work well, and how to mend it.
pub(crate) fn advice(meta: &Meta, config: &SqliteConfig) -> Vec<String> {
    let mut advice = Vec::new();
    let wal_bytes = length(&beside(&config.path, "-wal"));
    if wal_bytes > WAL_BYTES_SOUND {
        advice.push(format!(
            "the write-ahead log has {} MiB: a reader that never ends keeps it from starting over",
            wal_bytes >> 20
        ));
    }
    let bytes = u64::try_from(meta.bytes).unwrap_or_default();
    if bytes > config.bytes_max / 10 * 9 {
        advice.push("the cache is full and evicts: raise bytes_max or shorten lifetimes".into());
    }
    if is_readable_by_others(&config.path) {
        advice.push("other users can read the file: chmod 600".into());
    }
    advice
}

/// A log is started over at four MiB, if nobody reads an old state of the file.
const WAL_BYTES_SOUND: u64 = 64 << 20;

#[cfg(unix)]
fn is_readable_by_others(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;

    std::fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o004 != 0)
}

#[cfg(not(unix))]
fn is_readable_by_others(_path: &Path) -> bool {
    false
}

/// Gives free pages back to the file system, refreshes the statistics and empties the log.
///
/// The pages go in steps, so that other processes can write in between.
pub(crate) fn optimize(connection: &Connection) -> std::result::Result<(), Trouble> {
    let free = |connection: &Connection| -> Result<u64> {
        connection.pragma_query_value(None, "freelist_count", unsigned)
    };
    run(connection, "PRAGMA optimize")?;
    let mut left = free(connection)?;
    while left > 0 {
        run(connection, "PRAGMA incremental_vacuum(1024)")?;
        let now_left = free(connection)?;
        if now_left >= left {
            // Somebody else frees pages as fast as they are given back.
            break;
        }
        left = now_left;
    }
    run(connection, "PRAGMA wal_checkpoint(TRUNCATE)")?;
    Ok(())
}

/// A count; SQLite has signed numbers only.
fn unsigned(row: &Row<'_>) -> Result<u64> {
    Ok(u64::try_from(row.get::<_, i64>(0)?).unwrap_or_default())
}

/// Runs a statement to its end, whatever rows it returns.
fn run(connection: &Connection, sql: &str) -> Result<()> {
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.raw_query();
    while rows.next()?.is_some() {}
    Ok(())
}

fn length(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |metadata| metadata.len())
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
