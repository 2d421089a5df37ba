//! Files that are damaged, full, read-only or somebody else's: the error says what and where, and
//! nothing was overwritten.

#![cfg(unix)]
#![expect(clippy::print_stdout, reason = "a check that can not run here says so")]

use std::{
    error::Error as _,
    fs,
    path::{Path, PathBuf},
    process::Command,
    thread,
};

use larder_clusters::{
    ClusterFile, ClusterFileOptions, Error, FileError, Registration, SharedRegistry, State, Update,
};
use larder_sqlite_file::{
    FileKind, FileOptions,
    rusqlite::{self, Connection},
};
use tempfile::TempDir;

struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("clusters.db")
    }

    fn companion(&self, suffix: &str) -> PathBuf {
        self.0.path().join(format!("clusters.db{suffix}"))
    }

    fn open(&self) -> larder_clusters::Result<SharedRegistry> {
        open(&self.path())
    }

    /// The names and contents of everything in the directory.
    fn content(&self) -> Vec<(PathBuf, Option<Vec<u8>>)> {
        let entries = fs::read_dir(self.0.path()).unwrap();
        let mut content: Vec<_> = entries
            .map(|entry| entry.unwrap().path())
            .map(|path| (path.clone(), path.is_file().then(|| fs::read(path).unwrap())))
            .collect();
        content.sort();
        content
    }

    #[track_caller]
    fn check_refused(&self, matches: impl Fn(&FileError) -> bool) {
        let before = self.content();
        let error = self.open().expect_err("the file should be refused");
        check_error(&error, &self.path(), matches);
        assert!(before == self.content(), "the refused file was changed");
    }

    fn edit(&self, statements: &str) {
        let connection = Connection::open(self.path()).unwrap();
        connection.execute_batch(statements).unwrap();
    }
}

#[track_caller]
fn check_error(error: &Error, path: &Path, matches: impl Fn(&FileError) -> bool) {
    let Error::File(inner) = error else { panic!("{error:?}") };
    assert!(matches(inner), "{error:?}");
    assert!(error.to_string().contains(path.to_str().unwrap()), "{error} names no file");
}

fn open(path: &Path) -> larder_clusters::Result<SharedRegistry> {
    Ok(ClusterFile::open(ClusterFileOptions::new(path))?.shared())
}

/// Makes something that is ready.
fn make(registry: &SharedRegistry, key: &str) -> larder_clusters::Result<()> {
    let Registration::Creator(creation) = registry.register_creation(key)? else {
        panic!("{key} is new");
    };
    registry.update_status(key, creation.fence, Update::Ready { resource_id: key })
}

fn key(number: usize) -> String {
    format!("{number:04}")
}

fn verdict(path: &Path) -> String {
    let connection = FileOptions::new(path).open().unwrap();
    connection.pragma_query_value(None, "integrity_check", |row| row.get(0)).unwrap()
}

#[test]
fn a_log_that_was_cut_off_costs_the_last_steps_and_nothing_else() {
    const THINGS: usize = 40;
    let place = Place::new();
    let registry = place.open().unwrap();
    for number in 0..THINGS {
        make(&registry, &key(number)).unwrap();
    }
    let log = fs::read(place.companion("-wal")).unwrap();
    let mut kept_least = THINGS;
    for part in 0..=16 {
        // What a crash leaves behind: the file as it is, and a log that ends anywhere.
        let other = Place::new();
        fs::copy(place.path(), other.path()).unwrap();
        let length = log.len() * part / 16;
        fs::write(other.companion("-wal"), &log[..length]).unwrap();
        let opened = other.open().unwrap();
        let states: Vec<_> = (0..THINGS)
            .map(|number| opened.info(&key(number)).unwrap().map(|info| info.state))
            .collect();
        let kept = states.iter().take_while(|state| **state == Some(State::Ready)).count();
        let begun = usize::from(states.get(kept) == Some(&Some(State::Creating)));
        assert!(states[kept + begun..].iter().all(Option::is_none), "{states:?}");
        assert!(part < 16 || kept == THINGS, "a whole log loses nothing");
        kept_least = kept_least.min(kept);
        // It goes on from there.
        make(&opened, "next").unwrap();
        drop(opened);
        assert_eq!(verdict(&other.path()), "ok");
    }
    assert_eq!(kept_least, 0, "some of the logs should have lost something");
}

