//! One server: its connections, what it is, and what is known of the namespace there.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use crate::{
    MemcachedConfig, ServerAddress,
    connection::{Connection, Limits},
    dialect::{Condition, Dialect, Seen, Stored},
    error::Trouble,
    handshake::{ServerInfo, Stats, shake_hands},
    lane::Lane,
    name::Name,
    namespace::View,
    request::{Expect, Reply, Request, UNEXPECTED},
    server_time::{Bounds, ServerTime},
    tls::Tls,
    transport::Transport,
};

/// How often a request is made again because others changed the namespace meanwhile.
const TRIES: usize = 8;

/// The longest lifetime that servers count from now on; a longer one they take for a date.
const RELATIVE_SECONDS_MAX: u64 = 60 * 60 * 24 * 30;

/// Whether a request may be made twice, should a connection be lost before the answer came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeat {
    Never,
    Once,
}

#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) address: ServerAddress,
    config: Arc<MemcachedConfig>,
    tls: Option<Tls>,
    lanes: Box<[Arc<Lane>]>,
    next_lane: AtomicUsize,
    known: Mutex<Known>,
}

/// What is known of a server. All of it is checked or renewed where it matters.
#[derive(Debug, Default)]
struct Known {
    info: Option<Arc<ServerInfo>>,
    time: Option<ServerTime>,
    view: Option<View>,
}

impl Node {
    pub(crate) fn new(
        address: ServerAddress,
        config: Arc<MemcachedConfig>,
        tls: Option<Tls>,
    ) -> Self {
        let lanes = (0..config.connections_per_server).map(|_| Arc::default()).collect();
        Self {
            address,
            tls,
            lanes,
            next_lane: AtomicUsize::new(0),
            known: Mutex::default(),
            config,
        }
    }

    /// Makes a request.
    pub(crate) async fn call(
        self: &Arc<Self>,
        request: &Request<'_>,
        repeat: Repeat,
    ) -> Result<Reply, Trouble> {
        let lane = self.lane();
        let mut first = true;
        loop {
            let connection = match lane.existing() {
                Some(connection) => connection,
                None => self.connect(lane).await?,
            };
            let failure = match connection.call(request).await {
                Ok(reply) => return Ok(reply),
                Err(failure) => failure,
            };
            if connection.has_ended() {
                lane.forget(&connection);
                let again = !failure.sent || repeat == Repeat::Once;
                // The server hung up, perhaps long ago: it may be back by now.
                if first && again && failure.trouble.is_lost_connection() {
                    first = false;
                    continue;
                }
            }
            return Err(failure.trouble);
        }
    }

    fn lane(&self) -> &Arc<Lane> {
        let lane = match self.lanes.len() {
            1 => 0,
            lanes => self.next_lane.fetch_add(1, Relaxed) % lanes,
        };
        // There is at least one lane, and the index is within them.
        &self.lanes[lane]
    }

    async fn connect(self: &Arc<Self>, lane: &Arc<Lane>) -> Result<Arc<Connection>, Trouble> {
        lane.connection(&self.config.clock, || {
            let node = Arc::clone(self);
            async move {
                let limit = node.config.time_limit;
                let attempt = tokio::time::timeout(limit, Box::pin(node.try_connect())).await;
                attempt.unwrap_or(Err(Trouble::Timeout))
            }
        })
        .await
    }

    async fn try_connect(&self) -> Result<Connection, Trouble> {
        let transport = Transport::connect(&self.address, self.tls.as_ref()).await?;
        let limits = Limits {
            in_flight_max: self.config.in_flight_max,
            output_bytes_max: self.config.output_bytes_max,
            time_limit: self.config.time_limit,
            value_bytes_max: 0,
        };
        let connection = Connection::new(transport, limits);
        let info = shake_hands(&connection, &self.config, &*self.config.clock).await?;
        connection.set_value_bytes_max(info.item_bytes_max.min(VALUE_BYTES_MAX));
        let mut known = self.known();
        let (seconds, sent, received) = info.time;
        known.time = Some(ServerTime::observe(known.time, sent, received, seconds));
        known.info = Some(Arc::new(info));
        Ok(connection)
    }

