//! All servers of one backend: which of them a unit goes to, and what is done if it is not there.
//!
//! Guards that a unit is sent again only if it did not take effect, or if it may take effect twice
//! without harm; and that it is not sent again for ever.

use std::{sync::Arc, time::Duration};

use futures_util::future::{BoxFuture, join_all};
use larder_core::Epoch;
use redis::Value;

use crate::{
    Deployment,
    cluster::Cluster,
    error::Trouble,
    journey::Journey,
    link::{Checks, Link},
    node::{Node, Place},
    sentinel::Sentinels,
    settings::{Deadline, Settings},
    unit::{Reply, Unit},
};

/// The servers.
#[derive(Debug)]
pub(crate) struct Fleet {
    pub(crate) settings: Arc<Settings>,
    pub(crate) topology: Topology,
}

#[derive(Debug)]
pub(crate) enum Topology {
    Cluster(Cluster),
    One(Arc<Node>),
}

/// What a call promises about its commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Nothing changes. The server has to be a master all the same.
    Read,
    /// Twice is as good as once.
    Repeatable,
    /// What may have taken effect is not sent again.
    Once,
}

/// How often a unit is sent at most.
const ROUNDS_MAX: usize = 6;

/// How long the rounds wait for a cluster that is changing, at first.
const PAUSE: Duration = Duration::from_millis(5);

/// What becomes of a unit after a round.
enum Next {
    Done(Result<Reply, Trouble>),
    /// Once more; with what is to be returned if there is no other round.
    Again(Trouble),
}

/// What the next round has to wait for.
#[derive(Clone, Copy, Debug, Default)]
struct Ailments {
    /// The map of the cluster is wrong.
    is_lost: bool,
    /// The cluster is changing, and time will mend it.
    is_busy: bool,
}

impl Fleet {
    pub(crate) fn new(settings: Arc<Settings>) -> Self {
        let node = |place| Topology::One(Arc::new(Node::new(&settings, place)));
        let topology = match &settings.config.deployment {
            Deployment::Cluster(seeds) => Topology::Cluster(Cluster::new(&settings, seeds.clone())),
            Deployment::Sentinel { sentinels, master } => {
                let (addresses, master) = (sentinels.clone(), master.clone());
                node(Place::Watched(Sentinels { addresses, master }))
            }
            Deployment::Single(address) => node(Place::Fixed(address.clone())),
        };
        Self { settings, topology }
    }

    /// The one node, if there is only one.
    pub(crate) fn one(&self) -> Option<&Arc<Node>> {
        match &self.topology {
            Topology::Cluster(_) => None,
            Topology::One(node) => Some(node),
        }
    }

    /// The connection to the master of a key.
    ///
    /// # Cancel safety
    /// Safe.
    pub(crate) async fn link_of(&self, key: &[u8]) -> Result<Arc<Link>, Trouble> {
        let deadline = self.settings.deadline();
        match &self.topology {
            Topology::One(node) => node.link(deadline).await,
            Topology::Cluster(cluster) => {
                let node = cluster.node_of(key, deadline).await?;
                match node.link(deadline).await {
                    Ok(link) => Ok(link),
                    Err(Trouble::Timeout) => Err(Trouble::Timeout),
                    Err(_) => {
                        cluster.refresh(deadline).await?;
                        cluster.node_of(key, deadline).await?.link(deadline).await
                    }
                }
            }
        }
    }

    /// The connections to all masters.
    ///
    /// # Cancel safety
    /// Safe.
    pub(crate) async fn masters(&self) -> Result<Vec<Arc<Link>>, Trouble> {
        let deadline = self.settings.deadline();
        match &self.topology {
            Topology::Cluster(cluster) => cluster.masters(deadline).await,
            Topology::One(node) => Ok(vec![node.link(deadline).await?]),
        }
    }

    /// Asks every master who it is.
    ///
    /// # Cancel safety
    /// Safe.
    pub(crate) async fn epoch(&self) -> Result<Epoch, Trouble> {
        let mut trouble = Trouble::NoNode;
        for _ in 0..2 {
            let mut links = self.masters().await?;
            let asked =
                join_all(links.iter().map(|link| link.send_all(link.full_checks(), &[], &[])));
            match asked.await.into_iter().collect::<Result<Vec<_>, _>>() {
                Ok(_) if links.len() == 1 => return Ok(links[0].epoch()),
                Ok(_) => {
                    links
                        .sort_by(|one, other| one.epoch().as_bytes().cmp(other.epoch().as_bytes()));
                    let epochs: Vec<_> = links.iter().map(|link| link.epoch()).collect();
                    let parts: Vec<_> = epochs.iter().map(|epoch| &epoch.as_bytes()[..]).collect();
                    return Ok(Epoch::derive(&parts));
                }
                // A connection that had ended unnoticed is made anew once.
                Err(next) if next.ends_the_connection() => trouble = next,
                Err(next) => return Err(next),
            }
        }
        Err(trouble)
    }

