//! A connection against a server that says what the test wants it to say.

use std::{future::poll_fn, pin::pin, time::Duration};

use larder_core::Key;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use super::*;
use crate::{
    ServerAddress,
    name::Name,
    request::{Answer, Expect, Item},
};

const LIMITS: Limits = Limits {
    in_flight_max: 200,
    output_bytes_max: 1 << 20,
    time_limit: Duration::from_secs(30),
    value_bytes_max: 4 << 20,
};

async fn connected(limits: Limits) -> (Arc<Connection>, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = ServerAddress::tcp("127.0.0.1", listener.local_addr().unwrap().port());
    let (client, server) = tokio::join!(Transport::connect(&address, None), listener.accept());
    (Arc::new(Connection::new(client.unwrap(), limits)), server.unwrap().0)
}

fn key(n: usize) -> Key {
    Key::object(&format!("key {n}"))
}

/// What the server is asked, up to this many lines.
async fn asked(server: &mut TcpStream, lines: usize) -> String {
    let mut text = Vec::new();
    while text.iter().filter(|byte| **byte == b'\n').count() < lines {
        assert!(server.read_buf(&mut text).await.unwrap() > 0, "the client hung up");
    }
    String::from_utf8(text).unwrap()
}

fn value(name: &str, data: &str) -> String {
    format!("VALUE {name} 1 {}\r\n{data}\r\n", data.len())
}

fn data(item: Option<&Item>) -> Option<String> {
    item.map(|item| String::from_utf8(item.data.as_slice().to_vec()).unwrap())
}

async fn get(connection: &Connection, n: usize) -> Result<Option<String>, Failure> {
    let key = key(n);
    let reply = connection.call(&Request::read(Name::Plain(&key))).await?;
    Ok(data(reply.items.first().and_then(Option::as_ref)))
}

fn noop() -> Request<'static> {
    Request::default().with_line(format_args!("mn"), Expect::One)
}

#[tokio::test]
async fn reads_that_come_together_are_one_get() {
    let (connection, mut server) = connected(LIMITS).await;
    let callers: Vec<_> = (0..50)
        .map(|n| {
            let connection = Arc::clone(&connection);
            tokio::spawn(async move { get(&connection, n).await.unwrap() })
        })
        .collect();
    // Who comes first is alone and does not wait for the others.
    let text = asked(&mut server, 2).await;
    let lines: Vec<_> = text.lines().collect();
    let names = |line: &str| line.split(' ').skip(1).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!((names(lines[0]).len(), names(lines[1]).len()), (1, 49), "{text}");

    let reply: String = lines
        .iter()
        .map(|line| {
            let values: String = names(line).iter().map(|name| value(name, name)).collect();
            values + "END\r\n"
        })
        .collect();
    server.write_all(reply.as_bytes()).await.unwrap();
    for (n, caller) in callers.into_iter().enumerate() {
        assert_eq!(caller.await.unwrap(), Some(key(n).visible().to_string()));
    }
}

#[tokio::test]
async fn commands_and_reads_are_answered_in_their_order() {
    let (connection, mut server) = connected(LIMITS).await;
    let (one, two) = (key(1), key(2));
    let request = Request::default()
        .with_line(format_args!("mg a v c"), Expect::One)
        .with_data(format_args!("ms b 2"), &[b"x", b"y"])
        .with_line(format_args!("gets c"), Expect::Gets)
        .with_line(format_args!("stats"), Expect::Stats)
        .with_read(Name::Plain(&one))
        .with_read(Name::Plain(&two));
    let says = async {
        let text = asked(&mut server, 6).await;
        let (one, two) = (one.visible(), two.visible());
        assert_eq!(
            text,
            format!("mg a v c\r\nms b 2\r\nxy\r\ngets c\r\nstats\r\nget {one} {two}\r\n")
        );
        let reply = "VA 3 c7\r\nabc\r\nNS\r\nEND\r\nSTAT pid 1\r\nEND\r\n".to_owned()
            + &value(&two.to_string(), "two")
            + "END\r\n";
        server.write_all(reply.as_bytes()).await.unwrap();
    };
    let (reply, ()) = tokio::join!(connection.call(&request), says);
    let reply = reply.unwrap();
    let [get, set, gets, stats] = &reply.answers[..] else { panic!("{:?}", reply.answers) };
    assert!(matches!(get, Answer::Value(flags, data) if flags.cas == Some(7) && data == "abc"));
    assert!(matches!(set, Answer::Line(crate::codec::Line::NotStored)));
    assert!(matches!(gets, Answer::Line(crate::codec::Line::End)));
    assert!(matches!(stats, Answer::Stats(stats) if stats.len() == 1));
    let items: Vec<_> = reply.items.iter().map(|item| data(item.as_ref())).collect();
    assert_eq!(items, [None, Some("two".to_owned())]);
}

