//! How content is written down to be digested.
//!
//! Invariant: everything of variable length is preceded by its length, so that parts never run into
//! each other: two contents have one encoding only if they are equal. What is written here never
//! changes within one version of a digest.

use sha2::{Digest as _, Sha256};

/// Bytes in the making.
pub(crate) struct Encoder(Vec<u8>);

/// What a digest is made of.
pub(crate) trait Encode {
    /// Writes everything that counts.
    fn encode(&self, into: &mut Encoder);
}

impl Encoder {
    /// The digest of one thing; `version` tells this digest from every other.
    pub(crate) fn digest(version: &[u8], of: impl FnOnce(&mut Self)) -> [u8; 32] {
        let mut encoder = Self(version.to_vec());
        of(&mut encoder);
        Sha256::digest(&encoder.0).into()
    }

    /// Encodes each item by itself and puts them into the order of their encodings.
    pub(crate) fn sorted<T: Encode>(&mut self, items: &[T]) {
        let encoded = items.iter().map(|item| {
            let mut one = Self(Vec::new());
            item.encode(&mut one);
            one.0
        });
        let mut encoded: Vec<_> = encoded.collect();
        encoded.sort_unstable();
        self.count(encoded.len());
        encoded.iter().for_each(|one| self.bytes(one));
    }

    pub(crate) fn texts<T: AsRef<str>>(&mut self, texts: &[T]) {
        self.count(texts.len());
        texts.iter().for_each(|text| self.text(text.as_ref()));
    }

    pub(crate) fn option(&mut self, text: Option<&str>) {
        self.flag(text.is_some());
        self.text(text.unwrap_or_default());
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        self.0.extend_from_slice(bytes);
    }

    pub(crate) fn count(&mut self, count: usize) {
        self.number(count as u64);
    }

    pub(crate) fn number(&mut self, number: u64) {
        self.0.extend_from_slice(&number.to_be_bytes());
    }

    pub(crate) fn flag(&mut self, flag: bool) {
        self.0.push(u8::from(flag));
    }
}

/// A digest as it is shown.
pub(crate) fn shown(digest: &[u8; 32]) -> String {
    let digits: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("v1:sha256:{digits}")
}
