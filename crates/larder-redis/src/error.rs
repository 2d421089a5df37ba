//! The one place where what went wrong becomes an error of the contract.
//!
//! Guards that no message of a server becomes part of ours: a server may quote a key or a
//! password. Its error code is a word of capital letters and is kept.

use std::{io, sync::Arc};

use larder_core::{Error, ErrorKind, Operation};
use redis::{RedisError, ServerError};

use crate::Address;

/// The name of the backend in errors and spans.
pub(crate) const NAME: &str = "redis";

/// Why a call failed. Cloned for everybody who shared the call.
#[derive(Clone, Debug)]
pub(crate) enum Trouble {
    /// A server answered something that the protocol does not allow there.
    Answer(&'static str),
    /// The connection was lost.
    Closed,
    /// No connection could be made.
    Connect(Arc<io::Error>),
    /// The server is not what the configuration says.
    Deployment(&'static str),
    /// The server is the same but its history is another one than when we connected.
    History,
    /// No node is known for a part of the keys.
    NoNode,
    /// The server is no master, or not allowed to act as one.
    Replica,
    /// The server refused a command.
    Server(ServerError),
    /// Something stood in the way for as often as it is put up with.
    Stubborn(&'static str),
    /// No answer in time.
    Timeout,
    /// The files or the host's name do not do for TLS.
    Tls(Arc<dyn std::error::Error + Send + Sync>),
    /// The server is too old; this is its version.
    TooOld(Box<str>),
    /// The server's client refused.
    Wire(RedisError),
}

impl From<RedisError> for Trouble {
    fn from(error: RedisError) -> Self {
        Self::Wire(error)
    }
}

impl Trouble {
    /// What a caller can do about it.
    pub(crate) fn kind(&self) -> ErrorKind {
        match self {
            Self::Answer(_) => ErrorKind::Protocol,
            Self::Closed | Self::History | Self::NoNode => ErrorKind::Unavailable,
            Self::Connect(error) => io_kind(error),
            Self::Deployment(_) | Self::Tls(_) => ErrorKind::InvalidInput,
            Self::Replica => ErrorKind::ReadOnly,
            Self::Server(error) => server_kind(error.code(), error.details()),
            Self::Stubborn(_) => ErrorKind::Busy,
            Self::Timeout => ErrorKind::Timeout,
            Self::TooOld(_) => ErrorKind::Unsupported,
            Self::Wire(error) => wire_kind(error),
        }
    }

    /// The server's error code, if it is a server that refused.
    pub(crate) fn code(&self) -> Option<&str> {
        match self {
            Self::Server(error) => Some(error.code()),
            Self::Wire(error) => error.code(),
            _ => None,
        }
    }

    /// Where a server of a cluster says that the key is; it may leave out its own host.
    pub(crate) fn redirection(&self, answered: &Address) -> Option<Address> {
        let Self::Server(error) = self else {
            return None;
        };
        let (_slot, address) = error.details()?.split_once(' ')?;
        let address = Address::parse_announced(address.trim())?;
        Some(address.or_host_of(answered))
    }

    /// Whether the connection, or who is at its other end, is not to be trusted any more.
    pub(crate) fn ends_the_connection(&self) -> bool {
        match self {
            Self::Closed | Self::History | Self::Replica | Self::Timeout => true,
            Self::Wire(error) => {
                error.is_unrecoverable_error() || self.kind() == ErrorKind::Protocol
            }
            Self::Server(_) => {
                matches!(self.code(), Some("READONLY" | "NOREPLICAS" | "MASTERDOWN"))
            }
            _ => false,
        }
    }

    /// Whether a read that failed like this may well succeed over another connection.
    pub(crate) fn is_mended_by_another_link(&self) -> bool {
        self.ends_the_connection() && !matches!(self, Self::Timeout)
    }

    pub(crate) fn into_error(self, operation: Operation) -> Error {
        let error = Error::new(self.kind(), NAME, operation);
        match self {
            Self::Answer(what) | Self::Deployment(what) | Self::Stubborn(what) => {
                error.with_detail(what)
            }
            Self::Closed => error.with_detail("the connection was lost"),
            Self::Connect(source) => {
                let refused = tls_error(&source).is_some_and(is_certificate);
                let error = if refused {
                    error.with_detail("the server's certificate is not trusted")
                } else {
                    error
                };
                error.with_source(source)
            }
            Self::History => error.with_detail("the server was replaced by another one's copy"),
            Self::NoNode => error.with_detail("no node of the cluster is responsible"),
            Self::Replica => error.with_detail("the server is no master"),
            Self::Server(source) => error.with_detail(words(source.code(), source.details())),
            Self::Timeout => error,
            Self::Tls(source) => error.with_source(source),
            Self::TooOld(version) => error.with_detail(format!(
                "the server has version {version}, and 6.2 is the oldest that will do"
            )),
            Self::Wire(source) => match source.code() {
                Some(code) => error.with_detail(words(code, source.detail())),
                None if source.is_io_error() => error.with_source(source),
                // A parser quotes what it did not understand, and that may be anybody's data.
                None => error,
            },
        }
    }
}

/// A server's error code, if it is a code and not the beginning of a sentence.
fn code_of(code: &str) -> Box<str> {
    let is_code = code.len() <= 32 && code.bytes().all(|byte| byte.is_ascii_uppercase());
    if is_code { code.into() } else { "ERR".into() }
}

/// What the words say with which servers refuse.
fn server_kind(code: &str, details: Option<&str>) -> ErrorKind {
    match code {
        "DENIED" | "NOAUTH" | "NOPERM" | "WRONGPASS" => ErrorKind::Authentication,
        "BUSY" => ErrorKind::Busy,
        "WRONGTYPE" => ErrorKind::Corrupt,
        "OOM" => ErrorKind::NoSpace,
        "MISCONF" | "READONLY" => ErrorKind::ReadOnly,
        "ASK" | "CLUSTERDOWN" | "LOADING" | "MASTERDOWN" | "MOVED" | "NOREPLICAS" | "TRYAGAIN" => {
            ErrorKind::Unavailable
        }
        "NOPROTO" => ErrorKind::Unsupported,
        "ERR" => general(details).map_or(ErrorKind::Other, |(kind, _)| kind),
        _ => ErrorKind::Other,
    }
}

/// What servers say under their general error code, what kind of error that is, and what we say
/// instead: the words of a server may quote what it was sent.
const GENERAL: [(&str, ErrorKind, &str); 11] = [
    ("AUTH", ErrorKind::Authentication, "the server asks for no password"),
    ("Client sent AUTH", ErrorKind::Authentication, "the server asks for no password"),
    ("DB index is out of range", ErrorKind::InvalidInput, "there is no database of that number"),
    ("No such master", ErrorKind::InvalidInput, "no master of that name is known there"),
    ("Protocol error", ErrorKind::Protocol, "the server did not understand a request"),
    (
        "This instance has cluster support disabled",
        ErrorKind::InvalidInput,
        "the server is no part of a cluster",
    ),
    ("Unknown subcommand", ErrorKind::Unsupported, "the server does not know a command"),
    ("invalid password", ErrorKind::Authentication, "the password is wrong"),
    ("max number of clients reached", ErrorKind::Unavailable, "the server takes no more clients"),
    ("unknown command", ErrorKind::Unsupported, "the server does not know a command"),
    ("unknown subcommand", ErrorKind::Unsupported, "the server does not know a command"),
];

fn general(details: Option<&str>) -> Option<(ErrorKind, &'static str)> {
    let details = details?;
    let known = GENERAL.iter().find(|(beginning, ..)| details.starts_with(beginning));
    known.map(|(_, kind, words)| (*kind, *words))
}

/// What is said about a refusal: the server's code, or our words for what it means.
fn words(code: &str, details: Option<&str>) -> Box<str> {
    match general(details) {
        Some((_, words)) if code == "ERR" => words.into(),
        _ => code_of(code),
    }
}

fn wire_kind(error: &RedisError) -> ErrorKind {
    if let Some(code) = error.code() {
        let kind = server_kind(code, error.detail());
        // The handshake is where a server refuses who we are, in many words.
        let handshake = error.kind() == redis::ErrorKind::AuthenticationFailed;
        return if handshake && kind == ErrorKind::Other {
            ErrorKind::Authentication
        } else {
            kind
        };
    }
    match error.kind() {
        redis::ErrorKind::AuthenticationFailed => ErrorKind::Authentication,
        redis::ErrorKind::Io => {
            let source = std::error::Error::source(error);
            source.and_then(|source| source.downcast_ref()).map_or(ErrorKind::Unavailable, io_kind)
        }
        redis::ErrorKind::Parse | redis::ErrorKind::UnexpectedReturnType => ErrorKind::Protocol,
        redis::ErrorKind::RESP3NotSupported => ErrorKind::Unsupported,
        redis::ErrorKind::InvalidClientConfig => ErrorKind::InvalidInput,
        _ => ErrorKind::Other,
    }
}

fn io_kind(error: &io::Error) -> ErrorKind {
    if let Some(error) = tls_error(error) {
        return if is_certificate(error) { ErrorKind::Authentication } else { ErrorKind::Protocol };
    }
    match error.kind() {
        io::ErrorKind::InvalidData => ErrorKind::Protocol,
        io::ErrorKind::InvalidInput => ErrorKind::InvalidInput,
        io::ErrorKind::PermissionDenied => ErrorKind::Authentication,
        io::ErrorKind::TimedOut => ErrorKind::Timeout,
        _ => ErrorKind::Unavailable,
    }
}

fn tls_error(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}

/// Whether one side did not accept who the other side is.
fn is_certificate(error: &rustls::Error) -> bool {
    use rustls::AlertDescription as Alert;

    match error {
        rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented => true,
        rustls::Error::AlertReceived(alert) => matches!(
            alert,
            Alert::AccessDenied
                | Alert::BadCertificate
                | Alert::CertificateExpired
                | Alert::CertificateRequired
                | Alert::CertificateUnknown
                | Alert::UnknownCA
        ),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use redis::Value;

    use super::*;

    /// What a server refuses in these words.
    fn refusal(line: &str) -> Trouble {
        let reply = format!("-{line}\r\n");
        match redis::parse_redis_value(reply.as_bytes()) {
            Ok(Value::ServerError(error)) => Trouble::Server(error),
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn every_refusal_of_a_server_has_its_kind() {
        for (line, kind) in [
            ("NOAUTH Authentication required.", ErrorKind::Authentication),
            ("WRONGPASS invalid username-password pair", ErrorKind::Authentication),
            ("NOPERM this user has no permissions", ErrorKind::Authentication),
            ("DENIED Redis is running in protected mode", ErrorKind::Authentication),
            ("ERR AUTH <password> called without any password", ErrorKind::Authentication),
            ("BUSY Redis is busy running a script", ErrorKind::Busy),
            ("WRONGTYPE Operation against a key", ErrorKind::Corrupt),
            ("ERR DB index is out of range", ErrorKind::InvalidInput),
            ("ERR This instance has cluster support disabled", ErrorKind::InvalidInput),
            ("OOM command not allowed", ErrorKind::NoSpace),
            ("ERR Protocol error: unbalanced quotes", ErrorKind::Protocol),
            ("READONLY You can't write against a read only replica.", ErrorKind::ReadOnly),
            ("MISCONF Redis is configured to save RDB snapshots", ErrorKind::ReadOnly),
            ("LOADING Redis is loading the dataset in memory", ErrorKind::Unavailable),
            ("MASTERDOWN Link with MASTER is down", ErrorKind::Unavailable),
            ("CLUSTERDOWN The cluster is down", ErrorKind::Unavailable),
            ("TRYAGAIN Multiple keys request", ErrorKind::Unavailable),
            ("MOVED 1 10.0.0.1:6379", ErrorKind::Unavailable),
            ("ASK 1 10.0.0.1:6379", ErrorKind::Unavailable),
            ("NOREPLICAS Not enough good replicas to write.", ErrorKind::Unavailable),
            ("ERR max number of clients reached", ErrorKind::Unavailable),
            ("ERR unknown command 'GETEX'", ErrorKind::Unsupported),
            ("NOPROTO unsupported protocol version", ErrorKind::Unsupported),
            ("ERR something else", ErrorKind::Other),
            ("NEWCODE something else", ErrorKind::Other),
        ] {
            assert_eq!(refusal(line).kind(), kind, "{line}");
        }
    }

    #[test]
    fn every_failure_of_a_connection_has_its_kind() {
        let io = |kind: io::ErrorKind| Trouble::Connect(Arc::new(kind.into()));
        let tls = |error: rustls::Error| {
            Trouble::Connect(Arc::new(io::Error::new(io::ErrorKind::InvalidData, error)))
        };
        let unknown_issuer = rustls::CertificateError::UnknownIssuer;
        for (trouble, kind) in [
            (Trouble::Closed, ErrorKind::Unavailable),
            (Trouble::History, ErrorKind::Unavailable),
            (Trouble::NoNode, ErrorKind::Unavailable),
            (Trouble::Replica, ErrorKind::ReadOnly),
            (Trouble::Timeout, ErrorKind::Timeout),
            (Trouble::Answer("x"), ErrorKind::Protocol),
            (Trouble::Deployment("x"), ErrorKind::InvalidInput),
            (Trouble::Stubborn("x"), ErrorKind::Busy),
            (Trouble::TooOld("5.0".into()), ErrorKind::Unsupported),
            (io(io::ErrorKind::ConnectionRefused), ErrorKind::Unavailable),
            (io(io::ErrorKind::NotFound), ErrorKind::Unavailable),
            (io(io::ErrorKind::UnexpectedEof), ErrorKind::Unavailable),
            (io(io::ErrorKind::PermissionDenied), ErrorKind::Authentication),
            (io(io::ErrorKind::TimedOut), ErrorKind::Timeout),
            (tls(rustls::Error::InvalidCertificate(unknown_issuer)), ErrorKind::Authentication),
            (tls(rustls::Error::DecryptError), ErrorKind::Protocol),
        ] {
            assert_eq!(trouble.kind(), kind, "{trouble:?}");
        }
        let garbage = redis::parse_redis_value(b"ERROR\r\n").unwrap_err();
        assert_eq!(Trouble::from(garbage).kind(), ErrorKind::Protocol);
    }

    #[test]
    fn a_redirection_without_a_host_leads_to_the_one_that_answered() {
        let answered = Address::tcp("10.0.0.1", 1);
        for (line, address) in [
            ("MOVED 3999 10.0.0.2:6381", Some(Address::tcp("10.0.0.2", 6381))),
            ("ASK 3999 ::1:6381", Some(Address::tcp("::1", 6381))),
            ("MOVED 3999 :6381", Some(Address::tcp("10.0.0.1", 6381))),
            ("MOVED 3999", None),
            ("MOVED", None),
        ] {
            assert_eq!(refusal(line).redirection(&answered), address, "{line}");
        }
    }

    #[test]
    fn messages_keep_the_code_and_drop_what_the_server_says() {
        let error = refusal("WRONGPASS canary").into_error(Operation::Open);
        assert_eq!(error.to_string(), "redis open: the credentials were refused: WRONGPASS");
        assert!(error.source().is_none());
        let garbage = redis::parse_redis_value(b"canary\r\n").unwrap_err();
        let error = Trouble::from(garbage).into_error(Operation::Read);
        assert!(!format!("{error} {error:?}").contains("canary"));
    }
}