#[tokio::test]
async fn the_reply_to_a_caller_who_left_reaches_nobody() {
    let (connection, mut server) = connected(LIMITS).await;
    for polls in 0..3 {
        let mut call = Box::pin(get(&connection, 1));
        for _ in 0..polls {
            let pending = poll_fn(|cx| std::task::Poll::Ready(call.as_mut().poll(cx))).await;
            assert!(pending.is_pending());
        }
        drop(call);
        let answers = async {
            let lines = if polls > 0 { 2 } else { 1 };
            let text = asked(&mut server, lines).await;
            for line in text.lines() {
                let name = line.strip_prefix("get ").unwrap();
                let reply = value(name, name) + "END\r\n";
                server.write_all(reply.as_bytes()).await.unwrap();
            }
        };
        let (found, ()) = tokio::join!(get(&connection, 2), answers);
        assert_eq!(found.unwrap(), Some(key(2).visible().to_string()), "{polls} polls");
    }
}

/// Whoever reads for itself may stop being polled, and must not hold up the others then.
#[tokio::test]
async fn a_caller_who_is_not_polled_holds_nobody_up() {
    let (connection, mut server) = connected(LIMITS).await;
    let mut parked = pin!(get(&connection, 1));
    let pending = poll_fn(|cx| std::task::Poll::Ready(parked.as_mut().poll(cx))).await;
    assert!(pending.is_pending());
    let answers = async {
        let text = asked(&mut server, 2).await;
        for line in text.lines() {
            let name = line.strip_prefix("get ").unwrap();
            let reply = value(name, name) + "END\r\n";
            server.write_all(reply.as_bytes()).await.unwrap();
        }
    };
    let (found, ()) = tokio::join!(get(&connection, 2), answers);
    assert_eq!(found.unwrap(), Some(key(2).visible().to_string()));
    assert_eq!(parked.await.unwrap(), Some(key(1).visible().to_string()));
}

#[tokio::test]
async fn a_reply_that_does_not_come_ends_the_connection_for_all() {
    let time_limit = Duration::from_millis(80);
    let (connection, mut server) = connected(Limits { time_limit, ..LIMITS }).await;
    let (one, two) = tokio::join!(get(&connection, 1), get(&connection, 2));
    for failure in [one.unwrap_err(), two.unwrap_err()] {
        assert!(matches!(failure, Failure { trouble: Trouble::Timeout, sent: true }));
    }
    assert!(connection.has_ended());
    let failure = get(&connection, 3).await.unwrap_err();
    assert!(!failure.sent, "nothing is sent on it any more");
    // The socket is closed: nothing comes but what had been asked.
    let mut rest = Vec::new();
    server.read_to_end(&mut rest).await.unwrap();
    assert!(!String::from_utf8(rest).unwrap().contains(&key(3).visible().to_string()));
}

#[tokio::test]
async fn a_reply_out_of_step_ends_the_connection_for_all() {
    for says in [
        "VALUE somebody:else 1 1\r\nx\r\nEND\r\n",
        "STORED\r\n",
        "HD\r\n",
        "ERROR\r\n",
        "CLIENT_ERROR bad data chunk\r\n",
        "END\r\nEND\r\nEND\r\n",
        "-ERR\r\n",
    ] {
        let (connection, mut server) = connected(LIMITS).await;
        let answers = async {
            asked(&mut server, 2).await;
            server.write_all(says.as_bytes()).await.unwrap();
        };
        let (one, two, ()) = tokio::join!(get(&connection, 1), get(&connection, 2), answers);
        let failures = [one.err(), two.err()];
        let ended = get(&connection, 3).await.unwrap_err();
        // An answer that is one too many may come after both had theirs.
        let failed = failures.iter().flatten().count();
        assert!(failed == 2 || says.starts_with("END"), "{says}: {failures:?}");
        assert_eq!(ended.trouble.kind(), larder_core::ErrorKind::Protocol, "{says}: {ended:?}");
    }
}

