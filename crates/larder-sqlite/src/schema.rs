//! The tables of the cache file.
//!
//! | table | one row per | key |
//! |---|---|---|
//! | `meta` | file | 1 |
//! | `entry` | stored value | the key's slot |
//! | `lease` | load under way | the key's slot |
//! | `generation` | tag | the tag's slot |
//!
//! Slots are 64-bit numbers (see [`slot`](crate::slot)), because SQLite finds a row by an
//! integer faster than by bytes. `namespace` is a counter: `clear` adds one, and whatever carries
//! an older number is dead. A counter will do here, unlike for tags, because the row that holds
//! it is never evicted. `sequence` numbers the writes of generations, so that a watcher can ask
//! for what came after the last one it saw.

use larder_sqlite_file::Application;

/// The bytes `LRDC`, for "larder cache".
const APPLICATION_ID: i32 = 0x4c52_4443;

/// The version of everything below. A change of any of it is a new version.
const VERSION: i32 = 1;

pub(crate) const APPLICATION: Application = Application {
    id: APPLICATION_ID,
    version: VERSION,
    schema: "\
CREATE TABLE meta(
    id INTEGER PRIMARY KEY,
    namespace INTEGER NOT NULL,
    epoch BLOB NOT NULL,
    sequence INTEGER NOT NULL,
    forgotten INTEGER NOT NULL,
    tags INTEGER NOT NULL,
    entries INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    boot BLOB NOT NULL,
    durable INTEGER NOT NULL
) STRICT;
CREATE TABLE entry(
    id INTEGER PRIMARY KEY,
    namespace INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    key BLOB NOT NULL,
    value BLOB NOT NULL
) STRICT;
CREATE INDEX entry_by_expiry ON entry(namespace, expires);
CREATE TABLE lease(
    id INTEGER PRIMARY KEY,
    namespace INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    key BLOB NOT NULL,
    token BLOB NOT NULL
) STRICT;
CREATE TABLE generation(
    id INTEGER PRIMARY KEY,
    rest INTEGER NOT NULL,
    generation BLOB NOT NULL,
    sequence INTEGER NOT NULL,
    bumped INTEGER NOT NULL
) STRICT;
CREATE INDEX generation_by_sequence ON generation(sequence);
INSERT INTO meta VALUES (1, 1, randomblob(16), 0, 0, 0, 0, 0, x'', 1);",
};
