//! Why a URL leads nowhere.
//!
//! Guards that no part of the URL is in a message.

/// Why a text is not a database URL. No part of the text is in the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UrlError {
    /// The scheme is missing or names no engine.
    #[error(
        "the database URL has no known scheme: expected sqlite, postgres, postgresql, mysql or mariadb"
    )]
    Scheme,
    /// The URL names no database, or no host.
    #[error("the database URL does not say where the database is")]
    Empty,
    /// A percent sign is not followed by two hexadecimal digits, or the result is not UTF-8.
    #[error("the database URL is not percent-encoded correctly")]
    Encoding,
    /// Encryption is asked for in a way that does not say for certain whether there is any, or
    /// that is not compiled in.
    #[error("the database URL does not settle the encryption: {reason}")]
    Encryption {
        /// What is wrong, and what to write instead.
        reason: &'static str,
    },
    /// A parameter is not known, or its value is not.
    #[error("the database URL has a parameter that is not known: expected {expected}")]
    Parameter {
        /// What would be known.
        expected: &'static str,
    },
}
