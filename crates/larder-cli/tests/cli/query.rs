//! `larder query`: answers, formats, parameters, and where answers come from.

use crate::support::Place;

const ALL: &str = "SELECT iata, name, fleet, fleet FROM airline ORDER BY iata";

#[test]
fn a_table_is_the_default() {
    let place = Place::with_database();
    assert_eq!(
        place.query(ALL, &[]).ok(),
        " iata │ name      │            fleet │            fleet\n\
         ──────┼───────────┼──────────────────┼──────────────────\n \
         LH   │ Lufthansa │ 9007199254740993 │ 9007199254740993\n \
         XX   │           │             NULL │             NULL\n"
    );
}

#[test]
fn json_keeps_digits_names_and_the_difference_between_null_and_empty() {
    let place = Place::with_database();
    assert_eq!(
        place.query(ALL, &["--format", "json"]).ok(),
        "[{\"iata\":\"LH\",\"name\":\"Lufthansa\",\"fleet\":9007199254740993,\
         \"fleet:2\":9007199254740993},\
         {\"iata\":\"XX\",\"name\":\"\",\"fleet\":null,\"fleet:2\":null}]\n"
    );
}

#[test]
fn csv_keeps_repeated_names_and_the_difference_between_null_and_empty() {
    let place = Place::with_database();
    assert_eq!(
        place.query(ALL, &["--format=csv"]).ok(),
        "iata,name,fleet,fleet\nLH,Lufthansa,9007199254740993,9007199254740993\nXX,\"\",,\n"
    );
}

#[test]
fn an_escape_sequence_in_a_value_does_not_reach_the_terminal() {
    let place = Place::with_database();
    let table = place.query("SELECT char(27) || '[31m' || char(10) AS x", &[]).ok();
    assert!(!table.contains('\u{1b}') && table.contains("\\u{1b}[31m\\n"), "{table}");
}

#[test]
fn parameters_have_the_type_that_they_are_written_as() {
    let place = Place::with_database();
    let check = |bind: &str, expected: &str| {
        let args = ["--bind", bind, "--bind", bind, "--format", "csv"];
        let answer = place.query("SELECT typeof(?), ?", &args).ok();
        assert_eq!(answer.lines().nth(1), Some(expected), "{bind}");
    };
    check("5", "integer,5");
    check("-5", "integer,-5");
    check("007", "text,007");
    check("1.5", "real,1.5");
    check("LH", "text,LH");
    check("", "text,\"\"");
    check("int:5", "integer,5");
    check("text:5", "text,5");
    check("real:5", "real,5.0");
    check("null", "null,");
    check("bool:true", "integer,1");
    check("hex:00ff", "blob,00ff");
    check("json:[1]", "text,[1]");
    check("decimal:1.10", "text,1.10");
}

#[test]
fn another_process_finds_the_answer_until_something_is_written() {
    let place = Place::with_database();
    let cached = |sql: &str, args: &[&str]| {
        place.query(sql, &[&["--cache", "sqlite://cache.db"], args].concat())
    };
    assert_eq!(cached(ALL, &[]).sources(), ["CACHE_MISS"]);
    assert_eq!(cached(ALL, &[]).sources(), ["CACHE_HIT (far)"]);
    assert_eq!(cached(ALL, &["--refresh"]).sources(), ["CACHE_REFRESH"]);
    assert_eq!(cached(ALL, &["--invalidate"]).sources(), ["CACHE_MISS"]);
    assert_eq!(
        cached(ALL, &["--repeat", "3"]).sources(),
        ["CACHE_HIT (far)", "CACHE_HIT (near)", "CACHE_HIT (near)"]
    );
    let update = "UPDATE airline SET name = ? WHERE iata = 'LH'";
    let written = cached(update, &["--bind", "Luft Hansa"]);
    assert_eq!(written.ok(), "1 row affected\n");
    let after = cached(ALL, &[]);
    assert!(after.stdout.contains("Luft Hansa"), "{after:?}");
    assert_eq!(after.sources(), ["CACHE_MISS"]);
    // Types and tags are part of what an answer is.
    assert_eq!(cached(ALL, &["--tag", "all"]).sources(), ["CACHE_MISS"]);
}

