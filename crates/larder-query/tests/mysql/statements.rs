//! Values, parameters, columns, counts and errors.

use std::error::Error as _;

use larder_query::{
    Bind, Database, DatabaseErrorKind, DatabaseOptions, Params, QueryError, RowLimit, RowSet, Value,
};

use crate::Fixture;

fn text(text: &str) -> Value {
    Value::Text(text.into())
}

fn params(values: &[Value]) -> Params {
    let mut params = Params::new();
    for value in values {
        params.bind(value.clone());
    }
    params
}

/// What the server makes of one parameter.
async fn echo(database: &Database, value: impl Bind) -> Value {
    let mut params = Params::new();
    params.bind(value);
    let set = database.fetch("SELECT ?", &params, RowLimit::All).await.unwrap();
    let stored = RowSet::decode(&set.encode()).unwrap();
    assert_eq!(stored, set, "stored rows equal fresh ones");
    set.into_rows().remove(0).into_values().remove(0)
}

pub(crate) async fn parameters_come_back_as_they_went(f: Fixture) {
    for value in [
        Value::Int(i64::MIN),
        Value::Int(9_007_199_254_740_993),
        Value::UInt(u64::MAX),
        Value::Float(-0.5),
        Value::Float(1.797_693_134_862_315_7e308),
        text(""),
        text("Zürich \0 \u{1f6eb} ' \" \\ % ?"),
        Value::Null,
    ] {
        assert_eq!(echo(&f.database, value.clone()).await, value);
    }
    for bytes in [vec![], vec![0, 255]] {
        let params = params(&[Value::Bytes(bytes.clone())]);
        let set = f.database.fetch("SELECT CAST(? AS BINARY)", &params, RowLimit::All).await;
        assert_eq!(set.unwrap().rows()[0].values(), [Value::Bytes(bytes)]);
    }
    f.run(
        "CREATE TABLE t (d DECIMAL(65, 30), a DATE, b TIME(6), c DATETIME(6), e TIMESTAMP(6) NULL)",
    )
    .await;
    let values = [
        Value::Decimal("12345678901234567890123456789012345.123456789012345678901234567890".into()),
        Value::Date(11_016),
        Value::Time(-360_000_000_001),
        Value::Timestamp(-1),
        Value::TimestampUtc(1_500_001),
    ];
    let insert = "INSERT INTO t VALUES (?, ?, ?, ?, ?)";
    f.database.execute(insert, &params(&values)).await.unwrap();
    let found = "SELECT * FROM t WHERE d = ? AND a = ? AND b = ? AND c = ? AND e = ?";
    let set = f.database.fetch(found, &params(&values), RowLimit::All).await.unwrap();
    assert_eq!(set.rows()[0].values(), values);
}

pub(crate) async fn parameters_without_a_type_become_the_documented_ones(f: Fixture) {
    assert_eq!(echo(&f.database, true).await, Value::Int(1));
    assert_eq!(echo(&f.database, 0.1_f32).await, Value::Float(f64::from(0.1_f32)));
    let document = Value::Json("{\"b\":1, \"a\":[1.0]}".into());
    let stored = echo(&f.database, document.clone()).await;
    assert_eq!(stored, text("{\"b\":1, \"a\":[1.0]}"));
    f.run("CREATE TABLE j (j JSON)").await;
    f.database.execute("INSERT INTO j VALUES (?)", &params(&[document])).await.unwrap();
    let sql = "SELECT count(*) FROM j WHERE JSON_CONTAINS(j, ?)";
    let part = params(&[Value::Json("{\"a\":[1.0]}".into())]);
    let count = f.database.fetch(sql, &part, RowLimit::All).await;
    assert_eq!(count.unwrap().to::<i64>().unwrap(), [1]);
    let date = echo(&f.database, Value::Date(0)).await;
    assert!(matches!(date, Value::Date(0)), "{date:?}");
    let moment = echo(&f.database, Value::TimestampUtc(1_500_000)).await;
    assert_eq!(moment, Value::Timestamp(1_500_000));
    let decimal = echo(&f.database, Value::Decimal("-1.50".into())).await;
    assert!(matches!(&decimal, Value::Decimal(text) if text.starts_with("-1.50")), "{decimal:?}");
}

