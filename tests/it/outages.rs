//! What becomes of readers while something happens to the cache: nothing.
//!
//! As long as the database answers, no error reaches a reader, no answer is wrong, none is older
//! than what was acknowledged as invalidated; hits come back without a restart of the program, and
//! the number of connections is bounded.

mod memcached_console;
mod misconfigured;
mod servers;
mod wire;

use crate::support::{Bench, Engine, FarTier, Traffic};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_an_outage_nothing_is_wrong() {
    let bench = Bench::new(Engine::Sqlite, FarTier::named("sqlite")).await;
    bench
        .run(async |bench| {
            let mut traffic = Traffic::start(&bench).await;
            traffic.until_reads(2_000, "in peace").await;
            traffic.until_acknowledged("in peace").await;
            traffic.stop().await;
        })
        .await;
}

/// The checker can fail: an invalidation that is claimed and was never made is noticed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[should_panic(expected = "stale")]
async fn a_stale_answer_is_noticed() {
    let bench = Bench::new(Engine::Sqlite, FarTier::named("sqlite")).await;
    bench
        .run(async |bench| {
            let mut traffic = Traffic::start(&bench).await;
            traffic.lie();
            traffic.until_reads(2_000, "after a lie").await;
            traffic.stop().await;
        })
        .await;
}
