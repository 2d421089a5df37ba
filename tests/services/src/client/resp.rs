//! Commands to Redis and Valkey: one connection, a few commands, their replies.
//!
//! Guards that a reply is read as a whole: the protocol is the second version, whose replies
//! nest, and every length is checked before it is believed.

use std::{
    fmt,
    io::{self, BufRead, BufReader, Read as _},
    time::Duration,
};

use crate::client::Address;

/// What Redis or Valkey answered.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reply {
    /// Several replies.
    Array(Vec<Self>),
    /// The server refuses or fails.
    Error(String),
    /// A number.
    Integer(i64),
    /// There is nothing.
    Nil,
    /// A status or a value. Bytes that are no text are replaced.
    Text(String),
}

impl Reply {
    /// The text, if it is one.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The replies in an array; none in anything else.
    #[must_use]
    pub fn items(&self) -> &[Self] {
        match self {
            Self::Array(items) => items,
            _ => &[],
        }
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Array(items) => f.debug_list().entries(items).finish(),
            Self::Error(text) => write!(f, "the error \"{text}\""),
            Self::Integer(number) => number.fmt(f),
            Self::Nil => f.write_str("nil"),
            Self::Text(text) => write!(f, "\"{text}\""),
        }
    }
}

/// Sends one command, after the login if there is one, and returns its reply.
pub(crate) fn command(
    address: &Address,
    login: Option<(&str, &str)>,
    words: &[&str],
    limit: Duration,
) -> io::Result<Reply> {
    let mut stream = address.connect(limit)?;
    let login = login.map(|(user, password)| ["AUTH", user, password]);
    let mut request = Vec::new();
    for words in login.iter().map(|login| &login[..]).chain([words]) {
        encode(words, &mut request);
    }
    stream.write_all(&request)?;
    let mut reader = BufReader::new(stream);
    if login.is_some()
        && let refusal @ Reply::Error(_) = read(&mut reader, 0)?
    {
        return Ok(refusal);
    }
    read(&mut reader, 0)
}

fn encode(words: &[&str], request: &mut Vec<u8>) {
    request.extend(format!("*{}\r\n", words.len()).bytes());
    for word in words {
        request.extend(format!("${}\r\n{word}\r\n", word.len()).bytes());
    }
}

fn read(reader: &mut impl BufRead, depth: u8) -> io::Result<Reply> {
    const DEPTH_MAX: u8 = 8;
    const LENGTH_MAX: u64 = 16 * 1024 * 1024;
    let garbled = || io::Error::from(io::ErrorKind::InvalidData);
    let mut line = Vec::new();
    if reader.read_until(b'\n', &mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let line = String::from_utf8_lossy(&line);
    let line = line.strip_suffix("\r\n").ok_or_else(garbled)?;
    let (kind, rest) = line.split_at_checked(1).ok_or_else(garbled)?;
    let number = || rest.parse::<i64>().map_err(|_| garbled());
    match kind {
        "+" => Ok(Reply::Text(rest.to_owned())),
        "-" => Ok(Reply::Error(rest.to_owned())),
        ":" => number().map(Reply::Integer),
        "$" | "*" => match u64::try_from(number()?) {
            Err(_) => Ok(Reply::Nil),
            Ok(length) if length > LENGTH_MAX || depth > DEPTH_MAX => Err(garbled()),
            Ok(length) if kind == "*" => {
                let items = (0..length).map(|_| read(reader, depth + 1));
                items.collect::<io::Result<_>>().map(Reply::Array)
            }
            Ok(length) => {
                let mut text = Vec::new();
                let read = reader.take(length + 2).read_to_end(&mut text)?;
                let is_whole = u64::try_from(read) == Ok(length + 2);
                let text = text.strip_suffix(b"\r\n").filter(|_| is_whole).ok_or_else(garbled)?;
                Ok(Reply::Text(String::from_utf8_lossy(text).into_owned()))
            }
        },
        _ => Err(garbled()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(mut bytes: &[u8]) -> io::Result<Reply> {
        read(&mut bytes, 0)
    }

    #[test]
    fn replies_nest() {
        let reply =
            parse(b"*4\r\n$6\r\nmaster\r\n:3\r\n$-1\r\n*1\r\n+OK\r\n").expect("it is whole");
        let ok = Reply::Text("OK".to_owned());
        let expected = [
            Reply::Text("master".to_owned()),
            Reply::Integer(3),
            Reply::Nil,
            Reply::Array(vec![ok]),
        ];
        assert_eq!(reply.items(), expected);
        assert_eq!(reply.to_string(), r#"[Text("master"), Integer(3), Nil, Array([Text("OK")])]"#);
    }

    #[test]
    fn errors_and_garbage_are_told_apart() {
        let error = parse(b"-NOAUTH who?\r\n").expect("it is a reply");
        assert_eq!(error, Reply::Error("NOAUTH who?".to_owned()));
        for garbage in ["", "\r\n", "+OK", "?\r\n", ":x\r\n", "$5\r\nab\r\n", "*2\r\n+OK\r\n"] {
            assert!(parse(garbage.as_bytes()).is_err(), "{garbage:?}");
        }
        assert!(parse(b"$999999999999\r\n").is_err());
        assert!(parse("*1\r\n".repeat(20).as_bytes()).is_err());
    }

    #[test]
    fn a_command_is_an_array_of_its_words() {
        let mut request = Vec::new();
        encode(&["SET", "k", ""], &mut request);
        assert_eq!(request, b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$0\r\n\r\n");
    }
}