#[test]
fn a_damaged_file_is_refused_or_says_so_when_the_damage_is_met() {
    let place = Place::new();
    let registry = place.open().unwrap();
    for number in 0..200 {
        make(&registry, &key(number)).unwrap();
    }
    drop(registry);
    let whole = fs::read(place.path()).unwrap();
    for length in [100, 600, 4_096, whole.len() / 2] {
        fs::write(place.path(), &whole[..length]).unwrap();
        place.check_refused(|error| matches!(error, FileError::Corrupt { .. }));
    }
    // All pages of content are garbage, the schema is whole.
    let mut damaged = whole.clone();
    damaged[4_096 * 20..].fill(0x5a);
    fs::write(place.path(), &damaged).unwrap();
    let met = place.open().and_then(|registry| registry.all());
    check_error(&met.unwrap_err(), &place.path(), |error| {
        matches!(error, FileError::Corrupt { .. })
    });
    fs::write(place.path(), "a diary, and no database at all").unwrap();
    place.check_refused(|error| matches!(error, FileError::Corrupt { .. }));
}

#[test]
fn a_directory_in_place_of_the_file_is_refused() {
    let place = Place::new();
    fs::create_dir(place.path()).unwrap();
    place.check_refused(|error| {
        matches!(error, FileError::NotAFile { kind: FileKind::Directory, .. })
    });
    let missing = place.0.path().join("missing");
    let error = open(&missing.join("clusters.db")).unwrap_err();
    check_error(&error, &missing, |error| matches!(error, FileError::DirectoryMissing { .. }));
}

#[test]
fn a_file_of_another_program_is_refused() {
    let foreign = |error: &FileError| matches!(error, FileError::Foreign { .. });
    let place = Place::new();
    place.edit("CREATE TABLE notes(text); INSERT INTO notes VALUES ('precious')");
    place.check_refused(foreign);
    place.edit("CREATE TABLE clusters(name); PRAGMA application_id = 77");
    place.check_refused(foreign);
}

#[test]
fn a_planted_trigger_or_view_and_a_later_version_are_refused() {
    for planted in [
        "CREATE TRIGGER t AFTER INSERT ON larder_holder BEGIN DELETE FROM larder_event; END",
        "CREATE VIEW clusters_now AS SELECT * FROM clusters",
        "CREATE TABLE larder_extra(x)",
    ] {
        let place = Place::new();
        drop(place.open().unwrap());
        place.edit(planted);
        place.check_refused(|error| matches!(error, FileError::Foreign { .. }));
    }
    let place = Place::new();
    drop(place.open().unwrap());
    place.edit("PRAGMA user_version = 2; CREATE VIEW of_the_future AS SELECT 1");
    place.check_refused(|error| {
        matches!(error, FileError::SchemaVersion { found: 2, expected: 1, .. })
    });
}

/// A small file system in memory, if this user may mount one.
struct Mount(TempDir);

impl Mount {
    fn new() -> Option<Self> {
        let place = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=512k,mode=700", "larder-test"])
            .arg(place.path())
            .output();
        mounted.is_ok_and(|output| output.status.success()).then_some(Self(place))
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("clusters.db")
    }

    fn filler(&self) -> PathBuf {
        self.0.path().join("filler")
    }

    fn fill(&self) {
        // As much as fits; the error is the point.
        fs::write(self.filler(), vec![1; 1 << 20]).unwrap_err();
    }

