//! Leases: who may fill a key.
//!
//! A lease on a key without an entry is an item of its own that is no entry: the meta dialect lets
//! the server make it (`mg … N`), the classic one `add`s it. The server ends it. A lease on a dead
//! entry is a record behind the entry, which stays readable; it ends by the server's clock as far
//! as that is known, later rather than earlier. In both cases the compare-and-swap number decides
//! whether a fill is stored, and the server checks it: whatever else happened to the key in the
//! meantime, be it a removal, a `put` or another lease, has changed the number or taken the item
//! away. Numbers begin again when a server is restarted, so a lease holds in its epoch only.

use std::time::Duration;

use bytes::Bytes;
use larder_core::{EntryId, FillOutcome, Key, Lease, LeaseOutcome, LeaseRequest, LeaseToken, Ttl};

use super::{
    Site, TRIES,
    entries::{CONTENDED, Fresh, tail},
};
use crate::{
    dialect::{Change, Condition, Dialect, Seen, Stored, append_lease, vivify},
    error::Trouble,
    item::{Content, Entry, LeaseRecord, RECORDS_MAX},
    name::Name,
    namespace::View,
    node::Repeat,
    request::Request,
};

/// What a lease's token says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Token {
    /// The item's number when the lease was won; zero if the server did not tell it.
    cas: u64,
    /// The name of the holder in the lease's record, if it has one.
    id: u32,
    /// Zero for a lease that the server ends; else the second by the server's clock up to which
    /// the lease holds for certain, unless it was renewed.
    until_seconds: u32,
}

impl Token {
    fn parse(token: &LeaseToken) -> Self {
        let number = u128::from_be_bytes(*token.as_bytes());
        let [cas, id, until] = [number >> 64, number >> 32 & 0xffff_ffff, number & 0xffff_ffff];
        Self {
            cas: u64::try_from(cas).unwrap_or_default(),
            id: u32::try_from(id).unwrap_or_default(),
            until_seconds: u32::try_from(until).unwrap_or_default(),
        }
    }

    fn encode(self) -> LeaseToken {
        let number = u128::from(self.cas) << 64 | u128::from(self.id) << 32;
        LeaseToken::from_bytes((number | u128::from(self.until_seconds)).to_be_bytes())
    }
}

/// The name of a new holder; never zero, which is nobody.
fn random_id() -> u32 {
    rand::random::<u32>().max(1)
}

/// How a lease is written into the item of a key.
struct Written<'r> {
    request: Request<'r>,
    /// Zero if the item is now a lease alone.
    until_seconds: u32,
}

