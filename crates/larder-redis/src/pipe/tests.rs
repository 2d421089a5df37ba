//! A pipe with a server at its other end that a test plays by hand.

use std::{future::Future, pin::pin, task::Context};

use larder_core::ErrorKind;
use redis::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};

use super::*;

const LONG: Duration = Duration::from_secs(60);

fn pipe(buffer: usize, time_limit: Duration) -> (Pipe, DuplexStream) {
    let (ours, theirs) = tokio::io::duplex(buffer);
    (Pipe::over(Box::new(ours), time_limit), theirs)
}

async fn ask(pipe: &Pipe, packed: &str, answers: usize) -> Result<Vec<Value>, Trouble> {
    pipe.send(packed.into(), answers).await?.values(answers)
}

async fn expect(server: &mut DuplexStream, request: &str) {
    let mut read = vec![0; request.len()];
    server.read_exact(&mut read).await.unwrap();
    assert_eq!(read, request.as_bytes());
}

/// Polls a future once and drops it.
fn give_up<T>(future: impl Future<Output = T>) {
    let mut context = Context::from_waker(std::task::Waker::noop());
    assert!(pin!(future).poll(&mut context).is_pending());
}

#[tokio::test]
async fn answers_reach_their_callers_in_order_however_they_arrive() {
    let (pipe, mut server) = pipe(64, LONG);
    let callers =
        async { tokio::join!(ask(&pipe, "one", 1), ask(&pipe, "two", 2), ask(&pipe, "three", 1)) };
    let play = async {
        expect(&mut server, "onetwothree").await;
        // A byte at a time, as a slow network would.
        for byte in b":1\r\n*2\r\n:2\r\n$1\r\nx\r\n+OK\r\n$-1\r\n" {
            server.write_all(&[*byte]).await.unwrap();
            tokio::task::yield_now().await;
        }
    };
    let ((one, two, three), ()) = tokio::join!(callers, play);
    assert_eq!(one.unwrap(), [Value::Int(1)]);
    let list = Value::Array(vec![Value::Int(2), Value::BulkString(b"x".into())]);
    assert_eq!(two.unwrap(), [list, Value::Okay]);
    assert_eq!(three.unwrap(), [Value::Nil]);
}

#[tokio::test]
async fn the_answer_of_a_caller_who_gave_up_reaches_nobody() {
    let (pipe, mut server) = pipe(1_024, LONG);
    give_up(pipe.send("gone".into(), 1));
    let next = ask(&pipe, "next", 1);
    let play = async {
        // Whether the first request was still sent is open, but both or one are answered.
        let mut read = [0; 8];
        server.read_exact(&mut read[..4]).await.unwrap();
        if read.starts_with(b"gone") {
            server.write_all(b"+WRONG\r\n").await.unwrap();
            server.read_exact(&mut read[4..]).await.unwrap();
        }
        server.write_all(b"+OK\r\n").await.unwrap();
    };
    assert_eq!(tokio::join!(next, play).0.unwrap(), [Value::Okay]);

    // The same after the request is certainly under way.
    let (sent, wait) = tokio::sync::oneshot::channel();
    let under_way = async {
        tokio::select! {
            _ = pipe.send("gone".into(), 1) => panic!("nobody answered"),
            _ = wait => {}
        }
        ask(&pipe, "next", 1).await
    };
    let play = async {
        expect(&mut server, "gone").await;
        sent.send(()).unwrap();
        expect(&mut server, "next").await;
        server.write_all(b"+WRONG\r\n+OK\r\n").await.unwrap();
    };
    assert_eq!(tokio::join!(under_way, play).0.unwrap(), [Value::Okay]);
}

#[tokio::test]
async fn large_requests_and_answers_pass_through_a_narrow_stream() {
    let (pipe, mut server) = pipe(1_000, LONG);
    let large = "x".repeat(300_000);
    let answer = format!("${}\r\n{large}\r\n", large.len());
    let (mut read_half, mut write_half) = tokio::io::split(&mut server);
    let read = async {
        let mut all = vec![0; 2 * large.len()];
        read_half.read_exact(&mut all).await.unwrap();
    };
    // The server writes before it has read everything, which deadlocks whoever only writes.
    let write = async {
        write_half.write_all(answer.as_bytes()).await.unwrap();
        write_half.write_all(answer.as_bytes()).await.unwrap();
    };
    let callers = async { tokio::join!(ask(&pipe, &large, 1), ask(&pipe, &large, 1)) };
    let ((one, other), (), ()) = tokio::join!(callers, read, write);
    for answer in [one, other] {
        assert_eq!(answer.unwrap(), [Value::BulkString(large.clone().into())]);
    }
}

#[tokio::test]
async fn an_overdue_answer_ends_the_connection() {
    let (pipe, _server) = pipe(1_024, Duration::from_millis(40));
    let outcome = ask(&pipe, "request", 1).await;
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Timeout);
    assert!(pipe.is_closed());
    let outcome = ask(&pipe, "request", 1).await;
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Unavailable, "not this one's time");
}

#[tokio::test]
async fn what_nobody_asked_for_ends_the_connection_and_is_heard() {
    for (said, kind) in [
        (&b"-ERR max number of clients reached\r\n"[..], ErrorKind::Unavailable),
        (b"-NOAUTH canary\r\n", ErrorKind::Authentication),
        (b"$3\r\nfoo\r\n", ErrorKind::Protocol),
        (b"garbage", ErrorKind::Protocol),
        (b"", ErrorKind::Unavailable),
    ] {
        let (pipe, mut server) = pipe(1_024, LONG);
        server.write_all(said).await.unwrap();
        drop(server);
        while !pipe.is_closed() {
            tokio::task::yield_now().await;
        }
        let outcome = ask(&pipe, "request", 1).await;
        assert_eq!(outcome.unwrap_err().kind(), kind, "{}", said.escape_ascii());
    }
}

#[tokio::test]
async fn a_pipe_that_is_cut_or_dropped_closes_its_stream() {
    for is_cut in [true, false] {
        let (pipe, mut server) = pipe(1_024, LONG);
        if is_cut {
            pipe.cut();
            assert_eq!(ask(&pipe, "x", 1).await.unwrap_err().kind(), ErrorKind::Unavailable);
        }
        drop(pipe);
        assert_eq!(server.read(&mut [0; 1]).await.unwrap(), 0);
    }
}
