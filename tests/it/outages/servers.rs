//! Servers that are killed, restarted, paused, promoted, emptied and filled up while sixteen tasks
//! read. They are our own, so that nobody else is disturbed.

use std::time::Duration;

use larder_services::{Options, Server, Service, Setup};
use larder_testkit::FaultProxy;

use super::memcached_console;
use crate::support::{
    Bench, Engine, FarTier, PROCESSES, Traffic, address_of, eventually, with_address,
};

/// How many connections a server may have in the end: those of its peers, and a few per process,
/// which all of its tasks share. One process writes.
const CONNECTIONS_MAX: u64 = 20 + 8 * (PROCESSES as u64 + 1);

fn start(setup: Setup, options: &Options) -> Service {
    let service = tokio::task::block_in_place(|| larder_services::start_with(setup, options));
    service.unwrap_or_else(|error| panic!("{setup} does not start: {error:?}"))
}

/// Readers and a writer on servers of their own, through an outage and beyond it.
async fn survive(setup: Setup, happen: impl AsyncFn(&Service, &mut Traffic)) {
    let service = start(setup, &Options::new());
    survive_at(&service, service.url(), happen).await;
}

async fn survive_at(service: &Service, url: &str, happen: impl AsyncFn(&Service, &mut Traffic)) {
    let far = FarTier::Server { setup: service.setup().name(), url: url.to_owned() };
    let bench = Bench::new(Engine::Sqlite, far).await;
    let bench = bench.with_far_time_limit(Duration::from_millis(250));
    bench
        .run(async |bench| {
            let mut traffic = Traffic::start(&bench).await;
            happen(service, &mut traffic).await;
            traffic.until_hits("after the outage").await;
            traffic.until_acknowledged("after the outage").await;
            for server in service.servers() {
                let what = format!("the connections to {} are bounded", server.name());
                let bounded = |open| open <= CONNECTIONS_MAX;
                eventually(&what, async || connections(server).is_none_or(bounded)).await;
            }
            traffic.stop().await;
        })
        .await;
}

/// How many connections a server has, if it runs.
fn connections(server: &Server) -> Option<u64> {
    server.pid()?;
    if server.name().starts_with("memcached") {
        return memcached_console::connections(server.port());
    }
    let reply = tokio::task::block_in_place(|| server.commanded(&["INFO", "clients"])).ok()?;
    let text = reply.text()?.to_owned();
    let count = text.lines().find_map(|line| line.strip_prefix("connected_clients:"))?;
    count.trim().parse().ok()
}

/// Whatever blocks: starting, stopping, commands.
fn block<T, E: std::fmt::Debug>(work: impl FnOnce() -> Result<T, E>) -> T {
    tokio::task::block_in_place(work).unwrap()
}

async fn all_are_killed(setup: Setup) {
    survive(setup, async |service, traffic| {
        for _ in 0..3 {
            tokio::task::block_in_place(|| service.kill());
            traffic.until_reads(300, "without a server").await;
            block(|| service.servers().iter().try_for_each(Server::start));
            traffic.until_hits("after a crash").await;
        }
    })
    .await;
}

async fn all_are_restarted(setup: Setup) {
    survive(setup, async |service, traffic| {
        for _ in 0..3 {
            block(|| service.restart());
            traffic.until_hits("after a restart").await;
        }
    })
    .await;
}

async fn all_are_paused(setup: Setup) {
    survive(setup, async |service, traffic| {
        for _ in 0..2 {
            service.pause();
            traffic.until_reads(300, "while the servers stand still").await;
            service.resume();
            traffic.until_hits("after a pause").await;
        }
    })
    .await;
}

async fn one_after_the_other_is_killed(setup: Setup) {
    survive(setup, async |service, traffic| {
        for server in service.servers() {
            tokio::task::block_in_place(|| server.kill());
            traffic.until_reads(300, "without one of the servers").await;
            block(|| server.start());
            traffic.until_hits("after the crash of one").await;
        }
    })
    .await;
}

async fn one_after_the_other_is_paused(setup: Setup) {
    survive(setup, async |service, traffic| {
        for server in service.servers() {
            server.pause();
            traffic.until_reads(300, "while one of the servers stands still").await;
            server.resume();
            traffic.until_hits("after the pause of one").await;
        }
    })
    .await;
}

/// A server that comes back with what it had some time ago: entries and generations that were
/// valid then.
async fn an_old_dump_is_loaded(setup: Setup) {
    survive(setup, async |service, traffic| {
        let server = service.server(0);
        for _ in 0..3 {
            block(|| server.commanded(&["SAVE"]));
            traffic.until_acknowledged("after the dump").await;
            traffic.until_reads(300, "after the dump").await;
            tokio::task::block_in_place(|| server.kill());
            block(|| server.start());
            traffic.until_hits("with an old dump").await;
        }
    })
    .await;
}

