//! The query layer without the facade: cached queries over SQLite, invalidated by what is written.

use std::error::Error;

use larder_query::{
    Database, DatabaseOptions, Queries,
    larder_cache::{Cache, Near},
};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
struct Airline {
    name: String,
    fleet: u32,
}

const AIRLINE: &str = "SELECT name, fleet FROM airline WHERE iata = ?";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let options = DatabaseOptions::default();
    let database = Database::connect(&"sqlite::memory:".parse()?, &options).await?;
    let queries = Queries::new(database, Cache::builder().near(Near::mebibytes(1)).build()?);
    let create = "CREATE TABLE airline (iata TEXT PRIMARY KEY, name TEXT, fleet INTEGER)";
    queries.execute(create).run().await?.applied()?;
    let insert = "INSERT INTO airline VALUES ('LH', 'Lufthansa', 280)";
    queries.execute(insert).run().await?.applied()?;

    let mut seen = Vec::new();
    for buy in [0, 0, 5] {
        if buy > 0 {
            let mut transaction = queries.begin().await?;
            let update = "UPDATE airline SET fleet = fleet + ? WHERE iata = ?";
            transaction.execute(update).bind(buy).bind("LH").run().await?;
            transaction.commit().await?.applied()?;
        }
        let airline = queries.query_as::<Airline>(AIRLINE).bind("LH").fetch_one().await?;
        assert_eq!(airline.name, "Lufthansa");
        seen.push((airline.fleet, airline.source().as_str()));
    }

    assert_eq!(seen, [(280, "CACHE_MISS"), (280, "CACHE_HIT"), (285, "CACHE_MISS")]);
    println!("query-layer: {seen:?}");
    Ok(())
}
