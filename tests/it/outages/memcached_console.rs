//! The few words of Memcached's text protocol that an outage needs, on a connection of its own.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

/// Asks and returns the lines of the answer up to one of the last words.
fn ask(port: u16, question: &[u8]) -> Option<Vec<String>> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(60))).ok()?;
    stream.write_all(question).ok()?;
    let mut lines = Vec::new();
    for line in BufReader::new(stream.take(1 << 20)).lines() {
        let line = line.ok()?;
        let is_last = ["END", "OK", "ERROR"].contains(&&*line);
        lines.push(line);
        if is_last {
            return Some(lines);
        }
    }
    None
}

/// How many connections the server has, this one aside.
pub(super) fn connections(port: u16) -> Option<u64> {
    let stats = tokio::task::block_in_place(|| ask(port, b"stats\r\n"))?;
    let open = stats.iter().find_map(|line| line.strip_prefix("STAT curr_connections "))?;
    open.parse().ok()
}

/// Invalidates everything, as an administrator does.
pub(super) async fn flush_all(port: u16) {
    let answer = tokio::task::block_in_place(|| ask(port, b"flush_all\r\n"));
    assert_eq!(answer.as_deref(), Some(&["OK".to_owned()][..]));
}

/// Stores small items until the server has no room for any more.
pub(super) async fn fill_up(port: u16) {
    tokio::task::block_in_place(|| {
        let mut full = [false; 6];
        for item in 0..100_000_u32 {
            let class = item as usize % full.len();
            let value = "x".repeat(60 << class);
            let set = format!("set filler{item} 0 0 {}\r\n{value}\r\nmn\r\nstats\r\n", value.len());
            let answer = ask(port, set.as_bytes()).expect("memcached answers");
            full[class] |= answer[0].starts_with("SERVER_ERROR out of memory");
            if full.iter().all(|full| *full) {
                return;
            }
        }
        panic!("memcached never ran out of memory");
    });
}
