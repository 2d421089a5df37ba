//! The state of a connection, under its lock: what is to be written, and who waits for what.

use std::{
    collections::VecDeque,
    task::{Context, Poll, Waker},
};

use super::{Limits, Wakers, output::Output, slots::Slots};
use crate::{
    batch::Batch,
    codec::{Decoder, Frame, Input, Line},
    error::Trouble,
    request::{Answer, Expect, Reply, Request},
    transport::Transport,
};

/// The most bytes of names in one `get`.
const BATCH_LEN_MAX: usize = 32 * 1024;

/// The most lines in the reply to `stats`.
const STATS_MAX: usize = 2_000;

/// How many ticks of the watch a reply may take. See [`Core::tick`].
pub(super) const TICKS_PER_LIMIT: u32 = 4;

/// Who reads and writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Driver {
    /// The only caller there is, by its place.
    Caller(usize),
    Nobody,
    Pump,
}

#[derive(Debug)]
pub(super) struct Core {
    /// `None` once the connection has ended.
    transport: Option<Transport>,
    trouble: Option<Trouble>,
    limits: Limits,
    output: Output,
    /// Whether the output ends in a `get` that others may still join.
    open: bool,
    input: Input,
    decoder: Decoder,
    waiting: VecDeque<Waiting>,
    slots: Slots,
    driver: Driver,
    /// Requests since the last write.
    arrived: usize,
    /// Whether requests lately came in groups.
    crowd: bool,
    spare_batch: Option<Batch>,
    ticks: u32,
    watch: Watch,
}

/// Whether ticks are counted, which they are while there is traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Watch {
    Asleep,
    /// A request came since the last tick.
    Busy,
    Quiet,
}

#[derive(Debug)]
struct Waiting {
    /// The tick at which the request was made.
    since: u32,
    reply: Expected,
}

#[derive(Debug)]
enum Expected {
    Batch(Batch),
    Command { slot: usize, expect: Expect, so_far: Option<Answer> },
}

impl Core {
    pub(super) fn new(transport: Transport, limits: Limits) -> Self {
        Self {
            output: Output::new(transport.is_encrypted()),
            transport: Some(transport),
            trouble: None,
            limits,
            open: false,
            input: Input::new(),
            decoder: Decoder::new(limits.value_bytes_max),
            waiting: VecDeque::new(),
            slots: Slots::default(),
            driver: Driver::Nobody,
            arrived: 0,
            crowd: false,
            spare_batch: None,
            ticks: 0,
            watch: Watch::Asleep,
        }
    }

    pub(super) const fn has_ended(&self) -> bool {
        self.trouble.is_some()
    }

    pub(super) const fn set_value_bytes_max(&mut self, bytes: usize) {
        self.decoder.set_value_len_max(bytes);
    }

    pub(super) const fn driver(&self) -> Driver {
        self.driver
    }

    pub(super) const fn set_driver(&mut self, driver: Driver) {
        self.driver = driver;
    }

    /// Whether requests lately came in groups, so that waiting for one another pays.
    pub(super) const fn is_crowded(&self) -> bool {
        self.crowd
    }

    /// Whether nothing is to be written and nothing to come.
    pub(super) fn is_idle(&self) -> bool {
        self.waiting.is_empty() && !self.has_output()
    }

    /// Whether something is to be written, or held back by encryption.
    pub(super) const fn has_output(&self) -> bool {
        !self.output.is_empty()
    }

    pub(super) fn take(&mut self, slot: usize) -> Option<Result<Reply, Trouble>> {
        self.slots.take(slot)
    }

    pub(super) fn take_waker(&mut self, slot: usize) -> Option<Waker> {
        self.slots.take_waker(slot)
    }

    pub(super) fn set_waker(&mut self, slot: usize, known: Option<Waker>, waker: &Waker) {
        self.slots.set_waker(slot, known, waker);
    }

    pub(super) fn abandon(&mut self, slot: usize) {
        self.slots.abandon(slot);
    }

