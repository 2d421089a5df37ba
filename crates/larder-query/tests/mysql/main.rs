//! The driver for MySQL and MariaDB against real servers.
//!
//! Every case is run on both: the path of a test says which server it needs.

#![cfg(feature = "mysql")]

mod cached;
mod connecting;
mod encryption;
mod fixture;
mod functions;
mod moments;
mod sessions;
mod statements;
mod transactions;

use fixture::Fixture;

/// Makes a test of each named case, in each module named after a server.
macro_rules! on_both_servers {
    ($($group:ident: $($case:ident)+;)+) => {
        mod mysql {
            $(mod $group {$(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                #[ignore = "needs a live service"]
                async fn $case() {
                    crate::fixture::run("LARDER_MYSQL_URL", crate::$group::$case).await;
                }
            )+})+
        }

        mod mariadb {
            $(mod $group {$(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                #[ignore = "needs a live service"]
                async fn $case() {
                    crate::fixture::run("LARDER_MARIADB_URL", crate::$group::$case).await;
                }
            )+})+
        }
    };
}

on_both_servers! {
    cached:
        a_miss_is_followed_by_hits_of_equal_value
        every_type_is_the_same_from_the_database_and_from_the_cache
        a_write_invalidates_what_depends_on_its_tables_and_nothing_else
        views_triggers_and_cascades_are_followed
        a_write_through_a_view_reaches_its_tables
        a_function_that_may_write_invalidates_everything
        a_view_that_is_redefined_is_looked_into_again
        a_trigger_that_somebody_else_makes_is_followed_by_the_next_write
        a_view_that_somebody_else_redefines_is_not_stored_under_the_tables_of_the_old_one
        a_trigger_that_waits_for_a_lock_while_the_catalog_is_read_is_not_missed
        a_table_of_another_database_is_the_same_for_whoever_writes_it
        who_may_not_see_triggers_invalidates_everything
        a_view_whose_definition_is_hidden_is_not_cached
        a_rollback_invalidates_nothing_and_a_commit_does
        a_transaction_that_the_database_ended_by_itself_is_invalidated_however_it_ends
        a_text_that_fails_half_way_invalidates_what_came_before
        a_routine_invalidates_everything
        tables_in_memory_and_sequences_are_not_cached
        an_empty_answer_is_cached
        what_a_session_sets_is_gone_with_its_connection
        other_accounts_and_other_databases_are_other_entries
        an_error_of_the_database_passes_through_and_is_not_cached
        many_tasks_that_miss_one_query_ask_the_database_once;
    connecting:
        one_database_has_one_identity_whatever_its_address
        the_server_decides_which_engine_it_is
        a_wrong_password_is_refused_and_not_shown
        a_port_without_a_server_is_refused
        a_server_of_another_kind_does_not_hang
        a_server_that_closes_at_once_is_an_error
        health_says_what_was_found
        quotes_mean_what_they_did_whatever_a_session_sets
        after_closing_nothing_works
        no_free_connection_is_reported_as_such
        a_connection_that_the_server_closed_is_replaced
        connections_are_bounded_and_reused;
    functions:
        what_may_be_cached_is_deterministic_to_the_server;
    moments:
        moments_go_out_and_come_back_through_chrono
        dates_that_no_calendar_has_are_errors_that_name_the_column
        times_may_be_negative_and_longer_than_a_day
        timestamps_are_utc_and_datetimes_are_not;
    sessions:
        the_sql_mode_is_the_servers
        statements_that_change_the_session_leave_nothing_behind
        every_session_is_set_up_alike
        nothing_uncommitted_is_read;
    statements:
        parameters_come_back_as_they_went
        parameters_without_a_type_become_the_documented_ones
        what_the_server_has_no_value_for_is_refused
        every_column_type_is_read_exactly
        every_column_type_may_be_null
        a_decimal_is_compared_as_one
        parameters_keep_their_type_whatever_came_before
        text_of_every_character_set_arrives
        text_and_prepared_statements_agree
        too_few_and_too_many_parameters_are_errors
        colons_and_comments_are_left_alone
        an_empty_result_has_its_columns
        a_star_follows_its_table
        one_row_is_read_if_one_is_wanted
        rows_of_two_statements_are_not_mixed
        several_statements_run_in_one_text
        rows_are_counted_as_found
        the_databases_errors_have_kinds_and_keep_their_words
        a_long_text_goes_both_ways
        bytes_find_uuids;
    transactions:
        a_commit_keeps_and_a_rollback_undoes
        a_dropped_transaction_is_undone
        a_begin_that_is_dropped_leaves_nothing_behind
        a_commit_that_is_dropped_goes_on
        a_statement_that_is_dropped_costs_its_connection_only
        a_statement_that_is_dropped_ends_its_transaction
        statements_do_not_begin_or_end_transactions
        a_change_of_the_schema_is_refused_within_a_transaction
        a_routine_that_commits_ends_the_transaction
        after_a_deadlock_the_transaction_is_over
        after_a_lock_timeout_it_goes_on
        a_failed_statement_leaves_the_transaction_open
        writers_wait_for_each_other;
}

/// The same for setups that need no database of their own.
macro_rules! in_setups {
    ($($setup:ident: $variable:literal: $($case:ident)+;)+) => {
        $(mod $setup {$(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            #[ignore = "needs a live service"]
            async fn $case() {
                crate::encryption::$case($variable).await;
            }
        )+})+
    };
}

in_setups! {
    mysql_tls: "LARDER_MYSQL_TLS_URL":
        a_certificate_that_is_trusted_is_taken
        a_certificate_of_somebody_else_is_refused
        without_verification_it_is_encrypted_and_health_says_so
        plain_text_is_never_fallen_back_to;
    mariadb_tls: "LARDER_MARIADB_TLS_URL":
        a_certificate_that_is_trusted_is_taken
        a_certificate_of_somebody_else_is_refused
        without_verification_it_is_encrypted_and_health_says_so
        plain_text_is_never_fallen_back_to;
    mariadb_unix: "LARDER_MARIADB_UNIX_URL":
        a_socket_is_a_way_to_the_same_database;
}
