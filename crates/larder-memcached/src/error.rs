//! The one place where trouble with a server becomes an [`Error`].

use std::{io, sync::Arc};

use larder_core::{Error, ErrorKind, Operation};

use crate::{ServerAddress, codec::Malformed};

pub(crate) const NAME: &str = "memcached";

/// What went wrong. Cloned for every request that waited on a connection that failed.
#[derive(Clone, Debug)]
pub(crate) enum Trouble {
    /// The server refused user and password, or wants some.
    Authentication,
    /// As many requests wait as are allowed to, or others keep changing the same item.
    Busy(&'static str),
    /// The connection was closed by the server, or its runtime has ended.
    Closed,
    /// The configuration can not be used.
    Config(&'static str),
    /// The socket failed.
    Io(Arc<io::Error>),
    /// The peer said what no Memcached says.
    Malformed(Malformed),
    /// The peer answered with something that is no answer to the request.
    Protocol(&'static str),
    /// The server says that it can not carry the request out.
    Server(Box<str>),
    /// No answer within the time limit.
    Timeout,
    /// The peer's certificate is not trusted, or it does not speak TLS.
    Tls(Arc<io::Error>),
    /// The value is larger than the server takes.
    TooLarge { bytes: usize, limit: usize },
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::Closed,
            _ => Self::Io(Arc::new(error)),
        }
    }
}

impl From<Malformed> for Trouble {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}

impl Trouble {
    /// The refusal that a server words as `SERVER_ERROR`.
    pub(crate) fn server(message: &str) -> Self {
        Self::Server(message.into())
    }

    /// The refusal that a server words as `CLIENT_ERROR`.
    pub(crate) fn client(message: &str) -> Self {
        if message.contains("unauthenticated") || message.contains("authentication") {
            Self::Authentication
        } else {
            Self::Protocol("the server found a request malformed")
        }
    }

    /// What a caller can do about it.
    pub(crate) fn kind(&self) -> ErrorKind {
        match self {
            Self::Authentication => ErrorKind::Authentication,
            Self::Busy(_) => ErrorKind::Busy,
            Self::Closed => ErrorKind::Unavailable,
            Self::Config(_) => ErrorKind::InvalidInput,
            Self::Io(error) => io_kind(error.kind()),
            Self::Malformed(_) | Self::Protocol(_) => ErrorKind::Protocol,
            Self::Server(message) => server_kind(message),
            Self::Timeout => ErrorKind::Timeout,
            Self::Tls(_) => ErrorKind::Protocol,
            Self::TooLarge { .. } => ErrorKind::TooLarge,
        }
    }

    /// Whether the connection ended before the answer came, so that a request which may be made
    /// twice deserves a second try.
    pub(crate) fn is_lost_connection(&self) -> bool {
        match self {
            Self::Closed => true,
            Self::Io(_) => self.kind() == ErrorKind::Unavailable,
            _ => false,
        }
    }

    pub(crate) fn into_error(self, operation: Operation, server: Option<&ServerAddress>) -> Error {
        let error = Error::new(self.kind(), NAME, operation);
        let detail = self.describe();
        let error = match server {
            Some(server) => error.with_detail(format!("{detail}, server {server}")),
            None => error.with_detail(detail),
        };
        match self {
            Self::Io(source) | Self::Tls(source) => error.with_source(source),
            Self::Malformed(source) => error.with_source(source),
            _ => error,
        }
    }

    fn describe(&self) -> String {
        match self {
            Self::Authentication => "user and password are wrong or missing".into(),
            Self::Busy(what) | Self::Config(what) | Self::Protocol(what) => (*what).into(),
            Self::Closed => "the connection was closed".into(),
            Self::Io(_) => "the connection failed".into(),
            Self::Malformed(_) => "this is no Memcached".into(),
            Self::Server(message) => format!("the server says \"{message}\""),
            Self::Timeout => "the connection is given up".into(),
            Self::Tls(_) => "no connection that can be trusted".into(),
            Self::TooLarge { bytes, limit } => format!("{bytes} bytes, the limit is {limit}"),
        }
    }
}

fn io_kind(kind: io::ErrorKind) -> ErrorKind {
    match kind {
        io::ErrorKind::TimedOut => ErrorKind::Timeout,
        io::ErrorKind::PermissionDenied => ErrorKind::Authentication,
        io::ErrorKind::InvalidInput => ErrorKind::InvalidInput,
        _ => ErrorKind::Unavailable,
    }
}

fn server_kind(message: &str) -> ErrorKind {
    if message.contains("too large") {
        ErrorKind::TooLarge
    } else if message.contains("out of memory") || message.contains("Out of memory") {
        ErrorKind::NoSpace
    } else {
        ErrorKind::Other
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::*;

    #[test]
    fn every_trouble_has_its_kind() {
        let io = |kind: io::ErrorKind| Trouble::from(io::Error::from(kind));
        for (trouble, kind) in [
            (Trouble::client("unauthenticated"), ErrorKind::Authentication),
            (Trouble::client("authentication failure"), ErrorKind::Authentication),
            (Trouble::client("bad data chunk"), ErrorKind::Protocol),
            (Trouble::server("object too large for cache"), ErrorKind::TooLarge),
            (Trouble::server("out of memory storing object"), ErrorKind::NoSpace),
            (Trouble::server("backend failure"), ErrorKind::Other),
            (Trouble::Malformed(Malformed::Line), ErrorKind::Protocol),
            (Trouble::Busy("too many"), ErrorKind::Busy),
            (Trouble::Timeout, ErrorKind::Timeout),
            (Trouble::Closed, ErrorKind::Unavailable),
            (io(io::ErrorKind::ConnectionRefused), ErrorKind::Unavailable),
            (io(io::ErrorKind::ConnectionReset), ErrorKind::Unavailable),
            (io(io::ErrorKind::UnexpectedEof), ErrorKind::Unavailable),
            (io(io::ErrorKind::TimedOut), ErrorKind::Timeout),
            (io(io::ErrorKind::PermissionDenied), ErrorKind::Authentication),
        ] {
            assert_eq!(trouble.kind(), kind, "{trouble:?}");
        }
    }

    #[test]
    fn only_a_lost_connection_deserves_a_second_try() {
        let reset = Trouble::from(io::Error::from(io::ErrorKind::ConnectionReset));
        assert!(reset.is_lost_connection() && Trouble::Closed.is_lost_connection());
        let denied = Trouble::from(io::Error::from(io::ErrorKind::PermissionDenied));
        for trouble in [denied, Trouble::Timeout, Trouble::Authentication] {
            assert!(!trouble.is_lost_connection(), "{trouble:?}");
        }
    }

    #[test]
    fn message_names_the_server_and_keeps_the_source() {
        let server = ServerAddress::tcp("cache.example", 11_211);
        let error = Trouble::Malformed(Malformed::Line).into_error(Operation::Open, Some(&server));
        assert_eq!(
            error.to_string(),
            "memcached open: the peer speaks another protocol: this is no Memcached, server \
             cache.example:11211"
        );
        assert!(error.source().is_some());
    }
}
