//! Files that the backend refuses stay exactly as they were, and the error says which and why.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use larder_core::{CacheBackend as _, ErrorKind, Key, Operation, Ttl};
use larder_sqlite::{SqliteBackend, SqliteConfig};
use larder_sqlite_file::rusqlite::Connection;
use tempfile::TempDir;

struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("cache.db")
    }

    async fn open(&self) -> larder_core::Result<SqliteBackend> {
        SqliteBackend::open(SqliteConfig::new(self.path())).await
    }

    async fn check_refused(&self, kind: ErrorKind) {
        let before = fs::symlink_metadata(self.path()).unwrap().modified().unwrap();
        let content = fs::read(self.path()).ok();
        let error = self.open().await.expect_err("the file should be refused");
        assert_eq!((error.kind(), error.operation()), (kind, Operation::Open), "{error:?}");
        let name = self.0.path().to_str().unwrap();
        assert!(error.to_string().contains(name), "the message names no file: {error}");
        assert_eq!(fs::read(self.path()).ok(), content, "the content changed");
        assert_eq!(fs::symlink_metadata(self.path()).unwrap().modified().unwrap(), before);
    }
}

async fn fill(backend: &SqliteBackend, entries: u32) {
    let ttl = Ttl::new(Duration::from_secs(60)).unwrap();
    for entry in 0..entries {
        let key = Key::object(&entry.to_string());
        backend.put(&key, vec![7; 1_000].into(), ttl).await.unwrap();
    }
}

#[tokio::test]
async fn garbage_is_refused_and_kept() {
    let place = Place::new();
    for garbage in [&b"precious notes"[..], &[0x5a; 20_000]] {
        fs::write(place.path(), garbage).unwrap();
        place.check_refused(ErrorKind::Corrupt).await;
    }
}

#[tokio::test]
async fn a_foreign_database_is_refused_and_kept() {
    let place = Place::new();
    let connection = Connection::open(place.path()).unwrap();
    connection.execute_batch("CREATE TABLE entry(id INTEGER PRIMARY KEY)").unwrap();
    drop(connection);
    place.check_refused(ErrorKind::Corrupt).await;
}

#[tokio::test]
async fn a_cache_with_a_planted_trigger_is_refused() {
    let place = Place::new();
    drop(place.open().await.unwrap());
    let connection = Connection::open(place.path()).unwrap();
    let plant = "CREATE TRIGGER t AFTER INSERT ON entry BEGIN DELETE FROM generation; END";
    connection.execute_batch(plant).unwrap();
    drop(connection);
    place.check_refused(ErrorKind::Corrupt).await;
}

#[tokio::test]
async fn a_cache_that_was_cut_off_is_refused() {
    let place = Place::new();
    let backend = place.open().await.unwrap();
    fill(&backend, 100).await;
    drop(backend);
    let whole = fs::metadata(place.path()).unwrap().len();
    let file = fs::OpenOptions::new().write(true).open(place.path()).unwrap();
    file.set_len(whole / 2).unwrap();
    place.check_refused(ErrorKind::Corrupt).await;
}

#[tokio::test]
async fn damage_under_way_is_an_error_and_no_panic() {
    let place = Place::new();
    let backend = place.open().await.unwrap();
    fill(&backend, 500).await;
    drop(backend);
    let mut bytes = fs::read(place.path()).unwrap();
    // Everything but the first pages, which hold the schema and the row about the file.
    for byte in &mut bytes[40_000..] {
        *byte = 0xa5;
    }
    fs::write(place.path(), bytes).unwrap();
    let backend = place.open().await.unwrap();
    let mut kinds = Vec::new();
    for entry in 0..500 {
        let read = backend.read(&Key::object(&entry.to_string()), &[]).await;
        kinds.extend(read.err().map(|error| error.kind()));
    }
    assert!(!kinds.is_empty(), "nothing was damaged");
    assert!(kinds.iter().all(|kind| *kind == ErrorKind::Corrupt), "{kinds:?}");
    assert_eq!(backend.stats().errors, kinds.len() as u64);
}

#[tokio::test]
async fn a_path_that_can_not_be_a_file_is_invalid() {
    let place = Place::new();
    fs::create_dir(place.path()).unwrap();
    place.check_refused(ErrorKind::InvalidInput).await;
    let inside = place.0.path().join("missing/cache.db");
    let error = SqliteBackend::open(SqliteConfig::new(inside)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

#[tokio::test]
async fn an_absurd_configuration_is_invalid() {
    let place = Place::new();
    let config = SqliteConfig::new(place.path()).with_batch_max(0);
    let error = SqliteBackend::open(config).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(!place.path().exists());
}

#[cfg(unix)]
mod unix {
    use std::{
        os::unix::fs::{MetadataExt as _, symlink},
        process::{Command, Stdio},
    };

    use super::*;

    #[tokio::test]
    async fn a_symbolic_link_is_refused() {
        let place = Place::new();
        let target = place.0.path().join("target");
        fs::write(&target, "precious").unwrap();
        symlink(&target, place.path()).unwrap();
        place.check_refused(ErrorKind::InvalidInput).await;
        assert_eq!(fs::read(&target).unwrap(), b"precious");
    }

    #[tokio::test]
    async fn a_hard_link_is_refused() {
        let place = Place::new();
        drop(place.open().await.unwrap());
        fs::hard_link(place.path(), place.0.path().join("other")).unwrap();
        place.check_refused(ErrorKind::InvalidInput).await;
    }

    #[tokio::test]
    async fn a_pipe_is_refused_without_waiting_for_its_other_end() {
        let place = Place::new();
        let made = Command::new("mkfifo").arg(place.path()).status();
        assert!(made.unwrap().success());
        let error = place.open().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    }

    #[test]
    fn all_three_files_are_private_under_a_generous_umask() {
        let place = Place::new();
        // The umask belongs to the process, so a child of its own makes the file.
        let status = Command::new("sh")
            .args(["-c", "umask 022; exec \"$0\" --exact --ignored unix::makes_a_cache"])
            .arg(std::env::current_exe().unwrap())
            .env("LARDER_TEST_FILE", place.path())
            .stdout(Stdio::null())
            .status();
        assert!(status.unwrap().success());
        assert!(place.path().exists(), "the child did nothing");
    }

    #[tokio::test]
    #[ignore = "run as a child process by the test above"]
    async fn makes_a_cache() {
        let Some(path) = std::env::var_os("LARDER_TEST_FILE").map(PathBuf::from) else { return };
        let backend = SqliteBackend::open(SqliteConfig::new(&path)).await.unwrap();
        fill(&backend, 10).await;
        for suffix in ["", "-wal", "-shm"] {
            let file = format!("{}{suffix}", path.display());
            let mode = fs::metadata(Path::new(&file)).unwrap().mode() & 0o7777;
            assert_eq!(mode, 0o600, "{file}: {mode:o}");
        }
    }
}
