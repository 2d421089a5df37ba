//! Backup and restore.

use std::{fs, path::Path, thread};

use larder_clusters::{Error, FileError};
use larder_sqlite_file::rusqlite::Connection;

use crate::support::{Place, config, ids};

fn mark(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap()
}

#[test]
fn a_copy_is_whole_private_and_one_file() {
    let place = Place::new();
    let cache = place.cache();
    cache.cache_new_cluster("a", &config("a")).unwrap();
    let copy = place.path("copy.db");
    let bytes = cache.backup(&copy).unwrap();
    assert_eq!(bytes, fs::metadata(&copy).unwrap().len());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let connection = Connection::open(&copy).unwrap();
    let count: i64 =
        connection.query_row("SELECT count(*) FROM clusters", [], |row| row.get(0)).unwrap();
    assert_eq!(count, 1);
    drop(connection);
    let names: Vec<_> =
        place.files().into_iter().filter(|name| !name.starts_with("clusters.db")).collect();
    assert_eq!(names, ["copy.db"]);
}

#[test]
fn a_copy_replaces_nothing() {
    let place = Place::new();
    let cache = place.cache();
    fs::write(place.path("copy.db"), "mine").unwrap();
    let refused = cache.backup(&place.path("copy.db"));
    assert!(matches!(&refused, Err(Error::Exists { path }) if path.ends_with("copy.db")));
    assert_eq!(fs::read(place.path("copy.db")).unwrap(), b"mine");
    let refused = cache.backup(&place.path("absent/copy.db"));
    assert!(matches!(refused, Err(Error::File(FileError::DirectoryMissing { .. }))), "{refused:?}");
    assert!(place.files().iter().all(|name| !name.ends_with(".part")), "{:?}", place.files());
}

#[test]
fn a_copy_is_of_one_moment_while_others_write() {
    let place = Place::new();
    let cache = place.cache();
    cache.cache_new_cluster("a", &config("a")).unwrap();
    thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for _ in 0..200 {
                cache.update_cluster_access("a").unwrap();
            }
        });
        let mut copies = 0;
        while !writer.is_finished() || copies == 0 {
            let copy = place.path(&format!("copy{copies}.db"));
            cache.backup(&copy).unwrap();
            let connection = Connection::open(&copy).unwrap();
            let verdict: String =
                connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
            assert_eq!(verdict, "ok");
            copies += 1;
        }
    });
}

#[test]
fn what_was_copied_comes_back_and_other_handles_see_it() {
    let place = Place::new();
    let cache = place.cache();
    cache.cache_new_cluster("a", &config("a").with("spark_version", "13")).unwrap();
    let copy = place.path("copy.db");
    cache.backup(&copy).unwrap();
    let before = mark(&copy);
    cache.clear().unwrap();
    cache.cache_new_cluster("b", &config("b")).unwrap();
    let other = place.cache();
    assert_eq!(ids(&other.all_clusters().unwrap()), ["b"]);
    assert_eq!(cache.restore(&copy).unwrap(), 1);
    assert_eq!(ids(&other.all_clusters().unwrap()), ["a"]);
    let config = other.config("a").unwrap().unwrap();
    assert_eq!(config.field("spark_version"), Some(&"13".into()));
    assert_eq!(mark(&copy), before, "the copy is only read");
    assert!(place.files().iter().all(|name| !name.ends_with(".part")), "{:?}", place.files());
    let newest = &other.file().recent_history(1).unwrap()[0];
    assert_eq!(newest.event, "restored");
    // The connection that did it serves others again.
    cache.cache_new_cluster("c", &config).unwrap();
}

#[test]
fn fences_never_go_back() {
    let place = Place::new();
    let cache = place.cache();
    let copy = place.path("copy.db");
    place.raw().execute("UPDATE larder_fence SET last = 7", []).unwrap();
    cache.backup(&copy).unwrap();
    place.raw().execute("UPDATE larder_fence SET last = 50", []).unwrap();
    cache.restore(&copy).unwrap();
    let last = || -> i64 {
        place.raw().query_row("SELECT last FROM larder_fence", [], |row| row.get(0)).unwrap()
    };
    assert_eq!(last(), 50);
    place.raw().execute("UPDATE larder_fence SET last = 1", []).unwrap();
    cache.restore(&copy).unwrap();
    assert_eq!(last(), 7);
}

