//! Which files run next: a pure function of how they stand.
//!
//! Guards that nothing runs while something stands in the way of any of it.

use crate::{
    Direction, DownTarget, FileProblem, FileStanding, FileState, FileVersion, MigrationFiles,
    OutOfOrder, UpOptions,
};

/// A version that is to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chosen {
    pub(crate) version: FileVersion,
    pub(crate) out_of_order: bool,
}

/// The versions to apply, in their order.
pub(crate) fn choose_up(
    standings: &[FileStanding],
    options: &UpOptions,
) -> Result<Vec<Chosen>, FileProblem> {
    refuse_blocked(standings, Direction::Up)?;
    refuse_divergent(standings)?;
    let with_state = |state: FileState| versions(standings, |found| *found == state);
    let missing = with_state(FileState::Missing);
    if !missing.is_empty() && !options.ignore_missing {
        return Err(FileProblem::Missing { versions: missing });
    }
    if let Some(to) = &options.to {
        known(standings, to)?;
    }
    let is_wanted = |version: &FileVersion| options.to.as_ref().is_none_or(|to| version <= to);
    let late: Vec<_> = with_state(FileState::OutOfOrder).into_iter().filter(is_wanted).collect();
    if !late.is_empty() && options.out_of_order == OutOfOrder::Refuse {
        let latest = latest(standings).unwrap_or_else(|| late[0].clone());
        return Err(FileProblem::OutOfOrder { versions: late, latest });
    }
    let begun = standings.iter().filter(|standing| is_begun(&standing.state, Direction::Up));
    let waiting = standings.iter().filter(|standing| {
        matches!(standing.state, FileState::OutOfOrder | FileState::Pending)
            && is_wanted(&standing.version)
    });
    let chosen = begun.chain(waiting).map(|standing| Chosen {
        version: standing.version.clone(),
        out_of_order: standing.state == FileState::OutOfOrder,
    });
    Ok(chosen.collect())
}

/// The versions to take back, in their order: the highest first.
pub(crate) fn choose_down(
    files: &MigrationFiles,
    standings: &[FileStanding],
    target: &DownTarget,
) -> Result<Vec<Chosen>, FileProblem> {
    refuse_blocked(standings, Direction::Down)?;
    let there = standings.iter().rev().filter(|standing| {
        is_applied(&standing.state) || is_begun(&standing.state, Direction::Down)
    });
    let there: Vec<_> = match target {
        DownTarget::Steps(steps) => there.take(*steps).collect(),
        DownTarget::To(version) => {
            known(standings, version)?;
            there.filter(|standing| standing.version > *version).collect()
        }
    };
    for standing in &there {
        if matches!(standing.state, FileState::Divergent { .. }) {
            return Err(FileProblem::Divergent { versions: vec![standing.version.clone()] });
        }
        let down = files.get(&standing.version).and_then(|file| file.down.as_ref());
        if down.is_none() {
            return Err(FileProblem::Irreversible { version: standing.version.clone() });
        }
    }
    let chosen = there.into_iter();
    Ok(chosen
        .map(|standing| Chosen { version: standing.version.clone(), out_of_order: false })
        .collect())
}

/// What failed stands in the way of everything but of itself going down: whoever asks for that
/// has decided already.
fn refuse_blocked(standings: &[FileStanding], going: Direction) -> Result<(), FileProblem> {
    for FileStanding { version, state, .. } in standings {
        match state {
            FileState::Failed { direction, done, total, error }
                if going == Direction::Up || *direction == Direction::Up =>
            {
                return Err(FileProblem::Blocked {
                    version: version.clone(),
                    direction: *direction,
                    done: *done,
                    total: *total,
                    error: error.clone(),
                });
            }
            FileState::Interrupted { direction, done, total } if *direction != going => {
                return Err(FileProblem::Blocked {
                    version: version.clone(),
                    direction: *direction,
                    done: *done,
                    total: *total,
                    error: "whoever ran it ended".to_owned(),
                });
            }
            _ => {}
        }
    }
    Ok(())
}

fn refuse_divergent(standings: &[FileStanding]) -> Result<(), FileProblem> {
    let versions = versions(standings, |state| matches!(state, FileState::Divergent { .. }));
    if versions.is_empty() { Ok(()) } else { Err(FileProblem::Divergent { versions }) }
}

fn versions(standings: &[FileStanding], is: impl Fn(&FileState) -> bool) -> Vec<FileVersion> {
    let found = standings.iter().filter(|standing| is(&standing.state));
    found.map(|standing| standing.version.clone()).collect()
}

fn known(standings: &[FileStanding], version: &FileVersion) -> Result<(), FileProblem> {
    if standings.iter().any(|standing| standing.version == *version) {
        Ok(())
    } else {
        Err(FileProblem::UnknownVersion { version: version.clone() })
    }
}

fn latest(standings: &[FileStanding]) -> Option<FileVersion> {
    versions(standings, is_applied).pop()
}

const fn is_applied(state: &FileState) -> bool {
    matches!(
        state,
        FileState::Applied
            | FileState::Baseline
            | FileState::Divergent { .. }
            | FileState::Future
            | FileState::Missing
    )
}

