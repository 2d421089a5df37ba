//! Models as a user writes them, in a crate that forbids what a macro could sneak in.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, clippy::all, unreachable_pub)]

mod derived;
mod found;
