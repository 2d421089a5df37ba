//! A lane whose attempts end as the test wants them to, on a clock that stands still.

use std::{
    io,
    pin::pin,
    sync::{
        atomic::{AtomicUsize, Ordering::SeqCst},
        mpsc,
    },
    task::{Context, Waker},
    thread,
};

use larder_testkit::ManualClock;
use tokio::{net::TcpListener, runtime::Builder};

use super::*;
use crate::{ServerAddress, connection::Limits, transport::Transport};

const LIMITS: Limits = Limits {
    in_flight_max: 1,
    output_bytes_max: 1,
    time_limit: Duration::from_secs(30),
    value_bytes_max: 1,
};

fn clock() -> Arc<dyn Clock> {
    ManualClock::new()
}

/// A server that is there, and hangs up.
async fn connected() -> Result<Connection, Trouble> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = ServerAddress::tcp("127.0.0.1", listener.local_addr()?.port());
    Ok(Connection::new(Transport::connect(&address, None).await?, LIMITS))
}

/// A server that is away.
async fn refused() -> Result<Connection, Trouble> {
    Err(io::Error::from(io::ErrorKind::ConnectionRefused).into())
}

fn begins<T>(call: std::pin::Pin<&mut impl Future<Output = T>>) {
    let polled = call.poll(&mut Context::from_waker(Waker::noop()));
    assert!(polled.is_pending(), "it has to wait");
}

#[tokio::test]
async fn callers_share_an_attempt() {
    let (lane, clock, attempts) = (Arc::<Lane>::default(), clock(), AtomicUsize::new(0));
    let calls = (0..20).map(|_| {
        lane.connection(&clock, || {
            attempts.fetch_add(1, SeqCst);
            connected()
        })
    });
    for outcome in futures_util::future::join_all(calls).await {
        outcome.unwrap();
    }
    assert_eq!(attempts.load(SeqCst), 1);
}

#[tokio::test]
async fn whoever_joins_an_attempt_that_fails_makes_another() {
    let (lane, clock) = (Arc::<Lane>::default(), clock());
    let (fail, failed) = oneshot::channel::<()>();
    let failed = failed.shared();
    let mut before = pin!(lane.connection(&clock, || {
        let failed = failed.clone();
        async {
            let _told = failed.await;
            refused().await
        }
    }));
    begins(before.as_mut());
    // Whatever the attempt under way has seen of the server, it was before this call.
    let mut after = pin!(lane.connection(&clock, connected));
    begins(after.as_mut());
    fail.send(()).unwrap();
    let (before, after) = tokio::join!(before, after);
    assert!(before.is_err_and(|trouble| trouble.is_lost_connection()));
    assert!(after.is_ok(), "the server is back");
}

#[tokio::test]
async fn the_first_call_after_a_failure_finds_the_server_that_is_back() {
    let (lane, clock) = (Arc::<Lane>::default(), clock());
    for _ in 0..3 {
        lane.connection(&clock, refused).await.unwrap_err();
    }
    lane.connection(&clock, connected).await.unwrap();
}

#[tokio::test]
async fn callers_who_wait_for_the_pause_to_be_over_share_an_attempt() {
    let (lane, clock, attempts) = (Arc::<Lane>::default(), clock(), AtomicUsize::new(0));
    lane.connection(&clock, refused).await.unwrap_err();
    let calls = (0..20).map(|_| {
        lane.connection(&clock, || {
            attempts.fetch_add(1, SeqCst);
            refused()
        })
    });
    for outcome in futures_util::future::join_all(calls).await {
        outcome.unwrap_err();
    }
    assert_eq!(attempts.load(SeqCst), 1);
}

#[tokio::test]
async fn a_refusal_that_does_not_pass_is_not_asked_for_again() {
    let (lane, clock) = (Arc::<Lane>::default(), ManualClock::new());
    let shared: Arc<dyn Clock> = Arc::<ManualClock>::clone(&clock);
    let wrong_password = || async { Err(Trouble::Authentication) };
    lane.connection(&shared, wrong_password).await.unwrap_err();
    let again = lane.connection(&shared, connected).await;
    assert!(matches!(again, Err(Trouble::Authentication)));
    clock.advance(PAUSE_AFTER_REFUSAL);
    lane.connection(&shared, connected).await.unwrap();
}

#[tokio::test]
async fn an_attempt_outlives_the_caller_who_began_it() {
    let (lane, clock) = (Arc::<Lane>::default(), clock());
    {
        let mut leaves = pin!(lane.connection(&clock, connected));
        begins(leaves.as_mut());
    }
    let other = || async { panic!("there is an attempt already") };
    lane.connection(&clock, other).await.unwrap();
}

/// A runtime that is down drops what is spawned on it at once, on the thread of the caller.
#[test]
fn a_runtime_that_has_ended_fails_the_attempt_and_the_next_one_makes_another() {
    let (tell, hear) = mpsc::channel();
    thread::spawn(move || {
        let (lane, clock) = (Arc::<Lane>::default(), clock());
        let runtime = || Builder::new_current_thread().enable_all().build().unwrap();
        let ended = runtime();
        let handle = ended.handle().clone();
        drop(ended);
        let entered = handle.enter();
        let mut call = pin!(lane.connection(&clock, connected));
        let polled = call.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        drop(entered);
        let other = runtime().block_on(lane.connection(&clock, connected));
        tell.send((polled, other)).unwrap();
    });
    // Whoever waits for itself waits for ever.
    let (polled, other) = hear.recv_timeout(Duration::from_secs(60)).expect("nobody hangs");
    assert!(matches!(polled, std::task::Poll::Ready(Err(Trouble::Closed))), "{polled:?}");
    other.unwrap();
}
