//! The feed of bumped tags: a connection of its own to each master, over which the server pushes
//! the names of the generations that change.
//!
//! Invariant: the tick of an `Alive` event is taken before a probe is sent over every one of these
//! connections. What was acknowledged before that was pushed before the probe was answered, and
//! is delivered before the event. The probe is a write that changes nothing, so that a server
//! which is no master any more does not answer it.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use futures_util::{StreamExt as _, future::try_join_all, stream};
use larder_core::{Clock, Error, ErrorKind, Operation, Tag, WatchEvent, WatchStream};
use redis::{Cmd, Pipeline, PushInfo, PushKind, Value};
use tokio::{
    sync::mpsc,
    time::{Interval, MissedTickBehavior},
};

use crate::{
    Address,
    error::{NAME, Trouble},
    fleet::Topology,
    keys::{Named, WireKey},
    link::{WHO, info, recognize},
    server::{Info, replicas_of_master},
    slot,
    store::Store,
    wire::{Push, Wire},
};

/// Subscribes to what is bumped from now on.
///
/// # Cancel safety
/// There is then no subscription.
pub(crate) async fn watch(
    store: &Arc<Store>,
    clock: Arc<dyn Clock>,
) -> Result<WatchStream, Trouble> {
    let feed = match Feed::open(store).await {
        Ok(feed) => feed,
        Err(trouble) => {
            let is_refused = trouble.code() == Some("NOPERM");
            store.is_watch_refused.store(is_refused, Ordering::Relaxed);
            return Err(trouble);
        }
    };
    let mut interval = tokio::time::interval(store.settings.config.watch_interval);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let watcher = Watcher {
        store: Arc::clone(store),
        clock,
        feed: Some(feed),
        interval,
        events: VecDeque::new(),
    };
    Ok(stream::unfold(watcher, |mut watcher| async move {
        let event = watcher.next().await;
        Some((event, watcher))
    })
    .boxed())
}

/// A subscription, connected or not.
struct Watcher {
    store: Arc<Store>,
    clock: Arc<dyn Clock>,
    /// `None` after a loss, until there are new connections.
    feed: Option<Feed>,
    interval: Interval,
    events: VecDeque<WatchEvent>,
}

impl Watcher {
    async fn next(&mut self) -> WatchEvent {
        loop {
            if let Some(event) = self.events.pop_front() {
                return event;
            }
            let Some(feed) = &mut self.feed else {
                self.interval.tick().await;
                if let Ok(feed) = Feed::open(&self.store).await {
                    self.feed = Some(feed);
                    // What was bumped while nobody listened.
                    self.events.push_back(WatchEvent::Reset);
                }
                continue;
            };
            tokio::select! {
                news = feed.news.recv() => match news {
                    Some(event) => self.events.push_back(event),
                    None => self.lose(&Trouble::Closed),
                },
                _ = self.interval.tick() => self.probe().await,
            }
        }
    }

    /// Makes sure that everything was heard which happened before now.
    async fn probe(&mut self) {
        let Some(feed) = &mut self.feed else {
            return;
        };
        let tick = self.clock.now();
        if let Err(trouble) = feed.probe(&self.store).await {
            self.lose(&trouble);
            return;
        }
        while let Ok(event) = feed.news.try_recv() {
            self.events.push_back(event);
        }
        if feed.has_overflown.swap(false, Ordering::AcqRel) {
            self.events.clear();
            self.events.push_back(WatchEvent::Reset);
        }
        self.events.push_back(WatchEvent::Alive(tick));
    }

    fn lose(&mut self, trouble: &Trouble) {
        tracing::debug!(?trouble, "the feed of bumped tags is interrupted");
        self.feed = None;
        self.events.clear();
        self.events.push_back(WatchEvent::Reset);
    }
}

/// The connections of a subscription.
struct Feed {
    masters: Vec<Master>,
    news: mpsc::Receiver<WatchEvent>,
    /// Whether more was pushed than could be held.
    has_overflown: Arc<AtomicBool>,
}