    /// Sends one unit.
    ///
    /// # Cancel safety
    /// The unit takes effect or does not; an atomic one as a whole.
    pub(crate) async fn run_one(&self, unit: Unit, effect: Effect) -> Result<Reply, Trouble> {
        self.run(vec![unit], effect).await.pop().unwrap_or(Err(Trouble::NoNode))
    }

    /// Sends two units of different keys at the same time, in this order if they go to one node.
    ///
    /// # Cancel safety
    /// As [`Fleet::run_one`], for each.
    pub(crate) async fn run_pair(
        &self,
        units: [Unit; 2],
        effect: Effect,
    ) -> Result<(Reply, Reply), Trouble> {
        let mut results = self.run(units.into(), effect).await.into_iter();
        match (results.next(), results.next()) {
            (Some(one), Some(other)) => Ok((one?, other?)),
            _ => Err(Trouble::NoNode),
        }
    }

    /// Sends units, in parallel to all nodes that they belong to; one result for each.
    ///
    /// # Cancel safety
    /// As [`Fleet::run_one`], for each.
    pub(crate) fn run(
        &self,
        units: Vec<Unit>,
        effect: Effect,
    ) -> BoxFuture<'_, Vec<Result<Reply, Trouble>>> {
        let count = units.len();
        // It is the largest part of every verb but a hit, and it would be copied around.
        Box::pin(async move {
            // A connection notices by itself that an answer is overdue, and a little earlier; this
            // is for what goes from one connection to the next.
            let patience = self.settings.config.time_limit.mul_f64(1.25);
            let rounds = self.run_rounds(units, effect);
            let results = tokio::time::timeout(patience, rounds)
                .await
                .unwrap_or_else(|_elapsed| (0..count).map(|_| Err(Trouble::Timeout)).collect());
            let is_silent =
                |result: &Result<Reply, Trouble>| matches!(result, Err(Trouble::Timeout));
            if let Topology::Cluster(cluster) = &self.topology
                && results.iter().any(is_silent)
            {
                cluster.doubt();
            }
            results
        })
    }

    async fn run_rounds(&self, units: Vec<Unit>, effect: Effect) -> Vec<Result<Reply, Trouble>> {
        let deadline = self.settings.deadline();
        let mut results: Vec<_> = units.iter().map(|_| Err(Trouble::NoNode)).collect();
        let mut journeys: Vec<_> =
            units.into_iter().enumerate().map(|(index, unit)| Journey::new(index, unit)).collect();
        for round in 1..=ROUNDS_MAX {
            let mut ailments = Ailments::default();
            let mut again = Vec::new();
            for (journey, next) in self.round(journeys, effect, deadline).await {
                match next {
                    Next::Done(result) => results[journey.index] = result,
                    Next::Again(trouble) => {
                        ailments.note(&trouble);
                        results[journey.index] = Err(trouble);
                        again.push(journey);
                    }
                }
            }
            if again.is_empty() || deadline.is_over() || round == ROUNDS_MAX {
                break;
            }
            journeys = again;
            self.heal(ailments, round, deadline).await;
        }
        results
    }

    /// Sends every unit once.
    async fn round(
        &self,
        journeys: Vec<Journey>,
        effect: Effect,
        deadline: Deadline<'_>,
    ) -> Vec<(Journey, Next)> {
        match &self.topology {
            Topology::One(node) => self.visit(node, journeys, effect, deadline).await,
            Topology::Cluster(cluster) => {
                let (groups, lost) = group(cluster, journeys, deadline).await;
                let visits = groups.into_iter().map(|(node, journeys)| async move {
                    self.visit(&node, journeys, effect, deadline).await
                });
                let mut outcomes: Vec<_> = join_all(visits).await.into_iter().flatten().collect();
                outcomes.extend(
                    lost.into_iter().map(|(journey, trouble)| (journey, Next::Again(trouble))),
                );
                outcomes
            }
        }
    }

    /// Sends units to one node, in one go.
    async fn visit(
        &self,
        node: &Node,
        journeys: Vec<Journey>,
        effect: Effect,
        deadline: Deadline<'_>,
    ) -> Vec<(Journey, Next)> {
        let link = match node.link(deadline).await {
            Ok(link) => link,
            Err(trouble) => {
                // Nothing was sent. With one node there is no other to try.
                let is_final = self.one().is_some() && !matches!(trouble, Trouble::Closed);
                return all(journeys, &trouble, is_final);
            }
        };
        let checks = link.checks(effect == Effect::Read);
        match self.exchange(&link, checks, &journeys).await {
            Ok(mut answers) => {
                let mut outcomes = Vec::with_capacity(journeys.len());
                for mut journey in journeys {
                    let rest = answers.split_off(journey.answers().min(answers.len()));
                    let own = std::mem::replace(&mut answers, rest);
                    let next = self.judge(&mut journey, own, &link, effect);
                    outcomes.push((journey, next));
                }
                outcomes
            }
            Err(trouble) => {
                // History and role come to light before anything else is believed; a read that
                // was answered by a server that is no master did nothing.
                let may_repeat = effect != Effect::Once;
                let is_final = !may_repeat || matches!(trouble, Trouble::Timeout);
                all(journeys, &trouble, is_final || !trouble.ends_the_connection())
            }
        }
    }

    async fn exchange(
        &self,
        link: &Link,
        checks: Checks,
        journeys: &[Journey],
    ) -> Result<Vec<Value>, Trouble> {
        let beside = journeys.first().map_or(&[][..], |journey| &journey.unit.key);
        let commands: Vec<_> = journeys.iter().flat_map(Journey::to_commands).collect();
        link.send_all(checks, beside, &commands).await
    }

    /// Looks at what came back for a unit and decides where it goes next, if anywhere.
    fn judge(
        &self,
        journey: &mut Journey,
        answers: Vec<Value>,
        link: &Arc<Link>,
        effect: Effect,
    ) -> Next {
        let answers = journey.own(answers);
        let trouble = match journey.unit.judge(answers) {
            Ok(values) => return Next::Done(Ok(Reply { values, link: Arc::clone(link) })),
            Err(trouble) => trouble,
        };
        if trouble.ends_the_connection() {
            link.cut();
        }
        journey.redirection = None;
        // All of these were refused before anything took effect.
        match trouble.code() {
            Some(code @ ("ASK" | "MOVED")) if self.one().is_none() => {
                let address = trouble.redirection(link.address());
                journey.redirect(address, code == "ASK");
                Next::Again(trouble)
            }
            Some("CLUSTERDOWN" | "TRYAGAIN") if self.one().is_none() => Next::Again(trouble),
            Some("NOSCRIPT") if !journey.loads_scripts => {
                journey.loads_scripts = true;
                Next::Again(trouble)
            }
            Some("MASTERDOWN" | "READONLY") => Next::Again(trouble),
            // A master that lost its replicas may have lost its place to one of them.
            Some("NOREPLICAS") if effect == Effect::Read => Next::Again(trouble),
            _ => Next::Done(Err(trouble)),
        }
    }

    /// Mends what can be mended before the next round.
    async fn heal(&self, ailments: Ailments, round: usize, deadline: Deadline<'_>) {
        let Topology::Cluster(cluster) = &self.topology else {
            return;
        };
        if ailments.is_busy || (ailments.is_lost && round > 1) {
            let pause = PAUSE * (1 << round.min(6));
            tokio::time::sleep(pause.min(deadline.remaining())).await;
        }
        if ailments.is_lost {
            // A map that can not be had is found missing in the next round.
            let _ = cluster.refresh(deadline).await;
        }
    }
}

