//! How the server is.

use larder_core::{Clock as _, Health, SystemClock};
use sqlx::postgres::{PgConnectOptions, PgSslMode};

use crate::{Params, QueryError, RowLimit, driver::Driver};

const FACTS: &str = "\
    SELECT current_setting('server_version'), \
      coalesce((SELECT concat(version, ', ', cipher) FROM pg_catalog.pg_stat_ssl \
        WHERE pid = pg_catalog.pg_backend_pid() AND ssl), 'none'), \
      pg_catalog.pg_is_in_recovery(), \
      (extract(epoch FROM pg_catalog.clock_timestamp()) * 1000)::int8, \
      current_setting('max_connections')::int8, \
      current_setting('server_encoding'), \
      current_setting('default_transaction_isolation')";

/// Makes one round trip and says what was found.
pub(super) async fn ask(
    driver: &dyn Driver,
    options: &PgConnectOptions,
    connections_max: u32,
) -> Result<Health, QueryError> {
    let clock = SystemClock::new();
    // A connection is opened, and the statement prepared, before the clock runs.
    driver.fetch(FACTS, &Params::new(), RowLimit::One).await?;
    let before = clock.now();
    let set = driver.fetch(FACTS, &Params::new(), RowLimit::One).await?;
    let latency = clock.now().since(before);
    let row = set.rows().first().ok_or(QueryError::RowNotFound)?;
    let (version, tls, in_recovery, server_ms, server_connections, encoding, isolation): (
        String,
        String,
        bool,
        i64,
        i64,
        String,
        String,
    ) = row.to()?;
    let offset_ms = server_ms - i64::try_from(clock.unix_millis()).unwrap_or(i64::MAX);
    let mut health = Health::new(latency, format!("PostgreSQL {version}"))
        .with_fact("encryption", &tls)
        .with_fact("role", if in_recovery { "replica" } else { "primary" })
        .with_fact("clock offset", format!("{offset_ms} ms"))
        .with_fact("connections", format!("{connections_max} of the server's {server_connections}"))
        .with_fact("encoding", &encoding)
        .with_fact("isolation", &isolation);
    if in_recovery {
        health = health.with_advice(
            "this server is a replica: what it answers may be older than what was written to its \
             primary, and would be cached; connect to the primary",
        );
    }
    if tls != "none" && matches!(options.get_ssl_mode(), PgSslMode::Require) {
        health = health.with_advice(
            "the server's certificate is not verified: write sslmode=verify-full in the URL",
        );
    }
    if i64::from(connections_max) > server_connections / 2 {
        health = health.with_advice(
            "the pool may take more than half of the server's connections: other programs may \
             find none",
        );
    }
    if encoding != "UTF8" {
        health = health.with_advice("the database is not encoded in UTF-8");
    }
    Ok(health)
}
