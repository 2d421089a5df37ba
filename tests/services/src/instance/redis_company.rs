//! Redis servers that know each other: primary and replica, sentinels, a cluster.
//!
//! Guards that a company is complete before anybody is told of it: replicas have what their
//! primary has, sentinels know each other, and every slot of the cluster has an owner.

use std::fs;

use rustix::process::Signal;

use crate::{
    account,
    client::{Address, Probe, Reply},
    error::{Error, Result},
    find::{Engine, Program},
    instance::{
        launch::{Launched, Plan},
        redis::{Node, PATIENCE, SOCKET, node},
    },
    port::CLUSTER_BUS,
    server::Server,
    spec::{Console, Spec, args},
};

/// What the sentinels call the primary.
const MASTER: &str = "larder";

pub(crate) fn replicated(plan: Plan<'_>) -> Result<Launched> {
    let program = plan.program(Engine::Redis)?;
    let servers = pair(plan, &program)?;
    let url = format!("redis://127.0.0.1:{}", servers[0].port());
    Ok(plan.served_at(servers, url))
}

/// A primary and its replica, which is up to date.
fn pair(plan: Plan<'_>, program: &Program) -> Result<Vec<Server>> {
    let name = |role| format!("{}-{role}", plan.setup);
    let primary = node(plan, program, Node::new(name("primary"), 0))?;
    let port = primary.port().to_string();
    let replica = Node::new(name("replica"), 1).with_args(["--replicaof", "127.0.0.1", &port]);
    let replica = node(plan, program, replica)?;
    replica.wait_for("follow its primary", || is_connected(&replica).then_some(()))?;
    Ok(vec![primary, replica])
}

/// The role of a replica is `slave`, its primary's address, the state of the link, and a position.
fn is_connected(replica: &Server) -> bool {
    let reply = replica.command(&["ROLE"]);
    reply.is_ok_and(|reply| reply.items().get(3).and_then(Reply::text) == Some("connected"))
}

pub(crate) fn sentinel(plan: Plan<'_>) -> Result<Launched> {
    const DATA: u16 = 2;
    const SENTINELS: u16 = 3;
    let program = plan.program(Engine::Redis)?;
    let mut servers = pair(plan, &program)?;
    let primary = servers[0].port();
    for number in 0..SENTINELS {
        servers.push(watcher(plan, &program, DATA + number, primary)?);
    }
    let sentinels = &servers[usize::from(DATA)..];
    for sentinel in sentinels {
        let knows_all = || {
            let known = |what: &str, count: usize| {
                let reply = sentinel.command(&["SENTINEL", what, MASTER]);
                reply.is_ok_and(|reply| reply.items().len() == count)
            };
            (known("SENTINELS", sentinels.len() - 1) && known("REPLICAS", 1)).then_some(())
        };
        sentinel.wait_for("find the other sentinels and the replica", knows_all)?;
    }
    let hosts = hosts(sentinels);
    Ok(plan.served_at(servers, format!("redis+sentinel://{hosts}/{MASTER}")))
}

/// A sentinel of the one primary.
fn watcher(plan: Plan<'_>, program: &Program, index: u16, primary: u16) -> Result<Server> {
    let name = plan.run.name(&format!("{}-{index}", plan.setup));
    let folder = plan.run.folder_for(&name)?;
    Server::launch(
        plan.run,
        || plan.port(index),
        |port| {
            let socket = folder.join(SOCKET);
            // A sentinel writes down what it learns in its own configuration.
            let config = folder.join("sentinel.conf");
            let silence_max = plan.options.silence_max().as_millis();
            let text = format!(
                "port {port}\nbind 127.0.0.1\ndir \"{}\"\nunixsocket \"{}\"\nunixsocketperm 777\n\
             sentinel monitor {MASTER} 127.0.0.1 {primary} 2\n\
             sentinel down-after-milliseconds {MASTER} {silence_max}\n\
             sentinel failover-timeout {MASTER} 3000\n",
                folder.display(),
                socket.display(),
            );
            fs::write(&config, text).map_err(Error::file(&config))?;
            account::hand_over(&config)?;
            Ok(Spec {
                name: name.clone(),
                program: program.clone(),
                args: args![config, "--sentinel"],
                folder: folder.clone(),
                port,
                probe: Probe::Redis(Address::Socket(socket.clone())),
                console: Some(Console { address: Address::Socket(socket), login: None }),
                stop_signal: Signal::TERM,
                patience: PATIENCE,
            })
        },
    )
}

