//! What a round trip to every master finds, for people to read.

use std::{sync::atomic::Ordering, time::Duration};

use larder_core::Health;
use redis::Value;

use crate::{
    Deployment,
    advice::advice,
    error::Trouble,
    fleet::Topology,
    link::{Link, info},
    server::Info,
    slot,
    store::Store,
};

/// The sections of `INFO` that are looked at, each by itself because old servers take one.
const SECTIONS: [&str; 5] = ["server", "clients", "memory", "persistence", "replication"];

/// Everything that one master said.
pub(crate) struct Report {
    pub(crate) info: Info,
    latency: Duration,
    /// How far the server's clock is ahead of ours, in milliseconds.
    clock_ahead_ms: i64,
    server: String,
}

impl Store {
    pub(crate) async fn health(&self) -> Result<Health, Trouble> {
        let mut reports = Vec::new();
        for link in self.fleet.masters().await? {
            reports.push(self.report(&link).await?);
        }
        let latency = reports.iter().map(|report| report.latency).max().unwrap_or_default();
        let mut servers: Vec<_> = reports.iter().map(|report| report.server.clone()).collect();
        servers.sort();
        servers.dedup();
        let mut health = Health::new(latency, servers.join(", "));
        health = health.with_fact("deployment", self.deployment(&reports));
        for (name, describe) in FACTS {
            let mut values: Vec<_> = reports.iter().map(describe).collect();
            values.dedup();
            health = health.with_fact(name, values.join(", "));
        }
        let encryption = if self.settings.config.tls { "TLS, verified" } else { "none" };
        health = health.with_fact("encryption", encryption);
        for advice in self.advice(&reports) {
            health = health.with_advice(advice);
        }
        Ok(health)
    }

    async fn report(&self, link: &Link) -> Result<Report, Trouble> {
        let clock = self.settings.clock();
        let (begin, begin_ms) = (clock.now(), clock.unix_millis());
        let question = [redis::cmd("TIME")];
        let time = link.send_all(link.checks(false), &[], &question).await?.pop();
        let (latency, end_ms) = (clock.now().since(begin), clock.unix_millis());
        let ours = begin_ms.midpoint(end_ms);
        let mut found = Info::default();
        for answer in link.send_all(link.checks(false), &[], &SECTIONS.map(info)).await? {
            found.absorb(&answer)?;
        }
        Ok(Report {
            info: found,
            latency,
            clock_ahead_ms: time
                .as_ref()
                .and_then(time_of)
                .map_or(0, |theirs| difference(theirs, ours)),
            server: link.server().to_string(),
        })
    }

    fn deployment(&self, reports: &[Report]) -> String {
        let replicas = reports.iter().filter_map(|report| report.info.number("connected_slaves"));
        let replicas = count(replicas.sum(), "replica");
        match (&self.settings.config.deployment, &self.fleet.topology) {
            (_, Topology::Cluster(cluster)) => {
                let map = cluster.map();
                let masters = count(map.masters.len() as u64, "master");
                let (covered, all) = (map.covered(), slot::COUNT);
                format!("cluster of {masters} with {replicas}, {covered} of {all} slots")
            }
            (Deployment::Sentinel { sentinels, .. }, _) => {
                let sentinels = count(sentinels.len() as u64, "Sentinel");
                format!("master with {replicas}, found by {sentinels}")
            }
            _ => format!("master with {replicas}"),
        }
    }

    fn advice(&self, reports: &[Report]) -> Vec<String> {
        let mut all = advice(&self.settings.config, reports.iter().map(|report| &report.info));
        if self.is_watch_refused.load(Ordering::Relaxed) {
            all.push(
                "the ACL user may not run client|tracking, so there is no feed of bumped tags: \
                 ACL SETUSER … +client|tracking"
                    .into(),
            );
        }
        let is_off = |report: &&Report| report.clock_ahead_ms.unsigned_abs() > CLOCK_OFF_MS;
        if let Some(report) = reports.iter().find(is_off) {
            let ahead = report.clock_ahead_ms;
            all.push(format!(
                "the server's clock is {ahead} ms ahead of ours: entries carry the wall clock and \
                 expire early or late; run NTP on both"
            ));
        }
        all
    }
}

/// From which difference on two clocks are said to differ, in milliseconds.
const CLOCK_OFF_MS: u64 = 1_000;

/// What is said about each master; where all say the same, it is said once.
type Describe = fn(&Report) -> String;

const FACTS: [(&str, Describe); 5] = [
    ("persistence", |report| {
        let log = report.info.number("aof_enabled") == Some(1);
        if log { "append-only file".into() } else { "snapshots at most".into() }
    }),
    ("memory", |report| {
        let mebibytes = |name| report.info.number(name).unwrap_or_default() >> 20;
        match mebibytes("maxmemory") {
            0 => format!("{} MiB, without a limit", mebibytes("used_memory")),
            max => format!("{} MiB of {max} MiB", mebibytes("used_memory")),
        }
    }),
    ("eviction policy", |report| {
        report.info.text("maxmemory_policy").unwrap_or("unknown").to_owned()
    }),
    ("clients", |report| report.info.number("connected_clients").unwrap_or_default().to_string()),
    ("clock", |report| match report.clock_ahead_ms {
        0 => "the same as on this machine".into(),
        ahead => format!("{ahead:+} ms"),
    }),
];

fn count(number: u64, what: &str) -> String {
    match number {
        0 => format!("no {what}s"),
        1 => format!("1 {what}"),
        number => format!("{number} {what}s"),
    }
}

/// The answer to `TIME`, seconds and microseconds, in milliseconds.
fn time_of(answer: &Value) -> Option<u64> {
    let Value::Array(parts) = answer else {
        return None;
    };
    let mut numbers = parts.iter().map(|part| match part {
        Value::BulkString(digits) => std::str::from_utf8(digits).ok()?.parse::<u64>().ok(),
        _ => None,
    });
    let (seconds, micros) = (numbers.next()??, numbers.next()??);
    Some(seconds.saturating_mul(1_000).saturating_add(micros / 1_000))
}

fn difference(theirs: u64, ours: u64) -> i64 {
    let signed = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    signed(theirs).saturating_sub(signed(ours))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_a_server_is_read_in_milliseconds() {
        let parts = |parts: [&str; 2]| {
            Value::Array(parts.map(|part| Value::BulkString(part.into())).into())
        };
        assert_eq!(time_of(&parts(["1700000000", "123999"])), Some(1_700_000_000_123));
        assert_eq!(time_of(&parts(["x", "1"])), None);
        assert_eq!(time_of(&Value::Array(Vec::new())), None);
        assert_eq!(difference(5, 7), -2);
    }
}
