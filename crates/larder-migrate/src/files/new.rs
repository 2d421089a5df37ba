//! New files, with the time as their version.
//!
//! Guards that nothing is overwritten.

use std::{
    fs,
    io::{ErrorKind, Write as _},
    path::{Path, PathBuf},
};

use larder_core::Clock;

use super::{FileError, FileVersion, MigrationFiles};

/// What is created of a new migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a change can be taken back or not")]
pub enum NewFiles {
    /// One file, which can not be taken back.
    Irreversible,
    /// A file that goes up and one that comes down.
    Reversible,
}

/// Creates the files of a new migration, and returns their paths: `20240501120000_name.up.sql` and
/// `20240501120000_name.down.sql`. The folder is created if it is not there.
///
/// The version is the time in UTC, to the second, or the next second that no file has. The letters
/// and digits of `name` are kept, in small letters, with a low line between its words.
///
/// # Errors
/// A folder whose files can not be used, a name without letters and digits, a file that is there
/// already, and whatever can not be written.
pub fn new_files(
    folder: impl AsRef<Path>,
    name: &str,
    kind: NewFiles,
    clock: &dyn Clock,
) -> Result<Vec<PathBuf>, FileError> {
    let folder = folder.as_ref();
    let slug = slug(name).ok_or_else(|| FileError::NewName { name: name.to_owned() })?;
    fs::create_dir_all(folder)
        .map_err(|source| FileError::io(folder.display().to_string(), source))?;
    let files = MigrationFiles::from_folder(folder)?;
    let mut seconds = clock.unix_millis() / 1000;
    let version = loop {
        let version = timestamp(seconds);
        let parsed = FileVersion::parse(&version);
        if parsed.is_none_or(|parsed| files.get(&parsed).is_none()) {
            break version;
        }
        seconds += 1;
    };
    let endings: &[(&str, &str)] = match kind {
        NewFiles::Irreversible => &[("", "")],
        NewFiles::Reversible => {
            &[(".up", ""), (".down", "-- Takes back what the other file does.\n")]
        }
    };
    let mut paths = Vec::new();
    for (ending, text) in endings {
        let path = folder.join(format!("{version}_{slug}{ending}.sql"));
        create(&path, text)?;
        paths.push(path);
    }
    Ok(paths)
}

fn create(path: &Path, text: &str) -> Result<(), FileError> {
    let shown = path.display().to_string();
    let created = fs::OpenOptions::new().write(true).create_new(true).open(path);
    let written = created.and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|source| match source.kind() {
        ErrorKind::AlreadyExists => FileError::Exists { path: shown },
        _ => FileError::io(shown, source),
    })
}

/// Words in small letters with a low line between them; `None` if there are none.
fn slug(name: &str) -> Option<String> {
    let words = name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let slug = words.map(str::to_lowercase).collect::<Vec<_>>().join("_");
    // The name of a file has 255 bytes, and the version and the ending need some of them.
    let slug = &slug[..slug.floor_char_boundary(200)];
    (!slug.is_empty()).then(|| slug.to_owned())
}

/// `20240501120000`, of seconds since 1970 UTC.
fn timestamp(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = date(days);
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!("{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}")
}

/// Year, month and day of a number of days since 1970-01-01.
fn date(days: u64) -> (u64, u64, u64) {
    let is_leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    // The calendar repeats itself every 400 years of 146097 days.
    let (mut year, mut rest) = (1970 + days / 146_097 * 400, days % 146_097);
    loop {
        let length = if is_leap(year) { 366 } else { 365 };
        if rest < length {
            break;
        }
        rest -= length;
        year += 1;
    }
    let february = if is_leap(year) { 29 } else { 28 };
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30] {
        if rest < length {
            break;
        }
        rest -= length;
        month += 1;
    }
    (year, month, rest + 1)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use larder_testkit::ManualClock;

    use super::*;

    fn names(paths: &[PathBuf]) -> Vec<String> {
        let name = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
        paths.iter().map(name).collect()
    }

    #[test]
    fn times_are_written_as_people_write_them() {
        for (seconds, expected) in [
            (0, "19700101000000"),
            (951_782_399, "20000228235959"),
            (951_782_400, "20000229000000"),
            (1_709_251_199, "20240229235959"),
            (4_107_542_400, "21000301000000"),
            (253_402_300_799, "99991231235959"),
        ] {
            assert_eq!(timestamp(seconds), expected);
        }
    }

    #[test]
    fn a_new_migration_has_the_time_as_its_version() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("migrations");
        let clock = ManualClock::new();
        let new = |name, kind| new_files(&folder, name, kind, &*clock);
        let paths = new("Add the airline's home", NewFiles::Reversible).unwrap();
        let expected = [
            "20250101000000_add_the_airline_s_home.up.sql",
            "20250101000000_add_the_airline_s_home.down.sql",
        ];
        assert_eq!(names(&paths), expected);
        clock.advance(Duration::from_millis(1_500));
        let next = new("next", NewFiles::Irreversible).unwrap();
        assert_eq!(names(&next), ["20250101000001_next.sql"]);
        assert_eq!(MigrationFiles::from_folder(&folder).unwrap().files().len(), 2);
    }

    #[test]
    fn nothing_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let clock = ManualClock::new();
        let new = |name| new_files(folder.path(), name, NewFiles::Irreversible, &*clock);
        let first = new("one").unwrap();
        fs::write(&first[0], "SELECT 1").unwrap();
        let second = new("one").unwrap();
        assert_eq!(names(&second), ["20250101000001_one.sql"]);
        assert_eq!(fs::read_to_string(&first[0]).unwrap(), "SELECT 1");
        assert!(matches!(create(&first[0], ""), Err(FileError::Exists { .. })));
        assert!(matches!(new("- !"), Err(FileError::NewName { .. })));
    }
}
