//! The stored form of an entry, which proves by itself whether it may be served.
//!
//! Layout, all numbers big-endian:
//!
//! | offset | bytes | field |
//! |---|---|---|
//! | 0 | 4 | magic `LRDR` |
//! | 4 | 1 | format version |
//! | 5 | 1 | flags: 1 negative, 2 authenticated, 4 has a database epoch |
//! | 6 | 1 | codec |
//! | 7 | 1 | number of dependencies |
//! | 8 | 16 | entry id |
//! | 24 | 16 | epoch of the entry's node |
//! | 40 | 16 | epoch of the database |
//! | 56 | 8 | created, Unix milliseconds |
//! | 64 | 8 | soft expiry, Unix milliseconds |
//! | 72 | 8 | hard expiry, Unix milliseconds |
//! | 80 | 8 | load time, microseconds |
//! | 88 | 8 | schema fingerprint |
//! | 96 | 32 | digest of the key |
//! | 128 | 8 | payload length |
//! | 136 | 48 each | dependencies: tag, generation, epoch |
//! | … | … | payload |
//! | … | 16 | authentication code over all before it, if flagged |

use std::{fmt, time::Duration};

use bytes::{BufMut as _, Bytes, BytesMut};

use crate::{Epoch, Generation, Key, MacKey, Snapshot, Stamp, Tag};

const MAGIC: [u8; 4] = *b"LRDR";
const VERSION: u8 = 1;
const HEADER_LEN: usize = 136;
const DEPENDENCY_LEN: usize = 48;
const ID_OFFSET: usize = 8;

const FLAG_NEGATIVE: u8 = 1;
const FLAG_AUTHENTICATED: u8 = 2;
const FLAG_DATABASE_EPOCH: u8 = 4;
const FLAGS_KNOWN: u8 = FLAG_NEGATIVE | FLAG_AUTHENTICATED | FLAG_DATABASE_EPOCH;

/// Identifies one stored entry, so that "the entry I found dead" can be told from its successor.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct EntryId([u8; 16]);

impl EntryId {
    /// Draws the id of a new entry.
    ///
    /// # Panics
    /// If the operating system can not provide randomness at all.
    #[must_use]
    pub fn random() -> Self {
        Self(rand::random())
    }

    /// Reads the id of a stored envelope without decoding it; `None` for anything else.
    #[must_use]
    pub fn peek(stored: &[u8]) -> Option<Self> {
        let (magic, _) = stored.split_first_chunk::<4>()?;
        let id = stored.get(ID_OFFSET..ID_OFFSET + 16)?.try_into().ok()?;
        (*magic == MAGIC).then_some(Self(id))
    }

    /// The stored form.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Debug for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EntryId({:032x})", u128::from_be_bytes(self.0))
    }
}

/// How a payload is encoded; a reader that expects another codec takes the entry for a miss.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "an open set of numbers, not a list")]
pub struct Codec(pub u8);

impl Codec {
    /// Bytes that the engine does not interpret.
    pub const RAW: Self = Self(0);
    /// [postcard](https://postcard.jamesmunns.com) of a serde type.
    pub const POSTCARD: Self = Self(1);
    /// JSON of a serde type.
    pub const JSON: Self = Self(2);
    /// The row format of the query layer.
    pub const ROWS: Self = Self(3);
}

/// One thing that an entry depends on, in the state in which it was when the load began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "the pair is the definition")]
pub struct Dependency {
    /// The tag.
    pub tag: Tag,
    /// Its generation and the epoch of the node that answered for it.
    pub stamp: Stamp,
}

