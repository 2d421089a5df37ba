//! The canonical names of tables.
//!
//! Invariant: two spellings that may mean one table have one canonical name. The opposite does
//! not hold: two tables may share a name, and are then only invalidated together.

use std::fmt;

use sqlparser::{
    ast::{Ident, ObjectName, ObjectNamePart},
    parser::Parser,
    tokenizer::Token,
};

use crate::{AnalyzeError, Dialect};

/// A table, view or index, in the form in which names are compared.
///
/// The schema is **not** part of it. What an unqualified name stands for is decided by the
/// search path, the current database or the order of attachment, none of which the text shows;
/// `airline`, `public.airline` and `archive.airline` are therefore one name.
///
/// - PostgreSQL: letters outside quotes are folded to lower case, and a name is cut to 63 bytes,
///   as the server does both. Letters beyond ASCII are folded even in quotes, since the server's
///   encoding decides about them.
/// - MySQL and MariaDB: always folded, as if `lower_case_table_names` were set.
/// - SQLite: ASCII letters are folded, in quotes too.
///
/// ```
/// use larder_sql::{Dialect, TableName};
///
/// let name = TableName::parse("main.\"Airline\"", Dialect::Sqlite)?;
/// assert_eq!(name, TableName::from_catalog("airline", Dialect::Sqlite));
/// # Ok::<(), larder_sql::AnalyzeError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableName(Box<str>);

impl TableName {
    /// The longest name that PostgreSQL tells apart, in bytes.
    const POSTGRESQL_BYTES_MAX: usize = 63;

    /// Reads a name as a statement spells it: qualified or not, quoted or not.
    ///
    /// # Errors
    /// [`AnalyzeError::Unparsable`] for anything but one name.
    pub fn parse(text: &str, dialect: Dialect) -> Result<Self, AnalyzeError> {
        let mut parser = Parser::new(dialect.parser()).try_with_sql(text)?;
        let name = parser.parse_object_name(false)?;
        parser.expect_token(&Token::EOF)?;
        let unnamed = || AnalyzeError::Ambiguous { word: text.to_ascii_uppercase() };
        Self::from_object(&name, dialect).ok_or_else(unnamed)
    }

    /// A name as the database's catalog stores it, without schema and quotes.
    #[must_use]
    pub fn from_catalog(name: &str, dialect: Dialect) -> Self {
        Self::fold(name, true, dialect)
    }

    /// The canonical form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn from_ident(ident: &Ident, dialect: Dialect) -> Self {
        Self::fold(&ident.value, ident.quote_style.is_some(), dialect)
    }

    /// `None` for a name that is computed at run time.
    pub(crate) fn from_object(name: &ObjectName, dialect: Dialect) -> Option<Self> {
        match name.0.last()? {
            ObjectNamePart::Identifier(ident) => Some(Self::from_ident(ident, dialect)),
            ObjectNamePart::Function(_) => None,
        }
    }

    fn fold(name: &str, quoted: bool, dialect: Dialect) -> Self {
        let folded: String = match dialect {
            Dialect::MariaDb | Dialect::MySql => name.chars().map(lowercase).collect(),
            Dialect::PostgreSql => cut(name, Self::POSTGRESQL_BYTES_MAX)
                .chars()
                .map(|c| match (quoted, c.is_ascii()) {
                    (true, true) => c,
                    _ => lowercase(c),
                })
                .collect(),
            Dialect::Sqlite => name.to_ascii_lowercase(),
        };
        Self(folded.into_boxed_str())
    }
}

/// One letter for one, as servers fold: `İ` becomes `i` and not `i` with a combining dot.
fn lowercase(c: char) -> char {
    c.to_lowercase().next().unwrap_or(c)
}

fn cut(name: &str, bytes_max: usize) -> &str {
    let mut end = name.len().min(bytes_max);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    name.get(..end).unwrap_or(name)
}

impl AsRef<str> for TableName {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Debug for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TableName({:?})", self.as_str())
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(dialect: Dialect, spellings: &[&str], canonical: &str) {
        for spelling in spellings {
            let name = TableName::parse(spelling, dialect).unwrap();
            assert_eq!(name.as_str(), canonical, "{spelling} in {dialect:?}");
        }
    }

    #[test]
    fn spellings_of_one_table_agree() {
        use Dialect::{MariaDb, MySql, PostgreSql, Sqlite};
        check(
            Sqlite,
            &["airline", "AIRLINE", "main.airline", "\"Airline\"", "[airline]", "`Airline`"],
            "airline",
        );
        check(
            PostgreSql,
            &["airline", "Airline", "public.airline", "\"airline\"", "db.\"Public\".AIRLINE"],
            "airline",
        );
        for dialect in [MariaDb, MySql] {
            check(dialect, &["airline", "airportdb.Airline", "`AIRLINE`"], "airline");
        }
    }

    #[test]
    fn postgresql_keeps_the_case_of_a_quoted_name() {
        check(Dialect::PostgreSql, &["\"Airline\""], "Airline");
        check(Dialect::PostgreSql, &["\"a \"\"b\""], "a \"b");
    }

    #[test]
    fn letters_beyond_ascii_fold_where_a_server_may_fold_them() {
        check(Dialect::PostgreSql, &["FLÜGE", "\"flÜge\""], "flüge");
        check(Dialect::MySql, &["FLÜGE", "`Flüge`"], "flüge");
        check(Dialect::MySql, &["`İ`", "`I`"], "i");
        check(Dialect::Sqlite, &["FLÜGE"], "flÜge");
    }

    #[test]
    fn postgresql_cuts_a_name_to_63_bytes() {
        let long = "a".repeat(62) + "öö";
        let name = TableName::from_catalog(&long, Dialect::PostgreSql);
        assert_eq!(name.as_str(), "a".repeat(62));
        let other = TableName::parse(&("a".repeat(62) + "ö"), Dialect::PostgreSql).unwrap();
        assert_eq!(name, other);
    }

    #[test]
    fn more_than_a_name_is_an_error() {
        for text in ["", "a b", "a; DROP TABLE b", "a,b", "(a)"] {
            assert!(TableName::parse(text, Dialect::Sqlite).is_err(), "{text:?}");
        }
    }
}
