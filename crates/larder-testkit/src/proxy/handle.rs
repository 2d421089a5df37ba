//! The proxy that a test holds, and the task that answers the door.

use std::{fmt, io, net::SocketAddr, sync::Arc};

use tokio::{
    net::TcpStream,
    sync::watch,
    task::{AbortHandle, JoinSet},
};

use super::{
    Accept, Direction, ProxyStats, WireFault, conversation::Conversation, door::Door,
    random::Random, script::Script, stats::Counters,
};

/// A TCP proxy in front of a real server, with faults that a test switches while it runs.
///
/// Connect the client under test to [`FaultProxy::address`]. Without a fault, bytes pass as they
/// come. Dropping the proxy closes every connection.
///
/// ```
/// use larder_testkit::{Direction, FaultProxy, WireFault};
/// use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// # let server = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
/// # let server_address = server.local_addr()?.to_string();
/// # tokio::spawn(async move {
/// #     while let Ok((mut stream, _)) = server.accept().await {
/// #         tokio::spawn(async move {
/// #             let (mut read, mut write) = stream.split();
/// #             tokio::io::copy(&mut read, &mut write).await
/// #         });
/// #     }
/// # });
/// let proxy = FaultProxy::start(&server_address).await?; // a server that echoes
/// let mut client = tokio::net::TcpStream::connect(proxy.address()).await?;
/// client.write_all(b"hello").await?;
/// let mut reply = [0; 5];
/// client.read_exact(&mut reply).await?;
///
/// proxy.set(Direction::Replies, WireFault::Truncate);
/// client.write_all(b"hello").await?;
/// let mut half = Vec::new();
/// client.read_to_end(&mut half).await?;
/// assert!(half.len() < 5);
/// assert_eq!(proxy.stats().connections_total, 1);
/// # Ok::<(), std::io::Error>(())
/// # }).unwrap();
/// ```
pub struct FaultProxy {
    address: SocketAddr,
    seed: u64,
    shared: Arc<Shared>,
    task: AbortHandle,
}

pub(super) struct Shared {
    pub(super) script: watch::Sender<Script>,
    pub(super) counters: Counters,
}

impl FaultProxy {
    /// Starts a proxy in front of `upstream`, such as `"127.0.0.1:6379"`, on a free port of
    /// 127.0.0.1. Jitter and garbage follow from a random seed; see [`FaultProxy::seed`].
    ///
    /// The server need not be there yet: it is connected to for each client. A client whose server
    /// can not be reached is reset.
    ///
    /// # Errors
    /// Those of binding a port.
    ///
    /// # Cancel safety
    /// Nothing is left behind.
    pub async fn start(upstream: &str) -> io::Result<Self> {
        Self::start_seeded(upstream, Random::fresh_seed()).await
    }

    /// As [`FaultProxy::start`], with a seed of one's own, which repeats jitter and garbage for
    /// connections that come in the same order.
    ///
    /// # Errors
    /// As [`FaultProxy::start`].
    ///
    /// # Cancel safety
    /// As [`FaultProxy::start`].
    #[expect(clippy::unused_async, reason = "sockets and tasks need a runtime")]
    pub async fn start_seeded(upstream: &str, seed: u64) -> io::Result<Self> {
        let door = Door::open(SocketAddr::from(([127, 0, 0, 1], 0)))?;
        let (script, _) = watch::channel(Script::new(upstream));
        let shared = Arc::new(Shared { script, counters: Counters::default() });
        let address = door.address();
        let task = tokio::spawn(answer(door, Arc::clone(&shared), seed)).abort_handle();
        Ok(Self { address, seed, shared, task })
    }

    /// Where clients connect.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The port of [`FaultProxy::address`].
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.address.port()
    }

    /// What jitter and garbage follow from; print it where a test fails.
    #[must_use]
    pub const fn seed(&self) -> u64 {
        self.seed
    }

    /// Lets one direction of every connection, open ones included, meet a fault until it is
    /// lifted. It replaces the fault that was set for that direction.
    pub fn set(&self, direction: Direction, fault: WireFault) {
        self.shared.script.send_modify(|script| script.plan(direction, Some(fault)));
    }

    /// Sets what happens to clients that connect from now on.
    ///
    /// It takes effect a moment later; a client that connects in between is still met as before.
    pub fn set_accept(&self, accept: Accept) {
        self.shared.script.send_modify(|script| script.accept = accept);
    }

    /// Lets clients that connect from now on reach another server.
    pub fn redirect(&self, upstream: &str) {
        self.shared.script.send_modify(|script| upstream.clone_into(&mut script.upstream));
    }

    /// Lifts all faults; what was held back is passed on.
    pub fn clear(&self) {
        self.shared.script.send_modify(|script| {
            script.accept = Accept::Forward;
            script.plan(Direction::Replies, None);
            script.plan(Direction::Requests, None);
        });
    }

    /// Resets every connection that is open now, on both sides.
    pub fn cut(&self) {
        self.shared.script.send_modify(|script| script.cuts += 1);
    }

    /// What was counted so far.
    #[must_use]
    pub fn stats(&self) -> ProxyStats {
        self.shared.counters.snapshot()
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl fmt::Debug for FaultProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultProxy")
            .field("address", &self.address)
            .field("seed", &self.seed)
            .field("script", &*self.shared.script.borrow())
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

/// Answers the door for as long as the proxy lives. The conversations end with this task.
async fn answer(mut door: Door, shared: Arc<Shared>, seed: u64) {
    let mut script = shared.script.subscribe();
    let mut seeds = Random::new(seed);
    let mut conversations = JoinSet::new();
    loop {
        let accept = script.borrow_and_update().accept;
        // A port that somebody else took in the moment between is asked for again at the next
        // change of the script.
        let _ = door.set_shut(accept == Accept::Refuse);
        tokio::select! {
            changed = script.changed() => if changed.is_err() { return },
            Some(_ended) = conversations.join_next() => {}
            client = door.accept() => if let Ok(client) = client {
                let conversation = Conversation::new(&shared, seeds.next());
                conversations.spawn(meet(conversation, client, accept));
            },
        }
    }
}

async fn meet(conversation: Conversation, client: TcpStream, accept: Accept) {
    match accept {
        Accept::Forward | Accept::Refuse => conversation.forward(client).await,
        Accept::Reset => conversation.reset(client),
        Accept::Stall => conversation.stall(client).await,
    }
}
