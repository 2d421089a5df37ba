//! The fault proxy in front of a server that sends back what it gets.

use std::{io, time::Duration};

use larder_core::{Clock as _, SystemClock};
use larder_testkit::{Accept, Direction, FaultProxy, WireFault};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time::timeout,
};

/// Long enough for anything that is going to happen.
const DEADLINE: Duration = Duration::from_secs(20);
/// Long enough to say that something does not happen; too short fails no test.
const MOMENT: Duration = Duration::from_millis(50);

const DIRECTIONS: [Direction; 2] = [Direction::Requests, Direction::Replies];

/// A server that echoes, on a task of its own; each reply begins with a mark.
async fn echo_server(mark: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut frame = vec![0; 1_024];
                while let Ok(bytes @ 1..) = stream.read(&mut frame).await {
                    let reply = [mark, &frame[..bytes]].concat();
                    if stream.write_all(&reply).await.is_err() {
                        break;
                    }
                }
            });
        }
    });
    address
}

async fn proxy() -> FaultProxy {
    FaultProxy::start_seeded(&echo_server(b"").await, 7).await.unwrap()
}

async fn connect(proxy: &FaultProxy) -> TcpStream {
    TcpStream::connect(proxy.address()).await.unwrap()
}

/// Sends a text and reads as many bytes.
async fn echo(client: &mut TcpStream, text: &str) -> io::Result<String> {
    client.write_all(text.as_bytes()).await?;
    read(client, text.len()).await
}

async fn read(client: &mut TcpStream, bytes: usize) -> io::Result<String> {
    let mut reply = vec![0; bytes];
    timeout(DEADLINE, client.read_exact(&mut reply)).await.expect("the proxy answers in time")?;
    Ok(String::from_utf8_lossy(&reply).into_owned())
}

/// What is read until the connection ends, and how it ends.
async fn rest(client: &mut TcpStream) -> (usize, Result<(), io::ErrorKind>) {
    let mut reply = Vec::new();
    let end = timeout(DEADLINE, client.read_to_end(&mut reply)).await.expect("it ends in time");
    (reply.len(), end.map(|_| ()).map_err(|error| error.kind()))
}

async fn assert_silent(client: &mut TcpStream) {
    assert!(timeout(MOMENT, client.read_u8()).await.is_err(), "something was answered");
}

