//! What a model's table refuses, alike on every database, instead of finding, changing or deleting
//! rows that nobody meant.

use larder_model::Model;
use larder_query::{Filter, QueryError, Table, Written, col};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::fixture::Fixture;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Model)]
struct Account {
    #[model(key)]
    id: i64,
    #[model(length = 60, unique)]
    email: String,
    #[model(precision = 20, scale = 2)]
    balance: Decimal,
    since: Option<chrono::NaiveDateTime>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Model)]
struct Ticket {
    #[model(key, auto_increment)]
    id: i64,
    #[model(length = 20, unique)]
    number: String,
    price: i32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Model)]
struct Alias {
    #[model(key, length = 20)]
    name: String,
    #[model(length = 20, unique)]
    target: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Model)]
struct Number {
    #[model(key, auto_increment)]
    id: i64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Model)]
struct Keyless {
    line: String,
}

fn account(id: i64, email: &str, balance: &str) -> Account {
    Account { id, email: email.into(), balance: balance.parse().unwrap(), since: None }
}

async fn accounts(fixture: &Fixture) -> Table<'_, Account> {
    let table = fixture.queries.table::<Account>();
    let rows = [account(1, "a@x", "9"), account(2, "b@x", "10.50"), account(3, "0", "-2")];
    table.bulk_create(&rows).await.unwrap();
    table
}

fn is_refused<T: std::fmt::Debug>(answer: Result<T, QueryError>, wanted: &str) {
    match answer.unwrap_err() {
        QueryError::ColumnValue { table, column, .. } => {
            assert_eq!((&*table, &*column), ("account", wanted));
        }
        other => panic!("{other}"),
    }
}

pub(crate) async fn a_value_of_another_type_finds_nothing(fixture: &Fixture) {
    let table = accounts(fixture).await;
    is_refused(table.read("1abc").await, "id");
    is_refused(table.read(true).await, "id");
    is_refused(table.read(1.0).await, "id");
    is_refused(table.delete("1; x").await, "id");
    is_refused(table.bulk_delete(&["1", "2"]).await, "id");
    for filter in [
        col("email").eq(0_i64),
        col("email").is_in([0_i64, 1]),
        col("email").ne(false).not(),
        col("id").eq(1).and(col("email").gt(0.5)),
    ] {
        is_refused(table.delete_where(filter).await, "email");
    }
    is_refused(table.list().filter(col("email").eq(0_i64)).fetch().await, "email");
    is_refused(table.list().filter(col("email").eq(0_i64)).count().await, "email");
    is_refused(table.list().filter(col("balance").eq("10.50x")).fetch().await, "balance");
    is_refused(table.list().filter(col("balance").like("1%")).fetch().await, "balance");
    is_refused(table.list().filter(col("since").lt("yesterday")).fetch().await, "since");
    assert_eq!(*table.list().count().await.unwrap(), 3);
}

pub(crate) async fn a_value_that_fits_is_compared(fixture: &Fixture) {
    let table = accounts(fixture).await;
    for filter in [
        col("id").eq(2_u8),
        col("id").is_in([Some(2_i16), None]),
        col("balance").eq(10.5),
        col("balance").eq("10.50"),
        col("email").eq("b@x"),
    ] {
        let said = format!("{filter:?}");
        assert_eq!(*table.list().filter(filter).count().await.unwrap(), 1, "{said}");
    }
    let none = table.list().filter(col("since").eq("2026-11-20T00:00:00"));
    assert!(none.fetch().await.unwrap().is_empty());
    assert!(table.read(None::<i64>).await.unwrap().found().is_none());
    assert!(table.read(2_u16).await.unwrap().found().is_some());
}

pub(crate) async fn decimals_are_compared_as_numbers(fixture: &Fixture) {
    let table = accounts(fixture).await;
    let ids = async |filter: Filter| {
        let list = table.list().filter(filter).order_by(col("balance").ascending());
        list.fetch().await.unwrap().iter().map(|row| row.id).collect::<Vec<_>>()
    };
    assert_eq!(ids(Filter::all()).await, [3, 1, 2]);
    assert_eq!(ids(col("balance").gt(9)).await, [2]);
    assert_eq!(ids(col("balance").lt(Decimal::from(10))).await, [3, 1]);
    assert_eq!(ids(col("balance").eq("10.5")).await, [2]);
    assert_eq!(ids(col("balance").is_in(["9.00", "-2.0"])).await, [3, 1]);
    let between = col("balance").ge("-2").and(col("balance").le("9.0"));
    assert_eq!(ids(between).await, [3, 1]);
}

fn is_error(answer: Result<Written, QueryError>) {
    let error = answer.unwrap_err();
    assert!(matches!(error, QueryError::Database(_)), "{error}");
}

