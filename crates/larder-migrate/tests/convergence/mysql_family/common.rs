//! Pairs that both servers have.

super::pairs! { both
    // Tables.
    nothing_to_nothing: "" => "";
    a_table_appears_and_goes: "" <=> "CREATE TABLE t (id BIGINT PRIMARY KEY, name VARCHAR(20) NOT NULL)";
    a_table_in_full_appears_and_goes: "" <=> "
        CREATE TABLE p (id INT PRIMARY KEY, a INT, b INT, UNIQUE KEY ab (a, b));
        CREATE TABLE c (id INT AUTO_INCREMENT PRIMARY KEY, p INT, a INT, b INT, v VARCHAR(30) DEFAULT 'x',
            n INT GENERATED ALWAYS AS (a + b) STORED, KEY v (v(5)),
            CONSTRAINT c_p FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE ON UPDATE CASCADE,
            CONSTRAINT c_ab FOREIGN KEY (a, b) REFERENCES p (a, b),
            CONSTRAINT c_check CHECK (a > 0 AND v <> 'it''s'))";
    tables_that_refer_to_each_other_in_a_circle: "" <=> "
        CREATE TABLE a (id INT PRIMARY KEY, b INT);
        CREATE TABLE b (id INT PRIMARY KEY, a INT, CONSTRAINT b_a FOREIGN KEY (a) REFERENCES a (id));
        ALTER TABLE a ADD CONSTRAINT a_b FOREIGN KEY (b) REFERENCES b (id)";
    a_table_that_refers_to_itself: "" <=> "
        CREATE TABLE t (id INT PRIMARY KEY, parent INT, CONSTRAINT t_t FOREIGN KEY (parent) REFERENCES t (id))";
    a_comment_of_the_table: "CREATE TABLE t (a INT)" <=> "CREATE TABLE t (a INT) COMMENT 'it''s \\\\ \"x\"\nline'";
    a_collation_of_the_table: "CREATE TABLE t (a VARCHAR(10), b CHAR(3) COLLATE latin1_bin, c INT) COLLATE utf8mb4_unicode_ci"
        <=> "CREATE TABLE t (a VARCHAR(10), b CHAR(3) COLLATE latin1_bin, c INT) COLLATE utf8mb4_bin";
    a_collation_that_is_not_the_databases: "CREATE TABLE t (a VARCHAR(10), b TEXT)"
        => "CREATE TABLE t (a VARCHAR(10), b TEXT COLLATE utf8mb4_general_ci) COLLATE utf8mb4_bin";
    names_of_any_kind: "" <=> "
        CREATE TABLE `Select` (`Order` INT PRIMARY KEY, `b``t` INT, `d\"q` INT, `sp ace` INT, `größe` INT,
            KEY `in``dex` (`b``t`, `größe`), CONSTRAINT `ch``eck` CHECK (`größe` <> 'ß' OR `b``t` > 0))";
    names_of_sixty_four_characters: "" <=> "
        CREATE TABLE taaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
            (caaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa INT,
             KEY iaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
                (caaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa))";
    options_that_are_not_described_are_no_difference: "CREATE TABLE t (a INT) ROW_FORMAT=COMPACT STATS_PERSISTENT=0"
        <=> "CREATE TABLE t (a INT)";
    the_next_number_is_no_difference: "CREATE TABLE t (a INT AUTO_INCREMENT PRIMARY KEY) AUTO_INCREMENT=77"
        <=> "CREATE TABLE t (a INT AUTO_INCREMENT PRIMARY KEY)";

    // Columns that come and go.
    a_column_that_may_be_null: "CREATE TABLE t (a INT)" <=> "CREATE TABLE t (a INT, b VARCHAR(20))";
    a_column_with_a_constant: "CREATE TABLE t (a INT); INSERT INTO t VALUES (1)"
        <=> "CREATE TABLE t (a INT, b INT NOT NULL DEFAULT 5)";
    a_column_that_needs_a_value: "CREATE TABLE t (a INT)" <=> "CREATE TABLE t (a INT, b DATE NOT NULL)";
    a_column_with_an_expression: "CREATE TABLE t (a INT)" <=> "CREATE TABLE t (a INT, b INT DEFAULT (1 + 1))";
    a_column_with_the_moment: "CREATE TABLE t (a INT)"
        <=> "CREATE TABLE t (a INT, b DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6))";
    all_columns_are_others: "CREATE TABLE t (a INT, b INT)" <=> "CREATE TABLE t (c INT, d INT)";
    the_order_of_columns_is_no_difference: "CREATE TABLE t (a INT, b INT)" <=> "CREATE TABLE t (b INT, a INT)";
    a_column_of_an_index_goes: "CREATE TABLE t (a INT, b INT, KEY ab (a, b))" <=> "CREATE TABLE t (a INT, KEY ab (a))";

    // Types.
    integers_of_every_width: "CREATE TABLE t (a TINYINT, b SMALLINT, c MEDIUMINT, d INT, e BIGINT, f INT UNSIGNED, g BOOLEAN)"
        <=> "CREATE TABLE t (a SMALLINT, b MEDIUMINT, c INT, d BIGINT, e BIGINT UNSIGNED, f INT, g TINYINT)";
    display_widths: "CREATE TABLE t (a INT(5), b BIGINT(3) UNSIGNED ZEROFILL, c TINYINT(1))"
        <=> "CREATE TABLE t (a INT, b BIGINT UNSIGNED, c TINYINT(4))";
    decimals: "CREATE TABLE t (a DECIMAL(10,2) DEFAULT 1.5, b DECIMAL(65,30), c NUMERIC(8))"
        <=> "CREATE TABLE t (a DECIMAL(12,4) DEFAULT 1.5, b DECIMAL(10,0) UNSIGNED, c DECIMAL(8,3) DEFAULT -0.5)";
    floats: "CREATE TABLE t (a FLOAT, b DOUBLE DEFAULT 1.5, c FLOAT(7,3))" <=> "CREATE TABLE t (a DOUBLE, b FLOAT DEFAULT 0, c REAL)";
    varchars_within_and_across_255_bytes: "CREATE TABLE t (a VARCHAR(10), b VARCHAR(63), c VARCHAR(100), d VARCHAR(255) COLLATE latin1_bin)"
        <=> "CREATE TABLE t (a VARCHAR(63), b VARCHAR(64), c VARCHAR(200), d VARCHAR(256) COLLATE latin1_bin)";
    texts_of_every_length: "CREATE TABLE t (a TINYTEXT, b TEXT, c MEDIUMTEXT, d VARCHAR(255), e CHAR(5))"
        <=> "CREATE TABLE t (a TEXT, b MEDIUMTEXT, c LONGTEXT, d TEXT, e VARCHAR(5))";
    bytes_of_every_length: "CREATE TABLE t (a TINYBLOB, b BLOB, c VARBINARY(10), d BINARY(16), e BINARY)"
        <=> "CREATE TABLE t (a BLOB, b LONGBLOB, c VARBINARY(300), d VARBINARY(16), e BINARY(2))";
    fractions_of_seconds: "CREATE TABLE t (a DATETIME, b TIME(3), c TIMESTAMP(6) NULL)"
        <=> "CREATE TABLE t (a DATETIME(6), b TIME, c TIMESTAMP NULL)";
    moments_with_and_without_a_zone: "CREATE TABLE t (a DATETIME(6), b TIMESTAMP NULL)" <=> "CREATE TABLE t (a TIMESTAMP(6) NULL, b DATETIME)";
    a_timestamp_has_no_default_that_nobody_asked_for: "CREATE TABLE t (a INT)" <=> "CREATE TABLE t (a INT, b TIMESTAMP NULL, c TIMESTAMP NOT NULL DEFAULT '2020-01-01 00:00:00')";
    labels_at_the_end: "CREATE TABLE t (a ENUM('a','b') DEFAULT 'a', s SET('x'))" <=> "CREATE TABLE t (a ENUM('a','b','c') DEFAULT 'a', s SET('x','y'))";
    labels_in_the_middle: "CREATE TABLE t (a ENUM('a','b'))" <=> "CREATE TABLE t (a ENUM('a','z','b'))";
    labels_with_quotes: "CREATE TABLE t (a ENUM('it''s','b\\\\c'))" <=> "CREATE TABLE t (a ENUM('it''s','x)','b\\\\c','l\n1','größe') DEFAULT 'it''s')";
    json_and_text: "CREATE TABLE t (a JSON, b LONGTEXT)" <=> "CREATE TABLE t (a LONGTEXT, b JSON)";
    json_columns_come_and_go: "CREATE TABLE t (a JSON NOT NULL, i INT) COLLATE utf8mb4_bin" <=> "CREATE TABLE t (i INT, b JSON) COLLATE utf8mb4_bin";
    bits_and_years: "CREATE TABLE t (a BIT(1) DEFAULT b'1', y YEAR DEFAULT 2020)" <=> "CREATE TABLE t (a BIT(8) DEFAULT b'101', y YEAR)";
    numbers_and_texts: "CREATE TABLE t (a INT, b BIGINT UNSIGNED)" <=> "CREATE TABLE t (a VARCHAR(30), b TEXT)";
    character_sets: "CREATE TABLE t (a VARCHAR(10) CHARACTER SET utf8mb3, b TEXT CHARACTER SET latin1, c CHAR(5) CHARACTER SET ascii)"
        <=> "CREATE TABLE t (a VARCHAR(10), b TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin, c CHAR(5))";
    a_collation_of_a_unique_column: "CREATE TABLE t (a VARCHAR(10), UNIQUE KEY a (a))" <=> "CREATE TABLE t (a VARCHAR(10) COLLATE utf8mb4_bin, UNIQUE KEY a (a))";

    // Attributes of columns.
    null_and_not_null: "CREATE TABLE t (a INT, b VARCHAR(10) NOT NULL, c DATETIME(6))" <=> "CREATE TABLE t (a INT NOT NULL, b VARCHAR(10), c DATETIME(6) NOT NULL)";
    defaults_of_every_kind: "CREATE TABLE t (a INT DEFAULT 1, b VARCHAR(20) DEFAULT 'x', c DECIMAL(5,2), d BOOLEAN DEFAULT TRUE, e DATE, f BINARY(2))"
        <=> "CREATE TABLE t (a INT DEFAULT -1, b VARCHAR(20) DEFAULT 'it''s \\\\ \"q\"', c DECIMAL(5,2) DEFAULT 0, d BOOLEAN DEFAULT FALSE, e DATE DEFAULT '2000-01-01', f BINARY(2) DEFAULT 'ab')";
    the_empty_text_is_a_default: "CREATE TABLE t (a VARCHAR(5), b VARCHAR(5) DEFAULT 'NULL')" <=> "CREATE TABLE t (a VARCHAR(5) DEFAULT '', b VARCHAR(5) DEFAULT NULL)";
    defaults_that_look_like_something_else: "CREATE TABLE t (a VARCHAR(30) DEFAULT 'CURRENT_TIMESTAMP', b VARCHAR(30) DEFAULT '1 + 1')"
        <=> "CREATE TABLE t (a VARCHAR(30) DEFAULT 'now()', b VARCHAR(30) DEFAULT 'b''1''')";
    expressions_as_defaults: "CREATE TABLE t (a INT DEFAULT (1 + 2), b VARCHAR(40) DEFAULT (UUID()), c TEXT DEFAULT ('x'), d DATE DEFAULT (CURDATE()))"
        <=> "CREATE TABLE t (a INT DEFAULT 3, b VARCHAR(40) DEFAULT (CONCAT('ä', 'it''s', \"\\\\\")), c TEXT, d DATE)";
    defaults_of_bytes: "CREATE TABLE t (a VARBINARY(8), b BLOB)" <=> "CREATE TABLE t (a VARBINARY(8) DEFAULT (UNHEX('00ff')), b BLOB DEFAULT (UNHEX('ff00')))";
    moments_of_updates: "CREATE TABLE t (a DATETIME DEFAULT CURRENT_TIMESTAMP, b TIMESTAMP(3) NULL)"
        <=> "CREATE TABLE t (a DATETIME DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, b TIMESTAMP(3) NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3))";
    comments_of_columns: "CREATE TABLE t (a INT COMMENT 'x', b INT)" <=> "CREATE TABLE t (a INT, b INT COMMENT 'it''s \\\\ `b` \"x\"\n; DROP TABLE t')";
    numbers_that_the_server_counts: "CREATE TABLE t (a INT PRIMARY KEY)" <=> "CREATE TABLE t (a INT AUTO_INCREMENT PRIMARY KEY)";
    a_counted_column_that_is_no_key: "CREATE TABLE t (a INT NOT NULL)" <=> "CREATE TABLE t (a INT NOT NULL AUTO_INCREMENT, UNIQUE KEY a (a))";

    // Computed columns.
    computed_columns_come_and_go: "CREATE TABLE t (a INT)" <=> "CREATE TABLE t (a INT, v INT GENERATED ALWAYS AS (a + 1) VIRTUAL, s VARCHAR(30) GENERATED ALWAYS AS (CONCAT(a, 'ä''\\\\')) STORED)";
    computed_columns_compute_something_else: "CREATE TABLE t (a INT, v INT AS (a + 1) VIRTUAL, s INT AS (a + 2) STORED)" <=> "CREATE TABLE t (a INT, v INT AS (a * 2) VIRTUAL, s INT AS (a * 3) STORED)";
    stored_and_virtual: "CREATE TABLE t (a INT, g INT AS (a + 1) VIRTUAL, KEY g (g))" <=> "CREATE TABLE t (a INT, g INT AS (a + 1) STORED, KEY g (g))";
    computed_and_plain: "CREATE TABLE t (a INT, s INT AS (a + 1) STORED, v INT AS (a + 1) VIRTUAL)" <=> "CREATE TABLE t (a INT, s INT, v INT)";
    the_column_behind_a_computed_one_grows: "CREATE TABLE t (a INT, s BIGINT AS (a + 1) STORED)" <=> "CREATE TABLE t (a BIGINT, s BIGINT AS (a + 1) STORED)";

    // Keys and indexes.
    a_primary_key_comes_and_goes: "CREATE TABLE t (a INT, b INT NOT NULL)" <=> "CREATE TABLE t (a INT NOT NULL, b INT NOT NULL, PRIMARY KEY (a, b))";
    a_primary_key_of_other_columns: "CREATE TABLE t (a INT NOT NULL, b INT NOT NULL, PRIMARY KEY (a, b))" <=> "CREATE TABLE t (a INT NOT NULL, b INT NOT NULL, PRIMARY KEY (b))";
    a_primary_key_of_a_new_number: "CREATE TABLE t (a INT NOT NULL PRIMARY KEY)" <=> "CREATE TABLE t (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, a INT NOT NULL)";
    a_number_moves_to_another_column: "CREATE TABLE t (a INT NOT NULL AUTO_INCREMENT PRIMARY KEY, b INT NOT NULL)" <=> "CREATE TABLE t (a INT NOT NULL, b INT NOT NULL AUTO_INCREMENT PRIMARY KEY)";
    indexes_come_and_go: "CREATE TABLE t (a INT, b VARCHAR(300), c INT)" <=> "CREATE TABLE t (a INT, b VARCHAR(300), c INT, KEY a (a), KEY ac (a, c), KEY b (b(10)), UNIQUE KEY c (c), UNIQUE KEY cb (c, b(5)))";
    an_index_of_one_name_with_other_columns: "CREATE TABLE t (a INT, b INT, KEY k (a), UNIQUE KEY u (b))" <=> "CREATE TABLE t (a INT, b INT, KEY k (a, b), UNIQUE KEY u (a))";
    unique_becomes_an_ordinary_index: "CREATE TABLE t (a INT, UNIQUE KEY a (a))" <=> "CREATE TABLE t (a INT, KEY a (a))";
    descending_indexes: "CREATE TABLE t (a INT, b INT, KEY k (a, b))" <=> "CREATE TABLE t (a INT, b INT, KEY k (a DESC, b))";
    indexes_over_words: "CREATE TABLE t (a TEXT, b INT)" <=> "CREATE TABLE t (a TEXT, b INT NOT NULL, FULLTEXT KEY a (a), KEY b (b))";
    columns_of_a_table_with_an_index_over_words: "CREATE TABLE t (a TEXT, b INT, FULLTEXT KEY a (a))" <=> "CREATE TABLE t (a TEXT, b BIGINT NOT NULL, c INT, FULLTEXT KEY a (a), KEY c (c))";
    indexes_over_places: "CREATE TABLE t (p POINT NOT NULL)" <=> "CREATE TABLE t (p POINT NOT NULL, SPATIAL KEY p (p))";

    // References.
    references_come_and_go: "
        CREATE TABLE p (id INT PRIMARY KEY); CREATE TABLE c (id INT PRIMARY KEY, p INT)" <=> "
        CREATE TABLE p (id INT PRIMARY KEY); CREATE TABLE c (id INT PRIMARY KEY, p INT, CONSTRAINT fk FOREIGN KEY (p) REFERENCES p (id))";
    references_without_a_name: "
        CREATE TABLE p (id INT PRIMARY KEY); CREATE TABLE c (p INT)" <=> "
        CREATE TABLE p (id INT PRIMARY KEY); CREATE TABLE c (p INT, FOREIGN KEY (p) REFERENCES p (id))";
    references_with_other_actions: "
        CREATE TABLE p (id INT PRIMARY KEY); CREATE TABLE c (p INT, CONSTRAINT fk FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE)" <=> "
        CREATE TABLE p (id INT PRIMARY KEY); CREATE TABLE c (p INT, CONSTRAINT fk FOREIGN KEY (p) REFERENCES p (id) ON DELETE SET NULL ON UPDATE CASCADE)";
    restrict_is_no_action: "
        CREATE TABLE p (id INT PRIMARY KEY); CREATE TABLE c (p INT, CONSTRAINT fk FOREIGN KEY (p) REFERENCES p (id) ON DELETE RESTRICT)" <=> "
        CREATE TABLE p (id INT PRIMARY KEY); CREATE TABLE c (p INT, CONSTRAINT fk FOREIGN KEY (p) REFERENCES p (id) ON DELETE NO ACTION)";
    columns_of_a_reference_grow: "
        CREATE TABLE p (id INT PRIMARY KEY); CREATE TABLE c (p INT, CONSTRAINT fk FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE);
        INSERT INTO p VALUES (1); INSERT INTO c VALUES (1)" <=> "
        CREATE TABLE p (id BIGINT PRIMARY KEY); CREATE TABLE c (p BIGINT, CONSTRAINT fk FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE)";
    the_key_behind_a_reference_is_another_one: "
        CREATE TABLE p (id INT PRIMARY KEY, u INT NOT NULL, UNIQUE KEY u (u)); CREATE TABLE c (p INT, CONSTRAINT fk FOREIGN KEY (p) REFERENCES p (id))" <=> "
        CREATE TABLE p (id INT NOT NULL, u INT NOT NULL, PRIMARY KEY (u), UNIQUE KEY id (id)); CREATE TABLE c (p INT, CONSTRAINT fk FOREIGN KEY (p) REFERENCES p (id))";
    the_index_below_a_reference_comes_and_goes: "
        CREATE TABLE p (id INT PRIMARY KEY); CREATE TABLE c (p INT, x INT, CONSTRAINT fk FOREIGN KEY (p) REFERENCES p (id))" <=> "
        CREATE TABLE p (id INT PRIMARY KEY); CREATE TABLE c (p INT, x INT, KEY px (p, x), CONSTRAINT fk FOREIGN KEY (p) REFERENCES p (id))";
    two_references_of_one_column: "
        CREATE TABLE p (id INT PRIMARY KEY); CREATE TABLE q (id INT PRIMARY KEY); CREATE TABLE c (p INT)" => "
        CREATE TABLE p (id INT PRIMARY KEY); CREATE TABLE q (id INT PRIMARY KEY);
        CREATE TABLE c (p INT, CONSTRAINT f1 FOREIGN KEY (p) REFERENCES p (id), CONSTRAINT f2 FOREIGN KEY (p) REFERENCES q (id))";

    // Checks.
    checks_come_and_go: "CREATE TABLE t (a INT, b VARCHAR(10))" <=> "
        CREATE TABLE t (a INT, b VARCHAR(10), CONSTRAINT c1 CHECK (a > 0 AND (a < 10 OR b IN ('x', 'it''s', 'ä\\\\'))), CONSTRAINT c2 CHECK (a IS NOT NULL))";
    checks_that_the_server_names: "CREATE TABLE t (a INT, b INT, CHECK (a > 0))" <=> "CREATE TABLE t (a INT, b INT, CHECK (a > b), CHECK (b > 1))";
    checks_say_something_else: "CREATE TABLE t (a INT, CONSTRAINT c CHECK (a > 0))" <=> "CREATE TABLE t (a INT, CONSTRAINT c CHECK (a > 1))";
    checks_of_columns: "CREATE TABLE t (a INT CHECK (a > 0), b INT)" <=> "CREATE TABLE t (a INT, b INT CHECK (b > 1))";
    a_column_with_a_check_changes: "CREATE TABLE t (a INT CHECK (a > 0), b INT)" <=> "CREATE TABLE t (a BIGINT NOT NULL CHECK (a > 0), b INT)";
    a_check_of_a_new_column: "CREATE TABLE t (a INT)" <=> "CREATE TABLE t (a INT, b INT DEFAULT 3, CONSTRAINT c CHECK (b > a))";
    views_are_left_alone: "CREATE TABLE t (a INT); CREATE VIEW v AS SELECT a FROM t" => "CREATE TABLE t (a INT, b INT); CREATE VIEW v AS SELECT a FROM t";
}
