//! The text protocol's replies, from bytes to frames. Knows nothing of connections and of larder.
//!
//! Invariant: whatever arrives, in whatever pieces, becomes the same frames or one error, without
//! a panic and without holding more than the input buffer and one value of bounded size.

mod decoder;
mod input;
mod line;

pub(crate) use decoder::{Decoder, Frame, Malformed, Payload};
pub(crate) use input::Input;
pub(crate) use line::{Line, MetaFlags};
