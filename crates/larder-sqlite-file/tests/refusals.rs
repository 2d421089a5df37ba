//! What is refused stays exactly as it was.

#![cfg(unix)]

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink},
    path::{Path, PathBuf},
};

use larder_sqlite_file::{Access, Application, FileError, FileKind, FileOptions, rusqlite};
use rusqlite::Connection;
use tempfile::TempDir;

const APPLICATION: Application = Application {
    id: 0x1234_5678,
    version: 3,
    schema: "CREATE TABLE thing(name TEXT PRIMARY KEY) STRICT",
};

struct Place {
    directory: TempDir,
}

impl Place {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("x.db")
    }

    fn open(&self) -> Result<Connection, FileError> {
        open(&self.path())
    }

    /// The names and contents of everything in the directory.
    fn content(&self) -> Vec<(PathBuf, Option<Vec<u8>>)> {
        let entries = fs::read_dir(self.directory.path()).unwrap();
        let mut content: Vec<_> = entries
            .map(|entry| {
                let entry = entry.unwrap();
                let regular = entry.file_type().unwrap().is_file();
                let bytes = regular.then(|| fs::read(entry.path()).unwrap());
                (entry.path(), bytes)
            })
            .collect();
        content.sort();
        content
    }

    #[track_caller]
    fn check_refused(&self, matches: impl Fn(&FileError) -> bool) {
        let before = self.content();
        let error = self.open().expect_err("the file should be refused");
        assert!(matches(&error), "{error:?}");
        assert!(
            error.to_string().contains(self.directory.path().to_str().unwrap()),
            "the message names no file: {error}"
        );
        assert!(before == self.content(), "the refused file was changed");
    }
}

fn open(path: &Path) -> Result<Connection, FileError> {
    FileOptions::new(path).with_application(APPLICATION).open()
}

#[test]
fn a_symbolic_link_is_refused() {
    let place = Place::new();
    let target = place.directory.path().join("target.db");
    drop(open(&target).unwrap());
    symlink(&target, place.path()).unwrap();
    let link = |error: &FileError| {
        matches!(error, FileError::NotAFile { kind: FileKind::SymbolicLink, .. })
    };
    place.check_refused(link);
    fs::remove_file(&target).unwrap();
    place.check_refused(link);
}

#[test]
fn a_symbolic_link_in_place_of_the_log_is_refused() {
    let place = Place::new();
    drop(place.open().unwrap());
    let victim = place.directory.path().join("victim");
    fs::write(&victim, "precious").unwrap();
    symlink(&victim, place.directory.path().join("x.db-wal")).unwrap();
    place.check_refused(|error| matches!(error, FileError::NotAFile { .. }));
}

#[test]
fn a_hard_link_is_refused() {
    let place = Place::new();
    drop(place.open().unwrap());
    fs::hard_link(place.path(), place.directory.path().join("other.db")).unwrap();
    place.check_refused(|error| matches!(error, FileError::HardLinked { links: 2, .. }));
}

#[test]
fn a_directory_is_refused() {
    let place = Place::new();
    fs::create_dir(place.path()).unwrap();
    place.check_refused(|error| {
        matches!(error, FileError::NotAFile { kind: FileKind::Directory, .. })
    });
}

#[test]
fn a_pipe_is_refused_without_waiting_for_its_other_end() {
    let place = Place::new();
    let made = std::process::Command::new("mkfifo").arg(place.path()).status();
    assert!(made.unwrap().success());
    place.check_refused(|error| {
        matches!(error, FileError::NotAFile { kind: FileKind::Special, .. })
    });
}

#[test]
fn a_path_without_a_name_is_refused() {
    for path in ["", "/", "..", "/tmp/.."] {
        let refused = open(Path::new(path));
        assert!(
            matches!(refused, Err(FileError::NotAFile { kind: FileKind::Nameless, .. })),
            "{path:?}"
        );
    }
}

#[test]
fn a_missing_directory_is_named() {
    let place = Place::new();
    let missing = place.directory.path().join("missing");
    let refused = open(&missing.join("x.db"));
    let Err(FileError::DirectoryMissing { path }) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(path, missing);
}

#[test]
fn a_missing_file_is_created_only_if_asked_for() {
    let place = Place::new();
    for access in [Access::Existing, Access::Read] {
        let refused = FileOptions::new(place.path()).with_access(access).open();
        assert!(matches!(refused, Err(FileError::Missing { .. })));
    }
    assert!(place.content().is_empty());
}

#[test]
fn a_file_or_directory_that_everybody_can_write_is_refused() {
    let place = Place::new();
    drop(place.open().unwrap());
    let exposed = |error: &FileError| matches!(error, FileError::Exposed { .. });
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o606)).unwrap();
    place.check_refused(exposed);
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o600)).unwrap();
    fs::set_permissions(place.directory.path(), fs::Permissions::from_mode(0o1777)).unwrap();
    place.check_refused(exposed);
}

