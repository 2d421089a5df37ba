//! What a URL says about a PostgreSQL server.
//!
//! Guards that encryption is certain or certainly absent, that nothing of the URL is echoed, and
//! that no statement text goes into a log.

use std::{fmt, net::IpAddr, path::Path};

use sqlx::{
    ConnectOptions as _,
    postgres::{PgConnectOptions, PgSslMode},
};

use crate::{DatabaseUrl, UrlError, percent::percent_decode};

const PARAMETERS: &str = "sslmode=disable|require|verify-ca|verify-full, sslrootcert, sslcert, \
     sslkey, host, port, user, password, dbname, application_name, options, options[name]";

const UNSETTLED: UrlError = UrlError::Encryption {
    reason: "sslmode=prefer and allow fall back to plain text in silence; write disable, require, \
             verify-ca or verify-full",
};
const NOT_COMPILED: UrlError = UrlError::Encryption {
    reason: "the feature \"tls-rustls\" is not enabled; enable it, or write sslmode=disable",
};

/// Puts a text of the URL into the driver's options.
type Set = fn(PgConnectOptions, &str) -> PgConnectOptions;

/// Where the server is, who logs in, and how the connection is protected.
#[derive(Clone, Default)]
pub struct PostgresTarget {
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
    /// Settings of the session.
    settings: Vec<(String, String)>,
}

/// Settings in the notation of the server's command line: `-c name=value`.
fn command_line(text: &str) -> Result<Vec<(String, String)>, UrlError> {
    let expected = "options=-c name=value -c name=value, with spaces in a value after a backslash";
    let mut settings = Vec::new();
    let mut words = words(text).into_iter();
    while let Some(word) = words.next() {
        let setting = match word.strip_prefix("-c").or_else(|| word.strip_prefix("--")) {
            Some("") => words.next(),
            Some(setting) => Some(setting.to_owned()),
            None => None,
        };
        let setting = setting.as_deref().and_then(|setting| setting.split_once('='));
        let (name, value) = setting.ok_or(UrlError::Parameter { expected })?;
        settings.push((name.to_owned(), value.to_owned()));
    }
    Ok(settings)
}

/// Split at spaces that follow no backslash.
fn words(text: &str) -> Vec<String> {
    let (mut words, mut word) = (Vec::new(), String::new());
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => word.extend(letters.next()),
            ' ' if word.is_empty() => {}
            ' ' => words.push(std::mem::take(&mut word)),
            letter => word.push(letter),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// Whether what is sent to a host stays on this machine.
fn is_local(host: &str) -> bool {
    host == "localhost"
        || Path::new(host).is_absolute()
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

impl PostgresTarget {
    /// Reads a URL.
    ///
    /// # Errors
    /// [`UrlError`] if the URL does not settle the encryption or says something that is not known.
    pub fn parse(url: &DatabaseUrl) -> Result<Self, UrlError> {
        let mut target = Self::read(url)?;
        let host = target.host.get_or_insert_with(|| "localhost".to_owned());
        // What does not leave the machine needs no encryption.
        let unsaid = if is_local(host) { PgSslMode::Disable } else { PgSslMode::VerifyFull };
        let mode = *target.ssl_mode.get_or_insert(unsaid);
        if !matches!(mode, PgSslMode::Disable) && !cfg!(feature = "tls-rustls") {
            return Err(NOT_COMPILED);
        }
        Ok(target)
    }

    /// The options for a connection.
    ///
    /// What the URL does not say comes from the variables that PostgreSQL's own programs read,
    /// such as `PGPASSWORD`; only host, port and encryption are never taken from there.
    #[must_use]
    pub fn connect_options(&self) -> PgConnectOptions {
        let host = self.host.as_deref().unwrap_or("localhost");
        let mut options = PgConnectOptions::new_without_pgpass()
            .host(host)
            .port(self.port.unwrap_or(5432))
            .ssl_mode(self.ssl_mode.unwrap_or(PgSslMode::VerifyFull))
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
        options.options(self.settings.iter().map(|(name, value)| (name, value)))
    }

    fn read(url: &DatabaseUrl) -> Result<Self, UrlError> {
        let (place, parameters) = url.path_and_parameters();
        let (authority, database) = place.split_once('/').unwrap_or((place, ""));
        if database.contains('@') {
            // A slash within the password: what looks like the host may be a secret.
            return Err(UrlError::Encoding);
        }
        let mut target = Self::default();
        let host = match authority.rsplit_once('@') {
            Some((user, host)) => {
                let (user, password) = match user.split_once(':') {
                    Some((user, password)) => (user, Some(password)),
                    None => (user, None),
                };
                target.user = filled(user)?;
                target.password = password.map(percent_decode).transpose()?;
                host
            }
            None => authority,
        };
        target.set_host(host)?;
        target.database = filled(database)?;
        for parameter in parameters.split('&').filter(|text| !text.is_empty()) {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            target.set(&percent_decode(name)?, percent_decode(value)?)?;
        }
        Ok(target)
    }

    fn set_host(&mut self, text: &str) -> Result<(), UrlError> {
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, port),
            _ => (text, ""),
        };
        let address = host.strip_prefix('[').and_then(|inner| inner.strip_suffix(']'));
        self.host = filled(address.unwrap_or(host))?;
        if !port.is_empty() {
            self.port = Some(port.parse().map_err(|_| UrlError::Encoding)?);
        }
        Ok(())
    }

    fn set(&mut self, name: &str, value: String) -> Result<(), UrlError> {
        let unknown = UrlError::Parameter { expected: PARAMETERS };
        match name {
            "sslmode" => {
                self.ssl_mode = Some(match value.as_str() {
                    "disable" => PgSslMode::Disable,
                    "require" => PgSslMode::Require,
                    "verify-ca" => PgSslMode::VerifyCa,
                    "verify-full" => PgSslMode::VerifyFull,
                    "allow" | "prefer" => return Err(UNSETTLED),
                    _ => return Err(unknown),
                });
            }
            "sslrootcert" => self.root_certificate = Some(value),
            "sslcert" => self.certificate = Some(value),
            "sslkey" => self.key = Some(value),
            "host" => self.host = Some(value),
            "port" => self.port = Some(value.parse().map_err(|_| unknown)?),
            "user" => self.user = Some(value),
            "password" => self.password = Some(value),
            "dbname" => self.database = Some(value),
            "application_name" => self.application = Some(value),
            "options" => self.settings.extend(command_line(&value)?),
            _ => {
                let setting = name.strip_prefix("options[").and_then(|name| name.strip_suffix(']'));
                self.settings.push((setting.ok_or(unknown)?.to_owned(), value));
            }
        }
        Ok(())
    }
}

