//! The database: connected to, asked, and timed.

use std::time::Duration;

use larder::{
    Database, DatabaseOptions, DatabaseUrl, Engine, OpenError, Params, QueryError,
    core::{Clock, SystemClock},
    query::RowLimit,
};

use super::{
    finding::{Finding, Latency},
    mend,
};
use crate::{failure::Failure, target::database_url};

/// How many round trips are timed.
pub(crate) const ROUND_TRIPS: usize = 10;
/// How long to wait for a connection, so that the error about it comes before the end of all.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(5);
/// How far clocks may be apart. Entries carry the time of who stored them, and expire by the
/// clock of who reads.
const CLOCK_TOLERANCE_MS: u64 = 1_000;

pub(crate) async fn examine(configured: Option<String>) -> Finding {
    let url = match parsed(configured) {
        Ok(url) => url,
        Err(failure) => return Finding::failed(None, mend::settings(&failure)),
    };
    let shown = url.to_string();
    match look(&url, &shown).await {
        Ok(finding) => finding,
        Err(error) => Finding::failed(Some(shown), mend::database(&error, url.engine())),
    }
}

fn parsed(configured: Option<String>) -> Result<DatabaseUrl, Failure> {
    let text = configured.ok_or(OpenError::NoDatabase)?;
    database_url(&text)?.parse().map_err(|error| OpenError::DatabaseUrl(error).into())
}

async fn look(url: &DatabaseUrl, shown: &str) -> Result<Finding, QueryError> {
    let options = DatabaseOptions::default()
        .with_connections_max(1)
        .with_acquire_timeout(CONNECT_TIME_MAX)
        .with_busy_timeout(CONNECT_TIME_MAX)
        // Looking changes nothing, not even the journal mode of a file.
        .with_wal(false);
    let database = Database::connect(url, &options).await?;
    let health = database.health().await?;
    let clock = SystemClock::new();
    let mut took = Vec::with_capacity(ROUND_TRIPS);
    for _ in 0..ROUND_TRIPS {
        let started = clock.now();
        database.fetch("SELECT 1", &Params::new(), RowLimit::One).await?;
        took.push(clock.now().since(started));
    }
    let ahead = clock_ahead(&database, &clock).await?;
    database.close().await;

    let Some(latency) = Latency::of(took) else { return Err(QueryError::RowNotFound) };
    let mut finding = Finding::healthy(shown.to_owned(), health, latency);
    finding.clock_ahead_ms = ahead;
    if ahead.is_some() {
        // Measured once is enough.
        finding.facts.retain(|fact| !fact.name.starts_with("clock"));
    }
    if let Some(ahead) = ahead.filter(|ahead| ahead.unsigned_abs() > CLOCK_TOLERANCE_MS) {
        finding.advise(format!(
            "the clocks of the server and of this machine are {} ms apart: what depends on the \
             time differs by as much; run NTP on both",
            ahead.unsigned_abs()
        ));
    }
    Ok(finding)
}

/// How far the server's clock is ahead, in milliseconds; `None` for a file, which has none.
async fn clock_ahead(database: &Database, clock: &dyn Clock) -> Result<Option<i64>, QueryError> {
    let sql = match database.engine() {
        Engine::Postgres => "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint)",
        Engine::MariaDb | Engine::MySql => {
            "SELECT CAST(UNIX_TIMESTAMP(CURRENT_TIMESTAMP(3)) * 1000 AS SIGNED)"
        }
        _ => return Ok(None),
    };
    let before = clock.unix_millis();
    let rows = database.fetch(sql, &Params::new(), RowLimit::One).await?;
    let after = clock.unix_millis();
    let Some(row) = rows.rows().first() else { return Ok(None) };
    let theirs: i64 = row.get(0)?;
    // The server read its clock somewhere in between.
    let ours = i64::try_from(before.midpoint(after)).unwrap_or(i64::MAX);
    Ok(Some(theirs.saturating_sub(ours)))
}
