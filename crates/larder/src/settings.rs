//! Settings from the environment and from a `.env` file.
//!
//! Invariant: values are secrets until proven otherwise; no message and no `Debug` shows one.

use std::{
    collections::HashMap,
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

use larder_core::{Ttl, TtlError};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What the environment says about database and cache.
///
/// | variable | meaning |
/// |---|---|
/// | `DATABASE_URL` | the database; goes before the `DB_…` variables |
/// | `DB_ENGINE` | `sqlite`, `postgresql`, `mysql` or `mariadb` |
/// | `DB_HOST`, `DB_PORT`, `DB_USER`, `DB_PASSWORD` | where and who; defaults: `localhost`, the engine's port, nobody |
/// | `DB_NAME` | the database, or the path of the SQLite file |
/// | `CACHE_URL` | the far tier; goes before the `CACHE_…` variables |
/// | `CACHE_ENGINE` | `sqlite`, `moka`, `memory`, `none`, `redis`, `valkey` or `memcached` |
/// | `CACHE_HOST`, `CACHE_PORT` | where; defaults: `localhost`, the engine's port. A host that begins with `/` is the path of a Unix socket |
/// | `CACHE_USER`, `CACHE_PASSWORD` | who; default: nobody. Any characters, nothing is to be encoded |
/// | `CACHE_TLS` | `true` or `false`: whether the connection is encrypted; default: `false` |
/// | `CACHE_PATH` | the path of the SQLite cache file; default: `larder-cache.db` |
/// | `CACHE_TTL` | how long answers live, in seconds; default: 3600 |
///
/// A variable of the process goes before one of the file; an empty one counts as not set.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct Settings {
    /// The database's URL, with its password.
    pub database_url: Option<String>,
    /// The far tier's URL, with its password.
    pub cache_url: Option<String>,
    /// How long answers live.
    pub ttl: Option<Duration>,
}

/// Why the environment is not valid. Names the variable, never its value.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// The `.env` file can not be read or parsed.
    #[error("{} can not be read{}", path.display(), in_line(*line))]
    File {
        /// The file.
        path: PathBuf,
        /// Which entry, counted from 1, if it is the content; blank lines and comments aside.
        line: Option<usize>,
    },
    /// Neither true nor false.
    #[error("{variable} is neither true nor false")]
    Flag {
        /// The variable.
        variable: &'static str,
    },
    /// A number that is none.
    #[error("{variable} is not a number")]
    Number {
        /// The variable.
        variable: &'static str,
    },
    /// A lifetime that is not valid.
    #[error("{variable} is not a valid lifetime")]
    Ttl {
        /// The variable.
        variable: &'static str,
        /// Why.
        #[source]
        source: TtlError,
    },
    /// An engine that nobody knows.
    #[error("{variable} names an unknown engine: expected one of {expected}")]
    UnknownEngine {
        /// The variable.
        variable: &'static str,
        /// What would be valid.
        expected: &'static str,
    },
}

fn in_line(line: Option<usize>) -> String {
    line.map_or_else(String::new, |line| format!(": entry {line} is not a variable"))
}

/// What may stand in a part of a URL as it is.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// The same for a path.
const PLAIN_PATH: &AsciiSet = &PLAIN.remove(b'/');

impl Settings {
    /// Reads the environment of the process and, if there is one, the file `.env` in the current
    /// directory.
    ///
    /// # Errors
    /// [`SettingsError`].
    pub fn from_env() -> Result<Self, SettingsError> {
        let path = Path::new(".env");
        let file = if path.exists() { read(path)? } else { HashMap::new() };
        Self::from_lookup(|name| std::env::var(name).ok().or_else(|| file.get(name).cloned()))
    }