#[test]
fn a_write_that_returns_rows_shows_them_and_invalidates() {
    let place = Place::with_database();
    let cached = |sql: &str| place.query(sql, &["--cache", "sqlite://cache.db", "--format=json"]);
    assert_eq!(cached(ALL).sources(), ["CACHE_MISS"]);
    let returned = cached("INSERT INTO airline VALUES ('AF', 'Air France', 1) RETURNING iata");
    assert_eq!(returned.ok(), "[{\"iata\":\"AF\"}]\n");
    assert_eq!(cached(ALL).sources(), ["CACHE_MISS"]);
}

#[test]
fn what_a_write_did_is_told_in_every_format() {
    let place = Place::with_database();
    let insert = |iata: &str, format| {
        let sql = format!("INSERT INTO airline (iata) VALUES ('{iata}')");
        place.query(&sql, &["--format", format]).ok()
    };
    assert_eq!(insert("A1", "table"), "1 row affected\n");
    assert_eq!(insert("A2", "csv"), "rows_affected,last_insert_id\n1,4\n");
    assert_eq!(insert("A3", "json"), "{\"rows_affected\":1,\"last_insert_id\":5}\n");
}

#[test]
fn an_answer_that_is_not_cached_says_why() {
    let place = Place::with_database();
    let ran = place.query("SELECT random()", &["--repeat", "2"]);
    assert_eq!(ran.stderr.lines().count(), 2);
    assert!(ran.stderr.lines().all(|line| line.starts_with("BYPASS in ")), "{ran:?}");
    assert!(ran.stderr.contains("random"), "{ran:?}");
}

#[test]
fn a_lifetime_ends() {
    let place = Place::with_database();
    let args = ["--cache", "sqlite://cache.db", "--ttl", "1"];
    assert_eq!(place.query(ALL, &args).sources(), ["CACHE_MISS"]);
    // Polled, because the second ends when it ends.
    let mut polls = 0;
    while place.query(ALL, &args).sources() != ["CACHE_MISS"] {
        polls += 1;
        assert!(polls < 2_000, "the answer does not expire");
    }
}

#[test]
fn the_command_line_goes_before_the_environment_and_that_before_the_file() {
    let place = Place::with_database();
    let other = "CREATE TABLE only_in_b (x)";
    place.run(&["query", other, "--database", "sqlite://b.db?mode=rwc"]).ok();
    let in_a = &["query", "SELECT count(*) FROM airline"];
    let in_b = &["query", "SELECT count(*) FROM only_in_b"];

    place.run(in_a).failed(1);
    std::fs::write(place.path(".env"), "DB_ENGINE=sqlite\nDB_NAME=a.db\n").unwrap();
    place.run(in_a).ok();
    place.run_with(&[("DATABASE_URL", "sqlite://b.db")], in_b).ok();
    // A path of an existing file is a database there too.
    place.run_with(&[("DATABASE_URL", "b.db")], in_b).ok();
    let line = [&in_a[..], &["--database", "sqlite://a.db"]].concat();
    place.run_with(&[("DATABASE_URL", "sqlite://b.db")], &line).ok();
}

#[test]
fn the_far_tier_and_the_lifetime_come_from_the_environment_too() {
    let place = Place::with_database();
    let variables = [
        ("DATABASE_URL", "a.db"),
        ("CACHE_ENGINE", "sqlite"),
        ("CACHE_PATH", "env.db"),
        ("CACHE_TTL", "60"),
    ];
    let ran = || place.run_with(&variables, &["query", ALL]).sources();
    assert_eq!((ran(), ran()), (vec!["CACHE_MISS".into()], vec!["CACHE_HIT (far)".into()]));
    assert!(place.files().contains(&"env.db".to_owned()));
    let without = ["query", ALL, "--cache", "none"];
    assert_eq!(place.run_with(&variables, &without).sources(), ["CACHE_MISS"]);
}
