//! How far a run came, in a file.
//!
//! Invariant: the file is whole at every moment, because another is written and takes its place. A
//! tenant that is in it is done with; one that is missing is looked at again, which costs little.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::FanOutError;

/// How far a run came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct State {
    /// The version of this file's content.
    format: u32,
    pub(super) run: String,
    /// The digest of the models, so that a run goes on with the same ones.
    pub(super) models: String,
    /// The tenants whose tables are as they should be.
    pub(super) done: BTreeSet<String>,
}

const FORMAT: u32 = 1;

/// The file of a run.
#[derive(Clone, Debug)]
pub(super) struct StateFile(PathBuf);

impl StateFile {
    /// The file of a run in a folder.
    pub(super) fn new(folder: &Path, run: &str) -> Result<Self, FanOutError> {
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if run.is_empty() || run.starts_with('.') || !run.chars().all(is_allowed) {
            return Err(FanOutError::RunName { run: run.to_owned() });
        }
        Ok(Self(folder.join(format!("{run}.fanout.json"))))
    }

    /// How far the run came; a new one if it has not begun.
    pub(super) fn load(&self, run: &str, models: &str) -> Result<State, FanOutError> {
        let fresh = || State {
            format: FORMAT,
            run: run.to_owned(),
            models: models.to_owned(),
            done: BTreeSet::new(),
        };
        let text = match fs::read(&self.0) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(fresh()),
            Err(error) => return Err(self.error(error)),
        };
        let state: State =
            serde_json::from_slice(&text).map_err(|error| self.error(error.into()))?;
        if state.format != FORMAT {
            let error = io::Error::new(io::ErrorKind::InvalidData, "another version wrote it");
            return Err(self.error(error));
        }
        if state.models != models {
            return Err(FanOutError::OtherModels { run: run.to_owned() });
        }
        Ok(state)
    }

    /// Keeps how far the run came.
    pub(super) async fn save(&self, state: &State) -> Result<(), FanOutError> {
        let text = serde_json::to_vec(state).map_err(|error| self.error(error.into()))?;
        let path = self.0.clone();
        let write = tokio::task::spawn_blocking(move || write_whole(&path, &text));
        let written = write.await.map_err(io::Error::other).and_then(|written| written);
        written.map_err(|error| self.error(error))
    }

    fn error(&self, source: io::Error) -> FanOutError {
        FanOutError::State { path: self.0.clone(), source }
    }
}

fn write_whole(path: &Path, text: &[u8]) -> io::Result<()> {
    use io::Write as _;

    let beside = path.with_extension("json.new");
    let mut file = fs::File::create(&beside)?;
    file.write_all(text)?;
    file.sync_all()?;
    fs::rename(&beside, path)
}
