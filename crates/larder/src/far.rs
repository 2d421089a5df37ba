//! Cache URLs: which backend, and where.
//!
//! Guards that no part of a URL that may hold a secret is ever shown.

mod shown;

use std::{error::Error as StdError, str::FromStr, sync::Arc, time::Duration};

use larder_core::{CacheBackend, MemoryBackend, MemoryConfig, PlainStore};

use crate::OpenError;

/// A cache URL.
///
/// | URL | backend | feature |
/// |---|---|---|
/// | `redis://[user[:password]@]host[:port][/db]`, `rediss://…`, `redis+unix:///path` | Redis | `redis` |
/// | `redis+cluster://h1:p1,h2:p2`, `redis+sentinel://h1:p1,h2:p2/name` | Redis Cluster, or a primary found by Sentinel; `rediss+…` with TLS | `redis` |
/// | the same with `valkey` and `valkeys` | Valkey | `redis` |
/// | `memcached://[user:password@]h1[:p1],h2[:p2]`, `memcacheds://…`, `memcached+unix:///path` | Memcached, one server or several | `memcached` |
/// | `sqlite://cache.db`, `sqlite:///var/cache/app.db` | a SQLite file, shared by processes | `sqlite` |
/// | `moka:` | moka, in this process | `moka` |
/// | `memory:` | the reference backend, in this process | |
/// | `none` | no far tier | |
///
/// User and password are percent-encoded. With TLS, the parameter `ca=/path/ca.pem` adds a root
/// certificate.
///
/// `Debug` and `Display` show no credentials.
#[derive(Clone)]
pub struct FarUrl(Kind);

#[derive(Clone)]
enum Kind {
    #[cfg(feature = "memcached")]
    Memcached(Box<larder_memcached::MemcachedConfig>),
    Memory,
    Moka,
    None,
    #[cfg(feature = "redis")]
    Redis {
        config: Box<larder_redis::RedisConfig>,
        /// As which of the two it was asked for; the server itself says which it is.
        product: &'static str,
    },
    Sqlite {
        path: String,
    },
}

/// Why a text is not a cache URL. No part of the text is in the message.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FarUrlError {
    /// The backend does not understand the rest of the URL.
    #[error("not a {backend} URL")]
    Invalid {
        /// The backend's name.
        backend: &'static str,
        /// What is wrong with it.
        #[source]
        source: Arc<dyn StdError + Send + Sync>,
    },
    /// The backend exists, but not in this build.
    #[error("the cache backend {backend} is not compiled in: enable the feature \"{feature}\"")]
    NotCompiled {
        /// Its name.
        backend: &'static str,
        /// The feature of this crate that it needs.
        feature: &'static str,
    },
    /// `sqlite:` without a path.
    #[error("a SQLite cache needs the path of a file, as in sqlite://cache.db")]
    NoPath,
    /// None of the known schemes.
    #[error(
        "unknown scheme: expected redis://, valkey://, memcached://, sqlite://, moka:, memory: or none"
    )]
    UnknownScheme,
}

/// What a URL opened.
pub(crate) struct Opened {
    pub(crate) backend: Option<Arc<dyn CacheBackend>>,
    /// The same store for plain entries, if it takes them.
    pub(crate) plain: Option<Arc<dyn PlainStore>>,
    /// Why its server can not be reached for now.
    pub(crate) away: Option<larder_core::Error>,
}

impl FromStr for FarUrl {
    type Err = FarUrlError;

    fn from_str(text: &str) -> Result<Self, FarUrlError> {
        let text = text.trim();
        if text.is_empty() || text.eq_ignore_ascii_case("none") {
            return Ok(Self(Kind::None));
        }
        let (scheme, rest) = text.split_once(':').ok_or(FarUrlError::UnknownScheme)?;
        let scheme = scheme.to_ascii_lowercase();
        // `redis+cluster` is a Redis, whatever stands behind the sign.
        let product = scheme.split('+').next().unwrap_or_default();
        let kind = match product {
            "memory" => Kind::Memory,
            "moka" => Kind::Moka,
            "sqlite" => Kind::Sqlite { path: sqlite_path(rest)? },
            "redis" | "rediss" => redis(text, "redis")?,
            "valkey" | "valkeys" => redis(text, "valkey")?,
            "memcached" | "memcacheds" => memcached(text)?,
            _ => return Err(FarUrlError::UnknownScheme),
        };
        Ok(Self(kind))
    }
}

