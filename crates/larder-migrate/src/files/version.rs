//! The version of a file: what orders it among the others.
//!
//! Invariant: versions that people take for one are equal (`7`, `007`), whatever text they have.

use std::{cmp::Ordering, fmt};

/// The version of a file: numbers with dots between them, compared number by number, or another
/// text that begins with a digit, which comes after all numbers.
///
/// `7`, `007` and `7.0` are one version; so are `2024-05-01-120000` and `20240501120000`, because
/// hyphens between the digits of a date do not count. Numbers have no upper bound.
///
/// ```
/// use larder_migrate::FileVersion;
///
/// let version = |text| FileVersion::parse(text).expect("a version");
/// assert!(version("9") < version("10") && version("1.9") < version("1.10"));
/// assert!(version("20240501120000") < version("20240501a"));
/// assert_eq!(version("007"), version("7"));
/// assert_eq!(version("007").to_string(), "7");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FileVersion(Parts);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Parts {
    /// Digits without leading zeros; the last of several numbers is not 0.
    Numbers(Vec<String>),
    Text(String),
}

/// The longest version, in bytes; the registry keeps it together with an application's name.
const BYTES_MAX: usize = 100;

impl FileVersion {
    /// Reads a version; `None` if the text is none: it is empty, longer than 100 bytes, begins
    /// with something else than a digit, or has other signs than letters, digits, `.` and `-`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
        if !text.starts_with(|c: char| c.is_ascii_digit())
            || text.len() > BYTES_MAX
            || !text.bytes().all(is_part)
        {
            return None;
        }
        let parts = numbers(&without_hyphens(text))
            .map_or_else(|| Parts::Text(text.to_owned()), Parts::Numbers);
        Some(Self(parts))
    }

    /// Whether it consists of numbers.
    #[must_use]
    pub const fn is_numeric(&self) -> bool {
        matches!(self.0, Parts::Numbers(_))
    }
}

/// A date's digits; any other text as it is. Hyphens alone make no date.
fn without_hyphens(text: &str) -> String {
    let digits = text.replace('-', "");
    let is_date = digits.len() >= 8 && digits.bytes().all(|byte| byte.is_ascii_digit());
    if is_date { digits } else { text.to_owned() }
}

fn numbers(text: &str) -> Option<Vec<String>> {
    let number = |part: &str| {
        let is_number = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| match part.trim_start_matches('0') {
            "" => "0".to_owned(),
            digits => digits.to_owned(),
        })
    };
    let mut numbers: Vec<String> = text.split('.').map(number).collect::<Option<_>>()?;
    while numbers.len() > 1 && numbers.last().is_some_and(|last| last == "0") {
        numbers.pop();
    }
    Some(numbers)
}

impl Ord for FileVersion {
    fn cmp(&self, other: &Self) -> Ordering {
        match (&self.0, &other.0) {
            (Parts::Numbers(one), Parts::Numbers(other)) => {
                // Without leading zeros the longer number is the greater one.
                let key = |number: &String| (number.len(), number.clone());
                one.iter().map(key).cmp(other.iter().map(key))
            }
            (Parts::Numbers(_), Parts::Text(_)) => Ordering::Less,
            (Parts::Text(_), Parts::Numbers(_)) => Ordering::Greater,
            (Parts::Text(one), Parts::Text(other)) => one.cmp(other),
        }
    }
}

impl PartialOrd for FileVersion {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for FileVersion {
    /// The same text for equal versions.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Parts::Numbers(numbers) => f.write_str(&numbers.join(".")),
            Parts::Text(text) => f.write_str(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn version(text: &str) -> FileVersion {
        FileVersion::parse(text).unwrap_or_else(|| panic!("{text:?} is no version"))
    }

    #[test]
    fn versions_are_ordered_as_people_expect() {
        let texts = [
            "0",
            "1",
            "1.2",
            "1.10",
            "2",
            "10",
            "20240501",
            "20240501120000",
            "99999999999999999999999",
            "100000000000000000000000",
            "1-2",
            "1a",
            "2b",
        ];
        let mut sorted: Vec<_> = texts.iter().rev().map(|text| version(text)).collect();
        sorted.sort();
        let sorted: Vec<_> = sorted.iter().map(ToString::to_string).collect();
        assert_eq!(sorted, texts);
    }

    #[test]
    fn one_version_has_one_text() {
        for (text, canonical) in [
            ("007", "7"),
            ("000", "0"),
            ("1.0", "1"),
            ("1.02.0", "1.2"),
            ("2024-05-01-120000", "20240501120000"),
            ("1-2", "1-2"),
            ("1a", "1a"),
        ] {
            assert_eq!(version(text).to_string(), canonical);
            assert_eq!(version(text), version(canonical));
        }
    }

    #[test]
    fn what_is_no_version_is_none() {
        for text in ["", "a", "v1", "-1", ".1", "1 2", "1_2", "é", "1é", &"1".repeat(101)] {
            assert_eq!(FileVersion::parse(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn integers_compare_as_integers(one: u64, other: u64) {
            let texts = (one.to_string(), format!("{other:030}"));
            prop_assert_eq!(version(&texts.0).cmp(&version(&texts.1)), one.cmp(&other));
        }

        #[test]
        fn the_text_of_a_version_is_that_version(text in "[0-9][0-9a-c.-]{0,20}") {
            let parsed = version(&text);
            prop_assert_eq!(version(&parsed.to_string()), parsed);
        }
    }
}
