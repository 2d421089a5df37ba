//! PostgreSQL on a live server.

use crate::{cases, pooler, support::Scratch};

cases::for_every_database!(Scratch::postgres, ignore = "needs a live service");
cases::for_every_server!(Scratch::postgres);

#[tokio::test]
#[ignore = "needs a live service"]
async fn a_transaction_goes_through_a_pooler_and_a_session_does_not() {
    let scratch = Scratch::postgres().await;
    pooler::a_transaction_goes_through_a_pooler_and_a_session_does_not(&scratch).await;
    scratch.drop().await;
}
