//! A running setup as a test holds it.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use crate::{
    client::Reply,
    error::{Error, Result},
    instance,
    options::Options,
    server::Server,
    setup::Setup,
};

/// The variable with the path of the certificate that those of all TLS setups are signed with.
pub const CA_VARIABLE: &str = "LARDER_TLS_CA";

/// The servers of a setup. Dropping it stops them.
#[derive(Debug)]
pub struct Service {
    pub(crate) setup: Setup,
    pub(crate) servers: Vec<Server>,
    /// The URL, or for Python the path, of each setup that these servers serve.
    pub(crate) urls: BTreeMap<Setup, String>,
    pub(crate) ca: PathBuf,
}

/// Starts servers of its own for a test that wants to kill, pause or configure them. A test that
/// only talks to a server uses the shared one, whose URL is in the setup's variable.
///
/// # Errors
/// [`Error::Unavailable`] if the machine has no such server and can not get it; any other if it
/// does not come up.
pub fn start(setup: Setup) -> Result<Service> {
    start_with(setup, &Options::new())
}

/// As [`start`], with options.
///
/// # Errors
/// As [`start`].
pub fn start_with(setup: Setup, options: &Options) -> Result<Service> {
    instance::launch(setup, options, &crate::run::Run::shared()?)
}

impl Service {
    /// Which setup it is.
    #[must_use]
    pub const fn setup(&self) -> Setup {
        self.setup
    }

    /// The URL that clients connect with, in the form that the setup's variable has.
    #[must_use]
    pub fn url(&self) -> &str {
        // A service is made with the URL of its own setup.
        self.urls.get(&self.setup).map_or("", String::as_str)
    }

    /// The URL of another setup that the same servers serve, such as [`Setup::PostgresTls`] of
    /// [`Setup::Postgres`].
    #[must_use]
    pub fn url_of(&self, setup: Setup) -> Option<&str> {
        self.urls.get(&setup).map(String::as_str)
    }

    /// The setups that its servers serve, each with its URL.
    pub(crate) fn urls(&self) -> impl Iterator<Item = (Setup, &str)> {
        self.urls.iter().map(|(setup, url)| (*setup, url.as_str()))
    }

    /// The file with the certificate that its servers' certificates are signed with.
    #[must_use]
    pub fn ca(&self) -> &Path {
        &self.ca
    }

    /// The variables that tests of its setups expect.
    pub fn environment(&self) -> impl Iterator<Item = (String, String)> {
        let ca = (CA_VARIABLE.to_owned(), self.ca.display().to_string());
        let urls = self.urls.iter().map(|(setup, url)| (setup.variable(), url.clone()));
        urls.chain([ca])
    }

    /// All its servers: primaries before replicas, data before sentinels.
    #[must_use]
    pub fn servers(&self) -> &[Server] {
        &self.servers
    }

    /// One of its servers; the first one is number 0.
    ///
    /// # Panics
    /// If it has fewer servers: that is a mistake of the test.
    #[must_use]
    pub fn server(&self, number: usize) -> &Server {
        &self.servers[number]
    }

    /// The port of the first server.
    ///
    /// # Panics
    /// For [`Setup::Python`], which is no server.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.server(0).port()
    }

    /// Ends every server at once (SIGKILL).
    pub fn kill(&self) {
        self.servers.iter().for_each(Server::kill);
    }

    /// Stops every server in an orderly way.
    pub fn stop(&self) {
        self.servers.iter().for_each(Server::ask_to_stop);
        self.servers.iter().for_each(Server::stop);
    }

    /// Stops every server and starts them all on their ports.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub fn restart(&self) -> Result<()> {
        self.stop();
        self.servers.iter().try_for_each(Server::start)
    }

    /// Makes every server stand still, with its connections open.
    pub fn pause(&self) {
        self.servers.iter().for_each(Server::pause);
    }

    /// Lets every server go on.
    pub fn resume(&self) {
        self.servers.iter().for_each(Server::resume);
    }

    /// The first Redis server that says that it is a primary.
    ///
    /// # Errors
    /// [`Error::Reply`] if none says so.
    pub fn primary(&self) -> Result<&Server> {
        let primary = self.servers.iter().find(|server| has_role(server, "master"));
        primary.ok_or_else(|| Error::Reply {
            server: self.setup.to_string(),
            command: "ROLE".to_owned(),
            reply: "no \"master\"".to_owned(),
        })
    }

    /// The Redis servers that say that they are replicas.
    #[must_use]
    pub fn replicas(&self) -> Vec<&Server> {
        self.servers.iter().filter(|server| has_role(server, "slave")).collect()
    }

    /// Makes a Redis replica the primary of its data, whatever has become of the present one, and
    /// waits until it says that it is.
    ///
    /// # Errors
    /// [`Error::Reply`] if it refuses, [`Error::NotReady`] if it takes too long.
    pub fn promote(&self, replica: &Server) -> Result<()> {
        match self.setup {
            Setup::RedisCluster => replica.commanded(&["CLUSTER", "FAILOVER", "TAKEOVER"])?,
            _ => replica.commanded(&["REPLICAOF", "NO", "ONE"])?,
        };
        replica.wait_for("become a primary", || has_role(replica, "master").then_some(()))
    }
}

fn has_role(server: &Server, role: &str) -> bool {
    let reply = server.command(&["ROLE"]);
    reply.is_ok_and(|reply| reply.items().first().and_then(Reply::text) == Some(role))
}
