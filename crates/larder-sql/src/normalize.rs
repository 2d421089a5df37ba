//! Small edits to the tokens for syntax that the parser does not know or misreads.
//!
//! Invariant: an edit changes neither which tables are named nor what is done to them; whatever
//! else it takes away is reported.

use sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::Dialect;

/// The edited tokens, and what the edits took away.
#[derive(Debug)]
pub(crate) struct Normalized {
    pub(crate) tokens: Vec<TokenWithSpan>,
    /// `LOCK IN SHARE MODE` stood somewhere.
    pub(crate) share_lock: bool,
    /// The first user or system variable of MySQL.
    pub(crate) variable: Option<String>,
}

pub(crate) fn normalize(tokens: Vec<TokenWithSpan>, dialect: Dialect) -> Normalized {
    let tokens = tokens.into_iter().filter(|token| !is_whitespace(&token.token)).collect();
    let mut normalized = Normalized { tokens, share_lock: false, variable: None };
    match dialect {
        Dialect::MariaDb | Dialect::MySql => {
            normalized.variable = normalized.tokens.iter().find_map(variable);
            normalized.share_lock = normalized.remove(&["LOCK", "IN", "SHARE", "MODE"]);
            normalized.drop_modifiers();
            normalized.join_update_tables();
        }
        Dialect::PostgreSql => normalized.drop_only(),
        Dialect::Sqlite => {
            normalized.drop_index_hints();
            normalized.drop_materialization();
            normalized.cut_pragmas();
        }
    }
    normalized
}

/// Comments go too: an optimizer hint chooses a plan and not an answer.
const fn is_whitespace(token: &Token) -> bool {
    matches!(token, Token::Whitespace(_))
}

fn variable(token: &TokenWithSpan) -> Option<String> {
    match &token.token {
        Token::AtSign | Token::AtAt => Some(token.token.to_string()),
        Token::Word(word) if word.quote_style.is_none() && word.value.starts_with('@') => {
            Some(word.value.clone())
        }
        _ => None,
    }
}

/// Whether a token is this word, outside quotes; `expected` is in upper case.
fn is_word(token: Option<&TokenWithSpan>, expected: &str) -> bool {
    match token.map(|token| &token.token) {
        Some(Token::Word(word)) => {
            word.quote_style.is_none() && word.value.eq_ignore_ascii_case(expected)
        }
        _ => false,
    }
}

impl Normalized {
    fn words_at(&self, start: usize, words: &[&str]) -> bool {
        let mut tokens = (start..).map(|index| self.tokens.get(index));
        words.iter().all(|word| is_word(tokens.next().flatten(), word))
    }

    /// Removes a run of words wherever it stands; `true` if it stood anywhere.
    fn remove(&mut self, words: &[&str]) -> bool {
        let before = self.tokens.len();
        let mut start = 0;
        while start < self.tokens.len() {
            if self.words_at(start, words) {
                self.tokens.drain(start..start + words.len());
            } else {
                start += 1;
            }
        }
        self.tokens.len() < before
    }

    /// `UPDATE LOW_PRIORITY IGNORE airline …` updates what `UPDATE airline …` does, or less.
    fn drop_modifiers(&mut self) {
        let mut after_verb = false;
        self.tokens.retain(|token| {
            let token = Some(token);
            if after_verb && (is_word(token, "LOW_PRIORITY") || is_word(token, "IGNORE")) {
                return false;
            }
            after_verb = is_word(token, "UPDATE") || is_word(token, "DELETE");
            true
        });
    }

    /// `UPDATE a, b SET …` is `UPDATE a CROSS JOIN b SET …`.
    fn join_update_tables(&mut self) {
        let mut edited = Vec::with_capacity(self.tokens.len());
        let mut in_tables = false;
        let mut depth = 0_usize;
        for token in std::mem::take(&mut self.tokens) {
            match &token.token {
                Token::LParen => depth += 1,
                Token::RParen => depth = depth.saturating_sub(1),
                Token::Comma if in_tables && depth == 0 => {
                    for word in ["CROSS", "JOIN"] {
                        edited.push(TokenWithSpan::new(Token::make_keyword(word), token.span));
                    }
                    continue;
                }
                Token::SemiColon => in_tables = false,
                Token::Word(_) if is_word(Some(&token), "SET") => in_tables = false,
                Token::Word(_) if is_word(Some(&token), "UPDATE") => {
                    // Elsewhere the word belongs to `FOR UPDATE` or `ON DUPLICATE KEY UPDATE`.
                    let before = edited.last().map(|token: &TokenWithSpan| &token.token);
                    in_tables = matches!(before, None | Some(Token::SemiColon | Token::RParen));
                    depth = 0;
                }
                _ => {}
            }
            edited.push(token);
        }
        self.tokens = edited;
    }

    /// `FROM ONLY a` reads a part of what `FROM a` does. The word stays where it has another
    /// meaning, as in `FETCH FIRST ROW ONLY`.
    fn drop_only(&mut self) {
        let mut before_table = false;
        self.tokens.retain(|token| {
            let current = Some(token);
            if before_table && is_word(current, "ONLY") {
                return false;
            }
            let introducing = ["FROM", "INTO", "JOIN", "UPDATE", "USING"];
            before_table = token.token == Token::Comma
                || introducing.iter().any(|word| is_word(current, word));
            true
        });
    }

