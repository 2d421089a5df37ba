//! SQLite, in files of one's own.

use crate::{cases, support::Scratch};

cases::for_every_database!(Scratch::sqlite);
