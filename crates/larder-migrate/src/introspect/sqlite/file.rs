//! Which database it is, and whether its schema was changed.
//!
//! Invariant: two databases have two identities, also if one takes the other's place: the number
//! of a file that was removed is soon given to another one, the moment of its creation is not.

use std::{fs, path::Path};

use crate::{Cell, Session, SessionError, SessionErrorKind};

/// The identity that the query layer asks for, too. A database in memory has one for as long as
/// its session lives, and so has a file that does not say when it was created.
pub(in crate::introspect) async fn identity(
    session: &mut dyn Session,
) -> Result<String, SessionError> {
    let rows = session.fetch("SELECT file FROM pragma_database_list WHERE name = 'main'", &[]);
    let rows = rows.await?;
    let file = rows.first().and_then(|row| row.first()).and_then(Cell::as_text);
    let Some(file) = file.filter(|file| !file.is_empty()) else {
        return Ok(format!("sqlite:memory:{}", session_number(session).await?));
    };
    let unreadable =
        |source| SessionError::new(SessionErrorKind::Connection, None, Some(Box::new(source)));
    let path = fs::canonicalize(Path::new(file)).map_err(unreadable)?;
    let metadata = fs::metadata(&path).map_err(unreadable)?;
    let shown = path.to_string_lossy();
    Ok(match numbers(&metadata) {
        Some(numbers) => format!("sqlite:{numbers}:{shown}"),
        None => format!("sqlite:{}:{shown}", session_number(session).await?),
    })
}

/// The counter that SQLite raises with every change of the schema, and which file it is of.
pub(in crate::introspect) async fn signal(
    session: &mut dyn Session,
) -> Result<String, SessionError> {
    let sql = "SELECT v.schema_version, \
        (SELECT d.file FROM pragma_database_list AS d WHERE d.name = 'main') \
        FROM pragma_schema_version AS v";
    let rows = session.fetch(sql, &[]).await?;
    let row = rows.first().map(Vec::as_slice).unwrap_or_default();
    let version = row.first().and_then(Cell::as_integer).unwrap_or_default();
    let file = row.get(1).and_then(Cell::as_text).filter(|file| !file.is_empty());
    let Some(file) = file else { return Ok(version.to_string()) };
    // A file that is gone, or that another one took the place of, is a reason to look.
    let numbers = fs::metadata(file).ok().and_then(|metadata| numbers(&metadata));
    Ok(format!("{version}:{}", numbers.unwrap_or_default()))
}

/// Device, number and moment of creation; `None` where files do not say when they were created,
/// because then nobody can tell one from its successor.
fn numbers(metadata: &fs::Metadata) -> Option<String> {
    let created = metadata.created().ok()?.duration_since(std::time::UNIX_EPOCH).ok()?.as_nanos();
    let (device, inode) = file_number(metadata);
    Some(format!("{device:x}:{inode:x}:{created:x}"))
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

/// A number of the session's own, which its database of temporary tables keeps for it: nobody
/// else sees that database, and it ends with the connection.
async fn session_number(session: &mut dyn Session) -> Result<String, SessionError> {
    let mut number = String::new();
    for pragma in ["user_version", "application_id"] {
        let sql = format!("PRAGMA temp.{pragma}");
        let mut value = read(session, &sql).await?;
        if value == 0 {
            let random = rand::random_range(1..i32::MAX);
            session.run(&format!("{sql} = {random}")).await?;
            value = read(session, &sql).await?;
        }
        number.push_str(&format!("{value:08x}"));
    }
    Ok(number)
}

async fn read(session: &mut dyn Session, sql: &str) -> Result<i64, SessionError> {
    let rows = session.fetch(sql, &[]).await?;
    let value = rows.first().and_then(|row| row.first()).and_then(Cell::as_integer);
    Ok(value.unwrap_or_default())
}
