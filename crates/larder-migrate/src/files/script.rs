//! The text of one file.
//!
//! Invariant: the text has neither a byte order mark nor `\r\n`, so that every checkout of a file
//! runs the same statements and has the same checksum.

use larder_model::Dialect;
use sha2::{Digest as _, Sha256};

use super::{DirectiveError, Directives, FileError, SplitError, Statements, split};

/// The text of one file, with what its comments tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    path: String,
    text: String,
    directives: Directives,
}

impl Script {
    pub(crate) fn new(path: &str, text: &str) -> Result<Self, FileError> {
        let text = normalised(text);
        let directives = Directives::of_head(&text)
            .map_err(|(line, source)| FileError::directive(path, line, source))?;
        Ok(Self { path: path.to_owned(), text, directives })
    }

    /// The file's path within its folder, with `/` between its parts.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The text, without a byte order mark and with `\n` at the end of its lines.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What the comments at its head tell.
    #[must_use]
    pub const fn directives(&self) -> &Directives {
        &self.directives
    }

    /// `sha256:` and 64 hexadecimal digits of the text.
    #[must_use]
    pub fn checksum(&self) -> String {
        checksum(&self.text)
    }

    /// The statements, see [`split`].
    ///
    /// # Errors
    /// As [`split`].
    pub fn statements(&self, dialect: Dialect) -> Result<Statements<'_>, SplitError> {
        split(&self.text, dialect)
    }

    /// What the comments before a later statement tell; `line` is the first of the lead.
    pub(crate) fn statement_directives(
        &self,
        lead: &str,
        start: usize,
    ) -> Result<Directives, FileError> {
        Directives::of_statement(lead).map_err(|(line, source): (usize, DirectiveError)| {
            // Lines are counted for an error only: counted for every statement, a long file would
            // be read as often as it has statements.
            let before = &self.text[..start - lead.len()];
            let first = before.matches('\n').count();
            FileError::directive(&self.path, first + line, source)
        })
    }
}

fn normalised(text: &str) -> String {
    text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n")
}

/// The checksum of a text, as the registry has it.
pub(crate) fn checksum(text: &str) -> String {
    format!("sha256:{}", crate::hex(&Sha256::digest(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_checkout_of_a_file_has_one_checksum() {
        let checksum = |text| Script::new("1_a.sql", text).unwrap().checksum();
        let unix = checksum("SELECT 1;\nSELECT 2;\n");
        assert_eq!(checksum("SELECT 1;\r\nSELECT 2;\r\n"), unix);
        assert_eq!(checksum("\u{feff}SELECT 1;\r\nSELECT 2;\n"), unix);
        assert_ne!(checksum("SELECT 1;\nSELECT 2;"), unix);
        assert_ne!(checksum("SELECT 1;\n SELECT 2;\n"), unix);
        assert_eq!(
            checksum(""),
            "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        );
    }

    #[test]
    fn a_directive_before_a_later_statement_is_told_with_its_line() {
        let script =
            Script::new("1_a.sql", "SELECT 1; -- one\n\n-- larder: bad\nSELECT 2;").unwrap();
        let statements = script.statements(Dialect::Sqlite).unwrap();
        let second = statements.list[1];
        let error = script.statement_directives(second.lead, second.start).unwrap_err();
        assert!(error.to_string().starts_with("1_a.sql, line 3: "), "{error}");
    }
}
