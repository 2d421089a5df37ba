//! PostgreSQL: one server for passwords, TLS and its socket, in an older and a newer release.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::Command,
    time::Duration,
};

use rustix::process::Signal;

use crate::{
    account,
    client::{Address, Probe},
    error::{Error, Result},
    find::{Engine, Program, output_of},
    instance::{
        launch::{Launched, Plan},
        template::{DATA, template},
        url::InUrl,
    },
    server::Server,
    setup::Setup,
    spec::{Spec, args},
};

/// Who may connect. The user of the TLS setup may not do so without TLS.
const ACCESS: &str = "\
local   all all                     scram-sha-256
hostssl all larder_tls 127.0.0.1/32 scram-sha-256
host    all larder_tls 127.0.0.1/32 reject
host    all all        127.0.0.1/32 scram-sha-256
";

/// One statement per line, as the server reads them without clients.
const CONTENT: &str = "\
CREATE ROLE larder LOGIN CREATEDB CREATEROLE PASSWORD 'larder'
CREATE ROLE larder_tls LOGIN CREATEDB CREATEROLE PASSWORD 'larder'
CREATE DATABASE larder OWNER larder
CREATE DATABASE larder_tls OWNER larder_tls
CREATE DATABASE larder_unix OWNER larder
";

/// What makes it quick and small. Nothing here has to survive a crash of the machine.
const SETTINGS: [&str; 11] = [
    "listen_addresses=127.0.0.1",
    // Its workers are the superuser's, and a database in which one is at work can be dropped by
    // no other role, not even by force.
    "autovacuum=off",
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "wal_level=minimal",
    "max_wal_senders=0",
    "max_wal_size=64MB",
    "shared_buffers=16MB",
    "max_connections=200",
    "jit=off",
];

pub(crate) fn launch(plan: Plan<'_>) -> Result<Launched> {
    let engine = match plan.setup {
        Setup::PostgresNew => Engine::PostgresNew,
        _ => Engine::Postgres,
    };
    let template = template(plan, engine, initialise)?;
    let name = plan.run.name(plan.setup.name());
    let folder = plan.run.folder_for(&name)?;
    let data = template.copy_into(&folder)?;
    let files = plan.run.authority().issue(&folder, &plan.options.certificate_names())?;
    let server = Server::launch(
        plan.run,
        || plan.port(0),
        |port| {
            let mut args = args!["-D", data, "-p", port.to_string()];
            let own = [
                format!("ssl={}", if engine == Engine::PostgresNew { "off" } else { "on" }),
                format!("unix_socket_directories={}", folder.display()),
                format!("ssl_cert_file={}", files.chain.display()),
                format!("ssl_key_file={}", files.key.display()),
            ];
            for setting in SETTINGS.into_iter().chain(own.iter().map(String::as_str)) {
                args.extend(args!["-c", setting]);
            }
            args.extend(plan.options.args().iter().map(Into::into));
            Ok(Spec {
                name: name.clone(),
                program: template.program.clone(),
                args,
                folder: folder.clone(),
                port,
                probe: Probe::Postgres(Address::Port(port)),
                console: None,
                // The usual signal would make it wait until every client has left.
                stop_signal: Signal::INT,
                patience: Duration::from_secs(60),
            })
        },
    )?;
    let urls = urls(plan, &server);
    Ok((vec![server], urls))
}

fn urls(plan: Plan<'_>, server: &Server) -> BTreeMap<Setup, String> {
    let port = server.port();
    let plain = format!("postgres://larder:larder@127.0.0.1:{port}/larder");
    if plan.setup == Setup::PostgresNew {
        return BTreeMap::from([(plan.setup, plain)]);
    }
    let ca = InUrl(plan.run.authority().certificate());
    let tls = format!(
        "postgres://larder_tls:larder@127.0.0.1:{port}/larder_tls?sslmode=verify-full&sslrootcert={ca}"
    );
    let folder = InUrl(server.folder());
    let unix = format!("postgres://larder:larder@localhost:{port}/larder_unix?host={folder}");
    BTreeMap::from([
        (Setup::Postgres, plain),
        (Setup::PostgresTls, tls),
        (Setup::PostgresUnix, unix),
    ])
}

const LIMIT: Duration = Duration::from_secs(120);

fn initialise(program: &Program, folder: &Path) -> Result<()> {
    let password = folder.join("password");
    write(&password, "larder\n")?;
    let data = folder.join(DATA);
    let mut command = initdb(program, folder)?;
    command.arg("-D").arg(&data).arg("--pwfile").arg(&password).current_dir(folder);
    command.args(["--username", "postgres", "--auth", "scram-sha-256", "--encoding", "UTF8"]);
    command.args(["--locale", "C", "--wal-segsize", "1", "--no-sync"]);
    output_of(&mut command, LIMIT)?;
    write(&data.join("pg_hba.conf"), ACCESS)?;

    let content = folder.join("content.sql");
    write(&content, CONTENT)?;
    let mut command = program.command();
    command.args(["--single", "-c", "fsync=off", "-c", "password_encryption=scram-sha-256"]);
    command.arg("-D").arg(&data).arg("postgres").current_dir(folder);
    command.stdin(File::open(&content).map_err(Error::file(&content))?);
    let output = output_of(&mut command, LIMIT)?;
    // In this mode an error is printed, and the next statement read.
    match output.lines().find(|line| line.contains("ERROR:") || line.contains("FATAL:")) {
        Some(error) => Err(Error::Command {
            command: "postgres --single".to_owned(),
            output: error.to_owned(),
        }),
        None => Ok(()),
    }
}

/// `initdb`, which starts the server's program from its own folder. In a root of packages that
/// would be without the root's loader, so it gets a folder where a script puts it in between.
fn initdb(program: &Program, folder: &Path) -> Result<Command> {
    let Some(root) = &program.root else {
        return Ok(program.sibling("initdb"));
    };
    let release = program.path.ancestors().nth(2).and_then(Path::file_name).unwrap_or_default();
    let share = root.folder.join("usr/share/postgresql").join(release);
    let bin = folder.join("bin");
    fs::create_dir_all(&bin).map_err(Error::file(&bin))?;
    let (initdb, server) = (bin.join("initdb"), bin.join("postgres"));
    fs::copy(program.path.with_file_name("initdb"), &initdb).map_err(Error::file(&initdb))?;
    let quoted = |text: &Path| format!("'{}'", text.display().to_string().replace('\'', r"'\''"));
    let script = format!(
        "#!/bin/sh\nexec {} --library-path {} {} \"$@\"\n",
        quoted(&root.loader),
        quoted(Path::new(&root.libraries)),
        quoted(&program.path),
    );
    write(&server, &script)?;
    for path in [&initdb, &server] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).map_err(Error::file(path))?;
    }
    account::hand_over(&bin)?;
    let mut command = root.command(&initdb);
    command.arg("-L").arg(share);
    Ok(command)
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).map_err(Error::file(path))?;
    account::hand_over(path)
}
