//! Data folders that are made once and copied for every server.
//!
//! Guards that a template is whole or not there, as with roots of programs, and that a program
//! of the machine that can not make one is replaced: its profile may confine it to the machine's
//! own data folder.

use std::{
    fs,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    io,
    path::{Path, PathBuf},
};

use crate::{
    account,
    error::{Error, Result},
    find::{Engine, Program, provided},
    home,
    instance::launch::Plan,
    run::lock,
};

/// A program and the data folder that it made.
pub(crate) struct Template {
    pub(crate) program: Program,
    data: PathBuf,
}

/// Makes the data folder `data` in the folder, with the program.
pub(crate) type Make = fn(&Program, &Path) -> Result<()>;

/// The template of an engine, made if it is not there yet.
pub(crate) fn template(plan: Plan<'_>, engine: Engine, make: Make) -> Result<Template> {
    let program = plan.program(engine)?;
    let is_own = program.root.is_none();
    match prepared(engine, program, make) {
        Err(Error::Command { .. }) if is_own => {
            let program = provided(engine);
            let program = program.map_err(|why| Error::Unavailable { setup: plan.setup, why })?;
            prepared(engine, program, make)
        }
        outcome => outcome,
    }
}

fn prepared(engine: Engine, program: Program, make: Make) -> Result<Template> {
    let mut hasher = DefaultHasher::new();
    (&program.path, FORMAT).hash(&mut hasher);
    let templates = home::folder("templates")?;
    let name = format!("{}-{}-{:x}", engine.name(), program.version, hasher.finish());
    let folder = templates.join(&name);
    let _turn = lock(&templates.join(format!("{name}.lock")))?;
    if !folder.is_dir() {
        let partial = templates.join(format!("{name}.partial"));
        home::remove(&partial)?;
        home::make(&partial)?;
        account::hand_over(&partial)?;
        make(&program, &partial)?;
        fs::rename(&partial, &folder).map_err(Error::file(&folder))?;
    }
    Ok(Template { program, data: folder.join(DATA) })
}

/// The data folder's name, in a template and with a server.
pub(crate) const DATA: &str = "data";

/// Counts the changes to what templates hold.
const FORMAT: u32 = 1;

impl Template {
    /// Copies the data into the folder of a server.
    pub(crate) fn copy_into(&self, folder: &Path) -> Result<PathBuf> {
        let data = folder.join(DATA);
        copy(&self.data, &data)?;
        account::hand_over(&data)?;
        Ok(data)
    }
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir(to).map_err(Error::file(to))?;
    for entry in fs::read_dir(from).map_err(Error::file(from))? {
        let path = entry.map_err(Error::file(from))?.path();
        let target = to.join(path.file_name().unwrap_or_default());
        let metadata = fs::symlink_metadata(&path).map_err(Error::file(&path))?;
        if metadata.is_dir() {
            copy(&path, &target)?;
        } else if metadata.is_file() {
            fs::copy(&path, &target).map_err(Error::file(&path))?;
        }
    }
    let permissions = fs::metadata(from).map_err(Error::file(from))?.permissions();
    fs::set_permissions(to, permissions).map_err(Error::file(to))
}

/// The folder of a server's texts and scripts, in the program's root or on the machine.
pub(crate) fn shared(program: &Program, names: &[&str], file: &str) -> Result<PathBuf> {
    let share = program.share().unwrap_or_else(|| PathBuf::from("/usr/share"));
    let mut folders = names.iter().map(|name| share.join(name));
    let found = folders.find(|folder| folder.join(file).exists());
    found.ok_or_else(|| Error::File {
        path: share.join(file),
        source: io::ErrorKind::NotFound.into(),
    })
}
