//! Programs: which one a server needs, and where it is.

mod engine;
mod host;
mod program;
mod resolve;
mod version;

pub(crate) use engine::Engine;
pub(crate) use host::accept;
pub(crate) use program::{Program, Root, output_of, run};
pub(crate) use resolve::{provided, resolve};
pub(crate) use version::Version;