pub(crate) async fn what_the_server_has_no_value_for_is_refused(f: Fixture) {
    for value in [
        Value::Float(f64::NAN),
        Value::Float(f64::INFINITY),
        Value::Decimal("1e5".into()),
        Value::Time(i64::MAX),
        Value::Date(i32::MAX),
    ] {
        let params = params(&[Value::Int(1), value]);
        let error = f.database.fetch("SELECT ?, ?", &params, RowLimit::All).await.unwrap_err();
        assert!(matches!(error, QueryError::ParameterValue { position: 2, .. }), "{error:?}");
    }
    // The connection was not harmed.
    assert_eq!(f.number("SELECT 7").await, 7);
}

/// Type, literal and value.
fn columns(f: &Fixture) -> Vec<(&'static str, &'static str, Value)> {
    let mut columns = vec![
        ("TINYINT", "-128", Value::Int(-128)),
        ("TINYINT UNSIGNED", "255", Value::UInt(255)),
        ("SMALLINT", "-32768", Value::Int(-32_768)),
        ("SMALLINT UNSIGNED", "65535", Value::UInt(65_535)),
        ("MEDIUMINT", "-8388608", Value::Int(-8_388_608)),
        ("MEDIUMINT UNSIGNED", "16777215", Value::UInt(16_777_215)),
        ("INT", "-2147483648", Value::Int(-2_147_483_648)),
        ("INT UNSIGNED", "4294967295", Value::UInt(4_294_967_295)),
        ("BIGINT", "-9223372036854775808", Value::Int(i64::MIN)),
        ("BIGINT UNSIGNED", "18446744073709551615", Value::UInt(u64::MAX)),
        ("BOOLEAN", "TRUE", Value::Bool(true)),
        ("BOOLEAN", "-5", Value::Int(-5)),
        ("FLOAT", "0.1", Value::Float(f64::from(0.1_f32))),
        ("DOUBLE", "-1.5e300", Value::Float(-1.5e300)),
        ("DECIMAL(20, 10)", "-1.1", Value::Decimal("-1.1000000000".into())),
        ("DECIMAL(5)", "42", Value::Decimal("42".into())),
        ("BIT(1)", "b'1'", Value::UInt(1)),
        (
            "BIT(64)",
            "b'1000000000000000000000000000000000000000000000000000000000000001'",
            Value::UInt(1 << 63 | 1),
        ),
        ("BIT(10)", "b'1100000001'", Value::UInt(0b11_0000_0001)),
        ("YEAR", "2155", Value::UInt(2155)),
        ("DATE", "'2024-02-29'", Value::Date(19_782)),
        ("DATETIME", "'1970-01-01 00:00:01'", Value::Timestamp(1_000_000)),
        ("DATETIME(6)", "'1969-12-31 23:59:59.999999'", Value::Timestamp(-1)),
        ("DATETIME(3)", "'1970-01-01 00:00:00.001'", Value::Timestamp(1_000)),
        ("TIMESTAMP(6) NULL", "'1970-01-01 00:00:01.000001'", Value::TimestampUtc(1_000_001)),
        ("TIME", "'-838:59:59'", Value::Time(-3_020_399_000_000)),
        ("TIME(6)", "'100:00:00.000001'", Value::Time(360_000_000_001)),
        ("CHAR(5)", "'a'", text("a")),
        ("VARCHAR(20)", "'Zürich 🛫'", text("Zürich 🛫")),
        ("VARCHAR(20) COLLATE utf8mb4_bin", "'é'", text("é")),
        ("VARCHAR(20) CHARACTER SET latin1", "'é'", text("é")),
        ("TINYTEXT", "'t'", text("t")),
        ("TEXT", "''", text("")),
        ("MEDIUMTEXT", "'m'", text("m")),
        ("LONGTEXT", "'l'", text("l")),
        ("BINARY(3)", "x'00ff'", Value::Bytes(vec![0, 255, 0])),
        ("VARBINARY(9)", "x'00ff'", Value::Bytes(vec![0, 255])),
        ("TINYBLOB", "x'01'", Value::Bytes(vec![1])),
        ("BLOB", "x''", Value::Bytes(vec![])),
        ("MEDIUMBLOB", "x'02'", Value::Bytes(vec![2])),
        ("LONGBLOB", "'text'", Value::Bytes(b"text".to_vec())),
        ("ENUM('a', 'ü')", "'ü'", text("ü")),
        ("SET('a', 'b', 'c')", "'c,a'", text("a,c")),
        ("POINT", "ST_GeomFromText('POINT(1 2)')", point()),
    ];
    if f.is_mariadb() {
        columns.push(("JSON", "'[1, null]'", text("[1, null]")));
        columns.push(("INET6", "'2001:db8::1'", text("2001:db8::1")));
        columns.push((
            "UUID",
            "'00112233-4455-6677-8899-aabbccddeeff'",
            text("00112233-4455-6677-8899-aabbccddeeff"),
        ));
    } else {
        columns.push(("JSON", "'[1, null]'", Value::Json("[1, null]".into())));
    }
    columns
}

