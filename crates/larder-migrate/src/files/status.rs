//! How files and history stand to each other: a pure function of both.
//!
//! Invariant: every file and every row of a file of this application stands in it once.

use larder_model::Dialect;

use crate::{MigrationFile, MigrationFiles, MigrationKind, MigrationRow, MigrationStatus};

use super::{Direction, FileVersion, run::FileNote};

/// How one version stands.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileStanding {
    /// The version.
    pub version: FileVersion,
    /// What its name says; that of the file if there is one.
    pub name: String,
    /// The state.
    pub state: FileState,
}

/// How a file and the history stand to each other.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileState {
    /// It was applied, and is as it was then.
    Applied,
    /// What it does was there already when the history was told about it, and the file is as it
    /// was then.
    Baseline,
    /// It was applied, and was edited since.
    Divergent {
        /// The checksum of what was applied.
        applied: String,
        /// The checksum that the file has now.
        found: String,
    },
    /// It failed after some of its statements had been done; nothing later runs before
    /// [`FileRepair`](crate::FileRepair).
    Failed {
        /// Which of its files.
        direction: Direction,
        /// How many statements were done and stay done.
        done: u64,
        /// How many statements it had.
        total: u64,
        /// The error, with the statement's number and place.
        error: String,
    },
    /// It was applied, there is no such file, and it comes after all files: a later version of the
    /// program has it.
    Future,
    /// Its process ended in the middle of it, or it is running now.
    Interrupted {
        /// Which of its files.
        direction: Direction,
        /// How many statements were done for certain.
        done: u64,
        /// How many statements it had.
        total: u64,
    },
    /// It was applied, and there is no such file, though there are later ones.
    Missing,
    /// It was not applied, and one that comes after it was.
    OutOfOrder,
    /// It was not applied.
    Pending,
    /// It is not for this database.
    Skipped,
}

impl FileState {
    /// One word, as tables show it.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Baseline => "baseline",
            Self::Divergent { .. } => "divergent",
            Self::Failed { .. } => "failed",
            Self::Future => "future",
            Self::Interrupted { .. } => "interrupted",
            Self::Missing => "missing",
            Self::OutOfOrder => "out of order",
            Self::Pending => "pending",
            Self::Skipped => "skipped",
        }
    }
}

/// How files and history stand to each other, in the order of the versions.
///
/// `rows` may have other migrations in it; those of files are told by their kind and by
/// `application`.
#[must_use]
pub fn file_standings(
    files: &MigrationFiles,
    rows: &[MigrationRow],
    application: &str,
    dialect: Dialect,
) -> Vec<FileStanding> {
    let rows: Vec<_> =
        rows.iter().filter_map(|row| Some((version_of(row, application)?, row))).collect();
    let row_of = |version: &FileVersion| {
        rows.iter().find(|(found, _)| found == version).map(|(_, row)| *row)
    };
    let latest = rows.iter().filter(|(_, row)| is_there(row)).map(|(version, _)| version).max();

    let mut standings: Vec<_> = files
        .files()
        .iter()
        .map(|file| FileStanding {
            version: file.version.clone(),
            name: file.name.clone(),
            state: state(file, row_of(&file.version), latest, dialect),
        })
        .collect();
    let last_file = files.files().last().map(|file| &file.version);
    let orphans = rows.iter().filter(|(version, _)| files.get(version).is_none());
    standings.extend(orphans.filter(|(_, row)| is_there(row)).map(|(version, row)| FileStanding {
        version: version.clone(),
        name: row.name.clone(),
        state: match last_file.is_none_or(|last| version > last) {
            true => FileState::Future,
            false => FileState::Missing,
        },
    }));
    standings.sort_by(|one, other| one.version.cmp(&other.version));
    standings
}

fn state(
    file: &MigrationFile,
    row: Option<&MigrationRow>,
    latest: Option<&FileVersion>,
    dialect: Dialect,
) -> FileState {
    let Some(row) = row.filter(|row| is_there(row)) else {
        return if !file.up.directives().is_for(dialect) {
            FileState::Skipped
        } else if latest.is_some_and(|latest| file.version < *latest) {
            FileState::OutOfOrder
        } else {
            FileState::Pending
        };
    };
    let count = |number: i64| u64::try_from(number).unwrap_or(0);
    let (done, total) = (count(row.steps_done), count(row.steps_total));
    let direction = FileNote::of(row).direction();
    match row.status {
        MigrationStatus::Failed => {
            let error = row.error.clone().unwrap_or_default();
            FileState::Failed { direction, done, total, error }
        }
        MigrationStatus::Pending | MigrationStatus::Running => {
            FileState::Interrupted { direction, done, total }
        }
        _ if row.checksum != file.up.checksum() => {
            FileState::Divergent { applied: row.checksum.clone(), found: file.up.checksum() }
        }
        MigrationStatus::Baseline => FileState::Baseline,
        MigrationStatus::Skipped => FileState::Skipped,
        _ => FileState::Applied,
    }
}

/// Whether something of the file is in the database. A file of which everything was rolled back
/// has a row that tells why, and is as good as new.
fn is_there(row: &MigrationRow) -> bool {
    match row.status {
        MigrationStatus::Failed => row.steps_total > 0,
        // Going down was begun, and is tried again by going down.
        MigrationStatus::Pending => row.steps_total > 0 && FileNote::of(row).down,
        MigrationStatus::RolledBack => false,
        _ => true,
    }
}

