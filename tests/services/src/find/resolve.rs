//! The program of an engine: the machine's own, otherwise a provided one. Asked once a process.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, OnceLock},
};

use crate::{
    debian::provide,
    find::{Engine, Program, host},
};

type Answers = BTreeMap<(Engine, bool), Arc<OnceLock<Result<Program, String>>>>;

static ANSWERS: Mutex<Answers> = Mutex::new(BTreeMap::new());

/// The program, or why there is none.
pub(crate) fn resolve(engine: Engine) -> Result<Program, String> {
    answer(engine, false)
}

/// A program from packages even if the machine has one, because that one does not do.
pub(crate) fn provided(engine: Engine) -> Result<Program, String> {
    answer(engine, true)
}

/// Engines are looked for side by side, each by one thread while others wait for its answer.
fn answer(engine: Engine, from_packages: bool) -> Result<Program, String> {
    let mut answers = ANSWERS.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let answer = Arc::clone(answers.entry((engine, from_packages)).or_default());
    drop(answers);
    let look = || {
        let own = if from_packages { None } else { host::find(engine)? };
        own.map_or_else(|| provide(engine), Ok)
    };
    answer.get_or_init(look).clone()
}
