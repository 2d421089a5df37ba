//! `larder schema`: what is done, what is refused, and how a pipeline hears of it.

mod at_once;
mod secrets;

use std::{fs, path::Path};

use larder::{
    migrate::{ModelRef, models_to_json},
    model::{
        ColumnKind, ColumnModel, DataType, ForeignKeyModel, Identifier, IndexModel, TableModel,
    },
};
use serde_json::Value;

use crate::support::{CANARY, Place, Ran};

/// A release of the service whose models they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Release {
    /// Two tables.
    First,
    /// A column that rows can do without.
    Founded,
    /// A name that may not be NULL any more.
    Named,
    /// A column of another type, so that its values are lost.
    Lossy,
}

const EXISTING: &str = "sqlite://a.db";
const CREATED: &str = "sqlite://a.db?mode=rwc";

/// Writes the models of a release to where the command looks for them.
fn release(place: &Place, release: Release) {
    let name = Identifier::from_static;
    let column = |text, kind: ColumnKind| ColumnModel::new(name(text), kind);
    let mut title = column("name", ColumnKind::Text);
    title.nullable = release < Release::Named;
    let mut airline = TableModel::builder(name("airline"))
        .column(column("id", ColumnKind::Int64).with_key())
        .column(ColumnModel::new(name("iata"), DataType::Char { length: 2 }).with_unique())
        .column(title);
    if release >= Release::Founded {
        airline = airline.column(column("founded", ColumnKind::Int16).with_null());
    }
    let seats = if release >= Release::Lossy { ColumnKind::Blob } else { ColumnKind::Int32 };
    let flight = TableModel::builder(name("flight"))
        .column(column("number", ColumnKind::Int32).with_key())
        .column(column("airline", ColumnKind::Int64))
        .column(column("seats", seats))
        .index(IndexModel::over([name("airline")]))
        .foreign_key(ForeignKeyModel::new(name("airline"), name("airline"), name("id")));
    let (airline, flight) = (airline.build().unwrap(), flight.build().unwrap());
    let models = [ModelRef::new("Airline", &airline), ModelRef::new("Flight", &flight)];
    fs::write(place.path("larder-schema.json"), models_to_json(&models)).unwrap();
}

/// A place with the models of a release, and with their tables.
fn migrated(to: Release) -> Place {
    let place = Place::new();
    release(&place, to);
    schema(&place, CREATED, &["apply"]).ok();
    place
}

/// Runs a subcommand on a database.
fn schema(place: &Place, url: &str, args: &[&str]) -> Ran {
    let mut all = vec!["schema"];
    all.extend(args);
    all.extend(["--database", url]);
    place.run(&all)
}

/// Asserts the exit code, with nothing on standard error; the standard output.
#[track_caller]
fn told(ran: Ran, code: i32) -> String {
    assert_eq!((ran.code, &*ran.stderr), (Some(code), ""), "{ran:?}");
    ran.stdout
}

#[track_caller]
fn json(ran: Ran, code: i32) -> Value {
    serde_json::from_str(&told(ran, code)).unwrap()
}

#[track_caller]
fn contains(text: &str, all: &[&str]) {
    for expected in all {
        assert!(text.contains(expected), "{expected:?} is not in {text}");
    }
}

fn texts(values: &Value, field: &str) -> Vec<String> {
    let text = |value: &Value| value[field].as_str().unwrap().to_owned();
    values.as_array().unwrap().iter().map(text).collect()
}

