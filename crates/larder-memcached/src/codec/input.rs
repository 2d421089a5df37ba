//! The buffer between a connection and the decoder: one allocation of fixed size.

/// Bytes that were received and not decoded yet.
#[derive(Debug)]
pub(crate) struct Input {
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
}

impl Input {
    /// The size of the buffer, in bytes: what a socket typically delivers at once.
    const SIZE: usize = 64 * 1024;

    pub(crate) fn new() -> Self {
        Self { buffer: vec![0; Self::SIZE].into_boxed_slice(), start: 0, end: 0 }
    }

    /// What is there.
    pub(crate) fn filled(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    /// Forgets the first bytes.
    pub(crate) fn consume(&mut self, count: usize) {
        self.start = (self.start + count).min(self.end);
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
    }

    /// Room for more. Never empty, as the decoder takes in all but a part of a line, and refuses
    /// lines that are longer than a small part of the buffer.
    pub(crate) fn spare(&mut self) -> &mut [u8] {
        if self.start > 0 && self.end > self.buffer.len() / 2 {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        self.buffer.get_mut(self.end..).unwrap_or_default()
    }

    /// Says that the first bytes of the spare room were written.
    pub(crate) fn advance(&mut self, count: usize) {
        self.end = (self.end + count).min(self.buffer.len());
    }
}
