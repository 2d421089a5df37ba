//! A connection together with what is known about the server at its other end.
//!
//! Guards the meaning of an epoch: it belongs to the connection, it is asked for before any other
//! answer over that connection is believed, and what is older than the verification interval is
//! asked for again in front of the next request, in the same round trip. A server whose role or
//! history changed loses the connection.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
};

use larder_core::{Epoch, Tick};
use redis::{Cmd, Value};

use crate::{
    Address, Deployment, MastershipCheck, RedisConfig,
    error::Trouble,
    net,
    pipe::Pipe,
    resp::{self, Answer},
    server::{Info, Mode, Server, replicas_of_master},
    settings::Settings,
};

/// A connection to a master whose epoch is known.
#[derive(Debug)]
pub(crate) struct Link {
    settings: Arc<Settings>,
    pipe: Pipe,
    server: Server,
    address: Address,
    /// Whether there is a replica that could be promoted behind our back.
    is_replicated: AtomicBool,
    /// When the role and the history were last asked for, in nanoseconds.
    verified: AtomicU64,
}

/// What was put in front of a request, to be checked before the answer is believed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Checks {
    /// When the request was put together, if it asks for role and history.
    verification: Option<Tick>,
    /// Whether it begins with a write that changes nothing.
    is_guarded: bool,
}

impl Checks {
    const fn count(self) -> usize {
        self.verification.is_some() as usize + self.is_guarded as usize
    }

    const fn is_empty(self) -> bool {
        self.count() == 0
    }
}

impl Link {
    /// Connects, logs in and asks who answers. Without a limit in time.
    ///
    /// # Cancel safety
    /// The connection is then closed.
    pub(crate) async fn open(settings: &Arc<Settings>, address: &Address) -> Result<Self, Trouble> {
        let config = &settings.config;
        let pipe = Pipe::over(net::connect(settings, address).await?, config.time_limit);
        let asked = settings.clock().coarse();
        let questions = greeting(config);
        let answer = pipe.send(packed(&questions), questions.len()).await?;
        let (server, replicas) = recognize(&answer.values(questions.len())?, &config.deployment)?;
        Ok(Self {
            settings: Arc::clone(settings),
            pipe,
            server,
            address: address.clone(),
            is_replicated: AtomicBool::new(replicas > 0),
            verified: AtomicU64::new(asked.as_nanos()),
        })
    }

    pub(crate) const fn epoch(&self) -> Epoch {
        self.server.epoch
    }

    pub(crate) const fn server(&self) -> &Server {
        &self.server
    }

    pub(crate) const fn address(&self) -> &Address {
        &self.address
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.pipe.is_closed()
    }

    /// Ends the connection for everybody who uses it.
    pub(crate) fn cut(&self) {
        self.pipe.cut();
    }

    /// What a request that begins now has to be preceded by; a guard is for reads.
    pub(crate) fn checks(&self, is_read: bool) -> Checks {
        let now = self.settings.clock().coarse();
        let verified = Tick::from_nanos(self.verified.load(Relaxed));
        let is_due = now.since(verified) >= self.settings.config.verify_interval;
        let is_guarded = is_read
            && match self.settings.config.mastership {
                MastershipCheck::Always => true,
                // A replica of a cluster answers nothing but where to go.
                MastershipCheck::Auto => {
                    self.server.mode == Mode::Standalone && self.is_replicated.load(Relaxed)
                }
                MastershipCheck::Never => false,
            };
        Checks { verification: is_due.then_some(now), is_guarded }
    }

    /// Checks that ask for role and history whether or not it is time.
    pub(crate) fn full_checks(&self) -> Checks {
        Checks { verification: Some(self.settings.clock().coarse()), is_guarded: false }
    }

    /// Sends one packed command, preceded by its checks, whose answers are looked at before this
    /// one is given out.
    ///
    /// # Cancel safety
    /// The command takes effect or does not; its answer is dropped.
    pub(crate) async fn send_packed(
        &self,
        checks: Checks,
        beside: &[u8],
        command: Vec<u8>,
    ) -> Result<Answer, Trouble> {
        if checks.is_empty() {
            return self.received(self.pipe.send(command, 1).await);
        }
        let mut packed = self.packed_checks(checks, beside);
        packed.extend_from_slice(&command);
        let answer = self.received(self.pipe.send(packed, checks.count() + 1).await)?;
        let values = answer.values(checks.count())?;
        self.settle(checks, values)?;
        answer.skip(checks.count()).ok_or(Trouble::Answer("a command has no answer"))
    }

