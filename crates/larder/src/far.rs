//! Cache URLs: which backend, and where.

use std::{fmt, str::FromStr, sync::Arc};

use larder_core::{CacheBackend, MemoryBackend, MemoryConfig};

use crate::OpenError;

/// A cache URL.
///
/// | URL | backend | feature |
/// |---|---|---|
/// | `sqlite://cache.db`, `sqlite:///var/cache/app.db` | a SQLite file, shared by processes | `sqlite` |
/// | `moka:` | moka, in this process | `moka` |
/// | `memory:` | the reference backend, in this process | |
/// | `none` | no far tier | |
///
/// `Debug` and `Display` show no credentials.
#[derive(Clone, PartialEq, Eq)]
pub struct FarUrl(Kind);

#[derive(Clone, PartialEq, Eq)]
enum Kind {
    Memory,
    Moka,
    None,
    Sqlite { path: String },
}

/// Why a text is not a cache URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FarUrlError {
    /// The backend exists, but not in this build.
    #[error("the cache backend {backend} is not compiled in")]
    NotCompiled {
        /// Its name.
        backend: &'static str,
    },
    /// `sqlite:` without a path.
    #[error("a SQLite cache needs the path of a file, as in sqlite://cache.db")]
    NoPath,
    /// None of the known schemes.
    #[error("unknown scheme: expected sqlite://, moka:, memory: or none")]
    UnknownScheme,
}

impl FromStr for FarUrl {
    type Err = FarUrlError;

    fn from_str(text: &str) -> Result<Self, FarUrlError> {
        if text.is_empty() || text.eq_ignore_ascii_case("none") {
            return Ok(Self(Kind::None));
        }
        let (scheme, rest) = text.split_once(':').ok_or(FarUrlError::UnknownScheme)?;
        let kind = match scheme.to_ascii_lowercase().as_str() {
            "memory" => Kind::Memory,
            "moka" => Kind::Moka,
            "sqlite" => Kind::Sqlite { path: sqlite_path(rest)? },
            "redis" | "rediss" => return Err(FarUrlError::NotCompiled { backend: "Redis" }),
            "valkey" | "valkeys" => return Err(FarUrlError::NotCompiled { backend: "Valkey" }),
            "memcached" => return Err(FarUrlError::NotCompiled { backend: "Memcached" }),
            _ => return Err(FarUrlError::UnknownScheme),
        };
        Ok(Self(kind))
    }
}

fn sqlite_path(rest: &str) -> Result<String, FarUrlError> {
    let path = rest.strip_prefix("//").unwrap_or(rest);
    let path = percent_encoding::percent_decode_str(path).decode_utf8_lossy();
    if path.is_empty() || path.starts_with(':') {
        return Err(FarUrlError::NoPath);
    }
    Ok(path.into_owned())
}

impl FarUrl {
    /// Opens the backend; `None` for `none`.
    ///
    /// # Errors
    /// [`OpenError::Far`], and [`OpenError::FarUrl`] for a backend that is not compiled in.
    pub(crate) async fn open(&self) -> Result<Option<Arc<dyn CacheBackend>>, OpenError> {
        match &self.0 {
            Kind::None => Ok(None),
            Kind::Memory => Ok(Some(Arc::new(MemoryBackend::new(MemoryConfig::default())))),
            #[cfg(feature = "moka")]
            Kind::Moka => Ok(Some(Arc::new(larder_moka::MokaBackend::new(
                larder_moka::MokaConfig::default(),
            )))),
            #[cfg(not(feature = "moka"))]
            Kind::Moka => Err(OpenError::FarUrl(FarUrlError::NotCompiled { backend: "moka" })),
            #[cfg(feature = "sqlite")]
            Kind::Sqlite { path } => {
                let config = larder_sqlite::SqliteConfig::new(path);
                match larder_sqlite::SqliteBackend::open(config).await {
                    Ok(backend) => Ok(Some(Arc::new(backend))),
                    Err(source) => Err(OpenError::Far { url: self.to_string(), source }),
                }
            }
            #[cfg(not(feature = "sqlite"))]
            Kind::Sqlite { .. } => {
                Err(OpenError::FarUrl(FarUrlError::NotCompiled { backend: "SQLite" }))
            }
        }
    }
}

impl fmt::Display for FarUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Memory => f.write_str("memory:"),
            Kind::Moka => f.write_str("moka:"),
            Kind::None => f.write_str("none"),
            Kind::Sqlite { path } => write!(f, "sqlite://{path}"),
        }
    }
}

impl fmt::Debug for FarUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FarUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_urls_are_read_and_shown() {
        for (text, shown) in [
            ("sqlite://cache.db", "sqlite://cache.db"),
            ("sqlite:///var/cache.db", "sqlite:///var/cache.db"),
            ("SQLITE:a%20b.db", "sqlite://a b.db"),
            ("moka:", "moka:"),
            ("memory:", "memory:"),
            ("none", "none"),
            ("", "none"),
        ] {
            assert_eq!(text.parse::<FarUrl>().map(|url| url.to_string()), Ok(shown.to_owned()));
        }
    }

    #[test]
    fn an_unusable_url_is_an_error_that_echoes_none_of_it() {
        let canary = "redis://:hunter2@cache.example";
        let error = canary.parse::<FarUrl>().unwrap_err();
        assert_eq!(error, FarUrlError::NotCompiled { backend: "Redis" });
        assert!(!error.to_string().contains("hunter2"));
        assert_eq!("ftp://x".parse::<FarUrl>(), Err(FarUrlError::UnknownScheme));
        assert_eq!("sqlite://".parse::<FarUrl>(), Err(FarUrlError::NoPath));
        assert_eq!("sqlite::memory:".parse::<FarUrl>(), Err(FarUrlError::NoPath));
    }
}
