//! Databases of one's own, models, and ways to look at them without the migrator.

use std::{path::PathBuf, sync::Arc, time::Duration};

use async_trait::async_trait;
use larder_migrate::{
    Cell, Connector, MigrateOptions, Migrator, ModelRef, Param, Session, SessionError, Standing,
    UrlConnector,
};
use larder_model::{ColumnKind, ColumnModel, Dialect, Identifier, IndexModel, Policy, TableModel};

/// A database of one's own.
#[derive(Debug)]
pub(crate) struct Scratch {
    pub(crate) url: String,
    pub(crate) dialect: Dialect,
    /// The server's own URL and the database's name there.
    server: Option<(String, String)>,
    /// The folder of a file.
    folder: Option<tempfile::TempDir>,
}

fn server_url(variable: &str) -> String {
    std::env::var(variable)
        .unwrap_or_else(|_| panic!("{variable} is not set; `cargo xtask test` starts the servers"))
}

/// A URL with another database.
fn with_database(url: &str, database: &str) -> String {
    let mut url = url::Url::parse(url).unwrap();
    url.set_path(database);
    url.into()
}

impl Scratch {
    pub(crate) async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path: PathBuf = folder.path().join("scratch.db");
        let url = format!("sqlite:{}?mode=rwc", path.display());
        Self { url, dialect: Dialect::Sqlite, server: None, folder: Some(folder) }
    }

    pub(crate) async fn postgres() -> Self {
        Self::on(&server_url("LARDER_POSTGRES_URL"), Dialect::Postgres).await
    }

    pub(crate) async fn mysql() -> Self {
        Self::on(&server_url("LARDER_MYSQL_URL"), Dialect::MySql).await
    }

    pub(crate) async fn mariadb() -> Self {
        Self::on(&server_url("LARDER_MARIADB_URL"), Dialect::MariaDb).await
    }

    async fn on(server: &str, dialect: Dialect) -> Self {
        let name = format!("larder_runner_{:016x}", rand::random::<u64>());
        let mut session = UrlConnector::new(server).connect().await.unwrap();
        session.run(&format!("CREATE DATABASE {name}")).await.unwrap();
        session.close().await;
        let url = with_database(server, &name);
        Self { url, dialect, server: Some((server.to_owned(), name)), folder: None }
    }

    /// Ends the database.
    pub(crate) async fn drop(self) {
        if let Some((server, name)) = &self.server {
            let mut session = UrlConnector::new(server).connect().await.unwrap();
            let force = if self.dialect == Dialect::Postgres { " WITH (FORCE)" } else { "" };
            session.run(&format!("DROP DATABASE {name}{force}")).await.unwrap();
            session.close().await;
        }
        drop(self.folder);
    }

    /// Ends every connection to the database but the one that says so; on SQLite there are none.
    pub(crate) async fn end_connections(&self) {
        let others = match self.dialect {
            Dialect::Sqlite => return,
            Dialect::Postgres => {
                "SELECT CAST(pg_terminate_backend(pid) AS integer) FROM pg_stat_activity \
                 WHERE datname = current_database() AND pid <> pg_backend_pid()"
            }
            _ => {
                "SELECT CAST(id AS SIGNED) FROM information_schema.processlist \
                 WHERE db = DATABASE() AND id <> CONNECTION_ID()"
            }
        };
        let others = self.fetch(others).await;
        if self.dialect != Dialect::Postgres {
            for row in others {
                self.run(&format!("KILL {}", row[0].as_integer().unwrap())).await;
            }
        }
    }

    /// A role that may read the tables that are there, and nothing else.
    pub(crate) async fn reader(&self) -> Role<'_> {
        let name = format!("larder_reader_{:08x}", rand::random::<u32>());
        let make = match self.dialect {
            Dialect::Postgres => format!("CREATE ROLE {name} LOGIN PASSWORD 'secret'"),
            _ => format!("CREATE USER '{name}'@'%' IDENTIFIED BY 'secret'"),
        };
        self.run(&make).await;
        let role = Role { scratch: self, name };
        role.grant().await;
        role
    }

    pub(crate) fn connector(&self) -> Arc<dyn Connector> {
        Arc::new(UrlConnector::new(&self.url))
    }

    pub(crate) fn migrator(&self) -> Migrator {
        self.migrator_with(options())
    }

    pub(crate) fn migrator_with(&self, options: MigrateOptions) -> Migrator {
        Migrator::new(self.connector(), options)
    }

    pub(crate) async fn session(&self) -> Box<dyn Session> {
        self.connector().connect().await.unwrap()
    }

    pub(crate) async fn run(&self, sql: &str) {
        let mut session = self.session().await;
        session.run(sql).await.unwrap_or_else(|error| panic!("{error:?}: {sql}"));
        session.close().await;
    }

    pub(crate) async fn fetch(&self, sql: &str) -> Vec<Vec<Cell>> {
        let mut session = self.session().await;
        let rows = session.fetch(sql, &[]).await;
        session.close().await;
        rows.unwrap_or_else(|error| panic!("{error:?}: {sql}"))
    }

    pub(crate) async fn number(&self, sql: &str) -> i64 {
        let rows = self.fetch(sql).await;
        rows[0][0].as_integer().unwrap_or_else(|| panic!("no number: {rows:?}"))
    }

    /// The names of all tables, sorted.
    pub(crate) async fn tables(&self) -> Vec<String> {
        let sql = match self.dialect {
            Dialect::Sqlite => {
                "SELECT name FROM sqlite_schema WHERE type = 'table' \
                 AND name NOT LIKE 'sqlite!_%' ESCAPE '!'"
            }
            Dialect::Postgres => {
                "SELECT CAST(relname AS text) FROM pg_class c \
                 JOIN pg_namespace n ON n.oid = c.relnamespace \
                 WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema')"
            }
            _ => {
                "SELECT CAST(table_name AS CHAR) FROM information_schema.tables \
                 WHERE table_schema = DATABASE()"
            }
        };
        let rows = self.fetch(sql).await;
        let mut names: Vec<_> =
            rows.iter().map(|row| row[0].as_text().unwrap().to_owned()).collect();
        names.sort();
        names
    }

    /// Whether a table has a column.
    pub(crate) async fn has_column(&self, table: &str, column: &str) -> bool {
        let sql =
            format!("SELECT {} FROM {}", self.dialect.quoted(column), self.dialect.quoted(table));
        // SQLite takes a name in double quotes that is no column for a text.
        let sql = if self.dialect == Dialect::Sqlite { sql.replace('"', "`") } else { sql };
        let mut session = self.session().await;
        let found = session.fetch(&format!("{sql} WHERE 1 = 0"), &[]).await.is_ok();
        session.close().await;
        found
    }
}