    /// What the server is. Connects, if that was never done.
    pub(crate) async fn info(self: &Arc<Self>) -> Result<Arc<ServerInfo>, Trouble> {
        if let Some(info) = &self.known().info {
            return Ok(Arc::clone(info));
        }
        self.connect(self.lane()).await?;
        // A connection is made only with a server that told what it is.
        self.known().info.clone().ok_or(UNEXPECTED)
    }

    pub(crate) async fn dialect(self: &Arc<Self>) -> Result<Dialect, Trouble> {
        if let Some(info) = &self.known().info {
            return Ok(info.dialect);
        }
        Ok(self.info().await?.dialect)
    }

    /// Makes a request in the state of the namespace that was last seen, on a connection that is
    /// there. `None` if anything is otherwise than expected; [`Node::in_namespace`] then finds
    /// out what. This is the way of a hit, and its future is small.
    pub(crate) async fn at_once<'a>(
        &'a self,
        make: impl FnOnce(&View) -> Request<'a>,
    ) -> Option<(View, Reply)> {
        let view = self.known().view?;
        let connection = self.lane().existing()?;
        let request = make(&view).with_read(self.namespace_item());
        let mut reply = connection.call(&request).await.ok()?;
        let item = reply.items.pop().flatten()?;
        (View::parse(item.data.as_slice()) == Some(view)).then_some((view, reply))
    }

    /// Makes a request that depends on the namespace, until its state is the one that the request
    /// was made for.
    pub(crate) async fn in_namespace<'a>(
        self: &'a Arc<Self>,
        repeat: Repeat,
        make: impl Fn(&View) -> Request<'a> + Send + Sync,
    ) -> Result<(View, Reply), Trouble> {
        let mut view = self.view().await?;
        for _ in 0..TRIES {
            let (now, reply) = self.once_in_namespace(repeat, make(&view)).await?;
            match now {
                Some(now) if now == view => return Ok((view, reply)),
                Some(now) => view = now,
                None => view = self.refresh_view().await?,
            }
        }
        Err(Trouble::Busy("others keep clearing the namespace"))
    }

    /// Makes a request and says in which state of the namespace it was answered.
    pub(crate) async fn once_in_namespace<'a>(
        self: &'a Arc<Self>,
        repeat: Repeat,
        request: Request<'a>,
    ) -> Result<(Option<View>, Reply), Trouble> {
        let mut reply = self.call(&request.with_read(self.namespace_item()), repeat).await?;
        let item = reply.items.pop().flatten();
        let view = item.and_then(|item| View::parse(item.data.as_slice()));
        self.known().view = view;
        Ok((view, reply))
    }

    /// The state of the namespace as it was last seen.
    pub(crate) async fn view(self: &Arc<Self>) -> Result<View, Trouble> {
        let known = self.known().view;
        match known {
            Some(view) => Ok(view),
            None => self.refresh_view().await,
        }
    }

    /// The state of the namespace as it is, made if there is none.
    pub(crate) async fn refresh_view(self: &Arc<Self>) -> Result<View, Trouble> {
        let mut condition = Condition::Absent;
        for _ in 0..TRIES {
            let (view, _) = self.once_in_namespace(Repeat::Once, Request::default()).await?;
            if let Some(view) = view {
                return Ok(view);
            }
            let new = View::random().encode();
            let content = Stored { flags: 0, exptime: 0, data: &[&new] };
            let dialect = self.dialect().await?;
            let store =
                dialect.store(Request::default(), &self.namespace_item(), condition, content);
            let (view, mut reply) = self.once_in_namespace(Repeat::Never, store).await?;
            reply.next_line()?;
            if let Some(view) = view {
                return Ok(view);
            }
            // Something else lies there, which nobody can use.
            condition = Condition::Always;
        }
        Err(Trouble::Busy("the item of the namespace does not stay"))
    }

    /// Changes the generation of the namespace.
    pub(crate) async fn clear(self: &Arc<Self>) -> Result<(), Trouble> {
        let dialect = self.dialect().await?;
        let name = self.namespace_item();
        let mut reply =
            self.call(&dialect.inspect(Request::default(), &name), Repeat::Once).await?;
        let Some(seen) = Seen::of(reply.next_answer()?)? else {
            // Nothing is valid while there is no item, and the next one has another generation.
            self.known().view = None;
            return Ok(());
        };
        let next = View::parse(&seen.data).map_or_else(View::random, View::cleared);
        let content = Stored { flags: 0, exptime: 0, data: &[&next.encode()] };
        let condition = Condition::Unchanged(seen.cas);
        let store = dialect.store(Request::default(), &name, condition, content);
        // If the item is not the one that was seen, somebody else changed its generation since,
        // and that is what was wanted.
        self.call(&store, Repeat::Once).await?.next_line()?;
        self.known().view = None;
        Ok(())
    }

    /// What time it is on the server.
    pub(crate) async fn time(self: &Arc<Self>) -> Result<Bounds, Trouble> {
        let now = self.config.clock.now();
        let known = self.known().time.filter(|time| time.is_reliable(now));
        match known {
            Some(time) => Ok(time.bounds(now)),
            None => Ok(self.ask_time().await?.1.bounds(self.config.clock.now())),
        }
    }

    /// The second that the server counts. If it is about to turn, the request that follows may
    /// find the next one, so what ends by it may end that much early: the time of a round trip.
    async fn second(self: &Arc<Self>) -> Result<u64, Trouble> {
        match self.time().await?.second() {
            Some(second) => Ok(second),
            None => Ok(self.ask_time().await?.0),
        }
    }

    async fn ask_time(self: &Arc<Self>) -> Result<(u64, ServerTime), Trouble> {
        let sent = self.config.clock.now();
        let stats = self.stats("stats").await?;
        let received = self.config.clock.now();
        let seconds = stats.number("time").ok_or(UNEXPECTED)?;
        let mut known = self.known();
        let time = ServerTime::observe(known.time, sent, received, seconds);
        known.time = Some(time);
        Ok((seconds, time))
    }

    /// How a lifetime is written in a command, so that nothing ends early: in whole seconds,
    /// rounded up, and one more, because the server's second is under way. Beyond thirty days it
    /// becomes a date by the server's clock.
    pub(crate) async fn exptime(self: &Arc<Self>, lifetime: Duration) -> Result<u64, Trouble> {
        let millis = u64::try_from(lifetime.as_millis()).unwrap_or(u64::MAX);
        self.exptime_of_seconds(millis.div_ceil(1_000).saturating_add(1)).await
    }

    /// The same for whole seconds and nothing more.
    pub(crate) async fn exptime_of_seconds(self: &Arc<Self>, seconds: u64) -> Result<u64, Trouble> {
        if seconds <= RELATIVE_SECONDS_MAX {
            return Ok(seconds);
        }
        Ok(self.second().await?.saturating_add(seconds))
    }

    pub(crate) async fn stats(self: &Arc<Self>, which: &str) -> Result<Stats, Trouble> {
        let request = Request::default().with_line(format_args!("{which}"), Expect::Stats);
        Stats::of(self.call(&request, Repeat::Once).await?.next_answer()?)
    }

    /// How many connections are open, for tests and for health.
    pub(crate) fn connections(&self) -> usize {
        let open = |lane: &&Arc<Lane>| lane.existing().is_some_and(|known| !known.has_ended());
        self.lanes.iter().filter(open).count()
    }

    fn namespace_item(&self) -> Name<'_> {
        Name::Namespace(&self.config.namespace)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // Every critical section leaves the state whole, so a panic elsewhere does not taint it.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The most that is taken in as one value, whatever a server says about its items.
const VALUE_BYTES_MAX: usize = 1 << 30;