#[cfg(feature = "redis")]
fn redis(url: &str, product: &'static str) -> Result<Kind, FarUrlError> {
    match url.parse() {
        Ok(config) => Ok(Kind::Redis { config: Box::new(config), product }),
        Err(source) => Err(invalid("Redis", source)),
    }
}

#[cfg(not(feature = "redis"))]
const fn redis(_url: &str, _product: &'static str) -> Result<Kind, FarUrlError> {
    Err(FarUrlError::NotCompiled { backend: "Redis", feature: "redis" })
}

#[cfg(feature = "memcached")]
fn memcached(url: &str) -> Result<Kind, FarUrlError> {
    match url.parse() {
        Ok(config) => Ok(Kind::Memcached(Box::new(config))),
        Err(source) => Err(invalid("Memcached", source)),
    }
}

#[cfg(not(feature = "memcached"))]
const fn memcached(_url: &str) -> Result<Kind, FarUrlError> {
    Err(FarUrlError::NotCompiled { backend: "Memcached", feature: "memcached" })
}

#[cfg(any(feature = "memcached", feature = "redis"))]
fn invalid(backend: &'static str, source: impl StdError + Send + Sync + 'static) -> FarUrlError {
    FarUrlError::Invalid { backend, source: Arc::new(source) }
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
    /// Whether this is `none`.
    #[must_use]
    pub const fn is_none(&self) -> bool {
        matches!(self.0, Kind::None)
    }

    /// Opens the backend by itself, without a larder; `None` for `none`.
    ///
    /// # Errors
    /// [`OpenError::Far`], and [`OpenError::FarUrl`] for a backend that is not compiled in.
    ///
    /// # Cancel safety
    /// What was opened so far is closed.
    pub async fn open(&self) -> Result<Option<Arc<dyn CacheBackend>>, OpenError> {
        match self.open_in(None, None).await? {
            Opened { away: Some(source), .. } => {
                Err(OpenError::Far { url: self.to_string(), source })
            }
            opened => Ok(opened.backend),
        }
    }

    /// Opens the backend in a namespace, where it takes one. A server that is away for now is the
    /// cache's trouble, which this leaves to the caller. Whoever waits for so long waits for a
    /// server, too, which has its own limit for each request.
    pub(crate) async fn open_in(
        &self,
        namespace: Option<&str>,
        patience: Option<Duration>,
    ) -> Result<Opened, OpenError> {
        #[cfg(any(feature = "memcached", feature = "redis"))]
        let (namespace, patience) = (namespace.map(server_namespace), patience.unwrap_or_default());
        #[cfg(not(any(feature = "memcached", feature = "redis")))]
        let _ = (namespace, patience);
        match &self.0 {
            Kind::None => Ok(Opened { backend: None, plain: None, away: None }),
            Kind::Memory => Ok(Opened::new(MemoryBackend::new(MemoryConfig::default()))),
            #[cfg(feature = "moka")]
            Kind::Moka => {
                let config = larder_moka::MokaConfig::default();
                Ok(Opened::new(larder_moka::MokaBackend::new(config)))
            }
            #[cfg(not(feature = "moka"))]
            Kind::Moka => Err(OpenError::FarUrl(FarUrlError::NotCompiled {
                backend: "moka",
                feature: "moka",
            })),
            #[cfg(feature = "memcached")]
            Kind::Memcached(config) => {
                let config = config.as_ref().clone();
                let time_limit = config.time_limit.max(patience);
                let config = config.with_time_limit(time_limit);
                let config = match namespace {
                    Some(namespace) => config.with_namespace(namespace),
                    None => config,
                };
                let backend = larder_memcached::MemcachedBackend::connect_or_wait(config).await;
                let (backend, away) = backend.map_err(|source| self.failed(source))?;
                Ok(Opened { away, ..Opened::with_plain(backend) })
            }
            #[cfg(feature = "redis")]
            Kind::Redis { config, .. } => {
                let config = config.as_ref().clone();
                let time_limit = config.time_limit.max(patience);
                let config = config.with_time_limit(time_limit);
                let config = match namespace {
                    Some(namespace) => config.with_namespace(namespace),
                    None => config,
                };
                let backend = larder_redis::RedisBackend::connect_or_wait(config).await;
                let (backend, away) = backend.map_err(|source| self.failed(source))?;
                Ok(Opened { away, ..Opened::with_plain(backend) })
            }
            #[cfg(feature = "sqlite")]
            Kind::Sqlite { path } => {
                let backend =
                    larder_sqlite::SqliteBackend::open(larder_sqlite::SqliteConfig::new(path));
                backend.await.map(Opened::new).map_err(|source| self.failed(source))
            }
            #[cfg(not(feature = "sqlite"))]
            Kind::Sqlite { .. } => Err(OpenError::FarUrl(FarUrlError::NotCompiled {
                backend: "SQLite",
                feature: "sqlite",
            })),
        }
    }

    #[cfg(any(feature = "memcached", feature = "redis", feature = "sqlite"))]
    fn failed(&self, source: larder_core::Error) -> OpenError {
        OpenError::Far { url: self.to_string(), source }
    }
}

