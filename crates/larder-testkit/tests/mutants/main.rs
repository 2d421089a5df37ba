//! The checkers can fail: each planted flaw is found by the case that is meant to find it.
//!
//! And they do not fail for nothing: the backend without a flaw passes all of them, and so do
//! those that are only slower, coarser, smaller or simpler.

mod twist;
mod twisted;

use std::panic::catch_unwind;

use larder_testkit::{
    Case, cases, conformance, differs_from_model, run, run_guard, run_isolation, state_machine,
};

use twist::Twist;
use twisted::Store;

type Sound = Store<{ Twist::None as usize }>;

conformance!(Sound, [core, ttl, batch, add, touch, clear, watch, shared, persistent]);
state_machine!(Sound, 16);

mod coarse_clock {
    use super::*;

    type CoarseClock = Store<{ Twist::CoarseClock as usize }>;

    conformance!(CoarseClock, [core, ttl, batch, add, touch, clear, watch, shared, persistent]);
    state_machine!(CoarseClock);
}

mod protocol_only {
    use super::*;

    type ProtocolOnly = Store<{ Twist::ProtocolOnly as usize }>;

    conformance!(ProtocolOnly, [core, ttl, shared, persistent]);
    state_machine!(ProtocolOnly);
}

mod real_time {
    use super::*;

    type RealTime = Store<{ Twist::RealTime as usize }>;

    conformance!(RealTime, [core, ttl, batch, add, touch, clear, watch, shared, persistent]);
    state_machine!(
        #[cfg_attr(miri, ignore = "waits for real time")]
        RealTime,
        16
    );
}

mod small_values {
    use super::*;

    type SmallValues = Store<{ Twist::SmallValues as usize }>;

    conformance!(SmallValues, [core, ttl, batch, add, touch, clear, watch, shared, persistent]);
    state_machine!(SmallValues, 16);
}

mod evicting {
    use super::*;

    type Forgets = Store<{ Twist::Forgets as usize }>;

    state_machine!(Forgets);
}

const GROUPS: [&str; 9] = cases::GROUPS;

fn case(group: &str, name: &str) -> Case {
    let found = cases::group(group).into_iter().find(|c| c.name == name);
    found.unwrap_or_else(|| panic!("there is no case {group}::{name}"))
}

#[track_caller]
fn fails<const TWIST: usize>(group: &str, name: &str) {
    let case = case(group, name);
    let result = catch_unwind(|| run::<Store<TWIST>>(case.run));
    assert!(result.is_err(), "{group}::{name} does not find the flaw");
}

/// One test per flaw: the cases that must find it, and `model` if the state machine must, too.
macro_rules! planted {
    ($($test:ident: $twist:ident => [$($group:ident::$case:ident),+] $($model:ident)?;)+) => {
        $(
            #[test]
            fn $test() {
                $( fails::<{ Twist::$twist as usize }>(stringify!($group), stringify!($case)); )+
                $( planted!(@ $model $twist); )?
            }
        )+
    };
    (@ model $twist:ident) => {
        let found = differs_from_model::<Store<{ Twist::$twist as usize }>>(512);
        assert!(found.is_some(), "the state machine does not find the flaw");
    };
}

