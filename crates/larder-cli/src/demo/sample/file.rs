//! A sample in a SQLite file: the one that is there if it is the right one, otherwise a new one.
//!
//! Guards that a file which is no sample is never touched, and that a sample is complete or not
//! there at all: it is built beside its place, flushed, and renamed.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
};

use larder::{
    Database, DatabaseErrorKind, DatabaseOptions, Params, QueryError,
    core::{Clock as _, SystemClock},
};

use super::{
    build::fill,
    checksum::Checksum,
    content::{Found, compare, take_out_surplus},
    dialect::Dialect,
    place::beside,
    ready::{Hold, Sample},
    spec::Spec,
};
use crate::{demo::progress::Progress, failure::Failure, target::sqlite_url};

/// Opens the sample in this file, or builds it.
pub(crate) async fn open(
    path: &Path,
    spec: Spec,
    progress: &mut Progress,
) -> Result<Sample, Failure> {
    let failed = |action, at: &Path| {
        let path = at.to_owned();
        move |source| Failure::File { path, action, source }
    };
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let directory = directory.unwrap_or(Path::new("."));
    fs::create_dir_all(directory).map_err(failed("created", directory))?;
    // Absolute, so that no part of it can be taken for anything but a path.
    let path = std::path::absolute(path).map_err(failed("found", path))?;
    let lock_path = beside(&path, ".lock");
    let lock = lock(&lock_path, progress).map_err(failed("locked", &lock_path))?;

    let clock = SystemClock::new();
    let started = clock.now();
    let (checksum, build_time) = match look(&path, spec).await? {
        Found::Same(checksum) => (checksum, None),
        found => {
            let partial = beside(&path, ".partial");
            remove(&partial).map_err(failed("removed", &partial))?;
            let checksum = build(&partial, spec, progress).await?;
            if matches!(found, Found::Other) {
                remove(&path).map_err(failed("removed", &path))?;
            }
            put_in_place(&partial, &path).map_err(failed("put in place", &path))?;
            (checksum.text(), Some(clock.now().since(started)))
        }
    };
    let size_bytes = fs::metadata(&path).map_err(failed("read", &path))?.len();
    Ok(Sample {
        shown: path.display().to_string(),
        url: sqlite_url(&path, ""),
        cache: Some(cache_path(&path)),
        dialect: Dialect::Sqlite,
        spec,
        checksum,
        build_time,
        size_bytes,
        hold: Hold::File { _lock: lock },
    })
}

/// Makes the sample in a new file, and closes it. Returns the rows' checksum.
async fn build(path: &Path, spec: Spec, progress: &mut Progress) -> Result<Checksum, Failure> {
    // One connection, so that the settings hold for everything; no log that could stay behind.
    let options = DatabaseOptions::default().with_connections_max(1).with_wal(false);
    let url = sqlite_url(path, "?mode=rwc").parse().map_err(QueryError::from)?;
    let database = Database::connect(&url, &options).await?;
    // The file counts only once it is complete, flushed and renamed.
    database.execute("PRAGMA synchronous = OFF", &Params::new()).await?;
    let checksum = Box::pin(fill(&database, Dialect::Sqlite, spec, progress)).await;
    database.close().await;
    progress.clear();
    checksum
}

/// Removes the sample in this file, with its cache and its lock. `false` if there is none.
pub(crate) async fn clean(path: &Path, progress: &Progress) -> Result<bool, Failure> {
    let failed = |at: &Path| {
        let path = at.to_owned();
        move |source| Failure::File { path, action: "removed", source }
    };
    let path = std::path::absolute(path).map_err(failed(path))?;
    if !path.exists() {
        return Ok(false);
    }
    let lock_path = beside(&path, ".lock");
    let _lock = lock(&lock_path, progress).map_err(failed(&lock_path))?;
    // Whatever it was made from; what is no sample is an error.
    look(&path, Spec { seed: 0, bookings: 0 }).await?;
    for path in [&path, &cache_path(&path), &lock_path] {
        remove(path).map_err(failed(path))?;
    }
    Ok(true)
}

/// Where the cache file lies unless told otherwise: `airport-cache.db` beside `airport.db`.
pub(super) fn cache_path(path: &Path) -> PathBuf {
    let mut name = path.file_stem().unwrap_or_default().to_owned();
    name.push("-cache.db");
    path.with_file_name(name)
}

/// Two demos at a time would replace each other's file and spoil each other's figures.
fn lock(path: &Path, progress: &Progress) -> io::Result<File> {
    let file = File::options().create(true).truncate(false).write(true).open(path)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            progress.say("waiting for another demo on this sample");
            file.lock()?;
        }
        Err(TryLockError::Error(error)) => return Err(error),
    }
    Ok(file)
}

async fn look(path: &Path, spec: Spec) -> Result<Found, Failure> {
    if !path.try_exists().is_ok_and(|exists| exists) {
        return Ok(Found::Nothing);
    }
    let not_a_sample = || Failure::NotASample { path: path.to_owned() };
    // Read-only: a file that is somebody else's is not even put into another journal mode.
    let database = connect(path, "?mode=ro").await.map_err(|_| not_a_sample())?;
    let same = compare(&database, Dialect::Sqlite, spec).await;
    database.close().await;
    match same {
        Ok(Some(checksum)) => {
            restore(path, spec).await?;
            Ok(Found::Same(checksum))
        }
        Ok(None) => Ok(Found::Other),
        Err(error) => match error.database_kind() {
            Some(DatabaseErrorKind::Busy) => Err(error.into()),
            _ => Err(not_a_sample()),
        },
    }
}

