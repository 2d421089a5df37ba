//! Memcached: alone, with a password, over TLS, on a socket, and several of them.

use std::{fs, time::Duration};

use rustix::process::Signal;

use crate::{
    account,
    client::{Address, Probe},
    error::{Error, Result},
    find::{Engine, Program, output_of},
    instance::{
        launch::{Launched, Plan},
        url::InUrl,
    },
    server::Server,
    setup::Setup,
    spec::{Spec, args},
};

/// Who may use [`Setup::MemcachedAuth`]. The slash has to be escaped in a URL, so that somebody
/// notices who does not unescape it.
const USER: &str = "larder";
const PASSWORD: &str = "s3cret/word";
const PASSWORD_IN_URL: &str = "s3cret%2Fword";

pub(crate) fn launch(plan: Plan<'_>) -> Result<Launched> {
    let engine = match plan.setup {
        Setup::MemcachedNew => Engine::MemcachedNew,
        _ => Engine::Memcached,
    };
    let program = plan.program(engine)?;
    if plan.setup == Setup::MemcachedTls {
        return tls(plan, program);
    }
    let count = if plan.setup == Setup::MemcachedFleet { 3 } else { 1 };
    let servers = (0..count).map(|index| server(plan, &program, index));
    let servers = servers.collect::<Result<Vec<_>>>()?;
    let hosts: Vec<String> =
        servers.iter().map(|server| format!("127.0.0.1:{}", server.port())).collect();
    let url = match plan.setup {
        Setup::MemcachedAuth => format!("memcached://{USER}:{PASSWORD_IN_URL}@{}", hosts[0]),
        Setup::MemcachedUnix => {
            format!("memcached+unix://{}", InUrl(&servers[0].folder().join(SOCKET)))
        }
        _ => format!("memcached://{}", hosts.join(",")),
    };
    Ok(plan.served_at(servers, url))
}

const SOCKET: &str = "sock";

fn server(plan: Plan<'_>, program: &Program, index: u16) -> Result<Server> {
    let name = plan.run.name(&match plan.setup {
        Setup::MemcachedFleet => format!("{}-{}", plan.setup, index + 1),
        _ => plan.setup.to_string(),
    });
    let folder = plan.run.folder_for(&name)?;
    let is_on_socket = plan.setup == Setup::MemcachedUnix;
    let port = || if is_on_socket { Ok(0) } else { plan.port(index) };
    Server::launch(plan.run, port, |port| {
        let address =
            if is_on_socket { Address::Socket(folder.join(SOCKET)) } else { Address::Port(port) };
        let mut args = match &address {
            Address::Port(port) => args!["-l", "127.0.0.1", "-p", port.to_string(), "-U", "0"],
            Address::Socket(path) => args!["-s", path, "-a", "0777"],
        };
        if plan.setup == Setup::MemcachedAuth {
            let users = folder.join("users");
            fs::write(&users, format!("{USER}:{PASSWORD}\n")).map_err(Error::file(&users))?;
            account::hand_over(&users)?;
            args.extend(args!["-Y", users]);
        }
        args.extend(plan.options.args().iter().map(Into::into));
        Ok(Spec {
            name: name.clone(),
            program: program.clone(),
            args,
            folder: folder.clone(),
            port,
            probe: Probe::Memcached(address),
            console: None,
            stop_signal: Signal::TERM,
            patience: PATIENCE,
        })
    })
}

const PATIENCE: Duration = Duration::from_secs(30);

/// Clients find a port that speaks TLS only. We ask on a socket of a second listener whether the
/// server is up, so that nothing here has to speak TLS.
fn tls(plan: Plan<'_>, program: Program) -> Result<Launched> {
    let program = [Ok(program), plan.program(Engine::MemcachedNew)]
        .into_iter()
        .flatten()
        .find(knows_tls)
        .ok_or_else(|| Error::Unavailable {
            setup: plan.setup,
            why: "no Memcached that can be had here was built with TLS".to_owned(),
        })?;
    let name = plan.run.name(plan.setup.name());
    let folder = plan.run.folder_for(&name)?;
    let names = plan.options.certificate_names();
    let files = plan.run.authority().issue(&folder, &names)?;
    let server = Server::launch(
        plan.run,
        || plan.port(0),
        |port| {
            let question = plan.port(1)?;
            let listeners = format!("127.0.0.1:{port},notls:127.0.0.1:{question}");
            let certificate = format!("ssl_chain_cert={}", files.chain.display());
            let key = format!("ssl_key={}", files.key.display());
            let mut args = args!["-l", listeners, "-U", "0", "-Z", "-o", certificate, "-o", key];
            args.extend(plan.options.args().iter().map(Into::into));
            Ok(Spec {
                name: name.clone(),
                program: program.clone(),
                args,
                folder: folder.clone(),
                port,
                probe: Probe::Memcached(Address::Port(question)),
                console: None,
                stop_signal: Signal::TERM,
                patience: PATIENCE,
            })
        },
    )?;
    let ca = InUrl(plan.run.authority().certificate());
    let url = format!("memcacheds://127.0.0.1:{}?ca={ca}", server.port());
    Ok(plan.served_at(vec![server], url))
}

fn knows_tls(program: &Program) -> bool {
    const LIMIT: Duration = Duration::from_secs(20);
    let help = output_of(program.command().arg("-h").current_dir("/"), LIMIT);
    help.is_ok_and(|help| help.contains("--enable-ssl"))
}
