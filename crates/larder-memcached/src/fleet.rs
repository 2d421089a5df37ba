//! All servers together: which one a key or a tag belongs to, and requests to several at once.
//!
//! Invariant: the place of a key or a tag depends on the list of servers alone. A server that is
//! down keeps what belongs to it: moving a tag would give it a second generation somewhere else.

use std::sync::Arc;

use futures_util::future::join_all;
use larder_core::{Key, Stamp, Tag};

use crate::{
    MemcachedConfig, ServerAddress,
    error::Trouble,
    name::Name,
    node::Node,
    ring::{Ring, number_of},
    tls::Tls,
    verbs::{Answered, Found, Site, Wanted},
};

#[derive(Debug)]
pub(crate) struct Fleet {
    pub(crate) nodes: Vec<Arc<Node>>,
    pub(crate) config: Arc<MemcachedConfig>,
    /// `None` for a single server.
    ring: Option<Ring>,
}

/// Trouble with one of the servers.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub(crate) trouble: Trouble,
    pub(crate) server: Option<ServerAddress>,
}

impl From<Trouble> for Fault {
    fn from(trouble: Trouble) -> Self {
        Self { trouble, server: None }
    }
}

/// What a call on several servers returns.
pub(crate) type Outcome<T> = Result<T, Fault>;

/// What is done with tags.
#[derive(Clone, Copy, Debug)]
pub(crate) enum TagVerb {
    Bump,
    Generations,
}

impl Fleet {
    pub(crate) fn new(config: Arc<MemcachedConfig>) -> Result<Self, Trouble> {
        let tls = if config.tls { Some(Tls::new(config.ca.as_deref())?) } else { None };
        let node = |address: &ServerAddress| {
            Arc::new(Node::new(address.clone(), Arc::clone(&config), tls.clone()))
        };
        let nodes: Vec<_> = config.servers.iter().map(node).collect();
        let ring = (nodes.len() > 1).then(|| Ring::new(&config.servers, config.ketama_labels));
        Ok(Self { nodes, ring, config })
    }

    fn site(&self, index: usize) -> Site<'_> {
        // There is at least one server, and the ring knows no others.
        Site { node: &self.nodes[index], namespace: &self.config.namespace }
    }

    /// The digest is random enough to be the number on the ring.
    fn index_of_digest(&self, digest: &[u8]) -> usize {
        let number = digest.first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes));
        self.ring.as_ref().map_or(0, |ring| ring.server(number))
    }

    fn index_of_key(&self, key: &Key) -> usize {
        self.index_of_digest(key.digest())
    }

    fn index_of_tag(&self, tag: &Tag) -> usize {
        self.index_of_digest(tag.as_bytes())
    }

    /// Where a key belongs.
    pub(crate) fn of_key(&self, key: &Key) -> Site<'_> {
        self.site(self.index_of_key(key))
    }

    /// Where a plain name belongs, as other clients place it.
    pub(crate) fn of_name(&self, name: &Name<'_>) -> Site<'_> {
        let server = |ring: &Ring| ring.server(number_of(name.to_string().as_bytes()));
        self.site(self.ring.as_ref().map_or(0, server))
    }

    /// Every server, each as a site of the namespace.
    pub(crate) fn sites(&self) -> impl Iterator<Item = Site<'_>> {
        (0..self.nodes.len()).map(|index| self.site(index))
    }

    /// Reads one key and its tags.
    pub(crate) async fn read(&self, key: &Key, tags: &[Tag]) -> Outcome<Found> {
        let home = self.index_of_key(key);
        if self.ring.is_none() || tags.iter().all(|tag| self.index_of_tag(tag) == home) {
            let site = self.site(home);
            return site.read_one(key, tags).await.map_err(|trouble| site.fault(trouble));
        }
        let mut found = Box::pin(self.read_many(&[(key, tags)])).await;
        found.pop().unwrap_or_else(|| Err(Trouble::Protocol("an answer is missing").into()))
    }

    /// Reads many keys, each with its tags, in one round trip per server. What a server does not
    /// answer fails for those who wanted it, and for nobody else.
    pub(crate) async fn read_many(&self, requests: &[(&Key, &[Tag])]) -> Vec<Outcome<Found>> {
        let mut plan = Plan::new(self.nodes.len());
        let places: Vec<_> = requests
            .iter()
            .map(|(key, tags)| {
                let tag = |tag| plan.tag(self.index_of_tag(tag), tag);
                let tags: Vec<_> = tags.iter().map(tag).collect();
                (plan.key(self.index_of_key(key), key), tags)
            })
            .collect();
        let answers = join_all(plan.servers.iter().enumerate().map(|(index, wanted)| async move {
            if wanted.keys.is_empty() && wanted.tags.is_empty() {
                return None;
            }
            let site = self.site(index);
            Some(site.read(wanted).await.map_err(|trouble| site.fault(trouble)))
        }))
        .await;
        places.into_iter().map(|(key, tags)| assemble(&answers, key, &tags)).collect()
    }

    /// Groups tags by server, asks each server about its own at the same time, and puts the
    /// stamps into the order of the tags.
    pub(crate) async fn stamps(&self, tags: &[Tag], verb: TagVerb) -> Outcome<Vec<Stamp>> {
        let groups = group(self.nodes.len(), tags, |tag| self.index_of_tag(tag));
        let answers = join_all(groups.iter().map(|(index, positions)| async move {
            let site = self.site(*index);
            let own = positions.iter().filter_map(|position| tags.get(*position).copied());
            let own: Vec<_> = own.collect();
            let stamps = match verb {
                TagVerb::Bump => site.bump(&own).await,
                TagVerb::Generations => site.generations(&own).await,
            };
            stamps.map_err(|trouble| site.fault(trouble))
        }))
        .await;
        let mut stamps: Vec<Option<Stamp>> = vec![None; tags.len()];
        for ((_, positions), answer) in groups.iter().zip(answers) {
            for (position, stamp) in positions.iter().zip(answer?) {
                if let Some(place) = stamps.get_mut(*position) {
                    *place = Some(stamp);
                }
            }
        }
        Ok(stamps.into_iter().flatten().collect())
    }

    /// Removes many keys, on all servers at the same time.
    pub(crate) async fn remove_many(&self, keys: &[Key]) -> Outcome<u64> {
        let groups = group(self.nodes.len(), keys, |key| self.index_of_key(key));
        let removals = groups.iter().map(|(index, positions)| async move {
            let site = self.site(*index);
            let own: Vec<_> = positions.iter().filter_map(|position| keys.get(*position)).collect();
            site.remove(&own).await.map_err(|trouble| site.fault(trouble))
        });
        join_all(removals).await.into_iter().sum()
    }
}

