//! Files in the program are those in the folder.

use larder_migrate::{EmbeddedFile, MigrationFiles, embed_migrations};

const FILES: &[EmbeddedFile] = embed_migrations!("tests/files/folder");

#[test]
fn the_embedded_files_are_those_of_the_folder() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/files/folder");
    let from_folder = MigrationFiles::from_folder(folder).unwrap();
    let embedded = MigrationFiles::from_embedded(FILES).unwrap();
    assert_eq!(embedded, from_folder);
    assert_eq!(embedded.files().len(), 3);
    assert!(embedded.files()[1].down.is_some());
}

#[test]
fn paths_are_relative_to_the_folder() {
    let paths: Vec<_> = FILES.iter().map(|file| file.path).collect();
    let expected = [
        "1_airline.sql",
        "2_flight.down.sql",
        "2_flight.up.sql",
        "3_booking/down.sql",
        "3_booking/up.sql",
    ];
    assert_eq!(paths, expected);
}

#[cfg(feature = "sqlite")]
#[tokio::test]
async fn embedded_files_run() {
    let place = crate::place::Place::sqlite();
    let files = MigrationFiles::from_embedded(FILES).unwrap();
    assert_eq!(place.up_all(&files).await, ["1", "2", "3"]);
    assert_eq!(place.count("airline").await, Some(1));
}
