//! Paths as parts of URLs.

use std::{fmt, os::unix::ffi::OsStrExt as _, path::Path};

/// A path with everything escaped that means something else in a URL, or might.
pub(crate) struct InUrl<'a>(pub(crate) &'a Path);

impl fmt::Display for InUrl<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for &byte in self.0.as_os_str().as_bytes() {
            let is_plain = byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
            if is_plain { write!(f, "{}", char::from(byte))? } else { write!(f, "%{byte:02X}")? }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_harmless_stays() {
        let path = Path::new("/tmp/a b/ä?%.sock");
        assert_eq!(InUrl(path).to_string(), "/tmp/a%20b/%C3%A4%3F%25.sock");
    }
}
