//! The files of one database, from a folder or from the program itself.
//!
//! Invariant: every version stands once, in order, and every file that comes down also goes up.

use std::{collections::BTreeMap, fs, io, path::Path};

use super::{Direction, EmbeddedFile, FileError, FileVersion, Script, file_name::FileName};

/// Versioned files, in the order of their versions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MigrationFiles {
    files: Vec<MigrationFile>,
    strays: Vec<String>,
}

/// A version: the file that makes a change and, if there is one, the file that takes it back.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MigrationFile {
    /// The version.
    pub version: FileVersion,
    /// What its name says, for people; may be empty.
    pub name: String,
    /// The file that makes the change.
    pub up: Script,
    /// The file that takes it back.
    pub down: Option<Script>,
}

/// The two files of a version.
#[derive(Debug, Default)]
struct Pair {
    up: Option<(String, Script)>,
    down: Option<Script>,
}

impl MigrationFiles {
    /// The files of a folder: `7_name.sql`, or `7_name.up.sql` and `7_name.down.sql`, or
    /// `V7__name.sql` and `U7__name.sql`, or `7_name/up.sql` and `7_name/down.sql`.
    ///
    /// What begins with a dot is passed over; anything else that is not of SQL is a
    /// [stray](Self::strays).
    ///
    /// # Errors
    /// A file of SQL without a version, two of one version, a down without an up, a directive
    /// without a meaning, and whatever can not be read.
    pub fn from_folder(folder: impl AsRef<Path>) -> Result<Self, FileError> {
        let mut files = Vec::new();
        for path in paths(folder.as_ref())? {
            let text =
                if path.ends_with(".sql") { read(folder.as_ref(), &path)? } else { String::new() };
            files.push((path, text));
        }
        Self::from_texts(files)
    }

    /// The files that [`embed_migrations!`](crate::embed_migrations) put into the program.
    ///
    /// # Errors
    /// As [`MigrationFiles::from_folder`].
    pub fn from_embedded(files: &[EmbeddedFile]) -> Result<Self, FileError> {
        Self::from_texts(files.iter().map(|file| (file.path, file.text)))
    }

    /// Files by path and text, wherever they come from. Between the parts of a path stands `/`.
    ///
    /// # Errors
    /// As [`MigrationFiles::from_folder`].
    pub fn from_texts<P, T>(files: impl IntoIterator<Item = (P, T)>) -> Result<Self, FileError>
    where
        P: AsRef<str>,
        T: AsRef<str>,
    {
        let mut pairs: BTreeMap<FileVersion, Pair> = BTreeMap::new();
        let mut strays = Vec::new();
        for (path, text) in files {
            let path = path.as_ref();
            let Some(parsed) = FileName::parse(path) else {
                if path.ends_with(".sql") {
                    return Err(FileError::Name { path: path.to_owned() });
                }
                strays.push(path.to_owned());
                continue;
            };
            let script = Script::new(path, text.as_ref())?;
            pairs.entry(parsed.version.clone()).or_default().add(parsed, script)?;
        }
        strays.sort();
        let files = pairs.into_iter().map(|(version, pair)| pair.into_file(version));
        Ok(Self { files: files.collect::<Result<_, _>>()?, strays })
    }

    /// The files, in the order of their versions.
    #[must_use]
    pub fn files(&self) -> &[MigrationFile] {
        &self.files
    }

    /// The file of a version.
    #[must_use]
    pub fn get(&self, version: &FileVersion) -> Option<&MigrationFile> {
        let found = self.files.binary_search_by(|file| file.version.cmp(version));
        found.ok().map(|index| &self.files[index])
    }

    /// What lies among the files and is none of them, by path.
    #[must_use]
    pub fn strays(&self) -> &[String] {
        &self.strays
    }
}

impl Pair {
    fn add(&mut self, name: FileName, script: Script) -> Result<(), FileError> {
        let FileName { version, name, direction } = name;
        let before = match direction {
            Direction::Down => self.down.replace(script.clone()),
            Direction::Up => self.up.replace((name, script.clone())).map(|(_, script)| script),
        };
        let Some(before) = before else { return Ok(()) };
        let mut paths = [before.path().to_owned(), script.path().to_owned()];
        paths.sort();
        let [one, other] = paths;
        Err(FileError::Duplicate { version, one, other })
    }

