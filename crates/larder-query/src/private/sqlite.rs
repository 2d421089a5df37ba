//! SQLite: temporary tables, views and triggers, attached databases and some settings.

/// Settings that change no answer and no write.
const HARMLESS: [&str; 16] = [
    "ANALYSIS_LIMIT",
    "APPLICATION_ID",
    "AUTOMATIC_INDEX",
    "BUSY_TIMEOUT",
    "CACHE_SIZE",
    "FOREIGN_KEY_CHECK",
    "INCREMENTAL_VACUUM",
    "INTEGRITY_CHECK",
    "JOURNAL_MODE",
    "MMAP_SIZE",
    "OPTIMIZE",
    "QUICK_CHECK",
    "SCHEMA_VERSION",
    "SYNCHRONOUS",
    "USER_VERSION",
    "WAL_CHECKPOINT",
];

/// Whether a statement may do so. It errs to that side: a comment can make it so.
pub(super) fn makes_private(sql: &str) -> bool {
    let sql = sql.to_ascii_uppercase();
    let mut words = sql.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|w| !w.is_empty());
    while let Some(word) = words.next() {
        match word {
            "ATTACH" | "DETACH" | "TEMP" | "TEMPORARY" => return true,
            "PRAGMA" if changes_setting(&sql) && !words.next().is_some_and(is_harmless) => {
                return true;
            }
            _ => {}
        }
    }
    false
}

/// A pragma without an argument only tells.
fn changes_setting(sql: &str) -> bool {
    sql.contains(['=', '('])
}

/// Pragmas that list something take the name of a table.
fn is_harmless(name: &str) -> bool {
    HARMLESS.contains(&name) || name.ends_with("_LIST") || name.ends_with("INFO")
}
