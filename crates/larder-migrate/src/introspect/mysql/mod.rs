//! MySQL and MariaDB, read from what `SHOW CREATE TABLE` prints.
//!
//! `information_schema` would be the obvious source, and is not a good one. MySQL 9.7 returns
//! expressions there with every character outside of ASCII garbled and cuts a default of bytes
//! off at a NUL; MariaDB replaces such bytes by question marks; neither says which parser an index
//! has. `SHOW CREATE TABLE` has all of it, is one state of its table, costs as much (0.09 s against
//! 0.09 s for 1,000 tables on MariaDB, 0.3 s against 0.3 s on MySQL, and less for a few), and works
//! for temporary tables, so that models are normalised by the same text. All tables are asked for
//! in one text: the number of round trips does not depend on the number of tables.
//!
//! Invariant: what of a table's text is not understood makes the table opaque.

mod charsets;
mod columns;
mod keys;
mod lexer;
mod parse;
mod read;
mod references;
mod scratch;
mod watch;

#[cfg(test)]
mod tests;

pub(super) use read::introspect;
pub(super) use scratch::normalise;
pub(super) use watch::{identity, signal, tokens};
