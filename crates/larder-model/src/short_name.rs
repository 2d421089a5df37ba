//! Names that a database would otherwise cut off.
//!
//! Invariant: two texts get two names, and one text always gets the same, so that a name that was
//! made years ago is found again.

use sha2::{Digest as _, Sha256};

/// What the length of a name is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NameUnit {
    /// As PostgreSQL counts.
    Bytes,
    /// As MySQL and MariaDB count.
    Chars,
}

/// The text if it is at most `max` long; otherwise its beginning, `_` and eight hexadecimal digits
/// of its digest, together `max` long or a few bytes less.
pub(crate) fn short_name(text: &str, max: usize, unit: NameUnit) -> String {
    let length = |text: &str| match unit {
        NameUnit::Bytes => text.len(),
        NameUnit::Chars => text.chars().count(),
    };
    if length(text) <= max {
        return text.to_owned();
    }
    let digest = Sha256::digest(text);
    let mut end = "_".to_owned();
    digest.iter().take(4).for_each(|byte| end.push_str(&format!("{byte:02x}")));
    let room = max.saturating_sub(end.len());
    let mut name = String::new();
    for letter in text.chars() {
        let size = if unit == NameUnit::Bytes { letter.len_utf8() } else { 1 };
        if length(&name) + size > room {
            break;
        }
        name.push(letter);
    }
    name + &end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_stays_as_it_is() {
        assert_eq!(short_name(&"a".repeat(63), 63, NameUnit::Bytes), "a".repeat(63));
    }

    #[test]
    fn what_is_longer_ends_in_a_digest_that_never_changes() {
        let name = short_name(&"a".repeat(64), 63, NameUnit::Bytes);
        assert_eq!(name, format!("{}_ffe054fe", "a".repeat(54)));
        let other = short_name(&format!("{}b", "a".repeat(63)), 63, NameUnit::Bytes);
        assert_ne!(name, other);
        assert_eq!(other.len(), 63);
    }

    #[test]
    fn letters_are_never_cut_apart() {
        let text = "é".repeat(40);
        let name = short_name(&text, 63, NameUnit::Bytes);
        assert!(name.len() <= 63 && name.starts_with(&"é".repeat(27)));
    }
}
