//! Hand-picked pairs. Each is checked in both directions.

use crate::harness::Pair;

const fn pair(name: &'static str, current: &'static str, desired: &'static str) -> Pair {
    Pair { name, current, desired }
}

pub(super) const PAIRS: &[Pair] = &[
    pair("nothing", "", ""),
    pair("a table", "", "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT NOT NULL)"),
    pair(
        "tables that refer to each other",
        "",
        "CREATE TABLE a (id INTEGER PRIMARY KEY, b INTEGER REFERENCES b (id)); \
         CREATE TABLE b (id INTEGER PRIMARY KEY, a INTEGER REFERENCES a (id))",
    ),
    pair(
        "a table that refers to itself",
        "CREATE TABLE t (id INTEGER PRIMARY KEY)",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, up INTEGER REFERENCES t (id) ON DELETE CASCADE)",
    ),
    pair("a nullable column", "CREATE TABLE t (a)", "CREATE TABLE t (a, b TEXT)"),
    pair(
        "a column with a constant default",
        "CREATE TABLE t (a)",
        "CREATE TABLE t (a, b INTEGER NOT NULL DEFAULT -1)",
    ),
    pair(
        "a column with the moment as its default",
        "CREATE TABLE t (a)",
        "CREATE TABLE t (a, b TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP)",
    ),
    pair(
        "a column with an expression as its default",
        "CREATE TABLE t (a)",
        "CREATE TABLE t (a, b TEXT DEFAULT (datetime('now')))",
    ),
    pair(
        "a column that may not be NULL and has no default",
        "CREATE TABLE t (a)",
        "CREATE TABLE t (a, b NOT NULL)",
    ),
    pair(
        "two columns, the second with a check of both",
        "CREATE TABLE t (a)",
        "CREATE TABLE t (a, b INTEGER, c INTEGER, CHECK (b < c))",
    ),
    pair(
        "a column of labels",
        "CREATE TABLE t (a)",
        "CREATE TABLE t (a, b TEXT CHECK (b IN ('x', 'it''s')))",
    ),
    pair(
        "a column with a reference",
        "CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE t (a)",
        "CREATE TABLE p (id INTEGER PRIMARY KEY); \
         CREATE TABLE t (a, p INTEGER REFERENCES p (id) ON DELETE SET NULL)",
    ),
    pair(
        "a column with a reference and a default",
        "CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE t (a)",
        "CREATE TABLE p (id INTEGER PRIMARY KEY); \
         CREATE TABLE t (a, p INTEGER DEFAULT 1 REFERENCES p (id))",
    ),
    pair(
        "a column that is unique",
        "CREATE TABLE t (a)",
        "CREATE TABLE t (a, b TEXT UNIQUE, c INTEGER, UNIQUE (a, c))",
    ),
    pair(
        "a column that is computed when it is read",
        "CREATE TABLE t (a TEXT)",
        "CREATE TABLE t (a TEXT, b TEXT AS (lower(a)))",
    ),
    pair(
        "a column that is computed and stored",
        "CREATE TABLE t (a TEXT)",
        "CREATE TABLE t (a TEXT, b TEXT AS (lower(a)) STORED)",
    ),
    pair(
        "another expression of a computed column",
        "CREATE TABLE t (a, b AS (a + 1) STORED)",
        "CREATE TABLE t (a, b AS (a + 2) STORED)",
    ),
    pair(
        "a computed column becomes a plain one",
        "CREATE TABLE t (a, b AS (a + 1))",
        "CREATE TABLE t (a, b)",
    ),
    pair(
        "a computed column of a new column",
        "CREATE TABLE t (a)",
        "CREATE TABLE t (a, c AS (b || '!'), b TEXT)",
    ),
    pair(
        "a column that is the number of the row",
        "CREATE TABLE t (a)",
        "CREATE TABLE t (a, id INTEGER PRIMARY KEY)",
    ),
    pair(
        "a key that is no number of the row",
        "CREATE TABLE t (id INTEGER PRIMARY KEY)",
        "CREATE TABLE t (id INT PRIMARY KEY)",
    ),
    pair(
        "autoincrement",
        "CREATE TABLE t (id INTEGER PRIMARY KEY)",
        "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT)",
    ),
    pair(
        "a column called autoincrement",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, autoincrement_flag)",
        "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, autoincrement_flag)",
    ),
    pair("a key", "CREATE TABLE t (a, b)", "CREATE TABLE t (a, b, PRIMARY KEY (b, a))"),
    pair(
        "the order of a key",
        "CREATE TABLE t (a, b, PRIMARY KEY (a, b))",
        "CREATE TABLE t (a, b, PRIMARY KEY (b, a))",
    ),
    pair(
        "the names of a key's and a check's constraint are nothing",
        "CREATE TABLE t (a, CONSTRAINT k PRIMARY KEY (a), CONSTRAINT c CHECK (a > 0))",
        "CREATE TABLE t (a PRIMARY KEY CHECK (a > 0))",
    ),
    pair(
        "not null",
        "CREATE TABLE t (a TEXT, b TEXT DEFAULT 'x')",
        "CREATE TABLE t (a TEXT NOT NULL, b TEXT NOT NULL DEFAULT 'x')",
    ),
    pair(
        "a default",
        "CREATE TABLE t (a TEXT DEFAULT 'it''s')",
        "CREATE TABLE t (a TEXT DEFAULT 'its')",
    ),
    pair(
        "a default that is a text, not a keyword",
        "CREATE TABLE t (a DEFAULT 'CURRENT_TIMESTAMP')",
        "CREATE TABLE t (a DEFAULT CURRENT_TIMESTAMP)",
    ),
    pair(
        "a default that is a text, not a number",
        "CREATE TABLE t (a DEFAULT '0')",
        "CREATE TABLE t (a DEFAULT 0)",
    ),
    pair("a default of bytes", "CREATE TABLE t (a)", "CREATE TABLE t (a DEFAULT x'00ff')"),
    pair("a type", "CREATE TABLE t (a TEXT)", "CREATE TABLE t (a INTEGER)"),
    pair("a longer type", "CREATE TABLE t (a VARCHAR(20))", "CREATE TABLE t (a VARCHAR(30))"),
    pair("no type", "CREATE TABLE t (a)", "CREATE TABLE t (a BLOB)"),
    pair(
        "the spelling of a type is nothing",
        "CREATE TABLE t (a varchar ( 20 ), b Double  Precision)",
        "CREATE TABLE t (a VARCHAR(20), b DOUBLE PRECISION)",
    ),
    pair("a collation", "CREATE TABLE t (a TEXT)", "CREATE TABLE t (a TEXT COLLATE NOCASE)"),
    pair("a unique constraint", "CREATE TABLE t (a, b)", "CREATE TABLE t (a, b, UNIQUE (b, a))"),
    pair(
        "a unique index is no unique constraint",
        "CREATE TABLE t (a); CREATE UNIQUE INDEX i ON t (a)",
        "CREATE TABLE t (a UNIQUE)",
    ),
    pair("an index", "CREATE TABLE t (a, b)", "CREATE TABLE t (a, b); CREATE INDEX i ON t (b, a)"),
    pair(
        "the direction of an index",
        "CREATE TABLE t (a); CREATE INDEX i ON t (a)",
        "CREATE TABLE t (a); CREATE INDEX i ON t (a DESC)",
    ),
    pair(
        "the collation of an index",
        "CREATE TABLE t (a TEXT); CREATE INDEX i ON t (a)",
        "CREATE TABLE t (a TEXT); CREATE INDEX i ON t (a COLLATE NOCASE)",
    ),
    pair(
        "the name of an index",
        "CREATE TABLE t (a); CREATE INDEX i ON t (a)",
        "CREATE TABLE t (a); CREATE INDEX j ON t (a)",
    ),
    pair(
        "an index moves to another table",
        "CREATE TABLE t (a); CREATE TABLE u (a); CREATE INDEX i ON t (a)",
        "CREATE TABLE t (a); CREATE TABLE u (a); CREATE INDEX i ON u (a)",
    ),
    pair(
        "a unique index over an expression with a condition",
        "CREATE TABLE t (a TEXT, b TEXT)",
        "CREATE TABLE t (a TEXT, b TEXT); \
         CREATE UNIQUE INDEX i ON t (lower(a) COLLATE NOCASE DESC, b) WHERE b IS NOT NULL",
    ),
    pair(
        "the condition of an index",
        "CREATE TABLE t (a, b); CREATE INDEX i ON t (a) WHERE b > 0",
        "CREATE TABLE t (a, b); CREATE INDEX i ON t (a) WHERE b > 1",
    ),
    pair(
        "the spelling of expressions is nothing",
        "CREATE TABLE t (a, \"b\" AS ((A+1)), CHECK ((\"a\">0))); \
         CREATE INDEX i ON t (LOWER ( [a] )) WHERE `a` is not null",
        "CREATE TABLE t (a, b AS (a + 1), CHECK (a > 0)); \
         CREATE INDEX i ON t (lower(a)) WHERE a IS NOT NULL",
    ),
    pair("a check", "CREATE TABLE t (a, b)", "CREATE TABLE t (a, b, CHECK (a > 0 OR b = ')'))"),
    pair(
        "other labels",
        "CREATE TABLE t (a TEXT CHECK (a IN ('x', 'y')))",
        "CREATE TABLE t (a TEXT CHECK (a IN ('x', 'y', 'z')))",
    ),
    pair(
        "a reference",
        "CREATE TABLE p (a, b, PRIMARY KEY (b, a)); CREATE TABLE t (x, y)",
        "CREATE TABLE p (a, b, PRIMARY KEY (b, a)); \
         CREATE TABLE t (x, y, FOREIGN KEY (x, y) REFERENCES p ON UPDATE CASCADE)",
    ),
    pair(
        "a reference that names the key is one that does not",
        "CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE t (p REFERENCES P (ID))",
        "CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE t (p REFERENCES p)",
    ),
    pair(
        "what a reference does",
        "CREATE TABLE p (id INTEGER PRIMARY KEY); \
         CREATE TABLE t (p REFERENCES p ON DELETE CASCADE)",
        "CREATE TABLE p (id INTEGER PRIMARY KEY); \
         CREATE TABLE t (p REFERENCES p ON DELETE RESTRICT ON UPDATE SET DEFAULT)",
    ),
    pair(
        "when a reference is looked at",
        "CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE t (p REFERENCES p)",
        "CREATE TABLE p (id INTEGER PRIMARY KEY); \
         CREATE TABLE t (p REFERENCES p DEFERRABLE INITIALLY DEFERRED)",
    ),
    pair(
        "strict",
        "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT)",
        "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT) STRICT",
    ),
    pair(
        "without row numbers",
        "CREATE TABLE t (a TEXT NOT NULL PRIMARY KEY, b)",
        "CREATE TABLE t (a TEXT NOT NULL PRIMARY KEY, b) WITHOUT ROWID",
    ),
    pair(
        "names with quotes and blanks",
        "CREATE TABLE \"o'brien\" (\"a \"\" b\" TEXT)",
        "CREATE TABLE \"o'brien\" (\"a \"\" b\" TEXT UNIQUE, [order] INTEGER DEFAULT 0 \
         CHECK (\"order\" >= 0)); CREATE INDEX \"i'j\" ON \"o'brien\" ([order], \"a \"\" b\")",
    ),
    pair(
        "columns called as the number of the row",
        "CREATE TABLE t (rowid TEXT, _rowid_ TEXT)",
        "CREATE TABLE t (rowid TEXT NOT NULL, _rowid_ TEXT, oid TEXT)",
    ),
    pair(
        "another order of columns is nothing",
        "CREATE TABLE t (a, b, c)",
        "CREATE TABLE t (c, a, b)",
    ),
    pair(
        "a column goes that constraints and indexes use",
        "CREATE TABLE t (a, b UNIQUE, c REFERENCES t (b), d AS (b + 1), CHECK (b > a)); \
         CREATE INDEX i ON t (b); CREATE INDEX j ON t (a) WHERE b > 0",
        "CREATE TABLE t (a)",
    ),
    pair(
        "everything at once",
        "CREATE TABLE p (id INTEGER PRIMARY KEY AUTOINCREMENT, old TEXT UNIQUE); \
         CREATE TABLE gone (id INTEGER PRIMARY KEY, p REFERENCES p); \
         CREATE TABLE t (id INTEGER PRIMARY KEY, p REFERENCES p ON DELETE CASCADE, n TEXT); \
         CREATE INDEX i ON gone (p); CREATE INDEX n ON t (n)",
        "CREATE TABLE p (id INTEGER PRIMARY KEY, name TEXT NOT NULL COLLATE NOCASE, UNIQUE (name)); \
         CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, p INTEGER NOT NULL REFERENCES p, \
         n INTEGER DEFAULT 7, at TEXT DEFAULT CURRENT_TIMESTAMP, CHECK (n > 0)); \
         CREATE TABLE i (id INTEGER PRIMARY KEY, t REFERENCES t); \
         CREATE UNIQUE INDEX n ON t (p, n DESC) WHERE n IS NOT NULL",
    ),
];
