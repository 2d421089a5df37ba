//! Which database it is, and which session.

use larder_cache::{Cache, Near};
use larder_query::{DatabaseOptions, Queries, larder_cache};

use crate::{Fixture, open, run, url, with};

#[tokio::test]
#[ignore = "needs a live service"]
async fn one_database_has_one_identity_whatever_way_led_to_it() {
    let fixture = Fixture::new().await;
    let again = fixture.with_parameter("host=localhost&application_name=x").await;
    assert_eq!(fixture.database.identity(), again.identity());
    let other = Fixture::new().await;
    assert_ne!(fixture.database.identity(), other.database.identity());
    let server = open(&url("LARDER_POSTGRES_URL"), &DatabaseOptions::default()).await.unwrap();
    assert_ne!(fixture.database.identity(), server.identity());
    assert!(fixture.database.identity().as_str().starts_with("postgres:"));
}

/// Sessions that may give different answers share no entry, and invalidate each other.
#[tokio::test]
#[ignore = "needs a live service"]
async fn sessions_with_other_settings_share_tags_but_no_entries() {
    let fixture = Fixture::new().await;
    let setup = "CREATE SCHEMA one; CREATE SCHEMA two; \
                 CREATE TABLE one.t (n int); INSERT INTO one.t VALUES (1); \
                 CREATE TABLE two.t (n int); INSERT INTO two.t VALUES (2); \
                 CREATE TABLE public.u (n int); INSERT INTO public.u VALUES (5)";
    run(&fixture.database, setup).await;
    let cache = Cache::builder().near(Near::mebibytes(4)).build().unwrap();
    let mut pools = Vec::new();
    for path in ["one,public", "two,public"] {
        let database = fixture.with_parameter(&format!("options[search_path]={path}")).await;
        assert_eq!(database.identity(), fixture.database.identity());
        pools.push(Queries::new(database, cache.clone()));
    }
    let [one, two] = &pools[..] else { unreachable!() };
    let read = |queries: &Queries, sql: &str| {
        let query = queries.prepare(sql);
        async move {
            let found = query.query().fetch_scalar::<i64>().await.unwrap();
            (*found, found.source().is_hit())
        }
    };
    assert_eq!(read(one, "SELECT n FROM t").await, (1, false));
    assert_eq!(read(two, "SELECT n FROM t").await, (2, false));
    assert_eq!(read(one, "SELECT n FROM t").await, (1, true));
    assert_eq!(read(two, "SELECT n FROM u").await, (5, false));
    one.execute("UPDATE u SET n = 6").run().await.unwrap().applied().unwrap();
    assert_eq!(read(two, "SELECT n FROM u").await, (6, false));
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn another_role_or_a_setting_of_ones_own_is_another_session() {
    let fixture = Fixture::new().await;
    let setup = "CREATE TABLE t (tenant text); INSERT INTO t VALUES ('a')";
    run(&fixture.database, setup).await;
    let cache = Cache::builder().near(Near::mebibytes(4)).build().unwrap();
    for parameter in [
        "options[app.tenant]=a",
        "options[app.tenant]=b",
        "options=-c%20DateStyle=German",
        "application_name=x",
    ] {
        let queries = Queries::new(fixture.with_parameter(parameter).await, cache.clone());
        let found = queries.query("SELECT tenant FROM t").fetch_all().await.unwrap();
        assert!(!found.source().is_hit(), "{parameter}");
    }
    let again = Queries::new(fixture.with_parameter("options[app.tenant]=a").await, cache.clone());
    assert!(again.query("SELECT tenant FROM t").fetch_all().await.unwrap().source().is_hit());
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn connections_that_turn_out_unlike_the_first_end_the_caching() {
    let fixture = Fixture::new().await;
    run(&fixture.database, "CREATE TABLE t (n int); INSERT INTO t VALUES (1)").await;
    let cache = Cache::builder().near(Near::mebibytes(4)).build().unwrap();
    let queries = Queries::new(fixture.again().await, cache);
    let read = || queries.query("SELECT n FROM t").force_refresh().fetch_all();
    let hit = || queries.query("SELECT n FROM t").fetch_all();
    read().await.unwrap();
    assert!(hit().await.unwrap().source().is_hit());
    run(&fixture.database, &format!("ALTER DATABASE {} SET lc_time = 'C.UTF-8'", fixture.name))
        .await;
    // A second connection, which has the new setting.
    let first = queries.database().begin().await.unwrap();
    let second = queries.database().begin().await.unwrap();
    first.rollback().await.unwrap();
    second.rollback().await.unwrap();
    queries.invalidate_table("t").await.unwrap().applied().unwrap();
    for _ in 0..3 {
        assert!(!hit().await.unwrap().source().is_hit());
    }
    assert!(open(&with(&fixture.url(), "x=y"), &DatabaseOptions::default()).await.is_err());
}
