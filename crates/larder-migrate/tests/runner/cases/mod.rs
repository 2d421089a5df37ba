//! What holds on every database: cases are plain functions over a database of one's own, and each
//! database's module has a test for each of them.

pub(crate) mod ensure;
pub(crate) mod failures;
pub(crate) mod fanout;
pub(crate) mod interludes;
pub(crate) mod locks;
pub(crate) mod plans;
pub(crate) mod registry;
pub(crate) mod rights;

/// Runs a case on a database that is dropped afterwards, if the case ended well.
macro_rules! case {
    ($open:path, $(#[$attribute:meta])* $group:ident :: $name:ident) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        $(#[$attribute])*
        async fn $name() {
            let scratch = $open().await;
            crate::cases::$group::$name(&scratch).await;
            scratch.drop().await;
        }
    };
}
pub(crate) use case;

macro_rules! for_every_database {
    ($open:path $(, ignore = $why:literal)?) => {
        crate::cases::for_every_database!(@ ($open $(, #[ignore = $why])?)
            ensure::a_fresh_database_gets_the_table_once
            ensure::a_table_that_is_there_is_a_baseline
            ensure::what_nobody_asked_for_stays
            ensure::rows_that_refer_to_a_changed_table_stay
            ensure::drift_is_noticed_and_mended
            ensure::nothing_is_changed_by_the_second_start
            ensure::a_false_alarm_leads_to_no_comparison
            ensure::a_refused_model_stands_in_nobodys_way
            ensure::two_models_may_describe_one_table
            ensure::two_models_may_have_one_name
            ensure::a_suspected_rename_is_refused
            ensure::a_suspected_rename_is_settled_by_the_model
            ensure::the_epoch_tells_others_of_a_change
            ensure::the_identity_does_not_depend_on_the_way
            failures::a_failure_leaves_no_lock_behind
            failures::a_failed_step_is_told_and_mended
            failures::a_dropped_run_is_gone_on_with
            failures::a_broken_connection_is_replaced
            locks::a_waiting_run_names_the_holder_at_its_deadline
            locks::a_killed_holder_makes_nobody_wait
            locks::a_lease_is_given_up_with_the_lock
            locks::an_index_is_built_while_others_wait
            locks::a_second_run_waits_and_finds_the_work_done
            plans::a_check_is_asked_of_the_rows_before_it_is_added
            plans::a_plan_survives_its_json_and_is_applied
            plans::a_plan_for_another_schema_is_refused
            plans::a_plan_is_applied_as_far_as_the_policy_goes
            plans::adoption_changes_nothing
            plans::adoption_of_another_table_is_refused
            plans::a_dump_recreates_the_schema
            plans::a_migration_is_repaired_by_hand
            registry::a_registry_of_the_four_columns_is_completed
            registry::a_registry_of_an_older_program_is_completed
            registry::a_way_back_is_a_migration_of_its_own
            registry::a_table_of_somebody_else_is_left_alone
            registry::a_later_format_is_not_touched
            registry::a_registry_that_was_begun_halfway_is_completed
            registry::names_that_are_too_long_are_refused_before_anything_runs
            registry::applications_share_a_registry
            registry::prefixes_keep_registries_apart
            registry::a_declaration_without_consequences_is_skipped
            storm_cases::many_processes_start_at_once
            killed_cases::a_process_may_be_killed_at_every_statement
            kept_cases::a_reference_outlives_a_run_that_is_killed_at_any_statement
            kept_cases::what_mentions_a_renamed_column_outlives_a_killed_run
        );
    };
    (@ $context:tt $($group:ident :: $name:ident)*) => {
        $(crate::cases::for_every_database!(@@ $context $group $name);)*
    };
    (@@ ($open:path $(, #[$attribute:meta])?) $group:ident $name:ident) => {
        crate::cases::case!($open, $(#[$attribute])? $group::$name);
    };
}
pub(crate) use for_every_database;

macro_rules! for_every_server {
    ($open:path) => {
        crate::cases::for_every_database!(@ ($open, #[ignore = "needs a live service"])
            fanout::databases_of_two_kinds_have_plans_of_their_own
            interludes::a_reference_comes_back_on_the_way_back
            interludes::a_reference_comes_back_whatever_else_is_refused
            interludes::a_reference_that_was_dropped_is_not_brought_back
            interludes::a_run_that_fails_puts_a_reference_back
            interludes::a_table_without_a_model_keeps_its_reference
            interludes::rows_that_break_a_missing_reference_are_told
            locks::a_busy_table_is_waited_for
            locks::a_holder_at_work_is_left_alone
            locks::a_holder_that_comes_back_late_ends_with_an_error
            locks::a_stopped_process_is_overtaken
            rights::a_role_that_only_reads_verifies
            rights::what_a_role_may_not_do_is_told
        );
    };
}
pub(crate) use for_every_server;

pub(crate) use crate::{kept as kept_cases, killed as killed_cases, storm as storm_cases};