    /// Reads the variables that `lookup` knows.
    ///
    /// # Errors
    /// [`SettingsError`].
    pub fn from_lookup(
        lookup: impl Fn(&'static str) -> Option<String>,
    ) -> Result<Self, SettingsError> {
        let variables = Variables(&lookup);
        Ok(Self {
            database_url: variables.database_url()?,
            cache_url: variables.cache_url()?,
            ttl: variables.ttl()?,
        })
    }
}

struct Variables<'a>(&'a dyn Fn(&'static str) -> Option<String>);

impl Variables<'_> {
    fn get(&self, name: &'static str) -> Option<String> {
        (self.0)(name).filter(|value| !value.is_empty())
    }

    fn get_or(&self, name: &'static str, default: &str) -> String {
        self.get(name).unwrap_or_else(|| default.to_owned())
    }

    fn port(&self, name: &'static str, default: u16) -> Result<u16, SettingsError> {
        match self.get(name) {
            Some(port) => port.trim().parse().map_err(|_| SettingsError::Number { variable: name }),
            None => Ok(default),
        }
    }

    fn database_url(&self) -> Result<Option<String>, SettingsError> {
        if let Some(url) = self.get("DATABASE_URL") {
            return Ok(Some(url));
        }
        let Some(engine) = self.get("DB_ENGINE") else { return Ok(None) };
        let name = self.get_or("DB_NAME", "");
        let (scheme, port) = match engine.to_ascii_lowercase().as_str() {
            "sqlite" => {
                let path = utf8_percent_encode(&name, PLAIN_PATH);
                return Ok(Some(format!("sqlite://{path}")));
            }
            "postgres" | "postgresql" => ("postgres", 5432),
            "mysql" => ("mysql", 3306),
            "mariadb" => ("mariadb", 3306),
            _ => {
                return Err(SettingsError::UnknownEngine {
                    variable: "DB_ENGINE",
                    expected: "sqlite, postgresql, mysql, mariadb",
                });
            }
        };
        let port = self.port("DB_PORT", port)?;
        let host = host(&self.get_or("DB_HOST", "localhost"));
        let login = self.login("DB_USER", "DB_PASSWORD");
        Ok(Some(format!("{scheme}://{login}{host}:{port}/{}", encode(&name))))
    }

    fn cache_url(&self) -> Result<Option<String>, SettingsError> {
        if let Some(url) = self.get("CACHE_URL") {
            return Ok(Some(url));
        }
        let Some(engine) = self.get("CACHE_ENGINE") else { return Ok(None) };
        let (scheme, port) = match engine.to_ascii_lowercase().as_str() {
            "sqlite" => {
                let path = self.get_or("CACHE_PATH", "larder-cache.db");
                let path = utf8_percent_encode(&path, PLAIN_PATH).to_string();
                return Ok(Some(format!("sqlite://{path}")));
            }
            "none" => return Ok(Some("none".to_owned())),
            "memory" | "moka" => return Ok(Some(format!("{}:", engine.to_ascii_lowercase()))),
            "redis" => ("redis", 6379),
            "valkey" => ("valkey", 6379),
            "memcached" => ("memcached", 11211),
            _ => {
                return Err(SettingsError::UnknownEngine {
                    variable: "CACHE_ENGINE",
                    expected: "sqlite, moka, memory, none, redis, valkey, memcached",
                });
            }
        };
        let login = self.login("CACHE_USER", "CACHE_PASSWORD");
        let is_encrypted = self.flag("CACHE_TLS")?;
        let place = self.get_or("CACHE_HOST", "localhost");
        if place.starts_with('/') {
            let path = utf8_percent_encode(&place, PLAIN_PATH);
            return Ok(Some(format!("{scheme}+unix://{login}{path}")));
        }
        let port = self.port("CACHE_PORT", port)?;
        let s = if is_encrypted { "s" } else { "" };
        Ok(Some(format!("{scheme}{s}://{login}{}:{port}", host(&place))))
    }

    /// User and password as they stand in a URL, the sign behind them included. A database asks
    /// for a user, a cache may ask for a password alone.
    fn login(&self, user: &'static str, password: &'static str) -> String {
        let user = self.get(user).map(|user| encode(&user)).unwrap_or_default();
        match self.get(password) {
            Some(password) => format!("{user}:{}@", encode(&password)),
            None if user.is_empty() => user,
            None => format!("{user}@"),
        }
    }

    fn flag(&self, variable: &'static str) -> Result<bool, SettingsError> {
        let Some(value) = self.get(variable) else { return Ok(false) };
        match value.trim().to_ascii_lowercase().as_str() {
            "1" | "on" | "true" | "yes" => Ok(true),
            "0" | "off" | "false" | "no" => Ok(false),
            _ => Err(SettingsError::Flag { variable }),
        }
    }

    fn ttl(&self) -> Result<Option<Duration>, SettingsError> {
        let variable = "CACHE_TTL";
        let Some(seconds) = self.get(variable) else { return Ok(None) };
        let seconds = seconds.trim().parse().map_err(|_| SettingsError::Number { variable })?;
        let ttl = Ttl::try_from_secs(seconds)
            .map_err(|source| SettingsError::Ttl { variable, source })?;
        Ok(Some(ttl.as_duration()))
    }
}

fn encode(text: &str) -> String {
    utf8_percent_encode(text, PLAIN).to_string()
}

/// A name or an address, with the brackets that a URL wants around the latter.
fn host(text: &str) -> String {
    if text.contains(':') && !text.starts_with('[') { format!("[{text}]") } else { text.to_owned() }
}

/// The parser's own error quotes the line, which may hold a password; only its number is kept.
fn read(path: &Path) -> Result<HashMap<String, String>, SettingsError> {
    let failed = |line| SettingsError::File { path: path.to_owned(), line };
    let lines = dotenvy::from_path_iter(path).map_err(|_| failed(None))?;
    let mut variables = HashMap::new();
    for (index, line) in lines.enumerate() {
        let (name, value) = line.map_err(|_| failed(Some(index + 1)))?;
        variables.insert(name, value);
    }
    Ok(variables)
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hidden = |value: &Option<String>| if value.is_some() { "(set)" } else { "(not set)" };
        f.debug_struct("Settings")
            .field("database_url", &hidden(&self.database_url))
            .field("cache_url", &hidden(&self.cache_url))
            .field("ttl", &self.ttl)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(variables: &[(&str, &str)]) -> Result<Settings, SettingsError> {
        Settings::from_lookup(|name| {
            let found = variables.iter().find(|(variable, _)| *variable == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_variables_of_an_existing_deployment_are_understood() {
        let found = settings(&[
            ("DB_ENGINE", "mysql"),
            ("DB_HOST", "db.example"),
            ("DB_PORT", "3307"),
            ("DB_USER", "root"),
            ("DB_PASSWORD", "p@ss/w:rd#?"),
            ("DB_NAME", "airportdb"),
            ("CACHE_ENGINE", "redis"),
            ("CACHE_HOST", "cache.example"),
            ("CACHE_TTL", "60"),
        ])
        .unwrap();
        assert_eq!(
            found.database_url.as_deref(),
            Some("mysql://root:p%40ss%2Fw%3Ard%23%3F@db.example:3307/airportdb")
        );
        assert_eq!(found.cache_url.as_deref(), Some("redis://cache.example:6379"));
        assert_eq!(found.ttl, Some(Duration::from_secs(60)));
    }

    #[test]
    fn every_engine_has_its_url() {
        for (engine, url) in [
            ("mysql", "mysql://root:pw@db:3306/d"),
            ("MariaDB", "mariadb://root:pw@db:3306/d"),
            ("postgresql", "postgres://root:pw@db:5432/d"),
            ("postgres", "postgres://root:pw@db:5432/d"),
        ] {
            let variables = [
                ("DB_ENGINE", engine),
                ("DB_HOST", "db"),
                ("DB_USER", "root"),
                ("DB_PASSWORD", "pw"),
                ("DB_NAME", "d"),
            ];
            assert_eq!(settings(&variables).unwrap().database_url.as_deref(), Some(url));
        }
        for (engine, url) in [
            ("redis", "redis://localhost:6379"),
            ("Valkey", "valkey://localhost:6379"),
            ("memcached", "memcached://localhost:11211"),
            ("memory", "memory:"),
            ("moka", "moka:"),
            ("none", "none"),
        ] {
            let found = settings(&[("CACHE_ENGINE", engine)]).unwrap();
            assert_eq!(found.cache_url.as_deref(), Some(url));
        }
    }

    #[test]
    fn a_cache_may_ask_for_a_password_and_for_encryption() {
        let check = |variables: &[(&str, &str)], url: &str| {
            let engine = [("CACHE_ENGINE", "redis")];
            let found = settings(&[&engine[..], variables].concat()).unwrap();
            assert_eq!(found.cache_url.as_deref(), Some(url));
        };
        check(&[("CACHE_PASSWORD", "p@:/ é")], "redis://:p%40%3A%2F%20%C3%A9@localhost:6379");
        check(
            &[("CACHE_USER", "app"), ("CACHE_PASSWORD", "pw"), ("CACHE_TLS", "yes")],
            "rediss://app:pw@localhost:6379",
        );
        check(&[("CACHE_TLS", "false"), ("CACHE_HOST", "::1")], "redis://[::1]:6379");
        check(
            &[("CACHE_HOST", "/run/my redis.sock"), ("CACHE_PASSWORD", "pw")],
            "redis+unix://:pw@/run/my%20redis.sock",
        );
        let odd = settings(&[("CACHE_ENGINE", "redis"), ("CACHE_TLS", "hunter2")]).unwrap_err();
        assert_eq!(odd.to_string(), "CACHE_TLS is neither true nor false");
    }

    #[test]
    fn urls_go_before_single_variables_and_empty_ones_do_not_count() {
        let found = settings(&[
            ("DATABASE_URL", "sqlite://a.db"),
            ("DB_ENGINE", "mysql"),
            ("CACHE_URL", ""),
            ("CACHE_ENGINE", "sqlite"),
            ("CACHE_PATH", "my cache.db"),
        ])
        .unwrap();
        assert_eq!(found.database_url.as_deref(), Some("sqlite://a.db"));
        assert_eq!(found.cache_url.as_deref(), Some("sqlite://my%20cache.db"));
        assert_eq!(settings(&[]).unwrap().database_url, None);
    }

    #[test]
    fn mistakes_name_the_variable_and_not_its_value() {
        for variable in ["DB_PORT", "CACHE_PORT", "CACHE_TTL"] {
            let engines = [("DB_ENGINE", "mysql"), ("CACHE_ENGINE", "redis")];
            let error = settings(&[&engines[..], &[(variable, "hunter2")]].concat()).unwrap_err();
            assert!(error.to_string().contains(variable), "{error}");
            assert!(!format!("{error:?}").contains("hunter2"));
        }
        assert!(matches!(
            settings(&[("CACHE_TTL", "-1")]),
            Err(SettingsError::Ttl { source: TtlError::Negative { .. }, .. })
        ));
        assert!(settings(&[("DB_ENGINE", "oracle")]).is_err());
    }

    #[test]
    fn debug_shows_no_value() {
        let found = settings(&[("DATABASE_URL", "postgres://u:hunter2@h/d")]).unwrap();
        assert!(!format!("{found:?}").contains("hunter2"));
    }
}
