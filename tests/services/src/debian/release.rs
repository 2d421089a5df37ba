//! Which distribution the machine runs.

use std::fs;

/// The two that packages can be had from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Distribution {
    Debian,
    /// With the code name of the release, as its packages run on itself only.
    Ubuntu(String),
}

/// What `/etc/os-release` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Release {
    pub(crate) distribution: Distribution,
    /// The code name of the machine's own release.
    pub(crate) codename: String,
}

impl Release {
    /// The machine's, if it is one of the two.
    pub(crate) fn of_host() -> Option<Self> {
        Self::parse(&fs::read_to_string("/etc/os-release").ok()?)
    }

    fn parse(text: &str) -> Option<Self> {
        let value = |name: &str| {
            let mut lines = text.lines().filter_map(|line| line.split_once('='));
            let (_, value) = lines.find(|(key, _)| *key == name)?;
            Some(value.trim().trim_matches(['"', '\'']))
        };
        let ids = format!("{} {}", value("ID")?, value("ID_LIKE").unwrap_or_default());
        let is = |name| ids.split_whitespace().any(|id| id == name);
        let codename = value("VERSION_CODENAME").unwrap_or_default().to_owned();
        if is("ubuntu") {
            let codename = value("UBUNTU_CODENAME").map_or(codename, str::to_owned);
            let distribution = Distribution::Ubuntu(codename.clone());
            Some(Self { distribution, codename })
        } else if is("debian") {
            Some(Self { distribution: Distribution::Debian, codename })
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relatives_count_as_what_they_are_made_of() {
        let debian = Release::parse("ID=debian\nVERSION_CODENAME=bookworm\n");
        let debian = debian.expect("it is one of the two");
        assert_eq!(debian.distribution, Distribution::Debian);
        assert_eq!(debian.codename, "bookworm");
        let mint = "ID=linuxmint\nID_LIKE=\"ubuntu debian\"\nVERSION_CODENAME=xia\n\
                    UBUNTU_CODENAME=noble\n";
        let mint = Release::parse(mint).expect("it is one of the two");
        assert_eq!(mint.distribution, Distribution::Ubuntu("noble".to_owned()));
        assert_eq!(Release::parse("ID=fedora\nID_LIKE=rhel\n"), None);
        assert_eq!(Release::parse(""), None);
    }
}