    /// Sends commands in one go, preceded by their checks; one answer for each command.
    ///
    /// # Cancel safety
    /// As [`Link::send_packed`]; the commands are sent as a whole.
    pub(crate) async fn send_all(
        &self,
        checks: Checks,
        beside: &[u8],
        commands: &[Cmd],
    ) -> Result<Vec<Value>, Trouble> {
        let count = checks.count() + commands.len();
        if count == 0 {
            return Ok(Vec::new());
        }
        let mut packed = self.packed_checks(checks, beside);
        for command in commands {
            command.write_packed_command(&mut packed);
        }
        let answer = self.received(self.pipe.send(packed, count).await)?;
        let mut answers = answer.values(count)?;
        let rest = answers.split_off(checks.count());
        self.settle(checks, answers)?;
        Ok(rest)
    }

    fn packed_checks(&self, checks: Checks, beside: &[u8]) -> Vec<u8> {
        let mut packed = Vec::new();
        if checks.verification.is_some() {
            info("replication").write_packed_command(&mut packed);
        }
        if checks.is_guarded {
            resp::begin(&mut packed, 2);
            resp::word(&mut packed, b"DEL");
            resp::word(&mut packed, &self.settings.names.absent_beside(beside));
        }
        packed
    }

    fn received(&self, answer: Result<Answer, Trouble>) -> Result<Answer, Trouble> {
        if let Err(trouble) = &answer
            && trouble.ends_the_connection()
        {
            self.cut();
        }
        answer
    }

    /// Looks at the answers to the checks.
    fn settle(&self, checks: Checks, answers: Vec<Value>) -> Result<(), Trouble> {
        let settled = self.try_settle(checks, answers);
        if let Err(trouble) = &settled
            && trouble.ends_the_connection()
        {
            self.cut();
        }
        settled
    }

    fn try_settle(&self, checks: Checks, answers: Vec<Value>) -> Result<(), Trouble> {
        let mut answers = answers.into_iter();
        if let (Some(asked), Some(answer)) =
            (checks.verification, checks.verification.and_then(|_| answers.next()))
        {
            let mut info = Info::default();
            info.absorb(&answer)?;
            let replicas = replicas_of_master(&info)?;
            if info.text("master_replid") != Some(&self.server.replication_id) {
                return Err(Trouble::History);
            }
            self.is_replicated.store(replicas > 0, Relaxed);
            self.verified.fetch_max(asked.as_nanos(), Relaxed);
        }
        let Some(Value::ServerError(error)) = answers.next() else {
            return Ok(());
        };
        match error.code() {
            "MASTERDOWN" | "NOREPLICAS" | "READONLY" => Err(Trouble::Replica),
            // Of the slot that the guard is in; what is asked for is answered in its own right.
            "ASK" | "CLUSTERDOWN" | "MOVED" | "TRYAGAIN" => Ok(()),
            _ => Err(Trouble::Server(error)),
        }
    }
}

/// Logs in and asks a server who it is.
fn greeting(config: &RedisConfig) -> Vec<Cmd> {
    let mut questions = Vec::with_capacity(4);
    if let Some(password) = &config.credentials.password {
        let mut login = redis::cmd("AUTH");
        login.arg(config.credentials.username.as_deref()).arg(password.reveal());
        questions.push(login);
    }
    if config.database != 0 {
        let mut select = redis::cmd("SELECT");
        select.arg(config.database);
        questions.push(select);
    }
    questions.extend(WHO.map(info));
    questions
}

/// The sections of `INFO` that say who a server is.
pub(crate) const WHO: [&str; 2] = ["server", "replication"];

/// Looks at the answers to a greeting: who the server is, and how many replicas it has. What is
/// not as the configuration says is refused.
pub(crate) fn recognize(
    answers: &[Value],
    deployment: &Deployment,
) -> Result<(Server, u64), Trouble> {
    let mut found = Info::default();
    for answer in answers {
        match answer {
            Value::Okay => {}
            answer => found.absorb(answer)?,
        }
    }
    // A Sentinel has no data and so no history to be asked for.
    if found.text("redis_mode") == Some("sentinel") {
        return Err(Trouble::Deployment("the server is a Sentinel: use redis+sentinel://"));
    }
    let server = Server::from_info(&found)?;
    match (deployment, server.mode) {
        (Deployment::Cluster(_), Mode::Standalone) => {
            return Err(Trouble::Deployment("the server is no part of a cluster: use redis://"));
        }
        (Deployment::Single(_) | Deployment::Sentinel { .. }, Mode::Cluster) => {
            let detail = "the server is part of a cluster: use redis+cluster://";
            return Err(Trouble::Deployment(detail));
        }
        _ => {}
    }
    let replicas = replicas_of_master(&found)?;
    Ok((server, replicas))
}

fn packed(commands: &[Cmd]) -> Vec<u8> {
    let mut packed = Vec::new();
    for command in commands {
        command.write_packed_command(&mut packed);
    }
    packed
}

pub(crate) fn info(section: &str) -> Cmd {
    let mut command = redis::cmd("INFO");
    command.arg(section);
    command
}
