//! The engines that larder knows, by the scheme of a URL.

use std::fmt;

/// The database engines that a URL can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "who tells engines apart has to know each")]
pub enum Engine {
    /// MariaDB: `mariadb://`
    MariaDb,
    /// MySQL: `mysql://`
    MySql,
    /// PostgreSQL: `postgres://` or `postgresql://`
    Postgres,
    /// SQLite: `sqlite:` or `sqlite://`
    Sqlite,
}

impl Engine {
    /// The feature that the engine needs, here and in the crates that use this one.
    #[must_use]
    pub const fn feature(self) -> &'static str {
        match self {
            Self::MariaDb | Self::MySql => "mysql",
            Self::Postgres => "postgres",
            Self::Sqlite => "sqlite",
        }
    }

    pub(crate) const fn scheme(self) -> &'static str {
        match self {
            Self::MariaDb => "mariadb",
            Self::MySql => "mysql",
            Self::Postgres => "postgres",
            Self::Sqlite => "sqlite",
        }
    }

    pub(crate) fn from_scheme(scheme: &str) -> Option<Self> {
        // Schemes are compared without regard to case, as RFC 3986 section 3.1 says.
        match scheme.to_ascii_lowercase().as_str() {
            "mariadb" => Some(Self::MariaDb),
            "mysql" => Some(Self::MySql),
            "postgres" | "postgresql" => Some(Self::Postgres),
            "sqlite" => Some(Self::Sqlite),
            _ => None,
        }
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MariaDb => "MariaDB",
            Self::MySql => "MySQL",
            Self::Postgres => "PostgreSQL",
            Self::Sqlite => "SQLite",
        })
    }
}
