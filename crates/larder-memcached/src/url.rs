//! Reads a configuration from a URL. No part of the URL is repeated in an error, as any part may
//! hold a secret in the wrong place.

use std::{path::PathBuf, str::FromStr};

use percent_encoding::percent_decode_str;

use crate::{Credentials, MemcachedConfig, ServerAddress};

/// Why a text is not the URL of a Memcached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// User and password are not `user:password`, or badly encoded.
    #[error("user and password are not written as user:password, percent-encoded")]
    Credentials,
    /// A host is missing or is no host.
    #[error("a host is missing or malformed")]
    Host,
    /// There is something where nothing is expected, such as a database number.
    #[error("something follows the servers that is not a known parameter")]
    Parameter,
    /// The path of the socket file is missing or not absolute.
    #[error("the path of the socket file is missing or not absolute")]
    Path,
    /// A port is not a number from 1 to 65,535.
    #[error("a port is not a number from 1 to 65535")]
    Port,
    /// The scheme is not one of those of Memcached.
    #[error("the scheme is none of memcached, memcacheds and memcached+unix")]
    Scheme,
}

impl FromStr for MemcachedConfig {
    type Err = ConfigError;

    fn from_str(url: &str) -> Result<Self, ConfigError> {
        let (scheme, rest) = url.split_once("://").ok_or(ConfigError::Scheme)?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (userinfo, place) = match rest.rsplit_once('@') {
            Some((userinfo, place)) => (Some(userinfo), place),
            None => (None, rest),
        };
        let mut config = match scheme {
            "memcached" => Self::new(servers(place)?),
            "memcacheds" => Self::new(servers(place)?).with_tls(true),
            "memcached+unix" => Self::new([socket_file(place)?]),
            _ => return Err(ConfigError::Scheme),
        };
        config.credentials = userinfo.map(credentials).transpose()?;
        for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
            match parameter.split_once('=') {
                Some(("ca", path)) if config.tls && !path.is_empty() => {
                    let path = decoded(path).ok_or(ConfigError::Parameter)?;
                    config.ca = Some(PathBuf::from(path));
                }
                _ => return Err(ConfigError::Parameter),
            }
        }
        Ok(config)
    }
}

fn servers(place: &str) -> Result<Vec<ServerAddress>, ConfigError> {
    let place = place.strip_suffix('/').unwrap_or(place);
    if place.contains(['/', '#']) {
        return Err(ConfigError::Parameter);
    }
    place.split(',').map(server).collect()
}

fn server(text: &str) -> Result<ServerAddress, ConfigError> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']').ok_or(ConfigError::Host)?;
            host.parse::<std::net::Ipv6Addr>().map_err(|_| ConfigError::Host)?;
            let colon = port.is_empty() || port.starts_with(':');
            (host, colon.then(|| port.strip_prefix(':')).ok_or(ConfigError::Host)?)
        }
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let named = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:%".contains(&byte);
    if host.is_empty() || !host.bytes().all(named) {
        return Err(ConfigError::Host);
    }
    let port = match port {
        None => ServerAddress::DEFAULT_PORT,
        Some(port) => port.parse().ok().filter(|port| *port > 0).ok_or(ConfigError::Port)?,
    };
    Ok(ServerAddress::tcp(host, port))
}

fn socket_file(place: &str) -> Result<ServerAddress, ConfigError> {
    let path = decoded(place).ok_or(ConfigError::Path)?;
    if path.starts_with('/') && path.len() > 1 {
        Ok(ServerAddress::unix(path))
    } else {
        Err(ConfigError::Path)
    }
}

fn credentials(userinfo: &str) -> Result<Credentials, ConfigError> {
    let (user, password) = userinfo.split_once(':').ok_or(ConfigError::Credentials)?;
    let (user, password) = decoded(user).zip(decoded(password)).ok_or(ConfigError::Credentials)?;
    let credentials = Credentials::new(user, password);
    // What the protocol has no room for is noticed here rather than at the first connection.
    credentials.token().map(|_| credentials).ok_or(ConfigError::Credentials)
}