/// Everything about an entry but its payload.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a stored format; a new field is a new version")]
pub struct EnvelopeHeader {
    /// This entry's own id.
    pub id: EntryId,
    /// Whether the entry says that there is nothing.
    pub negative: bool,
    /// How the payload is encoded.
    pub codec: Codec,
    /// The epoch of the node that stores the entry.
    pub epoch: Epoch,
    /// The epoch of the database that was asked, where that is known.
    pub database_epoch: Option<Epoch>,
    /// When the load began, in Unix milliseconds.
    pub created_ms: u64,
    /// When the entry starts to be stale, in Unix milliseconds.
    pub soft_expiry_ms: u64,
    /// When the entry is dead, in Unix milliseconds.
    pub hard_expiry_ms: u64,
    /// How long the load took, in whole microseconds.
    pub load_time: Duration,
    /// The fingerprint of the type that the payload was made of.
    pub schema: u64,
    /// What the entry depends on.
    pub dependencies: Vec<Dependency>,
}

/// An entry as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a header and a payload are all there is")]
pub struct Envelope {
    /// Everything but the payload.
    pub header: EnvelopeHeader,
    /// The encoded value.
    pub payload: Bytes,
}

/// Why a stored entry is not served. Always a miss for the caller, never an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Rejection {
    /// The authentication code is wrong, or missing where one is required, or there without a key.
    #[error("the authentication code does not match")]
    Authentication,
    /// The payload is in another codec, or could not be decoded.
    #[error("the payload can not be decoded")]
    Codec,
    /// The entry depends on other tags than its reader expects.
    #[error("the dependencies differ from the expected ones")]
    Dependencies,
    /// The node, or the database, has another history than the one that the entry knows.
    #[error("the epoch changed")]
    Epoch,
    /// The hard expiry has passed.
    #[error("expired")]
    Expired,
    /// Not an envelope of a version that this reader knows.
    #[error("foreign bytes or an unknown version")]
    Foreign,
    /// A tag's generation changed or is missing.
    #[error("invalidated")]
    Invalidated,
    /// The entry belongs to another key.
    #[error("the entry belongs to another key")]
    Key,
    /// The lengths do not add up.
    #[error("the envelope is truncated or has trailing bytes")]
    Length,
    /// The value was made of a type of another shape.
    #[error("the schema fingerprint differs")]
    Schema,
}

/// What a reader knows and compares an entry with.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a missing comparison must not compile")]
pub struct Expectation<'a> {
    /// The tags that the reader asked for, in the order of the snapshot's stamps.
    pub tags: &'a [Tag],
    /// The database's epoch, where it is known.
    pub database_epoch: Option<Epoch>,
    /// The codec that the reader can decode.
    pub codec: Codec,
    /// The fingerprint of the reader's type.
    pub schema: u64,
    /// The wall clock, in Unix milliseconds.
    pub now_ms: u64,
}

impl Envelope {
    /// The stored form, with an authentication code if there is a key for one.
    ///
    /// # Panics
    /// If there are more than 255 dependencies; [`Tag::MAX_PER_ENTRY`] is far below that.
    #[must_use]
    pub fn encode(&self, key: &Key, mac: Option<&MacKey>) -> Bytes {
        let header = &self.header;
        let dependencies = u8::try_from(header.dependencies.len())
            .expect("an entry has at most Tag::MAX_PER_ENTRY dependencies");
        let mut flags = 0;
        flags |= if header.negative { FLAG_NEGATIVE } else { 0 };
        flags |= if mac.is_some() { FLAG_AUTHENTICATED } else { 0 };
        flags |= if header.database_epoch.is_some() { FLAG_DATABASE_EPOCH } else { 0 };

        let len = HEADER_LEN
            + header.dependencies.len() * DEPENDENCY_LEN
            + self.payload.len()
            + MacKey::CODE_LEN;
        let mut out = BytesMut::with_capacity(len);
        out.put_slice(&MAGIC);
        out.put_slice(&[VERSION, flags, header.codec.0, dependencies]);
        out.put_slice(header.id.as_bytes());
        out.put_slice(header.epoch.as_bytes());
        out.put_slice(header.database_epoch.map_or([0; 16], |epoch| *epoch.as_bytes()).as_slice());
        out.put_u64(header.created_ms);
        out.put_u64(header.soft_expiry_ms);
        out.put_u64(header.hard_expiry_ms);
        out.put_u64(u64::try_from(header.load_time.as_micros()).unwrap_or(u64::MAX));
        out.put_u64(header.schema);
        out.put_slice(key.digest());
        out.put_u64(self.payload.len() as u64);
        for Dependency { tag, stamp } in &header.dependencies {
            out.put_slice(tag.as_bytes());
            out.put_slice(stamp.generation.as_bytes());
            out.put_slice(stamp.epoch.as_bytes());
        }
        out.put_slice(&self.payload);
        if let Some(mac) = mac {
            let code = mac.code(&out);
            out.put_slice(&code);
        }
        out.freeze()
    }

