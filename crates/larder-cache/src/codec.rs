//! How values of a family become bytes for the far tier, and back.

use std::{error::Error as StdError, fmt};

use bytes::Bytes;
use larder_core::Codec;
use serde::{Serialize, de::DeserializeOwned};

use crate::fingerprint::fingerprint;

/// A value that could not be encoded or decoded.
pub type CodecError = Box<dyn StdError + Send + Sync>;

/// How the payload of a family is read.
///
/// The codec's number and the fingerprint travel with every entry; a reader that expects others
/// takes the entry for a miss. So two versions of a program in a rolling deploy miss each
/// other's entries instead of misreading them.
pub struct PayloadCodec<T> {
    pub(crate) codec: Codec,
    pub(crate) schema: u64,
    pub(crate) decode: fn(&Bytes) -> Result<T, CodecError>,
}

impl<T> PayloadCodec<T> {
    /// A codec of the caller's own: its number, a fingerprint of the type's shape, and the
    /// function that decodes. Encoding is the loader's part, see [`Loaded`].
    #[must_use]
    pub const fn new(
        codec: Codec,
        schema: u64,
        decode: fn(&Bytes) -> Result<T, CodecError>,
    ) -> Self {
        Self { codec, schema, decode }
    }
}

impl<T: Serialize + DeserializeOwned> PayloadCodec<T> {
    /// [postcard](https://postcard.jamesmunns.com): compact and fast, but not self-describing.
    ///
    /// The fingerprint covers the type's name, its fields with their names, order and types, as
    /// its `Deserialize` asks for them, and `version`. Raise the version when a field changes its
    /// meaning but not its type, or when an enum's variant other than the first changes.
    #[must_use]
    pub fn postcard(version: u64) -> Self {
        Self { codec: Codec::POSTCARD, schema: fingerprint::<T>(version), decode: from_postcard }
    }
}

impl<T> Clone for PayloadCodec<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for PayloadCodec<T> {}

impl<T> fmt::Debug for PayloadCodec<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PayloadCodec")
            .field("codec", &self.codec)
            .field("schema", &self.schema)
            .finish_non_exhaustive()
    }
}

fn from_postcard<T: DeserializeOwned>(payload: &Bytes) -> Result<T, CodecError> {
    let (value, rest) = postcard::take_from_bytes(payload)?;
    if rest.is_empty() { Ok(value) } else { Err("trailing bytes".into()) }
}

/// What a loader hands to the engine: the value for the near tier, its bytes for the far tier.
#[derive(Debug)]
pub struct Loaded<T> {
    pub(crate) value: Option<T>,
    pub(crate) payload: Option<Bytes>,
    pub(crate) weight: usize,
    pub(crate) brief: bool,
    pub(crate) unstored: bool,
}

impl<T> Loaded<T> {
    /// A value with its encoded form; the near tier counts the payload's length as its weight.
    #[must_use]
    pub fn value(value: T, payload: Bytes) -> Self {
        let weight = payload.len();
        Self { value: Some(value), payload: Some(payload), weight, brief: false, unstored: false }
    }

    /// A value that stays in this process, with its weight in bytes.
    #[must_use]
    pub const fn near_only(value: T, weight: usize) -> Self {
        Self { value: Some(value), payload: None, weight, brief: false, unstored: false }
    }

    /// The statement that there is nothing.
    #[must_use]
    pub const fn absent() -> Self {
        Self { value: None, payload: Some(Bytes::new()), weight: 0, brief: true, unstored: false }
    }

    /// Hands the value to those who wait for it, and stores it nowhere.
    #[must_use]
    pub const fn unstored(mut self) -> Self {
        self.unstored = true;
        self
    }

    /// Lets a value live only as long as an absence does: an empty list, for example.
    #[must_use]
    pub fn brief_if(mut self, is_brief: bool) -> Self {
        self.brief |= is_brief;
        self
    }
}

impl<T: Serialize> Loaded<T> {
    /// Encodes a value with postcard. A value that can not be encoded stays in this process.
    pub(crate) fn encode(value: Option<T>) -> Self {
        let Some(value) = value else {
            return Self::absent();
        };
        match postcard::to_allocvec(&value) {
            Ok(payload) => Self::value(value, payload.into()),
            Err(error) => {
                tracing::warn!(%error, "a value can not be encoded and stays in the near tier");
                Self::near_only(value, size_of::<T>())
            }
        }
    }
}
