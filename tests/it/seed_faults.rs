//! How plain cache-aside deployments fail, case by case, and what happens here instead.
//!
//! Each case is one that a deployment of a few dozen lines of Python gets wrong on real engines: on
//! MariaDB with Redis, on PostgreSQL with Memcached. Here they run on these pairs, on the other way
//! round, and on SQLite in front of a cache file.

mod answers;
mod cache_trouble;
mod races;

use std::sync::Arc;

use crate::support::{Bench, Engine, FarTier};

fn run<F>(engine: &str, far: &'static str, case: fn(Arc<Bench>) -> F)
where
    F: Future<Output = ()>,
{
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let bench = Bench::new(Engine::named(engine), FarTier::named(far)).await;
        bench.run(case).await;
    });
}

/// The cases on one pair, each in a function of its own.
macro_rules! pair {
    ($(#[$attribute:meta])* $engine:ident $far:ident) => {
        mod $engine {
            mod $far {
                pair! {
                    @each [$(#[$attribute])*] $engine $far
                    answers [
                        a_colon_in_a_text_is_no_parameter
                        a_lifetime_beyond_thirty_days_is_no_date
                        a_lifetime_of_zero_or_less_is_an_error
                        a_result_above_a_mebibyte_is_served_and_counted
                        an_empty_result_is_cached
                        an_update_is_committed_and_counted
                        two_columns_of_one_name_are_both_kept
                        two_databases_share_a_cache_and_no_entry
                        types_and_values_are_the_same_on_miss_and_hit
                        variants_of_a_text_are_entries_of_their_own
                        what_is_not_there_is_invalidated_without_complaint
                    ]
                }
                pair! {
                    @each [$(#[$attribute])*] $engine $far
                    races [
                        a_write_while_a_reader_fills_wins
                        sixty_four_tasks_share_one_handle
                        twelve_tasks_run_a_cold_query_once
                    ]
                }
            }
        }
    };
    (@each $attributes:tt $engine:ident $far:ident $module:ident [$($case:ident)*]) => {
        $(pair! { @test $attributes $engine $far $module $case })*
    };
    (@test [$(#[$attribute:meta])*] $engine:ident $far:ident $module:ident $case:ident) => {
        #[test]
        $(#[$attribute])*
        fn $case() {
            crate::seed_faults::run(
                stringify!($engine),
                stringify!($far),
                crate::seed_faults::$module::$case,
            );
        }
    };
}

pair! { sqlite sqlite }
pair! { #[ignore = "needs a live service"] mariadb redis }
pair! { #[ignore = "needs a live service"] postgres memcached }
pair! { #[ignore = "needs a live service"] mysql valkey }