fn write(place: &Place, path: &str, text: &str) {
    let path = place.path(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// Models and files on a database that is empty: to a second release and back.
fn round(place: &Place, url: &str) {
    let run = |args: &[&str]| schema(place, url, args);
    release(place, Release::First);
    told(run(&["verify"]), 3);
    let planned = json(run(&["plan", "--json"]), 3);
    assert_eq!(planned["plan"]["steps"].as_array().unwrap().len(), 2, "{planned}");
    assert_eq!(json(run(&["status", "--json"]), 0)["database_uid"], Value::Null);

    let applied = json(run(&["apply", "--json"]), 0);
    assert_eq!(applied["planned"]["id"], planned["id"]);
    told(run(&["verify"]), 0);
    told(run(&["plan"]), 0);

    release(place, Release::Founded);
    let planned = told(run(&["plan", "--json"]), 3);
    fs::write(place.path("plan.json"), planned).unwrap();
    contains(&told(run(&["apply", "--plan", "plan.json"]), 0), &["add column", "done in 1 step"]);
    told(run(&["cache"]), 0);

    write(
        place,
        "migrations/1_gate.up.sql",
        "CREATE TABLE gate (id INTEGER NOT NULL PRIMARY KEY);",
    );
    write(place, "migrations/1_gate.down.sql", "DROP TABLE gate;");
    let status = json(run(&["status", "--json"]), 3);
    assert_eq!(texts(&status["files"], "state"), ["pending"]);
    contains(&told(run(&["up"]), 0), &["applied 1_gate.up.sql: 1 statement in "]);
    let dumped = json(run(&["dump", "--json"]), 0);
    assert_eq!(dumped["catalog"]["tables"].as_array().unwrap().len(), 3, "{dumped}");
    let status = json(run(&["status", "--json"]), 0);
    let versions = texts(&status["migrations"], "version");
    assert_eq!(versions, ["m:Airline:1", "m:Flight:1", "m:Airline:2", "1"]);
    assert_eq!(texts(&status["models"], "status"), ["ensured", "ensured"]);
    contains(&told(run(&["down"]), 0), &["taken back 1_gate.down.sql"]);
    told(run(&["status"]), 3);
}

#[test]
fn models_and_files_are_migrated() {
    round(&Place::new(), CREATED);
}

#[test]
fn a_plan_is_read_at_a_glance_and_has_colour_only_on_request() {
    let place = Place::new();
    release(&place, Release::First);
    let plain = told(schema(&place, CREATED, &["plan"]), 3);
    let lines: Vec<_> = plain.lines().collect();
    assert!(lines[0].starts_with("p:") && lines[0].ends_with(", 2 steps for SQLite"), "{plain}");
    assert_eq!(lines[2], "  1 + additive  airline  create table with 3 columns");
    assert_eq!(lines[3], "  2 + additive  flight   create table with 3 columns");
    assert_eq!(lines[5], "the policy additive admits all of them");
    assert!(!plain.contains("CREATE TABLE") && !plain.contains('\u{1b}'), "{plain}");
    contains(&told(schema(&place, CREATED, &["plan", "--sql"]), 3), &["CREATE TABLE", ");\n"]);
    assert!(schema(&place, CREATED, &["plan", "--color"]).stdout.contains('\u{1b}'));
    assert!(place.files().contains(&"a.db".to_owned()));
    assert_eq!(
        json(schema(&place, EXISTING, &["dump", "--json"]), 0)["statements"],
        Value::from([""; 0].to_vec())
    );
}

#[test]
fn what_is_there_already_needs_nothing() {
    let place = migrated(Release::First);
    let text = told(schema(&place, EXISTING, &["apply"]), 0);
    assert_eq!(text, "the tables of all 2 models are as they should be\n");
    assert_eq!(json(schema(&place, EXISTING, &["status", "--json"]), 0)["ddl_epoch"], 1);
}

#[test]
fn rows_in_the_way_are_counted_and_nothing_is_done() {
    let place = migrated(Release::Founded);
    place.query("INSERT INTO airline (id, iata) VALUES (1, 'LH'), (2, 'BA')", &[]).ok();
    release(&place, Release::Named);
    let text = told(schema(&place, EXISTING, &["plan", "--policy", "full"]), 4);
    contains(
        &text,
        &[
            "  1 ! data-dependent  airline  ",
            "\n      2 rows with NULL in \"name\"\n",
            "the policy full does not admit it",
            "rows stand in the way of step 1",
            "without these rows, --policy safe does",
        ],
    );
    for policy in ["additive", "safe", "full"] {
        let refused =
            json(schema(&place, EXISTING, &["apply", "--yes", "--json", "--policy", policy]), 4);
        assert_eq!(refused["applied"], false, "{refused}");
        assert_eq!(refused["refused"][0]["rows"], 2, "{refused}");
    }
    contains(&told(schema(&place, EXISTING, &["apply"]), 4), &["nothing was done"]);

    place.query("UPDATE airline SET name = iata", &[]).ok();
    contains(&told(schema(&place, EXISTING, &["apply"]), 4), &["--policy safe does"]);
    told(schema(&place, EXISTING, &["apply", "--policy", "safe"]), 0);
    told(schema(&place, EXISTING, &["verify"]), 0);
    let count = place.query("SELECT count(*) AS n FROM airline", &["--format", "csv"]);
    assert_eq!(count.stdout, "n\n2\n", "the rows of a table that was written anew are there");
}

#[test]
fn what_can_not_be_taken_back_needs_yes() {
    let place = migrated(Release::Named);
    release(&place, Release::Lossy);
    let full = ["apply", "--policy", "full"];
    let text = told(schema(&place, EXISTING, &full), 4);
    contains(&text, &["can not be taken back: --yes has it done", "nothing was done"]);
    let refused = json(schema(&place, EXISTING, &[&full[..], &["--json"]].concat()), 4);
    assert_eq!((&refused["needs_yes"], &refused["applied"]), (&true.into(), &false.into()));
    told(schema(&place, EXISTING, &["verify"]), 3);
    told(schema(&place, EXISTING, &[&full[..], &["--yes"]].concat()), 0);
    told(schema(&place, EXISTING, &["verify"]), 0);
}

#[test]
fn a_plan_that_was_kept_is_applied_once_and_to_no_other_schema() {
    let place = migrated(Release::First);
    release(&place, Release::Founded);
    let planned = told(schema(&place, EXISTING, &["plan", "--json"]), 3);
    fs::write(place.path("plan.json"), planned).unwrap();
    // The models are in the plan.
    fs::remove_file(place.path("larder-schema.json")).unwrap();
    let applied = json(schema(&place, EXISTING, &["apply", "--plan", "plan.json", "--json"]), 0);
    assert_eq!(applied["versions"], Value::from(vec!["m:Airline:2"]));
    let line = schema(&place, EXISTING, &["apply", "--plan", "plan.json"]).failed(1);
    contains(&line, &["no longer the one that the plan was made for", "make a new plan"]);
    let line = schema(&place, EXISTING, &["apply", "--plan", "none.json"]).failed(1);
    contains(&line, &["none.json is not there: larder schema plan --json prints one"]);
    fs::write(place.path("plan.json"), "{}").unwrap();
    schema(&place, EXISTING, &["apply", "--plan", "plan.json"]).failed(1);
}

#[test]
fn columns_of_nobody_are_told_and_stay() {
    let place = migrated(Release::Founded);
    release(&place, Release::First);
    let text = told(schema(&place, EXISTING, &["plan"]), 0);
    contains(
        &text,
        &["no model asks for these, and they stay:", "airline: has a column \"founded\""],
    );
}

#[test]
fn verify_tells_what_differs() {
    let place = migrated(Release::First);
    place.query("DROP TABLE flight", &[]).ok();
    release(&place, Release::Founded);
    let text = told(schema(&place, EXISTING, &["verify"]), 3);
    contains(
        &text,
        &["differs  Airline\n", "add column \"founded\"", "not as it should be: 2 of 2 models"],
    );
    let found = json(schema(&place, EXISTING, &["verify", "--json"]), 3);
    assert_eq!(found["is_ensured"], false);
    assert_eq!(texts(&found["models"], "table"), ["airline", "flight"]);
    assert_eq!(found["models"][0]["plan"]["steps"][0]["class"], "additive");
}

#[test]
fn a_lock_file_needs_no_database() {
    let place = Place::new();
    release(&place, Release::First);
    let verify = |args: &[&str]| {
        place.run(&[&["schema", "verify", "--lock", "larder-schema.lock"][..], args].concat())
    };
    contains(&verify(&[]).failed(1), &["larder-schema.lock is not there: --write-lock writes it"]);
    contains(&told(verify(&["--write-lock"]), 0), &["has the checksums of 2 models"]);
    assert_eq!(told(verify(&[]), 0), "2 models as in the file\n");
    assert_eq!(json(verify(&["--json"]), 0)["is_same"], true);

    release(&place, Release::Founded);
    contains(&told(verify(&[]), 3), &["differs  airline Airline was changed\n", "--write-lock"]);
    let found = json(verify(&["--json"]), 3);
    assert_eq!(found["models"].as_array().unwrap().len(), 1, "{found}");
    assert_eq!(found["models"][0]["difference"], "changed");
    assert_ne!(found["models"][0]["from"], found["models"][0]["to"]);
    assert_eq!(place.files(), ["larder-schema.json", "larder-schema.lock"]);
}

#[test]
fn tables_that_somebody_else_made_are_adopted_if_they_fit() {
    let place = migrated(Release::First);
    for table in ["lock", "meta", "migrations", "model_registry"] {
        let table = if table == "lock" { "migration_lock" } else { table };
        place.query(&format!("DROP TABLE IF EXISTS dataflow_{table}"), &[]).ok();
    }
    release(&place, Release::Founded);
    let text = told(schema(&place, EXISTING, &["adopt"]), 4);
    contains(&text, &["differs  Airline\n", "add column \"founded\"", "nothing was recorded"]);
    assert_eq!(
        json(schema(&place, EXISTING, &["status", "--json"]), 0)["database_uid"],
        Value::Null
    );

    release(&place, Release::First);
    let adopted = json(schema(&place, EXISTING, &["adopt", "--json"]), 0);
    assert_eq!(adopted["adopted"], Value::from(vec!["Airline", "Flight"]));
    let status = json(schema(&place, EXISTING, &["status", "--json"]), 0);
    assert_eq!(texts(&status["migrations"], "status"), ["baseline", "baseline"]);
}

#[test]
fn the_history_of_another_tool_is_taken_over() {
    let place = Place::with_database();
    for (path, table) in [("1_a.up.sql", "a"), ("2_b.up.sql", "b"), ("3_c.up.sql", "c")] {
        write(&place, &format!("migrations/{path}"), &format!("CREATE TABLE {table} (x INTEGER);"));
    }
    let adopt = ["adopt", "--from", "golang-migrate"];
    contains(&schema(&place, EXISTING, &adopt).failed(1), &["there is no table of golang-migrate"]);
    for sql in [
        "CREATE TABLE a (x INTEGER)",
        "CREATE TABLE b (x INTEGER)",
        "CREATE TABLE schema_migrations (version uint64, dirty bool)",
        "INSERT INTO schema_migrations VALUES (2, 0)",
    ] {
        place.query(sql, &[]).ok();
    }
    let dry = told(schema(&place, EXISTING, &[&adopt[..], &["--dry-run"]].concat()), 0);
    contains(&dry, &["1  would be adopted", "3  not applied yet", "nothing was recorded"]);
    let adopted = json(schema(&place, EXISTING, &[&adopt[..], &["--json"]].concat()), 0);
    assert_eq!(adopted["adopted"], Value::from(vec!["1", "2"]));
    assert_eq!(adopted["is_recorded"], true);
    contains(&told(schema(&place, EXISTING, &["up"]), 0), &["applied 3_c.up.sql"]);
    let again = told(schema(&place, EXISTING, &adopt), 0);
    contains(&again, &["1  in the registry already", "3  in the registry already"]);
}

#[test]
fn a_file_that_fails_leaves_those_before_it_and_is_told() {
    let place = Place::with_database();
    write(&place, "migrations/1_gate.sql", "CREATE TABLE gate (id INTEGER);");
    write(&place, "migrations/2_bad.sql", "DELETE FROM gate;\nDELETE FROM nowhere;");
    let ran = schema(&place, EXISTING, &["up"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    contains(&ran.stdout, &["applied 1_gate.sql"]);
    contains(&ran.stderr, &["error: 2_bad.sql, line 2", "statement 2 of 2 failed"]);
    assert_eq!(ran.stderr.matches("no such table").count(), 1, "{ran:?}");
    let text = told(schema(&place, EXISTING, &["status"]), 3);
    contains(&text, &["2        failed", "2: 2_bad.sql, line 2", "2     bad   pending"]);
    assert_eq!(text.matches("no such table").count(), 1, "{text}");
    let ran = schema(&place, EXISTING, &["up", "--json"]);
    let document: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((ran.code, &document["files"]), (Some(1), &Value::Array(Vec::new())), "{ran:?}");
    let error = document["error"].as_str().unwrap();
    assert_eq!(ran.stderr, format!("error: {error}\n"));
    contains(error, &["2_bad.sql, line 2", "statement 2 of 2 failed", "no such table"]);

    write(&place, "migrations/2_bad.sql", "DELETE FROM gate;");
    told(schema(&place, EXISTING, &["up"]), 0);
    assert_eq!(told(schema(&place, EXISTING, &["up"]), 0), "there is nothing to do\n");
    assert_eq!(json(schema(&place, EXISTING, &["up", "--json"]), 0)["error"], Value::Null);
    told(schema(&place, EXISTING, &["status"]), 0);
    let line = schema(&place, EXISTING, &["down"]).failed_after(1);
    contains(&line, &["version 2 can not be taken back: there is no file that does it"]);
}

#[test]
fn an_edited_file_stops_everything_until_somebody_says_that_it_is_meant() {
    let place = Place::with_database();
    write(&place, "migrations/1_gate.sql", "CREATE TABLE gate (id INTEGER);");
    told(schema(&place, EXISTING, &["up"]), 0);
    write(&place, "migrations/1_gate.sql", "CREATE TABLE gate (id INTEGER); -- the gate");
    write(&place, "migrations/2_more.sql", "DELETE FROM gate;");
    contains(&told(schema(&place, EXISTING, &["status"]), 3), &["divergent", "was edited"]);
    contains(
        &schema(&place, EXISTING, &["up"]).failed_after(1),
        &["edited after being applied: 1"],
    );
    let repaired = told(schema(&place, EXISTING, &["repair", "1", "--as", "accept-edit"]), 0);
    assert_eq!(repaired, "1 counts as applied with the text that it has now\n");
    contains(&told(schema(&place, EXISTING, &["up", "--to", "2"]), 0), &["applied 2_more.sql"]);
}

#[test]
fn a_repair_that_makes_no_sense_is_told() {
    let place = migrated(Release::First);
    for (args, code, expected) in [
        (&["m:Airline:1"][..], 1, "is applied and needs no repair"),
        (&["m:Nobody:1"], 1, "there is no migration \"m:Nobody:1\" of ours"),
        (&["m:Airline:1", "--as", "skip-statement"], 2, "are for files"),
        (&["7"], 1, "there is no version 7"),
        (&["x"], 2, "a version is a number"),
        (&["7", "--unlock"], 2, "--unlock"),
        (&[], 2, "required"),
    ] {
        let line = schema(&place, EXISTING, &[&["repair"], args].concat()).failed(code);
        contains(&line, &[expected]);
    }
    let text = told(schema(&place, EXISTING, &["repair", "--unlock"]), 0);
    assert_eq!(text, "there is no lock of a process that is gone\n");
    assert_eq!(
        json(schema(&place, EXISTING, &["repair", "--unlock", "--json"]), 0)["unlocked"],
        Value::Null
    );
}

#[test]
fn a_dump_makes_the_same_schema_on_an_empty_database() {
    let place = migrated(Release::Named);
    for sql in [
        "CREATE TABLE \"odd \"\"name\" (a TEXT DEFAULT 'it''s; so', b INTEGER CHECK (b > 0)) STRICT",
        "CREATE UNIQUE INDEX part ON airline (lower(name)) WHERE founded IS NOT NULL",
    ] {
        place.query(sql, &[]).ok();
    }
    let statements = told(schema(&place, EXISTING, &["dump"]), 0);
    assert!(!statements.contains("dataflow_"), "the registry is left out: {statements}");
    write(&place, "dumped/1_all.sql", &statements);
    told(schema(&place, "sqlite://b.db?mode=rwc", &["up", "--dir", "dumped"]), 0);
    let [first, second] =
        [EXISTING, "sqlite://b.db"].map(|url| json(schema(&place, url, &["dump", "--json"]), 0));
    assert_eq!(first["fingerprint"], second["fingerprint"], "{first} {second}");
    assert_eq!(first["catalog"], second["catalog"]);
    assert_eq!(first["catalog"]["tables"].as_array().unwrap().len(), 3);
}

#[test]
fn lint_finds_what_loses_rows() {
    let place = Place::new();
    write(&place, "migrations/1_gate.sql", "CREATE TABLE gate (id INTEGER);");
    let lint =
        |args: &[&str]| place.run(&[&["schema", "lint", "--dialect", "postgres"], args].concat());
    contains(&told(lint(&[]), 0), &["nothing to object to"]);
    write(&place, "migrations/2_clear.sql", "DELETE FROM gate;");
    contains(
        &told(lint(&[]), 3),
        &["2_clear.sql:1:1: warning: ", "[LR013 ", "1 finding in 2 versions"],
    );
    told(lint(&["--errors-only"]), 0);
    write(&place, "migrations/3_drop.sql", "DROP TABLE gate;");
    let found = json(lint(&["--errors-only", "--json"]), 3);
    assert_eq!(texts(&found["findings"], "code"), ["LR013", "LR004"]);
    write(&place, "migrations/3_drop.sql", "-- larder: allow=LR004\nDROP TABLE gate;");
    told(lint(&["--errors-only"]), 0);
    contains(&place.run(&["schema", "lint"]).failed(2), &["--dialect"]);
}

#[test]
fn new_files_are_created_and_nothing_is_overwritten() {
    let place = Place::new();
    let printed = place.run(&["schema", "new", "Add seats"]).ok();
    let paths: Vec<_> = printed.lines().collect();
    assert_eq!(paths.len(), 2, "{printed}");
    assert!(paths[0].ends_with("_add_seats.up.sql") && paths[1].ends_with("_add_seats.down.sql"));
    assert!(paths.iter().all(|path| place.path(path).is_file()));
    let second = place.run(&["schema", "new", "Add seats", "--irreversible"]).ok();
    assert_eq!(second.lines().count(), 1);
    assert_ne!(second.lines().next().unwrap()[..25], paths[0][..25], "the version is another one");
    contains(&place.run(&["schema", "new", "?"]).failed(1), &["neither a letter nor a digit"]);
}

#[test]
fn many_databases_are_migrated_canaries_first() {
    let place = Place::new();
    release(&place, Release::First);
    let databases =
        ["one", "two", "three"].map(|name| format!("{name}  sqlite://{name}.db?mode=rwc\n"));
    write(&place, "databases", &format!("# all of them\n\n{}", databases.concat()));
    let fanout = |args: &[&str]| place.run(&[&["schema", "fanout", "databases"], args].concat());
    let done = json(fanout(&["--json"]), 0);
    assert_eq!((&done["migrated"], &done["groups"][0]["tenants"]), (&3.into(), &3.into()));
    assert_eq!(told(fanout(&[]), 0), "0 migrated, 3 unchanged\n");

    release(&place, Release::Named);
    let refused = told(fanout(&[]), 4);
    contains(&refused, &["refused  one\n", "1 refused; stopped: a canary did not succeed"]);
    assert!(!refused.contains("(0 rows"), "{refused}");
    contains(&fanout(&["--policy", "full"]).failed(2), &["--yes"]);
    let named = ["--policy", "safe", "--run", "release-3"];
    contains(&told(fanout(&named), 0), &["3 migrated, 0 unchanged"]);
    contains(&told(fanout(&named), 0), &["3 done before"]);

    fs::write(place.path("text.db"), "no database at all, only text\n".repeat(200)).unwrap();
    fs::write(place.path("databases"), "bad text.db\ntwo two.db\n").unwrap();
    contains(&told(fanout(&["--canaries", "0"]), 1), &["failed   bad\n", "1 unchanged, 1 failed"]);
}

#[test]
fn a_line_that_names_no_database_is_told_by_its_number() {
    let place = Place::with_database();
    release(&place, Release::First);
    for (text, expected) in [
        ("a a.db\nb", "databases, line 2: it has no database behind the name"),
        ("a missing.db", "line 1: the database is neither"),
        ("a a.db\na a.db", "line 2: its name stands in another line too"),
        ("\nsqlite://a.db a", "line 2: it does not begin with a name"),
    ] {
        write(&place, "databases", text);
        contains(&place.run(&["schema", "fanout", "databases"]).failed(1), &[expected]);
    }
}

#[test]
fn the_cache_tells_what_a_service_would_know() {
    let place = migrated(Release::First);
    let found = json(schema(&place, EXISTING, &["cache", "--json"]), 0);
    assert_eq!(texts(&found["tables"], "model"), ["Airline", "Flight"]);
    let metrics = &found["metrics"];
    // The first use looks at both tables; the three others ask nobody.
    assert_eq!(
        (&metrics["hits"], &metrics["misses"], &metrics["checks"]),
        (&3.into(), &1.into(), &1.into())
    );
    assert_eq!((&metrics["cached_tables"], &metrics["migrations"]), (&2.into(), &0.into()));

    release(&place, Release::Founded);
    let text = told(schema(&place, EXISTING, &["cache"]), 3);
    contains(
        &text,
        &["differs  Airline\n", "add column", "ensured  Flight, flight", "1 table cached"],
    );
    let found = json(schema(&place, EXISTING, &["cache", "--json"]), 3);
    let ensured: Vec<_> =
        found["tables"].as_array().unwrap().iter().map(|table| &table["is_ensured"]).collect();
    assert_eq!(ensured, [&Value::from(false), &Value::from(true)]);
    fs::write(place.path("larder-schema.json"), models_to_json(&[])).unwrap();
    assert_eq!(told(schema(&place, EXISTING, &["cache"]), 0), "there are no models\n");
    release(&place, Release::Founded);
    fs::write(place.path("text.db"), "no database at all, only text\n".repeat(200)).unwrap();
    schema(&place, "text.db", &["cache"]).failed(1);
}

#[test]
fn names_of_a_database_reach_no_terminal_as_control_characters() {
    let place = migrated(Release::First);
    place.query("ALTER TABLE airline ADD COLUMN \"\u{1b}[31m\" TEXT", &[]).ok();
    let text = told(schema(&place, EXISTING, &["plan"]), 0);
    assert!(text.contains("\\u{1b}[31m") && !text.contains('\u{1b}'), "{text}");
}

#[test]
fn a_command_line_that_makes_no_sense_is_exit_code_2() {
    let place = Place::with_database();
    for args in [
        &["nonsense"][..],
        &["plan", "extra"],
        &["plan", "--policy", "verify"],
        &["apply", "--plan", "p.json", "--models", "m.json"],
        &["verify", "--write-lock"],
        &["verify", "--lock", "l", "--database", "a.db"],
        &["adopt", "--from", "sqlx", "--models", "m.json"],
        &["adopt", "--dry-run"],
        &["down", "1", "--to", "1"],
        &["down", "--to", "x"],
        &["new"],
        &["fanout"],
        &["fanout", "f", "--parallel", "0"],
        &["fanout", "f", "--state", "s"],
        &["status", "--color", "--no-color"],
        &["status", "--lock-timeout", "0"],
    ] {
        write(&place, "migrations/1_a.sql", "");
        place.run(&[&["schema"], args].concat()).failed(2);
    }
    let without = place.run(&["schema"]);
    assert_eq!((without.code, &*without.stdout), (Some(2), ""));
    contains(&without.stderr, &["Usage: larder schema <COMMAND>"]);
    contains(&place.run(&["schema", "--help"]).ok(), &["The exit code is 0", "fanout"]);
    for args in [["schema", "plan"], ["schema", "status"], ["schema", "dump"]] {
        release(&place, Release::First);
        contains(&place.run(&args).failed(1), &["no database is configured: set DATABASE_URL"]);
    }
    fs::remove_file(place.path("larder-schema.json")).unwrap();
    contains(&schema(&place, EXISTING, &["plan"]).failed(1), &["larder-schema.json is not there"]);
    contains(&schema(&place, EXISTING, &["up", "--dir", "no"]).failed(1), &["no is not there"]);
}

/// Models and files on a server, in a database of its own.
#[cfg(all(feature = "memcached", feature = "mysql", feature = "postgres", feature = "redis"))]
macro_rules! database {
    ($module:ident, $setup:literal) => {
        mod $module {
            #[test]
            #[ignore = "needs a live service"]
            fn models_and_files_are_migrated() {
                let own = crate::servers::Own::new($setup);
                super::round(own.place(), &own.url());
            }
        }
    };
}

#[cfg(all(feature = "memcached", feature = "mysql", feature = "postgres", feature = "redis"))]
database!(postgres, "POSTGRES");
#[cfg(all(feature = "memcached", feature = "mysql", feature = "postgres", feature = "redis"))]
database!(mysql, "MYSQL");
#[cfg(all(feature = "memcached", feature = "mysql", feature = "postgres", feature = "redis"))]
database!(mariadb, "MARIADB");
