//! Which file is open, asked of the open database.

use std::{fmt::Write as _, fs, path::Path};

use sqlx::{Row as _, sqlite::SqlitePool};

use super::error;
use crate::{DatabaseError, DatabaseErrorKind, DatabaseIdentity, QueryError};

/// Asks an open database for its identity.
pub(super) async fn ask(pool: &SqlitePool) -> Result<DatabaseIdentity, QueryError> {
    let row = sqlx::query("SELECT file FROM pragma_database_list WHERE name = 'main'")
        .fetch_one(pool)
        .await
        .map_err(error::map)?;
    let file: String = row.try_get(0).map_err(error::map)?;
    if file.is_empty() {
        return Ok(in_memory());
    }
    of_file(Path::new(&file))
        .map_err(|source| DatabaseError::new(DatabaseErrorKind::Connection, None, source).into())
}

fn in_memory() -> DatabaseIdentity {
    // An epoch is sixteen random bytes, which is what is wanted here.
    let mut text = "sqlite:memory:".to_owned();
    for byte in larder_core::Epoch::random().as_bytes() {
        // Writing into a text does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    DatabaseIdentity::new(&text)
}

fn of_file(path: &Path) -> std::io::Result<DatabaseIdentity> {
    let path = fs::canonicalize(path)?;
    let (device, inode) = file_number(&fs::metadata(&path)?);
    let path = path.to_string_lossy();
    Ok(DatabaseIdentity::new(&format!("sqlite:{device:x}:{inode:x}:{path}")))
}

#[cfg(unix)]
fn file_number(metadata: &fs::Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt as _;

    (metadata.dev(), metadata.ino())
}

/// Where files have no number, the moment of their creation tells them apart.
#[cfg(not(unix))]
fn file_number(metadata: &fs::Metadata) -> (u64, u64) {
    let created = metadata
        .created()
        .ok()
        .and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok())
        .unwrap_or_default();
    (created.as_secs(), created.subsec_nanos().into())
}