/// A namespace as servers take it: short, and of characters that mean nothing to them. Any other
/// becomes a digest of itself.
#[cfg(any(feature = "memcached", feature = "redis", test))]
fn server_namespace(name: &str) -> String {
    const BYTES_MAX: usize = 32;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    if (1..=BYTES_MAX).contains(&name.len()) && name.bytes().all(is_plain) {
        return name.to_owned();
    }
    let digest = larder_core::Key::object(name);
    digest.digest()[..BYTES_MAX / 2].iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Opened {
    fn new(backend: impl CacheBackend) -> Self {
        Self { backend: Some(Arc::new(backend)), plain: None, away: None }
    }

    #[cfg(any(feature = "memcached", feature = "redis"))]
    fn with_plain(backend: impl CacheBackend + PlainStore) -> Self {
        let backend = Arc::new(backend);
        Self { backend: Some(Arc::clone(&backend) as _), plain: Some(backend), away: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CANARY: &str = "hunter2";

    #[test]
    fn known_urls_are_read_and_shown() {
        for (text, shown) in [
            ("sqlite://cache.db", "sqlite://cache.db"),
            ("sqlite:///var/cache.db", "sqlite:///var/cache.db"),
            ("SQLITE:a%20b.db", "sqlite://a b.db"),
            ("moka:", "moka:"),
            ("memory:", "memory:"),
            ("none", "none"),
            (" ", "none"),
        ] {
            assert_eq!(text.parse::<FarUrl>().unwrap().to_string(), shown);
        }
    }

    #[test]
    fn an_unusable_url_is_an_error_that_echoes_none_of_it() {
        for (text, expected) in [
            ("ftp://hunter2", "unknown scheme"),
            ("hunter2", "unknown scheme"),
            ("hunter2+redis://h", "unknown scheme"),
            ("sqlite://", "needs the path"),
            ("sqlite::memory:", "needs the path"),
        ] {
            let error = text.parse::<FarUrl>().unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
            assert!(!format!("{error} {error:?}").contains(CANARY), "{error:?}");
        }
    }

    #[test]
    fn any_namespace_is_one_that_servers_take() {
        assert_eq!(server_namespace("airport-2.eu_1"), "airport-2.eu_1");
        let odd = ["", "a b", "a:b", "é", "{a}", "x".repeat(33).as_str()].map(server_namespace);
        for (index, name) in odd.iter().enumerate() {
            assert_eq!(name.len(), 32, "{name}");
            assert!(!odd[..index].contains(name), "{name}");
            assert_eq!(server_namespace(name), *name);
        }
    }

    /// With the backend the URL is shown without its password; without it, the feature is named.
    #[test]
    fn a_server_is_shown_without_credentials_or_its_feature_is_named() {
        for (text, is_compiled, feature) in [
            ("redis://u:hunter2@cache.example:6379/0", cfg!(feature = "redis"), "\"redis\""),
            ("valkeys://:hunter2@cache.example", cfg!(feature = "redis"), "\"redis\""),
            ("redis+cluster://:hunter2@a:1,b:2", cfg!(feature = "redis"), "\"redis\""),
            ("memcached://u:hunter2@a:1,b:2", cfg!(feature = "memcached"), "\"memcached\""),
        ] {
            match text.parse::<FarUrl>() {
                Ok(url) => {
                    assert!(is_compiled);
                    assert!(!format!("{url} {url:?}").contains(CANARY), "{url}");
                }
                Err(error) => {
                    assert!(!is_compiled, "{error}");
                    assert!(error.to_string().contains(feature), "{error}");
                    assert!(!format!("{error} {error:?}").contains(CANARY), "{error:?}");
                }
            }
        }
    }
}
