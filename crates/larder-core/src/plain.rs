//! Plain entries: bytes under a visible name, as programs that are not larder store them.
//!
//! Guards that no caller's text reaches a server: a plain name is the visible form of a [`Key`],
//! a word and 64 hexadecimal digits.

use std::fmt::{Debug, Display};

use async_trait::async_trait;
use bytes::Bytes;

use crate::{Key, Result, Ttl};

/// A store whose entries other programs read and write too, without envelope and namespace.
///
/// A cache-aside deployment that stores a JSON text under `query:<sha256 of the SQL>` shares its
/// entries with this process that way; the name is [`Key::visible`], the value nothing but the
/// bytes. Plain entries have no tags, no generations and no leases: what was invalidated by one
/// program can be stored again by another that had read before, and lives until its time is over.
/// Whoever can, uses [`CacheBackend`](crate::CacheBackend).
#[async_trait]
pub trait PlainStore: Debug + Display + Send + Sync + 'static {
    /// Reads the bytes under a plain name.
    ///
    /// # Errors
    /// As [`CacheBackend::read`](crate::CacheBackend::read).
    ///
    /// # Cancel safety
    /// Safe.
    async fn plain_get(&self, key: &Key) -> Result<Option<Bytes>>;

    /// Stores bytes under a plain name, whatever is there. Lifetimes are rounded up to whole
    /// seconds, as those programs know them.
    ///
    /// # Errors
    /// As [`CacheBackend::put`](crate::CacheBackend::put).
    ///
    /// # Cancel safety
    /// The value is then stored or not, as a whole.
    async fn plain_set(&self, key: &Key, value: Bytes, ttl: Ttl) -> Result<()>;

    /// Removes what is stored under a plain name. `true` if something was there.
    ///
    /// # Errors
    /// As [`CacheBackend::remove`](crate::CacheBackend::remove).
    ///
    /// # Cancel safety
    /// As [`PlainStore::plain_set`].
    async fn plain_delete(&self, key: &Key) -> Result<bool>;
}
