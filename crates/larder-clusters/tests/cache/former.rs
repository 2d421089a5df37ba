//! Files that the Python tool made, and its statements on files that are ours.

mod scenarios;
mod statements;

use larder_sqlite_file::rusqlite::{Connection, types::ValueRef};
use scenarios::Runner;
use serde_json::Value;

/// Another program on the same file, played by this one.
struct Here;

impl Runner for Here {
    fn run(&self, path: &std::path::Path, sql: &str, params: &[Value]) -> Vec<Vec<Value>> {
        let connection = Connection::open(path).unwrap();
        // Python's SQLite enforces no foreign keys unless it is told to.
        connection.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
        if params.is_empty() && sql.contains(';') {
            connection.execute_batch(sql).unwrap();
            return Vec::new();
        }
        let mut statement = connection.prepare(sql).unwrap();
        let columns = statement.column_count();
        let params = params.iter().map(|value| match value {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        });
        let params = larder_sqlite_file::rusqlite::params_from_iter(params);
        let rows = statement.query_map(params, |row| {
            (0..columns).map(|index| Ok(json(row.get_ref(index)?))).collect()
        });
        rows.unwrap().collect::<Result<_, _>>().unwrap()
    }
}

fn json(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Integer(number) => number.into(),
        ValueRef::Real(number) => number.into(),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into(),
        ValueRef::Null | ValueRef::Blob(_) => Value::Null,
    }
}

#[test]
fn a_file_with_rows_in_every_state_opens_and_lists() {
    scenarios::opens_and_lists(&Here);
}

#[test]
fn what_one_side_writes_the_other_one_reads() {
    scenarios::both_write(&Here);
}

#[test]
fn a_configuration_is_not_taken_for_that_of_a_cluster_which_the_tool_cached_anew() {
    scenarios::replaced_by_the_tool(&Here);
}

#[test]
fn what_the_tool_shares_is_joined_and_counted() {
    scenarios::shared_things_are_joined(&Here);
}

/// The same with Python's own sqlite3.
mod python {
    use std::{path::Path, process::Command};

    use larder_clusters::ClusterConfig;
    use serde_json::{Value, json};

    use super::scenarios::{self, Runner};

    struct Python;

    fn python(script: &str, argument: &Value) -> Value {
        let Some(python) = std::env::var_os("LARDER_PYTHON") else {
            panic!("LARDER_PYTHON is not set; `cargo xtask test` finds one");
        };
        let argument = argument.to_string();
        let output = Command::new(python).args(["-c", script, &argument]).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{stderr}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    impl Runner for Python {
        fn run(&self, path: &Path, sql: &str, params: &[Value]) -> Vec<Vec<Value>> {
            const SCRIPT: &str = "
import json, sqlite3, sys
path, sql, params = json.loads(sys.argv[1])
connection = sqlite3.connect(path, timeout=30.0)
connection.execute('PRAGMA journal_mode=WAL')
if ';' in sql and not params:
    connection.executescript(sql)
    rows = []
else:
    rows = connection.execute(sql, params).fetchall()
connection.commit()
connection.close()
print(json.dumps(rows))
";
            let rows = python(SCRIPT, &json!([path, sql, params]));
            serde_json::from_value(rows).unwrap()
        }
    }

    #[test]
    #[ignore = "needs a live service"]
    fn a_file_with_rows_in_every_state_opens_and_lists() {
        scenarios::opens_and_lists(&Python);
    }

    #[test]
    #[ignore = "needs a live service"]
    fn what_one_side_writes_the_other_one_reads() {
        scenarios::both_write(&Python);
    }

    #[test]
    #[ignore = "needs a live service"]
    fn a_configuration_is_not_taken_for_that_of_a_cluster_which_the_tool_cached_anew() {
        scenarios::replaced_by_the_tool(&Python);
    }

    #[test]
    #[ignore = "needs a live service"]
    fn what_the_tool_shares_is_joined_and_counted() {
        scenarios::shared_things_are_joined(&Python);
    }

    #[test]
    #[ignore = "needs a live service"]
    fn python_reads_our_times_as_they_are_meant() {
        const SCRIPT: &str = "
import datetime, json, sys
def millis(text):
    moment = datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.timezone.utc)
    return round(moment.timestamp() * 1000)
print(json.dumps([millis(text) for text in json.loads(sys.argv[1])]))
";
        let place = crate::support::Place::new();
        let cached = place.cache().cache_new_cluster("a", &ClusterConfig::new()).unwrap();
        let texts: (String, String) = place
            .raw()
            .query_row("SELECT created_at, expiry_time FROM clusters", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .unwrap();
        let read = python(SCRIPT, &json!([texts.0, texts.1]));
        assert_eq!(read, json!([cached.created_at_ms, cached.expires_at_ms]));
    }

    #[test]
    #[ignore = "needs a live service"]
    fn a_zlib_configuration_is_read_by_python() {
        const SCRIPT: &str = "
import json, sqlite3, sys, zlib
rows = sqlite3.connect(json.loads(sys.argv[1])).execute('SELECT config FROM larder_cluster')
print(zlib.decompress(rows.fetchone()[0]).decode())
";
        let place = crate::support::Place::new();
        let config = crate::support::config("n").with("notes", "x".repeat(5_000));
        place.cache().cache_new_cluster("a", &config).unwrap();
        assert_eq!(python(SCRIPT, &json!(place.path("clusters.db"))), config.to_json());
    }

    #[test]
    #[ignore = "needs a live service"]
    fn the_hash_of_any_configuration_is_the_one_of_python() {
        const SCRIPT: &str = "
import hashlib, json, sys
def digest(given):
    fields = {name: given.get(name, default) for name, default in (
        ('host', ''), ('cluster_name', ''), ('node_type_id', ''), ('spark_version', ''),
        ('num_workers', 1), ('autotermination_minutes', 120), ('spark_conf', {}),
        ('aws_attributes', {}))}
    return hashlib.md5(json.dumps(fields, sort_keys=True).encode()).hexdigest()
print(json.dumps([digest(given) for given in json.loads(sys.argv[1])]))
";
        // Texts from all planes, numbers around every change of notation.
        let texts: Vec<String> = (0..200_u32)
            .map(|n| (0..4).filter_map(move |k| char::from_u32((n * 7_919 + k * 263) % 0x11_0000)))
            .map(Iterator::collect)
            .collect();
        let configs: Vec<Value> = texts
            .iter()
            .enumerate()
            .map(|(n, text)| {
                let exponent = i32::try_from(n).unwrap() - 100;
                let float = 1.234_567_890_123_456_7 * 10_f64.powi(exponent);
                json!({
                    "cluster_name": text, "num_workers": n, "is_shared": true,
                    "spark_conf": {text: float, "whole": 10_f64.powi(exponent), "neg": -float},
                    "aws_attributes": {"list": [text, null, {"b": 1, "a": false}]},
                })
            })
            .collect();
        let hashes = configs.iter().map(|value| {
            let fields = value.as_object().unwrap().clone();
            Value::from(ClusterConfig::from(fields).hash())
        });
        assert_eq!(python(SCRIPT, &json!(configs)), Value::Array(hashes.collect()));
    }
}
