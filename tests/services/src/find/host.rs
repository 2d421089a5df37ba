//! Programs that the machine has, looked for where people and packages put them.
//!
//! Guards that a file of the right name is not taken for the server: it has to run, to say that
//! it is the server, and to be recent enough.

use std::{
    env, fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::Duration,
};

use crate::find::{
    Engine, Program,
    program::{Root, output_of},
};

/// The first program of the machine that serves, or why the one that was named does not.
pub(crate) fn find(engine: Engine) -> Result<Option<Program>, String> {
    if let Some(path) = env::var_os(engine.variable()) {
        let named = accept(engine, Path::new(&path), None);
        return named.map(Some).map_err(|why| {
            format!("{} names a program that does not serve: {why}", engine.variable())
        });
    }
    if !engine.may_be_of_host() {
        return Ok(None);
    }
    let folders = folders();
    let mut candidates = folders
        .iter()
        .flat_map(|folder| engine.programs().iter().map(|name| folder.join(name)))
        .filter(|path| is_executable(path));
    Ok(candidates.find_map(|path| accept(engine, &path, None).ok()))
}

/// The program, if it is what the engine needs; otherwise why it is not.
pub(crate) fn accept(
    engine: Engine,
    path: &Path,
    root: Option<Arc<Root>>,
) -> Result<Program, String> {
    let real = path.canonicalize().map_err(|error| format!("{}: {error}", path.display()))?;
    // Siblings stand beside the program itself, not beside a link to it. Other programs may look
    // at the name that they were started by: `redis-server` can be a link to a tool of Redis.
    let path = if engine.siblings().is_empty() { path.to_owned() } else { real };
    let mut program = Program { path, version: engine.oldest(), root };
    let output = asked_for_version(&mut program.command())?;
    let Some(version) = engine.version(&output) else {
        let said = output.trim().lines().next().unwrap_or_default();
        return Err(format!("{} says \"{said}\"", program.path.display()));
    };
    if version < engine.oldest() {
        let oldest = engine.oldest();
        return Err(format!("{} is {version}, not {oldest}", program.path.display()));
    }
    program.version = version;
    for sibling in engine.siblings() {
        asked_for_version(&mut program.sibling(sibling))?;
    }
    Ok(program)
}

fn asked_for_version(command: &mut Command) -> Result<String, String> {
    const LIMIT: Duration = Duration::from_secs(20);
    output_of(command.arg("--version").current_dir("/"), LIMIT).map_err(|error| {
        let source = std::error::Error::source(&error);
        source.map_or_else(|| error.to_string(), |source| format!("{error}: {source}"))
    })
}

/// The search path, the folders of servers that it usually lacks, and PostgreSQL's own, the
/// newest release first.
fn folders() -> Vec<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let usual = ["/usr/sbin", "/usr/local/sbin", "/usr/libexec"].map(PathBuf::from);
    let mut releases: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            Some((path.file_name()?.to_str()?.parse().ok()?, path.join("bin")))
        })
        .collect();
    releases.sort_by(|a, b| b.cmp(a));
    let releases = releases.into_iter().map(|(_, folder)| folder);
    env::split_paths(&path).chain(usual).chain(releases).collect()
}

fn is_executable(path: &Path) -> bool {
    fs::metadata(path)
        .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_of_another_kind_is_not_taken() {
        let cargo = env!("CARGO");
        let why = accept(Engine::Redis, Path::new(cargo), None).expect_err("it is no server");
        assert!(
            why.contains("says \"cargo") || why.contains("failed") || why.contains("can not"),
            "{why}"
        );
        let why = accept(Engine::Redis, Path::new("/no/such/redis"), None).expect_err("it is not");
        assert!(why.starts_with("/no/such/redis: "), "{why}");
    }
}
