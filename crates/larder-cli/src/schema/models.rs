//! The models that a command is about, from the file that a service wrote.

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use clap::Args;
use larder::migrate::{ModelRef, PlannedModel, models_from_json};

use super::plain::path;
use crate::failure::Failure;

/// Where the models stand.
#[derive(Clone, Debug, Args)]
pub(super) struct ModelsArgs {
    /// The file with the models, as `larder::migrate::models_to_json` writes it
    #[arg(long, value_name = "FILE", default_value = "larder-schema.json", value_parser = path)]
    models: PathBuf,
}

impl ModelsArgs {
    /// Reads the models.
    ///
    /// # Errors
    /// If the file can not be read, or is not of that form.
    pub(super) fn read(&self) -> Result<Vec<PlannedModel>, Failure> {
        let text = read_file(&self.models).map_err(|failure| match failure {
            Failure::File { path, source, .. } if source.kind() == ErrorKind::NotFound => {
                Failure::NoModels { path }
            }
            other => other,
        })?;
        models_from_json(&text)
            .map_err(|source| Failure::Models { path: self.models.clone(), source: source.into() })
    }
}

pub(super) fn refs(models: &[PlannedModel]) -> Vec<ModelRef<'_>> {
    models.iter().map(|model| ModelRef::new(&model.name, &model.table)).collect()
}

/// The text of a file that the command line names.
pub(super) fn read_file(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|source| Failure::File {
        path: path.to_owned(),
        action: "read",
        source,
    })
}
