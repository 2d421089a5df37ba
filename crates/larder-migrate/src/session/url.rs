//! The way to a database by its URL.

use std::fmt;

use async_trait::async_trait;
use larder_database_url::{DatabaseUrl, Engine};

use crate::{Connector, Session, SessionError, SessionErrorKind};

/// A database by its URL: `postgres://`, `mysql://`, `mariadb://`, `sqlite:`.
#[derive(Clone)]
pub struct UrlConnector {
    url: String,
}

impl UrlConnector {
    /// A database by its URL. Nothing is opened.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into() }
    }
}

#[async_trait]
impl Connector for UrlConnector {
    async fn connect(&self) -> Result<Box<dyn Session>, SessionError> {
        let url: DatabaseUrl = self.url.parse().map_err(SessionError::url)?;
        match url.engine() {
            #[cfg(feature = "postgres")]
            Engine::Postgres => super::postgres::connect(&url).await,
            #[cfg(feature = "mysql")]
            Engine::MariaDb | Engine::MySql => super::mysql::connect(&url).await,
            #[cfg(feature = "sqlite")]
            Engine::Sqlite => super::sqlite::connect(&url).await,
            #[allow(unreachable_patterns, reason = "with all features no engine is left")]
            engine => {
                let source = Some(NotCompiled(engine).into());
                Err(SessionError::new(SessionErrorKind::Unsupported, None, source))
            }
        }
    }
}

/// The URL is of an engine that this build does not have.
#[derive(Debug, thiserror::Error)]
#[error("the engine {0} is not compiled in: enable the feature \"{feature}\"", feature = .0.feature())]
struct NotCompiled(Engine);

impl fmt::Debug for UrlConnector {
    /// The URL has a password in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UrlConnector").finish_non_exhaustive()
    }
}
