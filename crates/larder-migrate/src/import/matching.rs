//! A history and files, laid side by side.

use larder_model::Dialect;

use crate::{FileVersion, History, HistoryEntry, MigrationFile, MigrationFiles, import::verify};

/// What taking a history over means for the files.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Import {
    /// The files that count as applied from then on.
    pub baseline: Vec<Imported>,
    /// Files that are not what the tool applied, by its own checksum.
    pub changed: Vec<FileVersion>,
    /// Files that the registry knows already; they stay as they are.
    pub known: Vec<FileVersion>,
    /// Files that the tool did not apply.
    pub pending: Vec<FileVersion>,
    /// What the tool applied and no file makes.
    pub without_file: Vec<HistoryEntry>,
}

/// A file that another tool applied.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Imported {
    /// The version.
    pub version: FileVersion,
    /// Whether the tool's own checksum says that the file is the one it applied; `None` if that
    /// can not be told.
    pub verified: Option<bool>,
    /// When it was applied, as the tool wrote it.
    pub applied_at: Option<String>,
}

/// Lays a history and files side by side: a pure function of both. `known` says which versions the
/// registry has already.
#[must_use]
pub fn match_history(
    history: &History,
    files: &MigrationFiles,
    dialect: Dialect,
    known: impl Fn(&FileVersion) -> bool,
) -> Import {
    let mut import = Import {
        baseline: Vec::new(),
        changed: Vec::new(),
        known: Vec::new(),
        pending: Vec::new(),
        without_file: Vec::new(),
    };
    for file in files.files().iter().filter(|file| file.up.directives().is_for(dialect)) {
        let version = file.version.clone();
        if known(&version) {
            import.known.push(version);
        } else if history.has(&version) {
            let imported = imported(history, file);
            if imported.verified == Some(false) {
                import.changed.push(version);
            } else {
                import.baseline.push(imported);
            }
        } else {
            import.pending.push(version);
        }
    }
    let orphans = history.entries.iter().filter(|entry| files.get(&entry.version).is_none());
    import.without_file = orphans.cloned().collect();
    import
}

fn imported(history: &History, file: &MigrationFile) -> Imported {
    let entry = history.entry(&file.version);
    let checksum = entry.and_then(|entry| entry.checksum.as_deref());
    Imported {
        version: file.version.clone(),
        verified: checksum.and_then(|text| verify::is_same(history.tool, text, &file.up)),
        applied_at: entry.and_then(|entry| entry.applied_at.clone()),
    }
}

#[cfg(test)]
mod tests {
    use crate::HistorySource;

    use super::*;

    fn version(text: &str) -> FileVersion {
        FileVersion::parse(text).unwrap()
    }

    fn texts(versions: &[FileVersion]) -> Vec<String> {
        versions.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn files_and_entries_are_told_apart() {
        let entry = |text, checksum: Option<&str>| HistoryEntry {
            version: version(text),
            name: None,
            checksum: checksum.map(str::to_owned),
            applied_at: None,
        };
        let history = History {
            tool: HistorySource::Flyway,
            table: "t".to_owned(),
            entries: vec![
                entry("2", None),
                entry("3", Some("0")),
                entry("4", Some("-873187034")),
                entry("9", None),
            ],
            up_to: Some(version("1")),
        };
        let files = MigrationFiles::from_texts([
            ("1_a.sql", ""),
            ("2_b.sql", ""),
            ("3_c.sql", "SELECT 3"),
            ("4_d.sql", "123456789"),
            ("5_e.sql", ""),
            ("6_f.sql", "-- larder: requires=postgres"),
        ])
        .unwrap();
        let import =
            match_history(&history, &files, Dialect::Sqlite, |known| *known == version("2"));
        let baseline: Vec<_> =
            import.baseline.iter().map(|file| (file.version.to_string(), file.verified)).collect();
        assert_eq!(baseline, [("1".to_owned(), None), ("4".to_owned(), Some(true))]);
        assert_eq!(texts(&import.changed), ["3"]);
        assert_eq!(texts(&import.known), ["2"]);
        assert_eq!(texts(&import.pending), ["5"]);
        assert_eq!(import.without_file, [entry("9", None)]);
    }
}
