//! Connections over a socket of the file system.

use larder_query::DatabaseOptions;

use crate::{Fixture, number};

#[tokio::test]
#[ignore = "needs a live service"]
async fn a_socket_leads_to_the_same_database() {
    let fixture = Fixture::on("LARDER_POSTGRES_UNIX_URL", &DatabaseOptions::default()).await;
    let sql = "SELECT count(*) FROM pg_stat_activity \
               WHERE pid = pg_backend_pid() AND client_addr IS NULL";
    assert_eq!(number(&fixture.database, sql).await, 1);
    let again = fixture.again().await;
    assert_eq!(again.identity(), fixture.database.identity());
}