pub(crate) fn cluster(plan: Plan<'_>) -> Result<Launched> {
    const PRIMARIES: u16 = 3;
    let program = plan.program(Engine::Redis)?;
    let silence_max = plan.options.silence_max().as_millis().to_string();
    let servers = (0..2 * PRIMARIES).map(|index| {
        let name = format!("{}-{index}", plan.setup);
        let member = Node::new(&name, index).with_args([
            "--cluster-enabled",
            "yes",
            "--cluster-node-timeout",
            &silence_max,
            "--cluster-config-file",
            "nodes.conf",
        ]);
        node(plan, &program, member)
    });
    let servers = servers.collect::<Result<Vec<_>>>()?;
    let (primaries, replicas) = servers.split_at(usize::from(PRIMARIES));
    for (primary, slots) in primaries.iter().zip(ranges(PRIMARIES)) {
        let [first, last] = slots.map(|slot| slot.to_string());
        primary.commanded(&["CLUSTER", "ADDSLOTSRANGE", &first, &last])?;
    }
    introduce(&servers)?;
    for (primary, replica) in primaries.iter().zip(replicas) {
        follow(replica, primary)?;
    }
    for server in &servers {
        server.wait_for("see a whole cluster", || is_whole(server, servers.len()).then_some(()))?;
    }
    for replica in replicas {
        replica.wait_for("follow its primary", || is_connected(replica).then_some(()))?;
    }
    let url = format!("redis+cluster://{}", hosts(&servers));
    Ok(plan.served_at(servers, url))
}

/// The first and the last slot of each of so many equal parts.
fn ranges(parts: u16) -> impl Iterator<Item = [u16; 2]> {
    const SLOTS: u32 = 16_384;
    let border = move |part: u16| {
        let border = SLOTS * u32::from(part) / u32::from(parts);
        // A border is at most the number of slots, which fits.
        u16::try_from(border).unwrap_or(u16::MAX)
    };
    (0..parts).map(move |part| [border(part), border(part + 1) - 1])
}

/// Each gets an epoch of its own, so that they need not agree on one first, and meets the first.
fn introduce(servers: &[Server]) -> Result<()> {
    let Some((first, others)) = servers.split_first() else {
        return Ok(());
    };
    for (number, server) in (1_u16..).zip(servers) {
        server.commanded(&["CLUSTER", "SET-CONFIG-EPOCH", &number.to_string()])?;
    }
    let (port, bus) = (first.port().to_string(), (first.port() + CLUSTER_BUS).to_string());
    for other in others {
        other.commanded(&["CLUSTER", "MEET", "127.0.0.1", &port, &bus])?;
    }
    Ok(())
}

/// Makes a server a replica as soon as it has heard of the primary.
fn follow(replica: &Server, primary: &Server) -> Result<()> {
    let id = primary.commanded(&["CLUSTER", "MYID"])?;
    let id = id.text().unwrap_or_default();
    let follows = || replica.commanded(&["CLUSTER", "REPLICATE", id]).ok();
    replica.wait_for("hear of its primary", follows).map(drop)
}

fn is_whole(server: &Server, members: usize) -> bool {
    let reply = server.command(&["CLUSTER", "INFO"]);
    let members = format!("cluster_known_nodes:{members}");
    reply.is_ok_and(|reply| {
        let lines: Vec<&str> = reply.text().unwrap_or_default().lines().collect();
        ["cluster_state:ok", "cluster_slots_ok:16384", &members]
            .iter()
            .all(|line| lines.contains(line))
    })
}

fn hosts(servers: &[Server]) -> String {
    let hosts = servers.iter().map(|server| format!("127.0.0.1:{}", server.port()));
    hosts.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_slot_has_one_owner() {
        let ranges: Vec<[u16; 2]> = ranges(3).collect();
        assert_eq!(ranges, [[0, 5460], [5461, 10_921], [10_922, 16_383]]);
    }
}
