//! What a URL says about a MySQL or MariaDB server.
//!
//! Guards that whether a connection is encrypted follows from the URL and never from what the
//! server offers, and that no part of the URL is shown in an error.

use std::net::IpAddr;

use sqlx::{
    ConnectOptions as _,
    mysql::{MySqlConnectOptions, MySqlSslMode},
};

use crate::{DatabaseUrl, UrlError, percent::percent_decode};

const PARAMETERS: &str = "ssl-mode, ssl-ca, ssl-cert, ssl-key, socket, charset=utf8mb4";

/// Where the server is, who logs in, and how the connection is protected.
#[derive(Clone, PartialEq, Eq)]
pub struct MySqlTarget {
    host: String,
    port: u16,
    socket: Option<String>,
    user: String,
    password: Option<String>,
    database: String,
    tls: MySqlTls,
    ca: Option<String>,
    cert: Option<String>,
    key: Option<String>,
}

/// How a connection is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MySqlTls {
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

impl MySqlTls {
    fn parse(text: &str) -> Result<Self, UrlError> {
        match text.to_ascii_uppercase().as_str() {
            "DISABLED" => Ok(Self::Disabled),
            "REQUIRED" => Ok(Self::Required),
            "VERIFY_CA" => Ok(Self::VerifyCa),
            "VERIFY_IDENTITY" => Ok(Self::VerifyIdentity),
            "PREFERRED" => Err(UrlError::Encryption {
                reason: "ssl-mode=PREFERRED falls back to plain text without a word; write \
                         DISABLED, REQUIRED, VERIFY_CA or VERIFY_IDENTITY",
            }),
            _ => Err(UrlError::Parameter {
                expected: "ssl-mode=DISABLED|REQUIRED|VERIFY_CA|VERIFY_IDENTITY",
            }),
        }
    }

    const fn is_encrypted(self) -> bool {
        matches!(self, Self::Required | Self::VerifyCa | Self::VerifyIdentity)
    }
}

impl MySqlTarget {
    /// Reads a URL.
    ///
    /// # Errors
    /// [`UrlError`] if the URL does not settle the encryption or says something that is not known.
    pub fn parse(url: &DatabaseUrl) -> Result<Self, UrlError> {
        let (place, parameters) = url.path_and_parameters();
        let (authority, database) = place.split_once('/').unwrap_or((place, ""));
        if database.contains('@') {
            // A slash in the password, which looks like the end of the host.
            return Err(UrlError::Encoding);
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
            tls: MySqlTls::Local,
            ca: None,
            cert: None,
            key: None,
        };
        let tls = target.read_parameters(parameters)?;
        target.settle(tls)?;
        Ok(target)
    }

    fn read_parameters(&mut self, parameters: &str) -> Result<Option<MySqlTls>, UrlError> {
        let mut tls = None;
        for parameter in parameters.split('&').filter(|text| !text.is_empty()) {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            let value = percent_decode(value)?;
            match name {
                "ssl-mode" | "sslmode" => tls = Some(MySqlTls::parse(&value)?),
                "ssl-ca" | "sslca" | "ca" => self.ca = Some(value),
                "ssl-cert" | "sslcert" => self.cert = Some(value),
                "ssl-key" | "sslkey" => self.key = Some(value),
                "socket" => self.socket = Some(value),
                "charset" if value.eq_ignore_ascii_case("utf8mb4") => {}
                _ => return Err(UrlError::Parameter { expected: PARAMETERS }),
            }
        }
        Ok(tls)
    }

