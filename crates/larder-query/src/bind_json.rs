//! Parameters from `serde_json`. Guards that one document is one parameter: its text is compact
//! and its keys are in the order that `serde_json` gives them.

#![cfg(feature = "json")]

use crate::{Bind, ParamType, Slot};

impl Bind for serde_json::Value {
    const TYPE: ParamType = ParamType::Json;

    fn bind(&self, slot: Slot<'_>) {
        slot.json(self);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::{Param, Params};

    #[test]
    fn nesting_counts() {
        let mut params = Params::new();
        params.bind(json!([1, [2]])).bind(json!([[1], 2])).bind(json!(null));
        assert_eq!(
            params.iter().collect::<Vec<_>>(),
            [Param::Json("[1,[2]]"), Param::Json("[[1],2]"), Param::Json("null")]
        );
    }
}
