//! What can happen to bytes on their way, and to a connection at the door.

use std::time::Duration;

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a connection has two directions")]
pub enum Direction {
    /// From the server to the client.
    Replies,
    /// From the client to the server.
    Requests,
}

/// What happens to the bytes of one direction.
///
/// A *frame* is what one read from the socket returned, 64 KiB at most. For a client that waits for
/// each reply, that is one request and one reply; for a pipelining one it may be several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WireFault {
    /// Lets so many bytes through per second.
    Bandwidth {
        /// The rate; 0 counts as 1.
        bytes_per_second: u64,
    },
    /// Closes the connection in an orderly way after so many more bytes.
    CloseAfter {
        /// Bytes that still pass, counted per connection since the fault was set.
        bytes: u64,
    },
    /// Passes each frame on twice: a duplicated request or reply.
    Duplicate,
    /// Puts so many random bytes in front of each frame.
    Garbage {
        /// How many.
        bytes: usize,
    },
    /// Lets each frame arrive later than it came. Order is kept, and delays do not add up: a frame
    /// does not wait until the one before it has arrived to set out.
    Latency {
        /// The least delay.
        delay: Duration,
        /// The most that is added to it, chosen at random for each frame.
        jitter: Duration,
    },
    /// Replaces the first decimal number of each frame by 99,999,999,999: in most text protocols
    /// a length that is never going to arrive.
    Oversize,
    /// Resets the connection after so many more bytes.
    ResetAfter {
        /// Bytes that still pass, counted per connection since the fault was set.
        bytes: u64,
    },
    /// Holds everything back until the fault is lifted; then it arrives late, but whole.
    Stall,
    /// Takes the bytes and never passes them on: one half of a half-open connection. A connection
    /// that lost bytes stays silent in this direction, also when the fault is lifted, as no network
    /// brings back what it lost.
    Swallow,
    /// Exchanges each two neighbouring frames. A frame waits for its neighbour for as long as it
    /// takes, or until the fault is lifted.
    Swap,
    /// Passes on one byte at a time.
    Trickle {
        /// The pause before each byte.
        pause: Duration,
    },
    /// Passes on the first half of a frame and closes the connection.
    Truncate,
}

/// What happens to a client that connects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Accept {
    /// It is connected with the server.
    #[default]
    Forward,
    /// Nobody listens: the connection is refused.
    Refuse,
    /// It is accepted and reset at once.
    Reset,
    /// It is accepted, and nothing is ever read or written, also after the fault is lifted.
    Stall,
}