/// A point as the server stores it: the number of the reference system, then well-known binary.
fn point() -> Value {
    let mut bytes = vec![0, 0, 0, 0, 1, 1, 0, 0, 0];
    bytes.extend(1.0_f64.to_le_bytes());
    bytes.extend(2.0_f64.to_le_bytes());
    Value::Bytes(bytes)
}

pub(crate) async fn every_column_type_is_read_exactly(f: Fixture) {
    for (kind, literal, expected) in columns(&f) {
        f.run(&format!("CREATE TABLE t (a {kind}) CHARACTER SET utf8mb4")).await;
        f.run(&format!("INSERT INTO t VALUES ({literal})")).await;
        let set = f.rows("SELECT a FROM t").await;
        assert_eq!(set.rows()[0].values(), std::slice::from_ref(&expected), "{kind}");
        assert_eq!(RowSet::decode(&set.encode()).unwrap(), set);
        // In text as well, but for the digits that a `FLOAT` loses there.
        let by_text = f.rows("SELECT a FROM t; DO 0").await;
        assert_eq!(by_text.rows()[0].values(), [expected], "{kind} as text");
        let declared = set.columns().declared_type(0).unwrap().to_owned();
        let first = kind.split(['(', ' ']).next().unwrap();
        // The server tells them apart by their length only.
        let family = ["TEXT", "BLOB"].into_iter().find(|family| first.ends_with(family));
        let first = family.unwrap_or(first);
        let renamed = matches!(first, "SET" | "INET6" | "UUID" | "POINT")
            || (f.is_mariadb() && first == "JSON");
        assert!(renamed || declared.starts_with(first), "{kind} is called {declared}");
        f.run("DROP TABLE t").await;
    }
}

pub(crate) async fn every_column_type_may_be_null(f: Fixture) {
    for (kind, ..) in columns(&f) {
        let kind = kind.replace(" NULL", "");
        f.run(&format!("CREATE TABLE t (a {kind} NULL)")).await;
        f.run("INSERT INTO t VALUES (NULL)").await;
        assert_eq!(f.value("SELECT a FROM t").await, Value::Null, "{kind}");
        assert_eq!(f.value("SELECT a FROM t; DO 0").await, Value::Null, "{kind}");
        f.run("DROP TABLE t").await;
    }
    let mut nulls = Params::new();
    nulls.bind(None::<bool>).bind(None::<u64>).bind(None::<f32>).bind(None::<&str>);
    nulls.bind(None::<Vec<u8>>).bind(Value::Null);
    let set = f.database.fetch("SELECT ?, ?, ?, ?, ?, ?", &nulls, RowLimit::All).await.unwrap();
    assert_eq!(set.rows()[0].values(), [const { Value::Null }; 6]);
}

pub(crate) async fn a_decimal_is_compared_as_one(f: Fixture) {
    f.run("CREATE TABLE t (a DECIMAL(30, 10))").await;
    f.run("INSERT INTO t VALUES (12345678901234567890.1234567891)").await;
    let count = async |decimal: &str| {
        let params = params(&[Value::Decimal(decimal.into())]);
        let sql = "SELECT count(*) FROM t WHERE a = ?";
        f.database.fetch(sql, &params, RowLimit::One).await.unwrap().to::<i64>().unwrap()[0]
    };
    assert_eq!(count("12345678901234567890.1234567891").await, 1);
    // The same double.
    assert_eq!(count("12345678901234567890.1234567892").await, 0);
}