#[tokio::test]
async fn a_refusal_of_the_server_ends_no_connection() {
    let (connection, mut server) = connected(LIMITS).await;
    let answers = async {
        asked(&mut server, 1).await;
        server.write_all(b"SERVER_ERROR out of memory writing get response\r\n").await.unwrap();
        asked(&mut server, 1).await;
        server.write_all(b"END\r\n").await.unwrap();
    };
    let calls = async {
        let failure = get(&connection, 1).await.unwrap_err();
        assert_eq!(failure.trouble.kind(), larder_core::ErrorKind::NoSpace);
        assert_eq!(get(&connection, 1).await.unwrap(), None);
    };
    tokio::join!(calls, answers);
    assert!(!connection.has_ended());
}

#[tokio::test]
async fn a_server_that_hung_up_meanwhile_is_noticed_before_anything_is_sent() {
    let (connection, server) = connected(LIMITS).await;
    drop(server);
    // The news takes a moment, and nobody asks for it.
    let news = async {
        while !connection.has_ended() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LIMITS.time_limit, news).await.unwrap();
    let failure = get(&connection, 1).await.unwrap_err();
    assert!(matches!(failure, Failure { trouble: Trouble::Closed, sent: false }), "{failure:?}");
}

#[tokio::test]
async fn more_requests_than_allowed_are_refused() {
    let (connection, mut server) = connected(LIMITS).await;
    let callers: Vec<_> = (0..LIMITS.in_flight_max + 10)
        .map(|_| {
            let connection = Arc::clone(&connection);
            tokio::spawn(async move { connection.call(&noop()).await.map(|_| ()) })
        })
        .collect();
    let text = asked(&mut server, LIMITS.in_flight_max).await;
    server.write_all("MN\r\n".repeat(text.lines().count()).as_bytes()).await.unwrap();
    let mut refused = 0;
    for caller in callers {
        if let Err(failure) = caller.await.unwrap() {
            assert_eq!(failure.trouble.kind(), larder_core::ErrorKind::Busy);
            refused += 1;
        }
    }
    assert_eq!(refused, 10);
}

#[tokio::test]
async fn more_bytes_than_allowed_do_not_wait() {
    let (connection, mut server) = connected(LIMITS).await;
    let large = vec![b'x'; 8 << 20];
    let request = Request::default().with_data(format_args!("ms k {}", large.len()), &[&large]);
    let mut first = pin!(connection.call(&request));
    let pending = poll_fn(|cx| std::task::Poll::Ready(first.as_mut().poll(cx))).await;
    assert!(pending.is_pending(), "one request may be as large as it likes");
    let small = Request::default().with_data(format_args!("ms k 1"), &[b"x"]);
    let failure = connection.call(&small).await.unwrap_err();
    assert_eq!(failure.trouble.kind(), larder_core::ErrorKind::Busy);
    assert!(!failure.sent);

    let answers = async {
        let mut body = vec![0; "ms k 8388608\r\n".len() + large.len() + 2];
        server.read_exact(&mut body).await.unwrap();
        server.write_all(b"HD\r\n").await.unwrap();
    };
    let (reply, ()) = tokio::join!(first, answers);
    assert_eq!(reply.unwrap().answers.len(), 1);
}

#[tokio::test]
async fn large_values_pass_in_both_directions_at_once() {
    let (connection, server) = connected(LIMITS).await;
    let large = vec![b'x'; 3 << 20];
    let (mut reader, mut writer) = server.into_split();
    let len = large.len();
    let answers = async move {
        let mut head = vec![0; "ms k 3145728\r\n".len()];
        reader.read_exact(&mut head).await.unwrap();
        // The server says much while it is still being told much.
        let says = async {
            let reply = [format!("VA {len} c1\r\n").as_bytes(), &vec![b'y'; len], b"\r\n"].concat();
            writer.write_all(&reply).await.unwrap();
        };
        let hears = async {
            let mut body = vec![0; len + 2];
            reader.read_exact(&mut body).await.unwrap();
        };
        tokio::join!(says, hears);
    };
    let request = Request::default().with_data(format_args!("ms k {len}"), &[&large]);
    let (reply, ()) = tokio::join!(connection.call(&request), answers);
    let Ok(Answer::Value(_, data)) = reply.unwrap().next_answer() else { panic!("no value") };
    assert!(data.len() == len && data.iter().all(|byte| *byte == b'y'));
}

#[test]
fn a_runtime_that_ends_takes_its_connections_along() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let first = runtime();
    let (connection, _server) = first.block_on(connected(LIMITS));
    drop(first);
    let failure = runtime().block_on(get(&connection, 1)).unwrap_err();
    assert!(matches!(failure, Failure { trouble: Trouble::Closed, sent: false }), "{failure:?}");
}
