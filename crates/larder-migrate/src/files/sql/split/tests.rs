//! Texts that other splitters get wrong, and the promise that nothing of a text is lost.

use proptest::prelude::*;

use Dialect::{MariaDb, MySql, Postgres, Sqlite};

use super::*;

const ALL: [Dialect; 4] = [MariaDb, MySql, Postgres, Sqlite];

#[track_caller]
fn check(dialect: Dialect, text: &str, expected: &[&str]) {
    let statements = split(text, dialect).unwrap_or_else(|error| panic!("{text}: {error}"));
    let texts: Vec<_> = statements.list.iter().map(|statement| statement.text).collect();
    assert_eq!(texts, expected, "{dialect}: {text}");
    assert_eq!(joined(&statements), text);
}

/// A text that is a single statement, whatever semicolons it has.
#[track_caller]
fn whole(dialect: Dialect, statement: &str) {
    check(dialect, &format!("{statement};\nSELECT 1"), &[statement, "SELECT 1"]);
}

#[track_caller]
fn refused(dialect: Dialect, text: &str, expected: &str) {
    assert_eq!(split(text, dialect).unwrap_err().to_string(), expected);
}

fn joined(statements: &Statements<'_>) -> String {
    let pieces = statements.list.iter().map(|statement| statement.piece);
    pieces.chain([statements.rest]).collect()
}

#[test]
fn statements_end_at_semicolons() {
    for dialect in ALL {
        check(dialect, "", &[]);
        check(dialect, " ;; \n;", &[]);
        check(dialect, "-- nothing\n/* at ; all */", &[]);
        check(dialect, "A; B", &["A", "B"]);
        check(dialect, ";A;;B; -- c", &["A", "B"]);
        check(dialect, "A /* ; */ B -- ;\n;C", &["A /* ; */ B", "C"]);
        check(dialect, "SELECT ';', 'it''s;';B", &["SELECT ';', 'it''s;'", "B"]);
        check(dialect, "\u{feff}A;\u{a0}B", &["A", "\u{a0}B"]);
    }
}

#[test]
fn a_comment_before_a_statement_is_not_sent() {
    let statements = split("-- SELECT 1\nSELECT 1;", Sqlite).unwrap();
    assert_eq!(statements.list[0].lead, "-- SELECT 1\n");
    assert_eq!(statements.list[0].position, Position { line: 2, column: 1 });
    assert_eq!(statements.list[0].start, 12);
}

#[test]
fn places_are_those_of_an_editor() {
    let statements = split("A;\n  'ä'; B;\n\nC", Sqlite).unwrap();
    let places: Vec<_> = statements
        .list
        .iter()
        .map(|statement| (statement.position.line, statement.position.column))
        .collect();
    assert_eq!(places, [(1, 1), (2, 3), (2, 8), (4, 1)]);
}

#[test]
fn bodies_of_triggers_are_whole_on_sqlite() {
    for statement in [
        "CREATE TRIGGER t AFTER INSERT ON a BEGIN UPDATE a SET x = 1; DELETE FROM b; END",
        "create temp trigger t after insert on a when case when 1 then 1 end begin select 1; end",
        "CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT CASE WHEN 1 THEN 2 END; END",
        "CREATE TRIGGER t AFTER INSERT ON a BEGIN UPDATE a SET end = 1, begin = end; END",
        "CREATE TEMPORARY TRIGGER IF NOT EXISTS \"a;b\" AFTER DELETE ON a BEGIN SELECT ';END;'; END",
        "EXPLAIN CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT 1; /* ; */ END",
    ] {
        whole(Sqlite, statement);
    }
    check(Sqlite, "BEGIN; SELECT 1; END; A", &["BEGIN", "SELECT 1", "END", "A"]);
    check(Sqlite, "CREATE TABLE trigger(a); A", &["CREATE TABLE trigger(a)", "A"]);
    check(Sqlite, "DROP TRIGGER a; A", &["DROP TRIGGER a", "A"]);
}

