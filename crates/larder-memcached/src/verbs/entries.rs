//! Storing and removing entries outside the protocol of leases.

use bytes::Bytes;
use larder_core::{Key, Ttl};
use smallvec::SmallVec;

use super::{Site, TRIES};
use crate::{
    dialect::{Change, Condition, Dialect, Peek, Seen, Stored},
    error::Trouble,
    item::{self, Content, Entry, LeaseRecord},
    name::Name,
    node::Repeat,
    request::{Answer, Request, UNEXPECTED},
};

/// The records behind an entry.
pub(super) type Tail = SmallVec<[u8; 32]>;

pub(super) fn tail(lease: Option<LeaseRecord>, expiry_seconds: Option<u64>) -> Tail {
    let mut tail = Tail::new();
    if let Some(seconds) = expiry_seconds {
        tail.extend_from_slice(&item::encode_expiry(seconds));
    }
    if let Some(lease) = lease {
        tail.extend_from_slice(&lease.encode());
    }
    tail
}

/// An entry as it is about to be stored.
#[derive(Debug)]
pub(super) struct Fresh<'a> {
    value: &'a Bytes,
    flags: u32,
    exptime: u64,
    expiry_seconds: Option<u64>,
}

impl Fresh<'_> {
    pub(super) fn store<'r>(
        &self,
        dialect: Dialect,
        request: Request<'r>,
        name: &Name<'_>,
        condition: Condition,
        lease: Option<LeaseRecord>,
    ) -> Request<'r> {
        let tail = tail(lease, self.expiry_seconds);
        let data: &[&[u8]] = &[self.value, &tail];
        let content = Stored { flags: self.flags, exptime: self.exptime, data };
        dialect.store(request, name, condition, content)
    }
}