/// Everything that an administrator may do to a server that goes on running.
async fn it_is_administered(setup: Setup) {
    survive(setup, async |service, traffic| {
        let server = service.server(0);
        let commands: &[&[&str]] = &[
            &["FLUSHALL"],
            &["SCRIPT", "FLUSH"],
            &["CLIENT", "KILL", "TYPE", "normal"],
            &["CLIENT", "PAUSE", "600", "ALL"],
            &["CONFIG", "SET", "timeout", "1"],
        ];
        for words in commands {
            block(|| server.commanded(words));
            traffic.until_reads(300, &words.join(" ")).await;
            traffic.until_hits(&words.join(" ")).await;
        }
    })
    .await;
}

async fn memory_runs_out(setup: Setup) {
    survive(setup, async |service, traffic| {
        let server = service.server(0);
        block(|| server.commanded(&["CONFIG", "SET", "maxmemory", "1"]));
        traffic.until_reads(500, "without any memory left").await;
        block(|| server.commanded(&["CONFIG", "SET", "maxmemory", "0"]));
    })
    .await;
}

/// Keys of all kinds are evicted all the time, generations and leases among them.
async fn anything_is_evicted(setup: Setup) {
    survive(setup, async |service, traffic| {
        let server = service.server(0);
        block(|| server.commanded(&["CONFIG", "SET", "maxmemory-policy", "allkeys-random"]));
        for _ in 0..5 {
            block(|| server.commanded(&["CONFIG", "SET", "maxmemory", "1"]));
            traffic.until_reads(100, "while everything is evicted").await;
            block(|| server.commanded(&["CONFIG", "SET", "maxmemory", "0"]));
            traffic.until_hits("after the eviction").await;
        }
    })
    .await;
}

/// A primary and its replica behind one address, which follows the primary.
async fn behind_one_address(happen: impl AsyncFn(&Service, &FaultProxy, &mut Traffic)) {
    let service = start(Setup::RedisReplicated, &Options::new());
    let proxy = FaultProxy::start(address_of(service.url())).await.unwrap();
    let url = with_address(service.url(), &proxy.address().to_string());
    survive_at(&service, &url, async |service, traffic| happen(service, &proxy, traffic).await)
        .await;
}

fn address(server: &Server) -> String {
    format!("127.0.0.1:{}", server.port())
}

async fn a_primary_dies_and_the_address_follows_the_replica() {
    behind_one_address(async |service, proxy, traffic| {
        let (primary, replica) = (service.server(0), service.server(1));
        tokio::task::block_in_place(|| primary.kill());
        traffic.until_reads(300, "without a primary").await;
        block(|| service.promote(replica));
        proxy.redirect(&address(replica));
        proxy.cut();
        traffic.until_hits("on the promoted replica").await;
        // The old primary comes back, as a replica, and is promoted again.
        block(|| primary.start());
        let port = replica.port().to_string();
        block(|| primary.commanded(&["REPLICAOF", "127.0.0.1", &port]));
        traffic.until_acknowledged("with the old primary back").await;
        block(|| service.promote(primary));
        proxy.redirect(&address(primary));
        proxy.cut();
        traffic.until_hits("after the failback").await;
    })
    .await;
}

/// Clients whose connections outlive the demotion would be answered by it for ever.
async fn a_primary_is_demoted_and_goes_on_answering() {
    behind_one_address(async |service, proxy, traffic| {
        let (primary, replica) = (service.server(0), service.server(1));
        block(|| service.promote(replica));
        proxy.redirect(&address(replica));
        let port = replica.port().to_string();
        block(|| primary.commanded(&["REPLICAOF", "127.0.0.1", &port]));
        traffic.until_reads(300, "after the demotion").await;
        traffic.until_hits("on the promoted replica, without a cut").await;
        traffic.until_acknowledged("on the promoted replica, without a cut").await;
    })
    .await;
}

async fn sentinels_elect_another_primary() {
    survive(Setup::RedisSentinel, async |service, traffic| {
        let dead = block(|| service.primary());
        tokio::task::block_in_place(|| dead.kill());
        traffic.until_reads(300, "without a primary").await;
        traffic.until_hits("on the elected primary").await;
        block(|| dead.start());
        traffic.until_acknowledged("with the old primary back").await;
    })
    .await;
}

async fn a_paused_primary_is_replaced_and_comes_back() {
    survive(Setup::RedisSentinel, async |service, traffic| {
        let paused = block(|| service.primary());
        paused.pause();
        traffic.until_hits("on the elected primary").await;
        traffic.until_acknowledged("on the elected primary").await;
        // It believes to be the primary until the sentinels tell it.
        paused.resume();
        traffic.until_reads(500, "with two that believe to be the primary").await;
    })
    .await;
}

