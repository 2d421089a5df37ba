//! How many shared things there are, of all kinds.
//!
//! Invariant: who is dead is not counted, and nothing is written.

use std::collections::BTreeSet;

use larder_sqlite_file::rusqlite::Connection;

use super::{Kind, SharedOptions, State, process::Processes as _, process::System, scope::Scope};
use crate::{error::Fault, store::Store};

/// How many shared things there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Census {
    /// The things in each state, in the order of [`State::ALL`].
    pub(crate) states: [u64; State::ALL.len()],
    /// The users: living holders, and those of the former tool.
    pub(crate) users: u64,
    /// How often somebody who lives uses, makes or deletes a thing.
    pub(crate) at_work: u64,
}

/// Counts the shared things of a file.
pub(crate) fn count(store: &Store, connection: &Connection) -> Result<Census, Fault> {
    let mut select = connection.prepare_cached("SELECT DISTINCT kind FROM larder_shared")?;
    let kinds = select.query_map([], |row| row.get::<_, String>(0))?;
    let mut kinds: BTreeSet<String> = kinds.collect::<Result<_, _>>()?;
    // The former tool may have written what we have not seen yet.
    kinds.insert(Kind::CLUSTER.as_str().to_owned());
    let processes = System::default();
    let mut census = Census::default();
    // A name that no kind has was written by nobody who goes by this crate.
    for kind in kinds.into_iter().filter_map(|name| Kind::new(name).ok()) {
        let options = SharedOptions::new(kind);
        let scope = Scope {
            store,
            connection,
            options: &options,
            processes: &processes,
            me: processes.me(),
            now: store.now_ms(),
        };
        census.add(&scope)?;
    }
    Ok(census)
}

impl Census {
    fn add(&mut self, scope: &Scope<'_>) -> Result<(), Fault> {
        for key in scope.keys()? {
            let (Some(thing), _) = scope.look(&key)? else { continue };
            for (count, state) in self.states.iter_mut().zip(State::ALL) {
                *count += u64::from(state == thing.state);
            }
            let holders = scope.living(&thing)?.len() as u64;
            let owned = matches!(thing.state, State::Creating | State::Draining);
            // Who creates a thing is also its first holder.
            let owner = u64::from(owned && holders == 0 && !scope.is_abandoned(&thing));
            let abandoned = owned && scope.is_abandoned(&thing);
            self.users += holders + thing.strangers;
            self.at_work += owner + if abandoned { 0 } else { holders };
        }
        Ok(())
    }
}
