//! Everything that the fault proxy can do, between readers and a real server.

use std::time::Duration;

use larder_testkit::{Accept, Direction, FaultProxy, WireFault};

use crate::support::{
    Bench, Engine, FarTier, PROCESSES, Tiers, Traffic, address_of, eventually, service_url,
    with_address,
};

/// What a client may have open per process: it is shared by all of the process's tasks.
const CONNECTIONS_PER_PROCESS: u64 = 8;

/// Runs readers and a writer behind a proxy while `happen` does something to it, and afterwards
/// until they hit again.
async fn survive(setup: &'static str, happen: impl AsyncFn(&FaultProxy, &mut Traffic)) {
    let url = service_url(setup);
    let proxy = FaultProxy::start(address_of(&url)).await.unwrap();
    let url = with_address(&url, &proxy.address().to_string());
    let bench = Bench::new(Engine::Sqlite, FarTier::Server { setup, url }).await;
    let bench = bench.with_far_time_limit(Duration::from_millis(250));
    bench
        .run(async |bench| {
            let mut traffic = Traffic::start(&bench).await;
            let seed = proxy.seed();
            happen(&proxy, &mut traffic).await;
            proxy.clear();
            traffic.until_hits(&format!("after the fault, seed {seed}")).await;
            traffic.until_acknowledged("after the fault").await;
            traffic.stop().await;
            // Three reading processes and a writing one.
            let bound = CONNECTIONS_PER_PROCESS * (PROCESSES as u64 + 1);
            eventually("connections are bounded", async || proxy.stats().connections <= bound)
                .await;
        })
        .await;
}

/// One fault in one direction, until it was met and readers went on with it for a while.
async fn wire(setup: &'static str, direction: Direction, fault: WireFault) {
    survive(setup, async |proxy, traffic| {
        let before = proxy.stats().faults;
        proxy.set(direction, fault);
        eventually("the fault is met", async || proxy.stats().faults > before).await;
        traffic.until_reads(500, "with the fault").await;
    })
    .await;
}

/// Something at the door, which nobody has to pass until the connections are cut.
async fn door(setup: &'static str, accept: Accept) {
    survive(setup, async |proxy, traffic| {
        proxy.set_accept(accept);
        proxy.cut();
        traffic.until_reads(500, "while the door is shut").await;
        proxy.cut();
    })
    .await;
}

/// One task alone, with the time limit that services have unless they say otherwise. Nobody else's
/// calls are there to find out that nothing comes back on the connection any more.
async fn a_task_alone(setup: &'static str, direction: Direction) {
    let url = service_url(setup);
    let proxy = FaultProxy::start(address_of(&url)).await.unwrap();
    let url = with_address(&url, &proxy.address().to_string());
    let bench = Bench::new(Engine::Sqlite, FarTier::Server { setup, url }).await;
    let bench = bench.with_far_time_limit(Duration::from_millis(100));
    bench
        .run(async |bench| {
            let table = ["CREATE TABLE t (n INTEGER)", "INSERT INTO t VALUES (7)"];
            bench.behind_its_back(&table).await;
            let larder = bench.second_process(Tiers::Far).await;
            let read = async || {
                let found = larder.query("SELECT n FROM t").fetch_scalar::<i64>().await.unwrap();
                assert_eq!(*found, 7);
                found.source().is_hit()
            };
            eventually("a hit before the fault", read).await;
            proxy.set(direction, WireFault::Swallow);
            eventually("a miss with the fault", async || !read().await).await;
            proxy.clear();
            eventually("a hit after the fault", read).await;
            eventually("an acknowledged invalidation after the fault", async || {
                larder.invalidate_table("t").await.unwrap().is_applied()
            })
            .await;
        })
        .await;
}

