//! A user and a password. Nothing here is ever printed.

use std::fmt;

/// A user and a password for servers that ask for them (`-Y`).
///
/// `Debug` shows neither.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    user: String,
    password: String,
}

impl Credentials {
    /// A user and a password. A name or a password that the protocol has no room for, because it
    /// holds a line break, or the user a space, is refused when a connection is made.
    #[must_use]
    pub fn new(user: impl Into<String>, password: impl Into<String>) -> Self {
        Self { user: user.into(), password: password.into() }
    }

    /// The text that a server expects, unless it would mean something else.
    pub(crate) fn token(&self) -> Option<String> {
        let clean = |text: &str| !text.is_empty() && !text.contains(['\r', '\n', '\0']);
        let valid = clean(&self.user) && clean(&self.password) && !self.user.contains(' ');
        valid.then(|| format!("{} {}", self.user, self.password))
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_user_nor_password_is_printed() {
        let printed = format!("{:?}", Credentials::new("canary", "canary"));
        assert_eq!(printed, "Credentials(…)");
    }

    #[test]
    fn what_would_be_another_command_is_no_token() {
        assert_eq!(Credentials::new("u", "p@/#%: x").token().as_deref(), Some("u p@/#%: x"));
        for (user, password) in
            [("", "p"), ("u", ""), ("u u", "p"), ("u", "p\r\nget x"), ("\n", "p")]
        {
            assert_eq!(Credentials::new(user, password).token(), None);
        }
    }
}