pub(crate) async fn an_upsert_never_overwrites_another_row(fixture: &Fixture) {
    let table = accounts(fixture).await;
    let before = table.list().order_by(col("id").ascending()).fetch().await.unwrap().to_vec();
    is_error(table.upsert(&account(9, "a@x", "1")).await);
    is_error(table.upsert(&account(2, "a@x", "1")).await);
    let rows = [account(8, "new@x", "1"), account(1, "a@x", "5"), account(9, "b@x", "1")];
    is_error(table.bulk_upsert(&rows).await);
    is_error(table.bulk_upsert(&[account(7, "twice", "1"), account(8, "twice", "2")]).await);
    let after = table.list().order_by(col("id").ascending()).fetch().await.unwrap();
    assert_eq!(after.to_vec(), before);
    table.bulk_upsert(&[account(1, "c@x", "7"), account(4, "d@x", "8")]).await.unwrap();
    assert_eq!(table.read(1).await.unwrap().found().unwrap().email, "c@x");
    assert_eq!(*table.list().count().await.unwrap(), 4);

    let tickets = fixture.queries.table::<Ticket>();
    let ticket = |id, number: &str, price| Ticket { id, number: number.into(), price };
    let row = tickets.create(&ticket(0, "A", 1)).await.unwrap().row;
    is_error(tickets.upsert(&ticket(0, "A", 2)).await);
    is_error(tickets.upsert(&ticket(row.id + 100, "A", 2)).await);
    assert_eq!(tickets.list().fetch().await.unwrap().as_slice(), std::slice::from_ref(&row));
    tickets.upsert(&ticket(row.id, "B", 3)).await.unwrap();
    assert_eq!(tickets.list().fetch().await.unwrap().to_vec(), [ticket(row.id, "B", 3)]);

    let aliases = fixture.queries.table::<Alias>();
    let alias = |name: &str, target: &str| Alias { name: name.into(), target: target.into() };
    aliases.upsert(&alias("a", "x")).await.unwrap();
    is_error(aliases.upsert(&alias("b", "x")).await);
    is_error(aliases.upsert(&alias("", "x")).await);
    aliases.bulk_upsert(&[alias("c", "z"), alias("b", "x")]).await.unwrap_err();
    aliases.upsert(&alias("a", "y")).await.unwrap();
    assert_eq!(aliases.list().fetch().await.unwrap().to_vec(), [alias("a", "y")]);
}

pub(crate) async fn a_long_filter_is_cached_and_a_deep_one_refused(fixture: &Fixture) {
    let table = accounts(fixture).await;
    let ids = |fold: fn(Filter, Filter) -> Filter, length: i64| {
        (2..=length).map(|id| col("id").eq(id)).fold(col("id").eq(1), fold)
    };
    for filter in [ids(Filter::or, 1_000), ids(|all, one| one.or(all), 1_000)] {
        assert_eq!(*table.list().filter(filter).count().await.unwrap(), 3);
    }
    assert_eq!(*table.list().filter(ids(Filter::and, 1_000)).count().await.unwrap(), 0);
    let is_hit = async || {
        let list = table.list().filter(ids(Filter::or, 400)).fetch().await.unwrap();
        list.source().is_hit()
    };
    let mut hit = false;
    for _ in 0..100 {
        hit = hit || is_hit().await;
    }
    assert!(hit, "a chain of 400 conditions is cached");

    let nested = |levels: i64| {
        (0..levels).fold(col("id").eq(1), |filter, id| {
            if id % 2 == 0 { filter.or(col("id").eq(id)) } else { filter.and(col("id").ge(0)) }
        })
    };
    for levels in [20, 62] {
        assert_eq!(*table.list().filter(nested(levels)).count().await.unwrap(), 2);
    }
    for filter in [nested(64), nested(100_000), (0..100_000).fold(nested(1), |one, _| one.not())] {
        let filter = filter.or(col("id").eq(1));
        let error = table.delete_where(filter).await.unwrap_err();
        assert!(matches!(error, QueryError::FilterTooDeep { limit: 64, .. }), "{error}");
    }
    assert_eq!(*table.list().count().await.unwrap(), 3);
}

pub(crate) async fn a_row_without_a_key_is_created_in_bulk_only(fixture: &Fixture) {
    let table = fixture.queries.table::<Keyless>();
    let row = Keyless { line: "a".into() };
    let error = table.create(&row).await.unwrap_err();
    assert!(matches!(error, QueryError::NoKey { .. }), "{error}");
    assert!(table.list().fetch().await.unwrap().is_empty());
    table.bulk_create(std::slice::from_ref(&row)).await.unwrap();
    assert_eq!(table.list().fetch().await.unwrap().to_vec(), [row]);
}

pub(crate) async fn a_row_of_nothing_but_a_number_is_upserted(fixture: &Fixture) {
    let table = fixture.queries.table::<Number>();
    table.upsert(&Number { id: 0 }).await.unwrap();
    let first = table.list().fetch().await.unwrap()[0].clone();
    table.upsert(&first).await.unwrap();
    table.bulk_upsert(&[Number { id: 0 }, Number { id: 0 }, first]).await.unwrap();
    assert_eq!(*table.list().count().await.unwrap(), 3);
}

#[cfg(feature = "sqlite")]
#[tokio::test]
async fn sqlite_refuses_a_moment_that_it_could_not_order() {
    let fixture = crate::fixture::sqlite().await;
    let table = fixture.queries.table::<Account>();
    let moment = |year| chrono::NaiveDate::from_ymd_opt(year, 1, 1).unwrap().and_hms_opt(0, 0, 0);
    for year in [10_000, -1] {
        let row = Account { since: moment(year), ..account(1, "a@x", "1") };
        for answer in [table.create(&row).await.map(drop), table.upsert(&row).await.map(drop)] {
            let error = answer.unwrap_err();
            assert!(
                matches!(&error, QueryError::RowValue { column, .. } if &**column == "since"),
                "{error}"
            );
        }
        is_refused(table.list().filter(col("since").lt(moment(year))).fetch().await, "since");
    }
    assert!(table.list().fetch().await.unwrap().is_empty());
    for (id, year) in [(1, 0), (2, 9_999)] {
        let row = Account { since: moment(year), ..account(id, &format!("{id}"), "1") };
        assert_eq!(table.create(&row).await.unwrap().row, row);
    }
    fixture.close().await;
}
