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
    let metadata = fs::metadata(&path)?;
    let Some(created) = created(&metadata) else { return Ok(unknown(&path)) };
    let (device, inode) = file_number(&metadata);
    let path = path.to_string_lossy();
    Ok(DatabaseIdentity::new(&format!("sqlite:{device:x}:{inode:x}:{created:x}:{path}")))
}

/// The number of a file that was removed is soon given to another one; the moment of its creation
/// is not.
fn created(metadata: &fs::Metadata) -> Option<u128> {
    let since_epoch = metadata.created().ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(since_epoch.as_nanos())
}

/// Where a file does not tell when it was created, nobody can tell it from a successor: it gets
/// an identity for as long as it is open.
fn unknown(path: &Path) -> DatabaseIdentity {
    let epoch = larder_core::Epoch::random();
    DatabaseIdentity::new(&format!("sqlite:{epoch:?}:{}", path.to_string_lossy()))
}

#[cfg(unix)]
fn file_number(metadata: &fs::Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt as _;

    (metadata.dev(), metadata.ino())
}

/// Where files have no number, the moment of their creation alone tells them apart.
#[cfg(not(unix))]
fn file_number(_metadata: &fs::Metadata) -> (u64, u64) {
    (0, 0)
}
