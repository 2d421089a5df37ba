//! What a cluster was made from.
//!
//! Guards that two programs, in whatever language, that ask for the same cluster compute the same
//! hash, and that a token is neither stored nor shown.

use std::fmt;

use md5::{Digest as _, Md5};
use serde_json::{Map, Value, json};

use super::python_json;

/// The configuration of a cluster: what its provider was asked for.
///
/// It is an open set of fields, as the provider's own; the methods here are for those that have a
/// meaning in this crate. In memory it holds whatever it was given. Stored is what
/// [`stored`](Self::stored) says, which has no secrets in it.
///
/// ```
/// use larder_clusters::ClusterConfig;
///
/// let config = ClusterConfig::new()
///     .with_host("https://workspace.cloud.databricks.com")
///     .with_cluster_name("nightly")
///     .with_node_type_id("m5.large")
///     .with_spark_version("13.3.x-scala2.12");
/// assert_eq!(config.hash(), config.with_num_workers(1).hash());
/// ```
#[derive(Clone, Default, PartialEq)]
pub struct ClusterConfig {
    fields: Map<String, Value>,
}

impl ClusterConfig {
    /// A configuration that says nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the workspace.
    #[must_use]
    pub fn with_host(self, host: impl Into<String>) -> Self {
        self.with("host", host.into())
    }

    /// Sets the cluster's name.
    #[must_use]
    pub fn with_cluster_name(self, name: impl Into<String>) -> Self {
        self.with("cluster_name", name.into())
    }

    /// Sets the kind of machine.
    #[must_use]
    pub fn with_node_type_id(self, node_type_id: impl Into<String>) -> Self {
        self.with("node_type_id", node_type_id.into())
    }

    /// Sets the version of Spark.
    #[must_use]
    pub fn with_spark_version(self, version: impl Into<String>) -> Self {
        self.with("spark_version", version.into())
    }

    /// Sets the number of workers. Default: 1.
    #[must_use]
    pub fn with_num_workers(self, workers: u32) -> Self {
        self.with("num_workers", workers)
    }

    /// Sets after how many idle minutes the cluster ends by itself. Default: 120.
    #[must_use]
    pub fn with_autotermination_minutes(self, minutes: u32) -> Self {
        self.with("autotermination_minutes", minutes)
    }

    /// Sets whether several processes use the cluster. Default: no.
    #[must_use]
    pub fn with_shared(self, is_shared: bool) -> Self {
        self.with("is_shared", is_shared)
    }

    /// Sets any field, such as `spark_conf` and `aws_attributes`.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.fields.insert(name.into(), value.into());
        self
    }

    /// The value of a field.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Value> {
        self.fields.get(name)
    }

    /// The names of all fields.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.fields.keys().map(String::as_str)
    }

    /// The cluster's name.
    #[must_use]
    pub fn cluster_name(&self) -> Option<&str> {
        self.text("cluster_name")
    }

    /// The workspace.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        self.text("host")
    }

    /// The number of workers: 1 if nothing is said, `None` if what is said is no number.
    #[must_use]
    pub fn num_workers(&self) -> Option<i64> {
        match self.fields.get("num_workers") {
            None | Some(Value::Null) => Some(1),
            Some(Value::String(text)) => text.parse().ok(),
            Some(value) => value.as_i64(),
        }
    }

    /// Whether several processes use the cluster.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        match self.fields.get("is_shared") {
            Some(Value::Bool(is_shared)) => *is_shared,
            Some(Value::Number(number)) => number.as_i64().is_some_and(|number| number != 0),
            _ => false,
        }
    }

    /// The hash under which processes find each other that want the same cluster: 32 hexadecimal
    /// digits.
    ///
    /// It covers the workspace, name, kind of machine, version, number of workers, time until
    /// self-termination, `spark_conf` and `aws_attributes`, with the defaults that the Python tool
    /// has for them, and is the one that this tool computes. An integer of more than 64 bits is
    /// the exception: it is hashed as the nearest float.
    ///
    /// # Source
    /// RFC 1321. Here MD5 only finds; it does not protect.
    #[must_use]
    pub fn hash(&self) -> String {
        let or = |name: &str, default: Value| self.fields.get(name).cloned().unwrap_or(default);
        let relevant = json!({
            "host": or("host", json!("")),
            "cluster_name": or("cluster_name", json!("")),
            "node_type_id": or("node_type_id", json!("")),
            "spark_version": or("spark_version", json!("")),
            "num_workers": or("num_workers", json!(1)),
            "autotermination_minutes": or("autotermination_minutes", json!(120)),
            "spark_conf": or("spark_conf", json!({})),
            "aws_attributes": or("aws_attributes", json!({})),
        });
        let digest = Md5::digest(python_json::dumps(&relevant));
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// What of it may be stored and shown: all but fields, however deep, whose name speaks of a
    /// token, a password or a secret, and the part of a URL that names a user.
    #[must_use]
    pub fn stored(&self) -> Self {
        let mut fields = self.fields.clone();
        without_secrets(&mut fields);
        Self { fields }
    }

    /// The whole as JSON.
    #[must_use]
    pub fn to_json(&self) -> Value {
        Value::Object(self.fields.clone())
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.fields.get(name).and_then(Value::as_str)
    }
}

