//! The tables that the scenarios ask about, in the spelling of each engine.

use crate::support::{Bench, Engine};

/// Three rows of every common type: ordinary values, extreme ones, and NULLs.
const EVERYTHING_SQLITE: &[&str] = &[
    "CREATE TABLE everything (id INTEGER PRIMARY KEY, flag BOOLEAN, small INTEGER, big INTEGER, \
     ratio REAL, price TEXT, name TEXT, data BLOB, day TEXT, moment TEXT, doc TEXT, untyped)",
    "INSERT INTO everything VALUES (1, 1, -7, 42, 0.1, '12.3400000000', 'Lufthansa', x'00ff10', \
     '2024-02-29', '2024-02-29 12:30:15.123456', '{\"a\": [1, null]}', 1.5)",
    "INSERT INTO everything VALUES (2, 0, -32768, -9223372036854775808, -1.7976931348623157e308, \
     '-99999999999999999999.9999999999', '', x'', '0001-01-01', '9999-12-31 23:59:59.999999', \
     '\"\"', 'text')",
    "INSERT INTO everything VALUES \
     (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)",
];

const EVERYTHING_POSTGRES: &[&str] = &[
    "CREATE TABLE everything (id INTEGER PRIMARY KEY, flag BOOLEAN, small SMALLINT, big BIGINT, \
     ratio DOUBLE PRECISION, price NUMERIC(30, 10), name TEXT, data BYTEA, day DATE, \
     moment TIMESTAMP, doc JSONB, single REAL, fixed CHAR(5), short VARCHAR(20), hour TIME, \
     instant TIMESTAMPTZ, uid UUID, plain JSON)",
    "INSERT INTO everything VALUES (1, TRUE, -7, 42, 0.1, 12.34, 'Lufthansa', '\\x00ff10', \
     '2024-02-29', '2024-02-29 12:30:15.123456', '{\"a\": [1, null]}', 0.1, 'ab', 'short', \
     '23:59:59.999999', '2024-02-29 12:30:15.123456+02', \
     '123e4567-e89b-12d3-a456-426614174000', '{\"b\":  1}')",
    "INSERT INTO everything VALUES (2, FALSE, -32768, -9223372036854775808, \
     -1.7976931348623157e308, -99999999999999999999.9999999999, '', '', '0001-01-01', \
     '9999-12-31 23:59:59.999999', '\"\"', -3.4e38, '', '', '00:00:00', \
     '1970-01-01 00:00:00+00', '00000000-0000-0000-0000-000000000000', '[]')",
    "INSERT INTO everything (id) VALUES (3)",
];

const EVERYTHING_MYSQL: &[&str] = &[
    "CREATE TABLE everything (id INTEGER PRIMARY KEY, flag BOOLEAN, small SMALLINT, big BIGINT, \
     ratio DOUBLE, price DECIMAL(30, 10), name TEXT CHARACTER SET utf8mb4, data BLOB, day DATE, \
     moment DATETIME(6), doc JSON, single FLOAT, fixed CHAR(5), short VARCHAR(20), hour TIME(6), \
     instant TIMESTAMP(6) NULL, tiny TINYINT, middle MEDIUMINT, large BIGINT UNSIGNED, \
     choice ENUM('one', 'two'), choices SET('a', 'b', 'c'), bits BIT(10), vintage YEAR, \
     fixed_data BINARY(4))",
    "INSERT INTO everything VALUES (1, TRUE, -7, 42, 0.1, 12.34, 'Lufthansa', x'00ff10', \
     '2024-02-29', '2024-02-29 12:30:15.123456', '{\"a\": [1, null]}', 0.1, 'ab', 'short', \
     '23:59:59.999999', '2024-02-29 12:30:15.123456', -128, -8388608, 18446744073709551615, \
     'two', 'a,c', b'1000000001', 2024, x'01020304')",
    "INSERT INTO everything VALUES (2, FALSE, -32768, -9223372036854775808, \
     -1.7976931348623157e308, -99999999999999999999.9999999999, '', '', '1000-01-01', \
     '9999-12-31 23:59:59.999999', '\"\"', -3.4e38, '', '', '-838:59:59', \
     '1970-01-02 00:00:01', 127, 8388607, 0, 'one', '', b'0', 1901, x'00')",
    "INSERT INTO everything (id, instant) VALUES (3, NULL)",
];

pub(super) async fn everything(bench: &Bench) {
    let statements = match bench.engine {
        Engine::Sqlite => EVERYTHING_SQLITE,
        Engine::Postgres => EVERYTHING_POSTGRES,
        Engine::MariaDb | Engine::MySql => EVERYTHING_MYSQL,
    };
    bench.behind_its_back(statements).await;
}

