//! A checksum of everything that was generated.

use larder::Params;

/// FNV-1a with 64 bits over the canonical bytes of the rows, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Checksum(u64);

impl Checksum {
    pub(crate) const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    pub(crate) fn add(&mut self, rows: &Params) {
        for byte in rows.as_bytes() {
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
