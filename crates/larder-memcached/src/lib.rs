#![doc = include_str!("../README.md")]

mod address;
mod backend;
mod batch;
mod codec;
mod config;
mod connection;
mod counters;
mod credentials;
mod dialect;
mod error;
mod fleet;
mod handshake;
mod health;
mod item;
mod lane;
mod name;
mod namespace;
mod node;
mod request;
mod ring;
mod server_time;
mod tls;
mod transport;
mod url;
mod verbs;

pub use address::ServerAddress;
pub use backend::MemcachedBackend;
pub use config::{MemcachedConfig, ProtocolMode};
pub use credentials::Credentials;
pub use ring::KetamaLabels;
pub use url::ConfigError;