#[test]
fn functions_are_whole_on_postgresql() {
    for statement in [
        "CREATE FUNCTION f() RETURNS int AS $$ BEGIN; RETURN 1; END; $$ LANGUAGE plpgsql",
        "CREATE FUNCTION f() RETURNS text AS $fn$ SELECT $$;$$; $fn$ LANGUAGE sql",
        "DO $do$ BEGIN EXECUTE 'x;y'; END $do$",
        "CREATE FUNCTION f(a int) RETURNS int BEGIN ATOMIC SELECT a; SELECT 2; END",
        "CREATE OR REPLACE PROCEDURE p() LANGUAGE SQL BEGIN ATOMIC \
         SELECT CASE WHEN true THEN 1 END; DELETE FROM a; END",
        "CREATE RULE r AS ON INSERT TO a DO ALSO (DELETE FROM b; DELETE FROM c;)",
        r"SELECT E'\';', U&'\0041;', B'1;', 'a\'",
        "SELECT E'a'\n  -- and on\n '\\';'",
    ] {
        whole(Postgres, statement);
    }
    check(Postgres, "BEGIN; SELECT 1; END; A", &["BEGIN", "SELECT 1", "END", "A"]);
    check(Postgres, "SELECT $1$;A", &["SELECT $1$", "A"]);
    check(Postgres, "SELECT a);B", &["SELECT a)", "B"]);
    check(Postgres, "COPY a TO STDOUT; A", &["COPY a TO STDOUT", "A"]);
    check(Postgres, "COPY a FROM '/f'; A", &["COPY a FROM '/f'", "A"]);
}

#[test]
fn routines_are_whole_without_a_delimiter_in_the_mysql_family() {
    let trigger = |body: &str| format!("CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW {body}");
    let procedure = |body: &str| format!("CREATE PROCEDURE p(IN x INT) {body}");
    for body in [
        "BEGIN SET NEW.a = 1; SET NEW.b = 2; END",
        "IF NEW.a < 0 THEN SET NEW.a = 0; END IF",
        "IF (NEW.a < 0) THEN SET NEW.a = 0; ELSE SET NEW.a = IF(NEW.b, 1, 2); END IF",
        "SET NEW.a = IF(NEW.b, 1, 2)",
        "SET NEW.a = CASE WHEN NEW.b THEN f(1) END",
        "FOLLOWS other BEGIN SET NEW.a = 1; END",
        "CASE NEW.a WHEN 1 THEN SET NEW.b = 2; ELSE SET NEW.b = 3; END CASE",
    ] {
        whole(MySql, &trigger(body));
        whole(MariaDb, &trigger(body));
    }
    for body in [
        "BEGIN END",
        "SELECT 1",
        "DETERMINISTIC BEGIN IF x THEN SELECT 1; ELSEIF y THEN SELECT 2; END IF; END",
        "COMMENT 'a;b' BEGIN SELECT 1; END",
        "SQL SECURITY INVOKER BEGIN SELECT 1; END",
        "BEGIN DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; END; SELECT 1; END",
        "BEGIN DECLARE EXIT HANDLER FOR NOT FOUND, 1051 SET @a = 1; SELECT 1; END",
        "BEGIN l: LOOP SET x = x + 1; IF x > 3 THEN LEAVE l; END IF; END LOOP l; SELECT 2; END",
        "BEGIN WHILE x DO SET x = x - 1; END WHILE; SELECT 2; END",
        "BEGIN REPEAT SET x = x - 1; UNTIL CASE WHEN x THEN 1 END END REPEAT; SELECT 2; END",
        "BEGIN SELECT REPEAT('a;', 3), IF(1, 2, 3); SELECT 2; END",
        "BEGIN CASE x WHEN 1 THEN SELECT CASE WHEN 2 THEN IF(1, 2, 3) END; END CASE; SELECT 2; END",
        "BEGIN DROP TABLE IF EXISTS b; CREATE TABLE IF NOT EXISTS b (c INT); END",
        "BEGIN IF NOT EXISTS (SELECT 1) THEN SELECT 2; END IF; SELECT 3; END",
        "BEGIN SELECT begin, end, t.end FROM t; SELECT 2; END",
        "BEGIN IF x THEN BEGIN SELECT 1; END; END IF; inner_block: BEGIN SELECT 2; END inner_block; END",
        "IF NOT EXISTS (SELECT 1) THEN SELECT 2; END IF",
    ] {
        whole(MySql, &procedure(body));
        whole(MariaDb, &procedure(body));
    }
    for statement in [
        "CREATE DEFINER=`root`@`localhost` PROCEDURE `a;b`() BEGIN SELECT 1; END",
        "CREATE DEFINER = CURRENT_USER FUNCTION f() RETURNS INT BEGIN RETURN 1; END",
        "CREATE FUNCTION f(a INT) RETURNS VARCHAR(10) CHARSET utf8mb4 BEGIN RETURN 'x'; END",
        "CREATE PROCEDURE IF NOT EXISTS p() BEGIN SELECT 1; END",
        "CREATE OR REPLACE FUNCTION f() RETURNS INT RETURN 1",
        "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO BEGIN DELETE FROM a; DELETE FROM b; END",
        "ALTER EVENT e DO BEGIN DELETE FROM a; END",
        "/*!50003 CREATE*/ /*!50017 DEFINER=`r`@`%`*/ /*!50003 TRIGGER t BEFORE INSERT ON a \
         FOR EACH ROW BEGIN SET NEW.a = 1; END */",
    ] {
        whole(MySql, statement);
        whole(MariaDb, statement);
    }
    whole(MariaDb, "BEGIN NOT ATOMIC SELECT 1; IF 1 THEN SELECT 2; END IF; END");
    whole(MariaDb, "CREATE PROCEDURE p() BEGIN FOR i IN 1..3 DO SELECT i; END FOR; SELECT 2; END");
    whole(
        MySql,
        "CREATE FUNCTION f() RETURNS INT LANGUAGE JAVASCRIPT AS $$ let a = 1; return a; $$",
    );
    check(MySql, "BEGIN; SELECT 1; COMMIT;", &["BEGIN", "SELECT 1", "COMMIT"]);
    check(
        MySql,
        "CREATE DEFINER=a SQL SECURITY DEFINER VIEW v AS SELECT 1; A",
        &["CREATE DEFINER=a SQL SECURITY DEFINER VIEW v AS SELECT 1", "A"],
    );
}

