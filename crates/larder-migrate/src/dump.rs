//! A whole schema, as it can be kept and compared.

use larder_model::{Catalog, Dialect, Fingerprint};
use serde::{Deserialize, Serialize};

/// A whole schema.
///
/// Its JSON is stable: fields are added, and neither renamed nor removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Dump {
    /// Whose schema it is.
    pub dialect: Dialect,
    /// Its digest.
    pub fingerprint: Fingerprint,
    /// Its tables and types, sorted by name.
    pub catalog: Catalog,
    /// The statements that create it, in an order in which they can run.
    pub statements: Vec<String>,
}
