//! From the command line and the environment to an open [`Larder`].
//!
//! Guards that the command line goes before the environment, and that no URL is echoed.

use std::{path::Path, time::Duration};

use larder::{DatabaseUrl, Larder, LarderBuilder, OpenError, Settings, query::UrlError};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::failure::Failure;

/// What a path may hold in a URL as it is. A colon in front would look like a scheme of its own.
const PLAIN_PATH: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// How long a call waits for the far tier. A service gives up early, because its callers wait and
/// the database answers too; who runs one command wants to know what is stored there, and ends
/// before a write's invalidation could be made again.
pub(crate) const FAR_TIME_LIMIT: Duration = Duration::from_secs(10);

/// What the command line says about database, cache and lifetime.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Target {
    /// The database: a URL, or the path of an existing SQLite file [env: DATABASE_URL, or
    /// DB_ENGINE, DB_HOST, DB_PORT, DB_USER, DB_PASSWORD and DB_NAME]
    #[arg(long, value_name = "URL|PATH")]
    database: Option<String>,

    /// The far tier, such as redis://localhost or sqlite://cache.db, or none [env: CACHE_URL, or
    /// CACHE_ENGINE, CACHE_HOST, CACHE_PORT, CACHE_USER, CACHE_PASSWORD, CACHE_TLS and CACHE_PATH]
    #[arg(long, value_name = "URL")]
    cache: Option<String>,
}

impl Target {
    /// Describes the larder that command line, environment and `.env` file ask for.
    pub(crate) fn builder(&self) -> Result<LarderBuilder, Failure> {
        let mut settings = self.settings()?;
        if let Some(text) = &settings.database_url {
            settings.database_url = Some(database_url(text)?);
        }
        Ok(Larder::builder().settings(&settings).far_time_limit(FAR_TIME_LIMIT))
    }

    /// What command line, environment and `.env` file say, as it stands there.
    pub(crate) fn settings(&self) -> Result<Settings, Failure> {
        let mut settings = Settings::from_env()?;
        settings.database_url = self.database.clone().or(settings.database_url);
        settings.cache_url = self.cache.clone().or(settings.cache_url);
        Ok(settings)
    }
}

/// A URL as it is; a path of a file that exists as the URL of that file.
pub(crate) fn database_url(text: &str) -> Result<String, Failure> {
    match text.parse::<DatabaseUrl>() {
        Ok(_url) => Ok(text.to_owned()),
        Err(UrlError::Scheme) if Path::new(text).is_file() => Ok(sqlite_url(Path::new(text), "")),
        Err(UrlError::Scheme) => Err(Failure::DatabaseUnknown),
        Err(error) => Err(OpenError::DatabaseUrl(error).into()),
    }
}

/// The URL of a SQLite file, whatever characters its path has.
///
/// A path that is not UTF-8 can not be written as a URL; it is then not found.
pub(crate) fn sqlite_url(path: &Path, parameters: &str) -> String {
    let path = path.to_string_lossy();
    format!("sqlite://{}{parameters}", utf8_percent_encode(&path, PLAIN_PATH))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_stays_as_it_is_and_a_file_becomes_one() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a b?#%.db");
        std::fs::write(&path, "").unwrap();
        let url = database_url(path.to_str().unwrap()).unwrap();
        assert!(url.ends_with("/a%20b%3F%23%25.db"), "{url}");
        for url in ["sqlite:a.db", "postgres://u:hunter2@h/d"] {
            assert_eq!(database_url(url).unwrap(), url);
        }
    }

    #[test]
    fn what_is_neither_is_not_echoed() {
        for text in ["hunter2", "postgress://u:hunter2@h/d", "postgres:hunter2", ""] {
            let error = database_url(text).unwrap_err();
            assert!(!crate::failure::chain(&error).contains("hunter2"), "{error}");
        }
    }
}
