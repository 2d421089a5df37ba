//! Whether a server answers: a real request, and a look at the first bytes of the reply.

use std::{
    io::{self, Read as _},
    time::Duration,
};

use crate::client::{Address, Reply, resp, stream::Stream};

/// The question for one server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Probe {
    Memcached(Address),
    Mysql(Address),
    Postgres(Address),
    Redis(Address),
}

impl Probe {
    /// Asks once. An error, a refusal to serve yet, and silence are all "no".
    pub(crate) fn answers(&self) -> bool {
        const LIMIT: Duration = Duration::from_secs(1);
        let outcome = match self {
            Self::Memcached(address) => address.connect(LIMIT).and_then(memcached),
            Self::Mysql(address) => address.connect(LIMIT).and_then(mysql),
            Self::Postgres(address) => address.connect(LIMIT).and_then(postgres),
            Self::Redis(address) => {
                resp::command(address, None, &["PING"], LIMIT).map(|reply| redis(&reply))
            }
        };
        outcome.unwrap_or(false)
    }
}

/// A server that asks for a password is up too.
fn redis(reply: &Reply) -> bool {
    match reply {
        Reply::Text(text) => text == "PONG",
        Reply::Error(text) => text.starts_with("NOAUTH"),
        _ => false,
    }
}

fn memcached(mut stream: Box<dyn Stream>) -> io::Result<bool> {
    stream.write_all(b"version\r\n")?;
    let mut reply = [0; 7];
    stream.read_exact(&mut reply)?;
    // One that asks for a password answers `CLIENT_ERROR unauthenticated`.
    Ok(&reply == b"VERSION" || &reply == b"CLIENT_")
}

/// MySQL and MariaDB speak first: a packet's length in three bytes, its number, and then the
/// version of the protocol, or 255 for an error.
fn mysql(mut stream: Box<dyn Stream>) -> io::Result<bool> {
    let mut reply = [0; 5];
    stream.read_exact(&mut reply)?;
    Ok(reply[3..] == [0, 10])
}

/// PostgreSQL answers a greeting with `R`, a request to authenticate, or with `E` while it is
/// still starting.
fn postgres(mut stream: Box<dyn Stream>) -> io::Result<bool> {
    const PROTOCOL: [u8; 4] = [0, 3, 0, 0];
    const PARAMETERS: &[u8] = b"user\0larder\0database\0larder\0\0";
    // The length counts itself; the parameters above are far below 256 bytes.
    let length = u8::try_from(8 + PARAMETERS.len()).unwrap_or(u8::MAX);
    let greeting = [&[0, 0, 0, length], &PROTOCOL[..], PARAMETERS].concat();
    stream.write_all(&greeting)?;
    let mut reply = [0; 1];
    stream.read_exact(&mut reply)?;
    Ok(&reply == b"R")
}

#[cfg(test)]
mod tests {
    use std::{io::Cursor, io::Write as _, net::TcpListener, thread};

    use super::*;

    fn answered(bytes: &[u8]) -> Box<dyn Stream> {
        // The request is written before the reply is read, into the same bytes.
        struct Scripted(Cursor<Vec<u8>>);
        impl io::Read for Scripted {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                self.0.read(buffer)
            }
        }
        impl io::Write for Scripted {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                Ok(bytes.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        Box::new(Scripted(Cursor::new(bytes.to_vec())))
    }

    #[test]
    fn each_server_is_known_by_its_first_bytes() {
        assert!(memcached(answered(b"VERSION 1.6\r\n")).expect("it is long enough"));
        assert!(memcached(answered(b"CLIENT_ERROR\r\n")).expect("it is long enough"));
        assert!(!memcached(answered(b"-ERR unknown\r\n")).expect("it is long enough"));
        assert!(mysql(answered(&[74, 0, 0, 0, 10])).expect("it is long enough"));
        assert!(!mysql(answered(&[74, 0, 0, 0, 255])).expect("it is long enough"));
        assert!(postgres(answered(b"R")).expect("it is long enough"));
        assert!(!postgres(answered(b"E")).expect("it is long enough"));
        assert!(redis(&Reply::Text("PONG".to_owned())));
        assert!(!redis(&Reply::Error("LOADING".to_owned())));
        assert!(memcached(answered(b"VER")).is_err());
    }

    #[test]
    fn a_server_that_hangs_up_does_not_answer() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("some port is free");
        let port = listener.local_addr().expect("it is bound").port();
        let hangs_up = thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("somebody connects");
            stream.write_all(b"").expect("nothing is written");
        });
        assert!(!Probe::Memcached(Address::Port(port)).answers());
        hangs_up.join().expect("it ends by itself");
        assert!(!Probe::Redis(Address::Port(port)).answers());
    }
}