    /// Decides about the encryption where the URL does not.
    fn settle(&mut self, asked: Option<MySqlTls>) -> Result<(), UrlError> {
        let named = self.ca.is_some() || self.cert.is_some() || self.key.is_some();
        self.tls = match asked {
            Some(tls) if named && !tls.is_encrypted() => {
                return Err(UrlError::Encryption {
                    reason: "it names certificates and asks for no encryption",
                });
            }
            Some(tls) => tls,
            None if named || !self.is_local() => MySqlTls::VerifyIdentity,
            None => MySqlTls::Local,
        };
        if self.tls.is_encrypted() && !cfg!(feature = "tls-rustls") {
            return Err(UrlError::Encryption {
                reason: "enable the feature `tls-rustls`, or write ssl-mode=DISABLED if nobody \
                         can listen or interfere between here and the server",
            });
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

    /// How the connection is protected.
    #[must_use]
    pub const fn tls(&self) -> MySqlTls {
        self.tls
    }

    /// The same place, encrypted without asking who is there: for a login that may not go over
    /// the wire in the clear, where there is no wire.
    #[must_use]
    pub fn encrypted(&self) -> Self {
        Self { tls: MySqlTls::Required, ..self.clone() }
    }

    /// The options for a connection. It is not set up yet: neither mode nor time zone nor
    /// character set are what a session of larder's needs.
    #[must_use]
    pub fn connect_options(&self) -> MySqlConnectOptions {
        let mut options = MySqlConnectOptions::new()
            .host(&self.host)
            .port(self.port)
            .username(&self.user)
            .ssl_mode(match self.tls {
                MySqlTls::Local | MySqlTls::Disabled => MySqlSslMode::Disabled,
                MySqlTls::Required => MySqlSslMode::Required,
                MySqlTls::VerifyCa => MySqlSslMode::VerifyCa,
                MySqlTls::VerifyIdentity => MySqlSslMode::VerifyIdentity,
            })
            // Whoever connects sets the session up, in one round trip.
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

/// Shows where, and not who.
impl std::fmt::Debug for MySqlTarget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MySqlTarget")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("tls", &self.tls)
            .finish_non_exhaustive()
    }
}

fn host_and_port(location: &str) -> Result<(String, u16), UrlError> {
    const PORT: u16 = 3306;
    let (host, port) = match location.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => {
            (host, port.parse().map_err(|_| UrlError::Encoding)?)
        }
        _ => (location, PORT),
    };
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let host = if host.is_empty() { "localhost" } else { host };
    Ok((percent_decode(host)?, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(url: &str) -> Result<MySqlTarget, UrlError> {
        MySqlTarget::parse(&url.parse()?)
    }

    #[test]
    fn user_password_place_and_parameters_are_read() {
        let found = target("mysql://u%40h:p%2Fw@[::1]:3307/air%20port?ssl-mode=disabled").unwrap();
        assert_eq!((found.user.as_str(), found.password.as_deref()), ("u@h", Some("p/w")));
        assert_eq!((found.host.as_str(), found.port), ("::1", 3307));
        assert_eq!((found.database.as_str(), found.tls), ("air port", MySqlTls::Disabled));
        let found = target("mariadb://u:p@w@localhost/d?socket=/run/m.sock").unwrap();
        assert_eq!(found.password.as_deref(), Some("p@w"));
        assert_eq!(found.socket.as_deref(), Some("/run/m.sock"));
        assert_eq!((found.port, found.tls), (3306, MySqlTls::Local));
    }

    #[test]
    fn what_does_not_leave_the_machine_is_plain_and_everything_else_is_verified() {
        for url in ["mysql://127.0.0.1/d", "mysql://[::1]/d", "mysql://LocalHost:1/d"] {
            assert_eq!(target(url).unwrap().tls, MySqlTls::Local, "{url}");
        }
        for url in ["mysql://db.example/d", "mysql://10.0.0.1/d", "mysql://localhost/d?ssl-ca=/x"] {
            if cfg!(feature = "tls-rustls") {
                assert_eq!(target(url).unwrap().tls, MySqlTls::VerifyIdentity, "{url}");
            } else {
                assert!(matches!(target(url), Err(UrlError::Encryption { .. })), "{url}");
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
            let error = target(url).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
        }
        let shown = format!("{:?}", target("mysql://hunter2:hunter2@localhost/hunter2").unwrap());
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
