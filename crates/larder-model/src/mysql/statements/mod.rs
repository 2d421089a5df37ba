//! The statement of each change, what it costs, and how it is taken back.

mod checks;
mod columns;
mod indexes;
mod key;
mod references;
mod tables;

pub(super) use checks::mentions;

pub(super) const RENAMED: &str = "programs that use the former name fail from then on: add the new one beside \
                       it, move them over, and drop the former one";
const COPIED: &str = "the server copies the table, and whoever writes to it waits meanwhile";