#[test]
fn delimiter_lines_are_obeyed_in_the_mysql_family() {
    let text = "SELECT 1;\nDELIMITER //\nCREATE PROCEDURE p() BEGIN SELECT ';//'; END//\n\
                -- // no\nSELECT 2; SELECT 3 //\ndelimiter ;\nSELECT 4;";
    check(
        MySql,
        text,
        &[
            "SELECT 1",
            "CREATE PROCEDURE p() BEGIN SELECT ';//'; END",
            "SELECT 2; SELECT 3",
            "SELECT 4",
        ],
    );
    check(
        MariaDb,
        "DELIMITER $$\nCREATE TRIGGER t BEGIN END$$\nA$$",
        &["CREATE TRIGGER t BEGIN END", "A"],
    );
    check(MySql, "DELIMITER ;;\r\n/*!50003 A; B */;;\nDELIMITER ;\nC;", &["/*!50003 A; B */", "C"]);
    check(Postgres, "DELIMITER //\nA;B", &["DELIMITER //\nA", "B"]);
    refused(
        MySql,
        "DELIMITER\nA",
        "line 1, column 1: a delimiter is made of signs such as `//`, `$$` or `;;`",
    );
    for bad in ["go", "'", "--", "#", "\\", "/*"] {
        let text = format!("A;\n DELIMITER {bad}\n");
        assert!(matches!(split(&text, MySql), Err(SplitError::Delimiter { .. })), "{bad}");
    }
}