/// A role that may read.
#[derive(Debug)]
pub(crate) struct Role<'s> {
    scratch: &'s Scratch,
    name: String,
}

impl Role<'_> {
    /// Lets it read all tables that are there now.
    pub(crate) async fn grant(&self) {
        let name = &self.name;
        let grant = match self.scratch.dialect {
            Dialect::Postgres => format!("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {name}"),
            _ => {
                let (_, database) = self.scratch.server.as_ref().unwrap();
                format!("GRANT SELECT ON {database}.* TO '{name}'@'%'")
            }
        };
        self.scratch.run(&grant).await;
    }

    pub(crate) fn migrator(&self) -> Migrator {
        let mut url = url::Url::parse(&self.scratch.url).unwrap();
        url.set_username(&self.name).unwrap();
        url.set_password(Some("secret")).unwrap();
        Migrator::new(Arc::new(UrlConnector::new(url)), options())
    }

    pub(crate) async fn drop(self) {
        let name = &self.name;
        let drop = match self.scratch.dialect {
            Dialect::Postgres => {
                format!("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {name}; DROP ROLE {name}")
            }
            _ => format!("DROP USER '{name}'@'%'"),
        };
        self.scratch.run(&drop).await;
    }
}

/// Short waits, so that what has to wait does not take long.
pub(crate) fn options() -> MigrateOptions {
    MigrateOptions::new()
        .with_lock_timeout(Duration::from_secs(60))
        .with_statement_lock_timeout(Duration::from_secs(1))
}

/// Whether a statement is a step that changes this table in place.
pub(crate) fn alters(table: &str, sql: &str) -> bool {
    let sql = sql.trim_start();
    sql.starts_with("ALTER TABLE") && sql.contains(table) && !sql.contains("dataflow_")
}

fn id(name: &str) -> Identifier {
    Identifier::new(name).unwrap()
}

fn column(name: &str, kind: ColumnKind) -> ColumnModel {
    ColumnModel::new(id(name), kind)
}

fn nullable(name: &str, kind: ColumnKind) -> ColumnModel {
    let mut column = column(name, kind);
    column.nullable = true;
    column
}

/// A table with a key, a name, and these columns that may be NULL.
pub(crate) fn table(name: &str, more: &[&str]) -> TableModel {
    let mut key = column("id", ColumnKind::Int64);
    key.key = true;
    let builder =
        TableModel::builder(id(name)).column(key).column(nullable("name", ColumnKind::Text));
    let add = |builder: larder_model::TableModelBuilder, name: &&str| {
        builder.column(nullable(name, ColumnKind::Int64))
    };
    more.iter().fold(builder, add).build().unwrap()
}