/// Polls the counters until they fit.
async fn until(proxy: &FaultProxy, condition: impl Fn(&larder_testkit::ProxyStats) -> bool) {
    let poll = async {
        while !condition(&proxy.stats()) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(DEADLINE, poll).await.unwrap_or_else(|_| panic!("{:?}", proxy.stats()));
}

#[tokio::test]
async fn without_a_fault_everything_passes_and_is_counted() {
    let proxy = proxy().await;
    let mut clients = [connect(&proxy).await, connect(&proxy).await, connect(&proxy).await];
    for client in &mut clients {
        assert_eq!(echo(client, "hello").await.unwrap(), "hello");
    }
    let stats = proxy.stats();
    assert_eq!((stats.connections, stats.connections_peak, stats.connections_total), (3, 3, 3));
    assert_eq!((stats.request_bytes, stats.reply_bytes, stats.faults), (15, 15, 0));
    drop(clients);
    until(&proxy, |stats| stats.connections == 0).await;
    assert_eq!(proxy.stats().connections_peak, 3);
}

#[tokio::test]
async fn a_large_text_arrives_whole() {
    let proxy = proxy().await;
    let text = "0123456789".repeat(100_000);
    let (mut from, mut to) = connect(&proxy).await.into_split();
    let sent = text.clone();
    let send = tokio::spawn(async move { to.write_all(sent.as_bytes()).await.map(|()| to) });
    let mut reply = vec![0; text.len()];
    timeout(DEADLINE, from.read_exact(&mut reply)).await.unwrap().unwrap();
    assert!(reply == text.as_bytes());
    drop(send.await.unwrap().unwrap());
}

#[tokio::test]
async fn what_is_delayed_arrives_late_and_whole() {
    let (delay, jitter) = (Duration::from_millis(30), Duration::from_millis(5));
    let slow = [
        (WireFault::Latency { delay, jitter }, 30),
        (WireFault::Bandwidth { bytes_per_second: 100 }, 50),
        (WireFault::Trickle { pause: Duration::from_millis(6) }, 30),
    ];
    let clock = SystemClock::new();
    for direction in DIRECTIONS {
        for (fault, least_ms) in slow {
            let proxy = proxy().await;
            let mut client = connect(&proxy).await;
            proxy.set(direction, fault);
            let before = clock.now();
            assert_eq!(echo(&mut client, "hello").await.unwrap(), "hello", "{fault:?}");
            let took = clock.now().since(before);
            assert!(took >= Duration::from_millis(least_ms), "{fault:?}: {took:?}");
            assert!(proxy.stats().faults > 0);
        }
    }
}

/// Each frame sets out when it comes. If it waited for the one before it, the proxy would take in
/// no more than one of them within the hour.
#[tokio::test]
async fn late_frames_are_on_their_way_at_the_same_time_and_keep_their_order() {
    let hour = Duration::from_secs(3_600);
    for direction in DIRECTIONS {
        let proxy = proxy().await;
        let mut client = connect(&proxy).await;
        proxy.set(direction, WireFault::Latency { delay: hour, jitter: hour });
        for frame in 1..=9 {
            client.write_all(frame.to_string().as_bytes()).await.unwrap();
            until(&proxy, |stats| stats.faults == frame).await;
        }
        assert_silent(&mut client).await;
        proxy.clear();
        assert_eq!(read(&mut client, 9).await.unwrap(), "123456789", "{direction:?}");
    }
}

#[tokio::test]
async fn frames_with_jitter_do_not_overtake_each_other() {
    let proxy = proxy().await;
    let mut client = connect(&proxy).await;
    let (delay, jitter) = (Duration::ZERO, Duration::from_millis(20));
    proxy.set(Direction::Replies, WireFault::Latency { delay, jitter });
    for frame in 10..=59_u64 {
        client.write_all(frame.to_string().as_bytes()).await.unwrap();
        until(&proxy, |stats| stats.request_bytes == 2 * (frame - 9)).await;
    }
    let expected: String = (10..=59).map(|frame| frame.to_string()).collect();
    assert_eq!(read(&mut client, 100).await.unwrap(), expected);
}

/// What was said before the end arrives before the end.
#[tokio::test]
async fn a_connection_ends_after_its_late_frames() {
    let proxy = proxy().await;
    let mut client = connect(&proxy).await;
    let delay = Duration::from_millis(30);
    proxy.set(Direction::Requests, WireFault::Latency { delay, jitter: Duration::ZERO });
    client.write_all(b"hello").await.unwrap();
    client.shutdown().await.unwrap();
    assert_eq!(rest(&mut client).await, (5, Ok(())));
}

#[tokio::test]
async fn a_pause_ends_when_its_fault_is_lifted() {
    let hour = Duration::from_secs(3_600);
    let slow =
        [WireFault::Latency { delay: hour, jitter: hour }, WireFault::Trickle { pause: hour }];
    for fault in slow {
        let proxy = proxy().await;
        let mut client = connect(&proxy).await;
        proxy.set(Direction::Replies, fault);
        client.write_all(b"hello").await.unwrap();
        assert_silent(&mut client).await;
        proxy.clear();
        assert_eq!(read(&mut client, 5).await.unwrap(), "hello");
    }
}

#[tokio::test]
async fn a_connection_ends_after_the_given_number_of_bytes() {
    for direction in DIRECTIONS {
        let proxy = proxy().await;
        let mut client = connect(&proxy).await;
        assert_eq!(echo(&mut client, "before").await.unwrap(), "before");
        proxy.set(direction, WireFault::CloseAfter { bytes: 7 });
        assert_eq!(echo(&mut client, "12345").await.unwrap(), "12345", "within the limit");
        client.write_all(b"12345").await.unwrap();
        let (bytes, _) = rest(&mut client).await;
        assert!(bytes <= 2, "{direction:?}: {bytes} bytes passed");
    }
}

#[tokio::test]
async fn a_connection_is_reset_in_mid_stream() {
    let proxy = proxy().await;
    let mut client = connect(&proxy).await;
    proxy.set(Direction::Replies, WireFault::ResetAfter { bytes: 0 });
    client.write_all(b"hello").await.unwrap();
    assert_eq!(rest(&mut client).await, (0, Err(io::ErrorKind::ConnectionReset)));
    proxy.clear();
    assert_eq!(echo(&mut connect(&proxy).await, "again").await.unwrap(), "again");
}

#[tokio::test]
async fn a_half_open_connection_stays_silent_for_good() {
    for direction in DIRECTIONS {
        let proxy = proxy().await;
        let mut client = connect(&proxy).await;
        let mut untouched = connect(&proxy).await;
        assert_eq!(echo(&mut client, "hello").await.unwrap(), "hello");
        proxy.set(direction, WireFault::Swallow);
        client.write_all(b"hello").await.unwrap();
        until(&proxy, |stats| stats.faults > 0).await;
        proxy.clear();
        client.write_all(b"hello").await.unwrap();
        assert_silent(&mut client).await;
        assert_eq!(echo(&mut untouched, "hello").await.unwrap(), "hello", "it lost nothing");
    }
}

#[tokio::test]
async fn what_was_stalled_arrives_when_the_fault_is_lifted() {
    for direction in DIRECTIONS {
        let proxy = proxy().await;
        let mut client = connect(&proxy).await;
        proxy.set(direction, WireFault::Stall);
        client.write_all(b"one").await.unwrap();
        assert_silent(&mut client).await;
        client.write_all(b"two").await.unwrap();
        proxy.clear();
        assert_eq!(read(&mut client, 6).await.unwrap(), "onetwo");
        assert_eq!(echo(&mut client, "three").await.unwrap(), "three");
    }
}

#[tokio::test]
async fn a_client_that_leaves_a_stalled_connection_is_no_longer_counted() {
    let proxy = proxy().await;
    proxy.set(Direction::Replies, WireFault::Stall);
    proxy.set(Direction::Requests, WireFault::Stall);
    let mut client = connect(&proxy).await;
    client.write_all(b"hello").await.unwrap();
    until(&proxy, |stats| stats.connections == 1 && stats.faults == 1).await;
    drop(client);
    until(&proxy, |stats| stats.connections == 0).await;
}

#[tokio::test]
async fn garbage_comes_first_and_follows_from_the_seed() {
    let mut seen = Vec::new();
    for seed in [1, 1, 2] {
        let proxy = FaultProxy::start_seeded(&echo_server(b"").await, seed).await.unwrap();
        assert_eq!(proxy.seed(), seed);
        proxy.set(Direction::Replies, WireFault::Garbage { bytes: 9 });
        let mut client = connect(&proxy).await;
        client.write_all(b"hello").await.unwrap();
        let mut reply = [0; 14];
        timeout(DEADLINE, client.read_exact(&mut reply)).await.unwrap().unwrap();
        assert_eq!(&reply[9..], b"hello");
        seen.push(reply);
    }
    assert_eq!(seen[0], seen[1]);
    assert_ne!(seen[0], seen[2]);
}

#[tokio::test]
async fn a_truncated_frame_is_the_last_one() {
    let proxy = proxy().await;
    let mut client = connect(&proxy).await;
    proxy.set(Direction::Replies, WireFault::Truncate);
    client.write_all(b"12345678").await.unwrap();
    let (bytes, end) = rest(&mut client).await;
    assert!((1..8).contains(&bytes), "{bytes} bytes");
    assert_eq!(end, Ok(()), "the end is an orderly one");
}

#[tokio::test]
async fn a_duplicated_reply_comes_twice() {
    for direction in DIRECTIONS {
        let proxy = proxy().await;
        let mut client = connect(&proxy).await;
        proxy.set(direction, WireFault::Duplicate);
        client.write_all(b"abc").await.unwrap();
        assert_eq!(read(&mut client, 6).await.unwrap(), "abcabc", "{direction:?}");
    }
}

#[tokio::test]
async fn swapped_replies_change_places() {
    let proxy = proxy().await;
    let mut client = connect(&proxy).await;
    proxy.set(Direction::Replies, WireFault::Swap);
    client.write_all(b"one").await.unwrap();
    until(&proxy, |stats| stats.faults == 1).await;
    client.write_all(b"two").await.unwrap();
    assert_eq!(read(&mut client, 6).await.unwrap(), "twoone");
    client.write_all(b"three").await.unwrap();
    until(&proxy, |stats| stats.faults == 3).await;
    assert_silent(&mut client).await;
    proxy.clear();
    assert_eq!(read(&mut client, 5).await.unwrap(), "three", "it is not lost");
}

#[tokio::test]
async fn an_oversized_length_takes_the_place_of_the_real_one() {
    let proxy = proxy().await;
    let mut client = connect(&proxy).await;
    proxy.set(Direction::Replies, WireFault::Oversize);
    client.write_all(b"$5\r\nhello").await.unwrap();
    assert_eq!(read(&mut client, 19).await.unwrap(), "$99999999999\r\nhello");
}

/// Connects until what was set for the door is in effect.
async fn connect_until<T>(
    proxy: &FaultProxy,
    in_effect: impl AsyncFn(io::Result<TcpStream>) -> Option<T>,
) -> T {
    let attempts = async {
        loop {
            if let Some(found) = in_effect(TcpStream::connect(proxy.address()).await).await {
                return found;
            }
        }
    };
    timeout(DEADLINE, attempts).await.expect("the door changes in time")
}

#[tokio::test]
async fn a_shut_door_refuses_and_opens_again_on_the_same_port() {
    let proxy = proxy().await;
    let mut before = connect(&proxy).await;
    assert_eq!(echo(&mut before, "hello").await.unwrap(), "hello");
    for _ in 0..3 {
        proxy.set_accept(Accept::Refuse);
        connect_until(&proxy, async |client| {
            // One that came just before the door was shut is reset instead.
            let error = client.err()?;
            (error.kind() == io::ErrorKind::ConnectionRefused).then_some(())
        })
        .await;
        assert_eq!(echo(&mut before, "hello").await.unwrap(), "hello", "it is inside");
        proxy.clear();
        let mut client = connect_until(&proxy, async |client| client.ok()).await;
        assert_eq!(echo(&mut client, "hello").await.unwrap(), "hello");
    }
}

#[tokio::test]
async fn a_client_is_reset_at_the_door() {
    let proxy = proxy().await;
    proxy.set_accept(Accept::Reset);
    let end = connect_until(&proxy, async |client| {
        // The reset may be faster than the end of the connect.
        let Ok(mut client) = client else { return Some(io::ErrorKind::ConnectionReset) };
        echo(&mut client, "hello").await.err().map(|error| error.kind())
    })
    .await;
    assert!(matches!(end, io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe), "{end:?}");
    until(&proxy, |stats| stats.connections == 0 && stats.connections_total > 0).await;
}

#[tokio::test]
async fn a_client_that_is_stalled_at_the_door_hears_nothing_until_it_is_cut() {
    let proxy = proxy().await;
    proxy.set_accept(Accept::Stall);
    let mut client = connect_until(&proxy, async |client| {
        let mut client = client.unwrap();
        client.write_all(b"hello").await.unwrap();
        timeout(MOMENT, client.read_u8()).await.is_err().then_some(client)
    })
    .await;
    proxy.clear();
    assert_silent(&mut client).await;
    assert_eq!(echo(&mut connect(&proxy).await, "hello").await.unwrap(), "hello");
    proxy.cut();
    assert_eq!(rest(&mut client).await, (0, Err(io::ErrorKind::ConnectionReset)));
}

#[tokio::test]
async fn a_cut_resets_what_is_open_and_nothing_that_comes_later() {
    let proxy = proxy().await;
    let mut clients = [connect(&proxy).await, connect(&proxy).await];
    for client in &mut clients {
        echo(client, "hello").await.unwrap();
    }
    proxy.cut();
    for client in &mut clients {
        assert_eq!(rest(client).await, (0, Err(io::ErrorKind::ConnectionReset)));
    }
    assert_eq!(echo(&mut connect(&proxy).await, "again").await.unwrap(), "again");
    until(&proxy, |stats| stats.connections <= 1).await;
}

#[tokio::test]
async fn a_client_is_redirected_when_it_connects_again() {
    let proxy = proxy().await;
    let mut before = connect(&proxy).await;
    assert_eq!(echo(&mut before, "a").await.unwrap(), "a");
    proxy.redirect(&echo_server(b"other:").await);
    assert_eq!(echo(&mut before, "b").await.unwrap(), "b");
    let mut client = connect(&proxy).await;
    client.write_all(b"c").await.unwrap();
    assert_eq!(read(&mut client, 7).await.unwrap(), "other:c");
}

#[tokio::test]
async fn a_server_that_is_not_there_resets_its_clients() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = free.local_addr().unwrap().to_string();
    drop(free);
    let proxy = FaultProxy::start(&address).await.unwrap();
    let mut client = connect(&proxy).await;
    assert!(echo(&mut client, "hello").await.is_err());
    until(&proxy, |stats| stats.connections == 0).await;
}

#[tokio::test]
async fn a_dropped_proxy_leaves_nothing_open() {
    let proxy = proxy().await;
    let mut client = connect(&proxy).await;
    echo(&mut client, "hello").await.unwrap();
    let address = proxy.address();
    drop(proxy);
    let _ = rest(&mut client).await;
    let gone = async { while TcpStream::connect(address).await.is_ok() {} };
    timeout(DEADLINE, gone).await.expect("nobody listens any more");
}