/// A far tier that takes longer for a single request than a server has by itself. Whoever has the
/// time waits for it.
async fn a_distant_server(setup: &'static str) {
    let url = service_url(setup);
    let proxy = FaultProxy::start(address_of(&url)).await.unwrap();
    let url = with_address(&url, &proxy.address().to_string());
    let bench = Bench::new(Engine::Sqlite, FarTier::Server { setup, url }).await;
    let bench = bench.with_far_time_limit(Duration::from_secs(60));
    bench
        .run(async |bench| {
            let table = ["CREATE TABLE t (n INTEGER)", "INSERT INTO t VALUES (7)"];
            bench.behind_its_back(&table).await;
            let (delay, jitter) = (1_100 * MILLISECOND, Duration::ZERO);
            proxy.set(Direction::Replies, WireFault::Latency { delay, jitter });
            let larder = bench.second_process(Tiers::Far).await;
            for source in ["CACHE_MISS", "CACHE_HIT"] {
                let found = larder.query("SELECT n FROM t").fetch_scalar::<i64>().await.unwrap();
                assert_eq!((*found, found.source().as_str()), (7, source));
            }
            assert_eq!(larder.stats().far.unwrap().errors, 0);
        })
        .await;
}

const MILLISECOND: Duration = Duration::from_millis(1);

/// Each fault as a test of its own.
macro_rules! faults {
    ($($setup:ident)*) => {$(
        mod $setup {
            use super::*;

            faults! { @wire $setup
                a_narrow_line: Replies, WireFault::Bandwidth { bytes_per_second: 4_000 };
                connections_that_close_after_requests: Requests, WireFault::CloseAfter { bytes: 99 };
                connections_that_close_in_replies: Replies, WireFault::CloseAfter { bytes: 99 };
                connections_that_are_reset_in_replies: Replies, WireFault::ResetAfter { bytes: 60 };
                connections_that_are_reset_at_requests: Requests, WireFault::ResetAfter { bytes: 0 };
                duplicated_replies: Replies, WireFault::Duplicate;
                duplicated_requests: Requests, WireFault::Duplicate;
                garbage_in_replies: Replies, WireFault::Garbage { bytes: 13 };
                garbage_in_requests: Requests, WireFault::Garbage { bytes: 13 };
                half_open_connections_without_replies: Replies, WireFault::Swallow;
                half_open_connections_without_requests: Requests, WireFault::Swallow;
                late_replies: Replies, WireFault::Latency {
                    delay: 20 * MILLISECOND,
                    jitter: 40 * MILLISECOND,
                };
                replies_later_than_the_time_limit: Replies, WireFault::Latency {
                    delay: 300 * MILLISECOND,
                    jitter: 300 * MILLISECOND,
                };
                oversized_lengths_in_replies: Replies, WireFault::Oversize;
                replies_byte_by_byte: Replies, WireFault::Trickle { pause: 5 * MILLISECOND };
                requests_byte_by_byte: Requests, WireFault::Trickle { pause: 5 * MILLISECOND };
                stalled_replies: Replies, WireFault::Stall;
                stalled_requests: Requests, WireFault::Stall;
                swapped_replies: Replies, WireFault::Swap;
                truncated_replies: Replies, WireFault::Truncate;
                truncated_requests: Requests, WireFault::Truncate;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            #[ignore = "needs a live service"]
            async fn a_server_that_refuses_connections() {
                door(stringify!($setup), Accept::Refuse).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            #[ignore = "needs a live service"]
            async fn a_server_that_resets_at_the_door() {
                door(stringify!($setup), Accept::Reset).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            #[ignore = "needs a live service"]
            async fn a_server_that_accepts_and_never_answers() {
                door(stringify!($setup), Accept::Stall).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            #[ignore = "needs a live service"]
            async fn a_task_alone_behind_a_connection_without_replies() {
                a_task_alone(stringify!($setup), Direction::Replies).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            #[ignore = "needs a live service"]
            async fn a_task_alone_behind_a_connection_without_requests() {
                a_task_alone(stringify!($setup), Direction::Requests).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            #[ignore = "needs a live service"]
            async fn a_server_that_is_a_second_away_is_waited_for() {
                a_distant_server(stringify!($setup)).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            #[ignore = "needs a live service"]
            async fn connections_that_are_cut_again_and_again() {
                survive(stringify!($setup), async |proxy, traffic| {
                    for _ in 0..20 {
                        traffic.until_reads(50, "between two cuts").await;
                        proxy.cut();
                    }
                })
                .await;
            }
        }
    )*};
    (@wire $setup:ident $($name:ident: $direction:ident, $fault:expr;)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        #[ignore = "needs a live service"]
        async fn $name() {
            wire(stringify!($setup), Direction::$direction, $fault).await;
        }
    )*};
}

faults! { redis valkey memcached }