impl Site<'_> {
    /// Says which server it was.
    pub(crate) fn fault(&self, trouble: Trouble) -> Fault {
        Fault { trouble, server: Some(self.node.address.clone()) }
    }
}

/// The positions of what belongs to each server, without the servers that nothing belongs to.
fn group<T>(servers: usize, all: &[T], index_of: impl Fn(&T) -> usize) -> Vec<(usize, Vec<usize>)> {
    let mut groups = vec![Vec::new(); servers];
    for (position, one) in all.iter().enumerate() {
        if let Some(group) = groups.get_mut(index_of(one)) {
            group.push(position);
        }
    }
    groups.into_iter().enumerate().filter(|(_, group)| !group.is_empty()).collect()
}

/// What is wanted from every server, each tag once.
struct Plan<'a> {
    servers: Vec<Wanted<'a>>,
    tags: std::collections::HashMap<&'a Tag, Place>,
}

/// A server, and the position in what is wanted from it.
type Place = (usize, usize);

impl<'a> Plan<'a> {
    fn new(servers: usize) -> Self {
        Self {
            servers: (0..servers).map(|_| Wanted::default()).collect(),
            tags: std::collections::HashMap::new(),
        }
    }

    fn key(&mut self, server: usize, key: &'a Key) -> Place {
        let Some(wanted) = self.servers.get_mut(server) else { return (server, 0) };
        wanted.keys.push(key);
        (server, wanted.keys.len() - 1)
    }

    fn tag(&mut self, server: usize, tag: &'a Tag) -> Place {
        let Some(wanted) = self.servers.get_mut(server) else { return (server, 0) };
        *self.tags.entry(tag).or_insert_with(|| {
            wanted.tags.push(tag);
            (server, wanted.tags.len() - 1)
        })
    }
}

fn assemble(
    answers: &[Option<Outcome<Answered>>],
    (home, position): Place,
    tags: &[Place],
) -> Outcome<Found> {
    let answered = |server: usize| match answers.get(server) {
        Some(Some(Ok(answered))) => Ok(answered),
        Some(Some(Err(fault))) => Err(fault.clone()),
        _ => Err(Trouble::Protocol("an answer is missing").into()),
    };
    let own = answered(home)?;
    let stamps = tags
        .iter()
        .map(|(server, position)| Ok(answered(*server)?.stamps.get(*position).copied().flatten()));
    Ok(Found {
        value: own.values.get(position).cloned().flatten(),
        stamps: stamps.collect::<Outcome<_>>()?,
        epoch: own.epoch,
    })
}
