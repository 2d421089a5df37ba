//! SQLite, in files of one's own.

use crate::{cases, support::Scratch};

cases::for_every_database!(Scratch::sqlite);
cases::case!(Scratch::sqlite, locks::a_stopped_process_is_named_and_goes_on);
