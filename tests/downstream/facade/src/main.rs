//! The facade: a database and a cache file by URL, and answers that outlive the handle.

use std::{env, error::Error, fs, path::Path, process};

use larder::{Larder, Source, Tier};
use serde::Deserialize;

#[derive(Debug, Deserialize, PartialEq)]
struct Airport {
    iata: String,
    city: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = env::temp_dir().join(format!("larder-facade-{}", process::id()));
    fs::create_dir_all(&folder)?;
    let outcome = ask_in_two_lives(&folder).await;
    fs::remove_dir_all(&folder)?;
    outcome
}

async fn open(folder: &Path) -> Result<Larder, Box<dyn Error>> {
    let database = format!("sqlite://{}?mode=rwc", folder.join("airport.db").display());
    let cache = format!("sqlite://{}", folder.join("cache.db").display());
    Ok(Larder::builder().database(&database).far(&cache).build().await?)
}

async fn ask_in_two_lives(folder: &Path) -> Result<(), Box<dyn Error>> {
    let larder = open(folder).await?;
    larder.execute("CREATE TABLE airport (iata TEXT, city TEXT)").run().await?.applied()?;
    larder.execute("INSERT INTO airport VALUES ('FRA', 'Frankfurt')").run().await?.applied()?;
    let first = ask(&larder).await?;
    drop(larder);

    let larder = open(folder).await?;
    let sources = [first, ask(&larder).await?, ask(&larder).await?];
    assert_eq!(sources, [Source::Miss, Source::Hit(Tier::Far), Source::Hit(Tier::Near)]);
    println!("facade: {sources:?}");
    Ok(())
}

async fn ask(larder: &Larder) -> Result<Source, Box<dyn Error>> {
    let query = larder.query_as::<Airport>("SELECT * FROM airport WHERE iata = ?").bind("FRA");
    let airport = query.fetch_one().await?;
    assert_eq!(airport.city, "Frankfurt");
    Ok(airport.source())
}
