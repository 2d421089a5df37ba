//! What a URL says about a server.
//!
//! Guards that whether a connection is encrypted follows from the URL and never from what the
//! server offers, and that no part of the URL is shown in an error.

use std::net::IpAddr;

use sqlx::{
    ConnectOptions as _,
    mysql::{MySqlConnectOptions, MySqlSslMode},
};

/// Where the server is, who logs in, and how the connection is protected.
#[derive(Clone)]
pub(super) struct Target {
    host: String,
    port: u16,
    socket: Option<String>,
    user: String,
    password: Option<String>,
    database: String,
    tls: Tls,
    ca: Option<String>,
    cert: Option<String>,
    key: Option<String>,
}

/// How a connection is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tls {
    /// Not, because it does not leave the machine; encrypted if the login asks for it.
    Local,
    /// Not, because the URL says so.
    Disabled,
    /// Encrypted, whoever the server is.
    Required,
    /// Encrypted, and the certificate is signed by somebody who is trusted.
    VerifyCa,
    /// Encrypted, and the certificate is that of the host.
    VerifyIdentity,
}

/// Why a URL leads nowhere. No part of it is in the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum TargetError {
    #[error("the database URL does not settle the encryption: {0}")]
    Encryption(&'static str),
    #[error("the database URL is not encoded correctly")]
    Encoding,
    #[error("the database URL has a parameter that is not known: expected {0}")]
    Parameter(&'static str),
}

const PARAMETERS: &str = "ssl-mode, ssl-ca, ssl-cert, ssl-key, socket, charset=utf8mb4";

impl Tls {
    fn parse(text: &str) -> Result<Self, TargetError> {
        match text.to_ascii_uppercase().as_str() {
            "DISABLED" => Ok(Self::Disabled),
            "REQUIRED" => Ok(Self::Required),
            "VERIFY_CA" => Ok(Self::VerifyCa),
            "VERIFY_IDENTITY" => Ok(Self::VerifyIdentity),
            "PREFERRED" => Err(TargetError::Encryption(
                "ssl-mode=PREFERRED falls back to plain text without a word; write DISABLED, \
                 REQUIRED, VERIFY_CA or VERIFY_IDENTITY",
            )),
            _ => {
                Err(TargetError::Parameter("ssl-mode=DISABLED|REQUIRED|VERIFY_CA|VERIFY_IDENTITY"))
            }
        }
    }

    const fn is_encrypted(self) -> bool {
        matches!(self, Self::Required | Self::VerifyCa | Self::VerifyIdentity)
    }
}

impl Target {
    pub(super) fn parse(url: &str) -> Result<Self, TargetError> {
        let (_, rest) = url.trim().split_once("://").ok_or(TargetError::Encoding)?;
        let (place, parameters) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, database) = place.split_once('/').unwrap_or((place, ""));
        if database.contains('@') {
            // A slash in the password, which looks like the end of the host.
            return Err(TargetError::Encoding);
        }
        let (userinfo, location) = match authority.rsplit_once('@') {
            Some((userinfo, location)) => (Some(userinfo), location),
            None => (None, authority),
        };
        let (user, password) = match userinfo.map(|text| text.split_once(':').ok_or(text)) {
            Some(Ok((user, password))) => (percent_decode(user)?, Some(percent_decode(password)?)),
            Some(Err(user)) => (percent_decode(user)?, None),
            None => ("root".to_owned(), None),
        };
        let (host, port) = host_and_port(location)?;
        let mut target = Self {
            host,
            port,
            socket: None,
            user,
            password,
            database: percent_decode(database)?,
            tls: Tls::Local,
            ca: None,
            cert: None,
            key: None,
        };
        let tls = target.read_parameters(parameters)?;
        target.settle(tls)?;
        Ok(target)
    }

    fn read_parameters(&mut self, parameters: &str) -> Result<Option<Tls>, TargetError> {
        let mut tls = None;
        for parameter in parameters.split('&').filter(|text| !text.is_empty()) {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            let value = percent_decode(value)?;
            match name {
                "ssl-mode" | "sslmode" => tls = Some(Tls::parse(&value)?),
                "ssl-ca" | "sslca" | "ca" => self.ca = Some(value),
                "ssl-cert" | "sslcert" => self.cert = Some(value),
                "ssl-key" | "sslkey" => self.key = Some(value),
                "socket" => self.socket = Some(value),
                "charset" if value.eq_ignore_ascii_case("utf8mb4") => {}
                _ => return Err(TargetError::Parameter(PARAMETERS)),
            }
        }
        Ok(tls)
    }

    /// Decides about the encryption where the URL does not.
    fn settle(&mut self, asked: Option<Tls>) -> Result<(), TargetError> {
        let named = self.ca.is_some() || self.cert.is_some() || self.key.is_some();
        self.tls = match asked {
            Some(tls) if named && !tls.is_encrypted() => {
                let reason = "it names certificates and asks for no encryption";
                return Err(TargetError::Encryption(reason));
            }
            Some(tls) => tls,
            None if named || !self.is_local() => Tls::VerifyIdentity,
            None => Tls::Local,
        };
        if self.tls.is_encrypted() && !cfg!(feature = "tls-rustls") {
            return Err(TargetError::Encryption(
                "enable the feature `tls-rustls`, or write ssl-mode=DISABLED if nobody can listen \
                 or interfere between here and the server",
            ));
        }
        Ok(())
    }

    /// Whether nothing leaves the machine.
    fn is_local(&self) -> bool {
        let address = self.host.parse::<IpAddr>();
        self.socket.is_some()
            || self.host.eq_ignore_ascii_case("localhost")
            || address.is_ok_and(|address| address.is_loopback())
    }

    pub(super) const fn tls(&self) -> Tls {
        self.tls
    }

    /// The same place, encrypted without asking who is there: for a login that may not go over
    /// the wire in the clear, where there is no wire.
    pub(super) fn encrypted(&self) -> Self {
        Self { tls: Tls::Required, ..self.clone() }
    }

    pub(super) fn connect_options(&self) -> MySqlConnectOptions {
        let mut options = MySqlConnectOptions::new()
            .host(&self.host)
            .port(self.port)
            .username(&self.user)
            .ssl_mode(match self.tls {
                Tls::Local | Tls::Disabled => MySqlSslMode::Disabled,
                Tls::Required => MySqlSslMode::Required,
                Tls::VerifyCa => MySqlSslMode::VerifyCa,
                Tls::VerifyIdentity => MySqlSslMode::VerifyIdentity,
            })
            // The session is set up by a statement of ours, in one round trip.
            .pipes_as_concat(false)
            .no_engine_substitution(false)
            .timezone(None)
            .set_names(false)
            // Statements may hold secrets as literals.
            .disable_statement_logging();
        if let Some(password) = &self.password {
            options = options.password(password);
        }
        if !self.database.is_empty() {
            options = options.database(&self.database);
        }
        if let Some(socket) = &self.socket {
            options = options.socket(socket);
        }
        if let Some(ca) = &self.ca {
            options = options.ssl_ca(ca);
        }
        if let Some(cert) = &self.cert {
            options = options.ssl_client_cert(cert);
        }
        if let Some(key) = &self.key {
            options = options.ssl_client_key(key);
        }
        options
    }
}

