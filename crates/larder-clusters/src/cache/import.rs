//! The file-based cache that came before: one JSON document.
//!
//! Guards that a document is taken over whole or not at all, and that it overwrites nothing.

use serde_json::{Map, Value};

use super::{ClusterConfig, ClusterStatus};

/// What became of a document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Imported {
    /// The clusters that were taken over.
    pub imported: Vec<String>,
    /// The clusters that were in the cache already, and stayed as they were.
    pub known: Vec<String>,
}

/// Why a document can not be taken over. No variant holds anything of the document but its shape.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// It is no JSON.
    #[error("the document is no JSON")]
    Json(#[source] serde_json::Error),
    /// It is JSON, but not of the former cache.
    #[error("the document is neither a cluster nor a collection of clusters")]
    Shape,
    /// One of the entries names no cluster.
    #[error("entry {entry} has no cluster_id")]
    Nameless {
        /// Which entry, counted from 1.
        entry: usize,
    },
    /// One of the entries has a time that is none.
    #[error("entry {entry} has no valid time in {field}")]
    Time {
        /// Which entry, counted from 1.
        entry: usize,
        /// The field.
        field: &'static str,
    },
}

/// One cluster of a document.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) cluster_id: String,
    pub(super) config: ClusterConfig,
    pub(super) status: ClusterStatus,
    pub(super) created_at: Option<Value>,
    pub(super) expiry_time: Option<Value>,
    pub(super) last_accessed: Option<Value>,
    pub(super) access_count: Option<u32>,
    pub(super) is_active: bool,
}

/// Fields of the former cache that are no configuration.
const OURS: [&str; 9] = [
    "id",
    "cluster_id",
    "status",
    "created_at",
    "expiry_time",
    "last_accessed",
    "access_count",
    "is_active",
    "is_valid",
];

/// The clusters of a document: one object, a list of them, or an object that holds either under
/// `clusters` or has the ids as its names.
pub(super) fn entries(text: &str) -> Result<Vec<Entry>, ImportError> {
    let document = serde_json::from_str(text).map_err(ImportError::Json)?;
    collection(document)?
        .into_iter()
        .enumerate()
        .map(|(index, (id, fields))| entry(index + 1, id, fields))
        .collect()
}

type Named = (Option<String>, Map<String, Value>);

fn collection(document: Value) -> Result<Vec<Named>, ImportError> {
    match document {
        Value::Array(values) => {
            values.into_iter().map(|value| Ok((None, object(value)?))).collect()
        }
        Value::Object(fields) if fields.contains_key("cluster_id") => Ok(vec![(None, fields)]),
        Value::Object(mut fields) => match fields.remove("clusters") {
            Some(clusters @ (Value::Array(_) | Value::Object(_))) => collection(clusters),
            Some(_) => Err(ImportError::Shape),
            None => fields.into_iter().map(|(id, value)| Ok((Some(id), object(value)?))).collect(),
        },
        _ => Err(ImportError::Shape),
    }
}

fn object(value: Value) -> Result<Map<String, Value>, ImportError> {
    match value {
        Value::Object(fields) => Ok(fields),
        _ => Err(ImportError::Shape),
    }
}

fn entry(
    number: usize,
    id: Option<String>,
    mut fields: Map<String, Value>,
) -> Result<Entry, ImportError> {
    let named = fields.get("cluster_id").and_then(Value::as_str).map(str::to_owned);
    let cluster_id = named.or(id).filter(|id| !id.is_empty());
    let cluster_id = cluster_id.ok_or(ImportError::Nameless { entry: number })?;
    let mut take = |name| fields.remove(name).filter(|value| !value.is_null());
    let status = take("status");
    let entry = Entry {
        cluster_id,
        status: match status.as_ref().and_then(Value::as_str) {
            Some(word) => ClusterStatus::from_word(word),
            None => ClusterStatus::default(),
        },
        created_at: take("created_at"),
        expiry_time: take("expiry_time"),
        last_accessed: take("last_accessed"),
        access_count: take("access_count").and_then(|count| count.as_u64()?.try_into().ok()),
        is_active: !matches!(take("is_active").as_ref().map(truth), Some(false)),
        config: ClusterConfig::new(),
    };
    // The former cache kept some configurations as an object of their own.
    let mut config = match fields.remove("config") {
        Some(Value::Object(config)) => config,
        _ => Map::new(),
    };
    config.extend(fields.into_iter().filter(|(name, _)| !OURS.contains(&&**name)));
    Ok(Entry { config: config.into(), ..entry })
}

fn truth(value: &Value) -> bool {
    !matches!(value, Value::Bool(false)) && value.as_i64() != Some(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(text: &str) -> Vec<String> {
        entries(text).unwrap().into_iter().map(|entry| entry.cluster_id).collect()
    }

    #[test]
    fn a_document_is_one_cluster_or_a_collection() {
        assert_eq!(ids(r#"{"cluster_id": "a"}"#), ["a"]);
        assert_eq!(ids(r#"[{"cluster_id": "a"}, {"cluster_id": "b"}]"#), ["a", "b"]);
        assert_eq!(ids(r#"{"clusters": [{"cluster_id": "a"}]}"#), ["a"]);
        assert_eq!(ids(r#"{"clusters": {"a": {}}}"#), ["a"]);
        assert_eq!(ids(r#"{"a": {}, "b": {"cluster_id": "c"}}"#), ["a", "c"]);
        assert_eq!(ids("{}"), [""; 0]);
        assert_eq!(ids("[]"), [""; 0]);
    }

    #[test]
    fn what_is_no_configuration_is_kept_apart() {
        let text = r#"{"cluster_id": "a", "cluster_name": "n", "status": "terminated",
            "expiry_time": "2024-01-15T10:30:00", "access_count": 7, "is_active": 0,
            "config": {"host": "h"}, "num_workers": 2, "last_accessed": null}"#;
        let [entry] = <[Entry; 1]>::try_from(entries(text).unwrap()).unwrap();
        let expected =
            ClusterConfig::new().with_host("h").with_cluster_name("n").with_num_workers(2);
        assert_eq!(entry.config, expected);
        assert_eq!(entry.status, ClusterStatus::Terminated);
        assert_eq!(entry.expiry_time, Some("2024-01-15T10:30:00".into()));
        assert_eq!((entry.access_count, entry.last_accessed), (Some(7), None));
        assert!(!entry.is_active);
    }

    #[test]
    fn what_can_not_be_taken_over_says_why() {
        let error = |text| entries(text).unwrap_err();
        assert!(matches!(error("{"), ImportError::Json(_)));
        for text in ["7", "[7]", r#"{"clusters": 7}"#, r#"{"hunter2": 7}"#] {
            let error = error(text);
            assert!(matches!(error, ImportError::Shape), "{error}");
        }
        let nameless = error(r#"[{"cluster_id": "a"}, {"cluster_name": "hunter2"}]"#);
        assert!(matches!(nameless, ImportError::Nameless { entry: 2 }), "{nameless}");
        assert!(matches!(error(r#"[{"cluster_id": ""}]"#), ImportError::Nameless { entry: 1 }));
    }
}
