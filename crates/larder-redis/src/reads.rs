//! Reads: the entry, the namespace and the tags, in one command where one node has all of them.
//!
//! Guards that every generation is read during the call, and that an entry counts only with the
//! mark that was read beside it.

use std::collections::HashMap;

use bytes::Bytes;
use futures_util::future::try_join_all;
use larder_core::{Epoch, Generation, Key, ReadRequest, Snapshot, Stamp, Tag};
use redis::Value;
use smallvec::SmallVec;

use crate::{
    counters::add,
    error::Trouble,
    fleet::{Effect, Fleet},
    keys::{CLUSTER_BUCKETS, Names, WireKey},
    link::Link,
    mark::Mark,
    node::Node,
    resp::{self, Answer, Item},
    store::Store,
    unit::Unit,
};

/// A read that was taken out of its call, to be made together with others.
#[derive(Clone, Debug)]
pub(crate) struct OwnedRequest {
    pub(crate) key: Key,
    pub(crate) tags: SmallVec<[Tag; 4]>,
}

impl OwnedRequest {
    pub(crate) fn new(key: &Key, tags: &[Tag]) -> Self {
        Self { key: *key, tags: tags.into() }
    }

    pub(crate) fn borrow(&self) -> ReadRequest<'_> {
        ReadRequest { key: &self.key, tags: &self.tags }
    }
}

/// The most keys of one command: a server answers nobody else meanwhile.
const KEYS_PER_COMMAND: usize = 512;

impl Store {
    /// Reads one entry.
    pub(crate) async fn read_one(&self, key: &Key, tags: &[Tag]) -> Result<Snapshot, Trouble> {
        if self.fleet.one().is_none() {
            let request = [ReadRequest { key, tags }];
            let snapshot = Box::pin(self.read_batch(&request)).await?.pop();
            return snapshot.ok_or(Trouble::NoNode);
        }
        let names = self.names();
        let entry = names.entry(key);
        let command = || {
            let bytes = (2 + tags.len()) * resp::word_len_max(entry.len());
            let mut packed = Vec::with_capacity(32 + bytes);
            resp::begin(&mut packed, 3 + tags.len());
            resp::word(&mut packed, b"MGET");
            resp::word(&mut packed, &entry);
            resp::word(&mut packed, &names.bucket(0));
            for tag in tags {
                resp::word(&mut packed, &names.tag(tag));
            }
            packed
        };
        let (answer, epoch) = self.fleet.ask(&entry, command).await?;
        let mut items = answer.items();
        let (Some(Item::List(length)), Some(stored), Some(namespace)) =
            (items.next(), items.next(), items.next())
        else {
            return Err(Trouble::Answer(NO_LIST));
        };
        if length != 2 + tags.len() {
            return Err(Trouble::Answer(NO_LIST));
        }
        let stamps = items.map(|item| stamp(bulk(item), epoch)).collect();
        let value = bulk(stored).filter(|stored| is_live(stored, mark(bulk(namespace), epoch)));
        let value = value.map(|stored| owned(Some(&answer), &stored[Mark::LEN..]));
        add(&self.counters.reads, 1);
        add(&self.counters.found, value.is_some().into());
        Ok(Snapshot::new(value, stamps, epoch))
    }

    /// Reads many entries, in one round trip to each node.
    pub(crate) async fn read_batch(
        &self,
        requests: &[ReadRequest<'_>],
    ) -> Result<Vec<Snapshot>, Trouble> {
        if requests.is_empty() {
            return Ok(Vec::new());
        }
        let plan = Plan::new(self.names(), requests);
        let fetched = self.fetch(&plan.names).await?;
        let found = fetched.found(plan.names.len())?;
        let (marks, rest) = found.split_at(plan.entries_begin);
        let (entries, stamps) = rest.split_at(requests.len());
        let marks: Vec<_> = marks.iter().map(|found| mark(found.stored, found.epoch)).collect();
        let stamps: Vec<_> = stamps.iter().map(|found| stamp(found.stored, found.epoch)).collect();
        let mut snapshots = Vec::with_capacity(requests.len());
        let mut wanted = plan.tags.iter();
        let mut live = 0;
        for ((request, entry), place) in requests.iter().zip(entries).zip(&plan.marks) {
            let stored = entry.stored.filter(|stored| is_live(stored, marks[*place]));
            let value = stored.map(|stored| owned(entry.answer, &stored[Mark::LEN..]));
            live += usize::from(value.is_some());
            let own = wanted.by_ref().take(request.tags.len()).map(|tag| stamps[*tag]);
            snapshots.push(Snapshot::new(value, own.collect(), entry.epoch));
        }
        add(&self.counters.reads, requests.len());
        add(&self.counters.found, live);
        Ok(snapshots)
    }

    /// Asks for the values of these keys, in their order.
    async fn fetch(&self, names: &[WireKey]) -> Result<Fetched, Trouble> {
        if self.fleet.one().is_some() {
            let ask = |chunk| self.fleet.ask(&names[0], move || mget(chunk));
            return Ok(Fetched::Lists(if names.len() <= KEYS_PER_COMMAND {
                vec![ask(names).await?]
            } else {
                try_join_all(names.chunks(KEYS_PER_COMMAND).map(ask)).await?
            }));
        }
        // Lists of one key, because in a list what is no string is missing and no error.
        let unit = |name: &WireKey| {
            let mut command = redis::cmd("MGET");
            command.arg(&name[..]);
            Unit::one(name.clone(), command)
        };
        let mut values = Vec::with_capacity(names.len());
        for answer in self.fleet.run(names.iter().map(unit).collect(), Effect::Read).await {
            let mut reply = answer?;
            let Value::Array(list) = reply.first() else {
                return Err(Trouble::Answer(NO_LIST));
            };
            let epoch = reply.epoch();
            values.extend(list.into_iter().map(|value| (value, epoch)));
        }
        Ok(Fetched::Values(values))
    }
}

/// What was asked for, with the epochs of the nodes that answered.
enum Fetched {
    /// As it came from the one node.
    Lists(Vec<(Answer, Epoch)>),
    /// As it was gathered from the nodes of a cluster.
    Values(Vec<(Value, Epoch)>),
}

/// What is stored under a key.
struct Found<'a> {
    stored: Option<&'a [u8]>,
    /// Where it is a part of.
    answer: Option<&'a Answer>,
    epoch: Epoch,
}