fn host_and_port(location: &str) -> Result<(String, u16), TargetError> {
    const PORT: u16 = 3306;
    let (host, port) = match location.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => {
            (host, port.parse().map_err(|_| TargetError::Encoding)?)
        }
        _ => (location, PORT),
    };
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let host = if host.is_empty() { "localhost" } else { host };
    Ok((percent_decode(host)?, port))
}

/// Resolves `%41` to `A`.
fn percent_decode(text: &str) -> Result<String, TargetError> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let mut digit = || bytes.next().and_then(|byte| char::from(byte).to_digit(16));
        let (Some(high), Some(low)) = (digit(), digit()) else {
            return Err(TargetError::Encoding);
        };
        decoded.push(u8::try_from(high * 16 + low).map_err(|_| TargetError::Encoding)?);
    }
    String::from_utf8(decoded).map_err(|_| TargetError::Encoding)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_password_place_and_parameters_are_read() {
        let url = "mysql://u%40h:p%2Fw@[::1]:3307/air%20port?ssl-mode=disabled";
        let found = Target::parse(url).unwrap();
        assert_eq!((found.user.as_str(), found.password.as_deref()), ("u@h", Some("p/w")));
        assert_eq!((found.host.as_str(), found.port), ("::1", 3307));
        assert_eq!((found.database.as_str(), found.tls), ("air port", Tls::Disabled));
        let found = Target::parse("mariadb://u:p@w@localhost/d?socket=/run/m.sock").unwrap();
        assert_eq!(found.password.as_deref(), Some("p@w"));
        assert_eq!(found.socket.as_deref(), Some("/run/m.sock"));
        assert_eq!((found.port, found.tls), (3306, Tls::Local));
    }

    #[test]
    fn what_does_not_leave_the_machine_is_plain_and_everything_else_is_verified() {
        for url in ["mysql://127.0.0.1/d", "mysql://[::1]/d", "mysql://LocalHost:1/d"] {
            assert_eq!(Target::parse(url).unwrap().tls, Tls::Local, "{url}");
        }
        for url in ["mysql://db.example/d", "mysql://10.0.0.1/d", "mysql://localhost/d?ssl-ca=/x"] {
            let found = Target::parse(url).map(|target| target.tls);
            if cfg!(feature = "tls-rustls") {
                assert_eq!(found, Ok(Tls::VerifyIdentity), "{url}");
            } else {
                assert!(matches!(found, Err(TargetError::Encryption(_))), "{url}");
            }
        }
    }

    #[test]
    fn what_is_not_settled_is_refused_without_an_echo() {
        for url in [
            "mysql://u:hunter2@h/d?ssl-mode=PREFERRED",
            "mysql://u:hunter2@h/d?ssl-mode=hunter2",
            "mysql://u:hunter2@h/d?hunter2=1",
            "mysql://u:hunter2@h/d?ssl-mode=DISABLED&ssl-ca=/x",
            "mysql://u:hunter2@h:hunter2/d",
            "mysql://u:a/hunter2@h/d",
            "mysql://u:%zzhunter2@h/d",
        ] {
            let Err(error) = Target::parse(url) else { panic!("{url}") };
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
        }
    }
}
