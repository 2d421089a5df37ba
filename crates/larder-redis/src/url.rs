//! URLs: `redis://user:password@host:port/database` and its relatives.
//!
//! Guards that no error shows any part of a URL, because any part may hold a secret.

use std::str::FromStr;

use percent_encoding::percent_decode_str;

use crate::{
    Address, Deployment, RedisConfig, Secret,
    address::{DEFAULT_PORT, DEFAULT_SENTINEL_PORT},
    secret::Credentials,
};

/// Why a URL is not one of ours. Nothing of the URL is part of the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The part after the host is not the number of a database.
    #[error("the path of the URL is not the number of a database")]
    Database,
    /// Something is percent-encoded that is no text.
    #[error("the URL has a percent-encoding that is no UTF-8")]
    Encoding,
    /// There is no host, or there are several where one is needed.
    #[error("the URL needs one host, or one or more for a cluster and Sentinels")]
    Host,
    /// The path does not name the master that Sentinels watch.
    #[error("the URL of Sentinels has to end with the name of the master")]
    Master,
    /// A parameter other than `ca`.
    #[error("the URL has a parameter that is not known; known is: ca")]
    Parameter,
    /// What follows the colon is no port.
    #[error("the URL has a port that is no number between 1 and 65535")]
    Port,
    /// A scheme that is not known.
    #[error(
        "the URL begins with none of redis, rediss, valkey, valkeys, each alone or with +cluster, \
         +sentinel or (unencrypted) +unix"
    )]
    Scheme,
    /// There is no path to a socket.
    #[error("the URL of a Unix socket needs an absolute path and no host")]
    Socket,
}

impl FromStr for RedisConfig {
    type Err = ConfigError;

    fn from_str(url: &str) -> Result<Self, ConfigError> {
        let (scheme, rest) = url.split_once("://").ok_or(ConfigError::Scheme)?;
        let (tls, kind) = scheme_of(scheme)?;
        // A password may hold anything encoded, and `?` and `/` are encoded in it.
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (userinfo, rest) = match rest.rsplit_once('@') {
            Some((userinfo, rest)) => (Some(userinfo), rest),
            None => (None, rest),
        };
        let (hosts, path) = match rest.find('/') {
            Some(slash) => rest.split_at(slash),
            None => (rest, ""),
        };
        let path = decoded(path)?;
        let (deployment, database) = match kind {
            Kind::Cluster => (Deployment::Cluster(addresses(hosts, DEFAULT_PORT)?), &*path),
            Kind::Sentinel => {
                let sentinels = addresses(hosts, DEFAULT_SENTINEL_PORT)?;
                let name = path.strip_prefix('/').ok_or(ConfigError::Master)?;
                let (master, database) = match name.find('/') {
                    Some(slash) => name.split_at(slash),
                    None => (name, ""),
                };
                if master.is_empty() {
                    return Err(ConfigError::Master);
                }
                (Deployment::Sentinel { sentinels, master: master.into() }, database)
            }
            Kind::Single => {
                let mut addresses = addresses(hosts, DEFAULT_PORT)?;
                let address = addresses.pop().ok_or(ConfigError::Host)?;
                if !addresses.is_empty() {
                    return Err(ConfigError::Host);
                }
                (Deployment::Single(address), &*path)
            }
            Kind::Unix => {
                if !hosts.is_empty() || path.len() < 2 {
                    return Err(ConfigError::Socket);
                }
                (Deployment::Single(Address::Unix(path.clone().into())), "")
            }
        };
        let mut config = Self::new(deployment).with_tls(tls);
        config.database = database_of(database)?;
        config.credentials = userinfo.map(credentials).transpose()?.unwrap_or_default();
        for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
            match parameter.split_once('=') {
                Some(("ca", file)) => config.ca_files.push(decoded(file)?.into()),
                _ => return Err(ConfigError::Parameter),
            }
        }
        Ok(config)
    }
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Cluster,
    Sentinel,
    Single,
    Unix,
}

fn scheme_of(scheme: &str) -> Result<(bool, Kind), ConfigError> {
    let scheme = scheme.to_ascii_lowercase();
    let (product, kind) = match scheme.split_once('+') {
        None => (&*scheme, Kind::Single),
        Some((product, "cluster")) => (product, Kind::Cluster),
        Some((product, "sentinel")) => (product, Kind::Sentinel),
        Some((product, "unix")) => (product, Kind::Unix),
        Some(_) => return Err(ConfigError::Scheme),
    };
    match (product, kind) {
        ("redis" | "valkey", kind) => Ok((false, kind)),
        ("rediss" | "valkeys", Kind::Cluster | Kind::Sentinel | Kind::Single) => Ok((true, kind)),
        _ => Err(ConfigError::Scheme),
    }
}

fn addresses(hosts: &str, default_port: u16) -> Result<Vec<Address>, ConfigError> {
    hosts.split(',').map(|host| address(host, default_port)).collect()
}

