//! PostgreSQL on a live server.

use crate::{cases, support::Scratch};

cases::for_every_database!(Scratch::postgres, ignore = "needs a live service");
cases::for_every_server!(Scratch::postgres);
