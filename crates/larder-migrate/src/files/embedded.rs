//! Files that are a part of the program.

/// A file that [`embed_migrations!`](crate::embed_migrations) put into the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "plain data that a macro builds")]
pub struct EmbeddedFile {
    /// The file's path within its folder, with `/` between its parts.
    pub path: &'static str,
    /// The text, as it was when the program was built.
    pub text: &'static str,
}

/// Puts the files of a folder into the program: a constant expression of the type
/// `&'static [EmbeddedFile]`, for
/// [`MigrationFiles::from_embedded`](crate::MigrationFiles::from_embedded).
///
/// The folder is relative to the manifest of the crate in which the macro stands; without one it is
/// `migrations`. Every file of SQL in it and one level below is taken, unless its name begins with
/// a dot. Nothing of the place where the program was built gets into it.
///
/// A file that changes makes cargo build the crate again. A file that is added does so only if a
/// build script of the crate says which folder it is:
/// `println!("cargo::rerun-if-changed=migrations")`.
///
/// ```
/// use larder_migrate::{EmbeddedFile, MigrationFiles, embed_migrations};
///
/// const FILES: &[EmbeddedFile] = embed_migrations!("tests/files/folder");
/// let files = MigrationFiles::from_embedded(FILES)?;
/// assert_eq!(files.files()[0].name, "airline");
/// # Ok::<(), larder_migrate::FileError>(())
/// ```
#[macro_export]
macro_rules! embed_migrations {
    () => {
        $crate::embed_migrations!("migrations")
    };
    ($folder:literal) => {
        $crate::__embed_files!($crate, $folder)
    };
}
