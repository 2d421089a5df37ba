//! Redis and Valkey as single servers, and the parts that their companies are made of.

use std::{fs, time::Duration};

use rustix::process::Signal;

use crate::{
    account,
    client::{Address, Probe},
    error::{Error, Result},
    find::{Engine, Program},
    instance::{
        launch::{Launched, Plan},
        url::InUrl,
    },
    server::Server,
    setup::Setup,
    spec::{Console, Spec, args},
};

/// The limited user of [`Setup::RedisAcl`]. The slash has to be escaped in a URL, so that
/// somebody notices who does not unescape it.
const USER: &str = "larder";
const PASSWORD: &str = "s3cret/word";
const PASSWORD_IN_URL: &str = "s3cret%2Fword";

/// Who looks after [`Setup::RedisAcl`].
const ADMINISTRATOR: (&str, &str) = ("administrator", "administrator");

pub(crate) fn launch(plan: Plan<'_>) -> Result<Launched> {
    let engine = match plan.setup {
        Setup::RedisNew => Engine::RedisNew,
        Setup::Valkey => Engine::Valkey,
        Setup::ValkeyNew => Engine::ValkeyNew,
        _ => Engine::Redis,
    };
    let program = plan.program(engine)?;
    let server = node(plan, &program, Node::new(plan.setup.name(), 0))?;
    let port = server.port();
    let url = match plan.setup {
        Setup::RedisAcl => format!("redis://{USER}:{PASSWORD_IN_URL}@127.0.0.1:{port}"),
        Setup::RedisTls => {
            let ca = InUrl(plan.run.authority().certificate());
            format!("rediss://127.0.0.1:{port}?ca={ca}")
        }
        Setup::RedisUnix => {
            format!("redis+unix://{}", InUrl(&server.folder().join(SOCKET)))
        }
        Setup::Valkey | Setup::ValkeyNew => format!("valkey://127.0.0.1:{port}"),
        _ => format!("redis://127.0.0.1:{port}"),
    };
    Ok(plan.served_at(vec![server], url))
}

/// One server among those of a setup.
pub(crate) struct Node {
    /// What its log and folder are called.
    pub(crate) name: String,
    /// Its number among the ports of the setup.
    pub(crate) index: u16,
    /// What makes it a member of a company.
    pub(crate) args: Vec<String>,
}

impl Node {
    pub(crate) fn new(name: impl Into<String>, index: u16) -> Self {
        Self { name: name.into(), index, args: Vec::new() }
    }

    pub(crate) fn with_args<const N: usize>(mut self, args: [&str; N]) -> Self {
        self.args.extend(args.map(str::to_owned));
        self
    }
}

/// In every server's folder: our way to it, and with [`Setup::RedisUnix`] also the clients'.
pub(crate) const SOCKET: &str = "sock";

/// Starts a data node. It keeps nothing on disk.
pub(crate) fn node(plan: Plan<'_>, program: &Program, node: Node) -> Result<Server> {
    let name = plan.run.name(&node.name);
    let folder = plan.run.folder_for(&name)?;
    let is_on_socket = plan.setup == Setup::RedisUnix;
    let port = || if is_on_socket { Ok(0) } else { plan.port(node.index) };
    Server::launch(plan.run, port, |port| {
        let socket = folder.join(SOCKET);
        let mut args = args!["--bind", "127.0.0.1", "--dir", folder, "--save", ""];
        args.extend(args!["--unixsocket", socket, "--unixsocketperm", "777"]);
        args.extend(args!["--loglevel", "notice", "--repl-diskless-sync-delay", "0"]);
        let mut login = None;
        match plan.setup {
            Setup::RedisAcl => {
                let users = folder.join("users.acl");
                fs::write(&users, users_file()).map_err(Error::file(&users))?;
                account::hand_over(&users)?;
                args.extend(args!["--aclfile", users]);
                login = Some(ADMINISTRATOR);
            }
            Setup::RedisTls => {
                let names = plan.options.certificate_names();
                let files = plan.run.authority().issue(&folder, &names)?;
                args.extend(args!["--tls-port", port.to_string(), "--tls-auth-clients", "no"]);
                args.extend(args!["--tls-cert-file", files.chain, "--tls-key-file", files.key]);
                args.extend(args!["--tls-ca-cert-file", plan.run.authority().certificate()]);
            }
            _ => {}
        }
        let plain_port = if plan.setup == Setup::RedisTls { 0 } else { port };
        args.extend(args!["--port", plain_port.to_string()]);
        args.extend(node.args.iter().chain(plan.options.args()).map(Into::into));
        Ok(Spec {
            name: name.clone(),
            program: program.clone(),
            args,
            folder: folder.clone(),
            port,
            probe: Probe::Redis(Address::Socket(socket.clone())),
            console: Some(Console { address: Address::Socket(socket), login }),
            stop_signal: Signal::TERM,
            patience: PATIENCE,
        })
    })
}

pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Nobody without a name; a user for what a cache needs under its own names; an administrator.
fn users_file() -> String {
    let (name, password) = ADMINISTRATOR;
    format!(
        "user default off\n\
         user {USER} on >{PASSWORD} ~L:* ~query:* &__redis__:invalidate \
         +@all -@dangerous -@admin +info +role +config|get\n\
         user {name} on >{password} ~* &* +@all\n"
    )
}
