//! Models as a file, for whoever has the models and not the program that they are of.
//!
//! Guards that what is read is a model: the rules that a builder checks are checked here too.

use serde::{Deserialize, Serialize};

use crate::{ModelRef, PlannedModel};

/// The version of the file's format that this crate writes.
const FORMAT: u32 = 1;

#[derive(Serialize)]
struct Written<'a> {
    format: u32,
    models: Vec<WrittenModel<'a>>,
}

#[derive(Serialize)]
struct WrittenModel<'a> {
    name: &'a str,
    table: &'a larder_model::TableModel,
}

#[derive(Deserialize)]
struct Read {
    models: Vec<PlannedModel>,
}

/// A text that is no file of models.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelsFileError {
    /// It was written by a later version of this crate.
    #[error("the file has format {format}, and this version knows {FORMAT}")]
    Format {
        /// The format.
        format: u32,
    },
    /// It is no such JSON, or one of the models breaks a rule.
    #[error("the file is not one of models")]
    Json(#[from] serde_json::Error),
}

/// Models as JSON, for `larder schema` and other programs that do not have them as Rust structs.
///
/// ```
/// use larder_migrate::{ModelRef, models_from_json, models_to_json};
/// use larder_model::{ColumnKind, ColumnModel, Identifier, TableModel};
///
/// let id = ColumnModel::new(Identifier::from_static("id"), ColumnKind::Int64).with_key();
/// let table = TableModel::builder(Identifier::from_static("airline")).column(id).build()?;
/// let json = models_to_json(&[ModelRef::new("Airline", &table)]);
/// assert_eq!(models_from_json(&json)?[0].table, table);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn models_to_json<'a>(models: &[ModelRef<'a>]) -> String {
    let model = |of: &ModelRef<'a>| WrittenModel { name: of.name, table: of.table };
    let mut models: Vec<_> = models.iter().map(model).collect();
    models.sort_by(|one, other| one.name.cmp(other.name));
    let file = Written { format: FORMAT, models };
    // Texts and numbers have no reason to fail; an empty file would be told by its reader.
    serde_json::to_string_pretty(&file).unwrap_or_default() + "\n"
}

/// Reads what [`models_to_json`] wrote.
///
/// # Errors
/// [`ModelsFileError`].
pub fn models_from_json(text: &str) -> Result<Vec<PlannedModel>, ModelsFileError> {
    // The format first: a later one may have other models.
    #[derive(Deserialize)]
    struct Format {
        format: u32,
    }
    let Format { format } = serde_json::from_str(text)?;
    if format != FORMAT {
        return Err(ModelsFileError::Format { format });
    }
    let Read { models } = serde_json::from_str(text)?;
    Ok(models)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_format_and_other_texts_are_told_apart() {
        let error = |text| models_from_json(text).unwrap_err();
        assert!(matches!(
            error("{\"format\":2,\"models\":7}"),
            ModelsFileError::Format { format: 2 }
        ));
        for text in ["", "[]", "{\"format\":1}", "{\"format\":1,\"models\":[{\"name\":\"a\"}]}"] {
            assert!(matches!(error(text), ModelsFileError::Json(_)), "{text}");
        }
    }
}
