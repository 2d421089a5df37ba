//! Pairs that MySQL alone has.

super::pairs! { mysql
    indexes_over_expressions: "CREATE TABLE t (a INT, b VARCHAR(20))" <=> "
        CREATE TABLE t (a INT, b VARCHAR(20), KEY e ((a + 1)), KEY f ((CONCAT(b, 'it''s ä\\\\')), a DESC), UNIQUE KEY u ((a * 2)))";
    invisible_indexes: "CREATE TABLE t (a INT, KEY a (a))" <=> "CREATE TABLE t (a INT, KEY a (a) INVISIBLE)";
    checks_that_are_not_enforced: "CREATE TABLE t (a INT, CONSTRAINT c CHECK (a > 0))" <=> "CREATE TABLE t (a INT, CONSTRAINT c CHECK (a > 0) NOT ENFORCED)";
    places_on_earth: "CREATE TABLE t (a INT)" <=> "CREATE TABLE t (a INT, p POINT NOT NULL SRID 4326, SPATIAL KEY p (p))";
    parsers_of_words: "CREATE TABLE t (a TEXT, FULLTEXT KEY a (a))" <=> "CREATE TABLE t (a TEXT, FULLTEXT KEY a (a) WITH PARSER ngram)";
    bytes_with_a_nul_as_default: "CREATE TABLE t (a BINARY(4), b VARBINARY(8))" <=> "
        CREATE TABLE t (a BINARY(4) DEFAULT 0x00ff0011, b VARBINARY(8) DEFAULT 0x610062)";
    a_default_that_every_row_has_for_itself: "CREATE TABLE t (a INT, b VARCHAR(40))" <=> "CREATE TABLE t (a INT, b VARCHAR(40) DEFAULT (UUID()))";
}
