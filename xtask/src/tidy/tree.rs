//! The files of the workspace, read once; rules see nothing else, so that tests can make one up.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use crate::failure::Failure;

/// Paths are relative to the root, with forward slashes.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    /// Every file and folder.
    paths: BTreeSet<String>,
    /// The text of the files that rules read: Rust, Markdown and TOML.
    texts: BTreeMap<String, String>,
}

impl Tree {
    /// Reads what is below `root`, but for build output and git's own files.
    pub(crate) fn load(root: &Path) -> Result<Self, Failure> {
        let mut tree = Self::default();
        tree.load_folder(root, "")?;
        Ok(tree)
    }

    #[cfg(test)]
    pub(crate) fn from_files(files: &[(&str, &str)]) -> Self {
        let mut tree = Self::default();
        for (path, text) in files {
            tree.paths.insert((*path).to_owned());
            for (slash, _) in path.match_indices('/') {
                tree.paths.insert(path[..slash].to_owned());
            }
            tree.texts.insert((*path).to_owned(), (*text).to_owned());
        }
        tree
    }

    /// Whether there is such a file or folder; the root itself is the empty path.
    pub(crate) fn contains(&self, path: &str) -> bool {
        path.is_empty() || self.paths.contains(path)
    }

    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.texts.get(path).map(String::as_str)
    }

    /// The files that end in `.extension`, with their text, by path.
    pub(crate) fn with_extension(&self, extension: &str) -> impl Iterator<Item = (&str, &str)> {
        self.texts
            .iter()
            .map(|(path, text)| (path.as_str(), text.as_str()))
            .filter(move |(path, _)| path.rsplit_once('.').is_some_and(|(_, own)| own == extension))
    }

    fn load_folder(&mut self, folder: &Path, prefix: &str) -> Result<(), Failure> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| Failure::File { path, source }
        };
        for entry in fs::read_dir(folder).map_err(failed(folder))? {
            let path = entry.map_err(failed(folder))?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let relative = format!("{prefix}{name}");
            if path.is_dir() {
                if !matches!(&*name, "target" | ".git") {
                    self.load_folder(&path, &format!("{relative}/"))?;
                    self.paths.insert(relative);
                }
                continue;
            }
            if [".rs", ".md", ".toml"].iter().any(|end| name.ends_with(end)) {
                let text = fs::read_to_string(&path).map_err(failed(&path))?;
                self.texts.insert(relative.clone(), text);
            }
            self.paths.insert(relative);
        }
        Ok(())
    }
}

/// The lines of a text, counted from 1.
pub(crate) fn numbered_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(index, line)| (index + 1, line))
}

/// The folder of a path, without a slash; empty for a file at the root.
pub(crate) fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// A path inside a folder, where the root is the empty folder.
pub(crate) fn inside(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}
