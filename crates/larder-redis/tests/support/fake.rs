//! A server that says what it is told to say.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use larder_redis::RedisConfig;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// What is said to a request.
pub(crate) enum Said {
    /// These bytes.
    Bytes(Vec<u8>),
    /// Nothing, for as long as the other side waits.
    Nothing,
    /// These bytes, and then the connection is closed.
    Last(Vec<u8>),
}

/// A server on a port of its own. It ends with the test's runtime.
pub(crate) struct Fake {
    port: u16,
    connections: Arc<AtomicUsize>,
}

impl Fake {
    /// Starts a server that answers each command of each connection, which are numbered from 0.
    pub(crate) async fn start(
        answer: impl Fn(usize, &[String]) -> Said + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let connections = Arc::new(AtomicUsize::new(0));
        let (counter, answer) = (Arc::clone(&connections), Arc::new(answer));
        tokio::spawn(async move {
            while let Ok((stream, _peer)) = listener.accept().await {
                let number = counter.fetch_add(1, Ordering::SeqCst);
                let answer = Arc::clone(&answer);
                tokio::spawn(serve(stream, move |words| answer(number, words)));
            }
        });
        Self { port, connections }
    }

    /// Starts a server that says the same to whatever comes first.
    pub(crate) async fn saying(bytes: &'static [u8]) -> Self {
        Self::start(move |_, _| Said::Last(bytes.into())).await
    }

    /// Starts a server that says this to whoever comes, and closes the connection.
    pub(crate) async fn greeting(bytes: &'static [u8]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((mut stream, _peer)) = listener.accept().await {
                let _ = stream.write_all(bytes).await;
                let _ = stream.shutdown().await;
                // What was sent to it meanwhile is read, so that it does not answer with a reset.
                let _ = stream.read_to_end(&mut Vec::new()).await;
            }
        });
        Self { port, connections: Arc::default() }
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    pub(crate) fn config(&self) -> RedisConfig {
        super::from_url(&format!("redis://:canary@127.0.0.1:{}", self.port))
    }
}

async fn serve(mut stream: TcpStream, answer: impl Fn(&[String]) -> Said) {
    let mut input = Vec::new();
    let mut buffer = [0; 4_096];
    loop {
        let Ok(count @ 1..) = stream.read(&mut buffer).await else { return };
        input.extend_from_slice(&buffer[..count]);
        // What is no command, such as the beginning of TLS, is answered as a whole.
        if input.first() != Some(&b'*') {
            if let Said::Bytes(bytes) | Said::Last(bytes) = answer(&[]) {
                let _ = stream.write_all(&bytes).await;
                return;
            }
            return std::future::pending().await;
        }
        while let Some((words, length)) = command(&input) {
            input.drain(..length);
            match answer(&words) {
                Said::Bytes(bytes) => {
                    if stream.write_all(&bytes).await.is_err() {
                        return;
                    }
                }
                Said::Nothing => return std::future::pending().await,
                Said::Last(bytes) => {
                    let _ = stream.write_all(&bytes).await;
                    return;
                }
            }
        }
    }
}

/// The first command and its length, if it is whole.
fn command(input: &[u8]) -> Option<(Vec<String>, usize)> {
    let mut at = 0;
    let line = |at: &mut usize| {
        let rest = &input[*at..];
        let end = rest.windows(2).position(|pair| pair == b"\r\n")?;
        let number = std::str::from_utf8(&rest[1..end]).ok()?.parse::<usize>().ok()?;
        *at += end + 2;
        Some(number)
    };
    let mut words = Vec::new();
    for _ in 0..line(&mut at)? {
        let length = line(&mut at)?;
        let word = input.get(at..at + length)?;
        words.push(String::from_utf8_lossy(word).into_owned());
        at += length + 2;
    }
    (at <= input.len()).then_some((words, at))
}

/// What a healthy server without any data says.
pub(crate) fn healthy(words: &[String]) -> Said {
    says(words, "redis_version:7.0.15\r\nredis_mode:standalone\r\nrun_id:a", "role:master")
}

/// What a server says that is as these sections say, and has no data.
pub(crate) fn says(words: &[String], server: &str, replication: &str) -> Said {
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    let bytes = match words[..] {
        ["INFO", "server"] => bulk(server),
        ["INFO", "replication"] => bulk(&format!("{replication}\r\nmaster_replid:b\r\n")),
        ["INFO", _] => bulk(""),
        ["TIME"] => "*2\r\n$1\r\n1\r\n$1\r\n1\r\n".into(),
        ["MGET", ref keys @ ..] => {
            format!("*{}\r\n{}", keys.len(), "$-1\r\n".repeat(keys.len())).into()
        }
        _ => "+OK\r\n".into(),
    };
    Said::Bytes(bytes)
}

pub(crate) fn bulk(text: &str) -> Vec<u8> {
    format!("${}\r\n{text}\r\n", text.len()).into()
}
