//! Versions of servers, as far as they are compared.

use std::fmt;

/// Major and minor number. Those who have no minor number, such as PostgreSQL's releases of one
/// year, count their patches there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version(pub(crate) u32, pub(crate) u32);

impl Version {
    /// The version that follows a mark in the output of `--version`.
    pub(crate) fn after(mark: &str, output: &str) -> Option<Self> {
        let (_, rest) = output.split_once(mark)?;
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let mut numbers = rest[..end].split('.').map(|number| number.parse().ok());
        let major = numbers.next()??;
        Some(Self(major, numbers.next().flatten().unwrap_or(0)))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_follows_its_mark() {
        let version = Version::after("Redis server v=", "Redis server v=7.0.15 sha=00000000:0");
        assert_eq!(version, Some(Version(7, 0)));
        assert_eq!(
            Version::after("PostgreSQL) ", "postgres (PostgreSQL) 18beta1"),
            Some(Version(18, 0))
        );
        assert_eq!(Version::after("Redis server v=", "Valkey server v=8.0"), None);
        assert_eq!(Version::after(" Ver ", "mysqld  Ver "), None);
        assert!(Version(10, 11) > Version(10, 5));
    }
}
