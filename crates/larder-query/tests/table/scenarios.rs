//! What is true of models as rows, on whatever database.

use std::sync::atomic::Ordering;

use larder_cache::Source;
use larder_model::Model;
use larder_query::{DatabaseErrorKind, Filter, Params, QueryError, col};
use serde::{Deserialize, Serialize};

use crate::fixture::Fixture;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Model)]
struct Airline {
    #[model(key, auto_increment)]
    id: i64,
    #[model(length = 3)]
    iata: String,
    name: Option<String>,
    #[model(default = "TRUE")]
    active: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Model)]
struct Seat {
    #[model(key)]
    flight: i32,
    #[model(key, length = 4)]
    place: String,
    taken: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Model)]
struct Everything {
    #[model(key)]
    id: i32,
    small: i16,
    long: i64,
    float: f32,
    double: f64,
    text: String,
    bytes: Vec<u8>,
    flag: bool,
    day: chrono::NaiveDate,
    hour: chrono::NaiveTime,
    local: chrono::NaiveDateTime,
    moment: chrono::DateTime<chrono::Utc>,
    #[model(precision = 28, scale = 10)]
    fare: rust_decimal::Decimal,
    document: serde_json::Value,
    uuid: uuid::Uuid,
    nothing: Option<String>,
    no_day: Option<chrono::NaiveDate>,
    no_document: Option<serde_json::Value>,
    no_uuid: Option<uuid::Uuid>,
    no_number: Option<i32>,
}

fn airline(id: i64, iata: &str, name: Option<&str>) -> Airline {
    Airline { id, iata: iata.into(), name: name.map(Into::into), active: true }
}

async fn names(fixture: &Fixture, filter: Filter) -> Vec<String> {
    let list = fixture.queries.table::<Airline>().list().filter(filter);
    let rows = list.order_by(col("id").ascending()).fetch().await.unwrap();
    rows.iter().map(|row| row.iata.clone()).collect()
}

async fn three(fixture: &Fixture) {
    let rows =
        [airline(0, "LH", Some("Lufthansa")), airline(0, "AF", None), airline(0, "BA", Some(""))];
    let written = fixture.queries.table::<Airline>().bulk_create(&rows).await.unwrap();
    assert_eq!(written.rows_affected, 3);
}

pub(crate) async fn a_row_is_created_read_updated_and_deleted(fixture: &Fixture) {
    let table = fixture.queries.table::<Airline>();
    let mut row = table.create(&airline(7, "LH", None)).await.unwrap().applied().unwrap();
    assert_eq!(row, airline(7, "LH", None));
    assert_eq!(table.read(7_i64).await.unwrap().found().as_deref(), Some(&row));
    row.name = Some("Lufthansa".into());
    assert_eq!(table.update(&row).await.unwrap().rows_affected, 1);
    assert_eq!(table.read(7_i64).await.unwrap().found().as_deref(), Some(&row));
    assert_eq!(table.update(&airline(8, "XX", None)).await.unwrap().rows_affected, 0);
    assert_eq!(table.delete(7_i64).await.unwrap().rows_affected, 1);
    assert_eq!(table.delete(7_i64).await.unwrap().rows_affected, 0);
    assert!(table.read(7_i64).await.unwrap().found().is_none());
}

pub(crate) async fn what_the_database_gives_comes_back(fixture: &Fixture) {
    let table = fixture.queries.table::<Airline>();
    let one = table.create(&airline(0, "LH", None)).await.unwrap().row;
    let other = table.create(&airline(0, "AF", None)).await.unwrap().row;
    assert!(one.id > 0 && other.id > one.id, "{one:?}, {other:?}");
    assert_eq!(table.read(other.id).await.unwrap().found().as_deref(), Some(&other));
}

