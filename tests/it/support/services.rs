//! Where the servers are. A test that needs one that is not there fails and says so.

use std::env;

/// The URL of a setup such as `redis_tls`, from `LARDER_REDIS_TLS_URL`.
pub(crate) fn service_url(setup: &str) -> String {
    let variable = format!("LARDER_{}_URL", setup.to_uppercase());
    env::var(&variable)
        .unwrap_or_else(|_| panic!("{variable} is not set; `cargo xtask test` starts the servers"))
}

/// A name that no other test has, made of lower-case letters, digits and underscores.
pub(crate) fn random_name(prefix: &str) -> String {
    format!("{prefix}_{:016x}", rand::random::<u64>())
}

/// The `host:port` of a URL with one server.
pub(crate) fn address_of(url: &str) -> &str {
    let (_, rest) = url.split_once("://").expect("a URL of a server has a scheme");
    let host = rest.split(['/', '?']).next().unwrap_or_default();
    host.rsplit_once('@').map_or(host, |(_, host)| host)
}

/// The URL with another `host:port`.
pub(crate) fn with_address(url: &str, address: &str) -> String {
    let old = address_of(url);
    let start = old.as_ptr() as usize - url.as_ptr() as usize;
    format!("{}{address}{}", &url[..start], &url[start + old.len()..])
}

#[test]
fn the_address_of_a_url_is_exchanged() {
    for (url, address, exchanged) in [
        ("redis://127.0.0.1:1", "127.0.0.1:1", "redis://h:2"),
        ("rediss://u:p@ss@h:1/0?ca=/a", "h:1", "rediss://u:p@ss@h:2/0?ca=/a"),
        ("memcached://u:h:1@h:1", "h:1", "memcached://u:h:1@h:2"),
    ] {
        assert_eq!(address_of(url), address);
        assert_eq!(with_address(url, "h:2"), exchanged);
    }
}