impl Fetched {
    fn found(&self, count: usize) -> Result<Vec<Found<'_>>, Trouble> {
        let mut found = Vec::with_capacity(count);
        match self {
            Self::Lists(lists) => {
                for (answer, epoch) in lists {
                    let mut items = answer.items();
                    let Some(Item::List(_)) = items.next() else {
                        return Err(Trouble::Answer(NO_LIST));
                    };
                    found.extend(items.map(|item| Found {
                        stored: bulk(item),
                        answer: Some(answer),
                        epoch: *epoch,
                    }));
                }
            }
            Self::Values(values) => found.extend(values.iter().map(|(value, epoch)| {
                let stored = match value {
                    Value::BulkString(stored) => Some(&stored[..]),
                    _ => None,
                };
                Found { stored, answer: None, epoch: *epoch }
            })),
        }
        if found.len() == count { Ok(found) } else { Err(Trouble::Answer(NO_LIST)) }
    }
}

fn bulk(item: Item<'_>) -> Option<&[u8]> {
    match item {
        Item::Bulk(bytes) => Some(bytes),
        _ => None,
    }
}

/// What somebody else wrote in a generation's place counts as missing.
fn stamp(stored: Option<&[u8]>, epoch: Epoch) -> Option<Stamp> {
    let generation = Generation::from_slice(stored?)?;
    Some(Stamp { generation, epoch })
}

fn mark(stored: Option<&[u8]>, epoch: Epoch) -> Option<Mark> {
    Some(Mark::of(Generation::from_slice(stored?)?, epoch))
}

fn is_live(stored: &[u8], current: Option<Mark>) -> bool {
    current.is_some() && Mark::of_stored(stored) == current
}

/// Up to which length a value is copied out of the answer that it came in, so that whoever keeps
/// a short value does not keep all that came with it.
const COPY_BYTES_MAX: usize = 16 << 10;

fn owned(answer: Option<&Answer>, value: &[u8]) -> Bytes {
    match answer {
        Some(answer) if value.len() > COPY_BYTES_MAX => answer.keep(value),
        _ => Bytes::copy_from_slice(value),
    }
}

/// The one command that asks for the values of many keys.
fn mget(names: &[WireKey]) -> Vec<u8> {
    let bytes: usize = names.iter().map(|name| resp::word_len_max(name.len())).sum();
    let mut packed = Vec::with_capacity(32 + bytes);
    resp::begin(&mut packed, 1 + names.len());
    resp::word(&mut packed, b"MGET");
    for name in names {
        resp::word(&mut packed, name);
    }
    packed
}

impl Fleet {
    /// Sends one reading command to the one node; over a new connection if the old one had ended.
    ///
    /// # Cancel safety
    /// Safe.
    async fn ask(
        &self,
        beside: &WireKey,
        command: impl Fn() -> Vec<u8>,
    ) -> Result<(Answer, Epoch), Trouble> {
        let Some(node) = self.one() else {
            return Err(Trouble::NoNode);
        };
        if let Some(link) = node.current() {
            match exchange(&link, beside, command()).await {
                Err(trouble) if trouble.is_mended_by_another_link() => {}
                outcome => return outcome,
            }
        }
        Box::pin(self.ask_anew(node, beside, command())).await
    }

    /// Connects, if nobody else has done so meanwhile, and asks.
    async fn ask_anew(
        &self,
        node: &Node,
        beside: &WireKey,
        command: Vec<u8>,
    ) -> Result<(Answer, Epoch), Trouble> {
        let deadline = self.settings.deadline();
        let asked = async { exchange(&*node.link(deadline).await?, beside, command).await };
        deadline.limit(asked).await
    }
}

