//! Envelopes as an engine would store them, and bytes that only look like one.

use std::time::Duration;

use bytes::Bytes;
use larder_core::{
    Codec, Dependency, EntryId, Envelope, EnvelopeHeader, Epoch, Expectation, Generation, Key,
    Stamp, Tag,
};

/// The fingerprint that every sample carries.
const SCHEMA: u64 = 0x5eed;

/// When every sample was created, in Unix milliseconds.
const CREATED_MS: u64 = 1_735_689_600_000;

/// An envelope that depends on the given tags, as they were when its load began.
#[must_use]
pub(crate) fn envelope(epoch: Epoch, tags: &[Tag], stamps: &[Stamp], payload: &str) -> Envelope {
    let dependency = |(tag, stamp): (&Tag, &Stamp)| Dependency { tag: *tag, stamp: *stamp };
    Envelope {
        header: EnvelopeHeader {
            id: EntryId::random(),
            negative: false,
            codec: Codec::RAW,
            epoch,
            database_epoch: None,
            created_ms: CREATED_MS,
            soft_expiry_ms: CREATED_MS + 30_000,
            hard_expiry_ms: CREATED_MS + 60_000,
            load_time: Duration::from_millis(3),
            schema: SCHEMA,
            dependencies: tags.iter().zip(stamps).map(dependency).collect(),
        },
        payload: Bytes::copy_from_slice(payload.as_bytes()),
    }
}

/// What a reader of [`envelope`] expects, a second after it was created.
pub(crate) const fn expectation(tags: &[Tag]) -> Expectation<'_> {
    Expectation {
        tags,
        database_epoch: None,
        codec: Codec::RAW,
        schema: SCHEMA,
        now_ms: CREATED_MS + 1_000,
    }
}

/// Bytes that may stand where an entry is expected and are none: what other programs write, and
/// every kind of damage that an envelope can have. Each with what it is.
///
/// [`Envelope::decode`] rejects each of them for this key. A backend stores and returns them as
/// they are; whatever reads entries takes each for a miss.
#[must_use]
pub fn damaged_envelopes(key: &Key) -> Vec<(String, Bytes)> {
    let tags = [Tag::named("one"), Tag::named("two")];
    let stamps = tags.map(|_| Stamp { generation: Generation::random(), epoch: Epoch::random() });
    let whole = envelope(Epoch::random(), &tags, &stamps, "payload");
    let stored = whole.encode(key, None);

    let mut damaged = foreign();
    for len in (0..stored.len()).step_by(7).chain([stored.len() - 1]) {
        damaged.push((format!("cut to {len} bytes"), stored.slice(..len)));
    }
    for extra in [1, 16, 4_096] {
        let longer = [&stored[..], &vec![0; extra][..]].concat();
        damaged.push((format!("{extra} bytes too many"), longer.into()));
    }
    let overwritten: &[(&str, usize, &[u8])] = &[
        ("another magic", 0, b"LRDX"),
        ("version 0", 4, &[0]),
        ("a future version", 4, &[255]),
        ("unknown flags", 5, &[0b1000_0000]),
        ("a code where none is expected", 5, &[2]),
        ("more dependencies than bytes", 7, &[255]),
        ("no dependencies", 7, &[0]),
        ("another digest", 96, &[0; 32]),
        ("a length of 2^63", 128, &[0x80, 0, 0, 0, 0, 0, 0, 0]),
        ("the largest length", 128, &[0xff; 8]),
        ("a length of zero", 128, &[0; 8]),
    ];
    for (what, at, bytes) in overwritten {
        let mut changed = stored.to_vec();
        changed[*at..at + bytes.len()].copy_from_slice(bytes);
        damaged.push(((*what).into(), changed.into()));
    }
    let replayed = whole.encode(&Key::object("somebody else's"), None);
    damaged.push(("a whole entry of another key".into(), replayed));
    damaged
}

/// What other programs leave under a key.
fn foreign() -> Vec<(String, Bytes)> {
    let texts: [(&str, &[u8]); 9] = [
        ("nothing", b""),
        ("the magic alone", b"LRDR"),
        ("the magic of a later program", b"LRDR\xff\xff\xff\xff"),
        ("JSON", b"[{\"airline_id\": 1, \"name\": \"Lufthansa\"}]"),
        ("a counter", b"9007199254740993"),
        ("a serialized object", b"\x80\x04\x95\x0b\x00\x00\x00\x00"),
        ("a line of a text protocol", b"VALUE k 0 2\r\nhi\r\nEND\r\n"),
        ("zeros", &[0; 512]),
        ("a length bomb", b"\xff\xff\xff\xff\x0f"),
    ];
    let mut foreign: Vec<_> =
        texts.map(|(what, bytes)| (what.to_owned(), Bytes::copy_from_slice(bytes))).into();
    foreign.push(("deep nesting".into(), vec![b'['; 100_000].into()));
    foreign
}

#[cfg(test)]
mod tests {
    use larder_core::Snapshot;

    use super::*;

    #[test]
    fn every_damaged_envelope_is_rejected() {
        let key = Key::object("k");
        for (what, bytes) in damaged_envelopes(&key) {
            assert!(Envelope::decode(&bytes, &key, None).is_err(), "{what}");
        }
    }

    #[test]
    fn an_undamaged_sample_is_a_hit() {
        let (key, tags) = (Key::object("k"), [Tag::named("t")]);
        let (epoch, generation) = (Epoch::random(), Generation::random());
        let stamp = Stamp { generation, epoch };
        let stored = envelope(epoch, &tags, &[stamp], "payload").encode(&key, None);
        let decoded = Envelope::decode(&stored, &key, None).unwrap();
        let snapshot = Snapshot::new(Some(stored), vec![Some(stamp)], epoch);
        assert_eq!(decoded.header.check(&snapshot, &expectation(&tags)), Ok(()));
    }
}
