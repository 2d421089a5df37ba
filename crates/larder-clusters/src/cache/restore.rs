//! The way back from a copy.
//!
//! Guards that the copy is looked through before anything of the file changes, that all of it is
//! taken over in one transaction or nothing is, and that no fence is ever given out twice.

use std::{fs, io, path::Path};

use larder_sqlite_file::{
    FileError, FileKind, FileOptions, Owner as _, Recognised, Retry, immediate,
    rusqlite::{self, Connection, OpenFlags, Transaction},
};

use super::{ClusterCache, backup::Draft, handle::KIND};
use crate::{
    Error, Result,
    error::Fault,
    events::{self, NewEvent},
    shared::census,
    upgrade::ClusterFileOwner,
};

/// What stands in the former tables and in ours, but for the counter of fences.
const TABLES: [&str; 6] = [
    "clusters",
    "shared_cluster_registry",
    "larder_cluster",
    "larder_shared",
    "larder_holder",
    "larder_event",
];

impl ClusterCache {
    /// Puts what a copy says in the place of what the file says: clusters, shared things and the
    /// history; how many clusters there are now.
    ///
    /// The copy may also be a file that the Python tool made. It is only read. Other processes go
    /// on with the same file, and see either all of the old or all of the new. Tables that others
    /// have added to the file stay.
    ///
    /// # Errors
    /// [`Error::InUse`] if somebody who lives uses, makes or deletes a shared thing, of which the
    /// copy knows nothing; [`Error::File`] if the copy is damaged or another program's. The file is
    /// unchanged then.
    pub fn restore(&self, from: &Path) -> Result<u64> {
        let draft = Draft::beside(self.file().path())?;
        draft.fill(&source(from)?, from)?;
        examine(&draft, from)?;
        let mut connection = self.store().connection()?;
        let at = |fault: Fault| fault.at(self.file().path());
        let Some(path) = draft.path().to_str() else {
            let source = io::Error::from(io::ErrorKind::InvalidFilename);
            return Err(FileError::Io { path: draft.path().to_owned(), source }.into());
        };
        let attached = connection.execute("ATTACH DATABASE ?1 AS restored", [path]);
        attached.map_err(|error| at(error.into()))?;
        let retry = Retry::within(self.store().options().busy_timeout);
        let taken = immediate(&mut connection, &retry, |transaction| self.take_over(transaction));
        // A connection that still has a second database must not serve anybody else.
        let detached = connection.execute("DETACH DATABASE restored", []);
        let clusters = taken.map_err(at)?;
        detached.map_err(|error| at(error.into()))?;
        Ok(clusters)
    }

    fn take_over(&self, transaction: &Transaction<'_>) -> Result<u64, Fault> {
        let uses = census::count(self.store(), transaction)?.at_work;
        if uses > 0 {
            return Err(Error::InUse { uses }.into());
        }
        // Who still holds a fence from before must not meet it again.
        transaction.execute(
            "UPDATE main.larder_fence SET last = max(last, (SELECT last FROM restored.larder_fence))",
            [],
        )?;
        for table in TABLES {
            let columns = common_columns(transaction, table)?;
            transaction.execute_batch(&format!(
                "DELETE FROM main.{table}; \
                 INSERT INTO main.{table} ({columns}) SELECT {columns} FROM restored.{table}"
            ))?;
        }
        let event = NewEvent { kind: KIND, key: "", fence: None, event: "restored", detail: None };
        events::record(self.store(), transaction, event)?;
        let sql = "SELECT count(*) FROM main.clusters";
        Ok(transaction.query_row(sql, [], |row| row.get::<_, i64>(0))?.unsigned_abs())
    }
}

/// Opens a copy to read it, and leaves it as it is, whoever made it.
fn source(from: &Path) -> Result<Connection> {
    let path = || from.to_owned();
    match fs::metadata(from) {
        Ok(metadata) if metadata.is_dir() => {
            return Err(FileError::NotAFile { path: path(), kind: FileKind::Directory }.into());
        }
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(FileError::Missing { path: path() }.into());
        }
        Err(source) => return Err(FileError::Io { path: path(), source }.into()),
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(from, flags).map_err(|error| Fault::from(error).at(from))
}

/// Makes sure that a draft is whole and a cluster file, and upgrades it if it is an older one.
/// Errors name the file that it was copied from.
fn examine(draft: &Draft, from: &Path) -> Result<()> {
    let path = || from.to_owned();
    let at = |error: rusqlite::Error| Fault::from(error).at(from);
    {
        let connection = Connection::open(draft.path()).map_err(at)?;
        match ClusterFileOwner.recognise(&connection).map_err(at)? {
            Recognised::Current | Recognised::Older => {}
            Recognised::Foreign { found } => {
                return Err(FileError::Foreign { path: path(), found }.into());
            }
            Recognised::OtherVersion { found, expected } => {
                return Err(FileError::SchemaVersion { path: path(), found, expected }.into());
            }
            Recognised::Vacant => {
                let found = "nothing at all".to_owned();
                return Err(FileError::Foreign { path: path(), found }.into());
            }
        }
        let sql = "PRAGMA integrity_check(1)";
        let verdict: String = connection.query_row(sql, [], |row| row.get(0)).map_err(at)?;
        if verdict != "ok" {
            let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
            return Err(at(rusqlite::Error::SqliteFailure(code, Some(verdict))));
        }
    }
    drop(FileOptions::new(draft.path()).with_owner(ClusterFileOwner).open()?);
    Ok(())
}

/// The columns that a table has on both sides, as a list for a statement. Later versions of the
/// Python tool have more of them.
fn common_columns(transaction: &Transaction<'_>, table: &str) -> rusqlite::Result<String> {
    let mut select = transaction.prepare(
        "SELECT name FROM pragma_table_info(?1, 'main') \
         WHERE name IN (SELECT name FROM pragma_table_info(?1, 'restored'))",
    )?;
    let names = select.query_map([table], |row| row.get::<_, String>(0))?;
    let quoted = names.map(|name| Ok(format!("\"{}\"", name?.replace('"', "\"\""))));
    Ok(quoted.collect::<rusqlite::Result<Vec<_>>>()?.join(", "))
}
