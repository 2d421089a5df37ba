//! MySQL and MariaDB: one server each for passwords, TLS and its socket.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs::{self, File},
    path::Path,
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
        template::{DATA, shared, template},
        url::InUrl,
    },
    server::Server,
    setup::Setup,
    spec::{Spec, args},
};

/// The users and databases. The user of the TLS setup may not do without TLS.
const CONTENT: &str = "\
CREATE USER larder@'%' IDENTIFIED BY 'larder';
GRANT ALL ON *.* TO larder@'%' WITH GRANT OPTION;
CREATE USER larder_tls@'%' IDENTIFIED BY 'larder' REQUIRE SSL;
GRANT ALL ON *.* TO larder_tls@'%' WITH GRANT OPTION;
CREATE DATABASE larder;
CREATE DATABASE larder_tls;
CREATE DATABASE larder_unix;
";

/// What makes both quick and small. Nothing here has to survive a crash of the machine.
const SETTINGS: [&str; 10] = [
    "--bind-address=127.0.0.1",
    "--skip-name-resolve",
    "--secure-file-priv=",
    "--max-connections=200",
    "--max-connect-errors=1000000",
    "--performance-schema=OFF",
    "--innodb-buffer-pool-size=32M",
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-doublewrite=OFF",
    "--innodb-use-native-aio=OFF",
];

const MYSQL_SETTINGS: [&str; 3] =
    ["--mysqlx=0", "--disable-log-bin", "--innodb-redo-log-capacity=16M"];

const MARIADB_SETTINGS: [&str; 2] =
    ["--innodb-log-file-size=8M", "--aria-pagecache-buffer-size=8M"];

const SOCKET: &str = "sock";

pub(crate) fn mysql(plan: Plan<'_>) -> Result<Launched> {
    let server = launch(plan, Engine::Mysql, &MYSQL_SETTINGS, initialise_mysql)?;
    let (port, ca) = (server.port(), InUrl(plan.run.authority().certificate()));
    let urls = BTreeMap::from([
        (Setup::Mysql, format!("mysql://larder:larder@127.0.0.1:{port}/larder")),
        (
            Setup::MysqlTls,
            format!(
                "mysql://larder_tls:larder@127.0.0.1:{port}/larder_tls?ssl-mode=VERIFY_IDENTITY&ssl-ca={ca}"
            ),
        ),
    ]);
    Ok((vec![server], urls))
}

pub(crate) fn mariadb(plan: Plan<'_>) -> Result<Launched> {
    let server = launch(plan, Engine::Mariadb, &MARIADB_SETTINGS, initialise_mariadb)?;
    let (port, ca) = (server.port(), InUrl(plan.run.authority().certificate()));
    let socket = server.folder().join(SOCKET);
    let urls = BTreeMap::from([
        (Setup::Mariadb, format!("mariadb://larder:larder@127.0.0.1:{port}/larder")),
        (
            Setup::MariadbTls,
            format!(
                "mariadb://larder_tls:larder@127.0.0.1:{port}/larder_tls?ssl-mode=VERIFY_IDENTITY&ssl-ca={ca}"
            ),
        ),
        (
            Setup::MariadbUnix,
            format!(
                "mariadb://larder:larder@localhost:{port}/larder_unix?socket={}",
                InUrl(&socket)
            ),
        ),
    ]);
    Ok((vec![server], urls))
}