    /// Reads a stored entry; the payload shares the memory of `stored`.
    ///
    /// Nothing is allocated for a length that the bytes do not have, and nothing is decoded
    /// before the authentication code was checked.
    ///
    /// # Errors
    /// [`Rejection::Foreign`], [`Rejection::Length`], [`Rejection::Authentication`] and
    /// [`Rejection::Key`]; each is a miss.
    pub fn decode(stored: &Bytes, key: &Key, mac: Option<&MacKey>) -> Result<Self, Rejection> {
        let mut fields = Fields(stored);
        if fields.take::<4>()? != MAGIC {
            return Err(Rejection::Foreign);
        }
        let [version, flags, codec, dependency_count] = fields.take()?;
        if version != VERSION || flags & !FLAGS_KNOWN != 0 {
            return Err(Rejection::Foreign);
        }
        check_code(stored, flags & FLAG_AUTHENTICATED != 0, mac)?;

        let id = EntryId(fields.take()?);
        let epoch = Epoch::from_bytes(fields.take()?);
        let database_epoch = Epoch::from_bytes(fields.take()?);
        let created_ms = fields.number()?;
        let soft_expiry_ms = fields.number()?;
        let hard_expiry_ms = fields.number()?;
        let load_time = Duration::from_micros(fields.number()?);
        let schema = fields.number()?;
        if fields.take::<32>()? != *key.digest() {
            return Err(Rejection::Key);
        }
        let payload_len = fields.number()?;

        let code_len = if mac.is_some() { MacKey::CODE_LEN } else { 0 };
        let payload_start = HEADER_LEN + usize::from(dependency_count) * DEPENDENCY_LEN;
        let payload_end = usize::try_from(payload_len)
            .ok()
            .and_then(|len| payload_start.checked_add(len))
            .ok_or(Rejection::Length)?;
        if payload_end.checked_add(code_len) != Some(stored.len()) {
            return Err(Rejection::Length);
        }
        let mut dependencies = Vec::with_capacity(usize::from(dependency_count));
        for _ in 0..dependency_count {
            let tag = Tag::from_bytes(fields.take()?);
            let generation = Generation::from_bytes(fields.take()?);
            let epoch = Epoch::from_bytes(fields.take()?);
            dependencies.push(Dependency { tag, stamp: Stamp { generation, epoch } });
        }

        let header = EnvelopeHeader {
            id,
            negative: flags & FLAG_NEGATIVE != 0,
            codec: Codec(codec),
            epoch,
            database_epoch: (flags & FLAG_DATABASE_EPOCH != 0).then_some(database_epoch),
            created_ms,
            soft_expiry_ms,
            hard_expiry_ms,
            load_time,
            schema,
            dependencies,
        };
        Ok(Self { header, payload: stored.slice(payload_start..payload_end) })
    }
}

