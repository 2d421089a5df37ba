//! A Redis Cluster: which node has which slot, learned from the nodes and learned again when
//! they disagree.
//!
//! Guards two bounds: one caller at a time asks for the map, and there are no connections to nodes
//! that are no longer part of it.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use futures_util::future::try_join_all;
use larder_core::Tick;
use redis::Value;

use crate::{
    Address,
    error::Trouble,
    link::Link,
    node::{Node, Place},
    settings::{Deadline, Settings},
    slot,
    wire::Wire,
};

/// The nodes and the map of the slots.
#[derive(Debug)]
pub(crate) struct Cluster {
    settings: Arc<Settings>,
    seeds: Vec<Address>,
    nodes: Mutex<HashMap<Address, Arc<Node>>>,
    map: RwLock<Arc<SlotMap>>,
    /// Held by the one who asks for the map; says when it was last learned.
    refreshed: tokio::sync::Mutex<Option<Tick>>,
    /// Whether a node did not answer, so that another may have its place by now.
    is_doubtful: AtomicBool,
}

/// Which master has which slot.
#[derive(Debug, Default)]
pub(crate) struct SlotMap {
    /// In the order of their first slots.
    pub(crate) masters: Vec<Arc<Node>>,
    /// How many replicas the masters have together.
    pub(crate) replicas: usize,
    /// For each slot the number of its master, plus one; 0 for none. Empty before the first map.
    owners: Box<[u16]>,
}

impl SlotMap {
    fn owner(&self, slot: u16) -> Option<&Arc<Node>> {
        let number = *self.owners.get(usize::from(slot))?;
        self.masters.get(usize::from(number.checked_sub(1)?))
    }

    /// How many slots have a master.
    pub(crate) fn covered(&self) -> usize {
        self.owners.iter().filter(|owner| **owner != 0).count()
    }

    /// A slot of this master.
    pub(crate) fn slot_of(&self, master: usize) -> Option<u16> {
        let position = self.owners.iter().position(|owner| usize::from(*owner) == master + 1)?;
        u16::try_from(position).ok()
    }
}

impl Cluster {
    pub(crate) fn new(settings: &Arc<Settings>, seeds: Vec<Address>) -> Self {
        Self {
            settings: Arc::clone(settings),
            seeds,
            nodes: Mutex::default(),
            map: RwLock::default(),
            refreshed: tokio::sync::Mutex::default(),
            is_doubtful: AtomicBool::new(false),
        }
    }

