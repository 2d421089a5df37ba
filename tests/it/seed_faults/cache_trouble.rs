//! A cache that is refused or silent costs a bounded time, and never an error.

use std::time::Duration;

use larder_core::{Clock as _, SystemClock};
use larder_testkit::{Accept, FaultProxy};

use crate::support::{
    Bench, Engine, FarTier, Tiers, address_of, eventually, service_url, with_address,
};

const FAR_TIME_LIMIT: Duration = Duration::from_millis(100);
/// How long the far tier is left alone after it failed.
const COOLDOWN: Duration = Duration::from_secs(1);
/// How many failures in a row it takes.
const FAILURES_TO_OPEN: u64 = 3;
/// Far beyond the limit: a read that takes longer hangs.
const HANGS: Duration = Duration::from_secs(60);

/// Opens a process while the server is well, lets the door be shut and the connections be cut, and
/// reads: seconds per call are what plain clients take. How long a read takes depends on the
/// machine; how many of them wait for the far tier does not.
async fn few_reads_wait_while(setup: &'static str, accept: Accept) {
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
            let far = || larder.stats().far.unwrap();
            let (clock, before) = (SystemClock::new(), far());
            let began = clock.now();
            const READS: u64 = 50;
            for _ in 0..READS {
                tokio::time::timeout(HANGS, read()).await.expect("a read hangs");
            }
            let took = clock.now().since(began);
            // Whoever waits for the limit does so for all: the far tier is then left alone, but
            // for one call now and then that looks whether it is back.
            let looks = 1 + u64::try_from(took.as_millis() / COOLDOWN.as_millis()).unwrap();
            let waited = far().errors - before.errors;
            assert!(waited > 0, "the far tier was not asked");
            assert!(waited <= FAILURES_TO_OPEN + looks, "{waited} failures within {took:?}");
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
                few_reads_wait_while(stringify!($setup), Accept::Refuse).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            #[ignore = "needs a live service"]
            async fn a_cache_that_never_answers_costs_a_bounded_time() {
                few_reads_wait_while(stringify!($setup), Accept::Stall).await;
            }
        }
    )*};
}

setups! { redis valkey memcached }
