//! The scripts: fixed texts, called by their digest, arguments beside them and never in them.
//!
//! Filling a lease touches two keys under a condition, for which no server has a command of its
//! own; renewing and releasing touch one, and newer servers have that.

use std::sync::LazyLock;

use redis::{Cmd, Script};

use crate::keys::WireKey;

/// A script and its digest.
#[derive(Debug)]
pub(crate) struct FixedScript {
    text: &'static str,
    digest: LazyLock<Box<str>>,
}

macro_rules! script {
    ($file:literal) => {
        FixedScript {
            text: include_str!($file),
            digest: LazyLock::new(|| Script::new(include_str!($file)).get_hash().into()),
        }
    };
}

/// Grants a lease.
pub(crate) static TAKE: FixedScript = script!("scripts/take.lua");

/// Fills, renews and releases a lease.
pub(crate) static HOLD: FixedScript = script!("scripts/hold.lua");

/// Stores what is absent.
pub(crate) static ADD: FixedScript = script!("scripts/add.lua");

static ALL: [&FixedScript; 3] = [&TAKE, &HOLD, &ADD];

impl FixedScript {
    /// Begins a call on an entry and its lease, with room for this many arguments that follow.
    pub(crate) fn call(&self, entry: &WireKey, lease: &WireKey, arguments: usize) -> Cmd {
        let mut command = Cmd::with_capacity(5 + arguments, 256);
        command.arg("EVALSHA").arg(&**self.digest).arg(2).arg(&entry[..]).arg(&lease[..]);
        command
    }
}

/// How many commands teach a server all scripts.
pub(crate) const LOADS: usize = ALL.len();

/// Teaches a server all scripts, which it forgets when it restarts.
pub(crate) fn load_all() -> impl Iterator<Item = Cmd> {
    ALL.iter().map(|script| {
        let mut command = redis::cmd("SCRIPT");
        command.arg("LOAD").arg(script.text);
        command
    })
}
