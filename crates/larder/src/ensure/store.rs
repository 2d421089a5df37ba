//! The migrator of the query layer's database, as the schema cache asks it.
//!
//! Guards that a table that was changed is changed for the cache too: its answers are
//! invalidated, and what was known of the schema is looked up again, before anybody hears of it.

use std::sync::{Arc, Weak};

use async_trait::async_trait;
use larder_migrate::{
    Connector, MigrateOptions, Migrator, ModelRef, SchemaSignal, Standing, UrlConnector, identity,
};
use larder_model::{Dialect, Policy, TableModel};
use larder_query::{Database, Engine, Params, Queries, RowLimit};
use larder_schema::{Schema, SchemaOptions, SchemaStore, StoreError};

use super::pool_session::{PoolConnector, PoolSession};

/// The database as the schema cache sees it.
#[derive(Debug)]
struct Store {
    migrator: Migrator,
    /// Weak, because the queries know the schema cache.
    queries: Weak<Queries>,
}

/// The schema cache of a database that is open, and its migrator.
pub(crate) async fn open(
    url: &str,
    queries: &Arc<Queries>,
    options: SchemaOptions,
    migrate: Option<MigrateOptions>,
) -> (Schema, Migrator) {
    let database = queries.database();
    let connector: Arc<dyn Connector> = match is_in_memory(database) {
        true => Arc::new(PoolConnector(database.clone())),
        false => Arc::new(UrlConnector::new(url)),
    };
    let migrate = match migrate {
        Some(migrate) => migrate,
        None => default_options(database).await,
    };
    let identity = ask_identity(database, &migrate).await;
    let migrator = Migrator::new(connector, migrate);
    let store = Arc::new(Store { migrator: migrator.clone(), queries: Arc::downgrade(queries) });
    let schema = match identity {
        Some(identity) => Schema::shared(&identity, store, options),
        None => Schema::new(store, options),
    };
    (schema, migrator)
}

/// A database in memory has one connection, and no other sees it.
fn is_in_memory(database: &Database) -> bool {
    database.engine() == Engine::Sqlite
        && database.identity().as_str().starts_with("sqlite:memory:")
}

/// On PostgreSQL, models that name no schema live where queries find them.
async fn default_options(database: &Database) -> MigrateOptions {
    let options = MigrateOptions::default();
    if database.engine() != Engine::Postgres {
        return options;
    }
    let sql = "SELECT current_schema()::text";
    let set = database.fetch(sql, &Params::new(), RowLimit::One).await;
    let schema = set.ok().and_then(|set| set.rows().first()?.to::<(Option<String>,)>().ok()?.0);
    match schema {
        Some(schema) => options.with_schema(schema),
        None => options,
    }
}

/// Which database it is, as [`Migrator::identity`] says it; asked on a connection that is open.
/// `None` if nobody can tell, and then nothing is shared.
async fn ask_identity(database: &Database, migrate: &MigrateOptions) -> Option<String> {
    if is_in_memory(database) {
        return Some(database.identity().to_string());
    }
    let mut session = PoolSession::new(database.clone());
    let asked = identity(&mut session).await.ok()?;
    Some(match database.engine() {
        Engine::Postgres => format!("{asked}/{}", migrate.schema),
        _ => asked,
    })
}

#[async_trait]
impl SchemaStore for Store {
    async fn identity(&self) -> Result<String, StoreError> {
        SchemaStore::identity(&self.migrator).await
    }

    async fn signal(&self) -> Result<SchemaSignal, StoreError> {
        SchemaStore::signal(&self.migrator).await
    }

    async fn ensure(
        &self,
        models: &[ModelRef<'_>],
        policy: Policy,
    ) -> Vec<Result<Standing, StoreError>> {
        let Some(queries) = self.queries.upgrade() else {
            return SchemaStore::ensure(&self.migrator, models, policy).await;
        };
        let changes = policy != Policy::Verify;
        let tables = models.iter().filter(|_| changes).map(|model| model.table.clone());
        let mut changing = Changing { queries, tables: tables.collect() };
        let standings = SchemaStore::ensure(&self.migrator, models, policy).await;
        let mut changed = standings.iter().map(|standing| match standing {
            Ok(standing) => matches!(standing, Standing::Migrated { .. }),
            // A database without transactional changes may have made some of them.
            Err(_) => true,
        });
        changing.tables.retain(|_| changed.next().unwrap_or_default());
        changing.end().await;
        standings
    }
}

/// Tables that are being changed. Dropped half-way, all of them count as changed.
struct Changing {
    queries: Arc<Queries>,
    tables: Vec<TableModel>,
}

impl Changing {
    /// Has the cache forget what was changed, in a task that goes on if its caller goes away.
    async fn end(mut self) {
        let tables = std::mem::take(&mut self.tables);
        if tables.is_empty() {
            return;
        }
        let work = tables_changed(Arc::clone(&self.queries), tables);
        // A task that panicked, or a runtime that shuts down, leaves nobody to tell.
        let _ = tokio::spawn(work).await;
    }
}

impl Drop for Changing {
    fn drop(&mut self) {
        let tables = std::mem::take(&mut self.tables);
        if !tables.is_empty()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(tables_changed(Arc::clone(&self.queries), tables));
        }
    }
}

/// Tables that were changed have other columns, and queries on them other answers.
async fn tables_changed(queries: Arc<Queries>, tables: Vec<TableModel>) {
    queries.schema_changed();
    let dialect = match queries.database().engine() {
        Engine::MariaDb | Engine::MySql => Dialect::MySql,
        _ => Dialect::Postgres,
    };
    for table in tables {
        let mut name = dialect.quoted(table.name().as_str());
        if let Some(schema) = table.schema()
            && queries.database().engine() == Engine::Postgres
        {
            name = format!("{}.{name}", dialect.quoted(schema.as_str()));
        }
        // What the far tier does not acknowledge is retried, and bypassed here meanwhile.
        let invalidated = queries.invalidate_table(&name).await;
        if !invalidated.is_ok_and(|outcome| outcome.is_applied()) {
            let table = table.name().as_str();
            tracing::warn!(table, "the answers of a changed table are not invalidated yet");
        }
    }
}
