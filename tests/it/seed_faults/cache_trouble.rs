//! A cache that is refused or silent costs a bounded time, and never an error.

use std::time::Duration;

use larder_core::{Clock as _, SystemClock};
use larder_testkit::{Accept, FaultProxy};

use crate::support::{
    Bench, Engine, FarTier, Tiers, address_of, eventually, service_url, with_address,
};

const FAR_TIME_LIMIT: Duration = Duration::from_millis(100);
/// Wide enough for a machine that does other things; plain clients take twice as long.
const BEARABLE: Duration = Duration::from_secs(3);

/// Opens a process while the server is well, lets the door be shut and the connections be cut, and
/// reads: seconds per call are what plain clients take.
async fn reads_are_quick_while(setup: &'static str, accept: Accept) {
    let url = service_url(setup);
    let proxy = FaultProxy::start(address_of(&url)).await.unwrap();
    let url = with_address(&url, &proxy.address().to_string());
    let bench = Bench::new(Engine::Sqlite, FarTier::Server { setup, url }).await;
    let bench = bench.with_far_time_limit(FAR_TIME_LIMIT);
    bench
        .run(async |bench| {
            let create = ["CREATE TABLE t (n INTEGER)", "INSERT INTO t VALUES (7)"];
            bench.behind_its_back(&create).await;
            let larder = bench.process(Tiers::Far).await;
            let read = async || {
                let found = larder.query("SELECT n FROM t").fetch_scalar::<i64>().await.unwrap();
                assert_eq!(*found, 7);
                found.source().is_hit()
            };
            read().await;
            eventually("the far tier is hit", read).await;
            proxy.set_accept(accept);
            proxy.cut();
            let clock = SystemClock::new();
            let mut quick = 0;
            const READS: u32 = 50;
            for _ in 0..READS {
                let before = clock.now();
                read().await;
                let took = clock.now().since(before);
                assert!(took < BEARABLE, "a read took {took:?}");
                quick += u32::from(took < FAR_TIME_LIMIT);
            }
            // Whoever waits for the limit does so for all: the far tier is then left alone.
            assert!(quick > READS / 2, "only {quick} of {READS} reads took less than the limit");
            proxy.clear();
            proxy.cut();
            eventually("the far tier is hit again", read).await;
        })
        .await;
}

macro_rules! setups {
    ($($setup:ident)*) => {$(
        mod $setup {
            use super::*;

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            #[ignore = "needs a live service"]
            async fn a_cache_that_is_refused_costs_a_bounded_time() {
                reads_are_quick_while(stringify!($setup), Accept::Refuse).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            #[ignore = "needs a live service"]
            async fn a_cache_that_never_answers_costs_a_bounded_time() {
                reads_are_quick_while(stringify!($setup), Accept::Stall).await;
            }
        }
    )*};
}

setups! { redis valkey memcached }
