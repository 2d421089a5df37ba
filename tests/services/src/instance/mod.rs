//! How each setup is arranged: one file per kind of server.

mod launch;
mod memcached;
mod mysql;
mod postgres;
mod python;
mod redis;
mod redis_company;
mod template;
mod url;

pub(crate) use launch::launch;
