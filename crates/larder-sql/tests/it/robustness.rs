//! No input makes the analysis panic, overflow the stack or run away.

use larder_sql::{AnalyzeError, Dialect, analyze, looks_like_read};
use proptest::prelude::*;

const DIALECTS: [Dialect; 4] =
    [Dialect::MariaDb, Dialect::MySql, Dialect::PostgreSql, Dialect::Sqlite];

/// Runs on this test's own thread, whose stack is the 2 MiB of any thread.
fn analyze_everywhere(sql: &str) {
    for dialect in DIALECTS {
        let _ = analyze(sql, dialect);
        let _ = looks_like_read(sql, dialect);
    }
}

#[test]
fn a_hundred_thousand_parentheses_are_an_error() {
    let sql = "(".repeat(100_000) + "SELECT 1" + &")".repeat(100_000);
    for dialect in DIALECTS {
        let found = analyze(&sql, dialect);
        assert!(matches!(found, Err(AnalyzeError::TooComplex { .. })), "{found:?}");
    }
}

#[test]
fn every_way_to_nest_ends_in_an_answer() {
    for n in [3, 20, 64, 127, 1_000, 20_000] {
        let shapes = [
            format!("SELECT {}1{}", "(".repeat(n), ")".repeat(n)),
            format!("SELECT {}1{}", "(SELECT ".repeat(n), ")".repeat(n)),
            format!("SELECT * FROM {}a{}", "(SELECT * FROM ".repeat(n), ") x".repeat(n)),
            format!("SELECT * FROM {}a{}", "(".repeat(n), ")".repeat(n)),
            format!("SELECT * FROM {}a{}", "(a JOIN ".repeat(n), ")".repeat(n)),
            format!("SELECT {}1{}", "CASE WHEN ".repeat(n), " THEN 1 END".repeat(n)),
            format!("{}SELECT 1{}", "WITH a AS (".repeat(n), ") SELECT 1".repeat(n)),
            format!("SELECT {}1{}", "lower(".repeat(n), ")".repeat(n)),
            format!("SELECT 1 WHERE {}1{}", "EXISTS (SELECT 1 WHERE ".repeat(n), ")".repeat(n)),
            format!("SELECT 1 WHERE {}1{}", "(1, ".repeat(n), ")".repeat(n)),
            format!("{}SELECT 1", "EXPLAIN ".repeat(n)),
            format!("SELECT {}1", "NOT ".repeat(n)),
            format!("SELECT {}1", "- ".repeat(n)),
            format!("SELECT {}1", "INTERVAL ".repeat(n)),
            format!("SELECT 1{}", " OR 1".repeat(n)),
            format!("SELECT 1{}", " || 1".repeat(n)),
            format!("SELECT 1{}", " IS NULL".repeat(n)),
            format!("SELECT 1{}", "::int".repeat(n)),
            format!("SELECT a{}", "[1]".repeat(n)),
            format!("SELECT a::int{}", "[]".repeat(n)),
            format!("SELECT a{}", ".a".repeat(n)),
            format!("SELECT {}1{}", "[".repeat(n), "]".repeat(n)),
            format!("SELECT ARRAY{}1{}", "[".repeat(n), "]".repeat(n)),
            format!("SELECT {}", "{'a': ".repeat(n)),
            format!("SELECT * FROM a{}", " JOIN a".repeat(n)),
            format!("SELECT * FROM a{}", " LEFT JOIN a".repeat(n)),
            format!("SELECT * FROM a{}", " NATURAL JOIN a".repeat(n)),
            format!("SELECT * FROM a{}", " JOIN a ON 1".repeat(n)),
            format!("SELECT 1{}", " UNION SELECT 1".repeat(n)),
            format!("{}SELECT 1{}", "(".repeat(n), ") UNION SELECT 1".repeat(n)),
            format!("SELECT * FROM a{}", ", a".repeat(n)),
            format!("CREATE TABLE a (x {}int{})", "ARRAY<".repeat(n), ">".repeat(n)),
            format!("CREATE TABLE a (x {}int{})", "Nested(a ".repeat(n), ")".repeat(n)),
            format!(
                "SELECT * FROM JSON_TABLE('', '$' COLUMNS ({}{}))",
                "NESTED PATH '$' COLUMNS (".repeat(n),
                ")".repeat(n)
            ),
            format!("{}SELECT 1{}", "BEGIN ".repeat(n), "; END".repeat(n)),
            format!("CREATE TRIGGER t AFTER INSERT ON a {}", "BEGIN ".repeat(n)),
            format!("{}1", "IF 1 THEN ".repeat(n)),
            format!("{}1", "PREPARE a AS ".repeat(n)),
            "/*".repeat(n),
            "SELECT 1;".repeat(n),
            "'".repeat(n),
            "$$".repeat(n),
            "@".repeat(n),
        ];
        for sql in &shapes {
            analyze_everywhere(sql);
        }
    }
}

#[test]
fn a_long_list_is_no_complexity() {
    let list = (0..20_000).map(|n| n.to_string()).collect::<Vec<_>>().join(", ");
    let analysis = analyze(&format!("SELECT * FROM a WHERE x IN ({list})"), Dialect::MySql);
    assert!(analysis.is_ok_and(|analysis| analysis.cacheability.is_ok()));
    let rows = "(-1, 'x', now()), ".repeat(5_000) + "(1, 'y', null)";
    let analysis = analyze(&format!("INSERT INTO a VALUES {rows}"), Dialect::PostgreSql);
    assert!(analysis.is_ok_and(|analysis| !analysis.writes.is_empty()));
}

