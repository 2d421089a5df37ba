//! One line of a reply.

use memchr::memchr;

/// A line that stands for itself, without data behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// The request was malformed, as the server sees it.
    ClientError(Box<str>),
    Deleted,
    End,
    /// The server does not know the command.
    Error,
    Exists,
    /// A meta miss.
    MetaMiss,
    MetaNoop,
    /// A meta success, with what was asked for.
    MetaSuccess(MetaFlags),
    NotFound,
    NotStored,
    Ok,
    /// The request could not be carried out.
    ServerError(Box<str>),
    Stat {
        name: Box<str>,
        value: Box<str>,
    },
    Stored,
    Version(Box<str>),
}

/// What a meta reply says beside its code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct MetaFlags {
    /// The item's compare-and-swap number.
    pub(crate) cas: Option<u64>,
    /// The item's client flags.
    pub(crate) client_flags: Option<u32>,
    /// Seconds to live; `None` for an item that does not expire, or if it was not asked for.
    pub(crate) ttl_seconds: Option<u64>,
    /// The caller may fill the item.
    pub(crate) won: bool,
}

/// A line, or the beginning of a value whose data follow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Parsed<'l> {
    Line(Line),
    Value { name: Option<&'l [u8]>, flags: MetaFlags, len: u64 },
}

/// Understands a line without its end; `None` for what no server of this protocol says.
pub(super) fn parse(line: &[u8]) -> Option<Parsed<'_>> {
    let (word, rest) = split_word(line);
    let bare = |line| rest.is_empty().then_some(Parsed::Line(line));
    match word {
        b"VALUE" => parse_value(rest),
        b"END" => bare(Line::End),
        b"VA" => {
            let (len, flags) = split_word(rest);
            Some(Parsed::Value { name: None, flags: parse_flags(flags)?, len: number(len)? })
        }
        b"HD" => Some(Parsed::Line(Line::MetaSuccess(parse_flags(rest)?))),
        // A refusal may carry flags, too; they say nothing.
        b"EN" => bare(Line::MetaMiss),
        b"NF" => Some(Parsed::Line(Line::NotFound)),
        b"NS" => Some(Parsed::Line(Line::NotStored)),
        b"EX" => Some(Parsed::Line(Line::Exists)),
        b"MN" => bare(Line::MetaNoop),
        b"STORED" => bare(Line::Stored),
        b"NOT_STORED" => bare(Line::NotStored),
        b"EXISTS" => bare(Line::Exists),
        b"NOT_FOUND" => bare(Line::NotFound),
        b"DELETED" => bare(Line::Deleted),
        b"OK" => bare(Line::Ok),
        b"STAT" => {
            let (name, value) = split_word(rest);
            Some(Parsed::Line(Line::Stat { name: text(name), value: text(value) }))
        }
        b"VERSION" => Some(Parsed::Line(Line::Version(text(rest)))),
        b"ERROR" => Some(Parsed::Line(Line::Error)),
        b"CLIENT_ERROR" => Some(Parsed::Line(Line::ClientError(text(rest)))),
        b"SERVER_ERROR" => Some(Parsed::Line(Line::ServerError(text(rest)))),
        _ => None,
    }
}

/// `VALUE <name> <flags> <length> [<cas>]`
fn parse_value(rest: &[u8]) -> Option<Parsed<'_>> {
    let (name, rest) = split_word(rest);
    let (client_flags, rest) = split_word(rest);
    let (len, rest) = split_word(rest);
    let cas = if rest.is_empty() { None } else { Some(number(rest)?) };
    let client_flags = Some(u32::try_from(number(client_flags)?).ok()?);
    let flags = MetaFlags { cas, client_flags, ..MetaFlags::default() };
    Some(Parsed::Value { name: Some(name), flags, len: number(len)? })
}

fn parse_flags(mut rest: &[u8]) -> Option<MetaFlags> {
    let mut flags = MetaFlags::default();
    while !rest.is_empty() {
        let (word, next) = split_word(rest);
        rest = next;
        let (letter, token) = word.split_first()?;
        match letter {
            b'c' => flags.cas = Some(number(token)?),
            b'f' => flags.client_flags = Some(u32::try_from(number(token)?).ok()?),
            b't' if token == b"-1" => flags.ttl_seconds = None,
            b't' => flags.ttl_seconds = Some(number(token)?),
            b'W' => flags.won = true,
            // Later servers may say more than was asked for.
            _ => {}
        }
    }
    Some(flags)
}

fn split_word(line: &[u8]) -> (&[u8], &[u8]) {
    match memchr(b' ', line) {
        Some(end) => (line.get(..end).unwrap_or_default(), line.get(end + 1..).unwrap_or_default()),
        None => (line, &[]),
    }
}

/// A decimal number of one to twenty digits.
fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |number, digit| {
        let digit = digit.checked_sub(b'0').filter(|digit| *digit < 10)?;
        number.checked_mul(10)?.checked_add(u64::from(digit))
    })
}

/// Text of a server for people; what is not printable is left out.
fn text(bytes: &[u8]) -> Box<str> {
    let printable = bytes.iter().filter(|byte| matches!(byte, b' '..=b'~'));
    printable.map(|byte| char::from(*byte)).collect::<String>().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(len: u64, flags: MetaFlags, name: Option<&[u8]>) -> Option<Parsed<'_>> {
        Some(Parsed::Value { name, flags, len })
    }

    #[test]
    fn values_of_both_dialects_are_understood() {
        let won = MetaFlags { cas: Some(1), client_flags: Some(0), won: true, ttl_seconds: None };
        assert_eq!(parse(b"VA 0 c1 f0 t-1 W"), value(0, won, None));
        let held = MetaFlags { cas: Some(7), ttl_seconds: Some(30), ..MetaFlags::default() };
        assert_eq!(parse(b"VA 16 c7 t30 Z"), value(16, held, None));
        let classic = MetaFlags { client_flags: Some(257), ..MetaFlags::default() };
        assert_eq!(parse(b"VALUE larder:n 257 256"), value(256, classic, Some(b"larder:n")));
        let unique = MetaFlags { cas: Some(9), ..classic };
        assert_eq!(parse(b"VALUE k 257 256 9"), value(256, unique, Some(b"k")));
    }

    #[test]
    fn refusals_of_both_dialects_are_one() {
        for (meta, classic, line) in [
            (&b"NS"[..], &b"NOT_STORED"[..], Line::NotStored),
            (b"EX c0", b"EXISTS", Line::Exists),
            (b"NF c0", b"NOT_FOUND", Line::NotFound),
        ] {
            assert_eq!(parse(meta), Some(Parsed::Line(line.clone())));
            assert_eq!(parse(classic), Some(Parsed::Line(line)));
        }
    }

    #[test]
    fn what_no_server_says_is_not_understood() {
        for line in [
            &b""[..],
            b" ",
            b"-ERR unknown command",
            b"+PONG",
            b"HTTP/1.1 400 Bad Request",
            b"VA",
            b"VA -1",
            b"VA 1x",
            b"VA 18446744073709551616",
            b"VALUE k 0",
            b"VALUE k 4294967296 1",
            b"VALUE k 0 1 x",
            b"HD cx",
            b"END of story",
            b"stored",
        ] {
            assert_eq!(parse(line), None, "{}", line.escape_ascii());
        }
    }
}