/// From a JSON object.
impl From<Map<String, Value>> for ClusterConfig {
    fn from(fields: Map<String, Value>) -> Self {
        Self { fields }
    }
}

/// Shows the names of the fields; a value may be secret.
impl fmt::Debug for ClusterConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.fields.keys()).finish()
    }
}

fn without_secrets(fields: &mut Map<String, Value>) {
    fields.retain(|name, _| !is_secret(name));
    fields.values_mut().for_each(clean);
}

fn clean(value: &mut Value) {
    match value {
        Value::Object(fields) => without_secrets(fields),
        Value::Array(values) => values.iter_mut().for_each(clean),
        Value::String(text) => {
            if let Some(bare) = without_user(text) {
                *text = bare;
            }
        }
        _ => {}
    }
}

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["token", "password", "passwd", "secret"].iter().any(|word| name.contains(word))
}

/// A text, and a URL without the user and password in it.
pub(super) fn bare(text: String) -> String {
    without_user(&text).unwrap_or(text)
}

/// A URL without the user and password in it; `None` if it has none.
///
/// # Source
/// RFC 3986, section 3.2.
fn without_user(text: &str) -> Option<String> {
    let (scheme, rest) = text.split_once("://")?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let at = rest[..end].rfind('@')?;
    Some(format!("{scheme}://{}", &rest[at + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(value: Value) -> ClusterConfig {
        match value {
            Value::Object(fields) => fields.into(),
            _ => panic!("not an object: {value}"),
        }
    }

    /// The hashes come from `hashlib.md5(json.dumps(…, sort_keys=True).encode()).hexdigest()`.
    #[test]
    fn the_hash_is_the_one_of_python() {
        for (value, hash) in [
            (json!({}), "375e04add47d8222881676ed9d93c8ab"),
            (
                json!({
                    "cluster_name": "test-cluster", "host": "https://workspace.cloud.databricks.com",
                    "node_type_id": "m5.large", "spark_version": "13.3.x-scala2.12",
                    "num_workers": 1, "autotermination_minutes": 120, "is_shared": false,
                    "created_at": "2025-06-09T13:37:23.420000",
                }),
                "bdedccec10e8b476bb39cd0b6fb86801",
            ),
            (
                json!({
                    "cluster_name": "M\u{fc}nchen \u{1f6e9}\n\"", "num_workers": null,
                    "spark_conf": {"z": 0.1, "a": [1e16, true, null], "\u{e9}": "\u{7f}"},
                    "aws_attributes": {"zone_id": "auto", "first_on_demand": 1},
                }),
                "992b435211fd7eabebefba025b39cfb1",
            ),
        ] {
            assert_eq!(config(value.clone()).hash(), hash, "{value}");
        }
    }

    #[test]
    fn what_is_left_out_has_a_default() {
        let explicit = json!({
            "host": "", "cluster_name": "", "node_type_id": "", "spark_version": "",
            "num_workers": 1, "autotermination_minutes": 120, "spark_conf": {},
            "aws_attributes": {}, "created_at": "now", "is_shared": true,
        });
        assert_eq!(config(explicit).hash(), ClusterConfig::new().hash());
        assert_ne!(ClusterConfig::new().with_num_workers(2).hash(), ClusterConfig::new().hash());
        assert_eq!(ClusterConfig::new().num_workers(), Some(1));
        assert_eq!(ClusterConfig::new().with("num_workers", "8").num_workers(), Some(8));
        assert_eq!(ClusterConfig::new().with("num_workers", "many").num_workers(), None);
    }

    #[test]
    fn no_token_is_stored_or_shown() {
        let value = json!({
            "DATABRICKS_TOKEN": "hunter2", "token": "hunter2", "client_secret": "hunter2",
            "host": "https://token:hunter2@h.example/?o=1", "cluster_name": "a@b",
            "spark_conf": {"spark.databricks.Token": "hunter2", "spark.executor.cores": "4"},
            "init": [{"password": "hunter2", "path": "s3://u:hunter2@b/x"}],
        });
        let config = config(value);
        let stored = config.stored();
        assert!(!stored.to_json().to_string().contains("hunter2"), "{}", stored.to_json());
        assert!(!format!("{config:?}").contains("hunter2"));
        assert_eq!(stored.host(), Some("https://h.example/?o=1"));
        assert_eq!(stored.cluster_name(), Some("a@b"));
        assert_eq!(stored.field("spark_conf"), Some(&json!({"spark.executor.cores": "4"})));
        assert_eq!(stored.field("init"), Some(&json!([{"path": "s3://b/x"}])));
    }
}