fn address(text: &str, default_port: u16) -> Result<Address, ConfigError> {
    let (host, port) = match text.strip_prefix('[') {
        // An IPv6 address, in brackets because of its colons.
        Some(rest) => rest.split_once(']').ok_or(ConfigError::Host)?,
        None => text.split_at(text.find(':').unwrap_or(text.len())),
    };
    let port = match port.strip_prefix(':') {
        Some(port) => port.parse().map_err(|_not_a_port| ConfigError::Port)?,
        None if port.is_empty() => default_port,
        None => return Err(ConfigError::Port),
    };
    if host.is_empty() {
        return Err(ConfigError::Host);
    }
    if port == 0 {
        return Err(ConfigError::Port);
    }
    Ok(Address::tcp(decoded(host)?, port))
}

fn database_of(path: &str) -> Result<u32, ConfigError> {
    match path.strip_prefix('/').unwrap_or(path) {
        "" => Ok(0),
        number => number.parse().map_err(|_not_a_number| ConfigError::Database),
    }
}

fn credentials(userinfo: &str) -> Result<Credentials, ConfigError> {
    let (username, password) = match userinfo.split_once(':') {
        Some((username, password)) => (username, Some(Secret::from(decoded(password)?))),
        None => (userinfo, None),
    };
    let username = (!username.is_empty()).then(|| decoded(username)).transpose()?;
    Ok(Credentials { username, password })
}

fn decoded(text: &str) -> Result<String, ConfigError> {
    let decoded = percent_decode_str(text).decode_utf8();
    decoded.map(Into::into).map_err(|_no_text| ConfigError::Encoding)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> RedisConfig {
        url.parse().unwrap_or_else(|error| panic!("{url}: {error}"))
    }

    #[test]
    fn every_scheme_names_its_deployment() {
        let single = |host: &str, port| Deployment::Single(Address::tcp(host, port));
        let two = || vec![Address::tcp("a", 1), Address::tcp("b", 6379)];
        let sentinels = || vec![Address::tcp("a", 1), Address::tcp("b", 26379)];
        for (url, tls, deployment) in [
            ("redis://h", false, single("h", 6379)),
            ("REDIS://h:1/", false, single("h", 1)),
            ("valkey://[::1]:7", false, single("::1", 7)),
            ("rediss://h", true, single("h", 6379)),
            ("valkeys://h", true, single("h", 6379)),
            ("redis+cluster://a:1,b", false, Deployment::Cluster(two())),
            ("valkeys+cluster://a:1,b", true, Deployment::Cluster(two())),
            (
                "redis+sentinel://a:1,b/m",
                false,
                Deployment::Sentinel { sentinels: sentinels(), master: "m".into() },
            ),
            (
                "rediss+sentinel://a:1,b/my%20master",
                true,
                Deployment::Sentinel { sentinels: sentinels(), master: "my master".into() },
            ),
            (
                "redis+unix:///run/a%20b.sock",
                false,
                Deployment::Single(Address::Unix("/run/a b.sock".into())),
            ),
        ] {
            let config = parse(url);
            assert_eq!((config.tls, &config.deployment), (tls, &deployment), "{url}");
            assert_eq!(config.objection(), None, "{url}");
        }
    }

    #[test]
    fn user_password_database_and_certificate_are_read() {
        let config = parse("rediss://us%40er:p%40%2F%23%3A%25@h:1/3?ca=/etc/my%20ca.pem");
        assert_eq!(config.credentials.username.as_deref(), Some("us@er"));
        assert_eq!(config.credentials.password, Some(Secret::from("p@/#:%")));
        assert_eq!((config.database, config.ca_files), (3, vec!["/etc/my ca.pem".into()]));
        let config = parse("redis://:only@h");
        assert_eq!(config.credentials.username, None);
        assert_eq!(config.credentials.password, Some(Secret::from("only")));
        assert_eq!(parse("redis+sentinel://h/m/2").database, 2);
        // An `@` that somebody forgot to encode still ends up in the password.
        assert_eq!(parse("redis://:p@ss@h").credentials.password, Some(Secret::from("p@ss")));
    }

    #[test]
    fn what_is_wrong_is_named_and_nothing_of_it_is_echoed() {
        for (url, error) in [
            ("", ConfigError::Scheme),
            ("canary", ConfigError::Scheme),
            ("http://canary", ConfigError::Scheme),
            ("redis+canary://h", ConfigError::Scheme),
            ("rediss+unix:///canary", ConfigError::Scheme),
            ("redis://", ConfigError::Host),
            ("redis://:canary@", ConfigError::Host),
            ("redis://canary,h", ConfigError::Host),
            ("redis://[canary", ConfigError::Host),
            ("redis+cluster://canary,,h", ConfigError::Host),
            ("redis://h:canary", ConfigError::Port),
            ("redis://h:0", ConfigError::Port),
            ("redis://h:65536", ConfigError::Port),
            ("redis://[::1]canary", ConfigError::Port),
            ("redis://h/canary", ConfigError::Database),
            ("redis://h/-1", ConfigError::Database),
            ("redis://h?canary=1", ConfigError::Parameter),
            ("redis://h?insecure", ConfigError::Parameter),
            ("redis+sentinel://h", ConfigError::Master),
            ("redis+sentinel://h/", ConfigError::Master),
            ("redis+unix://canary/x", ConfigError::Socket),
            ("redis+unix://", ConfigError::Socket),
            ("redis://:%ff-canary@h", ConfigError::Encoding),
        ] {
            let found = url.parse::<RedisConfig>().unwrap_err();
            assert_eq!(found, error, "{url}");
            assert!(!format!("{found} {found:?}").contains("canary"));
        }
    }
}
