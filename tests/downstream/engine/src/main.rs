//! The engine without SQL: a typed near tier in front of a slow function.

use std::{
    convert::Infallible,
    error::Error,
    sync::atomic::{AtomicU32, Ordering},
};

use larder_cache::{Cache, Near, larder_core::Tag};

static LOADS: AtomicU32 = AtomicU32::new(0);

async fn exchange_rate() -> Result<f64, Infallible> {
    LOADS.fetch_add(1, Ordering::Relaxed);
    Ok(1.0842)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let rates = Tag::named("rates");
    let cache = Cache::builder().near(Near::mebibytes(1)).build()?;
    let family = cache.family::<f64>("rate").tags([rates]).build();

    let mut sources = Vec::new();
    for invalidate in [false, false, true] {
        if invalidate {
            cache.invalidate_tags(&[rates]).await.applied()?;
        }
        let rate = family.get_or_load("EUR/USD", exchange_rate).await?;
        assert_eq!(*rate.value(), 1.0842);
        sources.push(rate.source().as_str());
    }

    assert_eq!(sources, ["CACHE_MISS", "CACHE_HIT", "CACHE_MISS"]);
    assert_eq!(LOADS.load(Ordering::Relaxed), 2);
    println!("engine: {}", sources.join(", "));
    Ok(())
}