impl Site<'_> {
    pub(crate) async fn lease(
        &self,
        key: &Key,
        request: LeaseRequest,
    ) -> Result<LeaseOutcome, Trouble> {
        let dialect = self.node.dialect().await?;
        let exptime = self.node.exptime(request.time).await?;
        for _ in 0..TRIES {
            let id = random_id();
            let (view, seen) = self.ask(dialect, key, id, exptime).await?;
            let won = |cas, until_seconds| {
                let token = Token { cas, id, until_seconds }.encode();
                Ok(LeaseOutcome::Won(Lease { token, epoch: view.epoch }))
            };
            // Missing: it came and went while we asked.
            let Some(seen) = seen else { continue };
            let record = match &seen.content {
                _ if seen.won => return won(seen.cas, 0),
                Content::Lease(Some(record)) if record.id == id => return won(seen.cas, 0),
                Content::Lease(_) => return Ok(LeaseOutcome::Held),
                Content::Entry(entry) => {
                    let entry_id = EntryId::peek(&entry.value);
                    if entry_id.is_none() || entry_id != request.dead {
                        return Ok(LeaseOutcome::Found(entry.value.clone()));
                    }
                    let now = self.node.time().await?;
                    if entry.lease.is_some_and(|lease| now.earliest_ms < lease.deadline_ms) {
                        return Ok(LeaseOutcome::Held);
                    }
                    LeaseRecord { id, deadline_ms: deadline(now.latest_ms, request.time) }
                }
                Content::Foreign => LeaseRecord { id, deadline_ms: 0 },
            };
            let name = self.entry(&view, key);
            let written = self.write_lease(dialect, &name, &seen, record, request.time).await?;
            let mut reply = self.node.call(&written.request, Repeat::Never).await?;
            if let Change::Done { cas } = Change::of(reply.next_line()?)? {
                return won(cas.unwrap_or(0), written.until_seconds);
            }
        }
        Err(CONTENDED)
    }

    /// Takes the lease if there is nothing, and looks at what there is.
    async fn ask(
        &self,
        dialect: Dialect,
        key: &Key,
        id: u32,
        exptime: u64,
    ) -> Result<(View, Option<Seen>), Trouble> {
        let make = |view: &_| {
            let name = self.entry(view, key);
            match dialect {
                Dialect::Meta => vivify(Request::default(), &name, exptime),
                Dialect::Classic => {
                    let record = LeaseRecord { id, deadline_ms: 0 }.encode();
                    let content = Stored { flags: 0, exptime, data: &[&record] };
                    let request = Request::default();
                    let add = dialect.store(request, &name, Condition::Absent, content);
                    dialect.inspect(add, &name)
                }
            }
        };
        let (view, mut reply) = self.node.in_namespace(Repeat::Never, make).await?;
        if dialect == Dialect::Classic {
            // Whether it was added shows in what is there now.
            Change::of(reply.next_line()?)?;
        }
        Ok((view, Seen::of(reply.next_answer()?)?))
    }

    /// Writes a lease behind the entry that was seen, or alone in the place of anything else.
    async fn write_lease(
        &self,
        dialect: Dialect,
        name: &Name<'_>,
        seen: &Seen,
        record: LeaseRecord,
        time: Duration,
    ) -> Result<Written<'_>, Trouble> {
        let condition = Condition::Unchanged(seen.cas);
        let seconds = u32::try_from(record.deadline_ms / 1_000).unwrap_or(u32::MAX).max(1);
        if let Content::Entry(entry) = &seen.content {
            if dialect == Dialect::Meta && entry.records < RECORDS_MAX {
                let request = append_lease(Request::default(), name, seen.cas, record);
                return Ok(Written { request, until_seconds: seconds });
            }
            if let Some(exptime) = self.same_end(dialect, seen, entry).await? {
                let tail = tail(Some(record), entry.expiry_seconds);
                let data: &[&[u8]] = &[&entry.value, &tail];
                let content = Stored { flags: seen.flags, exptime, data };
                let request = dialect.store(Request::default(), name, condition, content);
                return Ok(Written { request, until_seconds: seconds });
            }
            // Nobody knows how long the dead entry would have lived; it makes room for the lease.
        }
        let exptime = self.node.exptime(time).await?;
        let record = LeaseRecord { deadline_ms: 0, ..record }.encode();
        let content = Stored { flags: 0, exptime, data: &[&record] };
        let request = dialect.store(Request::default(), name, condition, content);
        Ok(Written { request, until_seconds: 0 })
    }

    /// How the end of an entry's life is written so that it stays the same.
    async fn same_end(
        &self,
        dialect: Dialect,
        seen: &Seen,
        entry: &Entry,
    ) -> Result<Option<u64>, Trouble> {
        match (dialect, seen.ttl_seconds) {
            (Dialect::Classic, _) => Ok(entry.expiry_seconds),
            (Dialect::Meta, None) => Ok(Some(0)),
            (Dialect::Meta, Some(seconds)) => {
                self.node.exptime_of_seconds(seconds.max(1)).await.map(Some)
            }
        }
    }

    pub(crate) async fn fill(
        &self,
        key: &Key,
        lease: &Lease,
        value: &Bytes,
        ttl: Ttl,
    ) -> Result<FillOutcome, Trouble> {
        let fresh = self.fresh(self.node.dialect().await?, value, ttl).await?;
        let stored = self.if_held(key, lease, &Action::Fill(fresh)).await?;
        Ok(if stored { FillOutcome::Stored } else { FillOutcome::Refused })
    }

    pub(crate) async fn renew(
        &self,
        key: &Key,
        lease: &Lease,
        time: Duration,
    ) -> Result<bool, Trouble> {
        self.if_held(key, lease, &Action::Renew(time.max(LeaseRequest::MIN_TIME))).await
    }

    pub(crate) async fn release(&self, key: &Key, lease: &Lease) -> Result<bool, Trouble> {
        self.if_held(key, lease, &Action::Release).await
    }

    /// Changes the item of a key under the condition that the lease on it is held. `false` if it
    /// is not.
    async fn if_held(
        &self,
        key: &Key,
        lease: &Lease,
        action: &Action<'_>,
    ) -> Result<bool, Trouble> {
        let (dialect, token) = (self.node.dialect().await?, Token::parse(&lease.token));
        let mut view = self.node.view().await?;
        if view.epoch != lease.epoch {
            view = self.node.refresh_view().await?;
        }
        // As long as the number is the one of the grant there is nothing to look at.
        let mut look = !self.needs_no_look(&token, action).await?;
        for _ in 0..TRIES {
            if view.epoch != lease.epoch {
                return Ok(false);
            }
            let name = self.entry(&view, key);
            let seen = if look {
                let request = dialect.inspect(Request::default(), &name);
                let (now, mut reply) = self.node.once_in_namespace(Repeat::Once, request).await?;
                match (Seen::of(reply.next_answer()?)?, now) {
                    (Some(seen), Some(now)) if now == view => Some(seen),
                    (_, Some(now)) if now != view => {
                        view = now;
                        continue;
                    }
                    _ => return Ok(false),
                }
            } else {
                None
            };
            if let Some(seen) = &seen
                && !self.holds(&token, seen).await?
            {
                return Ok(false);
            }
            let request = self.change(dialect, &name, &token, seen.as_ref(), action).await?;
            let (now, mut reply) = self.node.once_in_namespace(Repeat::Never, request).await?;
            let change = Change::of(reply.next_line()?)?;
            match (change, now) {
                (Change::Done { .. }, now) => return Ok(now == Some(view)),
                (_, None) => return Ok(false),
                // The lease may have been won after the namespace was cleared.
                (_, Some(now)) if now != view => view = now,
                (Change::Missing, _) => return Ok(false),
                (Change::Differs | Change::Exists, _) => look = true,
            }
        }
        Err(CONTENDED)
    }

    /// Whether an unchanged number alone says that the lease is held, and what the item is.
    async fn needs_no_look(&self, token: &Token, action: &Action<'_>) -> Result<bool, Trouble> {
        if token.cas == 0 || token.until_seconds == 0 {
            return Ok(token.cas != 0);
        }
        if !matches!(action, Action::Fill(_)) {
            return Ok(false);
        }
        let until_ms = u64::from(token.until_seconds) * 1_000;
        Ok(self.node.time().await?.latest_ms < until_ms)
    }

    async fn holds(&self, token: &Token, seen: &Seen) -> Result<bool, Trouble> {
        let is_named = |record: LeaseRecord| record.id != 0 && record.id == token.id;
        match &seen.content {
            Content::Lease(Some(record)) => Ok(is_named(*record)),
            Content::Lease(None) => Ok(seen.cas == token.cas),
            Content::Entry(Entry { lease: Some(record), .. }) if is_named(*record) => {
                Ok(self.node.time().await?.earliest_ms < record.deadline_ms)
            }
            Content::Entry(_) | Content::Foreign => Ok(false),
        }
    }

    async fn change(
        &self,
        dialect: Dialect,
        name: &Name<'_>,
        token: &Token,
        seen: Option<&Seen>,
        action: &Action<'_>,
    ) -> Result<Request<'_>, Trouble> {
        let cas = seen.map_or(token.cas, |seen| seen.cas);
        let on_entry = seen.filter(|seen| matches!(seen.content, Content::Entry(_)));
        match (action, on_entry) {
            (Action::Fill(fresh), _) => {
                let condition = Condition::Unchanged(cas);
                Ok(fresh.store(dialect, Request::default(), name, condition, None))
            }
            (Action::Release, None) => Ok(dialect.delete_unchanged(Request::default(), name, cas)),
            (Action::Release, Some(seen)) => {
                let over = LeaseRecord::RELEASED;
                let written = self.write_lease(dialect, name, seen, over, Duration::ZERO).await?;
                Ok(written.request)
            }
            (Action::Renew(time), None) => {
                let exptime = self.node.exptime(*time).await?;
                let record = LeaseRecord { id: token.id, deadline_ms: 0 }.encode();
                let content = Stored { flags: 0, exptime, data: &[&record] };
                let condition = Condition::Unchanged(cas);
                Ok(dialect.store(Request::default(), name, condition, content))
            }
            (Action::Renew(time), Some(seen)) => {
                let now = self.node.time().await?;
                let deadline_ms = deadline(now.latest_ms, *time);
                let record = LeaseRecord { id: token.id, deadline_ms };
                let written = self.write_lease(dialect, name, seen, record, *time).await?;
                Ok(written.request)
            }
        }
    }
}

/// What is done with a lease that is held.
enum Action<'a> {
    Fill(Fresh<'a>),
    Release,
    Renew(Duration),
}

fn deadline(now_ms: u64, time: Duration) -> u64 {
    now_ms.saturating_add(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_comes_back_as_it_was() {
        for token in [
            Token { cas: 1, id: 2, until_seconds: 0 },
            Token { cas: u64::MAX, id: u32::MAX, until_seconds: u32::MAX },
            Token { cas: 0, id: 7, until_seconds: 1_735_689_600 },
        ] {
            assert_eq!(Token::parse(&token.encode()), token);
        }
    }

    #[test]
    fn the_longest_lease_has_an_end() {
        assert_eq!(deadline(1_735_689_600_000, Duration::MAX), u64::MAX);
    }
}
