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
        let hint = "a service writes it with larder::migrate::models_to_json, and --models names \
                    another file";
        let text = read_file(&self.models, hint)?;
        models_from_json(&text)
            .map_err(|source| Failure::Models { path: self.models.clone(), source: source.into() })
    }
}

pub(super) fn refs(models: &[PlannedModel]) -> Vec<ModelRef<'_>> {
    models.iter().map(|model| ModelRef::new(&model.name, &model.table)).collect()
}

/// The text of a file that the command line names; `hint` says where it comes from.
pub(super) fn read_file(path: &Path, hint: &'static str) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|source| {
        let path = path.to_owned();
        match source.kind() {
            ErrorKind::NotFound => Failure::Missing { path, hint },
            _ => Failure::File { path, action: "read", source },
        }
    })
}
