//! Random names, those included that only quoting makes harmless.

use proptest::{prelude::*, sample};

use crate::Identifier;

/// What a name may be and nobody expects. None ends with a blank and none has a character beyond
/// the basic plane, because MySQL and MariaDB have no such names.
const HOSTILE: &[&str] = &[
    "select",
    "ORDER",
    "Group",
    "check",
    "value",
    "MixedCase",
    "two words",
    " leading",
    "quo\"te",
    "\"\"",
    "apo'strophe",
    "back`tick",
    "``",
    "back\\slash",
    "semi;colon",
    "a.b",
    "-- comment",
    "/* comment */",
    "x); DROP TABLE y; --",
    "100%",
    "%s",
    "$1",
    "?",
    ":a",
    "@a",
    "1",
    "0x",
    "[a]",
    "{}",
    "a,b",
    "(a)",
    "tab\tline\nend",
    "größe",
    "ΑΒΓ",
    "имя",
    "名前",
    "e\u{301}",
];

/// A name that every database can have, for a table, a column, an index or a type.
pub fn name() -> impl Strategy<Value = Identifier> {
    let hostile = sample::select(HOSTILE).prop_map(str::to_owned);
    prop_oneof![
        6 => "[a-z][a-z0-9_]{0,7}",
        1 => "[a-zA-Z_][a-zA-Z0-9_]{54,62}",
        3 => hostile,
    ]
    .prop_filter("a name that a database keeps to itself", |name| !is_kept(name))
    .prop_map(|name| Identifier::new(name).expect("1 to 63 bytes without a NUL"))
}

/// Whether some database keeps such a column to itself.
fn is_kept(name: &str) -> bool {
    let is = |kept: &&str| name.eq_ignore_ascii_case(kept);
    ["cmax", "cmin", "ctid", "oid", "tableoid", "xmax", "xmin"].iter().any(is)
        || name.len() >= 7 && name.as_bytes()[..7].eq_ignore_ascii_case(b"sqlite_")
}