async fn exchange(
    link: &Link,
    beside: &WireKey,
    command: Vec<u8>,
) -> Result<(Answer, Epoch), Trouble> {
    let answer = link.send_packed(link.checks(true), beside, command).await?;
    if let Some(Item::Error(_)) = answer.items().next() {
        let refused = answer.values(1)?.into_iter().next();
        let Some(Value::ServerError(error)) = refused else {
            return Err(Trouble::Answer(NO_LIST));
        };
        let trouble = Trouble::Server(error);
        if trouble.ends_the_connection() {
            link.cut();
        }
        return Err(trouble);
    }
    Ok((answer, link.epoch()))
}

const NO_LIST: &str = "a read was not answered with a list of its keys";

/// Which keys many reads need: the namespace's generations, the entries, and each tag once.
struct Plan {
    names: Vec<WireKey>,
    entries_begin: usize,
    /// For each request, where its namespace's generation is.
    marks: Vec<usize>,
    /// For each tag of each request, in their order, where its generation is among the tags.
    tags: Vec<usize>,
}

impl Plan {
    fn new(names: &Names, requests: &[ReadRequest<'_>]) -> Self {
        let mut plan = Self {
            names: Vec::with_capacity(requests.len() + 16),
            entries_begin: 0,
            marks: Vec::with_capacity(requests.len()),
            tags: Vec::with_capacity(requests.iter().map(|request| request.tags.len()).sum()),
        };
        let mut places = [None; CLUSTER_BUCKETS];
        for request in requests {
            let bucket = names.bucket_of(request.key);
            let place = *places[bucket].get_or_insert_with(|| {
                plan.names.push(names.bucket(bucket));
                plan.names.len() - 1
            });
            plan.marks.push(place);
        }
        plan.entries_begin = plan.names.len();
        plan.names.extend(requests.iter().map(|request| names.entry(request.key)));
        let mut known: HashMap<Tag, usize> = HashMap::new();
        let mut last: &[Tag] = &[];
        for request in requests {
            // Reads that come together mostly ask for the same tags.
            if request.tags == last {
                let same = plan.tags.len() - last.len();
                plan.tags.extend_from_within(same..);
                continue;
            }
            for tag in request.tags {
                let next = known.len();
                let index = *known.entry(*tag).or_insert(next);
                if index == next {
                    plan.names.push(names.tag(tag));
                }
                plan.tags.push(index);
            }
            last = request.tags;
        }
        plan
    }
}

#[cfg(test)]
mod tests {
    use larder_core::Generation;

    use super::*;

    #[test]
    fn each_tag_is_asked_for_once() {
        let names = Names::new("app", false);
        let [a, b, c] = ["a", "b", "c"].map(Tag::named);
        let keys = ["0", "1", "2", "3"].map(Key::object);
        let tags: [&[Tag]; 4] = [&[a, b], &[a, b], &[], &[c, a, c]];
        let requests: Vec<_> =
            keys.iter().zip(tags).map(|(key, tags)| ReadRequest { key, tags }).collect();
        let plan = Plan::new(&names, &requests);
        assert_eq!(plan.tags, [0, 1, 0, 1, 2, 0, 2]);
        let expected: Vec<_> = [names.bucket(0)]
            .into_iter()
            .chain(keys.iter().map(|key| names.entry(key)))
            .chain([a, b, c].iter().map(|tag| names.tag(tag)))
            .collect();
        assert_eq!((plan.names, plan.entries_begin, plan.marks), (expected, 1, vec![0; 4]));
    }

    #[test]
    fn an_entry_counts_only_with_the_current_mark() {
        let (generation, epoch) = (Generation::random(), Epoch::random());
        let current = mark(Some(generation.as_bytes()), epoch);
        let other = mark(Some(Generation::random().as_bytes()), epoch);
        let stored = [Mark::of(generation, epoch).as_bytes(), &b"value"[..]].concat();
        assert!(is_live(&stored, current));
        for (stored, current) in
            [(&stored[..], other), (&stored[..], None), (b"short", current), (b"", current)]
        {
            assert!(!is_live(stored, current));
        }
    }

    #[test]
    fn what_is_no_generation_is_missing() {
        let epoch = Epoch::random();
        for foreign in [&b""[..], b"9007199254740993", &[7; 1 << 20]] {
            let is_generation = foreign.len() == 16;
            assert_eq!(stamp(Some(foreign), epoch).is_some(), is_generation);
            assert_eq!(mark(Some(foreign), epoch).is_some(), is_generation);
        }
        assert_eq!((stamp(None, epoch), mark(None, epoch)), (None, None));
    }

    #[test]
    fn a_short_value_does_not_keep_its_answer_and_a_long_one_is_not_copied() {
        for (length, is_copied) in [(1, true), (COPY_BYTES_MAX, true), (COPY_BYTES_MAX + 1, false)]
        {
            let mut packed = Vec::new();
            resp::word(&mut packed, &vec![b'x'; length]);
            let answer = Answer(packed.into());
            let Some(Item::Bulk(value)) = answer.items().next() else {
                panic!("a value");
            };
            assert_eq!(
                owned(Some(&answer), value).as_ptr() != value.as_ptr(),
                is_copied,
                "{length}"
            );
        }
    }
}