pub(crate) async fn every_kind_of_value_survives(fixture: &Fixture) {
    let row = Everything {
        id: 1,
        small: i16::MIN,
        long: i64::MAX,
        float: 1.5,
        double: 0.1,
        text: "it's 100 % \\ \"ü\" 🛫".into(),
        bytes: vec![0, 255, 39, 92],
        flag: true,
        day: "2026-11-20".parse().unwrap(),
        hour: "23:59:59.123456".parse().unwrap(),
        local: "1999-12-31T23:59:59.000001".parse().unwrap(),
        moment: "2026-11-20T12:00:00.5Z".parse().unwrap(),
        fare: "123456789012345678.0123456700".parse().unwrap(),
        document: serde_json::json!({"a": [1, "x", null]}),
        uuid: uuid::Uuid::from_u128(0x1234_5678_9abc_def0),
        nothing: None,
        no_day: None,
        no_document: None,
        no_uuid: None,
        no_number: None,
    };
    let table = fixture.queries.table::<Everything>();
    assert_eq!(table.create(&row).await.unwrap().row, row);
    assert_eq!(table.read(1).await.unwrap().found().as_deref(), Some(&row));
    assert_eq!(table.update(&row).await.unwrap().rows_affected, 1);
    let listed = table.list().filter(col("moment").eq(row.moment)).fetch().await.unwrap();
    assert_eq!(listed.as_slice(), [row]);
}

pub(crate) async fn lists_are_filtered_ordered_and_cut(fixture: &Fixture) {
    three(fixture).await;
    assert_eq!(names(fixture, Filter::all()).await, ["LH", "AF", "BA"]);
    assert_eq!(names(fixture, col("iata").eq("AF")).await, ["AF"]);
    assert_eq!(names(fixture, col("iata").ne("AF")).await, ["LH", "BA"]);
    assert_eq!(names(fixture, col("name").is_null()).await, ["AF"]);
    assert_eq!(names(fixture, col("name").is_null().not()).await, ["LH", "BA"]);
    assert_eq!(names(fixture, col("name").eq("")).await, ["BA"]);
    assert_eq!(names(fixture, col("name").like("Luft%")).await, ["LH"]);
    assert_eq!(names(fixture, col("iata").is_in(["BA", "AF"])).await, ["AF", "BA"]);
    assert!(names(fixture, col("iata").is_in(Vec::<String>::new())).await.is_empty());
    let either = col("iata").lt("B").or(col("iata").ge("LH").and(col("active").eq(true)));
    assert_eq!(names(fixture, either).await, ["LH", "AF"]);
    assert!(names(fixture, Filter::all().not()).await.is_empty());

    let list = || fixture.queries.table::<Airline>().list().order_by(col("iata").descending());
    let iata = |rows: &[Airline]| rows.iter().map(|row| row.iata.clone()).collect::<Vec<_>>();
    assert_eq!(iata(&list().fetch().await.unwrap()), ["LH", "BA", "AF"]);
    assert_eq!(iata(&list().limit(1).fetch().await.unwrap()), ["LH"]);
    assert_eq!(iata(&list().limit(5).offset(1).fetch().await.unwrap()), ["BA", "AF"]);
    assert_eq!(iata(&list().offset(2).fetch().await.unwrap()), ["AF"]);
    assert!(list().limit(0).fetch().await.unwrap().is_empty());
    assert_eq!(*list().filter(col("name").is_null()).limit(0).count().await.unwrap(), 1);
}

