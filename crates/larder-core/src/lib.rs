#![doc = include_str!("../README.md")]

mod backend;
mod capability;
mod clock;
mod counter;
mod envelope;
mod epoch;
mod error;
mod generation;
mod key;
mod lease;
mod mac;
mod memory;
mod plain;
mod tag;
mod ttl;

pub use backend::{
    BackendStats, CacheBackend, Fact, Health, ReadRequest, Snapshot, WatchEvent, WatchStream,
};
pub use capability::Capability;
pub use clock::{Clock, SystemClock, Tick};
pub use counter::{Counter, StripedCounter};
pub use envelope::{Codec, Dependency, EntryId, Envelope, EnvelopeHeader, Expectation, Rejection};
pub use epoch::Epoch;
pub use error::{Error, ErrorKind, Operation, Result};
pub use generation::{Generation, Stamp};
pub use key::{Key, KeyBuilder, KeySpace};
pub use lease::{FillOutcome, Lease, LeaseOutcome, LeaseRequest, LeaseToken};
pub use mac::MacKey;
pub use memory::{MemoryBackend, MemoryConfig};
pub use plain::PlainStore;
pub use tag::Tag;
pub use ttl::{Ttl, TtlError};

/// The crates whose types appear in the public interface.
pub use {async_trait::async_trait, bytes};
