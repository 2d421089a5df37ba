//! Every database with every far tier: the same scenarios, each answer compared with the one that
//! the database gives without a cache, byte for byte.
//!
//! A test's path names its cell: `matrix::postgres::redis_cluster::joins_and_views…` needs both.

mod answers;
mod invalidation;
mod lifetime;
mod tables;

use std::sync::Arc;

use crate::support::{Bench, Engine, FarTier};

/// Runs one scenario in one cell, on two threads.
fn run<F>(engine: &str, far: &'static str, scenario: fn(Arc<Bench>) -> F)
where
    F: Future<Output = ()>,
{
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let bench = Bench::new(Engine::named(engine), FarTier::named(far)).await;
        bench.run(scenario).await;
    });
}

/// The tests of one cell, each in a function of its own.
macro_rules! cell {
    ($(#[$attribute:meta])* $engine:ident $far:ident) => {
        mod $far {
            cell! {
                @each [$(#[$attribute])*] $engine $far
                answers [
                    a_large_answer_is_the_same
                    a_row_alone_a_value_alone_and_no_row
                    an_answer_above_a_mebibyte_is_served
                    an_empty_answer_is_cached
                    every_character_survives
                    joins_aggregates_ctes_and_views
                    parameters_of_every_type
                    rows_of_every_type
                    typed_rows_of_every_type
                ]
            }
            cell! {
                @each [$(#[$attribute])*] $engine $far
                invalidation [
                    a_near_tier_elsewhere_follows_within_its_bound
                    a_rollback_invalidates_nothing_and_a_commit_does
                    a_write_is_seen_by_another_process_at_once
                    what_is_behind_a_view_invalidates_it
                ]
            }
            cell! {
                @each [$(#[$attribute])*] $engine $far
                lifetime [
                    an_answer_expires
                    fifty_tasks_load_once
                    refresh_and_invalidate
                ]
            }
        }
    };
    (@each $attributes:tt $engine:ident $far:ident $module:ident [$($scenario:ident)*]) => {
        $(cell! { @test $attributes $engine $far $module $scenario })*
    };
    (@test [$(#[$attribute:meta])*] $engine:ident $far:ident $module:ident $scenario:ident) => {
        #[test]
        $(#[$attribute])*
        fn $scenario() {
            crate::matrix::run(
                stringify!($engine),
                stringify!($far),
                crate::matrix::$module::$scenario,
            );
        }
    };
}

/// The cells of one database on a server: every one needs a live service.
macro_rules! database {
    ($engine:ident: $($far:ident)*) => {
        mod $engine {
            $(cell! { #[ignore = "needs a live service"] $engine $far })*
        }
    };
}

mod sqlite {
    cell! { sqlite memory }
    cell! { sqlite moka }
    cell! { sqlite sqlite }
    cell! { #[ignore = "needs a live service"] sqlite redis }
    cell! { #[ignore = "needs a live service"] sqlite valkey }
    cell! { #[ignore = "needs a live service"] sqlite redis_cluster }
    cell! { #[ignore = "needs a live service"] sqlite memcached }
}
database! { postgres: memory moka sqlite redis valkey redis_cluster memcached }
database! { mysql: memory moka sqlite redis valkey redis_cluster memcached }
database! { mariadb: memory moka sqlite redis valkey redis_cluster memcached }
