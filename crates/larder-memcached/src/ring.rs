//! Which server a key belongs to: the ketama ring.
//!
//! Every server has 160 points on a circle of 32-bit numbers: the MD5 of its label with `-0` to
//! `-39` behind it, each digest giving four numbers in little-endian order. A key belongs to the
//! first point at or after its own number. Servers that come or go move only the keys between
//! their points and the ones before. Invariant: the place of a key depends on nothing but the list
//! of servers; a server that is down keeps its keys.

use md5::{Digest as _, Md5};

use crate::ServerAddress;

/// The digests per server; each gives four points.
const DIGESTS: usize = 40;

/// How the points of a server are named, which clients differ in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum KetamaLabels {
    /// `host:port-0`, and `host-0` for port 11211: libmemcached's weighted ketama, and so
    /// pylibmc's and PHP's.
    #[default]
    Libmemcached,
    /// `host:port-0` for every port: the original library, and what uhashring does with nodes
    /// that are named so.
    Libketama,
}

/// The circle.
#[derive(Debug)]
pub(crate) struct Ring {
    /// The points in ascending order, each with the index of its server.
    points: Vec<(u32, usize)>,
}

impl Ring {
    pub(crate) fn new(servers: &[ServerAddress], labels: KetamaLabels) -> Self {
        let mut points = Vec::with_capacity(servers.len() * DIGESTS * 4);
        for (index, server) in servers.iter().enumerate() {
            let label = label(server, labels);
            for digest in 0..DIGESTS {
                let digest = Md5::digest(format!("{label}-{digest}"));
                let (numbers, _) = digest.as_slice().as_chunks::<4>();
                points.extend(numbers.iter().map(|bytes| (u32::from_le_bytes(*bytes), index)));
            }
        }
        points.sort_unstable();
        Self { points }
    }

    /// The index of the server that a number belongs to.
    pub(crate) fn server(&self, number: u32) -> usize {
        let at = self.points.partition_point(|(point, _)| *point < number);
        let point = self.points.get(at).or_else(|| self.points.first());
        point.map_or(0, |(_, index)| *index)
    }
}

/// The number of a name, as other clients compute it.
pub(crate) fn number_of(name: &[u8]) -> u32 {
    let digest = Md5::digest(name);
    digest.first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes))
}

fn label(server: &ServerAddress, labels: KetamaLabels) -> String {
    match server {
        ServerAddress::Tcp { host, port }
            if labels == KetamaLabels::Libmemcached && *port == ServerAddress::DEFAULT_PORT =>
        {
            host.clone()
        }
        ServerAddress::Tcp { host, port } => format!("{host}:{port}"),
        ServerAddress::Unix { path } => path.display().to_string(),
    }
}

#[cfg(test)]
mod tests;