fn is_begun(state: &FileState, going: Direction) -> bool {
    match state {
        FileState::Interrupted { direction, .. } => *direction == going,
        FileState::Failed { direction, .. } => {
            going == Direction::Down && *direction == Direction::Down
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> FileVersion {
        FileVersion::parse(text).unwrap()
    }

    fn standings(states: &[(&str, FileState)]) -> Vec<FileStanding> {
        let standing = |(text, state): &(&str, FileState)| FileStanding {
            version: version(text),
            name: String::new(),
            state: state.clone(),
        };
        states.iter().map(standing).collect()
    }

    fn texts(chosen: &[Chosen]) -> Vec<String> {
        chosen.iter().map(|chosen| chosen.version.to_string()).collect()
    }

    #[track_caller]
    fn up(states: &[(&str, FileState)], options: &UpOptions, expected: Result<&[&str], &str>) {
        let chosen = choose_up(&standings(states), options);
        match (chosen, expected) {
            (Ok(chosen), Ok(expected)) => assert_eq!(texts(&chosen), expected),
            (Err(problem), Err(expected)) => assert_eq!(problem.to_string(), expected),
            (chosen, expected) => panic!("{chosen:?} is not {expected:?}"),
        }
    }

    fn divergent() -> FileState {
        FileState::Divergent { applied: String::new(), found: String::new() }
    }

    fn failed(direction: Direction) -> FileState {
        FileState::Failed { direction, done: 1, total: 3, error: "E".to_owned() }
    }

    use FileState::{Applied, Future, Missing, Pending, Skipped};

    #[test]
    fn pending_files_run_in_their_order() {
        let states =
            [("1", Applied), ("2", Pending), ("3", Skipped), ("10", Pending), ("11", Future)];
        up(&states, &UpOptions::new(), Ok(&["2", "10"]));
        up(&states, &UpOptions::new().with_to(version("02")), Ok(&["2"]));
        up(&states, &UpOptions::new().with_to(version("1")), Ok(&[]));
        up(&states, &UpOptions::new().with_to(version("4")), Err("there is no version 4"));
    }

    #[test]
    fn files_that_come_late_run_only_if_they_may() {
        let states = [("1", FileState::OutOfOrder), ("2", Applied), ("3", Pending)];
        let refused = "not applied, though 2, which comes after, is: 1";
        up(&states, &UpOptions::new(), Err(refused));
        let allow = UpOptions::new().with_out_of_order(OutOfOrder::Allow);
        up(&states, &allow, Ok(&["1", "3"]));
        let chosen = choose_up(&standings(&states), &allow).unwrap();
        assert!(chosen[0].out_of_order && !chosen[1].out_of_order);
    }

    #[test]
    fn nothing_runs_while_something_stands_in_the_way() {
        up(
            &[("1", divergent()), ("2", Pending)],
            &UpOptions::new(),
            Err(
                "a file was edited after being applied: 1; restore the text and write a new file, \
                 or accept the edit with repair",
            ),
        );
        up(
            &[("1", Missing), ("2", Pending)],
            &UpOptions::new(),
            Err("applied, and not among the files: 1"),
        );
        let ignore = UpOptions::new().with_ignore_missing(true);
        up(&[("1", Missing), ("2", Pending)], &ignore, Ok(&["2"]));
        let problem = choose_up(
            &standings(&[("1", failed(Direction::Up)), ("2", Pending)]),
            &UpOptions::new(),
        );
        assert!(matches!(problem, Err(FileProblem::Blocked { done: 1, total: 3, .. })));
    }

    #[test]
    fn what_was_interrupted_comes_first() {
        let begun = |direction| FileState::Interrupted { direction, done: 1, total: 2 };
        let states = [("1", Pending), ("2", begun(Direction::Up))];
        up(&states, &UpOptions::new(), Ok(&["2", "1"]));
        let down = choose_up(&standings(&[("2", begun(Direction::Down))]), &UpOptions::new());
        assert!(matches!(down, Err(FileProblem::Blocked { .. })));
    }

    #[track_caller]
    fn down(states: &[(&str, FileState)], target: DownTarget, expected: Result<&[&str], &str>) {
        let paths = ["1_a.sql", "2_b.sql", "2_b.down.sql", "3_c.sql", "3_c.down.sql"];
        let files = MigrationFiles::from_texts(paths.map(|path| (path, ""))).unwrap();
        match (choose_down(&files, &standings(states), &target), expected) {
            (Ok(chosen), Ok(expected)) => assert_eq!(texts(&chosen), expected),
            (Err(problem), Err(expected)) => assert_eq!(problem.to_string(), expected),
            (chosen, expected) => panic!("{chosen:?} is not {expected:?}"),
        }
    }

    #[test]
    fn the_highest_version_is_taken_back_first() {
        let states = [("1", Applied), ("2", Applied), ("3", FileState::Baseline)];
        down(&states, DownTarget::Steps(0), Ok(&[]));
        down(&states, DownTarget::Steps(2), Ok(&["3", "2"]));
        down(&states, DownTarget::To(version("2")), Ok(&["3"]));
        let irreversible = "version 1 can not be taken back: there is no file that does it";
        down(&states, DownTarget::Steps(9), Err(irreversible));
        down(&states, DownTarget::To(version("7")), Err("there is no version 7"));
        down(&[("2", Applied), ("3", Pending)], DownTarget::Steps(1), Ok(&["2"]));
        let future = "version 9 can not be taken back: there is no file that does it";
        down(&[("2", Applied), ("9", Future)], DownTarget::Steps(1), Err(future));
    }

    #[test]
    fn what_failed_going_down_goes_on_going_down() {
        let states = [("2", Applied), ("3", failed(Direction::Down))];
        down(&states, DownTarget::Steps(1), Ok(&["3"]));
        let problem = choose_up(&standings(&states), &UpOptions::new());
        assert!(matches!(problem, Err(FileProblem::Blocked { .. })));
    }
}