planted! {
    an_add_that_overwrites_is_found: AddOverwrites => [
        add::add_stores_only_what_is_absent,
        add::add_takes_an_empty_value_for_one
    ] model;
    an_add_that_is_not_atomic_is_found: AddIsNotAtomic => [
        add::exactly_one_of_many_concurrent_adds_stores
    ];
    a_bump_that_does_nothing_is_found: BumpDoesNothing => [
        core::a_bump_always_changes_the_generation,
        core::a_bump_during_the_load_makes_the_fill_dead_on_arrival,
        core::a_bump_leaves_other_tags_alone,
        core::a_bump_invalidates_exactly_what_depends_on_it,
        core::generations_never_return,
        shared::the_other_handles_bump_invalidates,
        persistent::a_bump_is_not_undone,
        watch::a_bump_is_heard_before_the_feed_is_alive
    ] model;
    a_clear_that_does_nothing_is_found: ClearDoesNothing => [
        clear::a_cleared_namespace_is_empty_and_works_on,
        clear::a_cleared_entry_is_absent_for_optional_verbs,
        clear::a_fill_after_clear_is_refused,
        clear::a_cleared_entry_is_leased_not_found,
        clear::a_fill_that_races_with_a_clear_leaves_nothing,
        persistent::a_cleared_namespace_stays_empty,
        watch::clear_resets_every_feed
    ] model;
    a_creation_that_is_not_atomic_is_found: CreationIsNotAtomic => [
        core::concurrent_creations_agree,
        shared::creations_through_both_handles_agree
    ];
    a_dead_entry_that_is_found_is_found: DeadEntryIsFound => [
        core::the_dead_entry_is_leased_and_stays_until_the_fill,
        core::an_invalidated_entry_is_loaded_anew
    ] model;
    debug_output_with_keys_is_found: DebugShowsKeys => [
        core::nothing_printed_shows_a_key_or_a_value
    ];
    an_empty_value_that_is_missed_is_found: EmptyIsMiss => [
        core::an_empty_value_is_found,
        core::values_come_back_byte_for_byte
    ];
    an_epoch_that_changes_is_found: EpochIsNotStable => [
        core::the_epoch_does_not_change_while_open,
        core::a_miss_is_filled_and_then_hit
    ];
    a_fill_without_a_token_check_is_found: FillIgnoresToken => [
        core::a_fill_without_a_lease_is_refused,
        core::a_fill_with_the_wrong_lease_is_refused,
        core::a_fill_stores_and_ends_the_lease,
        core::a_fill_after_remove_is_refused,
        core::a_fill_after_put_is_refused,
        core::a_lease_that_ran_out_goes_to_the_next_loader,
        core::exactly_one_of_many_concurrent_fills_is_stored,
        core::a_fill_that_is_given_up_is_whole_or_nothing,
        add::a_fill_after_add_is_refused,
        batch::a_fill_after_remove_many_is_refused,
        clear::a_fill_after_clear_is_refused,
        shared::the_other_handles_invalidation_refuses_the_fill,
        persistent::a_late_fill_stays_refused
    ] model;
    a_fill_without_an_epoch_check_is_found: FillIgnoresEpoch => [
        core::a_fill_with_the_wrong_lease_is_refused
    ];
    a_truncated_key_is_found: KeyIsTruncated => [
        core::keys_that_differ_in_one_bit_or_in_space_are_distinct
    ];
    a_lease_that_is_granted_twice_is_found: LeaseIsGrantedTwice => [
        core::the_first_loader_wins_and_the_others_wait,
        core::exactly_one_of_many_concurrent_loaders_wins,
        core::whoever_waited_finds_what_was_filled,
        shared::a_lease_holds_against_the_other_handle,
        shared::exactly_one_loader_of_both_handles_wins
    ] model;
    a_lease_that_is_for_ever_is_found: LeaseOfZeroIsForEver => [
        core::the_shortest_lease_is_not_for_ever
    ];
    a_limit_that_is_not_kept_is_found: LimitIsIgnored => [
        core::a_put_beyond_the_limit_changes_nothing,
        core::a_fill_beyond_the_limit_keeps_entry_and_lease,
        add::an_add_beyond_the_limit_stores_nothing
    ];
    a_long_life_that_ends_at_once_is_found: LongLifeEndsAtOnce => [
        ttl::a_put_entry_lives_as_long_as_asked,
        ttl::a_filled_entry_lives_as_long_as_asked,
        add::an_added_entry_lives_as_long_as_asked,
        touch::a_touched_entry_lives_as_long_as_asked
    ];
    a_life_for_ever_that_the_store_admits_is_found: RealTimeForEver => [
        ttl::a_put_entry_lives_as_long_as_asked,
        ttl::a_filled_entry_lives_as_long_as_asked
    ];
    a_put_that_keeps_the_lease_is_found: PutKeepsLease => [
        core::a_fill_after_put_is_refused,
        core::a_fill_that_races_with_a_put_loses
    ] model;
    a_put_in_two_steps_is_found: PutIsNotAtomic => [
        core::a_put_that_is_given_up_is_whole_or_nothing
    ];
    a_read_that_creates_generations_is_found: ReadCreatesGenerations => [
        core::reading_creates_no_generation
    ] model;
    an_unordered_batch_is_found: ReadManyIsUnordered => [
        batch::read_many_answers_in_order,
        batch::read_many_takes_a_thousand_keys
    ] model;
    a_release_that_does_nothing_is_found: ReleaseDoesNothing => [
        core::a_released_lease_goes_to_the_next_loader_at_once,
        core::what_is_not_the_lease_neither_renews_nor_releases
    ] model;
    a_wrong_count_is_found: RemoveManyCountsRequests => [
        batch::remove_many_counts_what_was_there,
        batch::remove_many_takes_a_thousand_keys,
        ttl::an_expired_entry_is_gone_for_every_verb
    ] model;
    a_remove_that_keeps_the_lease_is_found: RemoveKeepsLease => [
        core::a_fill_after_remove_is_refused,
        core::a_fill_that_races_with_a_remove_leaves_nothing
    ] model;
    a_renewal_that_does_nothing_is_found: RenewDoesNothing => [
        core::a_renewed_lease_holds_from_the_renewal_on,
        core::what_is_not_the_lease_neither_renews_nor_releases
    ] model;
    a_key_space_that_is_ignored_is_found: SpaceIsIgnored => [
        core::keys_that_differ_in_one_bit_or_in_space_are_distinct
    ];
    counts_that_stand_still_are_found: StatsAreEmpty => [
        core::stats_count_what_was_done
    ];
    a_truncated_tag_is_found: TagIsTruncated => [
        core::tags_that_look_alike_are_distinct
    ];
    a_touch_that_does_nothing_is_found: TouchDoesNothing => [
        touch::touch_starts_the_lifetime_anew,
        touch::a_touched_entry_lives_as_long_as_asked
    ] model;
    a_lifetime_that_is_ignored_is_found: TtlIsIgnored => [
        ttl::a_put_entry_lives_as_long_as_asked,
        ttl::a_filled_entry_lives_as_long_as_asked,
        ttl::a_put_starts_the_lifetime_anew,
        ttl::looking_at_an_entry_does_not_prolong_its_life,
        ttl::an_expired_entry_is_gone_for_every_verb,
        add::an_added_entry_lives_as_long_as_asked,
        persistent::an_entry_expires_while_closed
    ] model;
    a_lifetime_that_is_rounded_down_is_found: TtlRoundsDown => [
        ttl::a_put_entry_lives_as_long_as_asked,
        touch::a_touched_entry_lives_as_long_as_asked
    ] model;
    a_truncated_value_is_found: ValueIsTruncated => [
        core::values_come_back_byte_for_byte,
        core::a_value_of_the_declared_limit_is_stored,
        core::damaged_entries_come_back_unchanged_and_are_rejected
    ];
    a_deaf_feed_is_found: WatchIsDeaf => [
        watch::a_bump_is_heard_before_the_feed_is_alive,
        watch::a_feed_hears_from_its_first_moment_on,
        watch::all_feeds_hear_all_bumps,
        watch::a_dropped_feed_disturbs_nobody,
        watch::a_slow_listener_misses_nothing_silently,
        watch::clear_resets_every_feed,
        shared::a_feed_hears_the_other_handles_bumps
    ];
}