/// What a statement was first given does not decide about what it is given later.
pub(crate) async fn parameters_keep_their_type_whatever_came_before(f: Fixture) {
    f.run("CREATE TABLE t (a INT, b VARCHAR(9), c DECIMAL(30, 10))").await;
    f.run("INSERT INTO t VALUES (0, '0', 1), (1, 'x', 12345678901234567890.1234567891)").await;
    let database = f.open(&DatabaseOptions::default().with_connections_max(1)).await;
    let values = [
        Value::Float(0.5),
        Value::Int(1),
        text("x"),
        Value::Decimal("12345678901234567890.1234567892".into()),
        Value::Null,
        Value::UInt(u64::MAX),
        Value::Bool(true),
        Value::Timestamp(0),
        Value::Bytes(b"x".to_vec()),
    ];
    let count = async |database: &Database, column: &str, value: &Value| {
        let sql = format!("SELECT count(*) FROM t WHERE {column} = ?");
        let params = params(std::slice::from_ref(value));
        let counted = database.fetch(&sql, &params, RowLimit::One).await;
        counted.map(|counted| counted.to::<i64>().unwrap()[0]).ok()
    };
    for column in ["a", "b", "c"] {
        for value in values.iter().chain(values.iter().rev()) {
            let fresh = f.open(&DatabaseOptions::default()).await;
            let expected = count(&fresh, column, value).await;
            fresh.close().await;
            assert_eq!(count(&database, column, value).await, expected, "{column} = {value:?}");
        }
    }
    assert_eq!(count(&database, "a", &Value::Float(0.5)).await, Some(0));
}

pub(crate) async fn text_of_every_character_set_arrives(f: Fixture) {
    for (set, word) in [
        ("latin1", "Zürich"),
        ("latin2", "Łódź"),
        ("cp1251", "Москва"),
        ("sjis", "東京"),
        ("utf16", "東京 🛫"),
        ("utf8mb4", "東京 🛫"),
        ("ascii", "Bonn"),
    ] {
        f.run(&format!("CREATE TABLE t (a VARCHAR(20) CHARACTER SET {set})")).await;
        let params = params(&[text(word)]);
        f.database.execute("INSERT INTO t VALUES (?)", &params).await.unwrap();
        assert_eq!(f.value("SELECT a FROM t").await, text(word), "{set}");
        f.run("DROP TABLE t").await;
    }
}

pub(crate) async fn text_and_prepared_statements_agree(f: Fixture) {
    f.run("CREATE TABLE t (id BIGINT UNSIGNED, b TEXT, c DATETIME(6), d DECIMAL(9, 3))").await;
    f.run("INSERT INTO t VALUES (1, 'x', '2024-02-29 12:30:00.5', 1.5), (2, NULL, NULL, NULL)")
        .await;
    let sql = "SELECT id, b, c, d, count(*) OVER () AS n, now() > c AS later FROM t ORDER BY id";
    let prepared = f.rows(sql).await;
    let by_text = f.rows(&format!("{sql}; DO 0")).await;
    assert_eq!(prepared, by_text);
}

pub(crate) async fn too_few_and_too_many_parameters_are_errors(f: Fixture) {
    for (sql, expected, given) in [("SELECT ?, ?", 2, 1), ("SELECT 1", 0, 1), ("SELECT ?", 1, 0)] {
        let params = params(&vec![Value::Int(1); given]);
        let error = f.database.fetch(sql, &params, RowLimit::All).await.unwrap_err();
        let QueryError::ParameterCount { expected: e, given: g } = error else {
            panic!("{sql}: {error:?}")
        };
        assert_eq!((e, g), (expected, given), "{sql}");
    }
    for sql in ["SELECT ?; SELECT 1", "CREATE USER ?"] {
        let error = f.database.execute(sql, &params(&[text("a")])).await.unwrap_err();
        let refused = matches!(error, QueryError::ParameterSyntax { .. })
            || error.database_kind() == Some(DatabaseErrorKind::Syntax);
        assert!(refused, "{sql}: {error:?}");
    }
}

pub(crate) async fn colons_and_comments_are_left_alone(f: Fixture) {
    assert_eq!(f.value("SELECT ':zz'").await, text(":zz"));
    assert_eq!(f.value("SELECT 'a:b' # ? :x\n").await, text("a:b"));
    assert_eq!(f.value("SELECT /* ? */ 'it''s \\'?' -- ?").await, text("it's '?"));
    assert_eq!(f.number("SELECT 5--1").await, 6);
    assert_eq!(f.number("SELECT /*!50000 7 + */ 1").await, 8);
    assert_eq!(echo(&f.database, "?").await, text("?"));
}