async fn connect(path: &Path, parameters: &str) -> Result<Database, QueryError> {
    let url = sqlite_url(path, parameters).parse()?;
    Database::connect(&url, &DatabaseOptions::default().with_connections_max(1)).await
}

/// Takes out what a demo that was interrupted has added.
async fn restore(path: &Path, spec: Spec) -> Result<(), Failure> {
    let database = connect(path, "").await?;
    take_out_surplus(&database, Dialect::Sqlite, spec).await?;
    database.close().await;
    Ok(())
}

/// Removes a database and what SQLite keeps beside it, which would be taken for the log of the
/// file that comes to its place.
fn remove(path: &Path) -> io::Result<()> {
    for suffix in ["-journal", "-shm", "-wal", ""] {
        match fs::remove_file(beside(path, suffix)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

fn put_in_place(partial: &Path, path: &Path) -> io::Result<()> {
    File::options().write(true).open(partial)?.sync_all()?;
    fs::rename(partial, path)
}

#[cfg(test)]
mod tests {
    use larder::{RowSet, query::RowLimit};

    use super::*;

    const SPEC: Spec = Spec { seed: 7, bookings: 500 };

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(future)
    }

    async fn opened(path: &Path, spec: Spec) -> Result<Sample, Failure> {
        open(path, spec, &mut Progress::hidden()).await
    }

    async fn content(path: &Path) -> Vec<RowSet> {
        let database = connect(path, "?mode=ro").await.unwrap();
        let mut tables = Vec::new();
        for (table, _, _) in SPEC.sizes() {
            let sql = format!("SELECT * FROM {table} ORDER BY 1");
            tables.push(database.fetch(&sql, &Params::new(), RowLimit::All).await.unwrap());
        }
        tables
    }

    #[test]
    fn the_same_seed_builds_the_same_rows_and_another_seed_others() {
        let directory = tempfile::tempdir().unwrap();
        let [a, b, c] = ["a", "b", "c"].map(|name| directory.path().join(name));
        block_on(async {
            let first = opened(&a, SPEC).await.unwrap();
            let second = opened(&b, SPEC).await.unwrap();
            let third = opened(&c, Spec { seed: 8, ..SPEC }).await.unwrap();
            assert_eq!(first.checksum, second.checksum);
            assert_ne!(first.checksum, third.checksum);
            assert_eq!(content(&a).await, content(&b).await);
            assert_ne!(content(&a).await, content(&c).await);
        });
    }

    #[test]
    fn a_sample_is_used_again_and_what_was_added_is_taken_out() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a?b.db");
        block_on(async {
            let built = opened(&path, SPEC).await.unwrap();
            assert!(built.build_time.is_some());
            drop(built);
            let before = content(&path).await;
            let database = connect(&path, "").await.unwrap();
            let insert = "INSERT INTO airline VALUES (101, '??', 'Late Air', 'Nowhere', 2025)";
            database.execute(insert, &Params::new()).await.unwrap();
            database.close().await;
            assert!(opened(&path, SPEC).await.unwrap().build_time.is_none());
            assert_eq!(content(&path).await, before);
        });
    }

    #[test]
    fn a_sample_of_other_origin_or_with_missing_rows_is_built_anew() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("sample.db");
        block_on(async {
            drop(opened(&path, SPEC).await.unwrap());
            let other = Spec { bookings: 300, ..SPEC };
            assert!(opened(&path, other).await.unwrap().build_time.is_some());
            let database = connect(&path, "").await.unwrap();
            database.execute("DELETE FROM booking", &Params::new()).await.unwrap();
            database.close().await;
            assert!(opened(&path, other).await.unwrap().build_time.is_some());
            assert!(opened(&path, other).await.unwrap().build_time.is_none());
        });
    }

    #[test]
    fn a_file_that_is_no_sample_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let text = directory.path().join("text");
        fs::write(&text, "not a database, but long enough to look at ".repeat(30)).unwrap();
        let database_path = directory.path().join("database");
        block_on(async {
            let database = connect(&database_path, "?mode=rwc").await.unwrap();
            database.execute("CREATE TABLE precious (a)", &Params::new()).await.unwrap();
            database.close().await;
            for path in [&text, &database_path] {
                let before = fs::read(path).unwrap();
                let refused = opened(path, SPEC).await;
                assert!(matches!(refused, Err(Failure::NotASample { .. })), "{refused:?}");
                assert_eq!(fs::read(path).unwrap(), before);
            }
        });
    }

    #[test]
    fn what_an_interrupted_build_left_is_not_used() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("sample.db");
        fs::write(beside(&path, ".partial"), "half").unwrap();
        fs::write(beside(&path, ".partial-journal"), "half").unwrap();
        block_on(async {
            assert!(opened(&path, SPEC).await.unwrap().build_time.is_some());
        });
        assert!(!beside(&path, ".partial").exists());
        assert!(!beside(&path, ".partial-journal").exists());
    }
}
