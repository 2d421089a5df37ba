//! From a URL to the driver's options.
//!
//! Guards that encryption is certain or certainly absent, that nothing of the URL is echoed, and
//! that no statement text goes into a log.

use std::{net::IpAddr, path::Path};

use sqlx::{
    ConnectOptions as _,
    postgres::{PgConnectOptions, PgSslMode},
};
use url::Url;

use crate::{SessionError, SessionErrorKind};

const MALFORMED: &str = "the URL is none, or a part of it must be percent-encoded";
const NOT_COMPILED: &str =
    "the feature \"tls-rustls\" is not enabled; enable it, or write sslmode=disable";
const UNKNOWN: &str = "the URL has a parameter that is not one of sslmode=disable|require|\
     verify-ca|verify-full, sslrootcert, sslcert, sslkey, host, port, user, password, dbname, \
     application_name, options[name]";
const UNSETTLED: &str = "sslmode=prefer and allow fall back to plain text in silence; write \
     disable, require, verify-ca or verify-full";

/// Why a URL is refused. It shows nothing of the URL.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Refused(&'static str);

/// Puts a text of the URL into the driver's options.
type Set = fn(PgConnectOptions, &str) -> PgConnectOptions;

/// What a URL says about a server.
#[derive(Default)]
struct Target {
    host: Option<String>,
    port: Option<u16>,
    user: Option<String>,
    password: Option<String>,
    database: Option<String>,
    ssl_mode: Option<PgSslMode>,
    root_certificate: Option<String>,
    certificate: Option<String>,
    key: Option<String>,
    application: Option<String>,
    settings: Vec<(String, String)>,
}

/// Reads a URL. What it does not say comes from the variables that PostgreSQL's own programs
/// read, such as `PGPASSWORD`; only host, port and encryption are never taken from there.
pub(super) fn parse(url: &str) -> Result<PgConnectOptions, SessionError> {
    let refused = |reason| {
        let source = Some(Box::new(Refused(reason)).into());
        SessionError::new(SessionErrorKind::Unsupported, None, source)
    };
    Target::parse(url).and_then(Target::into_options).map_err(refused)
}

/// Whether what is sent to a host stays on this machine.
fn is_local(host: &str) -> bool {
    host == "localhost"
        || Path::new(host).is_absolute()
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

impl Target {
    fn into_options(self) -> Result<PgConnectOptions, &'static str> {
        let host = self.host.as_deref().unwrap_or("localhost");
        let mode = match self.ssl_mode {
            Some(mode) => mode,
            // What does not leave the machine needs no encryption.
            None if is_local(host) => PgSslMode::Disable,
            None => PgSslMode::VerifyFull,
        };
        if !matches!(mode, PgSslMode::Disable) && !cfg!(feature = "tls-rustls") {
            return Err(NOT_COMPILED);
        }
        let mut options = PgConnectOptions::new_without_pgpass()
            .host(host)
            .port(self.port.unwrap_or(5432))
            .ssl_mode(mode)
            // A statement that was prepared for a schema of before is worth nothing here.
            .statement_cache_capacity(0)
            // Statements may hold secrets as literals.
            .disable_statement_logging();
        if host.starts_with('/') {
            options = options.socket(host);
        }
        let texts: [(_, Set); 7] = [
            (&self.user, |options, text| options.username(text)),
            (&self.password, |options, text| options.password(text)),
            (&self.database, |options, text| options.database(text)),
            (&self.root_certificate, |options, text| options.ssl_root_cert(text)),
            (&self.certificate, |options, text| options.ssl_client_cert(text)),
            (&self.key, |options, text| options.ssl_client_key(text)),
            (&self.application, |options, text| options.application_name(text)),
        ];
        for (text, set) in texts {
            if let Some(text) = text {
                options = set(options, text);
            }
        }
        // Poolers refuse the parameter as such, so an empty one is not sent.
        Ok(if self.settings.is_empty() { options } else { options.options(self.settings) })
    }

    fn parse(text: &str) -> Result<Self, &'static str> {
        // The parser's own message is left out: that it shows nothing of a URL is not promised.
        let url = Url::parse(text.trim()).map_err(|_| MALFORMED)?;
        let database = url.path().strip_prefix('/').unwrap_or_default();
        // A slash, a question mark or a hash sign within the password: what looks like the host
        // may be a part of it.
        if url.fragment().is_some() || database.contains('@') || url.cannot_be_a_base() {
            return Err(MALFORMED);
        }
        let host = url.host_str().unwrap_or_default();
        let address = host.strip_prefix('[').and_then(|inner| inner.strip_suffix(']'));
        let mut target = Self {
            host: filled(address.unwrap_or(host))?,
            port: url.port(),
            user: filled(url.username())?,
            password: url.password().map(percent_decode).transpose()?,
            database: filled(database)?,
            ..Self::default()
        };
        let parameters = url.query().unwrap_or_default().split('&');
        for parameter in parameters.filter(|text| !text.is_empty()) {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            target.set(&percent_decode(name)?, percent_decode(value)?)?;
        }
        Ok(target)
    }

    fn set(&mut self, name: &str, value: String) -> Result<(), &'static str> {
        match name {
            "sslmode" => {
                self.ssl_mode = Some(match value.as_str() {
                    "disable" => PgSslMode::Disable,
                    "require" => PgSslMode::Require,
                    "verify-ca" => PgSslMode::VerifyCa,
                    "verify-full" => PgSslMode::VerifyFull,
                    "allow" | "prefer" => return Err(UNSETTLED),
                    _ => return Err(UNKNOWN),
                });
            }
            "sslrootcert" => self.root_certificate = Some(value),
            "sslcert" => self.certificate = Some(value),
            "sslkey" => self.key = Some(value),
            "host" => self.host = Some(value),
            "port" => self.port = Some(value.parse().map_err(|_| UNKNOWN)?),
            "user" => self.user = Some(value),
            "password" => self.password = Some(value),
            "dbname" => self.database = Some(value),
            "application_name" => self.application = Some(value),
            _ => {
                let setting = name.strip_prefix("options[").and_then(|name| name.strip_suffix(']'));
                self.settings.push((setting.ok_or(UNKNOWN)?.to_owned(), value));
            }
        }
        Ok(())
    }
}

