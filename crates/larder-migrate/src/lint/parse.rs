//! As much of a statement's grammar as the rules need.
//!
//! Guards that what is not understood is understood as nothing: no rule guesses.

use larder_model::Dialect;

use crate::files::{Token, TokenKind, significant};

/// A statement, as the rules see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Parsed<'a> {
    pub(crate) tokens: Vec<Token<'a>>,
    pub(crate) kind: Kind<'a>,
}

/// What a statement is, as far as there are rules for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind<'a> {
    AlterTable {
        table: String,
        actions: Vec<Vec<Token<'a>>>,
    },
    /// `ALTER TYPE … ADD VALUE`, with the label in its quotes.
    AddLabel {
        label: &'a str,
    },
    CreateIndex {
        table: String,
        concurrently: bool,
    },
    CreateTable {
        table: String,
    },
    Delete {
        table: String,
        has_where: bool,
    },
    DropTable {
        tables: Vec<String>,
    },
    Other,
    /// `ALTER … RENAME TO` in other words: `RENAME TABLE`.
    RenameTable {
        table: String,
    },
    Truncate {
        table: String,
    },
    Update {
        table: String,
        has_where: bool,
    },
}

impl<'a> Parsed<'a> {
    pub(crate) fn new(statement: &'a str, dialect: Dialect) -> Self {
        let tokens = significant(statement, dialect);
        let kind = kind(Reader { rest: &tokens });
        Self { tokens, kind }
    }

    /// Whether this word stands somewhere in it, in no quotes.
    pub(crate) fn has(&self, word: &str) -> bool {
        has(&self.tokens, word)
    }
}

/// Whether this word stands among the tokens, in no quotes.
pub(crate) fn has(tokens: &[Token<'_>], word: &str) -> bool {
    tokens.iter().any(|token| token.is(word))
}

/// Whether the tokens begin with these words.
pub(crate) fn begins(tokens: &[Token<'_>], words: &[&str]) -> bool {
    words.len() <= tokens.len() && tokens.iter().zip(words).all(|(token, word)| token.is(word))
}

/// Reads tokens from the front.
#[derive(Clone, Copy, Debug)]
struct Reader<'t, 'a> {
    rest: &'t [Token<'a>],
}

impl<'t, 'a> Reader<'t, 'a> {
    /// Takes this word, if it comes next.
    fn word(&mut self, word: &str) -> bool {
        let found = self.rest.first().is_some_and(|token| token.is(word));
        if found {
            self.rest = &self.rest[1..];
        }
        found
    }

    /// Takes all of these words, or none.
    fn words(&mut self, words: &[&str]) -> bool {
        let found = begins(self.rest, words);
        if found {
            self.rest = &self.rest[words.len()..];
        }
        found
    }

    fn sign(&mut self, sign: &str) -> bool {
        let found = self.rest.first().is_some_and(|token| token.is_sign(sign));
        if found {
            self.rest = &self.rest[1..];
        }
        found
    }

    /// Takes a name with the schema before it, and returns its last part as the database compares
    /// it at the widest: without quotes and in small letters.
    fn name(&mut self) -> Option<String> {
        let mut name = self.part()?;
        while self.sign(".") {
            name = self.part()?;
        }
        Some(name)
    }

    fn part(&mut self) -> Option<String> {
        let token = self.rest.first()?;
        let is_name = matches!(token.kind, TokenKind::Name | TokenKind::Word)
            // Double quotes are a text's in MySQL, unless the session says otherwise.
            || token.text.starts_with('"');
        if !is_name {
            return None;
        }
        self.rest = &self.rest[1..];
        Some(unquoted(token))
    }

    /// The rest, cut at commas outside of parentheses.
    fn list(self) -> Vec<Vec<Token<'a>>> {
        let (mut items, mut depth) = (vec![Vec::new()], 0_usize);
        for token in self.rest {
            if token.is_sign("(") {
                depth += 1;
            } else if token.is_sign(")") {
                depth = depth.saturating_sub(1);
            }
            if depth == 0 && token.is_sign(",") {
                items.push(Vec::new());
            } else if let Some(item) = items.last_mut() {
                item.push(*token);
            }
        }
        items
    }
}

pub(crate) fn unquoted(token: &Token<'_>) -> String {
    let text = token.text;
    if token.kind == TokenKind::Word || text.len() < 2 {
        return text.to_lowercase();
    }
    // Quotes are one byte each, whichever they are.
    text[1..text.len() - 1].to_lowercase()
}

fn kind<'a>(mut reader: Reader<'_, 'a>) -> Kind<'a> {
    let kind = if reader.word("ALTER") {
        alter(reader)
    } else if reader.word("CREATE") {
        create(reader)
    } else if reader.word("DROP") {
        drop_table(reader)
    } else if reader.words(&["RENAME", "TABLE"]) {
        reader.name().map(|table| Kind::RenameTable { table })
    } else if reader.word("TRUNCATE") {
        reader.word("TABLE");
        reader.word("ONLY");
        reader.name().map(|table| Kind::Truncate { table })
    } else if reader.word("UPDATE") {
        update(reader)
    } else if reader.words(&["DELETE", "FROM"]) {
        reader.word("ONLY");
        let has_where = is_bounded(reader.rest);
        reader.name().map(|table| Kind::Delete { table, has_where })
    } else {
        None
    };
    kind.unwrap_or(Kind::Other)
}

