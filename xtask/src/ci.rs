//! `cargo xtask ci`: the same thing that runs on merge.

use crate::{check, failure::Failure, summary::Outcome, test};

pub(crate) fn run() -> Result<Outcome, Failure> {
    // Both run to their end, so that one visit shows everything that is wrong.
    let tested = test::run(&[])?;
    let checked = check::run()?;
    Ok(if [tested, checked].contains(&Outcome::Failed) { Outcome::Failed } else { Outcome::Passed })
}
