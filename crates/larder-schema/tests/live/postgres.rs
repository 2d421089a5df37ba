//! The scenarios on PostgreSQL.

use crate::{
    place::Place,
    scenarios::{another_way_to_the_database_is_the_same_database, scenarios},
};

const URL: &str = "LARDER_POSTGRES_URL";

scenarios!(Place::on_server(URL).await, #[ignore = "needs a live service"]);

#[tokio::test]
#[ignore = "needs a live service"]
async fn a_host_by_another_name_is_the_same_host() {
    let place = Place::on_server(URL).await;
    let alias = place.url.replace("127.0.0.1", "localhost");
    another_way_to_the_database_is_the_same_database(place, &alias).await;
}
