//! What a file's name says: version, name, and whether the file goes up or down.

use std::fmt;

use super::FileVersion;

/// A file's name, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileName {
    pub(crate) version: FileVersion,
    pub(crate) name: String,
    pub(crate) direction: Direction,
}

/// Whether a file makes a change or takes it back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "there is no third one")]
pub enum Direction {
    /// It takes a change back.
    Down,
    /// It makes a change.
    Up,
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Down => "down",
            Self::Up => "up",
        })
    }
}

impl FileName {
    /// Understands a path within the folder, with `/` between its parts; `None` if it is no
    /// migration's.
    ///
    /// `7_name.sql`, `7_name.up.sql`, `7_name.down.sql`; `V7__name.sql` and `U7__name.sql`;
    /// `7_name/up.sql` and `7_name/down.sql`.
    pub(crate) fn parse(path: &str) -> Option<Self> {
        let stem = path.strip_suffix(".sql")?;
        let (stem, direction) = match stem.split_once('/') {
            Some((folder, "up")) => (folder, Direction::Up),
            Some((folder, "down")) => (folder, Direction::Down),
            Some(_) => return None,
            None => direction(stem),
        };
        if let Some(parsed) = prefixed(stem) {
            return parsed;
        }
        let (version, name) = stem.split_once('_').unwrap_or((stem, ""));
        Some(Self { version: FileVersion::parse(version)?, name: name.to_owned(), direction })
    }
}

fn direction(stem: &str) -> (&str, Direction) {
    match stem.strip_suffix(".down") {
        Some(stem) => (stem, Direction::Down),
        None => (stem.strip_suffix(".up").unwrap_or(stem), Direction::Up),
    }
}

/// `V1_2__name`, in which a low line stands for a dot of the version, and `U1_2__name`.
fn prefixed(stem: &str) -> Option<Option<FileName>> {
    let direction = match stem.chars().next()? {
        'V' => Direction::Up,
        'U' => Direction::Down,
        _ => return None,
    };
    let (version, name) = stem[1..].split_once("__")?;
    let version = FileVersion::parse(&version.replace('_', "."));
    Some(version.map(|version| FileName { version, name: name.to_owned(), direction }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, version: &str, name: &str, direction: Direction) {
        let parsed = FileName::parse(path).unwrap_or_else(|| panic!("{path} is not understood"));
        let version = FileVersion::parse(version).unwrap();
        assert_eq!(parsed, FileName { version, name: name.to_owned(), direction }, "{path}");
    }

    #[test]
    fn names_are_understood() {
        check("1_create.sql", "1", "create", Direction::Up);
        check("0001_create_a.b.sql", "1", "create_a.b", Direction::Up);
        check("20240501120000_x.up.sql", "20240501120000", "x", Direction::Up);
        check("20240501120000_x.down.sql", "20240501120000", "x", Direction::Down);
        check("7.sql", "7", "", Direction::Up);
        check("V1_2__two words.sql", "1.2", "two words", Direction::Up);
        check("U1.2__x.sql", "1.2", "x", Direction::Down);
        check("2024-05-01-120000_x/up.sql", "20240501120000", "x", Direction::Up);
        check("2024-05-01-120000_x/down.sql", "20240501120000", "x", Direction::Down);
    }

    #[test]
    fn other_names_are_not() {
        for path in [
            "create.sql",
            "R__views.sql",
            "V__x.sql",
            "1_create.SQL",
            "1_create.txt",
            "README.md",
            "x/up.sql",
            "1_x/other.sql",
            "1_x/metadata.toml",
            ".sql",
            "_x.sql",
            "v1__x.sql",
            "",
        ] {
            assert_eq!(FileName::parse(path), None, "{path}");
        }
    }
}
