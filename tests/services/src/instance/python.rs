//! A Python with the clients of Redis and Memcached: what other programs store their entries by.

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use crate::{
    error::{Error, Result},
    find::run,
    home,
    instance::launch::{Launched, Plan},
    progress::say,
    run::lock,
};

/// Makes the environment if it is not there yet.
pub(crate) fn launch(plan: Plan<'_>) -> Result<Launched> {
    let home = home::home()?;
    let _turn = lock(&home.join("python.lock"))?;
    let folder = home.join("python");
    let python = folder.join("bin/python");
    if !python.exists() {
        say("fetching the clients for Python");
        make(&folder).map_err(|error| match error {
            Error::Command { .. } | Error::Process { .. } => {
                Error::Unavailable { setup: plan.setup, why: error.to_string() }
            }
            other => other,
        })?;
    }
    Ok((Vec::new(), BTreeMap::from([(plan.setup, python.display().to_string())])))
}

/// An environment finds its own parts, so it can be made beside its place and moved there.
fn make(folder: &Path) -> Result<()> {
    const LIMIT: Duration = Duration::from_secs(300);
    let partial = folder.with_extension("partial");
    home::remove(&partial)?;
    let python = env::var_os("LARDER_PYTHON_BIN").unwrap_or_else(|| "python3".into());
    run(command(Path::new(&python)).args(["-m", "venv"]).arg(&partial), LIMIT)?;
    let inside: PathBuf = partial.join("bin/python");
    let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    let patience = ["--retries", "1", "--timeout", "20"];
    let clients = ["redis", "pymemcache"];
    run(command(&inside).args(install).args(patience).args(clients), LIMIT)?;
    run(command(&inside).args(["-c", "import redis, pymemcache"]), LIMIT)?;
    fs::rename(&partial, folder).map_err(Error::file(folder))
}

fn command(python: &Path) -> Command {
    let mut command = Command::new(python);
    command.stdin(Stdio::null());
    command
}