    /// The map as it is known; empty before anybody asked.
    pub(crate) fn map(&self) -> Arc<SlotMap> {
        Arc::clone(&self.map.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The node with this address, whether or not it is part of the map.
    pub(crate) fn node_at(&self, address: &Address) -> Arc<Node> {
        let mut nodes = self.nodes.lock().unwrap_or_else(PoisonError::into_inner);
        let node = nodes
            .entry(address.clone())
            .or_insert_with(|| Arc::new(Node::new(&self.settings, Place::Fixed(address.clone()))));
        Arc::clone(node)
    }

    /// The master of a key's slot.
    ///
    /// # Cancel safety
    /// Safe.
    pub(crate) async fn node_of(
        &self,
        key: &[u8],
        deadline: Deadline<'_>,
    ) -> Result<Arc<Node>, Trouble> {
        let slot = slot::of(key);
        if self.is_doubtful.load(Relaxed) && self.is_doubtful.swap(false, Relaxed) {
            // A map that can not be had now is asked for again when the next node is silent.
            let _ = self.refresh(deadline).await;
        }
        if let Some(owner) = self.map().owner(slot) {
            return Ok(Arc::clone(owner));
        }
        self.refresh(deadline).await?;
        self.map().owner(slot).map(Arc::clone).ok_or(Trouble::NoNode)
    }

    /// Has the next call ask for the map first: a node that does not answer says nothing about
    /// who has its place.
    pub(crate) fn doubt(&self) {
        self.is_doubtful.store(true, Relaxed);
    }

    /// The connections to all masters of a map that covers every slot.
    ///
    /// # Cancel safety
    /// Safe.
    pub(crate) async fn masters(&self, deadline: Deadline<'_>) -> Result<Vec<Arc<Link>>, Trouble> {
        for _ in 0..2 {
            let map = self.map();
            if map.covered() == usize::from(slot::COUNT) {
                match try_join_all(map.masters.iter().map(|node| node.link(deadline))).await {
                    Ok(links) => return Ok(links),
                    // The map may name a master that was replaced.
                    Err(Trouble::Timeout) => return Err(Trouble::Timeout),
                    Err(_) => {}
                }
            }
            self.refresh(deadline).await?;
        }
        let map = self.map();
        if map.covered() < usize::from(slot::COUNT) {
            return Err(Trouble::NoNode);
        }
        try_join_all(map.masters.iter().map(|node| node.link(deadline))).await
    }

    /// Learns the map anew, unless somebody else has just done so.
    ///
    /// # Cancel safety
    /// The map stays as it is.
    pub(crate) async fn refresh(&self, deadline: Deadline<'_>) -> Result<(), Trouble> {
        let asked = self.settings.clock().now();
        deadline
            .limit(async {
                let mut refreshed = self.refreshed.lock().await;
                if refreshed.is_some_and(|at| at >= asked) {
                    return Ok(());
                }
                let begin = self.settings.clock().now();
                self.learn(deadline).await?;
                *refreshed = Some(begin);
                Ok(())
            })
            .await
    }

    async fn learn(&self, deadline: Deadline<'_>) -> Result<(), Trouble> {
        let candidates = self.candidates();
        let mut trouble = Trouble::NoNode;
        for (asked, address) in candidates.iter().enumerate() {
            // Each gets its share of the time that is left, so that one that hangs is survived.
            let left = u32::try_from(candidates.len() - asked).unwrap_or(u32::MAX);
            let share = deadline.remaining() / left.min(3);
            let attempt = self.ask(address);
            match tokio::time::timeout(share, attempt).await.unwrap_or(Err(Trouble::Timeout)) {
                Ok(shards) => {
                    self.adopt(&shards);
                    return Ok(());
                }
                Err(next) => trouble = next,
            }
        }
        Err(trouble)
    }

    /// Whom to ask: first those to whom there is a connection, then all that are known.
    fn candidates(&self) -> Vec<Address> {
        let map = self.map();
        let connected = map.masters.iter().filter_map(|node| node.current());
        let mut candidates: Vec<_> = connected.map(|link| link.address().clone()).collect();
        let nodes = self.nodes.lock().unwrap_or_else(PoisonError::into_inner);
        for address in self.seeds.iter().chain(nodes.keys()) {
            if !candidates.contains(address) {
                candidates.push(address.clone());
            }
        }
        candidates
    }

    /// Asks one node for the map.
    async fn ask(&self, address: &Address) -> Result<Vec<Shard>, Trouble> {
        let mut question = redis::cmd("CLUSTER");
        question.arg("SLOTS");
        let known = {
            let nodes = self.nodes.lock().unwrap_or_else(PoisonError::into_inner);
            nodes.get(address).and_then(|node| node.current())
        };
        let answer = match known {
            Some(link) => {
                let answers = link.send_all(link.checks(false), &[], &[question]).await?;
                answers.into_iter().next().unwrap_or_default()
            }
            None => {
                // A replica knows the map, too, and so nobody is asked which role it has.
                let credentials = &self.settings.config.credentials;
                let wire = Wire::open(&self.settings, address, credentials, None).await?;
                wire.connection().send_packed_command(&question).await?
            }
        };
        match answer {
            Value::ServerError(error) => Err(Trouble::Server(error)),
            answer => shards(&answer, address).ok_or(Trouble::Answer("CLUSTER SLOTS has no map")),
        }
    }

    /// Makes a map of what a node answered, and forgets the nodes that have no part in it.
    fn adopt(&self, shards: &[Shard]) {
        let mut map = SlotMap { owners: vec![0; slot::COUNT.into()].into(), ..SlotMap::default() };
        let mut addresses: Vec<&Address> = Vec::new();
        for shard in shards {
            let number = addresses.iter().position(|known| **known == shard.master);
            let number = number.unwrap_or_else(|| {
                addresses.push(&shard.master);
                map.masters.push(self.node_at(&shard.master));
                map.replicas += shard.replicas;
                addresses.len() - 1
            });
            let Ok(number) = u16::try_from(number + 1) else { continue };
            if let Some(slots) = map.owners.get_mut(shard.first.into()..=shard.last.into()) {
                slots.fill(number);
            }
        }
        let mut nodes = self.nodes.lock().unwrap_or_else(PoisonError::into_inner);
        nodes.retain(|address, _| addresses.contains(&address));
        drop(nodes);
        *self.map.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(map);
    }
}

/// A range of slots and who has it.
#[derive(Debug, PartialEq, Eq)]
struct Shard {
    first: u16,
    last: u16,
    master: Address,
    replicas: usize,
}

/// Reads the answer to `CLUSTER SLOTS`.
fn shards(answer: &Value, answered: &Address) -> Option<Vec<Shard>> {
    let Value::Array(rows) = answer else {
        return None;
    };
    rows.iter().map(|row| shard(row, answered)).collect()
}

fn shard(row: &Value, answered: &Address) -> Option<Shard> {
    let Value::Array(row) = row else {
        return None;
    };
    let [Value::Int(first), Value::Int(last), Value::Array(master), replicas @ ..] = &row[..]
    else {
        return None;
    };
    let [host, Value::Int(port), ..] = &master[..] else {
        return None;
    };
    let host = match host {
        Value::BulkString(host) => std::str::from_utf8(host).ok()?,
        // A node that was not told its own address leaves it out.
        Value::Nil => "",
        _ => return None,
    };
    let host = if host == "?" { "" } else { host };
    let number = |number: &i64| u16::try_from(*number).ok().filter(|slot| *slot < slot::COUNT);
    let (first, last) = (number(first)?, number(last)?);
    let master = Address::tcp(host, u16::try_from(*port).ok()?).or_host_of(answered);
    (first <= last).then_some(Shard { first, last, master, replicas: replicas.len() })
}

#[cfg(test)]
mod tests {
    use crate::{Deployment, RedisConfig};

    use super::*;

    fn row(first: i64, last: i64, host: &str, port: i64, replicas: usize) -> Value {
        let node = |port: i64| {
            Value::Array(vec![Value::BulkString(host.into()), Value::Int(port), Value::Nil])
        };
        let mut row = vec![Value::Int(first), Value::Int(last), node(port)];
        row.extend((0..replicas).map(|_| node(port + 1)));
        Value::Array(row)
    }

    fn cluster() -> Cluster {
        let seeds = vec![Address::tcp("seed", 1)];
        let config = RedisConfig::new(Deployment::Cluster(seeds.clone()));
        Cluster::new(&Arc::new(Settings::new(config).unwrap()), seeds)
    }

    #[test]
    fn the_map_is_what_the_nodes_say() {
        let cluster = cluster();
        let answered = Address::tcp("10.0.0.9", 1);
        let rows = vec![
            row(0, 99, "10.0.0.1", 1, 1),
            row(100, 199, "", 2, 1),
            row(200, 16_383, "10.0.0.1", 1, 1),
        ];
        cluster.adopt(&shards(&Value::Array(rows), &answered).unwrap());
        let map = cluster.map();
        assert_eq!((map.masters.len(), map.replicas, map.covered()), (2, 2, 16_384));
        for (slot, master) in [(0, 0), (99, 0), (100, 1), (199, 1), (200, 0), (16_383, 0)] {
            assert!(Arc::ptr_eq(map.owner(slot).unwrap(), &map.masters[master]), "slot {slot}");
        }
        assert_eq!((map.slot_of(0), map.slot_of(1), map.slot_of(2)), (Some(0), Some(100), None));
        let known = cluster.node_at(&Address::tcp("10.0.0.9", 2));
        assert!(Arc::ptr_eq(&known, &map.masters[1]), "the host that was left out");
    }

    #[test]
    fn a_node_that_left_is_forgotten_and_one_that_stays_is_kept() {
        let cluster = cluster();
        let answered = Address::tcp("seed", 1);
        let adopt = |rows| cluster.adopt(&shards(&Value::Array(rows), &answered).unwrap());
        adopt(vec![row(0, 99, "a", 1, 0), row(100, 16_383, "b", 1, 0)]);
        let stays = cluster.node_at(&Address::tcp("a", 1));
        adopt(vec![row(0, 16_383, "a", 1, 0)]);
        assert!(Arc::ptr_eq(&stays, &cluster.node_at(&Address::tcp("a", 1))));
        assert_eq!(cluster.nodes.lock().unwrap().len(), 1);
    }

    #[test]
    fn an_answer_that_is_no_map_is_refused() {
        let answered = Address::tcp("seed", 1);
        for answer in [
            Value::Nil,
            Value::Array(vec![Value::Nil]),
            Value::Array(vec![Value::Array(Vec::new())]),
            Value::Array(vec![row(5, 4, "a", 1, 0)]),
            Value::Array(vec![row(0, 16_384, "a", 1, 0)]),
            Value::Array(vec![row(-1, 1, "a", 1, 0)]),
            Value::Array(vec![row(0, 1, "a", 65_536, 0)]),
        ] {
            assert_eq!(shards(&answer, &answered), None, "{answer:?}");
        }
        assert_eq!(cluster().map().covered(), 0);
    }
}
