//! Names of indexes and constraints that a model leaves to us.
//!
//! Invariant: the same model always gets the same names, none is longer than PostgreSQL keeps, and
//! no two of one table are equal.

use std::collections::BTreeSet;

use crate::short_name::{NameUnit, short_name};

const BYTES_MAX: usize = 63;

/// The names of one table's parts.
pub(super) struct Names<'a> {
    table: &'a str,
    taken: BTreeSet<String>,
}

impl<'a> Names<'a> {
    /// `taken` are the names that somebody chose.
    pub(super) fn new(table: &'a str, taken: impl IntoIterator<Item = String>) -> Self {
        Self { table, taken: taken.into_iter().collect() }
    }

    /// `<table>_<middle>_<end>`, or with a number behind it if there is one already.
    pub(super) fn make(&mut self, middle: &str, end: &str) -> String {
        let middle = if middle.is_empty() { String::new() } else { format!("{middle}_") };
        let mut number = 0_usize;
        loop {
            let count = if number == 0 { String::new() } else { number.to_string() };
            let name = limited(&format!("{}_{middle}{end}{count}", self.table));
            if self.taken.insert(name.clone()) {
                return name;
            }
            number += 1;
        }
    }
}

/// The name, no longer than PostgreSQL keeps.
pub(super) fn limited(name: &str) -> String {
    short_name(name, BYTES_MAX, NameUnit::Bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_names_get_a_number_and_long_ones_a_digest() {
        let mut names = Names::new("t", ["t_b_idx".to_owned()]);
        assert_eq!(names.make("a", "idx"), "t_a_idx");
        assert_eq!(names.make("a", "idx"), "t_a_idx1");
        assert_eq!(names.make("b", "idx"), "t_b_idx1");
        assert_eq!(names.make("", "pkey"), "t_pkey");
        let long = "c".repeat(63);
        let (one, other) = (names.make(&long, "idx"), names.make(&long, "idx"));
        assert!(one != other && one.len() == 63 && other.len() == 63);
    }
}
