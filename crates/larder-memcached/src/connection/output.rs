//! What is to be written, and how it is cut into encrypted records.

use std::{
    collections::VecDeque,
    task::{Context, Poll},
};

use crate::{error::Trouble, transport::Transport};

/// The most bytes of several commands in one encrypted record: half of what a server reads at once.
const SEGMENT_MAX: usize = 8 * 1024;

/// How much room is kept when there is nothing to write.
const KEPT: usize = 64 * 1024;

#[derive(Debug, Default)]
pub(super) struct Output {
    bytes: Vec<u8>,
    written: usize,
    /// Where commands end, on an encrypted connection. See [`Output::segment`].
    ends: VecDeque<usize>,
    /// Whether the connection is encrypted.
    encrypted: bool,
    /// Whether encryption may hold something back.
    flushing: bool,
}

impl Output {
    pub(super) fn new(encrypted: bool) -> Self {
        Self { encrypted, ..Self::default() }
    }

    /// The bytes that are to be written, to append to.
    pub(super) const fn bytes(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    pub(super) const fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether everything has left this process.
    pub(super) const fn is_empty(&self) -> bool {
        self.bytes.is_empty() && !self.flushing
    }

    /// A command ends so many bytes into the output.
    pub(super) fn command_ends(&mut self, at: usize) {
        if self.encrypted {
            self.ends.push_back(at);
        }
    }

    /// Writes as much as the socket takes. If that is not all, the task is woken when it takes
    /// more.
    pub(super) fn write(
        &mut self,
        transport: &mut Transport,
        cx: &mut Context<'_>,
    ) -> Result<(), Trouble> {
        while self.written < self.bytes.len() {
            let end = self.segment();
            let segment = self.bytes.get(self.written..end).unwrap_or_default();
            match transport.poll_write(cx, segment)? {
                Poll::Pending => return Ok(()),
                Poll::Ready(0) => return Err(Trouble::Closed),
                Poll::Ready(count) => self.written += count,
            }
            self.flushing = self.encrypted;
        }
        self.bytes.clear();
        self.bytes.shrink_to(KEPT);
        self.ends.clear();
        self.written = 0;
        if self.flushing && transport.poll_flush(cx)?.is_ready() {
            self.flushing = false;
        }
        Ok(())
    }

    /// Where the bytes end that are written at once: everywhere but on an encrypted connection
    /// this is the end of the output. There, the server waits for its socket although it holds the
    /// rest of an encrypted record that it did not need so far. A command that begins in the
    /// middle of a record behind a large value would so be left lying until more arrives. Hence a
    /// record ends where a command ends, and a command behind others begins a new one unless all
    /// of them are small.
    fn segment(&mut self) -> usize {
        while self.ends.front().is_some_and(|end| *end <= self.written) {
            self.ends.pop_front();
        }
        let near = self.ends.iter().take_while(|end| **end - self.written <= SEGMENT_MAX).last();
        near.or(self.ends.front()).copied().unwrap_or(self.bytes.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lengths of the records for commands of these lengths.
    fn segments(encrypted: bool, commands: &[usize]) -> Vec<usize> {
        let mut output = Output::new(encrypted);
        for len in commands {
            output.bytes().extend(vec![b'x'; *len]);
            output.command_ends(output.len());
        }
        let mut segments = Vec::new();
        while output.written < output.len() {
            let end = output.segment();
            segments.push(end - output.written);
            output.written = end;
        }
        segments
    }

    #[test]
    fn a_record_ends_where_a_command_ends() {
        let commands = [100, 200, 8_000, 100, 50_000, 60, 70];
        assert_eq!(segments(true, &commands), [300, 8_100, 50_000, 130]);
        assert_eq!(segments(false, &commands), [commands.iter().sum::<usize>()]);
    }

    #[test]
    fn a_command_that_was_written_in_part_ends_its_record() {
        let mut output = Output::new(true);
        output.bytes().extend([b'x'; 40_000]);
        output.command_ends(30_000);
        output.command_ends(40_000);
        output.written = 25_000;
        assert_eq!(output.segment(), 30_000);
        output.written = 30_000;
        assert_eq!(output.segment(), 40_000);
    }
}