    /// `AS MATERIALIZED (…)` is a hint on how to compute what `AS (…)` does.
    fn drop_materialization(&mut self) {
        let mut start = 0;
        while start < self.tokens.len() {
            let negated = usize::from(self.words_at(start + 1, &["NOT"]));
            let end = start + 2 + negated;
            let hinted = self.words_at(start, &["AS"])
                && self.words_at(end - 1, &["MATERIALIZED"])
                && self.tokens.get(end).is_some_and(|token| token.token == Token::LParen);
            if hinted {
                self.tokens.drain(start + 1..end);
            }
            start += 1;
        }
    }

    /// `PRAGMA name = anything` becomes `PRAGMA name`: no argument makes it touch a table.
    fn cut_pragmas(&mut self) {
        #[derive(PartialEq)]
        enum Place {
            Start,
            Pragma,
            Argument,
            Elsewhere,
        }
        let mut place = Place::Start;
        self.tokens.retain(|token| {
            place = match (&token.token, &place) {
                (Token::SemiColon, _) => Place::Start,
                (Token::Eq | Token::LParen, Place::Pragma) => Place::Argument,
                (_, Place::Start) if is_word(Some(token), "PRAGMA") => Place::Pragma,
                (_, Place::Pragma) => Place::Pragma,
                (_, Place::Argument) => Place::Argument,
                (_, Place::Start | Place::Elsewhere) => Place::Elsewhere,
            };
            place != Place::Argument
        });
    }

    /// `FROM a INDEXED BY i` and `FROM a NOT INDEXED` read what `FROM a` does.
    fn drop_index_hints(&mut self) {
        self.remove(&["NOT", "INDEXED"]);
        let mut start = 0;
        while start < self.tokens.len() {
            if self.words_at(start, &["INDEXED", "BY"]) {
                let end = self.tokens.len().min(start + 3);
                self.tokens.drain(start..end);
            } else {
                start += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use sqlparser::tokenizer::Tokenizer;

    use super::*;

    fn check(dialect: Dialect, sql: &str, expected: &str) -> Normalized {
        let tokens = Tokenizer::new(dialect.parser(), sql).tokenize_with_location();
        let normalized = normalize(tokens.unwrap(), dialect);
        let words: Vec<_> = normalized.tokens.iter().map(|token| token.token.to_string()).collect();
        assert_eq!(words.join(" "), expected, "{sql}");
        normalized
    }

    #[test]
    fn a_share_lock_is_taken_out_and_reported() {
        let sql = "SELECT * FROM a lock in share mode";
        assert!(check(Dialect::MySql, sql, "SELECT * FROM a").share_lock);
    }

    #[test]
    fn tables_of_an_update_are_joined_and_its_assignments_are_not() {
        check(
            Dialect::MariaDb,
            "UPDATE a, b SET a.x = 1, b.y = f(2, 3)",
            "UPDATE a CROSS JOIN b SET a . x = 1 , b . y = f ( 2 , 3 )",
        );
        check(
            Dialect::MySql,
            "INSERT INTO a VALUES (1) ON DUPLICATE KEY UPDATE x = 1, y = 2",
            "INSERT INTO a VALUES ( 1 ) ON DUPLICATE KEY UPDATE x = 1 , y = 2",
        );
    }

    #[test]
    fn modifiers_of_a_write_go() {
        check(Dialect::MySql, "UPDATE LOW_PRIORITY IGNORE a SET x = 1", "UPDATE a SET x = 1");
        check(Dialect::MySql, "DELETE IGNORE FROM a", "DELETE FROM a");
    }

    #[test]
    fn index_hints_of_sqlite_go() {
        let expected = "SELECT * FROM a WHERE x";
        check(Dialect::Sqlite, "SELECT * FROM a INDEXED BY i WHERE x", expected);
        check(Dialect::Sqlite, "SELECT * FROM a NOT INDEXED WHERE x", expected);
    }

    #[test]
    fn only_goes_before_a_table_and_stays_elsewhere() {
        check(
            Dialect::PostgreSql,
            "SELECT * FROM ONLY a, ONLY b FETCH FIRST ROW ONLY",
            "SELECT * FROM a , b FETCH FIRST ROW ONLY",
        );
    }

    #[test]
    fn materialization_goes_and_a_column_of_that_name_stays() {
        check(
            Dialect::Sqlite,
            "WITH a AS NOT MATERIALIZED (SELECT 1), b AS MATERIALIZED (SELECT 2) SELECT 3",
            "WITH a AS ( SELECT 1 ) , b AS ( SELECT 2 ) SELECT 3",
        );
        let sql = "SELECT x AS materialized FROM a";
        check(Dialect::Sqlite, sql, sql);
    }

    #[test]
    fn arguments_of_a_pragma_go() {
        check(
            Dialect::Sqlite,
            "PRAGMA main.table_info(a); PRAGMA foreign_keys = ON; SELECT f(1) = 2",
            "PRAGMA main . table_info ; PRAGMA foreign_keys ; SELECT f ( 1 ) = 2",
        );
    }

    #[test]
    fn the_first_variable_is_reported() {
        let found = check(Dialect::MySql, "SELECT @x", "SELECT @x");
        assert_eq!(found.variable.as_deref(), Some("@x"));
        assert_eq!(check(Dialect::Sqlite, "SELECT ?1", "SELECT ?1").variable, None);
    }
}