/// Sorts units by the node that they belong to.
async fn group(
    cluster: &Cluster,
    journeys: Vec<Journey>,
    deadline: Deadline<'_>,
) -> (Vec<(Arc<Node>, Vec<Journey>)>, Vec<(Journey, Trouble)>) {
    let mut groups: Vec<(Arc<Node>, Vec<Journey>)> = Vec::new();
    let mut lost = Vec::new();
    for journey in journeys {
        let node = match &journey.redirection {
            Some(redirection) => Ok(cluster.node_at(&redirection.address)),
            None => cluster.node_of(&journey.unit.key, deadline).await,
        };
        match node {
            Ok(node) => match groups.iter_mut().find(|(known, _)| Arc::ptr_eq(known, &node)) {
                Some((_, members)) => members.push(journey),
                None => groups.push((node, vec![journey])),
            },
            Err(trouble) => lost.push((journey, trouble)),
        }
    }
    (groups, lost)
}

fn all(journeys: Vec<Journey>, trouble: &Trouble, is_final: bool) -> Vec<(Journey, Next)> {
    let outcome = || {
        let trouble = trouble.clone();
        if is_final { Next::Done(Err(trouble)) } else { Next::Again(trouble) }
    };
    journeys.into_iter().map(|journey| (journey, outcome())).collect()
}

impl Ailments {
    fn note(&mut self, trouble: &Trouble) {
        match trouble.code() {
            Some("ASK" | "NOSCRIPT") => {}
            Some("CLUSTERDOWN" | "TRYAGAIN") => self.is_busy = true,
            _ => self.is_lost = true,
        }
    }
}
