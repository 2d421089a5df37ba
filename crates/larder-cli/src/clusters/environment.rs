//! What the environment says about the workspace.
//!
//! Guards that the token is read for one purpose: to find it where it must not get to.

use std::env;

use larder::clusters::ClusterConfig;
use serde_json::Value;

use crate::failure::Failure;

/// What the environment says about the workspace. It has no `Debug`, because the token is in it.
pub(super) struct Environment {
    pub(super) host: Option<String>,
    pub(super) cluster_id: Option<String>,
    token: Option<String>,
}

impl Environment {
    pub(super) fn read() -> Self {
        Self::from_lookup(|name| env::var(name).ok())
    }

    fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Self {
        let variable = |name| lookup(name).filter(|value| !value.trim().is_empty());
        Self {
            host: variable("DATABRICKS_HOST"),
            cluster_id: variable("DATABRICKS_CLUSTER_ID"),
            token: variable("DATABRICKS_TOKEN"),
        }
    }

    /// Refuses what has the token in it where it would be stored.
    pub(super) fn refuse_token(&self, stored: &Value) -> Result<(), Failure> {
        match &self.token {
            Some(token) if has(stored, token.trim()) => Err(Failure::TokenStored),
            _ => Ok(()),
        }
    }

    /// Refuses a document that has the token in it, other than in fields that are left out anyway.
    pub(super) fn refuse_token_in(&self, document: Value) -> Result<(), Failure> {
        self.refuse_token(&ClusterConfig::new().with("document", document).stored().to_json())
    }
}

fn has(value: &Value, token: &str) -> bool {
    match value {
        Value::String(text) => text.contains(token),
        Value::Array(values) => values.iter().any(|value| has(value, token)),
        Value::Object(fields) => {
            fields.iter().any(|(name, value)| name.contains(token) || has(value, token))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn environment() -> Environment {
        Environment::from_lookup(|name| match name {
            "DATABRICKS_TOKEN" => Some(" hunter2\n".to_owned()),
            "DATABRICKS_HOST" => Some("https://h".to_owned()),
            "DATABRICKS_CLUSTER_ID" => Some(" ".to_owned()),
            _ => None,
        })
    }

    #[test]
    fn an_empty_variable_counts_as_not_set() {
        assert_eq!(environment().host.as_deref(), Some("https://h"));
        assert_eq!(environment().cluster_id, None);
    }

    #[test]
    fn the_token_is_found_wherever_it_stands() {
        let refused = |value: Value| environment().refuse_token_in(value).is_err();
        for value in [
            json!("a hunter2"),
            json!([["hunter2"]]),
            json!({"a": {"b": "xhunter2x"}}),
            json!({"hunter2": 1}),
        ] {
            assert!(refused(value.clone()), "{value}");
        }
        assert!(!refused(json!({"token": "hunter2", "a": ["hunter", 2, null]})));
        let nobody = Environment::from_lookup(|_| None);
        assert!(nobody.refuse_token(&json!("hunter2")).is_ok());
    }
}