pub(crate) async fn an_empty_result_has_its_columns(f: Fixture) {
    f.run("CREATE TABLE t (a INT, b TEXT)").await;
    for limit in [RowLimit::All, RowLimit::One] {
        for sql in ["SELECT a, b FROM t", "SELECT * FROM t"] {
            let set = f.database.fetch(sql, &Params::new(), limit).await.unwrap();
            assert!(set.is_empty());
            assert_eq!(set.columns().names().collect::<Vec<_>>(), ["a", "b"]);
        }
    }
}

pub(crate) async fn a_star_follows_its_table(f: Fixture) {
    f.run("CREATE TABLE t (a INT)").await;
    for (round, column) in ["b", "c", "d"].into_iter().enumerate() {
        assert_eq!(f.rows("SELECT * FROM t").await.columns().len(), round + 1);
        f.run(&format!("ALTER TABLE t ADD COLUMN {column} INT")).await;
    }
    assert_eq!(f.rows("SELECT * FROM t").await.columns().len(), 4);
    f.run("INSERT INTO t (a) VALUES (1)").await;
    f.run("ALTER TABLE t DROP COLUMN b").await;
    assert_eq!(f.rows("SELECT * FROM t").await.rows()[0].values().len(), 3);
}

pub(crate) async fn one_row_is_read_if_one_is_wanted(f: Fixture) {
    let numbers = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 900) \
                   SELECT a.i FROM n AS a, n AS b ORDER BY a.i";
    for _ in 0..3 {
        let set = f.database.fetch(numbers, &Params::new(), RowLimit::One).await.unwrap();
        assert_eq!(set.to::<i64>().unwrap(), [1]);
    }
    let mut transaction = f.database.begin().await.unwrap();
    let short = "SELECT 1 UNION ALL SELECT 2";
    for _ in 0..3 {
        let set = transaction.fetch(short, &Params::new(), RowLimit::One).await.unwrap();
        assert_eq!(set.to::<i64>().unwrap(), [1]);
    }
    transaction.commit().await.unwrap();
    assert_eq!(f.number("SELECT 7").await, 7);
}

pub(crate) async fn rows_of_two_statements_are_not_mixed(f: Fixture) {
    f.run("CREATE PROCEDURE two() BEGIN SELECT 1; SELECT 2, 3; END").await;
    f.run("CREATE PROCEDURE one() BEGIN SELECT 1; END").await;
    for sql in ["SELECT 1; SELECT 2, 3", "CALL two()"] {
        let error = f.database.fetch(sql, &Params::new(), RowLimit::All).await.unwrap_err();
        assert!(matches!(error, QueryError::SeveralResults), "{sql}: {error:?}");
    }
    assert_eq!(f.number("CALL one()").await, 1);
    assert_eq!(f.number("SELECT 7; # nothing").await, 7);
}

pub(crate) async fn several_statements_run_in_one_text(f: Fixture) {
    f.run("CREATE TABLE t (a INT); INSERT INTO t VALUES (1), (2); UPDATE t SET a = a + 1").await;
    assert_eq!(f.number("SELECT sum(a) FROM t").await, 5);
    let sql = "DELETE FROM t WHERE a = 2; INSERT INTO t VALUES (9)";
    let done = f.database.execute(sql, &Params::new()).await.unwrap();
    assert_eq!(done.rows_affected, 2);
}

pub(crate) async fn rows_are_counted_as_found(f: Fixture) {
    let count = async |sql: &str| {
        let executed = f.database.execute(sql, &Params::new()).await.unwrap();
        (executed.rows_affected, executed.last_insert_id)
    };
    f.run("CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, a INT)").await;
    // Of several rows, the first one's.
    assert_eq!(count("INSERT INTO t (a) VALUES (1), (2), (3)").await, (3, Some(1)));
    assert_eq!(count("INSERT INTO t (a) VALUES (4)").await, (1, Some(4)));
    assert_eq!(count("CREATE INDEX i ON t (a)").await, (0, None));
    assert_eq!(count("SELECT * FROM t").await, (0, None));
    assert_eq!(count("UPDATE t SET a = 0 WHERE id > 1").await, (3, None));
    // Found, although nothing changed.
    assert_eq!(count("UPDATE t SET a = 0 WHERE id > 1").await, (3, None));
    assert_eq!(count("UPDATE t SET a = 0 WHERE id > 9").await, (0, None));
    assert_eq!(count("INSERT IGNORE INTO t VALUES (1, 1)").await.0, 0);
    assert_eq!(count("DELETE FROM t WHERE id = 1").await, (1, None));
    f.run("CREATE TABLE big (id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY)").await;
    // Beyond what the field holds.
    assert_eq!(count("INSERT INTO big VALUES (18446744073709551610)").await, (1, None));
}

