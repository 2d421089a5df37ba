//! The scenarios on SQLite, in a file.

use crate::{
    place::Place,
    scenarios::{another_way_to_the_database_is_the_same_database, scenarios},
};

scenarios!(Place::in_file(),);

#[tokio::test]
async fn a_file_by_another_path_is_the_same_file() {
    let place = Place::in_file();
    place.run("CREATE TABLE t (x)").await;
    let alias = place.url.replace("/live.db", "/./live.db");
    assert_ne!(alias, place.url);
    another_way_to_the_database_is_the_same_database(place, &alias).await;
}
