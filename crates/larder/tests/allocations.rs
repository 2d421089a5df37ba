//! A near hit allocates nothing once its query is built, and building it allocates nothing either
//! where the statement is prepared and its parameters are small.

use futures_util::FutureExt as _;
use larder::{Larder, Near, Source, Tier};

#[derive(serde::Deserialize)]
struct Flight {
    id: i64,
}

const SQL: &str = "SELECT id, origin, delay FROM flight WHERE id = ? AND origin = ? AND delay < ?";

async fn larder() -> Larder {
    let larder =
        Larder::builder().database("sqlite::memory:").near(Near::mebibytes(4)).build().await;
    let larder = larder.unwrap();
    larder
        .execute("CREATE TABLE flight (id INTEGER, origin TEXT, delay REAL)")
        .run()
        .await
        .unwrap();
    larder.execute("INSERT INTO flight VALUES (1, 'FRA', 3.5)").run().await.unwrap();
    larder
}

#[tokio::test]
async fn a_near_hit_allocates_nothing() {
    let larder = larder().await;
    let query = || larder.query_as::<Flight>(SQL).bind(1_i64).bind("FRA").bind(10.0);
    assert_eq!(query().fetch_one().await.unwrap().source(), Source::Miss);
    drop(query().fetch_one().await.unwrap());

    let built = query();
    let counted = allocation_counter::measure(|| {
        let hit = built.fetch_one().now_or_never().unwrap().unwrap();
        assert_eq!((hit.id, hit.source()), (1, Source::Hit(Tier::Near)));
    });
    assert_eq!(counted.count_total, 0, "{counted:?}");
}

#[tokio::test]
async fn a_near_hit_of_a_prepared_query_allocates_nothing_at_all() {
    let larder = larder().await;
    let prepared = larder.prepare_as::<Flight>(SQL);
    let query = || prepared.query().bind(1_i64).bind("FRA").bind(10.0);
    query().fetch_one().await.unwrap();
    query().fetch_all().await.unwrap();
    drop((query().fetch_one().await.unwrap(), query().fetch_all().await.unwrap()));

    let counted = allocation_counter::measure(|| {
        for _ in 0..1_000 {
            let hit = query().fetch_one().now_or_never().unwrap().unwrap();
            assert_eq!(hit.id, 1);
            let hits = query().fetch_all().now_or_never().unwrap().unwrap();
            assert_eq!(hits.len(), 1);
        }
    });
    assert_eq!(counted.count_total, 0, "{counted:?}");
}

/// The counter counts: an assertion that nothing is allocated could not fail otherwise.
#[test]
fn the_counter_notices_an_allocation() {
    let counted = allocation_counter::measure(|| drop(std::hint::black_box(vec![1_u8; 64])));
    assert_eq!(counted.count_total, 1);
}