/// The first two rows as they have to be.
pub(super) fn everything_as_json(engine: Engine) -> (String, String) {
    match engine {
        Engine::Sqlite => (
            concat!(
                r#"{"id":1,"flag":true,"small":-7,"big":42,"ratio":0.1,"price":"12.3400000000","#,
                r#""name":"Lufthansa","data":"00ff10","day":"2024-02-29","#,
                r#""moment":"2024-02-29 12:30:15.123456","doc":"{\"a\": [1, null]}","untyped":1.5}"#,
            )
            .to_owned(),
            concat!(
                r#"{"id":2,"flag":false,"small":-32768,"big":-9223372036854775808,"#,
                r#""ratio":-1.7976931348623157e+308,"price":"-99999999999999999999.9999999999","#,
                r#""name":"","data":"","day":"0001-01-01","moment":"9999-12-31 23:59:59.999999","#,
                r#""doc":"\"\"","untyped":"text"}"#,
            )
            .to_owned(),
        ),
        Engine::Postgres => (
            concat!(
                r#"{"id":1,"flag":true,"small":-7,"big":42,"ratio":0.1,"price":"12.3400000000","#,
                r#""name":"Lufthansa","data":"00ff10","day":"2024-02-29","#,
                r#""moment":"2024-02-29T12:30:15.123456","doc":{"a":[1,null]},"#,
                r#""single":0.10000000149011612,"fixed":"ab   ","short":"short","#,
                r#""hour":"23:59:59.999999","instant":"2024-02-29T10:30:15.123456Z","#,
                r#""uid":"123e4567-e89b-12d3-a456-426614174000","plain":{"b":1}}"#,
            )
            .to_owned(),
            concat!(
                r#"{"id":2,"flag":false,"small":-32768,"big":-9223372036854775808,"#,
                r#""ratio":-1.7976931348623157e+308,"price":"-99999999999999999999.9999999999","#,
                r#""name":"","data":"","day":"0001-01-01","moment":"9999-12-31T23:59:59.999999","#,
                r#""doc":"","single":-3.3999999521443642e+38,"fixed":"     ","short":"","#,
                r#""hour":"00:00:00","instant":"1970-01-01T00:00:00Z","#,
                r#""uid":"00000000-0000-0000-0000-000000000000","plain":[]}"#,
            )
            .to_owned(),
        ),
        Engine::MariaDb | Engine::MySql => {
            // MariaDB's JSON is a text with a check, and comes as what it is.
            let is_text = engine == Engine::MariaDb;
            let (object, empty) = if is_text {
                (r#""{\"a\": [1, null]}""#, r#""\"\"""#)
            } else {
                (r#"{"a":[1,null]}"#, r#""""#)
            };
            let ordinary = concat!(
                r#"{"id":1,"flag":true,"small":-7,"big":42,"ratio":0.1,"price":"12.3400000000","#,
                r#""name":"Lufthansa","data":"00ff10","day":"2024-02-29","#,
                r#""moment":"2024-02-29T12:30:15.123456","doc":#,"#,
                r#""single":0.10000000149011612,"fixed":"ab","short":"short","#,
                r#""hour":"23:59:59.999999","instant":"2024-02-29T12:30:15.123456Z","#,
                r#""tiny":-128,"middle":-8388608,"large":18446744073709551615,"#,
                r#""choice":"two","choices":"a,c","bits":513,"vintage":2024,"#,
                r#""fixed_data":"01020304"}"#,
            );
            let extreme = concat!(
                r#"{"id":2,"flag":false,"small":-32768,"big":-9223372036854775808,"#,
                r#""ratio":-1.7976931348623157e+308,"price":"-99999999999999999999.9999999999","#,
                r#""name":"","data":"","day":"1000-01-01","moment":"9999-12-31T23:59:59.999999","#,
                r#""doc":#,"single":-3.3999999521443642e+38,"fixed":"","short":"","#,
                r#""hour":"-838:59:59","instant":"1970-01-02T00:00:01Z","tiny":127,"#,
                r#""middle":8388607,"large":0,"choice":"one","choices":"","bits":0,"#,
                r#""vintage":1901,"fixed_data":"00000000"}"#,
            );
            (ordinary.replace('#', object), extreme.replace('#', empty))
        }
    }
}

/// A table of `rows` rows with `width` characters each.
pub(super) async fn wide_table(bench: &Bench, rows: usize, width: usize) {
    let create = "CREATE TABLE wide (id INTEGER PRIMARY KEY, filler TEXT)";
    let mysql = "CREATE TABLE wide (id INTEGER PRIMARY KEY, filler LONGTEXT)";
    let mut statements = vec![bench.engine.spelled(create, create, mysql).to_owned()];
    for ids in (0..rows).collect::<Vec<_>>().chunks(250) {
        let row = |id: &usize| format!("({id}, '{}')", format!("{id:08x}").repeat(width / 8));
        let rows: Vec<_> = ids.iter().map(row).collect();
        statements.push(format!("INSERT INTO wide VALUES {}", rows.join(", ")));
    }
    let statements: Vec<_> = statements.iter().map(String::as_str).collect();
    bench.behind_its_back(&statements).await;
}

/// Airlines, their flights, and a view.
pub(super) async fn airports(bench: &Bench) {
    bench
        .behind_its_back(&[
            "CREATE TABLE airline (id INTEGER PRIMARY KEY, name VARCHAR(80) NOT NULL)",
            "CREATE TABLE flight (id INTEGER PRIMARY KEY, airline INTEGER NOT NULL, \
             number VARCHAR(20), seats INTEGER NOT NULL)",
            "CREATE VIEW large_flight AS SELECT * FROM flight WHERE seats > 200",
            "INSERT INTO airline VALUES (1, 'Lufthansa'), (2, 'Air France'), (3, 'Nobody')",
            "INSERT INTO flight VALUES (1, 1, 'LH 400', 364), (2, 1, 'LH 76', 168), \
             (3, 2, 'AF 6', 516), (4, 2, 'AF 1680', 178), (5, 1, NULL, 0)",
        ])
        .await;
}
