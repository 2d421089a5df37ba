//! The one connection to a server: requests go out together as they come, answers come back in
//! their order.
//!
//! It exists beside the connection of the `redis` crate because a hit has to cost no more than
//! that crate's bare `GET` although it reads more, and a list of a hundred keys hardly more than
//! its bare `MGET` (bench `redis_far_hit`). Three things make up for that: an answer is walked where it
//! lies, all requests that wait are written at once, and one timer watches over all of them.
//!
//! Guards that an answer reaches the caller of its request or nobody, and that a connection on
//! which an answer is overdue is closed.

use std::{
    collections::VecDeque,
    future::Future,
    io,
    pin::{Pin, pin},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::BytesMut;
use tokio::{
    io::{AsyncReadExt as _, AsyncWrite},
    sync::{mpsc, oneshot},
    task::AbortHandle,
    time::Sleep,
};

use crate::{
    error::Trouble,
    net::Stream,
    resp::{Answer, Scan, scan},
};

/// How many requests wait to be written; further callers wait for a place.
const REQUESTS_MAX: usize = 256;

/// How many bytes are gathered before they are written.
const GATHER_BYTES: usize = 64 << 10;

/// How much is read at once: a hundred short values fit, so that their answer is not copied while
/// it grows.
const READ_BYTES: usize = 64 << 10;

/// With how little room a read is made.
const ROOM_BYTES_MIN: usize = 4 << 10;

/// Into how many beats the time limit is divided. An answer is overdue after one more.
const BEATS: u32 = 8;

/// An open connection that many callers share.
#[derive(Debug)]
pub(crate) struct Pipe {
    requests: mpsc::Sender<Request>,
    driver: AbortHandle,
    is_cut: AtomicBool,
    /// Why the connection is over, once it is.
    end: Arc<OnceLock<Trouble>>,
}

/// Packed commands, and who waits for so many answers.
#[derive(Debug)]
struct Request {
    packed: Vec<u8>,
    answers: usize,
    taker: oneshot::Sender<Result<Answer, Trouble>>,
}

impl Pipe {
    /// Sends requests over a stream from now on; each is answered within the time limit.
    pub(crate) fn over(stream: Box<dyn Stream>, time_limit: Duration) -> Self {
        let (requests, receiver) = mpsc::channel(REQUESTS_MAX);
        let end = Arc::new(OnceLock::new());
        let end_of_task = Arc::clone(&end);
        let task = tokio::spawn(async move {
            let mut driver = Driver::new(stream, receiver, time_limit);
            let trouble = std::future::poll_fn(|context| driver.poll(context)).await;
            driver.fail(end_of_task.get_or_init(|| trouble));
        });
        Self { requests, driver: task.abort_handle(), is_cut: AtomicBool::new(false), end }
    }

    /// Sends packed commands and waits for their answers.
    ///
    /// # Cancel safety
    /// The commands are sent or not, as a whole; their answers are thrown away.
    pub(crate) async fn send(&self, packed: Vec<u8>, answers: usize) -> Result<Answer, Trouble> {
        let (taker, taken) = oneshot::channel();
        let request = Request { packed, answers, taker };
        self.requests.send(request).await.map_err(|_over| self.end())?;
        taken.await.unwrap_or_else(|_over| Err(self.end()))
    }

    /// Why there is no answer to a request that came too late.
    fn end(&self) -> Trouble {
        match self.end.get() {
            // That was another one's time.
            None | Some(Trouble::Timeout) => Trouble::Closed,
            Some(trouble) => trouble.clone(),
        }
    }

    /// Whether the connection was lost or cut.
    pub(crate) fn is_closed(&self) -> bool {
        self.is_cut.load(Ordering::Acquire) || self.end.get().is_some()
    }

    /// Ends the connection for everybody who shares it.
    pub(crate) fn cut(&self) {
        self.is_cut.store(true, Ordering::Release);
        self.driver.abort();
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// Somebody who waits for an answer.
struct Waiting {
    /// How many answers are still to come.
    answers: usize,
    taker: oneshot::Sender<Result<Answer, Trouble>>,
    /// The beat in which the request was taken.
    beat: u32,
}

impl Waiting {
    fn is_overdue(&self, beat: u32) -> bool {
        beat.wrapping_sub(self.beat) > BEATS
    }
}

struct Driver {
    stream: Box<dyn Stream>,
    requests: mpsc::Receiver<Request>,
    taken: Vec<Request>,
    waiting: VecDeque<Waiting>,
    out: Vec<u8>,
    written: usize,
    is_flushed: bool,
    input: BytesMut,
    /// Up to where the input consists of whole answers.
    scanned: usize,
    /// How many bytes there have to be before another look at the input is worth it.
    needed: usize,
    has_answered: bool,
    beat: u32,
    beat_time: Duration,
    /// Set while somebody waits.
    timer: Option<Pin<Box<Sleep>>>,
}

impl Driver {
    fn new(
        stream: Box<dyn Stream>,
        requests: mpsc::Receiver<Request>,
        time_limit: Duration,
    ) -> Self {
        Self {
            stream,
            requests,
            taken: Vec::new(),
            waiting: VecDeque::new(),
            out: Vec::new(),
            written: 0,
            is_flushed: true,
            input: BytesMut::new(),
            scanned: 0,
            needed: 1,
            has_answered: false,
            beat: 0,
            beat_time: time_limit.div_f64(f64::from(BEATS)).max(Duration::from_millis(1)),
            timer: None,
        }
    }

    /// Does what can be done without waiting; ready with the reason why the connection is over.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Trouble> {
        // Reading and writing are always both tried: a server that can not write its answers
        // reads no requests.
        if let Poll::Ready(trouble) = self.read(context) {
            return Poll::Ready(trouble);
        }
        loop {
            let requests = self.take(context);
            if let Poll::Ready(Err(error)) = self.write(context) {
                return Poll::Ready(lost(error));
            }
            match requests {
                Poll::Ready(true) if self.written == self.out.len() => {}
                Poll::Ready(false) => return Poll::Ready(Trouble::Closed),
                _ => break,
            }
        }
        match self.watch(context) {
            Poll::Ready(trouble) => Poll::Ready(trouble),
            Poll::Pending => Poll::Pending,
        }
    }

    /// Takes the requests that wait. Ready with whether there will be others.
    fn take(&mut self, context: &mut Context<'_>) -> Poll<bool> {
        if self.out.len() - self.written >= GATHER_BYTES {
            return Poll::Pending;
        }
        let count = ready!(self.requests.poll_recv_many(context, &mut self.taken, REQUESTS_MAX));
        if count == 0 {
            return Poll::Ready(false);
        }
        for request in self.taken.drain(..) {
            // Nobody waits for it any more, and nothing of it was sent.
            if request.taker.is_closed() {
                continue;
            }
            if self.out.is_empty() {
                self.out = request.packed;
            } else {
                self.out.extend_from_slice(&request.packed);
            }
            let Request { answers, taker, .. } = request;
            self.waiting.push_back(Waiting { answers, taker, beat: self.beat });
        }
        Poll::Ready(true)
    }

    fn write(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.written < self.out.len() {
            let stream = Pin::new(&mut self.stream);
            let count = ready!(stream.poll_write(context, &self.out[self.written..]))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.written += count;
            self.is_flushed = false;
        }
        // A large request does not keep its memory for ever.
        if self.out.capacity() > GATHER_BYTES {
            self.out = Vec::new();
        }
        self.out.clear();
        self.written = 0;
        if !self.is_flushed {
            ready!(Pin::new(&mut self.stream).poll_flush(context))?;
            self.is_flushed = true;
        }
        Poll::Ready(Ok(()))
    }

    /// Reads what has come and hands it out; ready when nothing more will come.
    fn read(&mut self, context: &mut Context<'_>) -> Poll<Trouble> {
        if self.input.is_empty() {
            // Whoever had the answers before has mostly let go of their memory by now.
            let _ = self.input.try_reclaim(READ_BYTES);
        }
        loop {
            self.make_room();
            match ready!(pin!(self.stream.read_buf(&mut self.input)).poll(context)) {
                Ok(0) => return Poll::Ready(self.last_words().unwrap_or(Trouble::Closed)),
                Ok(_) => {}
                Err(error) => {
                    return Poll::Ready(self.last_words().unwrap_or_else(|| lost(error)));
                }
            }
            if let Err(trouble) = self.hand_out() {
                return Poll::Ready(trouble);
            }
        }
    }

    /// What a server said instead of answering: that it takes no more clients, or not this one.
    fn last_words(&self) -> Option<Trouble> {
        let is_refusal = !self.has_answered && self.input.first() == Some(&b'-');
        is_refusal.then(|| refusal(&self.input))
    }

    /// Has room for what is read next. A length that a server announces is believed as its bytes
    /// come in, not before.
    fn make_room(&mut self) {
        let missing = self.needed.saturating_sub(self.input.len()).min(GATHER_BYTES);
        let spare = self.input.capacity() - self.input.len();
        if spare < missing.max(ROOM_BYTES_MIN) {
            self.input.reserve(missing.max(READ_BYTES));
        }
    }

    /// Gives whole answers to those who wait for them.
    fn hand_out(&mut self) -> Result<(), Trouble> {
        while self.input.len() >= self.needed {
            match scan(&self.input, self.scanned)? {
                Scan::Part(needed) => {
                    self.needed = needed;
                    return Ok(());
                }
                Scan::Whole(end) => self.scanned = end,
            }
            // Nobody asked: a server that says why it closes the connection.
            let Some(first) = self.waiting.front_mut() else {
                return Err(refusal(&self.input));
            };
            first.answers -= 1;
            self.needed = self.scanned + 1;
            if first.answers == 0
                && let Some(first) = self.waiting.pop_front()
            {
                let answer = Answer(self.input.split_to(self.scanned).freeze());
                (self.scanned, self.needed, self.has_answered) = (0, 1, true);
                // Who gave up gets nothing, and nobody else gets it instead.
                let _ = first.taker.send(Ok(answer));
            }
        }
        Ok(())
    }

    /// Counts beats while somebody waits; ready when somebody has waited too long.
    fn watch(&mut self, context: &mut Context<'_>) -> Poll<Trouble> {
        loop {
            if self.waiting.is_empty() && self.timer.is_none() {
                return Poll::Pending;
            }
            let timer =
                self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(self.beat_time)));
            ready!(timer.as_mut().poll(context));
            self.timer = None;
            self.beat = self.beat.wrapping_add(1);
            if self.waiting.front().is_some_and(|first| first.is_overdue(self.beat)) {
                return Poll::Ready(Trouble::Timeout);
            }
        }
    }

    /// Tells everybody who waits why there will be no answer.
    fn fail(&mut self, trouble: &Trouble) {
        for waiting in self.waiting.drain(..) {
            // Who came later only lost the connection, and may well have an answer over another.
            let is_late = matches!(trouble, Trouble::Timeout) && !waiting.is_overdue(self.beat);
            let trouble = if is_late { Trouble::Closed } else { trouble.clone() };
            let _ = waiting.taker.send(Err(trouble));
        }
    }
}

/// A connection that ended; unless it is TLS that refused what came over it.
fn lost(error: io::Error) -> Trouble {
    if error.kind() == io::ErrorKind::InvalidData {
        Trouble::Connect(Arc::new(error))
    } else {
        Trouble::Closed
    }
}

/// What a server says before it closes a connection, such as that it has too many.
fn refusal(said: &[u8]) -> Trouble {
    match redis::parse_redis_value(said) {
        Ok(redis::Value::ServerError(error)) => Trouble::Server(error),
        _ => Trouble::Answer("a server answered what nobody asked"),
    }
}

#[cfg(test)]
mod tests;