pub(crate) async fn many_rows_are_written_or_none(fixture: &Fixture) {
    let table = fixture.queries.table::<Seat>();
    let seat = |n: i32| Seat { flight: n, place: format!("{}A", n % 100), taken: false };
    let rows: Vec<_> = (0..1_203).map(seat).collect();
    assert_eq!(table.bulk_create(&rows).await.unwrap().rows_affected, 1_203);
    assert_eq!(*table.list().count().await.unwrap(), 1_203);
    // The last one is there already, so that none of them comes.
    let error = table.bulk_create(&(1_203..2_500).chain([5]).map(seat).collect::<Vec<_>>()).await;
    let kind = error.unwrap_err().database_kind();
    assert_eq!(kind, Some(DatabaseErrorKind::UniqueViolation));
    assert_eq!(*table.list().count().await.unwrap(), 1_203);

    let taken: Vec<_> = rows[..10].iter().cloned().map(|row| Seat { taken: true, ..row }).collect();
    assert_eq!(table.bulk_update(&taken).await.unwrap().rows_affected, 10);
    assert_eq!(*table.list().filter(col("taken").eq(true)).count().await.unwrap(), 10);
    let keys: Vec<_> = taken.iter().map(|row| (row.flight, row.place.clone())).collect();
    assert_eq!(table.bulk_delete(&keys).await.unwrap().rows_affected, 10);
    assert_eq!(*table.list().count().await.unwrap(), 1_193);
    assert_eq!(table.bulk_create(&[]).await.unwrap().rows_affected, 0);
    let gone = table.delete_where(col("flight").ge(100)).await.unwrap();
    assert_eq!(gone.rows_affected, 1_103);
}

pub(crate) async fn an_upsert_inserts_or_replaces(fixture: &Fixture) {
    let table = fixture.queries.table::<Seat>();
    let seat = |taken| Seat { flight: 1, place: "1A".into(), taken };
    table.upsert(&seat(false)).await.unwrap();
    table.upsert(&seat(true)).await.unwrap();
    let other = Seat { flight: 2, ..seat(false) };
    table.bulk_upsert(&[seat(false), other]).await.unwrap();
    let rows = table.list().order_by(col("flight").ascending()).fetch().await.unwrap();
    assert_eq!(
        rows.iter().map(|row| (row.flight, row.taken)).collect::<Vec<_>>(),
        [(1, false), (2, false)]
    );
}

pub(crate) async fn a_key_of_two_columns_finds_its_row(fixture: &Fixture) {
    let table = fixture.queries.table::<Seat>();
    let row = Seat { flight: 1, place: "1A".into(), taken: false };
    table.create(&row).await.unwrap();
    assert_eq!(table.read((1, "1A")).await.unwrap().found().as_deref(), Some(&row));
    assert!(table.read((1, "1B")).await.unwrap().found().is_none());
    let error = table.read(1).await.unwrap_err();
    assert!(matches!(error, QueryError::KeyLength { expected: 2, given: 1, .. }), "{error}");
}

pub(crate) async fn reads_are_cached_and_every_write_invalidates(fixture: &Fixture) {
    three(fixture).await;
    let table = fixture.queries.table::<Airline>();
    let source = async || {
        let list = table.list().filter(col("iata").eq("LH"));
        list.fetch().await.unwrap().source()
    };
    let until_hit = async || {
        // Somebody else's DDL on the same server may keep an answer from being stored.
        for _ in 0..100 {
            if source().await.is_hit() {
                return;
            }
        }
        panic!("never a hit");
    };
    until_hit().await;
    let row = table.list().filter(col("iata").eq("LH")).fetch().await.unwrap()[0].clone();
    for write in 0..8 {
        match write {
            0 => drop(table.create(&airline(0, "KL", None)).await.unwrap()),
            1 => drop(table.update(&row).await.unwrap()),
            2 => drop(table.upsert(&row).await.unwrap()),
            3 => drop(table.delete(99_i64).await.unwrap()),
            4 => drop(table.bulk_create(&[airline(0, "SN", None)]).await.unwrap()),
            5 => drop(table.bulk_update(std::slice::from_ref(&row)).await.unwrap()),
            6 => drop(table.bulk_upsert(std::slice::from_ref(&row)).await.unwrap()),
            _ => drop(table.bulk_delete(&[99_i64]).await.unwrap()),
        }
        assert_eq!(source().await, Source::Miss, "write {write}");
        until_hit().await;
    }
}