/// Shows where, and not who.
impl fmt::Debug for PostgresTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresTarget")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("ssl_mode", &self.ssl_mode)
            .finish_non_exhaustive()
    }
}

fn filled(text: &str) -> Result<Option<String>, UrlError> {
    let text = percent_decode(text)?;
    Ok((!text.is_empty()).then_some(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<PgConnectOptions, UrlError> {
        Ok(PostgresTarget::parse(&url.parse()?)?.connect_options())
    }

    fn target(url: &str) -> PostgresTarget {
        PostgresTarget::read(&url.parse().unwrap()).unwrap()
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
    fn a_password_with_an_at_sign_may_stand_as_it_is() {
        assert_eq!(target("postgres://u:a@b@h/d").password.as_deref(), Some("a@b"));
        assert_eq!(target("postgres://u:a:b@h/d").password.as_deref(), Some("a:b"));
        assert!(parse("postgres://u:5432/hunter2@h/d").is_err());
    }

    #[test]
    fn a_directory_is_a_socket() {
        for url in ["postgres:///db?host=/run/pg", "postgres://u@%2Frun%2Fpg/db"] {
            let options = parse(url).unwrap();
            assert_eq!(options.get_socket().unwrap(), Path::new("/run/pg"));
            assert!(matches!(options.get_ssl_mode(), PgSslMode::Disable));
        }
    }

    #[test]
    fn encryption_is_certain_or_refused() {
        assert_eq!(parse("postgres://h/d?sslmode=prefer").unwrap_err(), UNSETTLED);
        assert_eq!(parse("postgres://h/d?sslmode=allow").unwrap_err(), UNSETTLED);
        for url in ["postgres://localhost/d", "postgres://127.1.2.3/d", "postgres://[::1]/d"] {
            assert!(matches!(parse(url).unwrap().get_ssl_mode(), PgSslMode::Disable), "{url}");
        }
        let remote = parse("postgres://db.example/d");
        if cfg!(feature = "tls-rustls") {
            assert!(matches!(remote.unwrap().get_ssl_mode(), PgSslMode::VerifyFull));
        } else {
            assert_eq!(remote.unwrap_err(), NOT_COMPILED);
        }
    }

    #[test]
    fn settings_are_handed_on() {
        let url = "postgres://h/d?sslmode=disable&options=-c%20a.b=c%20--x=y\\%20z&options[t.u]=v";
        assert_eq!(parse(url).unwrap().get_options(), Some("-c a.b=c -c x=y\\ z -c t.u=v"));
        assert!(parse("postgres://h/d?sslmode=disable&options=-f").is_err());
    }

    #[test]
    fn what_is_not_known_is_refused_without_an_echo() {
        for parameter in
            ["hunter2", "hunter2=1", "sslmode=hunter2", "port=hunter2", "options=hunter2"]
        {
            let error = parse(&format!("postgres://127.0.0.1/d?{parameter}")).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
        }
        assert_eq!(parse("postgres://h:hunter2/d").unwrap_err(), UrlError::Encoding);
    }
}