    fn remount(&self, how: &str) {
        let options = format!("remount,{how}");
        let status = Command::new("mount").args(["-o", &options]).arg(self.0.path()).status();
        assert!(status.unwrap().success());
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // The directory under it is removed afterwards, whether or not this worked.
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

#[test]
fn a_full_disk_is_told_and_takes_nothing_back() {
    let Some(mount) = Mount::new() else {
        println!("not run: this user may not mount a file system to fill");
        return;
    };
    let no_space = |error: &FileError| matches!(error, FileError::NoSpace { .. });
    mount.fill();
    check_error(&open(&mount.path()).unwrap_err(), &mount.path(), no_space);
    fs::remove_file(mount.filler()).unwrap();

    let registry = open(&mount.path()).unwrap();
    make(&registry, &key(0)).unwrap();
    mount.fill();
    let mut made = 1;
    let error = loop {
        match make(&registry, &key(made)) {
            Ok(()) => made += 1,
            Err(error) => break error,
        }
        assert!(made < 10_000, "the disk never gets full");
    };
    check_error(&error, &mount.path(), no_space);
    assert!(error.source().is_some());
    // What was acknowledged can be read meanwhile, and the rest goes on when there is room.
    let ready = |registry: &SharedRegistry| {
        registry.all().unwrap().iter().filter(|info| info.state == State::Ready).count()
    };
    assert_eq!(ready(&registry), made);
    fs::remove_file(mount.filler()).unwrap();
    make(&registry, "after").unwrap();
    drop(registry);
    assert_eq!(ready(&open(&mount.path()).unwrap()), made + 1);
    assert_eq!(verdict(&mount.path()), "ok");
}

#[test]
fn a_file_that_can_not_be_written_is_refused() {
    let read_only = |error: &FileError| matches!(error, FileError::ReadOnly { .. });
    let Some(mount) = Mount::new() else {
        // A mode binds everybody but the privileged user, who could have mounted.
        let place = Place::new();
        make(&place.open().unwrap(), "k").unwrap();
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(place.path(), fs::Permissions::from_mode(0o400)).unwrap();
        place.check_refused(read_only);
        return;
    };
    make(&open(&mount.path()).unwrap(), "k").unwrap();
    let before = fs::read(mount.path()).unwrap();
    mount.remount("ro");
    check_error(&open(&mount.path()).unwrap_err(), &mount.path(), read_only);
    let new = mount.0.path().join("new.db");
    let error = open(&new).unwrap_err();
    check_error(&error, &new, |error| matches!(error, FileError::Io { .. }));
    mount.remount("rw");
    assert!(before == fs::read(mount.path()).unwrap());
    assert_eq!(open(&mount.path()).unwrap().info("k").unwrap().unwrap().usage, 1);
}

#[test]
fn a_file_that_is_replaced_under_way_is_followed() {
    let place = Place::new();
    let registry = place.open().unwrap();
    make(&registry, "k").unwrap();
    let aside = place.0.path().join("aside.db");
    fs::rename(place.path(), &aside).unwrap();
    for suffix in ["-wal", "-shm"] {
        fs::remove_file(place.companion(suffix)).unwrap();
    }
    assert!(registry.info("k").unwrap().is_none(), "the path names a new file");
    make(&registry, "new").unwrap();
    drop(registry);
    assert!(place.open().unwrap().info("new").unwrap().is_some());
}

#[test]
fn calls_beyond_the_bound_wait_for_a_connection() {
    let place = Place::new();
    let options = ClusterFileOptions::new(place.path()).with_connections_max(2);
    let registry = ClusterFile::open(options).unwrap().shared();
    thread::scope(|scope| {
        for thread in 0..8 {
            let registry = &registry;
            scope.spawn(move || {
                for number in 0..10 {
                    make(registry, &format!("{thread}-{number}")).unwrap();
                }
            });
        }
    });
    assert_eq!(registry.all().unwrap().len(), 80);
    if cfg!(target_os = "linux") {
        let open = fs::read_dir("/proc/self/fd").unwrap().filter(|entry| {
            let target = fs::read_link(entry.as_ref().unwrap().path());
            target.is_ok_and(|target| target == place.path())
        });
        assert!(open.count() <= 2);
    }
}

#[test]
fn the_file_is_private_and_closed_with_its_handle() {
    use std::os::unix::fs::MetadataExt as _;
    let place = Place::new();
    let registry = place.open().unwrap();
    for suffix in ["", "-wal", "-shm"] {
        let mode = fs::metadata(place.companion(suffix)).unwrap().mode() & 0o777;
        assert_eq!(mode, 0o600, "{suffix}");
    }
    drop(registry);
    assert!(!place.companion("-wal").exists(), "all connections were closed with the handle");
    let id: i32 = rusqlite::Connection::open(place.path())
        .unwrap()
        .pragma_query_value(None, "application_id", |row| row.get(0))
        .unwrap();
    assert_eq!(id.to_be_bytes(), *b"LRDC");
}
