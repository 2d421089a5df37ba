//! Programs from Debian's and Ubuntu's packages, unpacked into private folders.
//!
//! Nothing of the host changes: its package manager only supplies the mirror, the keys and the
//! way to the network.

mod apt;
mod closure;
mod provide;
mod release;
mod sources;
mod trim;

pub(crate) use apt::{Package, Suite};
pub(crate) use provide::provide;
