//! What the live tests share: where the servers are, and a look at an item past the backend.

#![allow(dead_code, reason = "no test needs all of it")]

use std::time::Duration;

use larder_core::Key;
use larder_memcached::{MemcachedConfig, ServerAddress};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// The configuration of a setup, from its variable.
pub(crate) fn config(setup: &str) -> MemcachedConfig {
    let variable = format!("LARDER_{}_URL", setup.to_uppercase());
    let Ok(url) = std::env::var(&variable) else {
        panic!("{variable} is not set; `cargo xtask test` starts the servers");
    };
    let config: MemcachedConfig = url.parse().unwrap();
    match std::env::var_os("LARDER_TLS_CA") {
        Some(ca) if config.tls && config.ca.is_none() => config.with_ca(ca),
        _ => config,
    }
}

/// A namespace that nobody else uses.
pub(crate) fn namespace() -> String {
    format!("t{:016x}", rand::random::<u64>())
}

/// Asks the servers how long an entry has yet to live, where they can be asked without password
/// and encryption.
pub(crate) async fn remaining(config: &MemcachedConfig, key: &Key) -> Option<Duration> {
    if config.tls || config.credentials.is_some() {
        return None;
    }
    for server in &config.servers {
        let ServerAddress::Tcp { host, port } = server else { return None };
        let mut stream = TcpStream::connect((host.as_str(), *port)).await.unwrap();
        let item = raw(&mut stream, &format!("mg {}:n v\r\n", config.namespace)).await;
        // "VA 32", the epoch, the generation.
        let Some(generation) = item.strip_prefix(b"VA 32 \r\n").or(item.strip_prefix(b"VA 32\r\n"))
        else {
            continue;
        };
        let mask = generation[16..32].iter().cycle();
        let masked: Vec<u8> =
            key.digest().iter().zip(mask).map(|(byte, mask)| byte ^ mask).collect();
        let (space, digest) = (key.space().as_str(), base64url(&masked));
        let name = format!("{}:e:{space}:{digest}", config.namespace);
        let reply = raw(&mut stream, &format!("mg {name} t\r\n")).await;
        let reply = String::from_utf8(reply).unwrap();
        if let Some(ttl) = reply.trim_end().strip_prefix("HD t") {
            return Some(ttl.parse().map_or(Duration::MAX, Duration::from_secs));
        }
    }
    None
}

/// Sends a command and returns what comes back at once, which is all for a short reply.
pub(crate) async fn raw(stream: &mut TcpStream, command: &str) -> Vec<u8> {
    stream.write_all(command.as_bytes()).await.unwrap();
    let mut reply = vec![0; 4_096];
    let len = stream.read(&mut reply).await.unwrap();
    reply.truncate(len);
    reply
}

fn base64url(bytes: &[u8]) -> String {
    let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let byte = |i: usize| u32::from(chunk.get(i).copied().unwrap_or_default());
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for shift in [18, 12, 6, 0].into_iter().take(chunk.len() + 1) {
            text.push(char::from(digits[(bits >> shift & 63) as usize]));
        }
    }
    text
}
