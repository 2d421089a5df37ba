//! Pairs that MariaDB alone has.

super::pairs! { mariadb
    types_of_its_own: "CREATE TABLE t (a CHAR(36), b VARCHAR(45))" <=> "CREATE TABLE t (a UUID, b INET6)";
    ignored_indexes: "CREATE TABLE t (a INT, KEY a (a))" <=> "CREATE TABLE t (a INT, KEY a (a) IGNORED)";
    unique_texts_of_any_length: "CREATE TABLE t (a LONGTEXT)" <=> "CREATE TABLE t (a LONGTEXT, UNIQUE KEY a (a))";
    sequences_are_left_alone: "CREATE SEQUENCE s; CREATE TABLE t (a INT)" => "CREATE SEQUENCE s; CREATE TABLE t (a BIGINT)";
    the_next_of_a_sequence: "CREATE SEQUENCE s; CREATE TABLE t (a INT)" => "CREATE SEQUENCE s; CREATE TABLE t (a INT, b BIGINT DEFAULT 7)";
    collation_of_the_database: "CREATE TABLE t (a VARCHAR(10)) COLLATE latin1_bin" => "CREATE TABLE t (a VARCHAR(10) COLLATE utf8mb4_bin) COLLATE utf8mb4_bin";
    json_in_a_table_of_another_character_set: "CREATE TABLE t (a INT) COLLATE latin1_swedish_ci" <=> "CREATE TABLE t (a INT, j JSON NOT NULL DEFAULT '{}') COLLATE latin1_swedish_ci";
}
