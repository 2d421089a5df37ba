//! From an engine to a program in a root of its own.
//!
//! Guards that a root is whole or not there: it is unpacked beside its place, tried out, and
//! moved there in one step. What is in place is never changed again.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    deadline::Stopwatch,
    debian::{
        apt::{Apt, Part, Request, unpack},
        release::Release,
        sources::Source,
        trim::trim,
    },
    error::{Error, Result},
    find::{Engine, Program, Root, accept},
    home,
    progress::say,
    run::lock,
};

/// The program of an engine, fetched if that was not done before; otherwise why there is none.
pub(crate) fn provide(engine: Engine) -> Result<Program, String> {
    const NEITHER: &str = "it is not installed, and only Debian and Ubuntu have packages to take \
                           it from";
    let release = Release::of_host().ok_or(NEITHER)?;
    let request = Request::for_host(&release, engine.debian(), engine.ubuntu())
        .ok_or("this release of Ubuntu has one version only")?;
    let name = format!("{}-{}", request.name, request.package);
    let roots = home::folder("roots").map_err(text)?;
    let folder = roots.join(&name);
    if folder.is_dir() {
        return program_in(engine, &folder);
    }
    let _turn = lock(&roots.join(format!("{name}.lock"))).map_err(text)?;
    if !folder.is_dir() {
        let source = Source::of_host(&release)
            .ok_or("no list of sources names a mirror of the distribution")?;
        make(engine, &source, &request, &folder)?;
    }
    program_in(engine, &folder)
}

fn make(engine: Engine, source: &Source, request: &Request, folder: &Path) -> Result<(), String> {
    let watch = Stopwatch::start();
    say(&format!("fetching {} of {}", request.package, request.name));
    let partial = folder.with_extension("partial");
    let mut why = String::new();
    for part in [Part::Running, Part::Everything] {
        let debs = Apt::fetch(source, request, part).map_err(text)?;
        unpack_all(&debs, &partial).map_err(text)?;
        trim(engine, &partial).map_err(text)?;
        match program_in(engine, &partial) {
            Ok(_) => {
                fs::rename(&partial, folder).map_err(Error::file(folder)).map_err(text)?;
                let seconds = watch.elapsed().as_secs_f64();
                say(&format!("fetched {} of {} in {seconds:.1} s", request.package, request.name));
                return Ok(());
            }
            // What the names did not tell may be needed all the same.
            Err(objection) => why = objection,
        }
    }
    Err(why)
}

fn unpack_all(debs: &[PathBuf], folder: &Path) -> Result<()> {
    home::remove(folder)?;
    home::make(folder)?;
    debs.iter().try_for_each(|deb| unpack(deb, folder))
}

/// Looks through a root for the engine's program.
fn program_in(engine: Engine, folder: &Path) -> Result<Program, String> {
    let root = Root::find(folder).ok_or("the packages have no loader for programs")?;
    let root = Arc::new(root);
    let mut why = format!("the packages have no {}", engine.programs().join(" and no "));
    for path in candidates(engine, folder) {
        match accept(engine, &path, Some(Arc::clone(&root))) {
            Ok(program) => return Ok(program),
            Err(objection) => why = objection,
        }
    }
    Err(why)
}

fn candidates(engine: Engine, folder: &Path) -> Vec<PathBuf> {
    let usual = ["usr/bin", "usr/sbin"].map(|name| folder.join(name));
    let releases = fs::read_dir(folder.join("usr/lib/postgresql")).into_iter().flatten();
    let releases = releases.filter_map(|entry| Some(entry.ok()?.path().join("bin")));
    usual
        .into_iter()
        .chain(releases)
        .flat_map(|folder| engine.programs().iter().map(move |name| folder.join(name)))
        .filter(|path| path.is_file())
        .collect()
}

/// An error with its causes, for those who only want to know why there is no program.
fn text(error: Error) -> String {
    let source = std::error::Error::source(&error);
    source.map_or_else(|| error.to_string(), |source| format!("{error}: {source}"))
}