    /// Puts a request into the output.
    pub(super) fn submit(
        &mut self,
        request: &Request<'_>,
        waker: &Waker,
    ) -> Result<usize, Trouble> {
        if let Some(trouble) = &self.trouble {
            return Err(trouble.clone());
        }
        let pending = self.output.len() + request.commands.len();
        if self.slots.taken() >= self.limits.in_flight_max
            || pending > self.limits.output_bytes_max.max(request.commands.len())
        {
            return Err(Trouble::Busy("too many requests are under way"));
        }
        let (commands, reads) = (&request.expect, &request.reads);
        let slot = self.slots.open(commands.len(), reads.len(), waker);
        if !commands.is_empty() {
            self.close_get();
            for (expect, end) in commands {
                let reply = Expected::Command { slot, expect: *expect, so_far: None };
                self.waiting.push_back(Waiting { since: self.ticks, reply });
                self.output.command_ends(self.output.len() + end);
            }
            self.output.bytes().extend_from_slice(&request.commands);
        }
        if !reads.is_empty() {
            self.get(slot, request);
        }
        self.arrived += 1;
        Ok(slot)
    }

    fn get(&mut self, slot: usize, request: &Request<'_>) {
        if self.open
            && let Some(Waiting { reply: Expected::Batch(batch), .. }) = self.waiting.back_mut()
            && batch.len() < BATCH_LEN_MAX
        {
            batch.join(slot, &request.reads, self.output.bytes());
            return;
        }
        self.close_get();
        let mut batch = self.spare_batch.take().unwrap_or_default();
        self.output.bytes().extend_from_slice(b"get");
        batch.join(slot, &request.reads, self.output.bytes());
        self.waiting.push_back(Waiting { since: self.ticks, reply: Expected::Batch(batch) });
        self.open = true;
    }

    fn close_get(&mut self) {
        if self.open {
            self.output.bytes().extend_from_slice(b"\r\n");
            self.open = false;
            self.output.command_ends(self.output.len());
        }
    }

    /// Notices, without a system call, that the server hung up while nobody waited. Also sees to
    /// it that the task is woken when something can be read.
    pub(super) fn probe(&mut self, cx: &mut Context<'_>, wakers: &mut Wakers) {
        if !self.is_idle() {
            return;
        }
        let Some(transport) = &mut self.transport else { return };
        let trouble = match transport.poll_read(cx, self.input.spare()) {
            Poll::Pending => return,
            Poll::Ready(Ok(0)) => Trouble::Closed,
            Poll::Ready(Ok(_)) => UNASKED,
            Poll::Ready(Err(error)) => error.into(),
        };
        self.end(&trouble, wakers);
    }

    /// Writes what there is to write.
    pub(super) fn write(&mut self, cx: &mut Context<'_>, wakers: &mut Wakers) {
        self.close_get();
        if self.arrived > 0 {
            self.crowd = self.arrived > 1;
            self.arrived = 0;
        }
        let Some(transport) = &mut self.transport else { return };
        if let Err(trouble) = self.output.write(transport, cx) {
            self.end(&trouble, wakers);
        }
    }

    /// Reads what has come and gives it to those who wait for it, until nothing more has come or,
    /// for a caller, until nobody waits.
    pub(super) fn read(&mut self, cx: &mut Context<'_>, wakers: &mut Wakers) {
        while let Some(transport) = &mut self.transport {
            if self.waiting.is_empty() && matches!(self.driver, Driver::Caller(_)) {
                return;
            }
            let trouble = match transport.poll_read(cx, self.input.spare()) {
                Poll::Pending => return,
                Poll::Ready(Ok(0)) => Trouble::Closed,
                Poll::Ready(Err(error)) => error.into(),
                Poll::Ready(Ok(count)) => {
                    self.input.advance(count);
                    match self.decode(wakers) {
                        Ok(()) => continue,
                        Err(trouble) => trouble,
                    }
                }
            };
            self.end(&trouble, wakers);
        }
    }

    fn decode(&mut self, wakers: &mut Wakers) -> Result<(), Trouble> {
        loop {
            let front = self.waiting.front();
            let recognise = |name: &[u8]| match front.map(|front| &front.reply) {
                Some(Expected::Batch(batch)) => batch.recognise(name),
                // `gets` asks for one name, and the reply has no other.
                Some(Expected::Command { expect: Expect::Gets, .. }) => Some(0),
                _ => None,
            };
            match self.decoder.decode(&mut self.input, recognise)? {
                Some(frame) => self.deliver(frame, wakers)?,
                None => return Ok(()),
            }
        }
    }

