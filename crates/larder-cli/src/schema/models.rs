//! The models that a command is about, from the file that a service wrote.

use std::{fs, path::PathBuf};

use clap::Args;
use larder::migrate::{ModelRef, PlannedModel, models_from_json};

use crate::failure::Failure;

/// Where the models stand.
#[derive(Clone, Debug, Args)]
pub(super) struct ModelsArgs {
    /// The file with the models, as `larder::migrate::models_to_json` writes it
    #[arg(long, value_name = "FILE", default_value = "larder-schema.json")]
    models: PathBuf,
}

impl ModelsArgs {
    /// Reads the models.
    ///
    /// # Errors
    /// If the file can not be read, or is not of that form.
    pub(super) fn read(&self) -> Result<Vec<PlannedModel>, Failure> {
        let action = "read";
        let text = fs::read_to_string(&self.models).map_err(|source| Failure::File {
            path: self.models.clone(),
            action,
            source,
        })?;
        models_from_json(&text)
            .map_err(|source| Failure::Models { path: self.models.clone(), source: source.into() })
    }
}

pub(super) fn refs(models: &[PlannedModel]) -> Vec<ModelRef<'_>> {
    models.iter().map(|model| ModelRef::new(&model.name, &model.table)).collect()
}
