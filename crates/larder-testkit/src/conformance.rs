//! The list of all cases, and the macros that turn it into tests. Names only, no logic.

/// Generates one test per conformance case, for the named groups.
///
/// The groups are `core`, `ttl`, `batch`, `add`, `touch`, `clear`, `watch`, `shared` and
/// `persistent`. `core` and `ttl` are for every backend; each of the others belongs to the field of
/// [`Capability`](larder_core::Capability) with the same name, and a guard among the generated
/// tests fails if the list and the claims differ. Attributes in front of the fixture's type are put
/// on every test: `#[ignore = "needs a live service"]`.
///
/// All tests are in a module `conformance`; two invocations in one file go into two modules. The
/// fixture is anything that implements [`Fixture`](crate::Fixture); see the crate's page for an
/// example.
#[macro_export]
macro_rules! conformance {
    ($(#[$attribute:meta])* $fixture:ty, [$($group:ident),+ $(,)?]) => {
        $crate::conformance! { @groups { [$(#[$attribute])*] $fixture } $($group)+ }
    };
    (@groups $context:tt $($group:ident)+) => {
        mod conformance {
            #[allow(unused_imports)]
            use super::*;

            $( $crate::__cases! { [$crate::__tests] $context $group } )+
            $crate::__guards! { $context $($group)+ }
        }
    };
}

/// Generates the test that compares a backend with the model, under random sequences of calls.
///
/// `state_machine!(MyFixture)` runs 64 sequences, `state_machine!(MyFixture, 256)` as many as it
/// says; the environment variable `PROPTEST_CASES` outranks both. Attributes go in front, as in
/// [`conformance!`](crate::conformance). What once failed is kept in
/// `proptest-regressions/state_machine.txt` of the backend's crate and tried first.
#[macro_export]
macro_rules! state_machine {
    ($(#[$attribute:meta])* $fixture:ty) => {
        $crate::state_machine! { $(#[$attribute])* $fixture, 64 }
    };
    ($(#[$attribute:meta])* $fixture:ty, $cases:expr) => {
        #[test]
        $(#[$attribute])*
        fn backend_behaves_like_the_model() {
            $crate::run_state_machine::<$fixture>($cases);
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __tests {
    ({ $attributes:tt $fixture:ty } $group:ident $($case:ident)+) => {
        mod $group {
            #[allow(unused_imports)]
            use super::*;

            $( $crate::__test! { $attributes $fixture, $crate::cases::$group::$case, $case } )+
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __test {
    ([$(#[$attribute:meta])*] $fixture:ty, $body:path, $name:ident) => {
        #[test]
        $(#[$attribute])*
        fn $name() {
            $crate::run::<$fixture>($body);
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __guards {
    ({ [$(#[$attribute:meta])*] $fixture:ty } $($group:ident)+) => {
        #[test]
        $(#[$attribute])*
        fn the_capability_matches_the_groups_that_run() {
            $crate::run_guard::<$fixture>(&[$(stringify!($group)),+]);
        }

        #[test]
        $(#[$attribute])*
        fn two_stores_never_meet() {
            $crate::run_isolation::<$fixture>();
        }
    };
}

/// The one list of all cases: hands the names of one group to another macro.
#[doc(hidden)]
#[macro_export]
macro_rules! __cases {
    ([$($callback:tt)+] $context:tt core) => {
        $($callback)+! { $context core
            // entries
            what_was_never_stored_reads_as_miss
            what_was_put_is_read
            put_replaces_what_is_there
            a_removed_entry_reads_as_miss
            values_come_back_byte_for_byte
            an_empty_value_is_found
            hostile_names_are_distinct_keys
            tuples_that_look_alike_are_distinct_keys
            keys_that_differ_in_one_bit_or_in_space_are_distinct
            // sizes
            a_value_of_the_declared_limit_is_stored
            a_put_beyond_the_limit_changes_nothing
            a_fill_beyond_the_limit_keeps_entry_and_lease
            // leases
            the_first_loader_wins_and_the_others_wait
            exactly_one_of_many_concurrent_loaders_wins
            a_lease_that_ran_out_goes_to_the_next_loader
            a_lease_holds_until_its_time_is_over
            the_shortest_lease_is_not_for_ever
            a_renewed_lease_holds_from_the_renewal_on
            a_released_lease_goes_to_the_next_loader_at_once
            what_is_not_the_lease_neither_renews_nor_releases
            a_live_entry_is_found_instead_of_leased
            the_dead_entry_is_leased_and_stays_until_the_fill
            the_successor_of_a_dead_entry_is_found
            bytes_without_an_id_are_found
            // fills
            a_fill_stores_and_ends_the_lease
            exactly_one_of_many_concurrent_fills_is_stored
            a_fill_without_a_lease_is_refused
            a_fill_with_the_wrong_lease_is_refused
            a_fill_after_remove_is_refused
            a_fill_after_put_is_refused
            invalidating_one_key_refuses_no_other_fill
            a_fill_that_races_with_a_remove_leaves_nothing
            a_fill_that_races_with_a_put_loses
            // generations
            reading_creates_no_generation
            a_missing_generation_is_created_once
            concurrent_creations_agree
            a_bump_always_changes_the_generation
            a_bump_leaves_other_tags_alone
            tags_that_look_alike_are_distinct
            generations_never_return
            sixty_four_tags_are_answered_in_order
            no_tags_are_answered_with_no_stamps
            a_tag_named_twice_has_one_generation
            a_creation_that_races_with_a_bump_does_not_undo_it
            concurrent_bumps_all_change_the_generation
            // protocol
            a_miss_is_filled_and_then_hit
            a_bump_during_the_load_makes_the_fill_dead_on_arrival
            a_bump_invalidates_exactly_what_depends_on_it
            an_invalidated_entry_is_loaded_anew
            whoever_waited_finds_what_was_filled
            damaged_entries_come_back_unchanged_and_are_rejected
            // hygiene
            the_epoch_does_not_change_while_open
            health_says_what_answered
            stats_count_what_was_done
            the_capability_is_constant
            nothing_printed_shows_a_key_or_a_value
            // cancellation
            a_read_that_is_given_up_disturbs_nobody
            a_put_that_is_given_up_is_whole_or_nothing
            a_remove_that_is_given_up_is_whole_or_nothing
            a_lease_that_is_given_up_has_one_holder_at_most
            a_fill_that_is_given_up_is_whole_or_nothing
            a_bump_that_is_given_up_leaves_one_generation
            optional_verbs_that_are_given_up_are_whole_or_nothing
        }
    };
    ([$($callback:tt)+] $context:tt ttl) => {
        $($callback)+! { $context ttl
            a_put_entry_lives_as_long_as_asked
            a_filled_entry_lives_as_long_as_asked
            a_put_starts_the_lifetime_anew
            looking_at_an_entry_does_not_prolong_its_life
            an_expired_entry_is_gone_for_every_verb
            a_generation_outlives_short_entries
        }
    };
    ([$($callback:tt)+] $context:tt batch) => {
        $($callback)+! { $context batch
            read_many_answers_in_order
            read_many_of_nothing_is_nothing
            read_many_answers_duplicates
            read_many_takes_a_thousand_keys
            remove_many_counts_what_was_there
            remove_many_takes_a_thousand_keys
            a_fill_after_remove_many_is_refused
        }
    };
    ([$($callback:tt)+] $context:tt add) => {
        $($callback)+! { $context add
            add_stores_only_what_is_absent
            add_takes_an_empty_value_for_one
            exactly_one_of_many_concurrent_adds_stores
            a_fill_after_add_is_refused
            an_add_that_stores_nothing_ends_no_lease
            an_add_beyond_the_limit_stores_nothing
            an_added_entry_lives_as_long_as_asked
            an_add_that_stores_nothing_prolongs_nothing
        }
    };
    ([$($callback:tt)+] $context:tt touch) => {
        $($callback)+! { $context touch
            touch_starts_the_lifetime_anew
            touch_of_an_absent_entry_does_nothing
            touch_does_not_see_a_lease
            touch_leaves_the_value_alone
            a_touched_entry_lives_as_long_as_asked
        }
    };
    ([$($callback:tt)+] $context:tt clear) => {
        $($callback)+! { $context clear
            a_cleared_namespace_is_empty_and_works_on
            a_cleared_entry_is_absent_for_optional_verbs
            a_fill_after_clear_is_refused
            a_cleared_entry_is_leased_not_found
            tags_work_after_clear
            a_fill_that_races_with_a_clear_leaves_nothing
        }
    };
    ([$($callback:tt)+] $context:tt watch) => {
        $($callback)+! { $context watch
            a_bump_is_heard_before_the_feed_is_alive
            a_feed_hears_from_its_first_moment_on
            all_feeds_hear_all_bumps
            a_dropped_feed_disturbs_nobody
            a_slow_listener_misses_nothing_silently
            clear_resets_every_feed
        }
    };
    ([$($callback:tt)+] $context:tt shared) => {
        $($callback)+! { $context shared
            both_handles_have_one_epoch
            both_handles_see_the_same_entries
            a_lease_holds_against_the_other_handle
            exactly_one_loader_of_both_handles_wins
            the_other_handles_invalidation_refuses_the_fill
            a_fill_here_that_races_with_a_remove_there_leaves_nothing
            the_other_handles_bump_invalidates
            creations_through_both_handles_agree
            a_renewed_lease_holds_against_the_other_handle
            a_feed_hears_the_other_handles_bumps
            closing_one_handle_leaves_the_other_open
        }
    };
    ([$($callback:tt)+] $context:tt persistent) => {
        $($callback)+! { $context persistent
            entries_and_epoch_survive
            a_filled_entry_is_still_a_hit
            a_bump_is_not_undone
            a_late_fill_stays_refused
            a_lease_has_one_holder_at_most
            an_entry_expires_while_closed
            a_cleared_namespace_stays_empty
        }
    };
}