#[test]
fn what_a_server_can_not_run_is_refused_with_its_place() {
    refused(
        Postgres,
        "A;\n COPY a (b) FROM stdin;\n1\t'\n\\.\n",
        "line 2, column 2: COPY FROM STDIN reads rows from a client; write them as INSERT",
    );
    refused(
        Postgres,
        "\\restrict abc\nA;",
        "line 1, column 1: `\\restrict` is a command of the client, which the server does not know",
    );
    refused(
        Sqlite,
        "A;\n.mode csv",
        "line 2, column 1: `.mode` is a command of the client, which the server does not know",
    );
    refused(Sqlite, "A;\nB\0", "line 2, column 2: a NUL, at which databases cut a text off");
}

#[test]
fn what_does_not_end_is_an_error_with_its_beginning() {
    let body = "line 2, column 1: a body begins here and does not end";
    refused(Sqlite, "A;\nCREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT 1; B;", body);
    refused(MySql, "A;\nCREATE PROCEDURE p() BEGIN IF x THEN SELECT 1; END; B;", body);
    refused(Postgres, "A;\nCREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; B;", body);
    refused(Postgres, "A; 'b", "line 1, column 4: a text in quotes begins here and does not end");
    refused(MySql, "A; /*! b", "line 1, column 4: a comment begins here and does not end");
    // What is left open between parentheses is for the server to say.
    check(Postgres, "A (; B", &["A (; B"]);
}

#[test]
fn a_long_text_is_read_in_one_go() {
    let text = "INSERT INTO a VALUES ('x;');\n".repeat(20_000);
    let statements = split(&text, MySql).unwrap();
    assert_eq!(statements.list.len(), 20_000);
    assert_eq!(statements.list[19_999].position, Position { line: 20_000, column: 1 });
    let delimited = format!("DELIMITER $$\n{}", "a".repeat(1_000_000));
    assert_eq!(split(&delimited, MySql).unwrap().list.len(), 1);
}

/// Pieces of which hostile texts are made.
fn fragment() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "'",
        "\"",
        "`",
        "[",
        "]",
        "$",
        "$$",
        "$a$",
        ";",
        "\\",
        "--",
        "-- ",
        "#",
        "/*",
        "*/",
        "/*!",
        "/*!50003",
        "/*M!",
        "\n",
        "\r\n",
        " ",
        "(",
        ")",
        ":",
        "E'",
        "e'a'\n'",
        "\0",
        "\u{feff}",
        "é",
        "DELIMITER //\n",
        "\nDELIMITER $$\n",
        "\nDELIMITER ;\n",
        "//",
        "CREATE ",
        "TRIGGER ",
        "PROCEDURE p() ",
        "FUNCTION f() ",
        "BEGIN ",
        "ATOMIC ",
        "NOT ",
        "END",
        " END;",
        "CASE ",
        "IF ",
        "THEN ",
        "LOOP ",
        "REPEAT ",
        "DO ",
        "AS ",
        "COPY a ",
        "FROM ",
        "STDIN",
        "1.",
        "a",
    ]);
    prop_oneof![8 => known.prop_map(str::to_owned), 1 => any::<String>()]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn nothing_of_a_text_is_lost(
        fragments in prop::collection::vec(fragment(), 0..24),
        dialect in prop::sample::select(ALL.to_vec()),
    ) {
        let text: String = fragments.concat();
        match split(&text, dialect) {
            Ok(statements) => {
                prop_assert_eq!(joined(&statements), text.as_str());
                for statement in &statements.list {
                    prop_assert!(!statement.text.trim_ascii().is_empty());
                    prop_assert_eq!(Position::of(&text, statement.start), statement.position);
                    prop_assert!(text[statement.start..].starts_with(statement.text));
                }
            }
            Err(error) => prop_assert!(error.position().line <= text.matches('\n').count() + 1),
        }
    }

    #[test]
    fn tokens_put_together_are_the_text(
        fragments in prop::collection::vec(fragment(), 0..24),
        dialect in prop::sample::select(ALL.to_vec()),
    ) {
        let text: String = fragments.concat();
        let mut lexer = Lexer::new(&text, dialect);
        let mut read = String::new();
        while let Ok(Some(token)) = lexer.next() {
            prop_assert!(!token.text.is_empty());
            read.push_str(token.text);
        }
        prop_assert!(text.starts_with(&read));
    }
}
