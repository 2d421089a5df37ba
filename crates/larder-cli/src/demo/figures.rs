//! What the demo found out, as plain data: for the tables and for JSON.

use std::time::Duration;

use larder::{Cached, RowSet, Source};
use serde::{Serialize, Serializer};

use super::statistics::Statistics;
use super::{
    questions::Question,
    sample::{Sample, Spec},
};

/// Everything. Serializes as the document that `--json` prints.
#[derive(Debug, Serialize)]
pub(crate) struct Figures {
    /// Of this document's form; it changes when a field is renamed or removed.
    version: u32,
    pub(crate) sample: SampleFigures,
    /// The far tier's URL without credentials.
    pub(crate) cache: String,
    #[serde(rename = "queries")]
    pub(crate) questions: Vec<Answer>,
    pub(crate) service: Option<Statistics>,
    pub(crate) neighbour: Option<Statistics>,
}

/// The sample that was used.
#[derive(Debug, Serialize)]
pub(crate) struct SampleFigures {
    /// Its path, or its URL without credentials.
    pub(crate) path: String,
    #[serde(flatten)]
    pub(crate) spec: Spec,
    pub(crate) airlines: u64,
    pub(crate) airports: u64,
    pub(crate) flights: u64,
    pub(crate) passengers: u64,
    pub(crate) checksum: String,
    pub(crate) size_bytes: u64,
    pub(crate) reused: bool,
    #[serde(rename = "build_ns", serialize_with = "nanos_if_any")]
    pub(crate) build_time: Option<Duration>,
    #[serde(skip)]
    pub(crate) is_on_server: bool,
}

/// One query in every state.
#[derive(Debug, Serialize)]
pub(crate) struct Answer {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) sql: String,
    pub(crate) tables: &'static [&'static str],
    pub(crate) rows: usize,
    /// Whether the answer after the write differed from the one before.
    pub(crate) answer_changed: bool,
    /// How many times as fast a near hit is as the first call; `None` without a near hit.
    pub(crate) near_speedup: Option<f64>,
    pub(crate) steps: Vec<Step>,
}

/// One state.
#[derive(Debug, Serialize)]
pub(crate) struct Step {
    pub(crate) name: &'static str,
    /// `None` for a write.
    pub(crate) source: Option<&'static str>,
    pub(crate) tier: Option<&'static str>,
    /// The median of all calls.
    #[serde(rename = "latency_ns", serialize_with = "nanos")]
    pub(crate) latency: Duration,
    pub(crate) calls: usize,
    /// Against the first call.
    pub(crate) speedup: Option<f64>,
    /// Returned, or for a write changed.
    pub(crate) rows: u64,
}

impl Figures {
    pub(crate) fn new(sample: &Sample, cache: String) -> Self {
        let spec = sample.spec;
        let sample = SampleFigures {
            path: sample.shown.clone(),
            spec,
            airlines: spec.airlines(),
            airports: spec.airports(),
            flights: spec.flights(),
            passengers: spec.passengers(),
            checksum: sample.checksum.clone(),
            size_bytes: sample.size_bytes,
            reused: sample.build_time.is_none(),
            build_time: sample.build_time,
            is_on_server: sample.is_on_server(),
        };
        Self { version: 1, sample, cache, questions: Vec::new(), service: None, neighbour: None }
    }
}

impl Answer {
    pub(crate) fn new(question: &Question, mut steps: Vec<Step>, answer_changed: bool) -> Self {
        let first = steps.first().map_or(Duration::ZERO, |step| step.latency);
        for step in steps.iter_mut().filter(|step| step.source.is_some()) {
            step.speedup = ratio(first, step.latency);
        }
        let near = steps.iter().find(|step| step.tier == Some("near"));
        Self {
            name: question.name,
            about: question.about,
            sql: question.ask.sql.clone(),
            tables: question.tables,
            rows: steps.first().map_or(0, |step| usize::try_from(step.rows).unwrap_or_default()),
            answer_changed,
            near_speedup: near.and_then(|step| step.speedup),
            steps,
        }
    }
}

impl Step {
    /// Calls of one query that were answered from one source.
    pub(crate) fn call(name: &'static str, took: &[Duration], rows: &Cached<RowSet>) -> Self {
        let source = rows.source();
        Self {
            name,
            source: Some(source.as_str()),
            tier: tier(source),
            latency: median(took),
            calls: took.len(),
            speedup: None,
            rows: rows.len() as u64,
        }
    }

    /// A write.
    pub(crate) const fn write(name: &'static str, latency: Duration, rows: u64) -> Self {
        Self { name, source: None, tier: None, latency, calls: 1, speedup: None, rows }
    }
}

const fn tier(source: Source) -> Option<&'static str> {
    match source.tier() {
        Some(larder::Tier::Far) => Some("far"),
        Some(larder::Tier::Near) => Some("near"),
        None => None,
    }
}

fn median(took: &[Duration]) -> Duration {
    let mut sorted = took.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

fn ratio(slow: Duration, fast: Duration) -> Option<f64> {
    (!fast.is_zero()).then(|| slow.as_secs_f64() / fast.as_secs_f64())
}

/// Nanoseconds as an integer; 64 bits hold five centuries.
pub(crate) fn nanos<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX))
}

pub(crate) fn nanos_if_any<S: Serializer>(
    duration: &Option<Duration>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match duration {
        Some(duration) => nanos(duration, serializer),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_one_in_the_middle() {
        let millis = |list: &[u64]| {
            median(&list.iter().copied().map(Duration::from_millis).collect::<Vec<_>>())
        };
        assert_eq!(millis(&[9, 1, 2]), Duration::from_millis(2));
        assert_eq!(millis(&[7]), Duration::from_millis(7));
        assert_eq!(millis(&[]), Duration::ZERO);
    }

    #[test]
    fn a_call_without_duration_has_no_ratio() {
        assert_eq!(ratio(Duration::from_secs(1), Duration::from_millis(10)), Some(100.0));
        assert_eq!(ratio(Duration::from_secs(1), Duration::ZERO), None);
    }
}
