//! Fuzzing that always runs: any bytes, in any pieces.

use proptest::prelude::*;

use super::*;

const VALUE_LEN_MAX: usize = 200_000;

/// All frames of a text that arrives in pieces of these lengths, and how it ended.
fn frames(text: &[u8], pieces: &[usize]) -> (Vec<Frame>, Option<Malformed>) {
    let (mut decoder, mut input) = (Decoder::new(VALUE_LEN_MAX), Input::new());
    let (mut frames, mut rest, mut piece) = (Vec::new(), text, pieces.iter().cycle());
    while !rest.is_empty() {
        let spare = input.spare();
        assert!(!spare.is_empty(), "the buffer is full and nothing can be decoded");
        let len =
            piece.next().copied().unwrap_or(usize::MAX).max(1).min(rest.len()).min(spare.len());
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

fn value(name: &str, flags: u32, data: &[u8]) -> Vec<u8> {
    let head = format!("VALUE {name} {flags} {}\r\n", data.len());
    [head.as_bytes(), data, b"\r\n"].concat()
}

fn reply() -> impl Strategy<Value = Vec<u8>> {
    let data = prop_oneof![
        3 => proptest::collection::vec(any::<u8>(), 0..80),
        1 => proptest::collection::vec(any::<u8>(), 0..5_000),
        1 => Just(b"\r\nEND\r\n".to_vec()),
        1 => (60_000..VALUE_LEN_MAX).prop_map(|len| vec![b'x'; len]),
    ];
    prop_oneof![
        6 => ("[a-zA-Z0-9:_-]{1,110}", any::<u32>(), data)
            .prop_map(|(name, flags, data)| value(&name, flags, &data)),
        4 => proptest::sample::select(vec![
            &b"END\r\n"[..], b"HD c9 f3 t-1\r\n", b"EN\r\n", b"EX c0\r\n", b"STORED\r\n",
            b"STAT pid 1\r\n", b"VERSION 1.6.18\r\n", b"SERVER_ERROR out of memory\r\n",
            b"VA 3 W c1\r\nabc\r\n", b"MN\r\n",
        ]).prop_map(<[u8]>::to_vec),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn pieces_do_not_matter(
        replies in proptest::collection::vec(reply(), 0..12),
        pieces in proptest::collection::vec(1_usize..3_000, 1..20),
    ) {
        let text = replies.concat();
        let (whole, malformed) = frames(&text, &[usize::MAX]);
        prop_assert_eq!(malformed, None);
        prop_assert_eq!(whole.len(), replies.len());
        prop_assert_eq!(frames(&text, &pieces), (whole, None));
    }

    #[test]
    fn garbage_ends_in_an_error_or_waits_for_more(
        before in proptest::collection::vec(reply(), 0..3),
        garbage in proptest::collection::vec(any::<u8>(), 0..6_000),
        pieces in proptest::collection::vec(1_usize..3_000, 1..20),
    ) {
        let text = [before.concat(), garbage].concat();
        let (whole, malformed) = frames(&text, &[usize::MAX]);
        prop_assert!(whole.len() >= before.len());
        prop_assert_eq!(frames(&text, &pieces), (whole, malformed));
    }

    #[test]
    fn a_flipped_byte_is_survived(
        replies in proptest::collection::vec(reply(), 1..6),
        position in any::<proptest::sample::Index>(),
        byte in any::<u8>(),
        pieces in proptest::collection::vec(1_usize..3_000, 1..20),
    ) {
        let mut text = replies.concat();
        let position = position.index(text.len());
        text[position] = byte;
        prop_assert_eq!(frames(&text, &[usize::MAX]), frames(&text, &pieces));
    }

    #[test]
    fn values_come_back_byte_for_byte(data in proptest::collection::vec(any::<u8>(), 0..70_000)) {
        let (frames, _) = frames(&value("k", 7, &data), &[1_000]);
        let [Frame::Value(head, payload)] = &frames[..] else { panic!("one value") };
        prop_assert_eq!((head.name, head.flags.client_flags), (Some(1), Some(7)));
        prop_assert_eq!(payload.as_slice(), &data[..]);
        prop_assert_eq!(payload.clone().into_bytes(), data);
    }
}

#[test]
fn a_length_beyond_the_limit_is_refused_before_its_data_arrive() {
    for len in ["200001", "9223372036854775808", "18446744073709551615"] {
        for head in [format!("VALUE k 0 {len}\r\n"), format!("VA {len} c1\r\n")] {
            let (found, malformed) = frames(head.as_bytes(), &[7]);
            assert_eq!((found, malformed), (Vec::new(), Some(Malformed::ValueLength)));
        }
    }
}

#[test]
fn a_line_without_an_end_is_refused() {
    let (found, malformed) = frames(&vec![b'x'; 100_000], &[100]);
    assert_eq!((found, malformed), (Vec::new(), Some(Malformed::LineLength)));
}

#[test]
fn lines_end_in_both_characters() {
    for text in [&b"END\n"[..], b"END\r\r\n", b"\n", b"VALUE k 0 2\r\nab\n\n"] {
        assert!(frames(text, &[1]).1.is_some(), "{}", text.escape_ascii());
    }
}

#[test]
fn replies_of_other_protocols_are_refused() {
    for text in [&b"-ERR unknown command 'version'\r\n"[..], b"HTTP/1.1 400 Bad Request\r\n"] {
        assert_eq!(frames(text, &[3]), (Vec::new(), Some(Malformed::Line)));
    }
}

#[test]
fn a_value_that_nobody_asked_for_is_refused() {
    let mut input = Input::new();
    let text = value("k", 0, b"data");
    input.spare()[..text.len()].copy_from_slice(&text);
    input.advance(text.len());
    assert_eq!(Decoder::new(100).decode(&mut input, |_| None), Err(Malformed::Name));
}
