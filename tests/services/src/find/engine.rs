//! The servers' programs, and what makes one of them the wanted one.

use crate::{
    debian::{Package, Suite},
    find::version::Version,
};

/// A program in an older or a newer version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Engine {
    Mariadb,
    Memcached,
    MemcachedNew,
    Mysql,
    Postgres,
    PostgresNew,
    Redis,
    RedisNew,
    Valkey,
    ValkeyNew,
}

impl Engine {
    /// What people call it: `LARDER_REDIS_NEW_BIN` names the program of `redis_new`.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Mariadb => "mariadb",
            Self::Memcached => "memcached",
            Self::MemcachedNew => "memcached_new",
            Self::Mysql => "mysql",
            Self::Postgres => "postgres",
            Self::PostgresNew => "postgres_new",
            Self::Redis => "redis",
            Self::RedisNew => "redis_new",
            Self::Valkey => "valkey",
            Self::ValkeyNew => "valkey_new",
        }
    }

    /// The variable that names the program to take.
    pub(crate) fn variable(self) -> String {
        format!("LARDER_{}_BIN", self.name().to_uppercase())
    }

    /// The file names that it goes by.
    pub(crate) const fn programs(self) -> &'static [&'static str] {
        match self {
            Self::Mariadb => &["mariadbd", "mysqld"],
            Self::Memcached | Self::MemcachedNew => &["memcached"],
            Self::Mysql => &["mysqld"],
            Self::Postgres | Self::PostgresNew => &["postgres"],
            Self::Redis | Self::RedisNew => &["redis-server"],
            Self::Valkey | Self::ValkeyNew => &["valkey-server"],
        }
    }

    /// The programs that it can not do without, in the same folder.
    pub(crate) const fn siblings(self) -> &'static [&'static str] {
        match self {
            Self::Postgres | Self::PostgresNew => &["initdb"],
            _ => &[],
        }
    }

    /// The version, if what `--version` says is that of the right server.
    pub(crate) fn version(self, output: &str) -> Option<Version> {
        // The two databases go by the same name, and Valkey is sometimes installed as Redis.
        let is_mariadb = output.contains("MariaDB");
        let mark = match self {
            Self::Mariadb if is_mariadb => " Ver ",
            Self::Mysql if !is_mariadb => " Ver ",
            Self::Mariadb | Self::Mysql => return None,
            Self::Memcached | Self::MemcachedNew => "memcached ",
            Self::Postgres | Self::PostgresNew => "postgres (PostgreSQL) ",
            Self::Redis | Self::RedisNew => "Redis server v=",
            // The first releases did not say their name.
            Self::Valkey | Self::ValkeyNew if output.starts_with("Server v=") => "Server v=",
            Self::Valkey | Self::ValkeyNew => "Valkey server v=",
        };
        Version::after(mark, output)
    }

    /// The oldest version that serves the purpose.
    pub(crate) const fn oldest(self) -> Version {
        match self {
            Self::Mariadb => Version(10, 6),
            Self::Memcached | Self::MemcachedNew => Version(1, 6),
            Self::Mysql => Version(8, 0),
            Self::Postgres => Version(13, 0),
            Self::PostgresNew => Version(17, 0),
            Self::Redis => Version(6, 2),
            Self::RedisNew => Version(8, 0),
            Self::Valkey => Version(7, 2),
            Self::ValkeyNew => Version(9, 0),
        }
    }

    /// Whether a program of the machine itself may serve. The versions of Memcached differ in
    /// their last number only, so a "newer" one is always fetched.
    pub(crate) const fn may_be_of_host(self) -> bool {
        !matches!(self, Self::MemcachedNew)
    }

    /// Where Debian has it.
    pub(crate) const fn debian(self) -> Package {
        let (suite, name) = match self {
            Self::Mariadb => (Suite::Bookworm, "mariadb-server-core"),
            Self::Memcached => (Suite::Bookworm, "memcached"),
            Self::MemcachedNew => (Suite::Sid, "memcached"),
            Self::Mysql => (Suite::Sid, "mysql-server-core"),
            Self::Postgres => (Suite::Bookworm, "postgresql-15"),
            Self::PostgresNew => (Suite::Sid, "postgresql"),
            Self::Redis => (Suite::Bookworm, "redis-server"),
            Self::RedisNew => (Suite::Sid, "redis-server"),
            Self::Valkey => (Suite::BookwormBackports, "valkey-server"),
            Self::ValkeyNew => (Suite::Sid, "valkey-server"),
        };
        Package { suite, name }
    }

    /// What Ubuntu calls it, in the release that the machine runs.
    pub(crate) const fn ubuntu(self) -> Option<&'static str> {
        match self {
            Self::Mariadb => Some("mariadb-server-core"),
            Self::Memcached => Some("memcached"),
            Self::Mysql => Some("mysql-server"),
            Self::Postgres => Some("postgresql"),
            Self::Redis => Some("redis-server"),
            Self::Valkey => Some("valkey-server"),
            Self::MemcachedNew | Self::PostgresNew | Self::RedisNew | Self::ValkeyNew => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_that_share_a_name_are_told_apart() {
        let mysql = "/usr/sbin/mysqld  Ver 9.7.0 for Linux on x86_64 (Debian)";
        let mariadb = "mariadbd  Ver 10.11.14-MariaDB-0+deb12u2 for debian-linux-gnu on x86_64";
        assert_eq!(Engine::Mysql.version(mysql), Some(Version(9, 7)));
        assert_eq!(Engine::Mysql.version(mariadb), None);
        assert_eq!(Engine::Mariadb.version(mariadb), Some(Version(10, 11)));
        assert_eq!(Engine::Mariadb.version(mysql), None);
        let valkey = "Valkey server v=8.0.2 sha=00000000:0 malloc=jemalloc-5.3.0";
        assert_eq!(Engine::Redis.version(valkey), None);
        assert_eq!(Engine::Valkey.version(valkey), Some(Version(8, 0)));
        assert_eq!(Engine::Valkey.version("Server v=7.2.14 sha=0"), Some(Version(7, 2)));
    }

    #[test]
    fn a_client_is_no_server() {
        assert_eq!(Engine::Postgres.version("psql (PostgreSQL) 15.18"), None);
    }
}
