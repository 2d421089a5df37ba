//! What the history keeps of a file besides its checksum, as JSON in the column for plans.

use serde::{Deserialize, Serialize};

use crate::{Direction, MigrationRow};

/// What the history keeps of a file. Fields are added, and neither renamed nor removed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FileNote {
    /// The file's path within its folder.
    #[serde(default)]
    pub(crate) path: String,
    /// Whether the file that comes down is what was begun last.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) down: bool,
    /// Whether one that comes after it had been applied before.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) out_of_order: bool,
    /// The tool that applied it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) imported: Option<ImportNote>,
}

/// Where it was read that a file is applied.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ImportNote {
    pub(crate) tool: String,
    pub(crate) table: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) applied_at: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) checksum: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
const fn is_false(value: &bool) -> bool {
    !*value
}

impl FileNote {
    /// What a row says; nothing if it says something else.
    pub(crate) fn of(row: &MigrationRow) -> Self {
        let json = row.plan_json.as_deref().unwrap_or_default();
        serde_json::from_str(json).unwrap_or_default()
    }

    pub(crate) fn to_json(&self) -> Option<String> {
        // Texts and booleans can always be written.
        serde_json::to_string(self).ok()
    }

    pub(crate) const fn direction(&self) -> Direction {
        if self.down { Direction::Down } else { Direction::Up }
    }
}
