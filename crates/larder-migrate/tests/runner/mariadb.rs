//! MariaDB on a live server.

use crate::{cases, support::Scratch};

cases::for_every_database!(Scratch::mariadb, ignore = "needs a live service");
cases::for_every_server!(Scratch::mariadb);