#[test]
fn nothing_is_restored_from_what_is_no_copy_of_ours() {
    let place = Place::new();
    let cache = place.cache();
    cache.cache_new_cluster("a", &config("a")).unwrap();
    let file = |name: &str, sql: &str| {
        let path = place.path(name);
        Connection::open(&path).unwrap().execute_batch(sql).unwrap();
        path
    };
    let ours = place.path("ours.db");
    cache.backup(&ours).unwrap();
    let foreign = file("foreign.db", "CREATE TABLE notes(x); INSERT INTO notes VALUES (1)");
    let empty = file("empty.db", "");
    let later = place.path("later.db");
    fs::copy(&ours, &later).unwrap();
    Connection::open(&later).unwrap().execute_batch("PRAGMA user_version = 9").unwrap();
    let planted = place.path("planted.db");
    fs::copy(&ours, &planted).unwrap();
    let trigger = "CREATE TRIGGER t AFTER INSERT ON clusters BEGIN DELETE FROM clusters; END";
    Connection::open(&planted).unwrap().execute_batch(trigger).unwrap();
    let text = place.path("text.db");
    fs::write(&text, "no database at all, only text\n".repeat(200)).unwrap();
    let cut = place.path("cut.db");
    let whole = fs::read(&ours).unwrap();
    fs::write(&cut, &whole[..whole.len() / 2]).unwrap();
    type Fits = fn(&FileError) -> bool;
    let cases: [(&Path, Fits); 7] = [
        (&foreign, |error| matches!(error, FileError::Foreign { .. })),
        (&empty, |error| matches!(error, FileError::Foreign { .. })),
        (&later, |error| matches!(error, FileError::SchemaVersion { found: 9, .. })),
        (&planted, |error| matches!(error, FileError::Foreign { .. })),
        (&text, |error| matches!(error, FileError::Corrupt { .. })),
        (&cut, |error| matches!(error, FileError::Corrupt { .. })),
        (&place.path("absent.db"), |error| matches!(error, FileError::Missing { .. })),
    ];
    for (path, fits) in cases {
        let before = fs::read(path).ok();
        match cache.restore(path) {
            Err(Error::File(error)) => {
                assert!(fits(&error), "{path:?}: {error:?}");
                let name = path.file_name().unwrap().to_str().unwrap();
                assert!(error.to_string().contains(name), "{error}");
            }
            other => panic!("{path:?}: {other:?}"),
        }
        assert_eq!(fs::read(path).ok(), before, "{path:?} is only read");
        assert_eq!(ids(&cache.all_clusters().unwrap()), ["a"]);
    }
    let refused = cache.restore(place.path("clusters.db").parent().unwrap());
    assert!(matches!(refused, Err(Error::File(FileError::NotAFile { .. }))), "{refused:?}");
}

#[test]
fn tables_of_others_stay_and_columns_of_later_tools_come_along() {
    let place = Place::new();
    let cache = place.cache();
    cache.cache_new_cluster("a", &config("a")).unwrap();
    let later = "ALTER TABLE clusters ADD COLUMN region TEXT; UPDATE clusters SET region = 'eu'; \
                 CREATE TABLE deployments(name TEXT); INSERT INTO deployments VALUES ('d')";
    place.raw().execute_batch(later).unwrap();
    let copy = place.path("copy.db");
    cache.backup(&copy).unwrap();
    place.raw().execute_batch("UPDATE clusters SET region = 'us'").unwrap();
    place.raw().execute_batch("INSERT INTO deployments VALUES ('e')").unwrap();
    cache.restore(&copy).unwrap();
    let sql = "SELECT region, (SELECT count(*) FROM deployments) FROM clusters";
    let found: (String, i64) =
        place.raw().query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    assert_eq!(found, ("eu".to_owned(), 2));
}
