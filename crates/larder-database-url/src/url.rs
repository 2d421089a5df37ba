//! A database URL, and what may be shown of it.
//!
//! Guards that no part of a URL that may hold a secret is ever printed: not when it is shown, not
//! in `Debug`, and not in the error about a URL that can not be parsed.

use std::{fmt, str::FromStr};

use crate::{Engine, UrlError};

/// A database URL whose secrets stay inside.
///
/// `Display` and `Debug` show the engine, the host, the port and the database, and neither user,
/// password nor parameters. Where it is not certain which part is which, because a password was
/// not percent-encoded, they show the engine alone.
///
/// ```
/// use larder_database_url::{DatabaseUrl, Engine};
///
/// let url: DatabaseUrl = "postgres://app:hunter2@db.example:5432/airport".parse()?;
/// assert_eq!(url.engine(), Engine::Postgres);
/// assert_eq!(url.to_string(), "postgres://db.example:5432/airport");
/// # Ok::<(), larder_database_url::UrlError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl {
    engine: Engine,
    /// What follows the scheme and its slashes. Secret.
    rest: String,
}

impl DatabaseUrl {
    /// The engine that the scheme names.
    #[must_use]
    pub const fn engine(&self) -> Engine {
        self.engine
    }

    /// What follows the scheme and its slashes, split at the question mark.
    pub(crate) fn path_and_parameters(&self) -> (&str, &str) {
        self.rest.split_once('?').unwrap_or((&self.rest, ""))
    }

    /// Host, port and database; `None` where it is not certain that it is not a secret.
    fn location(&self) -> Option<String> {
        if self.engine == Engine::Sqlite {
            // A path has no user, and nothing after the question mark is shown.
            return Some(self.path_and_parameters().0.to_owned());
        }
        let end = self.rest.find(['/', '?', '#']).unwrap_or(self.rest.len());
        let (authority, after) = self.rest.split_at(end);
        if after.contains('@') {
            // A slash, question mark or hash within the password looks like the end of the host.
            return None;
        }
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        let database = after.split(['?', '#']).next().unwrap_or_default();
        let plain =
            |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || "-._[]:/".contains(c));
        (is_host(host) && plain(database)).then(|| format!("{host}{database}"))
    }
}

/// A name or address, and perhaps a port in digits.
fn is_host(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port),
        _ => (text, ""),
    };
    let address = host.strip_prefix('[').and_then(|inner| inner.strip_suffix(']'));
    let name = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    port.chars().all(|c| c.is_ascii_digit())
        && match address {
            Some(address) => address.chars().all(|c| c.is_ascii_hexdigit() || ":.".contains(c)),
            None => host.chars().all(name),
        }
}

impl FromStr for DatabaseUrl {
    type Err = UrlError;

    fn from_str(url: &str) -> Result<Self, UrlError> {
        let (scheme, rest) = url.trim().split_once(':').ok_or(UrlError::Scheme)?;
        let engine = Engine::from_scheme(scheme).ok_or(UrlError::Scheme)?;
        let rest = match (rest.strip_prefix("//"), engine) {
            (Some(rest), _) => rest,
            (None, Engine::Sqlite) => rest,
            (None, _) => return Err(UrlError::Empty),
        };
        let place = rest.split(['?', '#']).next().unwrap_or_default();
        if place.is_empty() {
            return Err(UrlError::Empty);
        }
        Ok(Self { engine, rest: rest.to_owned() })
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let location = self.location();
        let location = location.as_deref().unwrap_or("…");
        write!(f, "{}://{location}", self.engine.scheme())
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CANARY: &str = "hunter2";

    fn shown(url: &str) -> String {
        url.parse::<DatabaseUrl>().unwrap().to_string()
    }

    #[test]
    fn host_port_and_database_are_shown() {
        assert_eq!(shown("mysql://u:hunter2@db/app"), "mysql://db/app");
        assert_eq!(shown("postgresql://u@h:5432/d?x=1"), "postgres://h:5432/d");
        assert_eq!(shown("MariaDB://[::1]:3306/d"), "mariadb://[::1]:3306/d");
        assert_eq!(shown("postgres://[::1]/d"), "postgres://[::1]/d");
        assert_eq!(shown("sqlite://data/app.db?mode=rwc"), "sqlite://data/app.db");
        assert_eq!(shown("sqlite::memory:"), "sqlite://:memory:");
        assert_eq!(shown(" sqlite:app.db\n"), "sqlite://app.db");
    }

    #[test]
    fn passwords_that_are_not_encoded_are_not_shown() {
        for password in ["a@", "a/", "a#", "a?", "a%", "a:", ":", "@", "/@", "a b", "é", "a/b@c/"]
        {
            for url in [
                format!("postgres://u:{password}{CANARY}@host/db"),
                format!("postgres://u:{CANARY}{password}@host/db"),
                format!("postgres://host/db?password={password}{CANARY}"),
                format!("postgres://host/db#{password}{CANARY}"),
            ] {
                let url: DatabaseUrl = url.parse().unwrap();
                assert!(!format!("{url} {url:?}").contains(CANARY), "{password}");
            }
        }
    }

    #[test]
    fn what_is_no_url_is_not_echoed() {
        for url in [
            "hunter2",
            "",
            "hunter2://u:hunter2@h/d",
            "postgres:hunter2",
            "postgres://",
            "postgres://?password=hunter2",
            "sqlite:",
            "sqlite://",
            "redis://:hunter2@h",
        ] {
            let error = url.parse::<DatabaseUrl>().unwrap_err();
            assert!(!format!("{error} {error:?}").contains(CANARY), "{url}");
        }
    }

    proptest! {
        #[test]
        fn no_password_is_ever_shown(before in "[ -~]{0,6}", after in "[ -~]{0,6}") {
            let url = format!("postgres://u:{before}{CANARY}{after}@host:1/db");
            if let Ok(url) = url.parse::<DatabaseUrl>() {
                prop_assert!(!url.to_string().contains(CANARY));
            }
        }
    }
}
