//! Arguments that are a path or a name, and never a database.
//!
//! Guards that a URL which was put in the wrong place becomes neither a file's name nor part of a
//! message: it may have a password in it.

use std::path::PathBuf;

use larder::{DatabaseUrl, query::UrlError};

const MISPLACED: &str = "a database stands here, where none belongs";

/// A path, as the command line has it.
pub(crate) fn path(text: &str) -> Result<PathBuf, &'static str> {
    name(text).map(PathBuf::from)
}

/// A name, as the command line has it.
pub(crate) fn name(text: &str) -> Result<String, &'static str> {
    let is_database = !matches!(text.parse::<DatabaseUrl>(), Err(UrlError::Scheme));
    if is_database || text.contains("://") { Err(MISPLACED) } else { Ok(text.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_neither_a_path_nor_a_name() {
        for text in ["postgres://u:p@h/d", "postgress://u:p@h", "mysql:p", "sqlite::memory:"] {
            assert_eq!(name(text), Err(MISPLACED), "{text}");
            assert!(path(text).is_err(), "{text}");
        }
        for text in ["", "a", "m:Airline:1", "C:\\models.json", "./a:b", "a@b"] {
            assert_eq!(name(text).as_deref(), Ok(text));
        }
    }
}
