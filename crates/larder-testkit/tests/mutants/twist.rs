//! The list of what can differ from the reference backend: planted flaws, and honest differences
//! that the checkers must put up with.

macro_rules! twists {
    ($($(#[$doc:meta])* $twist:ident,)+) => {
        /// What differs from the reference backend.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Twist { $($(#[$doc])* $twist,)+ }

        pub(crate) const TWISTS: &[Twist] = &[$(Twist::$twist,)+];
    };
}

twists! {
    /// Nothing: the control.
    None,
    /// Honest: the expiry clock counts whole seconds, and lifetimes are rounded up.
    CoarseClock,
    /// Honest: there is room for two entries and two tags, so what is stored is soon evicted.
    Forgets,
    /// Honest: the verbs that are optional are not supported.
    ProtocolOnly,
    /// Honest: time passes by itself, and the store says how long an entry has yet to live.
    RealTime,
    /// As `RealTime`, but lifetimes of more than a minute never end.
    RealTimeForEver,
    /// Honest: values of two kibibytes are the largest.
    SmallValues,
    /// `add` stores whatever is there.
    AddOverwrites,
    /// `add` looks first and stores later.
    AddIsNotAtomic,
    /// `bump` returns what is there.
    BumpDoesNothing,
    /// Claims `touch` and refuses it.
    ClaimsWhatItLacks,
    /// `clear` does nothing.
    ClearDoesNothing,
    /// `generations` looks first and creates later.
    CreationIsNotAtomic,
    /// Does not know the dead entry from a live one.
    DeadEntryIsFound,
    /// `Debug` shows the last key.
    DebugShowsKeys,
    /// An empty value reads as a miss.
    EmptyIsMiss,
    /// Draws a new epoch for every answer.
    EpochIsNotStable,
    /// `fill` stores without a look at the token.
    FillIgnoresToken,
    /// `fill` takes a lease of another epoch.
    FillIgnoresEpoch,
    /// Keys are cut to half of their digest.
    KeyIsTruncated,
    /// A lease is granted to everybody.
    LeaseIsGrantedTwice,
    /// A renewal by no time lasts for ever.
    LeaseOfZeroIsForEver,
    /// Has two of its optional verbs and does not say so.
    LacksClaims,
    /// Values beyond the limit are stored.
    LimitIsIgnored,
    /// Lifetimes beyond thirty days end at once.
    LongLifeEndsAtOnce,
    /// `put` leaves the lease to its holder.
    PutKeepsLease,
    /// `put` stores in two steps.
    PutIsNotAtomic,
    /// `read` creates generations.
    ReadCreatesGenerations,
    /// `read_many` answers backwards.
    ReadManyIsUnordered,
    /// `release` only says that it did.
    ReleaseDoesNothing,
    /// `remove_many` counts the keys that it was given.
    RemoveManyCountsRequests,
    /// `remove` leaves the lease to its holder.
    RemoveKeepsLease,
    /// `renew` only says that it did.
    RenewDoesNothing,
    /// Object, query and response keys are one.
    SpaceIsIgnored,
    /// Nothing is counted.
    StatsAreEmpty,
    /// Tags are cut to half of their digest.
    TagIsTruncated,
    /// All stores are one.
    StoresAreShared,
    /// `touch` only says that it did.
    TouchDoesNothing,
    /// Entries live for ever.
    TtlIsIgnored,
    /// Lifetimes are cut to whole seconds.
    TtlRoundsDown,
    /// Values are cut at 64 KiB.
    ValueIsTruncated,
    /// The feed says that it is alive and delivers nothing.
    WatchIsDeaf,
}

#[test]
fn every_twist_is_at_its_place() {
    assert_eq!(TWISTS[0], Twist::None);
    assert_eq!(TWISTS[Twist::WatchIsDeaf as usize], Twist::WatchIsDeaf);
}
