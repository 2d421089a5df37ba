//! What was found, as plain data: for people and for JSON.

use std::time::Duration;

use larder::{Fact, Health};
use serde::Serialize;

use crate::{demo::nanos, output::escape};

/// Everything. Serializes as the document that `--json` prints.
#[derive(Debug, Serialize)]
pub(crate) struct Findings {
    /// Of this document's form; it changes when a field is renamed or removed.
    version: u32,
    /// Whether everything that is configured works, advice aside.
    pub(crate) works: bool,
    pub(crate) database: Finding,
    pub(crate) cache: Finding,
}

/// One of the two parts.
#[derive(Debug, Serialize)]
pub(crate) struct Finding {
    pub(crate) status: Status,
    /// Without credentials; `None` if it is not known.
    pub(crate) url: Option<String>,
    /// Product and version.
    pub(crate) server: Option<String>,
    pub(crate) facts: Vec<Found>,
    pub(crate) latency: Option<Latency>,
    /// How far the server's clock is ahead of this machine's.
    pub(crate) clock_ahead_ms: Option<i64>,
    /// What will not work well, and how to mend it.
    pub(crate) advice: Vec<String>,
    pub(crate) trouble: Option<Trouble>,
}

/// How a part is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    /// It works, and something could be better.
    Advice,
    /// It does not work.
    Failed,
    /// It works.
    Ok,
    /// There is none.
    NotConfigured,
}

/// One thing that was found.
#[derive(Debug, Serialize)]
pub(crate) struct Found {
    pub(crate) name: String,
    pub(crate) value: String,
}

/// Round trips, each on its own.
#[derive(Debug, Serialize)]
pub(crate) struct Latency {
    pub(crate) round_trips: usize,
    #[serde(rename = "min_ns", serialize_with = "nanos")]
    pub(crate) min: Duration,
    #[serde(rename = "median_ns", serialize_with = "nanos")]
    pub(crate) median: Duration,
    #[serde(rename = "max_ns", serialize_with = "nanos")]
    pub(crate) max: Duration,
}

/// Why a part does not work.
#[derive(Debug, Serialize)]
pub(crate) struct Trouble {
    /// The kind of the error, for programs: `authentication`, `timeout`.
    pub(crate) kind: String,
    /// The error, for people.
    pub(crate) error: String,
    /// What to do.
    pub(crate) mend: String,
}

impl Findings {
    pub(crate) fn new(database: Finding, cache: Finding) -> Self {
        let works = |finding: &Finding| finding.status != Status::Failed;
        Self { version: 1, works: works(&database) && works(&cache), database, cache }
    }
}

impl Finding {
    const fn empty(status: Status) -> Self {
        Self {
            status,
            url: None,
            server: None,
            facts: Vec::new(),
            latency: None,
            clock_ahead_ms: None,
            advice: Vec::new(),
            trouble: None,
        }
    }

    pub(crate) const fn not_configured() -> Self {
        Self::empty(Status::NotConfigured)
    }

    pub(crate) fn failed(url: Option<String>, trouble: Trouble) -> Self {
        Self { url, trouble: Some(trouble), ..Self::empty(Status::Failed) }
    }

    /// A part that answered.
    pub(crate) fn healthy(url: String, health: Health, latency: Latency) -> Self {
        let found = |Fact { name, value }: Fact| Found { name: name.to_owned(), value };
        let status = if health.advice.is_empty() { Status::Ok } else { Status::Advice };
        Self {
            url: Some(url),
            server: Some(health.server),
            facts: health.facts.into_iter().map(found).collect(),
            latency: Some(latency),
            advice: health.advice,
            ..Self::empty(status)
        }
    }

    /// Adds what will not work well.
    pub(crate) fn advise(&mut self, advice: String) {
        self.advice.push(advice);
        if self.status == Status::Ok {
            self.status = Status::Advice;
        }
    }
}

impl Latency {
    /// What these round trips took; `None` without any.
    pub(crate) fn of(mut took: Vec<Duration>) -> Option<Self> {
        took.sort_unstable();
        Some(Self {
            round_trips: took.len(),
            min: *took.first()?,
            median: *took.get(took.len() / 2)?,
            max: *took.last()?,
        })
    }
}

impl Trouble {
    pub(crate) fn new(kind: &str, error: &str, mend: impl Into<String>) -> Self {
        let error = escape::controls(error).into_owned();
        Self { kind: kind.to_owned(), error, mend: mend.into() }
    }

    /// Nothing came back.
    pub(crate) fn silent(limit: Duration) -> Self {
        Self::new(
            "timeout",
            &format!("there was no answer within {} s", limit.as_secs()),
            "something accepts the connection and does not answer: look for a firewall or a proxy \
             in between, for a server that is stopped or overloaded, and whether host and port \
             are those of the server",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_part_makes_the_whole_fail_and_advice_does_not() {
        let ok = || Finding::empty(Status::Ok);
        let failed = || Finding::failed(None, Trouble::new("x", "y", "z"));
        let mut advised = ok();
        advised.advise("mind the gap".to_owned());
        assert_eq!(advised.status, Status::Advice);
        assert!(Findings::new(ok(), advised).works);
        assert!(Findings::new(ok(), Finding::not_configured()).works);
        assert!(!Findings::new(ok(), failed()).works);
        assert!(!Findings::new(failed(), ok()).works);
    }

    #[test]
    fn the_latency_is_that_of_the_round_trips() {
        let millis = |list: &[u64]| list.iter().copied().map(Duration::from_millis).collect();
        let latency = Latency::of(millis(&[3, 1, 2])).unwrap();
        assert_eq!(latency.min, Duration::from_millis(1));
        assert_eq!(latency.median, Duration::from_millis(2));
        assert_eq!(latency.max, Duration::from_millis(3));
        assert!(Latency::of(Vec::new()).is_none());
    }
}
