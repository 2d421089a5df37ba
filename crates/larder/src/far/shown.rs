//! A cache URL as it may be shown.
//!
//! Guards that it is put together from what is no secret, instead of taking the secret out of
//! what was written.

use std::fmt;

#[cfg(feature = "memcached")]
use larder_memcached::ServerAddress;
#[cfg(feature = "redis")]
use larder_redis::{Address, Deployment};

use super::{FarUrl, Kind};

impl fmt::Display for FarUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            #[cfg(feature = "memcached")]
            Kind::Memcached(config) => {
                let (tls, unix) = (config.tls, |at: &_| matches!(at, ServerAddress::Unix { .. }));
                let kind = if config.servers.iter().any(unix) { "+unix" } else { "" };
                write!(
                    f,
                    "{}{}",
                    Scheme { product: "memcached", tls, kind },
                    Listed(&config.servers)
                )
            }
            Kind::Memory => f.write_str("memory:"),
            Kind::Moka => f.write_str("moka:"),
            Kind::None => f.write_str("none"),
            #[cfg(feature = "redis")]
            Kind::Redis { config, product } => {
                let scheme = |kind| Scheme { product, tls: config.tls, kind };
                match &config.deployment {
                    Deployment::Cluster(nodes) => {
                        write!(f, "{}{}", scheme("+cluster"), Listed(nodes))
                    }
                    Deployment::Sentinel { sentinels, master } => {
                        write!(f, "{}{}/{master}", scheme("+sentinel"), Listed(sentinels))
                    }
                    Deployment::Single(at @ Address::Unix(_)) => {
                        write!(f, "{}{at}", scheme("+unix"))
                    }
                    Deployment::Single(at) => match config.database {
                        0 => write!(f, "{}{at}", scheme("")),
                        number => write!(f, "{}{at}/{number}", scheme("")),
                    },
                    // Another way for servers to belong together, with nothing to be told of it.
                    _ => write!(f, "{}…", scheme("")),
                }
            }
            Kind::Sqlite { path } => write!(f, "sqlite://{path}"),
        }
    }
}

/// The beginning of a server's URL: `rediss+cluster://`.
#[cfg(any(feature = "memcached", feature = "redis"))]
struct Scheme<'a> {
    product: &'a str,
    tls: bool,
    kind: &'a str,
}

/// Addresses with commas between them.
#[cfg(any(feature = "memcached", feature = "redis"))]
struct Listed<'a, T>(&'a [T]);

#[cfg(any(feature = "memcached", feature = "redis"))]
impl fmt::Display for Scheme<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let s = if self.tls { "s" } else { "" };
        write!(f, "{}{s}{}://", self.product, self.kind)
    }
}

#[cfg(any(feature = "memcached", feature = "redis"))]
impl<T: fmt::Display> fmt::Display for Listed<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, address) in self.0.iter().enumerate() {
            write!(f, "{}{address}", if index == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

impl fmt::Debug for FarUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FarUrl({self})")
    }
}

#[cfg(all(test, any(feature = "memcached", feature = "redis")))]
mod tests {
    use super::*;

    #[cfg(feature = "redis")]
    #[test]
    fn every_deployment_of_redis_is_shown_as_it_is_written() {
        for url in [
            "redis://cache.example:6379",
            "rediss://[::1]:6380/7",
            "valkey+unix:///run/valkey.sock",
            "valkeys+cluster://a:1,b:2",
            "redis+sentinel://a:1,b:2/primary",
        ] {
            let with_password = url.replace("://", "://u:hunter2@");
            let url_of = |text: &str| text.parse::<FarUrl>().map(|url| url.to_string());
            assert_eq!(url_of(url).unwrap(), url);
            // A socket's path has no place for a user everywhere.
            assert!(url_of(&with_password).map_or(true, |shown| shown == url));
        }
    }

    #[cfg(feature = "memcached")]
    #[test]
    fn every_deployment_of_memcached_is_shown_as_it_is_written() {
        for url in
            ["memcached://a:11211", "memcacheds://a:1,b:2", "memcached+unix:///run/memcached.sock"]
        {
            assert_eq!(url.parse::<FarUrl>().unwrap().to_string(), url);
        }
    }
}
