//! Models as a repository keeps them: what can be verified without a database.
//!
//! Guards that a model does not change unnoticed: the file changes with it, and whoever reviews
//! the change sees it.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use crate::ModelRef;

/// The checksums of models, as they stand in a file beside the code: `larder-schema.lock`.
///
/// ```
/// use larder_migrate::{LockFile, ModelRef};
/// # use larder_model::{ColumnKind, ColumnModel, Identifier, TableModel};
/// # let id = Identifier::from_static("id");
/// # let builder = TableModel::builder(Identifier::from_static("airline"));
/// # let table = builder.column(ColumnModel::new(id, ColumnKind::Int64)).build().unwrap();
/// let models = [ModelRef::new("Airline", &table)];
/// let kept = LockFile::of(&models).to_json();
/// let read: LockFile = kept.parse()?;
/// assert!(read.compare(&models).is_empty());
/// # Ok::<(), larder_migrate::LockFileError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LockFile {
    /// The version of the file's format.
    pub format: u32,
    /// The checksums, by table and model.
    pub models: BTreeMap<String, String>,
}

/// A text that is no such file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LockFileError {
    /// It was written by a later version of this crate.
    #[error("the lock file has format {format}, and this version knows {}", LockFile::FORMAT)]
    Format {
        /// The format.
        format: u32,
    },
    /// It is no such JSON.
    #[error("the lock file can not be read")]
    Json(#[from] serde_json::Error),
}

/// How models differ from a [`LockFile`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LockFileDifference {
    /// The model is not in the file.
    Added {
        /// Table and model, as in the file.
        model: String,
    },
    /// The model is in the file with another checksum.
    Changed {
        /// Table and model, as in the file.
        model: String,
        /// The checksum in the file.
        from: String,
        /// The checksum of the model.
        to: String,
    },
    /// The model is in the file only.
    Removed {
        /// Table and model, as in the file.
        model: String,
    },
}

impl LockFile {
    /// The version of the format that this crate writes.
    pub const FORMAT: u32 = 1;

    /// The file for these models.
    #[must_use]
    pub fn of(models: &[ModelRef<'_>]) -> Self {
        let entry = |of: &ModelRef<'_>| (key(of), of.table.checksum().to_string());
        Self { format: Self::FORMAT, models: models.iter().map(entry).collect() }
    }

    /// As it stands in the file: sorted, one line for each model, with a line break at the end.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Texts and a number have no reason to fail; an empty file would be told by its reader.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// How models differ from the file, sorted by table and model; empty if they do not.
    #[must_use]
    pub fn compare(&self, models: &[ModelRef<'_>]) -> Vec<LockFileDifference> {
        let now = Self::of(models).models;
        let mut names: Vec<_> = self.models.keys().chain(now.keys()).collect();
        names.sort();
        names.dedup();
        let differ = names.into_iter().filter_map(|name| {
            let model = name.clone();
            match (self.models.get(name), now.get(name)) {
                (None, _) => Some(LockFileDifference::Added { model }),
                (Some(_), None) => Some(LockFileDifference::Removed { model }),
                (Some(from), Some(to)) if from != to => {
                    let (from, to) = (from.clone(), to.clone());
                    Some(LockFileDifference::Changed { model, from, to })
                }
                (Some(_), Some(_)) => None,
            }
        });
        differ.collect()
    }
}

fn key(of: &ModelRef<'_>) -> String {
    let schema = of.table.schema().map(|schema| format!("{schema}.")).unwrap_or_default();
    format!("{schema}{} {}", of.table.name(), of.name)
}

impl fmt::Display for LockFileDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Added { model } => write!(f, "{model} is not in the file"),
            Self::Changed { model, .. } => write!(f, "{model} was changed"),
            Self::Removed { model } => write!(f, "{model} is in the file only"),
        }
    }
}

impl std::str::FromStr for LockFile {
    type Err = LockFileError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let file: Self = serde_json::from_str(text)?;
        match file.format {
            Self::FORMAT => Ok(file),
            format => Err(LockFileError::Format { format }),
        }
    }
}

#[cfg(test)]
mod tests {
    use larder_model::{ColumnKind, ColumnModel, Identifier, TableModel};

    use super::*;

    fn table(name: &'static str, columns: &[&'static str]) -> TableModel {
        let builder = TableModel::builder(Identifier::from_static(name));
        let column = |name| ColumnModel::new(Identifier::from_static(name), ColumnKind::Text);
        columns.iter().fold(builder, |builder, name| builder.column(column(name))).build().unwrap()
    }

    #[test]
    fn every_difference_is_told_by_its_model() {
        let (a, b, c) = (table("a", &["x"]), table("b", &["x"]), table("c", &["x"]));
        let file = LockFile::of(&[ModelRef::new("A", &a), ModelRef::new("B", &b)]);
        let changed = table("b", &["x", "y"]);
        let models = [ModelRef::new("B", &changed), ModelRef::new("C", &c)];
        let found = file.compare(&models);
        assert!(matches!(&found[0], LockFileDifference::Removed { model } if model == "a A"));
        assert!(matches!(&found[1], LockFileDifference::Changed { model, .. } if model == "b B"));
        assert!(matches!(&found[2], LockFileDifference::Added { model } if model == "c C"));
        assert_eq!(found.len(), 3);
    }

    #[test]
    fn a_later_format_is_an_error_and_no_difference() {
        let text = r#"{"format": 2, "models": {}}"#;
        assert!(matches!(text.parse::<LockFile>(), Err(LockFileError::Format { format: 2 })));
        assert!(matches!("{".parse::<LockFile>(), Err(LockFileError::Json(_))));
    }
}
