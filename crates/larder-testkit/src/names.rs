//! Names that break naive caches: as keys and as tags, all of them are just names here.

use std::sync::LazyLock;

/// More than forty names that have broken caches: control characters, protocol injection, glob
/// patterns, hash tags, reserved words, two normal forms of one word, one megabyte of text.
///
/// All are distinct. Whatever takes a name from a caller must take each of these, keep it apart
/// from all others and let none reach a server.
#[must_use]
pub fn hostile_names() -> &'static [&'static str] {
    static NAMES: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
        let mut names = SHORT.to_vec();
        // Memcached refuses keys above 250 bytes, file systems names above 255, and every length
        // that is stored in 8 or 16 bits ends at the next two.
        for len in [250, 251, 255, 256, 65_535, 65_536, 1 << 20] {
            // Leaked once per process, because a constant of this size would be in every binary.
            names.push(Box::leak("k".repeat(len).into_boxed_str()));
        }
        names
    });
    &NAMES
}

const SHORT: &[&str] = &[
    // What parsers of keys trip over.
    "",
    " ",
    "a",
    "a b",
    "a  b",
    " a",
    "a ",
    "a\tb",
    "a\u{1}b",
    "a\0b",
    "a\0",
    "\0",
    "a\u{7f}b",
    "a\u{1b}[2Jb",
    // A second command on the wire of a text protocol.
    "a\r\nset pwn 0 0 3\r\nyes",
    "a\r\n*1\r\n$8\r\nFLUSHALL\r\n",
    "a\nb",
    "END\r\n",
    "\"a\"",
    // What other systems give a meaning to.
    "{}",
    "user:{42}",
    "{42}:user",
    "*",
    "?",
    "[a-z]",
    "%2e",
    "%00",
    "%",
    "_",
    "../../etc/passwd",
    "C:\\con",
    "a:b",
    "a::b",
    ":",
    "object:0000",
    "$a",
    // Statements and identifiers.
    "users; DROP TABLE entries--",
    "'; DROP TABLE entries; --",
    "a'b",
    "a''b",
    "a\"\"b",
    "a`b",
    "a\\b",
    // Tuples that run into each other, and values that print alike.
    "ab,c",
    "a,bc",
    "abc",
    "1",
    "1.0",
    "01",
    "-0",
    "true",
    "null",
    "NULL",
    "NaN",
    // Tags that imitate the reserved ones.
    "T*",
    "table:airline",
    "T#1",
    // Text that looks alike: letter case, normal forms, look-alikes, invisible marks.
    "A",
    "caf\u{e9}",
    "cafe\u{301}",
    "\u{430}",
    "a\u{200b}",
    "\u{feff}a",
    "\u{202e}a",
    "\u{130}",
    "i\u{307}",
    "stra\u{df}e",
    "strasse",
    "\u{1f9c0}",
    "\u{10ffff}",
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn hostile_names_are_many_and_distinct() {
        let names = hostile_names();
        let distinct: HashSet<_> = names.iter().collect();
        assert_eq!(distinct.len(), names.len());
        assert!(names.len() > 60, "{}", names.len());
    }
}
