//! The calls that a sequence is made of, and how likely each is.
//!
//! A call names keys, tags and loaders by small numbers, so that a failing sequence shrinks to
//! something that people can read. The plan remembers which key a loader asked for last, so that
//! most fills come from loaders that may fill.

use proptest::{
    prelude::{BoxedStrategy, Just, Strategy, any, prop_oneof},
    sample::subsequence,
};

pub(super) const KEYS: usize = 4;
pub(super) const TAGS: usize = 3;
pub(super) const LOADERS: usize = 4;

/// One call of a sequence.
#[derive(Clone, Debug)]
pub(super) enum Call {
    Add { key: usize, value: Value, life: Life },
    Advance { units: u32 },
    Bump { tags: Vec<usize> },
    Clear,
    Fill { loader: usize, key: usize, value: Value, life: Life },
    Generations { tags: Vec<usize> },
    Lease { loader: usize, key: usize, time: Life, dead: Dead },
    Put { key: usize, value: Value, life: Life },
    Read { key: usize, tags: Vec<usize> },
    ReadMany { keys: Vec<usize>, tags: Vec<usize> },
    Release { loader: usize, key: usize },
    Remove { key: usize },
    RemoveMany { keys: Vec<usize> },
    Renew { loader: usize, key: usize, time: Life },
    Touch { key: usize, life: Life },
}

/// What a stored value looks like; its bytes differ from all others of the sequence.
#[derive(Clone, Copy, Debug)]
pub(super) enum Value {
    /// An envelope, which has an entry id.
    Envelope,
    /// Bytes without an id.
    Raw,
    /// Envelopes beyond the size of any small buffer.
    Large,
}

/// A lifetime or the time of a lease.
#[derive(Clone, Copy, Debug)]
pub(super) enum Life {
    /// Ends within the sequence, in units of the backend's resolution.
    Units(u32),
    /// An hour.
    Long,
}

/// Which entry a loader names dead.
#[derive(Clone, Copy, Debug)]
pub(super) enum Dead {
    Nothing,
    /// The one that was stored last.
    Stored,
    /// One that is nowhere.
    Other,
}

/// What later calls depend on.
#[derive(Clone, Debug, Default)]
pub(super) struct Plan {
    /// The key that each loader asked for last.
    asked: [Option<usize>; LOADERS],
}

impl Plan {
    pub(super) fn after(mut self, call: &Call) -> Self {
        if let Call::Lease { loader, key, .. } = call {
            self.asked[*loader] = Some(*key);
        }
        self
    }

    pub(super) fn next(&self) -> BoxedStrategy<Call> {
        let (key, loading) = (|| 0..KEYS, || self.loading());
        prop_oneof![
            6 => (key(), tags()).prop_map(|(key, tags)| Call::Read { key, tags }),
            2 => (keys(), tags()).prop_map(|(keys, tags)| Call::ReadMany { keys, tags }),
            2 => tags().prop_map(|tags| Call::Generations { tags }),
            8 => (0..LOADERS, key(), life(), dead())
                .prop_map(|(loader, key, time, dead)| Call::Lease { loader, key, time, dead }),
            6 => (loading(), value(), life())
                .prop_map(|((loader, key), value, life)| Call::Fill { loader, key, value, life }),
            2 => (loading(), life())
                .prop_map(|((loader, key), time)| Call::Renew { loader, key, time }),
            1 => loading().prop_map(|(loader, key)| Call::Release { loader, key }),
            4 => (key(), value(), life())
                .prop_map(|(key, value, life)| Call::Put { key, value, life }),
            2 => (key(), value(), life())
                .prop_map(|(key, value, life)| Call::Add { key, value, life }),
            2 => (key(), life()).prop_map(|(key, life)| Call::Touch { key, life }),
            2 => key().prop_map(|key| Call::Remove { key }),
            1 => keys().prop_map(|keys| Call::RemoveMany { keys }),
            3 => tags().prop_map(|tags| Call::Bump { tags }),
            1 => Just(Call::Clear),
            4 => (1_u32..16).prop_map(|units| Call::Advance { units }),
        ]
        .boxed()
    }

    /// A loader and the key that it asked for last; one time in four any key at all.
    fn loading(&self) -> BoxedStrategy<(usize, usize)> {
        let asked = self.asked.iter().enumerate();
        let known: Vec<_> =
            asked.filter_map(|(loader, key)| key.map(|key| (loader, key))).collect();
        let any_key = (0..LOADERS, 0..KEYS).boxed();
        if known.is_empty() {
            return any_key;
        }
        prop_oneof![3 => proptest::sample::select(known), 1 => any_key].boxed()
    }
}

/// A selection of tags, each once, because the contract leaves open which of two generations a
/// tag keeps that is bumped twice in one call.
fn tags() -> impl Strategy<Value = Vec<usize>> {
    subsequence((0..TAGS).collect::<Vec<_>>(), 0..=TAGS)
}

/// Keys in any order, the same one perhaps more than once.
fn keys() -> impl Strategy<Value = Vec<usize>> {
    proptest::collection::vec(0..KEYS, 0..=KEYS + 1)
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => Just(Value::Envelope),
        2 => Just(Value::Raw),
        1 => Just(Value::Large),
    ]
}

fn life() -> impl Strategy<Value = Life> {
    (any::<bool>(), 1_u32..24).prop_map(
        |(long, units)| {
            if long { Life::Long } else { Life::Units(units) }
        },
    )
}

fn dead() -> impl Strategy<Value = Dead> {
    prop_oneof![
        2 => Just(Dead::Nothing),
        3 => Just(Dead::Stored),
        1 => Just(Dead::Other),
    ]
}
