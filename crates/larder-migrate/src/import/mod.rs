//! The histories of other tools: read, matched with the files, and never written.
//!
//! Guards that nothing counts as applied of which the other tool does not say so.

mod error;
mod history;
mod matching;
mod read;
mod source;
mod verify;

pub use error::ImportError;
pub(crate) use error::list;
pub use history::{History, HistoryEntry};
pub use matching::{Import, Imported, match_history};
pub use read::read_history;
pub use source::HistorySource;