impl EnvelopeHeader {
    /// Decides whether the entry is a hit: its epochs, its expiry and **every** dependency must
    /// match what the snapshot, taken in the same read, says now.
    ///
    /// # Errors
    /// The first comparison that failed; each is a miss.
    pub fn check(&self, snapshot: &Snapshot, expect: &Expectation<'_>) -> Result<(), Rejection> {
        if self.epoch != snapshot.epoch {
            return Err(Rejection::Epoch);
        }
        if expect.database_epoch.is_some() && self.database_epoch != expect.database_epoch {
            return Err(Rejection::Epoch);
        }
        if self.codec != expect.codec {
            return Err(Rejection::Codec);
        }
        if self.schema != expect.schema {
            return Err(Rejection::Schema);
        }
        if self.hard_expiry_ms <= expect.now_ms {
            return Err(Rejection::Expired);
        }
        let tags = self.dependencies.iter().map(|dependency| &dependency.tag);
        if !tags.eq(expect.tags) || snapshot.stamps.len() != expect.tags.len() {
            return Err(Rejection::Dependencies);
        }
        let stamps = self.dependencies.iter().map(|dependency| Some(dependency.stamp));
        if stamps.eq(snapshot.stamps.iter().copied()) {
            Ok(())
        } else {
            Err(Rejection::Invalidated)
        }
    }
}

/// A present code without a key is rejected too: it says that a key is needed.
fn check_code(stored: &[u8], authenticated: bool, mac: Option<&MacKey>) -> Result<(), Rejection> {
    match (authenticated, mac) {
        (false, None) => Ok(()),
        (true, Some(mac)) => {
            let end = stored.len().checked_sub(MacKey::CODE_LEN).ok_or(Rejection::Length)?;
            let (message, code) = stored.split_at(end);
            if mac.verifies(message, code) { Ok(()) } else { Err(Rejection::Authentication) }
        }
        _ => Err(Rejection::Authentication),
    }
}