/// A master that pushes.
struct Master {
    wire: Wire,
    address: Address,
    /// A key that never exists, in a slot of this master.
    absent: WireKey,
    replication_id: Box<str>,
    /// What counts the changes of a cluster's slots; `None` outside of a cluster.
    cluster_epoch: Option<u64>,
}

impl Feed {
    async fn open(store: &Arc<Store>) -> Result<Self, Trouble> {
        let deadline = store.settings.deadline();
        let (sender, news) = mpsc::channel(store.settings.config.watch_backlog_max);
        let has_overflown = Arc::new(AtomicBool::new(false));
        // Whoever serves reads is whom the pushes are to come from. A master that nobody has asked
        // anything since it was demoted is found out by this question.
        store.fleet.epoch().await?;
        let addresses: Vec<_> =
            store.fleet.masters().await?.iter().map(|link| link.address().clone()).collect();
        let masters = addresses.into_iter().enumerate().map(|(number, address)| {
            let (sender, has_overflown) = (sender.clone(), Arc::clone(&has_overflown));
            async move {
                let push = pusher(store, sender, has_overflown);
                deadline.limit(Master::open(store, number, address, push)).await
            }
        });
        let masters = try_join_all(masters).await?;
        Ok(Self { masters, news, has_overflown })
    }

    async fn probe(&self, store: &Store) -> Result<(), Trouble> {
        if let Topology::Cluster(cluster) = &store.fleet.topology {
            // The map changes as the rest of the backend learns of it.
            let map = cluster.map();
            let is_known = |link: &Arc<crate::link::Link>| {
                self.masters.iter().any(|master| master.address == *link.address())
            };
            let links: Vec<_> = map.masters.iter().filter_map(|node| node.current()).collect();
            if map.masters.len() != self.masters.len() || !links.iter().all(is_known) {
                return Err(Trouble::NoNode);
            }
        }
        let deadline = store.settings.deadline();
        let probes = self.masters.iter().map(|master| deadline.limit(master.probe()));
        let probed = try_join_all(probes).await.map(drop);
        if let (Err(_), Topology::Cluster(cluster)) = (&probed, &store.fleet.topology) {
            cluster.doubt();
        }
        probed
    }
}

impl Master {
    async fn open(
        store: &Store,
        number: usize,
        address: Address,
        push: Push,
    ) -> Result<Self, Trouble> {
        let config = &store.settings.config;
        let credentials = &config.credentials;
        let wire = Wire::open(&store.settings, &address, credentials, Some(push)).await?;
        // First the subscription, then who it is that pushes: nothing is missed in between.
        let mut subscribe = redis::cmd("CLIENT");
        subscribe.arg("TRACKING").arg("ON").arg("BCAST").arg("PREFIX");
        subscribe.arg(&store.names().generations()[..]);
        refused(&wire.connection().send_packed_command(&subscribe).await?)?;
        let mut questions = Pipeline::with_capacity(WHO.len());
        for section in WHO {
            questions.add_command(info(section));
        }
        let answers = wire.connection().send_packed_commands(&questions, 0, WHO.len()).await?;
        let (server, _replicas) = recognize(&answers, &config.deployment)?;
        let cluster_epoch = match &store.fleet.topology {
            Topology::Cluster(_) => {
                let answer = wire.connection().send_packed_command(&cluster_info()).await?;
                Some(cluster_epoch(&answer)?)
            }
            Topology::One(_) => None,
        };
        let absent = absent_of(store, number);
        let replication_id = server.replication_id;
        Ok(Self { wire, address, absent, replication_id, cluster_epoch })
    }