fn launch(
    plan: Plan<'_>,
    engine: Engine,
    settings: &[&str],
    initialise: fn(&Program, &Path) -> Result<()>,
) -> Result<Server> {
    let template = template(plan, engine, initialise)?;
    let name = plan.run.name(plan.setup.name());
    let folder = plan.run.folder_for(&name)?;
    let data = template.copy_into(&folder)?;
    let files = plan.run.authority().issue(&folder, &plan.options.certificate_names())?;
    Server::launch(
        plan.run,
        || plan.port(0),
        |port| {
            let socket = folder.join(SOCKET);
            let mut args = basic_args(&template.program, &data)?;
            args.extend(SETTINGS.iter().chain(settings).map(OsString::from));
            args.push(format!("--port={port}").into());
            for (option, path) in [
                ("--socket", &socket),
                ("--pid-file", &folder.join("pid")),
                ("--ssl-ca", &plan.run.authority().certificate().to_owned()),
                ("--ssl-cert", &files.chain),
                ("--ssl-key", &files.key),
            ] {
                args.push(format!("{option}={}", path.display()).into());
            }
            args.extend(plan.options.args().iter().map(Into::into));
            Ok(Spec {
                name: name.clone(),
                program: template.program.clone(),
                args,
                folder: folder.clone(),
                port,
                // A question on the port would count as a client that hung up.
                probe: Probe::Mysql(Address::Socket(socket)),
                console: None,
                stop_signal: Signal::TERM,
                patience: Duration::from_secs(120),
            })
        },
    )
}

/// Where its files are. `--no-defaults` has to come first.
fn basic_args(program: &Program, data: &Path) -> Result<Vec<OsString>> {
    let mut args = args!["--no-defaults"];
    args.push(format!("--datadir={}", data.display()).into());
    // A program of the machine knows where its own texts are.
    if let Some(root) = &program.root {
        let share = shared(program, &["mysql", "mariadb"], "charsets")?;
        let plugins = root.folder.join("usr/lib/mysql/plugin");
        args.push(format!("--lc-messages-dir={}", share.display()).into());
        args.push(format!("--character-sets-dir={}", share.join("charsets").display()).into());
        args.push(format!("--plugin-dir={}", plugins.display()).into());
    }
    Ok(args)
}

const LIMIT: Duration = Duration::from_secs(300);

fn initialise_mysql(program: &Program, folder: &Path) -> Result<()> {
    let content = folder.join("content.sql");
    // The file is read statement by statement, one line each.
    write(&content, CONTENT)?;
    let data = folder.join(DATA);
    let mut command = program.command();
    command.args(basic_args(program, &data)?).args(MYSQL_SETTINGS).current_dir(folder);
    command.args(["--initialize-insecure", "--secure-file-priv=", "--innodb-use-native-aio=OFF"]);
    command.arg(format!("--init-file={}", content.display()));
    output_of(&mut command, LIMIT)?;
    // The identity of a server: each copy makes its own.
    let identity = data.join("auto.cnf");
    if identity.exists() {
        fs::remove_file(&identity).map_err(Error::file(&identity))?;
    }
    Ok(())
}

fn initialise_mariadb(program: &Program, folder: &Path) -> Result<()> {
    const TABLES: &str = "mysql_system_tables.sql";
    let share = shared(program, &["mysql", "mariadb"], TABLES)?;
    let mut sql = String::from("CREATE DATABASE mysql;\nUSE mysql;\n");
    for name in [TABLES, "mysql_system_tables_data.sql"] {
        let path = share.join(name);
        sql.push_str(&fs::read_to_string(&path).map_err(Error::file(&path))?);
    }
    // A nameless user of this machine would come before ours.
    sql.push_str("\nFLUSH PRIVILEGES;\nDROP USER IF EXISTS ''@localhost;\n");
    sql.push_str(CONTENT);
    let content = folder.join("content.sql");
    write(&content, &sql)?;
    let data = folder.join(DATA);
    fs::create_dir(&data).map_err(Error::file(&data))?;
    account::hand_over(&data)?;
    let mut command = program.command();
    command.args(basic_args(program, &data)?).args(MARIADB_SETTINGS).current_dir(folder);
    command.args(["--bootstrap", "--innodb-use-native-aio=OFF"]);
    command.stdin(File::open(&content).map_err(Error::file(&content))?);
    output_of(&mut command, LIMIT).map(drop)
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).map_err(Error::file(path))?;
    account::hand_over(path)
}
