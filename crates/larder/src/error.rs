//! Why a larder could not be opened, or does not have what was asked for.

use larder_cache::BuildError;
use larder_query::{QueryError, UrlError};

use crate::{FarUrlError, SettingsError};

/// Why a larder could not be opened. No message holds any part of a URL that may be secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The tiers and limits do not fit together.
    #[error("the cache can not be built")]
    Cache(#[from] BuildError),
    /// The database can not be opened.
    #[error("the database can not be opened: {url}")]
    Database {
        /// The database, without credentials.
        url: String,
        /// Why.
        #[source]
        source: QueryError,
    },
    /// The database URL is not valid.
    #[error("the database URL is not valid")]
    DatabaseUrl(#[source] UrlError),
    /// The far tier can not be opened.
    #[error("the cache can not be opened: {url}")]
    Far {
        /// The far tier, without credentials.
        url: String,
        /// Why.
        #[source]
        source: larder_core::Error,
    },
    /// The cache URL is not valid.
    #[error("the cache URL is not valid")]
    FarUrl(#[source] FarUrlError),
    /// No database was named.
    #[error("no database is configured: set DATABASE_URL, or DB_ENGINE and DB_NAME")]
    NoDatabase,
    /// The environment or the `.env` file is not valid.
    #[error(transparent)]
    Settings(#[from] SettingsError),
}

/// There is no plain mode, because the far tier takes no plain entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("plain mode needs a Redis, a Valkey or a Memcached as the far tier")]
#[expect(clippy::exhaustive_structs, reason = "there is one reason")]
pub struct NoPlainStore;
