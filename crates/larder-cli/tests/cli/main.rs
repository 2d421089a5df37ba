//! The command as its users see it: arguments, output, exit codes.

mod demo;
mod failures;
mod query;
mod support;
