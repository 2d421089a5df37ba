//! Reading entries and stamps: one `get`, one round trip, in both dialects.

use bytes::Bytes;
use larder_core::{Epoch, Generation, Key, Stamp, Tag};
use smallvec::SmallVec;

use super::Site;
use crate::{
    error::Trouble,
    item::Content,
    node::Repeat,
    request::{Item, Request},
};

/// What is wanted from one server: entries, and tags beside them.
#[derive(Debug, Default)]
pub(crate) struct Wanted<'a> {
    pub(crate) keys: SmallVec<[&'a Key; 1]>,
    pub(crate) tags: SmallVec<[&'a Tag; 4]>,
}

/// What one server answered, in the order in which it was wanted.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) values: SmallVec<[Option<Bytes>; 1]>,
    pub(crate) stamps: SmallVec<[Option<Stamp>; 4]>,
    pub(crate) epoch: Epoch,
}

/// What was read for one key.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) value: Option<Bytes>,
    pub(crate) stamps: Vec<Option<Stamp>>,
    pub(crate) epoch: Epoch,
}

impl Site<'_> {
    /// Reads one entry and the stamps of tags that belong to the same server.
    pub(crate) async fn read_one(&self, key: &Key, tags: &[Tag]) -> Result<Found, Trouble> {
        let make = |view: &_| {
            let mut request = Request::read(self.entry(view, key));
            request.reads.extend(tags.iter().map(|tag| self.tag(tag)));
            request
        };
        let (view, reply) = match self.node.at_once(&make).await {
            Some(answered) => answered,
            None => Box::pin(self.node.in_namespace(Repeat::Once, &make)).await?,
        };
        let mut items = reply.items.into_iter();
        let value = items.next().and_then(value);
        let stamps = items.map(|item| stamp(item, view.epoch)).collect();
        Ok(Found { value, stamps, epoch: view.epoch })
    }

    /// Reads entries and stamps.
    pub(crate) async fn read(&self, wanted: &Wanted<'_>) -> Result<Answered, Trouble> {
        let make = |view: &_| {
            let mut request = Request::default();
            request.reads.extend(wanted.keys.iter().map(|key| self.entry(view, key)));
            request.reads.extend(wanted.tags.iter().map(|tag| self.tag(tag)));
            request
        };
        let (view, reply) = match self.node.at_once(&make).await {
            Some(answered) => answered,
            None => Box::pin(self.node.in_namespace(Repeat::Once, &make)).await?,
        };
        let mut items = reply.items.into_iter();
        let values = items.by_ref().take(wanted.keys.len()).map(value).collect();
        let stamps = items.map(|item| stamp(item, view.epoch)).collect();
        Ok(Answered { values, stamps, epoch: view.epoch })
    }
}

fn value(item: Option<Item>) -> Option<Bytes> {
    item.and_then(|item| Content::value(item.flags, item.data.into_bytes()))
}

/// A tag's stamp; whatever somebody else wrote in the generation's place is none.
pub(super) fn stamp(item: Option<Item>, epoch: Epoch) -> Option<Stamp> {
    let generation = Generation::from_slice(item?.data.as_slice())?;
    Some(Stamp { generation, epoch })
}
