//! What the servers say about themselves, and what to do about it.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use larder_core::{Clock, Health};

use crate::{
    dialect::Dialect,
    error::Trouble,
    fleet::{Fault, Fleet, Outcome},
    handshake::{ServerInfo, Stats},
    node::{Node, Repeat},
    request::{Expect, Request},
};

/// What one server said.
struct Report {
    latency: Duration,
    info: Arc<ServerInfo>,
    stats: Stats,
    /// The server's clock less ours, in seconds; rounded down to the second that it counts.
    clock_seconds: i64,
}

impl Fleet {
    /// Asks every server. An error if none answers.
    pub(crate) async fn health(&self) -> Outcome<Health> {
        let reports =
            join_all(self.nodes.iter().map(|node| report(node, &*self.config.clock))).await;
        let answering: Vec<_> = reports.iter().flatten().collect();
        if answering.is_empty() {
            let failures = self.nodes.iter().zip(reports);
            let mut faults = failures.filter_map(|(node, report)| {
                let trouble = report.err()?;
                Some(Fault { trouble, server: Some(node.address.clone()) })
            });
            return Err(faults.next().unwrap_or_else(|| Trouble::Closed.into()));
        }
        let latency = answering.iter().map(|report| report.latency).max().unwrap_or_default();
        let health = Health::new(latency, server(&answering));
        let health = self.with_facts(health, &reports, &answering);
        Ok(self.with_advice(health, &reports, &answering))
    }

    fn with_facts(
        &self,
        mut health: Health,
        reports: &[Result<Report, Trouble>],
        answering: &[&Report],
    ) -> Health {
        let sum = |name: &str| -> u64 {
            answering.iter().filter_map(|report| report.stats.number(name)).sum()
        };
        let each = |text: &dyn Fn(&Report) -> String| distinct(answering.iter().map(|r| text(r)));
        let mib = |bytes: u64| format!("{} MiB", bytes >> 20);
        let up = answering.len();
        health = health
            .with_fact("servers", format!("{up} of {} answer", reports.len()))
            .with_fact("version", each(&|report| report.info.version.to_string()))
            .with_fact("protocol", each(&|report| dialect(report.info.dialect).into()))
            .with_fact("encryption", if self.config.tls { "TLS, verified" } else { "none" })
            .with_fact("password", each(&|report| password(&report.info).into()))
            .with_fact("memory limit", mib(sum("limit_maxbytes")))
            .with_fact("memory used", mib(sum("bytes")))
            .with_fact("items", sum("curr_items").to_string())
            .with_fact("largest item", each(&|report| mib(report.info.item_bytes_max as u64)))
            .with_fact("evictions", sum("evictions").to_string())
            .with_fact("threads", sum("threads").to_string())
            .with_fact("server connections", sum("curr_connections").to_string())
            .with_fact("clock", each(&|report| clock(report.clock_seconds)));
        let own: usize = self.nodes.iter().map(|node| node.connections()).sum();
        health.with_fact("our connections", own.to_string())
    }

    fn with_advice(
        &self,
        mut health: Health,
        reports: &[Result<Report, Trouble>],
        answering: &[&Report],
    ) -> Health {
        for (node, report) in self.nodes.iter().zip(reports) {
            if let Err(trouble) = report {
                health = health.with_advice(format!(
                    "server {} does not answer ({:?}): what belongs to it is not cached",
                    node.address,
                    trouble.kind()
                ));
            }
        }
        let any = |found: &dyn Fn(&Report) -> bool| answering.iter().any(|report| found(report));
        if any(&|report| report.stats.number("evictions").is_some_and(|count| count > 0)) {
            health = health.with_advice(
                "a server has evicted items: an evicted generation is a miss for all that depends \
                 on it; give it more memory (-m) or shorten lifetimes",
            );
        }
        if any(&|report| report.info.dialect == Dialect::Classic) {
            health = health.with_advice(
                "the classic commands are in use: leases take more round trips than with 1.6.12 \
                 and later",
            );
        }
        if any(&|report| report.clock_seconds.abs() > 5) {
            health = health.with_advice(
                "a server's clock differs from this machine's: lifetimes are unaffected, but logs \
                 do not match",
            );
        }
        let exposed = !self.config.tls && self.nodes.iter().any(|node| !node.address.is_local());
        if exposed {
            health = health.with_advice(
                "connections leave this machine unencrypted: use memcacheds:// and -Z",
            );
        }
        let remote = self.nodes.iter().any(|node| !node.address.is_local());
        if remote && any(&|report| !report.info.asks_for_password) {
            health = health.with_advice(
                "a server on the network asks for no password: whoever reaches it can write \
                 entries; use -Y",
            );
        }
        if self.config.credentials.is_some() && any(&|report| !report.info.asks_for_password) {
            health = health.with_advice("a password is configured that a server does not ask for");
        }
        if let Some(bytes) = self.config.value_bytes_max
            && any(&|report| report.info.item_bytes_max < bytes.saturating_add(1_024))
        {
            health = health.with_advice(
                "the configured limit of values is beyond the largest item of a server: raise it \
                 with -I",
            );
        }
        health
    }
}

/// How the server's clock stands to ours; it counts whole seconds, so the last one says nothing.
fn clock(seconds: i64) -> String {
    match seconds {
        -1..=0 => "the same as on this machine, to the second".into(),
        ahead => format!("{ahead:+} s"),
    }
}

async fn report(node: &Arc<Node>, clock: &dyn Clock) -> Result<Report, Trouble> {
    let info = node.info().await?;
    let ping = Request::default().with_line(format_args!("version"), Expect::One);
    let before = clock.now();
    node.call(&ping, Repeat::Once).await?;
    let latency = clock.now().since(before);
    let stats = node.stats("stats").await?;
    let now = clock.unix_millis() / 1_000;
    let clock_seconds = stats
        .number("time")
        .map_or(0, |time| i64::try_from(time).unwrap_or(i64::MAX).saturating_sub_unsigned(now));
    Ok(Report { latency, info, stats, clock_seconds })
}

fn server(answering: &[&Report]) -> String {
    let versions = distinct(answering.iter().map(|report| report.info.version.to_string()));
    match answering.len() {
        1 => format!("Memcached {versions}"),
        servers => format!("{servers} × Memcached {versions}"),
    }
}

fn distinct(texts: impl Iterator<Item = String>) -> String {
    let mut texts: Vec<_> = texts.collect();
    texts.sort();
    texts.dedup();
    texts.join(", ")
}

const fn dialect(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Classic => "classic",
        Dialect::Meta => "meta",
    }
}

const fn password(info: &ServerInfo) -> &'static str {
    if info.asks_for_password { "asked for" } else { "not asked for" }
}