fn alter<'a>(mut reader: Reader<'_, 'a>) -> Option<Kind<'a>> {
    if reader.word("TYPE") {
        reader.name()?;
        if !reader.words(&["ADD", "VALUE"]) {
            return None;
        }
        reader.words(&["IF", "NOT", "EXISTS"]);
        let label = reader.rest.first().filter(|token| token.kind == TokenKind::Text)?;
        return Some(Kind::AddLabel { label: label.text });
    }
    // MariaDB admits both.
    let _ = reader.word("ONLINE") || reader.word("IGNORE");
    if !reader.word("TABLE") {
        return None;
    }
    reader.words(&["IF", "EXISTS"]);
    reader.word("ONLY");
    let table = reader.name()?;
    reader.sign("*");
    Some(Kind::AlterTable { table, actions: reader.list() })
}

fn create<'a>(mut reader: Reader<'_, 'a>) -> Option<Kind<'a>> {
    reader.words(&["OR", "REPLACE"]);
    let kinds = ["UNIQUE", "FULLTEXT", "SPATIAL", "TEMP", "TEMPORARY", "UNLOGGED"];
    let _ = kinds.iter().any(|kind| reader.word(kind));
    if reader.word("TABLE") {
        reader.words(&["IF", "NOT", "EXISTS"]);
        return reader.name().map(|table| Kind::CreateTable { table });
    }
    if !reader.word("INDEX") {
        return None;
    }
    let concurrently = reader.word("CONCURRENTLY");
    while !reader.word("ON") {
        reader.rest = reader.rest.get(1..)?;
    }
    reader.word("ONLY");
    reader.name().map(|table| Kind::CreateIndex { table, concurrently })
}

fn drop_table<'a>(mut reader: Reader<'_, 'a>) -> Option<Kind<'a>> {
    // A temporary table is gone with the connection anyway.
    if !reader.word("TABLE") {
        return None;
    }
    reader.words(&["IF", "EXISTS"]);
    let mut tables = vec![reader.name()?];
    while reader.sign(",") {
        tables.push(reader.name()?);
    }
    Some(Kind::DropTable { tables })
}

fn update<'a>(mut reader: Reader<'_, 'a>) -> Option<Kind<'a>> {
    let _ = reader.word("LOW_PRIORITY") || reader.word("ONLY");
    reader.word("IGNORE");
    if reader.word("OR") {
        reader.part()?;
    }
    let table = reader.name()?;
    Some(Kind::Update { table, has_where: is_bounded(reader.rest) })
}

/// Whether something selects among the rows. A subquery's condition counts as well: better to say
/// too little.
fn is_bounded(tokens: &[Token<'_>]) -> bool {
    ["JOIN", "LIMIT", "USING", "WHERE"].iter().any(|word| has(tokens, word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(statement: &str, expected: &str) {
        let parsed = Parsed::new(statement, Dialect::Postgres);
        let found = match parsed.kind {
            Kind::AlterTable { table, actions } => {
                let texts = actions.iter().map(|action| {
                    let texts: Vec<_> = action.iter().map(|token| token.text).collect();
                    texts.join(" ")
                });
                format!("alter {table}: {}", texts.collect::<Vec<_>>().join(" | "))
            }
            other => format!("{other:?}"),
        };
        assert_eq!(found, expected, "{statement}");
    }

    #[test]
    fn actions_are_told_apart() {
        check("ALTER TABLE a ADD b int, DROP c", "alter a: ADD b int | DROP c");
        check(
            "ALTER TABLE IF EXISTS ONLY \"S\".\"A\" ADD CHECK (x IN (1, 2)), DROP d",
            "alter a: ADD CHECK ( x IN ( 1 , 2 ) ) | DROP d",
        );
        check("ALTER TABLE a", "alter a: ");
    }

    #[test]
    fn what_is_not_understood_is_other() {
        for statement in [
            "",
            "ALTER",
            "ALTER TABLE",
            "ALTER TABLE 1",
            "ALTER INDEX i RENAME TO j",
            "CREATE",
            "CREATE INDEX i",
            "DROP INDEX i",
            "DROP TABLE",
            "UPDATE",
            "TRUNCATE (",
            "SELECT 1",
            "ALTER TYPE t ADD ATTRIBUTE a int",
            "CREATE VIEW v AS SELECT 1",
            "ALTER TABLE a.",
        ] {
            check(statement, "Other");
        }
    }

    #[test]
    fn names_are_compared_without_schema_quotes_and_case() {
        check("CREATE TABLE x.\"Ab\" (c int)", "CreateTable { table: \"ab\" }");
        check("CREATE INDEX ON ONLY Ab (c)", "CreateIndex { table: \"ab\", concurrently: false }");
        check("DROP TABLE IF EXISTS a, b.c CASCADE", "DropTable { tables: [\"a\", \"c\"] }");
    }
}