/// A cursor over stored bytes that never reads past their end.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], Rejection> {
        let (field, rest) = self.0.split_first_chunk::<N>().ok_or(Rejection::Length)?;
        self.0 = rest;
        Ok(*field)
    }

    fn number(&mut self) -> Result<u64, Rejection> {
        self.take().map(u64::from_be_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> Key {
        Key::object("k")
    }

    fn envelope() -> Envelope {
        let stamp = Stamp {
            generation: Generation::from_bytes([3; 16]),
            epoch: Epoch::from_bytes([4; 16]),
        };
        Envelope {
            header: EnvelopeHeader {
                id: EntryId([9; 16]),
                negative: false,
                codec: Codec::RAW,
                epoch: Epoch::from_bytes([1; 16]),
                database_epoch: Some(Epoch::from_bytes([2; 16])),
                created_ms: 1_000,
                soft_expiry_ms: 2_000,
                hard_expiry_ms: 3_000,
                load_time: Duration::from_micros(77),
                schema: 5,
                dependencies: vec![Dependency { tag: Tag::named("t"), stamp }],
            },
            payload: Bytes::from_static(b"payload"),
        }
    }

    fn snapshot(envelope: &Envelope) -> Snapshot {
        let stamps = envelope.header.dependencies.iter().map(|d| Some(d.stamp)).collect();
        Snapshot::new(None, stamps, envelope.header.epoch)
    }

    fn expectation(tags: &[Tag]) -> Expectation<'_> {
        Expectation { tags, database_epoch: None, codec: Codec::RAW, schema: 5, now_ms: 1_500 }
    }

    #[test]
    fn what_was_encoded_is_decoded() {
        for mac in [None, Some(MacKey::new(&[6; 32]))] {
            let stored = envelope().encode(&key(), mac.as_ref());
            assert_eq!(Envelope::decode(&stored, &key(), mac.as_ref()), Ok(envelope()));
            assert_eq!(EntryId::peek(&stored), Some(EntryId([9; 16])));
        }
    }

    #[test]
    fn every_truncation_and_every_extension_is_rejected() {
        let stored = envelope().encode(&key(), None);
        for len in 0..stored.len() {
            assert!(Envelope::decode(&stored.slice(..len), &key(), None).is_err(), "{len} bytes");
        }
        let longer = Bytes::from([&stored[..], b"!"].concat());
        assert_eq!(Envelope::decode(&longer, &key(), None), Err(Rejection::Length));
    }

    #[test]
    fn every_flipped_bit_is_rejected_under_a_key() {
        let mac = MacKey::new(&[6; 32]);
        let stored = envelope().encode(&key(), Some(&mac));
        for bit in 0..stored.len() * 8 {
            let mut flipped = stored.to_vec();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let decoded = Envelope::decode(&flipped.into(), &key(), Some(&mac));
            assert!(decoded.is_err(), "bit {bit}");
        }
    }

    #[test]
    fn a_declared_length_beyond_the_bytes_allocates_nothing() {
        let mut stored = envelope().encode(&key(), None).to_vec();
        stored[128..136].copy_from_slice(&(1_u64 << 63).to_be_bytes());
        assert_eq!(Envelope::decode(&stored.into(), &key(), None), Err(Rejection::Length));
    }

    #[test]
    fn entries_of_other_keys_versions_and_programs_are_rejected() {
        let stored = envelope().encode(&key(), None);
        assert_eq!(Envelope::decode(&stored, &Key::object("l"), None), Err(Rejection::Key));
        let mut future = stored.to_vec();
        future[4] = VERSION + 1;
        assert_eq!(Envelope::decode(&future.into(), &key(), None), Err(Rejection::Foreign));
        let json = Bytes::from_static(b"[{\"airline_id\": 1}]");
        assert_eq!(Envelope::decode(&json, &key(), None), Err(Rejection::Foreign));
        assert_eq!(EntryId::peek(&json), None);
    }

    #[test]
    fn authentication_is_all_or_nothing() {
        let mac = MacKey::new(&[6; 32]);
        let (with, without) =
            (envelope().encode(&key(), Some(&mac)), envelope().encode(&key(), None));
        assert_eq!(Envelope::decode(&with, &key(), None), Err(Rejection::Authentication));
        assert_eq!(Envelope::decode(&without, &key(), Some(&mac)), Err(Rejection::Authentication));
    }

    #[test]
    fn an_entry_is_a_hit_only_if_everything_matches() {
        let envelope = envelope();
        let header = &envelope.header;
        let tags = [Tag::named("t")];
        let expect = expectation(&tags);
        let current = snapshot(&envelope);
        assert_eq!(header.check(&current, &expect), Ok(()));

        let expired = Expectation { now_ms: 3_000, ..expect };
        assert_eq!(header.check(&current, &expired), Err(Rejection::Expired));
        let other_codec = Expectation { codec: Codec::JSON, ..expect };
        assert_eq!(header.check(&current, &other_codec), Err(Rejection::Codec));
        let other_schema = Expectation { schema: 6, ..expect };
        assert_eq!(header.check(&current, &other_schema), Err(Rejection::Schema));
        let other_database =
            Expectation { database_epoch: Some(Epoch::from_bytes([8; 16])), ..expect };
        assert_eq!(header.check(&current, &other_database), Err(Rejection::Epoch));
        assert_eq!(header.check(&current, &expectation(&[])), Err(Rejection::Dependencies));

        let mut restarted = current.clone();
        restarted.epoch = Epoch::from_bytes([7; 16]);
        assert_eq!(header.check(&restarted, &expect), Err(Rejection::Epoch));
        let mut bumped = current.clone();
        bumped.stamps = vec![Some(Stamp {
            generation: Generation::random(),
            epoch: Epoch::from_bytes([4; 16]),
        })];
        assert_eq!(header.check(&bumped, &expect), Err(Rejection::Invalidated));
        let mut failed_over = current.clone();
        failed_over.stamps = vec![Some(Stamp {
            generation: Generation::from_bytes([3; 16]),
            epoch: Epoch::from_bytes([5; 16]),
        })];
        assert_eq!(header.check(&failed_over, &expect), Err(Rejection::Invalidated));
        let mut evicted = current;
        evicted.stamps = vec![None];
        assert_eq!(header.check(&evicted, &expect), Err(Rejection::Invalidated));
    }
}
