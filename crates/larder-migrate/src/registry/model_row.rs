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

impl ModelRow {
    /// The declaration; `None` if it is not known or was written in another format.
    #[must_use]
    pub fn definition(&self) -> Option<TableModel> {
        serde_json::from_str(self.definition_json.as_deref()?).ok()
    }
}
