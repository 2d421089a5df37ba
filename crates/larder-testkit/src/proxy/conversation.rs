//! One client, one connection to the server, and how they end.
//!
//! Invariant: a connection that is reset is reset on both sides, so that neither keeps what the
//! other has lost.

use std::sync::Arc;

use tokio::{net::TcpStream, sync::watch};

use super::{
    Direction,
    handle::Shared,
    pump::{End, Pump},
    random::Random,
    script::Script,
};

pub(super) struct Conversation {
    shared: Arc<Shared>,
    script: watch::Receiver<Script>,
    random: Random,
    /// Under which number of cuts it began.
    cuts: u64,
}

impl Conversation {
    pub(super) fn new(shared: &Arc<Shared>, seed: u64) -> Self {
        let script = shared.script.subscribe();
        let cuts = script.borrow().cuts;
        Self { shared: Arc::clone(shared), script, random: Random::new(seed), cuts }
    }

    /// Passes on what either side says until both have ended, or one fault has.
    pub(super) async fn forward(mut self, mut client: TcpStream) {
        let shared = Arc::clone(&self.shared);
        let _counted = shared.counters.connected();
        let upstream = self.script.borrow().upstream.clone();
        let Ok(mut server) = TcpStream::connect(upstream).await else {
            reset(client);
            return;
        };
        // Delays are what faults are for.
        let _ = (client.set_nodelay(true), server.set_nodelay(true));
        let end = self.talk(&mut client, &mut server).await;
        if end == End::Reset {
            reset(client);
            reset(server);
        }
    }

    async fn talk(&mut self, client: &mut TcpStream, server: &mut TcpStream) -> End {
        let (from_client, to_client) = client.split();
        let (from_server, to_server) = server.split();
        let mut cut = self.script.clone();
        let cuts = self.cuts;
        let mut pump = |direction| {
            let random = Random::new(self.random.next());
            Pump::new(direction, self.script.clone(), &self.shared.counters, random)
        };
        let (requests, replies) = (pump(Direction::Requests), pump(Direction::Replies));
        let both = async {
            tokio::try_join!(
                requests.run(from_client, to_server),
                replies.run(from_server, to_client)
            )
        };
        tokio::select! {
            ended = both => ended.map_or_else(|end| end, |((), ())| End::Close),
            // An error is the end of the proxy, and of this task with it.
            _ = cut.wait_for(|script| script.cuts != cuts) => End::Reset,
        }
    }

    /// Resets a client at the door.
    pub(super) fn reset(self, client: TcpStream) {
        let _counted = self.shared.counters.connected();
        self.shared.counters.fault();
        reset(client);
    }

    /// Keeps a client without ever saying a word. What it says is read, so that its end is seen.
    pub(super) async fn stall(mut self, mut client: TcpStream) {
        let shared = Arc::clone(&self.shared);
        let _counted = shared.counters.connected();
        shared.counters.fault();
        let cuts = self.cuts;
        let cut = self.script.wait_for(|script| script.cuts != cuts);
        let mut nowhere = tokio::io::sink();
        let is_cut = tokio::select! {
            _ = cut => true,
            _ = tokio::io::copy(&mut client, &mut nowhere) => false,
        };
        if is_cut {
            reset(client);
        }
    }
}

fn reset(socket: TcpStream) {
    // Where it can not be set, the socket closes in an orderly way.
    let _ = socket.set_zero_linger();
    drop(socket);
}
