//! What a round trip to the server finds, for people.

use std::collections::BTreeMap;

use larder_core::{Clock, Health};
use larder_database_url::MySqlTls;

use super::session::Session;
use crate::{Params, QueryError, RowLimit, catalog::mysql::grants, driver::Driver};

/// More than this, and moments that the server and this machine write differ visibly. Seconds.
const CLOCK_OFFSET_MAX: u64 = 5;

/// Asks the server.
pub(super) async fn ask(
    driver: &dyn Driver,
    session: &Session,
    tls: MySqlTls,
    clock: &dyn Clock,
) -> Result<Health, QueryError> {
    let before = clock.now();
    driver.fetch("SELECT 1", &Params::new(), RowLimit::One).await?;
    let latency = clock.now().since(before);
    let found = Found::ask(driver).await?;
    let health = Health::new(latency, session.server.clone());
    let health = advise(facts(health, &found), &found, clock);
    Ok(match tls {
        MySqlTls::Required => health.with_advice(
            "ssl-mode=REQUIRED encrypts for whoever answers: write ssl-mode=VERIFY_IDENTITY, and \
             ssl-ca=… if the certificate is signed by an authority of your own",
        ),
        _ => health,
    })
}

/// The server's variables, and the state of this session.
struct Found {
    values: BTreeMap<String, String>,
    /// The lines of `SHOW GRANTS`.
    grants: Vec<String>,
}

impl Found {
    async fn ask(driver: &dyn Driver) -> Result<Self, QueryError> {
        let mut found = BTreeMap::new();
        for sql in [VARIABLES, "SHOW SESSION STATUS LIKE 'Ssl\\_cipher'", PLACE] {
            let rows = driver.fetch(sql, &Params::new(), RowLimit::All).await?;
            for row in rows.rows() {
                let [name, value] = row.values() else { continue };
                found.insert(name.to_string().to_ascii_lowercase(), value.to_string());
            }
        }
        let grants = driver.fetch("SHOW GRANTS", &Params::new(), RowLimit::All).await?.to()?;
        Ok(Self { values: found, grants })
    }

    fn get(&self, name: &str) -> &str {
        self.values.get(name).map_or("", String::as_str)
    }

    fn is_on(&self, name: &str) -> bool {
        matches!(self.get(name), "1" | "ON" | "YES")
    }

    fn isolation(&self) -> &str {
        match self.get("transaction_isolation") {
            "" => self.get("tx_isolation"),
            level => level,
        }
    }
}

const VARIABLES: &str = "SHOW SESSION VARIABLES WHERE Variable_name IN \
    ('innodb_rollback_on_timeout', 'max_connections', 'read_only', 'sql_mode', \
     'system_time_zone', 'time_zone', 'transaction_isolation', 'tx_isolation', 'version')";

const PLACE: &str = "SELECT 'clock', CAST(UNIX_TIMESTAMP() AS CHAR) \
    UNION ALL SELECT 'user', CURRENT_USER()";

fn facts(health: Health, found: &Found) -> Health {
    let cipher = match found.get("ssl_cipher") {
        "" => "none",
        cipher => cipher,
    };
    health
        .with_fact("version", found.get("version"))
        .with_fact("encryption", cipher)
        .with_fact("account", found.get("user"))
        .with_fact("isolation level", found.isolation())
        .with_fact("sql_mode", found.get("sql_mode"))
        .with_fact("time zone of the server", found.get("system_time_zone"))
        .with_fact("time zone of the session", found.get("time_zone"))
        .with_fact("connections at most", found.get("max_connections"))
        .with_fact("lock wait timeout undoes", undoes(found))
}

fn undoes(found: &Found) -> &'static str {
    if found.is_on("innodb_rollback_on_timeout") { "the transaction" } else { "the statement" }
}

fn advise(mut health: Health, found: &Found, clock: &dyn Clock) -> Health {
    if found.is_on("read_only") {
        health = health.with_advice(
            "the server is read-only: answers from a replica that lags are cached as if they were \
             current, so connect to the primary",
        );
    }
    if !found.get("sql_mode").contains("STRICT_") {
        health = health.with_advice(
            "sql_mode is not strict: values that do not fit are cut off without an error; add \
             STRICT_TRANS_TABLES",
        );
    }
    if !grants::show_all_effects(&found.grants) {
        health = health.with_advice(
            "the account may write tables whose triggers it may not see, so every write \
             invalidates everything: grant it TRIGGER on the databases that it writes",
        );
    }
    if let Some(offset) = clock_offset(found, clock).filter(|offset| *offset > CLOCK_OFFSET_MAX) {
        health = health.with_advice(format!(
            "the clocks of the server and of this machine differ by {offset} s: synchronise them"
        ));
    }
    health
}

/// By how many seconds the server's clock and this machine's differ.
fn clock_offset(found: &Found, clock: &dyn Clock) -> Option<u64> {
    let theirs: u64 = found.get("clock").split('.').next()?.parse().ok()?;
    Some(theirs.abs_diff(clock.unix_millis() / 1_000))
}
