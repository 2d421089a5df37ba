//! A checksum of everything that was generated.
//!
//! Guards that it depends on the rows alone, and not on how parameters are encoded for a cache.

use larder::{Params, query::Param};

/// FNV-1a with 64 bits over the values of the rows, in order, each with its type and length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Checksum(u64);

impl Checksum {
    pub(crate) const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    pub(crate) fn add(&mut self, rows: &Params) {
        for value in rows {
            match value {
                Param::F64(number) => self.add_value(b'f', &number.to_bits().to_be_bytes()),
                Param::Null(_) => self.add_value(b'n', &[]),
                Param::Text(text) => self.add_value(b't', text.as_bytes()),
                Param::U64(number) => self.add_value(b'u', &number.to_be_bytes()),
                other => self.add_value(b'?', format!("{other:?}").as_bytes()),
            }
        }
    }

    fn add_value(&mut self, kind: u8, value: &[u8]) {
        let length = (value.len() as u64).to_be_bytes();
        for byte in [kind].iter().chain(&length).chain(value) {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    /// In hexadecimal digits.
    pub(crate) fn text(self) -> String {
        format!("{:016x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_and_the_types_of_values_count() {
        let of = |rows: &[&str]| {
            let mut checksum = Checksum::new();
            for row in rows {
                let mut params = Params::new();
                params.bind(*row);
                checksum.add(&params);
            }
            checksum
        };
        assert_eq!(of(&["a", "b"]), of(&["a", "b"]));
        assert_ne!(of(&["a", "b"]), of(&["b", "a"]));
        assert_ne!(of(&["ab"]), of(&["a", "b"]));
        assert_eq!(of(&[]).text(), "cbf29ce484222325");
    }
}