    fn into_file(self, version: FileVersion) -> Result<MigrationFile, FileError> {
        match (self.up, self.down) {
            (Some((name, up)), down) => Ok(MigrationFile { version, name, up, down }),
            (None, down) => {
                let path = down.map(|down| down.path().to_owned()).unwrap_or_default();
                Err(FileError::DownWithoutUp { path })
            }
        }
    }
}

/// The paths of a folder's files and of those one level below, in order.
fn paths(folder: &Path) -> Result<Vec<String>, FileError> {
    let mut paths = Vec::new();
    for (name, is_folder) in entries(folder)? {
        if !is_folder {
            paths.push(name);
            continue;
        }
        for (inner, is_folder) in entries(&folder.join(&name))? {
            let slash = if is_folder { "/" } else { "" };
            paths.push(format!("{name}/{inner}{slash}"));
        }
    }
    paths.sort();
    Ok(paths)
}

fn entries(folder: &Path) -> Result<Vec<(String, bool)>, FileError> {
    let failed = |source: io::Error| FileError::io(folder.display().to_string(), source);
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry
            .file_name()
            .into_string()
            .map_err(|name| FileError::NotUtf8 { path: name.to_string_lossy().into_owned() })?;
        if !name.starts_with('.') {
            // A link counts as what it leads to.
            let is_folder = fs::metadata(entry.path()).map_err(failed)?.is_dir();
            entries.push((name, is_folder));
        }
    }
    Ok(entries)
}

fn read(folder: &Path, path: &str) -> Result<String, FileError> {
    let bytes = fs::read(folder.join(path)).map_err(|source| FileError::io(path, source))?;
    String::from_utf8(bytes).map_err(|_| FileError::NotUtf8 { path: path.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(paths: &[&str]) -> Result<MigrationFiles, FileError> {
        MigrationFiles::from_texts(paths.iter().map(|path| (*path, "SELECT 1")))
    }

    #[track_caller]
    fn refused(paths: &[&str], expected: &str) {
        assert_eq!(set(paths).unwrap_err().to_string(), expected);
    }

    #[test]
    fn files_are_paired_and_in_the_order_of_their_versions() {
        let set = set(&["10_b.sql", "9_a.up.sql", "9_a.down.sql", "README.md"]).unwrap();
        let names: Vec<_> = set
            .files()
            .iter()
            .map(|file| (file.version.to_string(), file.name.as_str(), file.down.is_some()))
            .collect();
        assert_eq!(names, [("9".to_owned(), "a", true), ("10".to_owned(), "b", false)]);
        assert_eq!(set.strays(), ["README.md"]);
        let ten = FileVersion::parse("010").unwrap();
        assert_eq!(set.get(&ten).map(|file| file.up.path()), Some("10_b.sql"));
    }

    #[test]
    fn two_files_of_one_version_are_refused_by_name() {
        refused(&["7_b.sql", "007_a.sql"], "007_a.sql and 7_b.sql are both version 7");
        refused(
            &["1_a.sql", "1_b.down.sql", "1_a.down.sql"],
            "1_a.down.sql and 1_b.down.sql are both version 1",
        );
        refused(&["1_a.sql", "1_a.up.sql"], "1_a.sql and 1_a.up.sql are both version 1");
    }

    #[test]
    fn a_file_that_would_never_run_is_refused() {
        refused(&["1_a.down.sql"], "1_a.down.sql takes back what no file makes");
        refused(
            &["create.sql"],
            "create.sql has no version in its name: write <version>_<name>.sql, or .up.sql and \
             .down.sql",
        );
    }

    #[test]
    fn a_folder_is_read_one_level_deep() {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &[u8]| {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("2_b/up.sql", b"B");
        write("2_b/down.sql", b"b");
        write("2_b/metadata.toml", b"");
        write("1_a.sql", b"A");
        write(".gitkeep", b"");
        write("notes.txt", b"\xff");
        let set = MigrationFiles::from_folder(folder.path()).unwrap();
        let texts: Vec<_> = set.files().iter().map(|file| file.up.text()).collect();
        assert_eq!(texts, ["A", "B"]);
        assert_eq!(set.strays(), ["2_b/metadata.toml", "notes.txt"]);

        write("3_c.sql", b"\xff");
        let error = MigrationFiles::from_folder(folder.path()).unwrap_err();
        assert_eq!(error.to_string(), "3_c.sql is not UTF-8");
        let missing = MigrationFiles::from_folder(folder.path().join("none"));
        assert!(matches!(missing, Err(FileError::Io { .. })));
    }
}
