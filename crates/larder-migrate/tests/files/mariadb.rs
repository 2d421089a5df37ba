//! MariaDB.

use crate::{
    adoption::adoptions,
    mysql_family::mysql_family,
    place::{Place, files},
    scenarios::scenarios,
};

async fn place() -> Place {
    Place::on_server("LARDER_MARIADB_URL", "CREATE DATABASE name", "DROP DATABASE name").await
}

scenarios!(place(), #[ignore = "needs a live service"]);
adoptions!(place(), #[ignore = "needs a live service"]);
mysql_family!(place());

#[tokio::test]
#[ignore = "needs a live service"]
async fn blocks_outside_of_routines_run() {
    let place = place().await;
    let text = "CREATE TABLE a (x INT);\n\
                BEGIN NOT ATOMIC\n  FOR i IN 1..3 DO INSERT INTO a VALUES (i); END FOR;\nEND;";
    place.up_all(&files(&[("1_a.sql", text)])).await;
    assert_eq!(place.count("a").await, Some(3));
    place.close().await;
}
