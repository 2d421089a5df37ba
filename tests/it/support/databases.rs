//! A database of one's own on each engine, and how its SQL is spelled.

use larder::{Database, DatabaseOptions, Params};
use tempfile::TempDir;
use tokio::sync::{Mutex, MutexGuard};

use super::{random_name, service_url};

/// The databases of the matrix. The names are those of the modules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    MariaDb,
    MySql,
    Postgres,
    Sqlite,
}

impl Engine {
    pub(crate) fn named(name: &str) -> Self {
        match name {
            "mariadb" => Self::MariaDb,
            "mysql" => Self::MySql,
            "postgres" => Self::Postgres,
            "sqlite" => Self::Sqlite,
            _ => panic!("{name} is no database of the matrix"),
        }
    }

    /// The statement with the placeholders of this engine in place of question marks.
    pub(crate) fn sql(self, sql: &str) -> String {
        if self != Self::Postgres {
            return sql.to_owned();
        }
        let mut parts = sql.split('?');
        let first = parts.next().unwrap_or_default().to_owned();
        let numbered = parts.enumerate();
        numbered.fold(first, |sql, (index, part)| format!("{sql}${}{part}", index + 1))
    }

    /// Keeps others from changing the schema. MySQL and MariaDB count such statements for the whole
    /// server, and an answer that was loaded while one ran is not stored.
    pub(crate) async fn alone(self) -> Option<MutexGuard<'static, ()>> {
        static MARIADB: Mutex<()> = Mutex::const_new(());
        static MYSQL: Mutex<()> = Mutex::const_new(());
        match self {
            Self::MariaDb => Some(MARIADB.lock().await),
            Self::MySql => Some(MYSQL.lock().await),
            Self::Postgres | Self::Sqlite => None,
        }
    }

    /// One of four spellings.
    pub(crate) fn spelled<'a>(self, sqlite: &'a str, postgres: &'a str, mysql: &'a str) -> &'a str {
        match self {
            Self::Sqlite => sqlite,
            Self::Postgres => postgres,
            Self::MariaDb | Self::MySql => mysql,
        }
    }
}

/// An empty database that nobody else uses; [`TestDatabase::remove`] drops it.
#[derive(Debug)]
pub(crate) struct TestDatabase {
    pub(crate) engine: Engine,
    pub(crate) url: String,
    place: Place,
}

#[derive(Debug)]
enum Place {
    File { _dir: TempDir },
    Server { admin: Database, name: String },
}

impl TestDatabase {
    pub(crate) async fn create(engine: Engine) -> Self {
        let setup = match engine {
            Engine::Sqlite => return Self::file(),
            Engine::MariaDb => "mariadb",
            Engine::MySql => "mysql",
            Engine::Postgres => "postgres",
        };
        let admin_url = service_url(setup);
        let admin = connect(&admin_url).await;
        let name = random_name("larder_it");
        // Nobody is connected to `template0`, which would keep it from being copied.
        let create =
            engine.spelled("", "CREATE DATABASE # TEMPLATE template0", "CREATE DATABASE #");
        run(&admin, &create.replace('#', &name)).await;
        let url = with_database(&admin_url, &name);
        Self { engine, url, place: Place::Server { admin, name } }
    }

    fn file() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}?mode=rwc", dir.path().join("it.db").display());
        Self { engine: Engine::Sqlite, url, place: Place::File { _dir: dir } }
    }

    pub(crate) async fn remove(&self) {
        if let Place::Server { admin, name } = &self.place {
            let drop = self.engine.spelled("", "DROP DATABASE # WITH (FORCE)", "DROP DATABASE #");
            run(admin, &drop.replace('#', name)).await;
            admin.close().await;
        }
    }
}

/// The URL with another database: what stands between the host and the parameters.
fn with_database(url: &str, name: &str) -> String {
    let (url, parameters) = url.split_once('?').map_or((url, None), |(url, p)| (url, Some(p)));
    let (scheme, rest) = url.split_once("://").expect("a URL of a server has a scheme");
    let host = rest.rsplit_once('/').map_or(rest, |(host, _)| host);
    let parameters = parameters.map_or_else(String::new, |parameters| format!("?{parameters}"));
    format!("{scheme}://{host}/{name}{parameters}")
}

pub(crate) async fn connect(url: &str) -> Database {
    let options = DatabaseOptions::default().with_connections_max(4);
    Database::connect(&url.parse().unwrap(), &options).await.unwrap()
}

pub(crate) async fn run(database: &Database, sql: &str) {
    if let Err(error) = database.execute(sql, &Params::new()).await {
        panic!("{sql}: {error:?}");
    }
}

#[test]
fn question_marks_become_the_placeholders_of_the_engine() {
    let sql = "a = ? AND b IN (?, ?)";
    assert_eq!(Engine::Postgres.sql(sql), "a = $1 AND b IN ($2, $3)");
    assert_eq!(Engine::MySql.sql(sql), sql);
}

#[test]
fn the_database_of_a_url_is_exchanged() {
    let check = |url, expected: &str| assert_eq!(with_database(url, "own"), expected);
    check("postgres://u:p@h:1/postgres", "postgres://u:p@h:1/own");
    check("mysql://h:1/larder?ssl-mode=required", "mysql://h:1/own?ssl-mode=required");
    check("mysql://h:1", "mysql://h:1/own");
}