pub(crate) async fn the_databases_errors_have_kinds_and_keep_their_words(f: Fixture) {
    f.run("CREATE TABLE t (id INT PRIMARY KEY, a INT NOT NULL, CHECK (a > 0)) ENGINE=InnoDB").await;
    f.run("CREATE TABLE u (t INT, FOREIGN KEY (t) REFERENCES t (id)) ENGINE=InnoDB").await;
    f.run("INSERT INTO t VALUES (1, 1)").await;
    f.run("INSERT INTO u VALUES (1)").await;
    // MySQL says that there is no such database, MariaDB that there is no such table.
    let elsewhere = match f.is_mariadb() {
        true => DatabaseErrorKind::MissingTable,
        false => DatabaseErrorKind::MissingDatabase,
    };
    for (sql, kind, words) in [
        ("SELEC 1", DatabaseErrorKind::Syntax, "syntax"),
        ("SELECT (", DatabaseErrorKind::Syntax, "syntax"),
        ("SELECT 1 FROM x", DatabaseErrorKind::MissingTable, "x"),
        ("SELECT x FROM t", DatabaseErrorKind::MissingColumn, "x"),
        ("INSERT INTO t (x) VALUES (1)", DatabaseErrorKind::MissingColumn, "x"),
        ("INSERT INTO t VALUES (1, 1)", DatabaseErrorKind::UniqueViolation, "1"),
        ("INSERT INTO t VALUES (2, NULL)", DatabaseErrorKind::NotNullViolation, "a"),
        ("INSERT INTO t VALUES (2, 0)", DatabaseErrorKind::CheckViolation, "t"),
        ("INSERT INTO u VALUES (9)", DatabaseErrorKind::ForeignKeyViolation, "u"),
        ("DELETE FROM t", DatabaseErrorKind::ForeignKeyViolation, "u"),
        ("SELECT * FROM no_such_database.t", elsewhere, "no_such"),
    ] {
        let error = f.database.execute(sql, &Params::new()).await.unwrap_err();
        assert_eq!(error.database_kind(), Some(kind), "{sql}: {:?}", error.source());
        let source = error.source().unwrap().to_string();
        assert!(source.contains(words), "{sql}: {source}");
    }
    assert_eq!(f.number("SELECT count(*) FROM t").await, 1);
}

pub(crate) async fn a_long_text_goes_both_ways(f: Fixture) {
    f.run("CREATE TABLE t (a LONGTEXT)").await;
    // Longer than what fits into the length of one packet's first byte, and than one read.
    let long = "ä".repeat(1_000_000);
    f.database.execute("INSERT INTO t VALUES (?)", &params(&[text(&long)])).await.unwrap();
    assert_eq!(f.value("SELECT a FROM t").await, text(&long));
}

pub(crate) async fn bytes_find_uuids(f: Fixture) {
    let uuid = Value::Uuid([0xff; 16]);
    f.run("CREATE TABLE t (a BINARY(16))").await;
    let params = params(&[uuid]);
    f.database.execute("INSERT INTO t VALUES (?)", &params).await.unwrap();
    assert_eq!(f.value("SELECT a FROM t").await, Value::Bytes(vec![0xff; 16]));
    let sql = "SELECT count(*) FROM t WHERE a = ?";
    let set = f.database.fetch(sql, &params, RowLimit::All).await.unwrap();
    assert_eq!(set.to::<i64>().unwrap(), [1]);
    if f.is_mariadb() {
        f.run("CREATE TABLE u (a UUID)").await;
        f.database.execute("INSERT INTO u VALUES (?)", &params).await.unwrap();
        let sql = "SELECT a FROM u WHERE a = ?";
        let set = f.database.fetch(sql, &params, RowLimit::All).await.unwrap();
        let written = text("ffffffff-ffff-ffff-ffff-ffffffffffff");
        assert_eq!(set.rows()[0].values(), [written]);
    }
}
