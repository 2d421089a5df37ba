//! Names that are put together from others, short enough for a database.
//!
//! Invariant: the same text always gets the same name, and two texts get the same one only if
//! their digests begin alike.

use sha2::{Digest as _, Sha256};

/// What a database counts when it limits a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NameUnit {
    /// Bytes of UTF-8.
    #[allow(dead_code, reason = "which units are in use depends on the dialects")]
    Bytes,
    /// Characters.
    Characters,
}

/// The text itself where it has at most `max` units; otherwise as much of its beginning as leaves
/// room for `_` and eight hexadecimal digits of its digest.
pub(crate) fn short_name(text: &str, max: usize, unit: NameUnit) -> String {
    let length = |text: &str| match unit {
        NameUnit::Bytes => text.len(),
        NameUnit::Characters => text.chars().count(),
    };
    if length(text) <= max {
        return text.to_owned();
    }
    let digest = Sha256::digest(text.as_bytes());
    let digest: String = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    let room = max.saturating_sub(digest.len() + 1);
    let mut name = String::new();
    for character in text.chars() {
        let units = match unit {
            NameUnit::Bytes => character.len_utf8(),
            NameUnit::Characters => 1,
        };
        if length(&name) + units > room {
            break;
        }
        name.push(character);
    }
    format!("{name}_{digest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_fit_stay_as_they_are() {
        let text = "é".repeat(64);
        assert_eq!(short_name(&text, 64, NameUnit::Characters), text);
        assert_eq!(short_name("airline_iata_idx", 63, NameUnit::Bytes), "airline_iata_idx");
    }

    #[test]
    fn longer_names_keep_their_beginning_and_differ_by_their_digest() {
        let one = short_name(&format!("{}1", "é".repeat(64)), 64, NameUnit::Characters);
        let other = short_name(&format!("{}2", "é".repeat(64)), 64, NameUnit::Characters);
        assert_eq!(one.chars().count(), 64);
        assert!(one.starts_with(&"é".repeat(55)) && one != other);
        let bytes = short_name(&"é".repeat(64), 63, NameUnit::Bytes);
        assert_eq!(bytes.len(), 63);
        assert_eq!(bytes, short_name(&"é".repeat(64), 63, NameUnit::Bytes));
    }
}