#[test]
fn a_store_without_room_for_the_cases_is_found() {
    fails::<{ Twist::Forgets as usize }>("core", "hostile_names_are_distinct_keys");
}

#[test]
fn stores_that_are_one_are_found() {
    type OneForAll = Store<{ Twist::StoresAreShared as usize }>;
    assert!(catch_unwind(run_isolation::<OneForAll>).is_err());
}

#[test]
fn a_claim_that_is_not_kept_is_found_by_its_group() {
    type Boaster = Store<{ Twist::ClaimsWhatItLacks as usize }>;
    for case in cases::group("touch") {
        let result = catch_unwind(|| run::<Boaster>(case.run));
        assert!(result.is_err(), "{}", case.name);
    }
}

#[test]
fn groups_and_claims_that_differ_are_found() {
    for left_out in GROUPS {
        let groups: Vec<_> = GROUPS.into_iter().filter(|g| *g != left_out).collect();
        let result = catch_unwind(|| run_guard::<Sound>(&groups));
        assert!(result.is_err(), "`{left_out}` is claimed and does not run");
    }
}

#[test]
fn a_verb_that_works_without_a_claim_is_found() {
    type Modest = Store<{ Twist::LacksClaims as usize }>;
    let groups: Vec<_> =
        GROUPS.into_iter().filter(|group| !["add", "watch"].contains(group)).collect();
    assert!(catch_unwind(|| run_guard::<Modest>(&groups)).is_err());
}