#[test]
fn forty_joins_and_four_hundred_conditions_are_analysed() {
    let joins: String = (0..40).map(|n| format!(" JOIN t{n} ON t{n}.x = a.x")).collect();
    let conditions = " OR (a.x = ? AND a.y = ?)".repeat(400);
    let sql = format!("SELECT * FROM a{joins} WHERE 1 = 1{conditions}");
    let analysis = analyze(&sql, Dialect::Sqlite).unwrap();
    assert_eq!(analysis.reads.len(), 41);
    assert!(analysis.cacheability.is_ok());
}

#[test]
fn a_text_of_more_than_a_megabyte_is_an_error() {
    let sql = format!("SELECT '{}'", "x".repeat(1 << 20));
    let found = analyze(&sql, Dialect::Sqlite);
    assert!(matches!(found, Err(AnalyzeError::TooLong { .. })), "{found:?}");
}

/// Words that make texts which get past the tokenizer, and mostly past the parser too.
const WORDS: &[&str] = &[
    "SELECT",
    "FROM",
    "WHERE",
    "a",
    "b",
    "\"c\"",
    "`d`",
    "1",
    "'x'",
    "?",
    "$1",
    "(",
    ")",
    ",",
    "*",
    "+",
    "-",
    "=",
    "AND",
    "NOT",
    "IN",
    "EXISTS",
    "JOIN",
    "LEFT",
    "ON",
    "USING",
    "UNION",
    "WITH",
    "AS",
    "RECURSIVE",
    "INSERT",
    "INTO",
    "VALUES",
    "UPDATE",
    "SET",
    "DELETE",
    "MERGE",
    "RETURNING",
    "ORDER",
    "BY",
    "GROUP",
    "LIMIT",
    "FOR",
    "CASE",
    "WHEN",
    "THEN",
    "END",
    "now",
    "lower",
    ".",
    ";",
    "::",
    "int",
    "[",
    "]",
    "CREATE",
    "TABLE",
    "ALTER",
    "DROP",
    "CAST",
    "INTERVAL",
    "OVER",
    "PARTITION",
    "LATERAL",
    "TABLE",
    "COPY",
    "TO",
    "EXPLAIN",
    "@x",
    "||",
    "/*",
    "*/",
    "--",
    "\n",
    "LOCK",
    "SHARE",
    "MODE",
    "INDEXED",
    "ONLY",
    "IGNORE",
    "\u{a0}",
    "ß",
];

const SEEDS: &[&str] = &[
    "SELECT f.*, (SELECT count(*) FROM booking b WHERE b.flight_id = f.id) FROM flight f",
    "WITH a AS (SELECT * FROM b), c AS (DELETE FROM d RETURNING *) SELECT * FROM a JOIN c USING (x)",
    "INSERT INTO a (x, y) SELECT x, y FROM b ON CONFLICT (x) DO UPDATE SET y = excluded.y",
    "UPDATE a JOIN b ON a.x = b.x SET a.y = CASE WHEN b.z THEN 1 ELSE lower('q') END",
    "MERGE INTO a USING b ON a.x = b.x WHEN MATCHED THEN UPDATE SET y = 1 WHEN NOT MATCHED THEN INSERT VALUES (1)",
    "CREATE TABLE a (x INT PRIMARY KEY, y TEXT REFERENCES b (z)) AS SELECT * FROM c",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_text_ends_in_an_answer(sql in any::<String>()) {
        analyze_everywhere(&sql);
    }

    #[test]
    fn any_sequence_of_words_ends_in_an_answer(
        words in proptest::collection::vec(proptest::sample::select(WORDS), 0..60),
    ) {
        analyze_everywhere(&words.join(" "));
    }

    #[test]
    fn any_mutation_ends_in_an_answer(
        seed in proptest::sample::select(SEEDS),
        edits in proptest::collection::vec(
            (any::<prop::sample::Index>(), 0..3_u8, proptest::sample::select(WORDS)),
            1..8,
        ),
    ) {
        let mut words: Vec<_> = seed.split(' ').collect();
        for (place, edit, word) in edits {
            let place = place.index(words.len());
            match edit {
                0 => words[place] = word,
                1 => words.insert(place, word),
                _ if words.len() > 1 => drop(words.remove(place)),
                _ => {}
            }
        }
        analyze_everywhere(&words.join(" "));
    }

    /// Wherever it is put, a table that a subquery reads is found, or the text is refused.
    #[test]
    fn a_subquery_hides_nowhere(
        seed in proptest::sample::select(SEEDS),
        place in any::<prop::sample::Index>(),
    ) {
        let mut words: Vec<_> = seed.split(' ').collect();
        words.insert(place.index(words.len()), "+ (SELECT max(x) FROM hidden)");
        for dialect in DIALECTS {
            if let Ok(analysis) = analyze(&words.join(" "), dialect) {
                prop_assert!(
                    analysis.reads.iter().any(|table| table.as_str() == "hidden"),
                    "{} in {dialect:?}: {analysis:?}", words.join(" ")
                );
            }
        }
    }
}