impl Site<'_> {
    /// Prepares an entry: its flags, and when it ends.
    pub(super) async fn fresh<'v>(
        &self,
        dialect: Dialect,
        value: &'v Bytes,
        ttl: Ttl,
    ) -> Result<Fresh<'v>, Trouble> {
        let too_large = Trouble::TooLarge { bytes: value.len(), limit: u32::MAX as usize - 1 };
        let flags = item::flags_of(value.len()).ok_or(too_large)?;
        let exptime = self.node.exptime(ttl.as_duration()).await?;
        let expiry_seconds = match dialect {
            // The server tells how long an item has yet to live.
            Dialect::Meta => None,
            Dialect::Classic => {
                let now = self.node.time().await?.latest_second();
                Some(now.saturating_add(ttl.as_secs_ceil()).saturating_add(1))
            }
        };
        Ok(Fresh { value, flags, exptime, expiry_seconds })
    }

    /// Stores an entry whatever is there.
    pub(crate) async fn put(&self, key: &Key, value: &Bytes, ttl: Ttl) -> Result<(), Trouble> {
        let dialect = self.node.dialect().await?;
        let fresh = self.fresh(dialect, value, ttl).await?;
        let make = |view: &_| {
            let name = self.entry(view, key);
            fresh.store(dialect, Request::default(), &name, Condition::Always, None)
        };
        let (_, mut reply) = self.node.in_namespace(Repeat::Once, make).await?;
        match Change::of(reply.next_line()?)? {
            Change::Done { .. } => Ok(()),
            _ => Err(Trouble::Protocol("a store without a condition was refused")),
        }
    }

    /// Stores an entry if there is none; a lease is none.
    pub(crate) async fn add(&self, key: &Key, value: &Bytes, ttl: Ttl) -> Result<bool, Trouble> {
        let dialect = self.node.dialect().await?;
        let fresh = self.fresh(dialect, value, ttl).await?;
        let mut condition = Condition::Absent;
        for _ in 0..TRIES {
            let make = |view: &_| {
                let name = self.entry(view, key);
                let request = Request::default();
                fresh.store(dialect, request, &name, condition, None)
            };
            let (_, mut reply) = self.node.in_namespace(Repeat::Never, make).await?;
            if let Change::Done { .. } = Change::of(reply.next_line()?)? {
                return Ok(true);
            }
            condition = match self.inspect(dialect, key).await? {
                None => Condition::Absent,
                Some(Seen { content: Content::Entry(_), .. }) => return Ok(false),
                Some(lease) => Condition::Unchanged(lease.cas),
            };
        }
        Err(CONTENDED)
    }

    /// Gives an entry a new lifetime. It is stored anew under the condition that nothing changed:
    /// the server's own command would prolong a lease, too.
    pub(crate) async fn touch(&self, key: &Key, ttl: Ttl) -> Result<bool, Trouble> {
        let dialect = self.node.dialect().await?;
        for _ in 0..TRIES {
            let Some(seen) = self.inspect(dialect, key).await? else { return Ok(false) };
            let Content::Entry(Entry { value, lease, .. }) = &seen.content else {
                return Ok(false);
            };
            let fresh = self.fresh(dialect, value, ttl).await?;
            let make = |view: &_| {
                let name = self.entry(view, key);
                let condition = Condition::Unchanged(seen.cas);
                fresh.store(dialect, Request::default(), &name, condition, *lease)
            };
            let (_, mut reply) = self.node.in_namespace(Repeat::Never, make).await?;
            match Change::of(reply.next_line()?)? {
                Change::Done { .. } => return Ok(true),
                Change::Missing => return Ok(false),
                Change::Differs | Change::Exists => {}
            }
        }
        Err(CONTENDED)
    }

    /// Removes entries and ends the leases on them. Returns how many entries there were.
    ///
    /// A server does not say what it removes. So the items are looked at first, and removed under
    /// the condition that they are still the same; what changed in between, because it was filled,
    /// is looked at again. What is missing needs no removal: nothing can be filled there either.
    pub(crate) async fn remove(&self, keys: &[&Key]) -> Result<u64, Trouble> {
        let dialect = self.node.dialect().await?;
        let mut removed = 0;
        let mut rest = keys.to_vec();
        for attempt in 0..TRIES {
            let peek = |view: &_| {
                rest.iter().fold(Request::default(), |request, key| {
                    dialect.peek(request, &self.entry(view, key))
                })
            };
            let (_, reply) = self.node.in_namespace(Repeat::Once, peek).await?;
            let mut there = Vec::new();
            for (key, answer) in rest.iter().zip(reply.answers) {
                there.extend(Peek::of(answer)?.map(|peek| (*key, peek)));
            }
            if there.is_empty() {
                return Ok(removed);
            }
            // Somebody never stops changing the item: it has to go, whatever it is by now.
            let surely = attempt + 1 == TRIES;
            let delete = |view: &_| {
                there.iter().fold(Request::default(), |request, (key, peek)| {
                    let name = self.entry(view, key);
                    if surely {
                        dialect.delete(request, &name)
                    } else {
                        dialect.delete_unchanged(request, &name, peek.cas)
                    }
                })
            };
            let (_, mut reply) = self.node.in_namespace(Repeat::Once, delete).await?;
            rest = Vec::new();
            for ((key, peek), answer) in there.into_iter().zip(reply.answers.drain(..)) {
                let Answer::Line(line) = answer else { return Err(UNEXPECTED) };
                match Change::of(line)? {
                    Change::Done { .. } => removed += u64::from(peek.is_entry),
                    Change::Differs | Change::Exists => rest.push(key),
                    Change::Missing => {}
                }
            }
            if rest.is_empty() {
                return Ok(removed);
            }
        }
        Ok(removed)
    }

    /// Looks at the item of a key.
    pub(super) async fn inspect(
        &self,
        dialect: Dialect,
        key: &Key,
    ) -> Result<Option<Seen>, Trouble> {
        let make = |view: &_| dialect.inspect(Request::default(), &self.entry(view, key));
        let (_, mut reply) = self.node.in_namespace(Repeat::Once, make).await?;
        Seen::of(reply.next_answer()?)
    }
}

pub(super) const CONTENDED: Trouble = Trouble::Busy("others keep changing the same item");
