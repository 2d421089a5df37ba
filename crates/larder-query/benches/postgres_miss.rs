//! What a miss costs on PostgreSQL: one row of five columns by its primary key.
//!
//! All candidates take turns in one run, so that the ratios mean something on a machine that is
//! busy with other things. Needs `LARDER_POSTGRES_URL`.
#![expect(clippy::print_stdout, reason = "the figures are the output")]

use std::{hint::black_box, time::Duration};

use larder_query::{
    Database, DatabaseOptions, Params, Queries, RowLimit,
    larder_cache::{Cache, Near},
    larder_core::{Clock as _, SystemClock},
};
use sqlx::{
    ConnectOptions as _, Connection as _, Row as _,
    postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions},
};

const SQL: &str = "SELECT id, iata, name, fleet, founded FROM larder_bench_airline WHERE id = $1";
const ROWS: i64 = 1_000;
const ROUNDS: usize = 40;
const CALLS: usize = 250;

#[derive(serde::Deserialize)]
struct Airline {
    id: i64,
    iata: String,
    name: Option<String>,
    fleet: i32,
    founded: f64,
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let Ok(url) = std::env::var("LARDER_POSTGRES_URL") else {
        println!("LARDER_POSTGRES_URL is not set");
        return;
    };
    let database = Database::connect(&url.parse().unwrap(), &DatabaseOptions::default()).await;
    let database = database.unwrap();
    for sql in [
        "DROP TABLE IF EXISTS larder_bench_airline",
        "CREATE TABLE larder_bench_airline \
         (id int8 PRIMARY KEY, iata text, name text, fleet int4, founded float8)",
        "INSERT INTO larder_bench_airline \
         SELECT n, 'LH' || n, 'Lufthansa', n, n / 3.0 FROM generate_series(1, 1000) AS n",
        "ANALYZE larder_bench_airline",
    ] {
        database.execute(sql, &Params::new()).await.unwrap();
    }
    let options: PgConnectOptions = url.parse().unwrap();
    let options = options.disable_statement_logging();
    let pool = || PgPoolOptions::new().max_connections(8);
    let default_pool = pool().connect_with(options.clone()).await.unwrap();
    let untested_pool =
        pool().test_before_acquire(false).connect_with(options.clone()).await.unwrap();
    let mut held = PgConnection::connect_with(&options).await.unwrap();
    let cache = Cache::builder().near(Near::mebibytes(1)).build().unwrap();
    let queries = Queries::new(database.clone(), cache);
    let query = queries.prepare_as::<Airline>(SQL);

    let mut times: [Vec<Duration>; 5] = Default::default();
    let clock = SystemClock::new();
    let mut id = 0;
    for round in 0..=ROUNDS {
        for (candidate, times) in times.iter_mut().enumerate() {
            let before = clock.now();
            for _ in 0..CALLS {
                id = id % ROWS + 1;
                match candidate {
                    0 => by_pool(&default_pool, id).await,
                    1 => by_pool(&untested_pool, id).await,
                    2 => by_connection(&mut held, id).await,
                    3 => by_database(&database, id).await,
                    // A forced refresh goes the way of a miss, fills included.
                    _ => {
                        let found = query.query().bind(id).force_refresh().fetch_one().await;
                        use_airline(&found.unwrap());
                    }
                }
            }
            // The first round warms up.
            if round > 0 {
                times.push(clock.now().since(before));
            }
        }
    }
    let names =
        ["sqlx pool, default", "sqlx pool, untested", "sqlx, held", "Database", "Queries, miss"];
    let medians = times.map(|mut times| {
        times.sort_unstable();
        times[times.len() / 2].as_secs_f64() * 1e6 / CALLS as f64
    });
    println!("{:<22} {:>9} {:>12} {:>12}", "", "p50 us", "x default", "x held");
    for (name, median) in names.iter().zip(medians) {
        println!(
            "{name:<22} {median:>9.1} {:>12.2} {:>12.2}",
            median / medians[0],
            median / medians[2]
        );
    }
    database.execute("DROP TABLE larder_bench_airline", &Params::new()).await.unwrap();
}

fn use_airline(airline: &Airline) {
    black_box((airline.id, &airline.iata, &airline.name, airline.fleet, airline.founded));
}

fn airline(row: &sqlx::postgres::PgRow) -> Airline {
    Airline {
        id: row.get(0),
        iata: row.get(1),
        name: row.get(2),
        fleet: row.get(3),
        founded: row.get(4),
    }
}

async fn by_pool(pool: &PgPool, id: i64) {
    use_airline(&airline(&sqlx::query(SQL).bind(id).fetch_one(pool).await.unwrap()));
}

async fn by_connection(connection: &mut PgConnection, id: i64) {
    use_airline(&airline(&sqlx::query(SQL).bind(id).fetch_one(connection).await.unwrap()));
}

async fn by_database(database: &Database, id: i64) {
    let mut params = Params::new();
    params.bind(id);
    let set = database.fetch(SQL, &params, RowLimit::One).await.unwrap();
    use_airline(&set.rows()[0].to().unwrap());
}
