//! The registry of shared things: every method one transaction, or a look.

use std::sync::Arc;

use larder_sqlite_file::rusqlite::Connection;

use super::{
    Drain, Fence, Hold, HoldId, Registration, Released, SharedInfo, SharedOptions, State, Swept,
    Update,
    heart::Heart,
    machine::Patience,
    process::{Processes, System},
    scope::Scope,
    thing::Thing,
};
use crate::{ClusterFile, Result, error::Fault, store::Store};

/// Who creates, uses and deletes the expensive things that processes share.
///
/// A handle: cloning it is cheap. Its methods block, except for [`acquire`](Self::acquire) and
/// what else is `async`.
#[derive(Clone, Debug)]
pub struct SharedRegistry {
    pub(crate) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    file: ClusterFile,
    pub(crate) options: SharedOptions,
    processes: Box<dyn Processes>,
    pub(crate) heart: Heart,
}

impl ClusterFile {
    /// The registry of the clusters in this file, with the defaults.
    #[must_use]
    pub fn shared(&self) -> SharedRegistry {
        SharedRegistry::new(self.clone(), SharedOptions::default())
    }
}

impl SharedRegistry {
    /// A registry in a file.
    #[must_use]
    pub fn new(file: ClusterFile, options: SharedOptions) -> Self {
        Self::with_processes(file, options, Box::<System>::default())
    }

    pub(crate) fn with_processes(
        file: ClusterFile,
        options: SharedOptions,
        processes: Box<dyn Processes>,
    ) -> Self {
        Self { inner: Arc::new(Inner { file, options, processes, heart: Heart::default() }) }
    }

    /// The file.
    #[must_use]
    pub fn file(&self) -> &ClusterFile {
        &self.inner.file
    }

    /// What it holds, and the times it goes by.
    #[must_use]
    pub fn options(&self) -> &SharedOptions {
        &self.inner.options
    }

    /// Asks for a thing: the caller becomes its creator or one of its users, or is told why it
    /// can be neither now. Exactly one caller at a time is the creator.
    ///
    /// A creator that died, or whose lease ended, is taken over, as is one that drains.
    ///
    /// # Errors
    /// [`Error::File`](crate::Error::File).
    pub fn register_creation(&self, key: &str) -> Result<Registration> {
        self.inner.write(|scope| scope.register(key))
    }

    /// Whether there is something to join: it is ready, or somebody creates it.
    ///
    /// # Errors
    /// [`Error::File`](crate::Error::File).
    pub fn can_join(&self, key: &str) -> Result<bool> {
        Ok(self.info(key)?.is_some_and(|info| info.can_be_joined()))
    }

    /// Takes an owner's report. The same report twice is one.
    ///
    /// # Errors
    /// [`Error::Fenced`](crate::Error::Fenced) if somebody else owns the thing by now, and
    /// [`Error::Transition`](crate::Error::Transition) if the thing is in no such state; nothing
    /// was changed. [`Error::File`](crate::Error::File).
    pub fn update_status(&self, key: &str, fence: Fence, update: Update<'_>) -> Result<()> {
        self.inner.write(|scope| scope.update(key, fence, update))
    }

    /// Gives whoever creates or drains a full lease from now on. The calling process is the owner
    /// from then on, so that a creation can be handed over together with its fence.
    ///
    /// # Errors
    /// [`Error::Fenced`](crate::Error::Fenced) if somebody else owns the thing by now.
    /// [`Error::File`](crate::Error::File).
    pub fn renew(&self, key: &str, fence: Fence) -> Result<()> {
        self.inner.write(|scope| scope.renew(key, fence))
    }

    /// A thing as it is; `None` if the file does not know it. Nothing is written.
    ///
    /// # Errors
    /// [`Error::File`](crate::Error::File).
    pub fn info(&self, key: &str) -> Result<Option<SharedInfo>> {
        self.inner.snapshot(|scope| info_of(scope, key))
    }

    /// Everything that is not gone, by key. Nothing is written.
    ///
    /// # Errors
    /// [`Error::File`](crate::Error::File).
    pub fn all(&self) -> Result<Vec<SharedInfo>> {
        let mut all = self.inner.snapshot(|scope| {
            let keys = scope.keys()?;
            let infos = keys.iter().map(|key| info_of(scope, key));
            infos.filter_map(Result::transpose).collect::<Result<Vec<_>, _>>()
        })?;
        all.retain(|info| info.state != State::Gone);
        Ok(all)
    }

    /// Becomes a user of a thing that is ready.
    ///
    /// # Errors
    /// [`Error::NotJoinable`](crate::Error::NotJoinable), [`Error::File`](crate::Error::File).
    pub fn join(&self, key: &str) -> Result<Hold> {
        self.inner.write(|scope| scope.join(key))
    }