    /// Asks for a write that changes nothing and for the server's history.
    async fn probe(&self) -> Result<(), Trouble> {
        let mut questions = Pipeline::with_capacity(3);
        questions.cmd("DEL").arg(&self.absent[..]);
        questions.add_command(info("replication"));
        if self.cluster_epoch.is_some() {
            questions.add_command(cluster_info());
        }
        let count = questions.len();
        let answers = self.wire.connection().send_packed_commands(&questions, 0, count).await?;
        let [written, replication, rest @ ..] = &answers[..] else {
            return Err(Trouble::Answer("a probe was not answered"));
        };
        refused(written)?;
        let mut known = Info::default();
        known.absorb(replication)?;
        replicas_of_master(&known)?;
        if known.text("master_replid") != Some(&self.replication_id) {
            return Err(Trouble::History);
        }
        let epoch = rest.first().map(cluster_epoch).transpose()?;
        if epoch == self.cluster_epoch { Ok(()) } else { Err(Trouble::NoNode) }
    }
}

/// Turns what a server pushes into events.
fn pusher(
    store: &Arc<Store>,
    sender: mpsc::Sender<WatchEvent>,
    has_overflown: Arc<AtomicBool>,
) -> Push {
    let settings = Arc::clone(&store.settings);
    Box::new(move |pushed: PushInfo| {
        if pushed.kind != PushKind::Invalidate {
            return;
        }
        let event = match pushed.data.first() {
            Some(Value::Array(names)) => event(names.iter().map(|name| match name {
                Value::BulkString(name) => settings.names.tag_of(name),
                _ => Named::Foreign,
            })),
            // Everything was flushed.
            _ => Some(WatchEvent::Reset),
        };
        if let Some(event) = event
            && let Err(mpsc::error::TrySendError::Full(_)) = sender.try_send(event)
        {
            has_overflown.store(true, Ordering::Release);
        }
    })
}

fn event(names: impl Iterator<Item = Named>) -> Option<WatchEvent> {
    let mut tags: Vec<Tag> = Vec::new();
    for name in names {
        match name {
            Named::Foreign => {}
            Named::Namespace => return Some(WatchEvent::Reset),
            Named::Tag(tag) => tags.push(tag),
        }
    }
    (!tags.is_empty()).then_some(WatchEvent::Bumped(tags))
}

/// A key that never exists and belongs to this master.
fn absent_of(store: &Store, number: usize) -> WireKey {
    let own = match &store.fleet.topology {
        Topology::Cluster(cluster) => cluster.map().slot_of(number),
        Topology::One(_) => None,
    };
    let is_own = |name: &WireKey| own.is_none_or(|own| slot::of(name) == own);
    // One number in 16,384 leads to a slot, so that as many tries miss it with less than e^-32.
    (0..32 * u32::from(slot::COUNT))
        .map(|number| store.names().absent(number))
        .find(is_own)
        .unwrap_or_else(|| store.names().absent(0))
}

fn cluster_info() -> Cmd {
    let mut command = redis::cmd("CLUSTER");
    command.arg("INFO");
    command
}

fn cluster_epoch(answer: &Value) -> Result<u64, Trouble> {
    let mut info = Info::default();
    info.absorb(answer)?;
    info.number("cluster_current_epoch").ok_or(Trouble::Answer("CLUSTER INFO has no epoch"))
}

fn refused(answer: &Value) -> Result<(), Trouble> {
    match answer {
        Value::ServerError(error) => Err(Trouble::Server(error.clone())),
        _ => Ok(()),
    }
}

/// What `watch` answers where the server does not let us listen: that it can not be done.
pub(crate) fn refusal(trouble: Trouble) -> Error {
    if trouble.code() == Some("NOPERM") {
        let error = Error::new(ErrorKind::Unsupported, NAME, Operation::Watch);
        return error.with_detail("the ACL user may not run client|tracking");
    }
    trouble.into_error(Operation::Watch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_push_becomes_what_it_means() {
        let (a, b) = (Tag::named("a"), Tag::named("b"));
        for (names, expected) in [
            (vec![], None),
            (vec![Named::Foreign], None),
            (vec![Named::Tag(a), Named::Foreign, Named::Tag(b)], Some(vec![a, b])),
        ] {
            assert_eq!(event(names.into_iter()), expected.map(WatchEvent::Bumped));
        }
        let cleared = [Named::Tag(a), Named::Namespace];
        assert_eq!(event(cleared.into_iter()), Some(WatchEvent::Reset));
    }
}