/// The same with an index over a column.
pub(crate) fn indexed(name: &str, more: &[&str], over: &str) -> TableModel {
    let plain = table(name, more);
    let builder = TableModel::builder(id(name)).index(IndexModel::over([id(over)]));
    plain
        .columns()
        .iter()
        .cloned()
        .fold(builder, larder_model::TableModelBuilder::column)
        .build()
        .unwrap()
}

/// The same, with names that may not be NULL.
pub(crate) fn named(name: &str, more: &[&str]) -> TableModel {
    let plain = table(name, more);
    let builder = TableModel::builder(id(name));
    let columns = plain.columns().iter().cloned().map(|mut column| {
        column.nullable &= column.name.as_str() != "name";
        column
    });
    columns.fold(builder, larder_model::TableModelBuilder::column).build().unwrap()
}

/// The same with a column that may not be NULL and has no default, which no policy but the
/// boldest adds to a table with rows.
pub(crate) fn demanding(name: &str) -> TableModel {
    let plain = table(name, &[]);
    let builder = TableModel::builder(id(name)).column(column("must", ColumnKind::Int64));
    plain
        .columns()
        .iter()
        .cloned()
        .fold(builder, larder_model::TableModelBuilder::column)
        .build()
        .unwrap()
}

/// Ensures one model, and says how it stands.
pub(crate) async fn ensure_one(migrator: &Migrator, name: &str, table: &TableModel) -> Standing {
    ensure(migrator, &[ModelRef::new(name, table)]).await.remove(0)
}

pub(crate) async fn ensure(migrator: &Migrator, models: &[ModelRef<'_>]) -> Vec<Standing> {
    let ensured = migrator.ensure(models, Policy::Additive).await;
    ensured.unwrap_or_else(|error| panic!("{error}: {error:#?}"))
}

/// Polls until something is so.
pub(crate) async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let wait = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), wait)
        .await
        .unwrap_or_else(|_| panic!("not within a minute: {what}"));
}

/// What happens at a statement of a [`Scripted`] connection.
#[async_trait]
pub(crate) trait Script: Send + Sync + std::fmt::Debug + 'static {
    /// Called before every statement, on whatever connection. It runs when this returns.
    async fn before(&self, sql: &str) {
        let _ = sql;
    }

    /// Whether the statement is to fail.
    fn breaks(&self, sql: &str) -> bool {
        let _ = sql;
        false
    }
}

/// A way to a database on which every statement is told to a script first.
#[derive(Debug)]
pub(crate) struct Scripted<S> {
    inner: Arc<dyn Connector>,
    script: Arc<S>,
}

impl<S: Script> Scripted<S> {
    pub(crate) fn new(inner: Arc<dyn Connector>, script: S) -> Self {
        Self { inner, script: Arc::new(script) }
    }
}

#[async_trait]
impl<S: Script> Connector for Scripted<S> {
    async fn connect(&self) -> Result<Box<dyn Session>, SessionError> {
        Ok(Box::new(ScriptedSession {
            inner: self.inner.connect().await?,
            script: Arc::clone(&self.script),
        }))
    }
}

#[derive(Debug)]
struct ScriptedSession<S> {
    inner: Box<dyn Session>,
    script: Arc<S>,
}

impl<S: Script> ScriptedSession<S> {
    async fn before(&mut self, sql: &str) {
        self.script.before(sql).await;
    }
}

#[async_trait]
impl<S: Script> Session for ScriptedSession<S> {
    fn dialect(&self) -> Dialect {
        self.inner.dialect()
    }

    async fn fetch(
        &mut self,
        sql: &str,
        params: &[Param<'_>],
    ) -> Result<Vec<Vec<Cell>>, SessionError> {
        self.before(sql).await;
        self.inner.fetch(sql, params).await
    }

    async fn execute(&mut self, sql: &str, params: &[Param<'_>]) -> Result<u64, SessionError> {
        self.before(sql).await;
        self.inner.execute(sql, params).await
    }

    async fn run(&mut self, sql: &str) -> Result<(), SessionError> {
        self.before(sql).await;
        let sql = if self.script.breaks(sql) { "SELECT nothing FROM nowhere" } else { sql };
        self.inner.run(sql).await
    }

    async fn begin(&mut self) -> Result<(), SessionError> {
        self.before("BEGIN").await;
        self.inner.begin().await
    }

    async fn commit(&mut self) -> Result<(), SessionError> {
        self.before("COMMIT").await;
        self.inner.commit().await
    }

    async fn rollback(&mut self) -> Result<(), SessionError> {
        self.before("ROLLBACK").await;
        self.inner.rollback().await
    }

    async fn close(self: Box<Self>) {
        self.inner.close().await;
    }
}
