//! Any bytes in any pieces: the decoder ends in frames or in one error, the same ones whatever the
//! pieces, and never in a panic. Run with `cargo +nightly fuzz run replies`.
//!
//! The first bytes of the input say how the rest is cut.

#![no_main]
#![allow(dead_code, unused_imports, reason = "the target needs a part of the codec")]

use libfuzzer_sys::fuzz_target;

#[path = "../../src/codec/mod.rs"]
mod codec;

use codec::{Decoder, Frame, Input, Malformed};

const VALUE_LEN_MAX: usize = 1 << 16;

fn decode(text: &[u8], cuts: &[u8]) -> (Vec<Frame>, Option<Malformed>) {
    let (mut decoder, mut input) = (Decoder::new(VALUE_LEN_MAX), Input::new());
    let (mut frames, mut rest, mut cuts) = (Vec::new(), text, cuts.iter().cycle());
    while !rest.is_empty() {
        let spare = input.spare();
        assert!(!spare.is_empty(), "the buffer is full and nothing can be decoded");
        let len = cuts.next().map_or(usize::MAX, |cut| usize::from(*cut) + 1);
        let len = len.min(rest.len()).min(spare.len());
        let (now, later) = rest.split_at(len);
        spare[..len].copy_from_slice(now);
        input.advance(len);
        rest = later;
        loop {
            match decoder.decode(&mut input, |name| Some(name.len())) {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(malformed) => return (frames, Some(malformed)),
            }
        }
    }
    (frames, None)
}

fuzz_target!(|data: &[u8]| {
    let (cuts, text) = data.split_at(data.len().min(8));
    assert_eq!(decode(text, &[]), decode(text, cuts));
});