    fn deliver(&mut self, frame: Frame, wakers: &mut Wakers) -> Result<(), Trouble> {
        match &frame {
            // The server may read what follows in a way that we did not mean, so the order of the
            // replies can not be trusted any more.
            Frame::Line(Line::ClientError(message)) => return Err(Trouble::client(message)),
            Frame::Line(Line::Error) => {
                return Err(Trouble::Protocol("the server does not know a command"));
            }
            _ => {}
        }
        let front = self.waiting.front_mut().ok_or(UNASKED)?;
        match &mut front.reply {
            Expected::Batch(batch) => match frame {
                Frame::Value(head, data) => {
                    let index = head.name.ok_or(UNASKED)?;
                    batch.found(index, head.flags.client_flags.unwrap_or_default(), data);
                }
                Frame::Line(Line::End) => self.batch_done(None, wakers),
                Frame::Line(Line::ServerError(message)) => {
                    self.batch_done(Some(&Trouble::server(&message)), wakers);
                }
                Frame::Line(_) => return Err(UNASKED),
            },
            Expected::Command { slot, expect, so_far } => {
                if let Some(answer) = answer(*expect, so_far, frame)? {
                    let slot = *slot;
                    self.waiting.pop_front();
                    self.slots.answer(slot, answer, wakers);
                }
            }
        }
        Ok(())
    }

    fn batch_done(&mut self, trouble: Option<&Trouble>, wakers: &mut Wakers) {
        let Some(Waiting { reply: Expected::Batch(mut batch), .. }) = self.waiting.pop_front()
        else {
            return;
        };
        let slots = &mut self.slots;
        match trouble {
            Some(trouble) => {
                batch.slots().for_each(|slot| slots.part_failed(slot, trouble, wakers));
            }
            None => {
                batch.deliver(|slot, position, item| slots.item(slot, position, item));
                batch.slots().for_each(|slot| slots.part_done(slot, wakers));
            }
        }
        self.spare_batch = Some(batch.recycled());
    }

    /// The connection is over, for everybody.
    pub(super) fn end(&mut self, trouble: &Trouble, wakers: &mut Wakers) {
        if self.trouble.is_some() {
            return;
        }
        self.trouble = Some(trouble.clone());
        self.transport = None;
        self.waiting.clear();
        self.output = Output::default();
        self.open = false;
        self.slots.fail_all(trouble, wakers);
    }

    /// Counts a part of the time limit, and ends the connection if the oldest request has waited
    /// for all of it. Counting costs a request nothing, where a timer would.
    pub(super) fn tick(&mut self, wakers: &mut Wakers) {
        self.ticks = self.ticks.wrapping_add(1);
        let oldest = self.waiting.front().map(|waiting| waiting.since);
        if oldest.is_some_and(|since| self.ticks.wrapping_sub(since) >= TICKS_PER_LIMIT) {
            self.end(&Trouble::Timeout, wakers);
        }
        let quiet = self.waiting.is_empty() && self.watch == Watch::Quiet;
        self.watch = if quiet { Watch::Asleep } else { Watch::Quiet };
    }

    pub(super) fn is_watched(&self) -> bool {
        self.watch != Watch::Asleep
    }

    /// Ticks are counted from now on, until a whole one has passed without a request.
    pub(super) const fn set_watched(&mut self) {
        self.watch = Watch::Busy;
    }
}

const UNASKED: Trouble = Trouble::Protocol("a reply that nobody asked for");

/// The whole answer to a command, if this frame completes it.
fn answer(
    expect: Expect,
    so_far: &mut Option<Answer>,
    frame: Frame,
) -> Result<Option<Answer>, Trouble> {
    match (expect, frame) {
        (Expect::One, Frame::Line(line)) => Ok(Some(Answer::Line(line))),
        (Expect::One, Frame::Value(head, data)) => {
            Ok(Some(Answer::Value(head.flags, data.into_bytes())))
        }
        (_, Frame::Line(line @ Line::ServerError(_))) => Ok(Some(Answer::Line(line))),
        (Expect::Gets, Frame::Value(head, data)) if so_far.is_none() => {
            *so_far = Some(Answer::Value(head.flags, data.into_bytes()));
            Ok(None)
        }
        (Expect::Gets, Frame::Line(Line::End)) => {
            Ok(Some(so_far.take().unwrap_or(Answer::Line(Line::End))))
        }
        (Expect::Stats, Frame::Line(Line::Stat { name, value })) => {
            let stats = so_far.get_or_insert_with(|| Answer::Stats(Vec::new()));
            match stats {
                Answer::Stats(stats) if stats.len() < STATS_MAX => stats.push((name, value)),
                _ => return Err(Trouble::Protocol("the server says too much about itself")),
            }
            Ok(None)
        }
        (Expect::Stats, Frame::Line(Line::End)) => {
            Ok(Some(so_far.take().unwrap_or_else(|| Answer::Stats(Vec::new()))))
        }
        (Expect::Gets | Expect::Stats, _) => Err(UNASKED),
    }
}