pub(crate) async fn nothing_of_a_value_becomes_sql(fixture: &Fixture) {
    three(fixture).await;
    let table = fixture.queries.table::<Airline>();
    let payload = "x'; DROP TABLE airline; --\\' OR 1=1 \" ` $1 ?";
    let row = table.create(&airline(0, "XX", Some(payload))).await.unwrap().row;
    assert_eq!(row.name.as_deref(), Some(payload));
    assert_eq!(names(fixture, col("name").eq(payload)).await, ["XX"]);
    assert_eq!(*table.list().count().await.unwrap(), 4);
    for name in ["name\" OR 1=1 --", "", "nobody", "name; DROP TABLE airline"] {
        let error = table.list().filter(col(name).eq(1)).fetch().await.unwrap_err();
        assert!(matches!(error, QueryError::UnknownColumn { .. }), "{error}");
        let error = table.list().order_by(col(name).ascending()).fetch().await.unwrap_err();
        assert!(matches!(error, QueryError::UnknownColumn { .. }), "{error}");
    }
}

pub(crate) async fn a_table_is_ensured_before_its_first_use(fixture: &Fixture) {
    let created = || fixture.guard.created.load(Ordering::SeqCst);
    assert_eq!(created(), 0);
    let rows = fixture.queries.query_as::<Airline>("SELECT * FROM airline").fetch_all().await;
    assert!(rows.unwrap().is_empty());
    assert_eq!(created(), 1);
    fixture.queries.table::<Airline>().create(&airline(0, "LH", None)).await.unwrap();
    let rows = fixture.queries.query_as::<Airline>("SELECT * FROM airline").fetch_all().await;
    assert_eq!(rows.unwrap().len(), 1);
    assert_eq!(created(), 1, "only the first use creates");
    fixture.queries.table::<Seat>().bulk_create(&[]).await.unwrap();
    assert_eq!(created(), 2);
}

pub(crate) async fn a_missing_table_is_noticed(fixture: &Fixture) {
    three(fixture).await;
    let database = fixture.queries.database();
    database.execute("DROP TABLE airline", &Params::new()).await.unwrap();
    let error = fixture.queries.table::<Airline>().create(&airline(0, "LH", None)).await;
    let kind = error.unwrap_err().database_kind();
    assert_eq!(kind, Some(DatabaseErrorKind::MissingTable));
    let missing = fixture.guard.missing.lock().unwrap().clone();
    assert!(missing.iter().any(|table| table.ends_with("airline")), "{missing:?}");
    // The next use makes it again.
    fixture.queries.table::<Airline>().create(&airline(0, "LH", None)).await.unwrap();
    assert_eq!(names(fixture, Filter::all()).await, ["LH"]);
}

pub(crate) async fn a_changed_table_has_answers_of_its_own(fixture: &Fixture) {
    three(fixture).await;
    let sql = "SELECT * FROM airline";
    let source = async |queries: &larder_query::Queries| {
        queries.query_as::<Airline>(sql).fetch_all().await.unwrap().source()
    };
    let hit = async |queries: &larder_query::Queries| {
        for _ in 0..100 {
            if source(queries).await.is_hit() {
                return;
            }
        }
        panic!("never a hit");
    };
    hit(&fixture.queries).await;
    assert!(source(&fixture.other_process(&fixture.queries)).await.is_hit());
    // A process that knows the table in another shape neither reads nor replaces the answer.
    let before = fixture.guard.epoch.swap(2, Ordering::SeqCst);
    assert_eq!(source(&fixture.other_process(&fixture.queries)).await, Source::Miss);
    fixture.guard.epoch.store(before, Ordering::SeqCst);
    assert!(source(&fixture.other_process(&fixture.queries)).await.is_hit());

    // The same for a program of another version, whose rows have another shape.
    #[derive(Deserialize)]
    struct Newer {
        #[expect(dead_code, reason = "what counts is that it is asked for")]
        iata: String,
    }
    let newer = fixture.other_process(&fixture.queries);
    let answer = newer.query_as::<Newer>(sql).fetch_all().await.unwrap();
    assert_eq!(answer.source(), Source::Miss);
}