/// The text by which the registry knows a version of this application.
pub(crate) fn registry_version(version: &FileVersion, application: &str) -> String {
    if application.is_empty() { version.to_string() } else { format!("{application}/{version}") }
}

/// The version of a row that is a file's of this application.
pub(crate) fn version_of(row: &MigrationRow, application: &str) -> Option<FileVersion> {
    let is_file = matches!(row.kind, Some(MigrationKind::Baseline | MigrationKind::File));
    if !is_file || row.application != application {
        return None;
    }
    let text = if application.is_empty() {
        row.version.as_str()
    } else {
        row.version.strip_prefix(application)?.strip_prefix('/')?
    };
    FileVersion::parse(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(paths: &[&str]) -> MigrationFiles {
        MigrationFiles::from_texts(paths.iter().map(|path| (*path, "SELECT 1"))).unwrap()
    }

    fn row(version: &str, status: MigrationStatus) -> MigrationRow {
        MigrationRow {
            version: version.to_owned(),
            checksum: files(&["1_a.sql"]).files()[0].up.checksum(),
            status,
            kind: Some(MigrationKind::File),
            ..MigrationRow::default()
        }
    }

    #[track_caller]
    fn check(paths: &[&str], rows: &[MigrationRow], expected: &[(&str, &str)]) {
        let standings = file_standings(&files(paths), rows, "", Dialect::Sqlite);
        let found: Vec<_> = standings
            .iter()
            .map(|standing| (standing.version.to_string(), standing.state.as_str()))
            .collect();
        let found: Vec<_> =
            found.iter().map(|(version, state)| (version.as_str(), *state)).collect();
        assert_eq!(found, expected);
    }

    use MigrationStatus::{
        Applied, Baseline, Failed, Pending, RolledBack, Running, Skipped, Unknown,
    };

    #[test]
    fn every_combination_of_file_and_row_has_its_state() {
        for (status, state) in [
            (Applied, "applied"),
            (Baseline, "baseline"),
            (Pending, "pending"),
            (RolledBack, "pending"),
            (Running, "interrupted"),
            (Skipped, "skipped"),
            (Unknown, "applied"),
        ] {
            check(&["1_a.sql"], &[row("1", status)], &[("1", state)]);
        }
        check(&["1_a.sql"], &[], &[("1", "pending")]);
        check(&[], &[row("1", Applied)], &[("1", "future")]);
        check(&["2_a.sql"], &[row("1", Applied)], &[("1", "missing"), ("2", "pending")]);
        check(&[], &[row("1", RolledBack)], &[]);
    }

    #[test]
    fn what_was_rolled_back_when_it_failed_is_pending() {
        check(&["1_a.sql"], &[row("1", Failed)], &[("1", "pending")]);
        let journal = MigrationRow { steps_total: 3, steps_done: 1, ..row("1", Failed) };
        check(&["1_a.sql"], &[journal], &[("1", "failed")]);
    }

    #[test]
    fn an_edited_file_is_divergent_and_tells_both_checksums() {
        let edited = MigrationRow { checksum: "sha256:00".to_owned(), ..row("1", Applied) };
        check(&["1_a.sql"], std::slice::from_ref(&edited), &[("1", "divergent")]);
        let standings = file_standings(&files(&["1_a.sql"]), &[edited], "", Dialect::Sqlite);
        let FileState::Divergent { applied, found } = &standings[0].state else {
            panic!("{standings:?}");
        };
        assert_eq!((applied.as_str(), found), ("sha256:00", &row("1", Applied).checksum));
    }

    #[test]
    fn a_file_before_an_applied_one_is_out_of_order() {
        let paths = ["1_a.sql", "2_b.sql", "10_c.sql"];
        check(
            &paths,
            &[row("2", Applied)],
            &[("1", "out of order"), ("2", "applied"), ("10", "pending")],
        );
        check(
            &paths,
            &[row("2", RolledBack)],
            &[("1", "pending"), ("2", "pending"), ("10", "pending")],
        );
    }

    #[test]
    fn rows_of_others_do_not_count() {
        let model = MigrationRow { kind: Some(MigrationKind::Model), ..row("5", Applied) };
        let foreign = MigrationRow { kind: None, ..row("6", Applied) };
        let other = MigrationRow {
            application: "b".to_owned(),
            version: "b/7".to_owned(),
            ..row("7", Applied)
        };
        check(&["1_a.sql"], &[model, foreign, other.clone()], &[("1", "pending")]);
        let standings = file_standings(&files(&["7_a.sql"]), &[other], "b", Dialect::Sqlite);
        assert_eq!(standings[0].state, FileState::Applied);
    }

    #[test]
    fn a_file_for_another_database_is_skipped() {
        let text = "-- larder: requires=postgres\nSELECT 1";
        let files = MigrationFiles::from_texts([("1_a.sql", text)]).unwrap();
        let state = |dialect| file_standings(&files, &[], "", dialect)[0].state.as_str();
        assert_eq!(state(Dialect::Sqlite), "skipped");
        assert_eq!(state(Dialect::Postgres), "pending");
    }
}
