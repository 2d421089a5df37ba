//! What a file's comments tell larder.
//!
//! Invariant: whatever begins with `-- larder:` where a directive may stand is understood or is an
//! error, so that a misspelt word is never without effect.

use larder_model::Dialect;

use crate::lint::Rule;

/// What the comments at the head of a file tell: `-- larder: no-transaction, requires=postgres`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Directives {
    /// `no-transaction`: the statements run one by one. Default: all of them in one transaction
    /// where the database can do that.
    pub no_transaction: bool,
    /// `requires=postgres|sqlite`: the databases that the file is for; it is passed over on
    /// others. Default: empty, for all of them.
    pub requires: Vec<Dialect>,
    /// `allow=LR003`: rules that the file may break.
    pub allow: Vec<Rule>,
}

/// Why a directive has no meaning.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DirectiveError {
    /// A database that is none of `mariadb`, `mysql`, `postgres`, `sqlite`.
    #[error("`requires={word}` names no database: write mariadb, mysql, postgres or sqlite")]
    Database {
        /// What stands there.
        word: String,
    },
    /// A directive that belongs at the head of a file.
    #[error("`{word}` belongs above the first statement of the file")]
    Misplaced {
        /// What stands there.
        word: String,
    },
    /// A rule that does not exist.
    #[error("`allow={word}` names no rule")]
    Rule {
        /// What stands there.
        word: String,
    },
    /// Another word.
    #[error("`{word}` is no directive: write no-transaction, requires=… or allow=…")]
    Unknown {
        /// What stands there.
        word: String,
    },
}

const MARK: &str = "larder:";

impl Directives {
    /// Reads the head of a file: its comments and blank lines before anything else.
    ///
    /// # Errors
    /// The first directive without a meaning, with the number of its line, from 1.
    pub(crate) fn of_head(text: &str) -> Result<Self, (usize, DirectiveError)> {
        Self::of_comments(text, true)
    }

    /// Reads the comments before a statement that is not the first: only `allow` has a meaning.
    pub(crate) fn of_statement(lead: &str) -> Result<Self, (usize, DirectiveError)> {
        let directives = Self::of_comments(lead, false)?;
        Ok(directives)
    }

    fn of_comments(text: &str, is_head: bool) -> Result<Self, (usize, DirectiveError)> {
        let mut directives = Self::default();
        let mut in_block = false;
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if in_block || line.starts_with("/*") {
                in_block = !line.ends_with("*/");
                continue;
            }
            let comment = line.strip_prefix("--");
            if is_head && comment.is_none() && !line.is_empty() {
                break;
            }
            // The rest of a line behind a statement's end stands in the lead of the next one.
            let Some(words) = comment.and_then(|comment| comment.trim().strip_prefix(MARK)) else {
                continue;
            };
            directives.read(words, is_head).map_err(|error| (number + 1, error))?;
        }
        Ok(directives)
    }

    fn read(&mut self, words: &str, is_head: bool) -> Result<(), DirectiveError> {
        let words = words.split(|c: char| c == ',' || c.is_whitespace());
        for word in words.filter(|word| !word.is_empty()) {
            let (key, value) = word.split_once('=').unwrap_or((word, ""));
            match (key, value) {
                ("allow", rules) => {
                    for rule in rules.split('|') {
                        let unknown = || DirectiveError::Rule { word: rule.to_owned() };
                        self.allow.push(Rule::parse(rule).ok_or_else(unknown)?);
                    }
                }
                ("no-transaction" | "requires", _) if !is_head => {
                    return Err(DirectiveError::Misplaced { word: word.to_owned() });
                }
                ("no-transaction", "") => self.no_transaction = true,
                ("requires", databases) => {
                    for database in databases.split('|') {
                        self.requires.push(database_of(database)?);
                    }
                }
                _ => return Err(DirectiveError::Unknown { word: word.to_owned() }),
            }
        }
        Ok(())
    }

    /// Whether the file is for this database.
    #[must_use]
    pub fn is_for(&self, dialect: Dialect) -> bool {
        self.requires.is_empty() || self.requires.contains(&dialect)
    }
}

fn database_of(word: &str) -> Result<Dialect, DirectiveError> {
    match word {
        "mariadb" => Ok(Dialect::MariaDb),
        "mysql" => Ok(Dialect::MySql),
        "postgres" => Ok(Dialect::Postgres),
        "sqlite" => Ok(Dialect::Sqlite),
        _ => Err(DirectiveError::Database { word: word.to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(text: &str) -> Result<Directives, (usize, DirectiveError)> {
        Directives::of_head(text)
    }

    #[test]
    fn the_head_of_a_file_is_read() {
        let read = head(
            "\n-- About it.\n/* larder: unknown\n */\n\
             --larder: no-transaction, requires=postgres|sqlite\n\
             -- larder: allow=LR002|LR003\nSELECT 1;\n-- larder: no-transaction",
        );
        let expected = Directives {
            no_transaction: true,
            requires: vec![Dialect::Postgres, Dialect::Sqlite],
            allow: vec![Rule::BlockingIndex, Rule::DropColumn],
        };
        assert_eq!(read, Ok(expected));
        assert_eq!(head("SELECT 1; -- larder: nonsense"), Ok(Directives::default()));
        assert_eq!(head(""), Ok(Directives::default()));
    }

    #[test]
    fn a_word_without_a_meaning_is_an_error_with_its_line() {
        for (text, line, message) in [
            (
                "-- larder: no_transaction",
                1,
                "`no_transaction` is no directive: write no-transaction, requires=… or allow=…",
            ),
            (
                "\n-- larder: requires=oracle",
                2,
                "`requires=oracle` names no database: write mariadb, mysql, postgres or sqlite",
            ),
            ("-- larder: allow=LR999", 1, "`allow=LR999` names no rule"),
            ("-- larder: allow", 1, "`allow=` names no rule"),
        ] {
            let (found, error) = head(text).unwrap_err();
            assert_eq!((found, error.to_string().as_str()), (line, message));
        }
    }

    #[test]
    fn only_allow_stands_before_a_later_statement() {
        let read = Directives::of_statement(" -- note\n\n-- larder: allow=LR003\n").unwrap();
        assert_eq!(read.allow, [Rule::DropColumn]);
        let (line, error) = Directives::of_statement("\n-- larder: no-transaction\n").unwrap_err();
        assert_eq!(line, 2);
        let message = "`no-transaction` belongs above the first statement of the file";
        assert_eq!(error.to_string(), message);
    }

    #[test]
    fn a_file_is_for_the_databases_that_it_requires() {
        let read = head("-- larder: requires=mysql|mariadb").unwrap();
        assert!(read.is_for(Dialect::MySql) && read.is_for(Dialect::MariaDb));
        assert!(!read.is_for(Dialect::Postgres));
        assert!(Directives::default().is_for(Dialect::Sqlite));
    }
}
