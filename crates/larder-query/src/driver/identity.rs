//! Which database it is, whatever way led to it.
//!
//! Guards that two databases behind one cache never share an entry, and that one database reached
//! over two spellings of its address does.

use std::{fmt, sync::Arc};

/// The identity of a database, as part of every key and tag.
///
/// It is asked of the database and never taken from the URL, so that a relative and an absolute
/// path agree and no password is in it. For SQLite it is the canonical path, the device, the
/// inode and the moment of creation of the file: a file that replaces another one at the same path is another database. A
/// database in memory has a random identity that no other one will have. For PostgreSQL it is the
/// number that a cluster is given when it is made, with the number of the database in it; where the
/// server does not tell, a random one. For MySQL it is the `server_uuid` and the name of the
/// database; MariaDB has none, and host name, port, data folder, `server_id` and `server_uid` stand
/// in for it.
///
/// It is stable as long as the file is, also across restarts. A file that is overwritten in place
/// by an older copy keeps its identity; whoever restores a backup that way clears the cache.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct DatabaseIdentity(Arc<str>);

impl DatabaseIdentity {
    #[cfg(any(feature = "mysql", feature = "postgres", feature = "sqlite"))]
    pub(crate) fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// The identity as a text without secrets.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DatabaseIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for DatabaseIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseIdentity({self})")
    }
}
