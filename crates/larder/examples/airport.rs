//! The tour: a model's table, cached queries, writes that invalidate by themselves, transactions.
//!
//! ```sh
//! cargo run --release -p larder --example airport
//! ```

use std::{error::Error, time::Duration};

use larder::{Larder, Model, Near};

#[derive(Clone, Debug, Model, serde::Deserialize)]
struct Airline {
    #[model(key)]
    iata: String,
    name: String,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tour().await
}

#[expect(clippy::print_stdout, reason = "an example that tells what it does")]
pub(crate) async fn tour() -> Result<(), Box<dyn Error>> {
    let dir = tempfile::tempdir()?;
    let database = format!("sqlite://{}?mode=rwc", dir.path().join("airport.db").display());
    let larder = Larder::builder()
        .database(&database)
        .near(Near::mebibytes(64))
        .far("memory:")
        .build()
        .await?;

    // The first use creates the table; later uses cost nanoseconds.
    larder.ensure::<Airline>().await?;
    larder.execute("INSERT INTO airline VALUES ('LH', 'Deutsche Luft Hansa')").run().await?;

    for _ in 0..2 {
        let airline = larder
            .query_as::<Airline>("SELECT * FROM airline WHERE iata = ?")
            .bind("LH")
            .ttl(Duration::from_secs(300))
            .fetch_one()
            .await?;
        println!("{} in {:?}: {:?}", airline.source(), airline.latency(), airline.value());
    }

    // The statement says which table it writes; what depends on it is invalidated.
    let update = "UPDATE airline SET name = ? WHERE iata = ?";
    larder.execute(update).bind("Lufthansa").bind("LH").run().await?.applied()?;
    let airline = larder
        .query_as::<Airline>("SELECT * FROM airline WHERE iata = ?")
        .bind("LH")
        .fetch_one()
        .await?;
    println!("{} in {:?}: {:?}", airline.source(), airline.latency(), airline.value());
    assert_eq!((airline.iata.as_str(), airline.name.as_str()), ("LH", "Lufthansa"));

    // Reads within a transaction bypass the cache; its writes are invalidated at the commit.
    let mut tx = larder.begin().await?;
    tx.execute("INSERT INTO airline VALUES (?, ?)").bind("AF").bind("Air France").run().await?;
    tx.commit().await?.applied()?;
    let count = larder.query("SELECT count(*) FROM airline").fetch_scalar::<i64>().await?;
    println!("{} airlines, {}", *count, count.source());
    assert_eq!(*count, 2);
    Ok(())
}
