//! The setups by name: which server, with which protection, in which company.
//!
//! Guards that a setup, the module of its tests and its variable carry the same name.

use std::{fmt, str::FromStr};

/// One server, or a few that belong together, in one configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Setup {
    /// MariaDB with a user and a password.
    Mariadb,
    /// The same server, over TLS only.
    MariadbTls,
    /// The same server, over its Unix socket.
    MariadbUnix,
    /// Memcached without protection.
    Memcached,
    /// Memcached that wants a user and a password over its text protocol.
    MemcachedAuth,
    /// Three Memcached servers.
    MemcachedFleet,
    /// A newer Memcached.
    MemcachedNew,
    /// Memcached over TLS only.
    MemcachedTls,
    /// Memcached on a Unix socket only.
    MemcachedUnix,
    /// MySQL with a user and a password.
    Mysql,
    /// The same server, over TLS only.
    MysqlTls,
    /// PostgreSQL with a user and a password (SCRAM).
    Postgres,
    /// A newer PostgreSQL.
    PostgresNew,
    /// The same server as [`Setup::Postgres`], over TLS only.
    PostgresTls,
    /// The same server as [`Setup::Postgres`], over its Unix socket.
    PostgresUnix,
    /// A Python with the clients `redis` and `pymemcache`.
    Python,
    /// Redis without protection.
    Redis,
    /// Redis that knows a limited user and no other but the administrator.
    RedisAcl,
    /// A Redis Cluster of three primaries, each with a replica.
    RedisCluster,
    /// A newer Redis.
    RedisNew,
    /// A Redis primary and its replica.
    RedisReplicated,
    /// A Redis primary and its replica, watched by three sentinels.
    RedisSentinel,
    /// Redis over TLS only.
    RedisTls,
    /// Redis on a Unix socket only.
    RedisUnix,
    /// Valkey without protection.
    Valkey,
    /// A newer Valkey.
    ValkeyNew,
}

impl Setup {
    /// All of them, by name.
    pub const ALL: [Self; 26] = [
        Self::Mariadb,
        Self::MariadbTls,
        Self::MariadbUnix,
        Self::Memcached,
        Self::MemcachedAuth,
        Self::MemcachedFleet,
        Self::MemcachedNew,
        Self::MemcachedTls,
        Self::MemcachedUnix,
        Self::Mysql,
        Self::MysqlTls,
        Self::Postgres,
        Self::PostgresNew,
        Self::PostgresTls,
        Self::PostgresUnix,
        Self::Python,
        Self::Redis,
        Self::RedisAcl,
        Self::RedisCluster,
        Self::RedisNew,
        Self::RedisReplicated,
        Self::RedisSentinel,
        Self::RedisTls,
        Self::RedisUnix,
        Self::Valkey,
        Self::ValkeyNew,
    ];

    /// Its name, which is also that of the modules whose tests need it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.facts().0
    }

    /// The environment variable that tests find it by: a URL, or for [`Setup::Python`] the path
    /// of the interpreter.
    #[must_use]
    pub fn variable(self) -> String {
        match self {
            Self::Python => "LARDER_PYTHON".to_owned(),
            _ => format!("LARDER_{}_URL", self.name().to_uppercase()),
        }
    }

    /// The documented port of its first server, for servers that stay. The others follow it.
    #[must_use]
    pub const fn port(self) -> u16 {
        self.facts().1
    }

    /// What else its tests need: a client alone talks to nobody.
    #[must_use]
    pub const fn company(self) -> &'static [Self] {
        match self {
            Self::Python => &[Self::Memcached, Self::Redis],
            _ => &[],
        }
    }

    /// The setup whose servers serve this one too: itself, or the plain one of a database.
    #[must_use]
    pub const fn served_by(self) -> Self {
        match self {
            Self::MariadbTls | Self::MariadbUnix => Self::Mariadb,
            Self::MysqlTls => Self::Mysql,
            Self::PostgresTls | Self::PostgresUnix => Self::Postgres,
            own => own,
        }
    }

    /// Name and port. `docker-compose.yml` has the same.
    const fn facts(self) -> (&'static str, u16) {
        match self {
            Self::Mariadb => ("mariadb", 10_307),
            Self::MariadbTls => ("mariadb_tls", 10_307),
            Self::MariadbUnix => ("mariadb_unix", 10_307),
            Self::Memcached => ("memcached", 10_211),
            Self::MemcachedAuth => ("memcached_auth", 10_212),
            Self::MemcachedFleet => ("memcached_fleet", 10_215),
            Self::MemcachedNew => ("memcached_new", 10_213),
            Self::MemcachedTls => ("memcached_tls", 10_218),
            Self::MemcachedUnix => ("memcached_unix", 0),
            Self::Mysql => ("mysql", 10_306),
            Self::MysqlTls => ("mysql_tls", 10_306),
            Self::Postgres => ("postgres", 10_432),
            Self::PostgresNew => ("postgres_new", 10_433),
            Self::PostgresTls => ("postgres_tls", 10_432),
            Self::PostgresUnix => ("postgres_unix", 10_432),
            Self::Python => ("python", 0),
            Self::Redis => ("redis", 10_379),
            Self::RedisAcl => ("redis_acl", 10_380),
            Self::RedisCluster => ("redis_cluster", 10_392),
            Self::RedisNew => ("redis_new", 10_382),
            Self::RedisReplicated => ("redis_replicated", 10_385),
            Self::RedisSentinel => ("redis_sentinel", 10_387),
            Self::RedisTls => ("redis_tls", 10_381),
            Self::RedisUnix => ("redis_unix", 0),
            Self::Valkey => ("valkey", 10_383),
            Self::ValkeyNew => ("valkey_new", 10_384),
        }
    }
}

impl fmt::Display for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The word is not the name of a setup.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no such setup")]
pub struct UnknownSetup;

impl FromStr for Setup {
    type Err = UnknownSetup;

    fn from_str(name: &str) -> Result<Self, UnknownSetup> {
        Self::ALL.into_iter().find(|setup| setup.name() == name).ok_or(UnknownSetup)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_setup_is_found_by_its_name() {
        for setup in Setup::ALL {
            assert_eq!(setup.name().parse(), Ok(setup));
        }
        assert_eq!("rediss".parse::<Setup>(), Err(UnknownSetup));
        assert!(Setup::ALL.is_sorted_by_key(|setup| setup.name()));
    }

    #[test]
    fn variables_are_made_of_names() {
        assert_eq!(Setup::RedisTls.variable(), "LARDER_REDIS_TLS_URL");
        assert_eq!(Setup::Python.variable(), "LARDER_PYTHON");
    }

    #[test]
    fn documented_ports_do_not_overlap() {
        // How many servers a setup has, where it is not one.
        let servers = |setup| match setup {
            Setup::MemcachedFleet => 3,
            Setup::RedisCluster => 6,
            Setup::RedisReplicated => 2,
            Setup::RedisSentinel => 5,
            _ => 1,
        };
        let own = Setup::ALL.into_iter().filter(|setup| setup.served_by() == *setup);
        let ports: Vec<u16> = own
            .filter(|setup| setup.port() != 0)
            .flat_map(|setup| (0..servers(setup)).map(move |index| setup.port() + index))
            .collect();
        let distinct: BTreeSet<u16> = ports.iter().copied().collect();
        assert_eq!(distinct.len(), ports.len(), "{ports:?}");
    }
}