/// Percent-decoded text; `None` where that is none, or an escape is cut short.
fn decoded(text: &str) -> Option<String> {
    let escapes = text.split('%').skip(1);
    let hex = |escape: &str| {
        escape.as_bytes().get(..2).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    let whole = escapes.into_iter().all(hex);
    let decoded = percent_decode_str(text).decode_utf8().ok()?;
    whole.then(|| decoded.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<MemcachedConfig, ConfigError> {
        url.parse()
    }

    #[test]
    fn servers_have_hosts_and_ports() {
        let tcp = ServerAddress::tcp;
        for (url, servers) in [
            ("memcached://localhost", vec![tcp("localhost", 11_211)]),
            ("memcached://10.0.0.1:1/", vec![tcp("10.0.0.1", 1)]),
            ("memcached://a:1,b,c:3", vec![tcp("a", 1), tcp("b", 11_211), tcp("c", 3)]),
            ("memcached://[::1]:7,[fe80::1]", vec![tcp("::1", 7), tcp("fe80::1", 11_211)]),
            ("memcached+unix:///run/m%20c.sock", vec![ServerAddress::unix("/run/m c.sock")]),
        ] {
            let config = parse(url).unwrap();
            assert_eq!((config.servers, config.tls, config.credentials), (servers, false, None));
        }
    }

    #[test]
    fn credentials_are_decoded() {
        let config = parse("memcached://me:p%40%2F%23%25%3A@a").unwrap();
        assert_eq!(config.credentials, Some(Credentials::new("me", "p@/#%:")));
        let config = parse("memcached+unix://me:secret@/run/s").unwrap();
        assert_eq!(config.credentials, Some(Credentials::new("me", "secret")));
    }

    #[test]
    fn encryption_and_its_certificates_are_chosen_by_the_url() {
        let config = parse("memcacheds://cache.example?ca=/etc/my%20ca.pem").unwrap();
        assert_eq!((config.tls, config.ca), (true, Some(PathBuf::from("/etc/my ca.pem"))));
    }

    #[test]
    fn what_is_malformed_is_refused_without_an_echo() {
        for (url, error) in [
            ("", ConfigError::Scheme),
            ("canary", ConfigError::Scheme),
            ("redis://canary", ConfigError::Scheme),
            ("memcached:canary", ConfigError::Scheme),
            ("MEMCACHED://canary", ConfigError::Scheme),
            ("memcached://", ConfigError::Host),
            ("memcached://:1", ConfigError::Host),
            ("memcached://a,,b", ConfigError::Host),
            ("memcached://can ary", ConfigError::Host),
            ("memcached://[canary]:1", ConfigError::Host),
            ("memcached://[::1", ConfigError::Host),
            ("memcached://[::1]1", ConfigError::Host),
            ("memcached://a:canary", ConfigError::Port),
            ("memcached://a:0", ConfigError::Port),
            ("memcached://a:65536", ConfigError::Port),
            ("memcached://a:1:2", ConfigError::Port),
            ("memcached://a/0", ConfigError::Parameter),
            ("memcached://a#canary", ConfigError::Parameter),
            ("memcached://a?canary=1", ConfigError::Parameter),
            ("memcached://a?ca=/canary", ConfigError::Parameter),
            ("memcacheds://a?ca=", ConfigError::Parameter),
            ("memcacheds://a?insecure=1", ConfigError::Parameter),
            ("memcacheds://a#insecure", ConfigError::Parameter),
            ("memcached://canary@a", ConfigError::Credentials),
            ("memcached://:canary@a", ConfigError::Credentials),
            ("memcached://canary:@a", ConfigError::Credentials),
            ("memcached://u:canary%@a", ConfigError::Credentials),
            ("memcached://u:canary%ff@a", ConfigError::Credentials),
            ("memcached://u:canary%0d%0a@a", ConfigError::Credentials),
            ("memcached+unix://canary", ConfigError::Path),
            ("memcached+unix:///", ConfigError::Path),
        ] {
            let found = parse(url).unwrap_err();
            assert_eq!(found, error, "{url}");
            assert!(!format!("{found} {found:?}").contains("canary"));
        }
    }
}