#[test]
fn a_file_of_another_user_is_refused() {
    let place = Place::new();
    drop(place.open().unwrap());
    if std::os::unix::fs::chown(place.path(), Some(12_345), None).is_err() {
        // Only a privileged user can give a file away; without one, look at a system file.
        let refused = open(Path::new("/etc/passwd"));
        assert!(matches!(refused, Err(FileError::NotOwned { owner: 0, .. })), "{refused:?}");
        return;
    }
    place.check_refused(|error| matches!(error, FileError::NotOwned { owner: 12_345, .. }));
}

#[test]
fn what_is_no_database_is_refused() {
    let place = Place::new();
    for garbage in [&b"x"[..], b"precious notes", &[0xa5; 10_000]] {
        fs::write(place.path(), garbage).unwrap();
        place.check_refused(|error| matches!(error, FileError::Corrupt { .. }));
    }
}

#[test]
fn a_database_that_was_cut_off_is_refused() {
    let place = Place::new();
    let connection = place.open().unwrap();
    for row in 0..500 {
        let name = format!("{row:0>200}");
        connection.execute("INSERT INTO thing VALUES (?1)", [name]).unwrap();
    }
    drop(connection);
    let whole = fs::metadata(place.path()).unwrap().len();
    assert!(whole > 50_000);
    for length in [whole / 2, 4_096, 100, 20] {
        let file = fs::OpenOptions::new().write(true).open(place.path()).unwrap();
        file.set_len(length).unwrap();
        place.check_refused(|error| matches!(error, FileError::Corrupt { .. }));
    }
}

#[test]
fn a_foreign_database_is_refused() {
    let place = Place::new();
    let connection = Connection::open(place.path()).unwrap();
    connection.execute_batch("CREATE TABLE thing(name TEXT PRIMARY KEY) STRICT").unwrap();
    drop(connection);
    place.check_refused(|error| matches!(error, FileError::Foreign { .. }));
}

#[test]
fn a_foreign_database_with_a_log_keeps_both() {
    let place = Place::new();
    let writer = Connection::open(place.path()).unwrap();
    writer.pragma_update(None, "journal_mode", "WAL").unwrap();
    writer.execute_batch("CREATE TABLE notes(x); INSERT INTO notes VALUES (1)").unwrap();
    // What a killed process leaves behind: the files as they are while it runs.
    let other = Place::new();
    for suffix in ["", "-wal"] {
        let name = format!("x.db{suffix}");
        fs::copy(place.directory.path().join(&name), other.directory.path().join(&name)).unwrap();
    }
    let main = fs::read(other.path()).unwrap();
    let log = fs::read(other.directory.path().join("x.db-wal")).unwrap();
    let refused = other.open();
    assert!(matches!(refused, Err(FileError::Foreign { .. })), "{refused:?}");
    drop(refused);
    assert!(main == fs::read(other.path()).unwrap());
    assert!(log == fs::read(other.directory.path().join("x.db-wal")).unwrap());
}

#[test]
fn a_planted_trigger_view_or_table_is_refused() {
    for planted in [
        "CREATE TABLE extra(x)",
        "CREATE VIEW extra AS SELECT 1",
        "CREATE TRIGGER extra AFTER INSERT ON thing BEGIN DELETE FROM thing; END",
        "DROP TABLE thing",
    ] {
        let place = Place::new();
        drop(place.open().unwrap());
        let connection = Connection::open(place.path()).unwrap();
        connection.execute_batch(planted).unwrap();
        drop(connection);
        place.check_refused(|error| matches!(error, FileError::Foreign { .. }));
    }
}

#[test]
fn another_schema_version_is_refused() {
    let place = Place::new();
    let newer = Application { version: 4, ..APPLICATION };
    drop(FileOptions::new(place.path()).with_application(newer).open().unwrap());
    place.check_refused(|error| {
        matches!(error, FileError::SchemaVersion { found: 4, expected: 3, .. })
    });
}

#[test]
fn a_file_and_its_companions_are_private_whatever_the_umask() {
    for umask in [0o022, 0o000, 0o777] {
        let place = Place::new();
        // The umask belongs to the process, so the file is made by a child of its own.
        let program = std::env::current_exe().unwrap();
        let script = format!("umask {umask:03o}; exec \"$0\" --exact --ignored opens_a_file");
        let status = std::process::Command::new("sh")
            .args(["-c", &script])
            .arg(program)
            .env("LARDER_TEST_FILE", place.path())
            .stdout(std::process::Stdio::null())
            .status();
        assert!(status.unwrap().success(), "umask {umask:03o}");
    }
}

#[test]
#[ignore = "run as a child process by the test above"]
fn opens_a_file() {
    let Some(path) = std::env::var_os("LARDER_TEST_FILE").map(PathBuf::from) else {
        return;
    };
    let connection = open(&path).unwrap();
    connection.execute("INSERT INTO thing VALUES ('a')", []).unwrap();
    for suffix in ["", "-wal", "-shm"] {
        let file = format!("{}{suffix}", path.display());
        let mode = fs::metadata(&file).unwrap().mode() & 0o7777;
        assert_eq!(mode, 0o600, "{file}: {mode:o}");
    }
}