async fn replicas_of_the_cluster_take_over() {
    survive(Setup::RedisCluster, async |service, traffic| {
        for replica in service.replicas() {
            block(|| service.promote(replica));
            traffic.until_hits("after a takeover").await;
        }
    })
    .await;
}

async fn a_primary_of_the_cluster_dies() {
    survive(Setup::RedisCluster, async |service, traffic| {
        let dead = block(|| service.primary());
        tokio::task::block_in_place(|| dead.kill());
        traffic.until_reads(300, "without a primary").await;
        traffic.until_hits("after the cluster has voted").await;
        block(|| dead.start());
        traffic.until_acknowledged("with the old primary back").await;
    })
    .await;
}

/// A Memcached that refuses what it has no room for.
async fn memcached_has_no_room() {
    let service = start(Setup::Memcached, &Options::new().with_args(["-M", "-m", "2"]));
    survive_at(&service, service.url(), async |service, traffic| {
        memcached_console::fill_up(service.port()).await;
        traffic.until_reads(500, "without any memory left").await;
        memcached_console::flush_all(service.port()).await;
    })
    .await;
}

async fn memcached_is_flushed() {
    survive(Setup::Memcached, async |service, traffic| {
        for _ in 0..10 {
            memcached_console::flush_all(service.port()).await;
            traffic.until_reads(50, "after a flush").await;
        }
    })
    .await;
}

macro_rules! outages {
    ($($module:ident { $($name:ident => $case:expr;)* })*) => {$(
        mod $module {
            use super::*;
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
                #[ignore = "needs a live service"]
                async fn $name() {
                    $case.await;
                }
            )*
        }
    )*};
}

outages! {
    redis {
        it_is_killed => all_are_killed(Setup::Redis);
        it_is_restarted => all_are_restarted(Setup::Redis);
        it_is_paused => all_are_paused(Setup::Redis);
        it_comes_back_with_an_old_dump => an_old_dump_is_loaded(Setup::Redis);
        it_is_administered => super::it_is_administered(Setup::Redis);
        its_memory_runs_out => memory_runs_out(Setup::Redis);
        anything_is_evicted => super::anything_is_evicted(Setup::Redis);
    }
    valkey {
        it_is_killed => all_are_killed(Setup::Valkey);
        it_is_restarted => all_are_restarted(Setup::Valkey);
        it_is_paused => all_are_paused(Setup::Valkey);
        it_comes_back_with_an_old_dump => an_old_dump_is_loaded(Setup::Valkey);
        it_is_administered => super::it_is_administered(Setup::Valkey);
        its_memory_runs_out => memory_runs_out(Setup::Valkey);
    }
    redis_replicated {
        a_primary_dies_and_the_address_follows_the_replica =>
            super::a_primary_dies_and_the_address_follows_the_replica();
        a_primary_is_demoted_and_goes_on_answering =>
            super::a_primary_is_demoted_and_goes_on_answering();
        one_after_the_other_is_paused =>
            super::one_after_the_other_is_paused(Setup::RedisReplicated);
    }
    redis_sentinel {
        all_are_restarted => super::all_are_restarted(Setup::RedisSentinel);
        another_primary_is_elected => sentinels_elect_another_primary();
        a_paused_primary_is_replaced_and_comes_back =>
            super::a_paused_primary_is_replaced_and_comes_back();
    }
    redis_cluster {
        all_are_killed => super::all_are_killed(Setup::RedisCluster);
        all_are_paused => super::all_are_paused(Setup::RedisCluster);
        one_after_the_other_is_killed => super::one_after_the_other_is_killed(Setup::RedisCluster);
        replicas_take_over => replicas_of_the_cluster_take_over();
        a_primary_dies => a_primary_of_the_cluster_dies();
    }
    memcached {
        it_is_killed => all_are_killed(Setup::Memcached);
        it_is_restarted => all_are_restarted(Setup::Memcached);
        it_is_paused => all_are_paused(Setup::Memcached);
        it_has_no_room => memcached_has_no_room();
        it_is_flushed => memcached_is_flushed();
    }
    memcached_fleet {
        all_are_killed => super::all_are_killed(Setup::MemcachedFleet);
        all_are_paused => super::all_are_paused(Setup::MemcachedFleet);
        one_after_the_other_is_killed =>
            super::one_after_the_other_is_killed(Setup::MemcachedFleet);
        one_after_the_other_is_paused =>
            super::one_after_the_other_is_paused(Setup::MemcachedFleet);
    }
}