fn filled(text: &str) -> Result<Option<String>, &'static str> {
    let text = percent_decode(text)?;
    Ok((!text.is_empty()).then_some(text))
}

fn percent_decode(text: &str) -> Result<String, &'static str> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let mut digit = || char::from(rest.next()?).to_digit(16);
            let value = digit().and_then(|high| Some(high * 16 + digit()?)).ok_or(MALFORMED)?;
            bytes.push(u8::try_from(value).map_err(|_| MALFORMED)?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).map_err(|_| MALFORMED)
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::*;

    fn target(url: &str) -> Target {
        Target::parse(url).unwrap()
    }

    #[test]
    fn every_part_is_read_and_decoded() {
        let target =
            target("postgres://us%40er:p%40%2F%23%25%3Aw@[::1]:6543/d%20b?sslmode=disable");
        assert_eq!(target.user.as_deref(), Some("us@er"));
        assert_eq!(target.password.as_deref(), Some("p@/#%:w"));
        assert_eq!(target.host.as_deref(), Some("::1"));
        assert_eq!(target.port, Some(6543));
        assert_eq!(target.database.as_deref(), Some("d b"));
        assert!(matches!(target.ssl_mode, Some(PgSslMode::Disable)));
    }

    #[test]
    fn a_password_with_an_at_sign_or_a_plus_sign_may_stand_as_it_is() {
        assert_eq!(target("postgres://u:a@b@h/d").password.as_deref(), Some("a@b"));
        assert_eq!(target("postgres://u@h/d?password=a+b").password.as_deref(), Some("a+b"));
        assert!(Target::parse("postgres://u:5432/hunter2@h/d").is_err());
    }

    #[test]
    fn a_directory_is_a_socket() {
        for url in ["postgres:///db?host=/run/pg", "postgres://u@%2Frun%2Fpg/db"] {
            let options = parse(url).unwrap();
            assert_eq!(options.get_socket().unwrap(), Path::new("/run/pg"), "{url}");
            assert!(matches!(options.get_ssl_mode(), PgSslMode::Disable), "{url}");
        }
    }

    #[test]
    fn encryption_is_certain_or_refused() {
        let refused = |url| Target::parse(url).and_then(Target::into_options).err();
        assert_eq!(refused("postgres://h/d?sslmode=prefer"), Some(UNSETTLED));
        assert_eq!(refused("postgres://h/d?sslmode=allow"), Some(UNSETTLED));
        for url in ["postgres://localhost/d", "postgres://127.1.2.3/d", "postgres://[::1]/d"] {
            assert!(matches!(parse(url).unwrap().get_ssl_mode(), PgSslMode::Disable), "{url}");
        }
        let remote = "postgres://db.example/d";
        if cfg!(feature = "tls-rustls") {
            assert!(matches!(parse(remote).unwrap().get_ssl_mode(), PgSslMode::VerifyFull));
        } else {
            assert_eq!(refused(remote), Some(NOT_COMPILED));
        }
    }

    #[test]
    fn what_is_not_known_is_refused_without_an_echo() {
        for url in [
            "postgres://127.0.0.1/d?hunter2",
            "postgres://127.0.0.1/d?hunter2=1",
            "postgres://127.0.0.1/d?sslmode=hunter2",
            "postgres://127.0.0.1/d?port=hunter2",
            "postgres://h:hunter2/d",
            "postgres://u:5432/hunter2@h/d",
            "postgres://u:a#hunter2@h/d",
            "postgres:hunter2",
            "postgres://%ffhunter2/d",
        ] {
            let error = parse(url).unwrap_err();
            let source = error.source().unwrap();
            assert_eq!(error.kind(), SessionErrorKind::Unsupported, "{url}");
            assert!(!format!("{error} {error:?} {source}").contains("hunter2"), "{url}");
        }
    }

    #[test]
    fn settings_are_handed_on() {
        let options = parse("postgres://localhost/d?options[t.u]=v").unwrap();
        assert_eq!(options.get_options(), Some("-c t.u=v"));
        assert_eq!(parse("postgres://localhost/d").unwrap().get_options(), None);
    }
}