    /// Ends a hold. Whoever was the last user is told to delete the thing, and nobody joins it
    /// any more. A hold that has ended before is [`Released::NotHeld`].
    ///
    /// # Errors
    /// [`Error::Transition`](crate::Error::Transition) for the hold of a creation that is under
    /// way: that one ends with a report. [`Error::File`](crate::Error::File).
    pub fn release(&self, key: &str, hold: &HoldId) -> Result<Released> {
        self.inner.write(|scope| scope.release(key, hold, Patience::Lease))
    }

    /// Says that a holder lives, and returns whether it still is one. Guards do so by themselves;
    /// it matters where processes can not look at each other.
    ///
    /// # Errors
    /// [`Error::File`](crate::Error::File).
    pub fn keep(&self, hold: &HoldId) -> Result<bool> {
        self.inner.write(|scope| scope.hear(hold))
    }

    /// Joins a thing and says how many users it has then. For callers that count and keep no
    /// hold; [`decrement_usage`](Self::decrement_usage) takes it back.
    ///
    /// # Errors
    /// Those of [`join`](Self::join).
    pub fn increment_usage(&self, key: &str) -> Result<u64> {
        self.inner.write(|scope| {
            scope.join(key)?;
            Ok(info_of(scope, key)?.map_or(0, |info| info.usage))
        })
    }

    /// Ends the newest hold of this process on a thing. A process that has none changes nothing,
    /// so nobody can take away what others hold.
    ///
    /// # Errors
    /// Those of [`release`](Self::release).
    pub fn decrement_usage(&self, key: &str) -> Result<Released> {
        self.inner.write(|scope| {
            scope.load(key)?;
            match scope.own_hold(key)? {
                Some(hold) => scope.release(key, &hold, Patience::Lease),
                None => Ok(Released::NotHeld),
            }
        })
    }

    /// Takes a thing that nobody uses, so that the caller can delete it; `None` if it is used, or
    /// somebody else sees to it.
    ///
    /// # Errors
    /// [`Error::File`](crate::Error::File).
    pub fn drain(&self, key: &str) -> Result<Option<Drain>> {
        self.inner.write(|scope| scope.drain(key))
    }

    /// Takes a thing off the record if nobody uses or owns it, and says whether it did. The thing
    /// itself is not deleted; [`drain`](Self::drain) is for that.
    ///
    /// # Errors
    /// [`Error::File`](crate::Error::File).
    pub fn cleanup(&self, key: &str) -> Result<bool> {
        self.inner.write(|scope| scope.clean_up(key))
    }

    /// Takes everything off the record that nobody uses or owns, and says how much that was.
    ///
    /// # Errors
    /// [`Error::File`](crate::Error::File).
    pub fn cleanup_all(&self) -> Result<u64> {
        self.inner.write(|scope| {
            let mut cleaned = 0;
            for key in scope.keys()? {
                cleaned += u64::from(scope.clean_up(&key)?);
            }
            Ok(cleaned)
        })
    }

    /// Takes a thing off the record whoever uses or owns it, and says whether there was one. Its
    /// users and its owner find that nothing is theirs any more.
    ///
    /// # Errors
    /// [`Error::File`](crate::Error::File).
    pub fn remove(&self, key: &str) -> Result<bool> {
        self.inner.write(|scope| scope.remove(key))
    }

    /// Removes holders whose process is dead, and says what nobody uses or owns any more.
    ///
    /// # Errors
    /// [`Error::File`](crate::Error::File).
    pub fn sweep(&self) -> Result<Swept> {
        self.inner.write(|scope| {
            let mut swept = Swept::default();
            for key in scope.keys()? {
                let (dead, unused) = scope.sweep(&key)?;
                swept.dead_holders += dead;
                swept.unused.extend(unused.then_some(key));
            }
            scope.forget_gone()?;
            Ok(swept)
        })
    }
}

impl Inner {
    pub(crate) fn store(&self) -> &Store {
        self.file.store()
    }

    pub(crate) fn write<T>(&self, step: impl FnOnce(&Scope<'_>) -> Result<T, Fault>) -> Result<T> {
        self.store().write(|transaction| step(&self.scope(transaction)))
    }

    fn snapshot<T>(&self, look: impl FnOnce(&Scope<'_>) -> Result<T, Fault>) -> Result<T> {
        self.store().snapshot(|connection| look(&self.scope(connection)))
    }

    fn scope<'a>(&'a self, connection: &'a Connection) -> Scope<'a> {
        Scope {
            store: self.store(),
            connection,
            options: &self.options,
            processes: &*self.processes,
            me: self.processes.me(),
            now: self.store().now_ms(),
        }
    }
}

fn info_of(scope: &Scope<'_>, key: &str) -> Result<Option<SharedInfo>, Fault> {
    let (thing, _) = scope.look(key)?;
    let describe = |thing: Thing| {
        let holders = scope.living(&thing)?;
        let abandoned = scope.is_abandoned(&thing);
        Ok(SharedInfo::new(&scope.options.kind, thing, holders, abandoned))
    };
    thing.map(describe).transpose()
}
