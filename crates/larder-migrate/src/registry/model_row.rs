//! What the registry knows of one model.

use larder_model::TableModel;

/// A model as the registry has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "plain data, row by row what the table has")]
pub struct ModelRow {
    /// The application whose model it is.
    pub application: String,
    /// PostgreSQL's schema; empty elsewhere.
    pub schema: String,
    /// The model's name.
    pub model: String,
    /// The table's name.
    pub table: String,
    /// `ensured`, or what others wrote.
    pub status: String,
    /// How often it was migrated, its creation included.
    pub version: i64,
    /// The digest of its declaration.
    pub model_checksum: String,
    /// The digest of the table right after it was last ensured.
    pub schema_fingerprint: Option<String>,
    /// What told then that the table was as it was, see [`tokens`](crate::tokens).
    pub catalog_token: Option<String>,
    /// The declaration, as JSON; read only where it is needed.
    pub definition_json: Option<String>,
    /// When it was last ensured, in microseconds since 1970 UTC, by the database's clock.
    pub verified_us: Option<i64>,
}

/// The fewest characters of a checksum that tell it from every other.
const CHECKSUM_MIN: usize = 32;

impl ModelRow {
    /// Whether a declaration with this checksum is the one that the row is about. In a registry
    /// that others began the row may have only as much of it as fits there.
    #[must_use]
    pub fn is_of(&self, checksum: &str) -> bool {
        let known = &self.model_checksum;
        known == checksum || (known.len() >= CHECKSUM_MIN && checksum.starts_with(known.as_str()))
    }

    /// The declaration; `None` if it is not known or was written in another format.
    #[must_use]
    pub fn definition(&self) -> Option<TableModel> {
        serde_json::from_str(self.definition_json.as_deref()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checksum_is_known_by_enough_of_its_beginning() {
        let full = format!("v1:sha256:{}", "ab".repeat(32));
        let row = |text: &str| ModelRow { model_checksum: text.into(), ..Default::default() };
        assert!(row(&full).is_of(&full));
        assert!(row(&full[..64]).is_of(&full));
        assert!(!row(&full[..20]).is_of(&full));
        assert!(!row("").is_of(&full));
        assert!(!row(&full.replace('b', "c")).is_of(&full));
    }
}
