//! The way to a database by its URL.

use std::fmt;

use async_trait::async_trait;

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
        let scheme = self.url.split(':').next().unwrap_or_default();
        match scheme {
            #[cfg(feature = "postgres")]
            "postgres" | "postgresql" => super::postgres::connect(&self.url).await,
            #[cfg(feature = "mysql")]
            "mariadb" | "mysql" => super::mysql::connect(&self.url).await,
            #[cfg(feature = "sqlite")]
            "sqlite" => super::sqlite::connect(&self.url).await,
            _ => Err(SessionError::new(SessionErrorKind::Unsupported, None, None)),
        }
    }
}

impl fmt::Debug for UrlConnector {
    /// The URL has a password in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UrlConnector").finish_non_exhaustive()
    }
}
