//! A [`SchemaStore`] over rusqlite, which counts, stops and fails on request.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use larder_model::{Dialect, Model, ModelEntry, TableModel};
use larder_schema::{Cell, Schema, SchemaOptions, SchemaStore, SchemaTransaction, StoreError};
use rusqlite::{Connection, params_from_iter, types::ValueRef};
use tokio::sync::{Mutex, OwnedMutexGuard, Semaphore};

/// One connection, which statements take in turn.
#[derive(Debug)]
pub(crate) struct SqliteStore {
    connection: Arc<Mutex<Connection>>,
    /// A fetch outside of transactions takes one of these and keeps it.
    permits: Semaphore,
    /// How many such fetches have come, whether or not they were let through.
    fetches: AtomicUsize,
    changes: Arc<AtomicUsize>,
    begins: AtomicUsize,
    fails: AtomicBool,
}

impl SqliteStore {
    pub(crate) fn in_memory() -> Arc<Self> {
        Self::new(Connection::open_in_memory().unwrap())
    }

    pub(crate) fn open(path: &Path) -> Arc<Self> {
        let connection = Connection::open(path).unwrap();
        connection.busy_timeout(Duration::from_secs(60)).unwrap();
        Self::new(connection)
    }

    fn new(connection: Connection) -> Arc<Self> {
        Arc::new(Self {
            connection: Arc::new(Mutex::new(connection)),
            permits: Semaphore::new(Semaphore::MAX_PERMITS),
            fetches: AtomicUsize::new(0),
            changes: Arc::default(),
            begins: AtomicUsize::new(0),
            fails: AtomicBool::new(false),
        })
    }

    pub(crate) fn schema(self: &Arc<Self>) -> Schema {
        self.schema_with(SchemaOptions::default())
    }

    pub(crate) fn schema_with(self: &Arc<Self>, options: SchemaOptions) -> Schema {
        Schema::new(Arc::<Self>::clone(self), options)
    }

    /// Runs statements as somebody else would, outside of the schema cache.
    pub(crate) async fn run(&self, sql: &str) {
        self.connection.lock().await.execute_batch(sql).unwrap();
    }

    /// The first value of the first row as text.
    pub(crate) async fn ask(&self, sql: &str) -> String {
        let connection = self.connection.lock().await;
        connection.query_row(sql, [], |row| cell(row.get_ref(0)?)).map(text).unwrap()
    }

    /// How many statements have changed the schema.
    pub(crate) fn changes(&self) -> usize {
        self.changes.load(Ordering::SeqCst)
    }

    /// How many transactions were begun.
    pub(crate) fn begins(&self) -> usize {
        self.begins.load(Ordering::SeqCst)
    }

    /// Holds every further fetch until [`SqliteStore::let_through`].
    pub(crate) fn hold(&self) {
        self.permits.forget_permits(Semaphore::MAX_PERMITS);
    }

    pub(crate) fn let_through(&self, fetches: usize) {
        self.permits.add_permits(fetches);
    }

    /// Waits until this many fetches have come.
    pub(crate) async fn wait_for_fetches(&self, fetches: usize) {
        let come = async {
            while self.fetches.load(Ordering::SeqCst) < fetches {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), come).await.expect("no fetch came");
    }

    pub(crate) fn fail(&self, fails: bool) {
        self.fails.store(fails, Ordering::SeqCst);
    }
}

#[async_trait]
impl SchemaStore for SqliteStore {
    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    async fn fetch(&self, sql: &str, parameters: &[&str]) -> Result<Vec<Vec<Cell>>, StoreError> {
        self.fetches.fetch_add(1, Ordering::SeqCst);
        self.permits.acquire().await?.forget();
        if self.fails.load(Ordering::SeqCst) {
            return Err("the database is on fire".into());
        }
        Ok(fetch(&*self.connection.lock().await, sql, parameters)?)
    }

    async fn begin(&self) -> Result<Box<dyn SchemaTransaction>, StoreError> {
        self.begins.fetch_add(1, Ordering::SeqCst);
        let connection = Arc::clone(&self.connection).lock_owned().await;
        connection.execute_batch("BEGIN IMMEDIATE")?;
        let changes = Arc::clone(&self.changes);
        Ok(Box::new(SqliteTransaction { connection, changes }))
    }
}

#[derive(Debug)]
struct SqliteTransaction {
    connection: OwnedMutexGuard<Connection>,
    changes: Arc<AtomicUsize>,
}

impl Drop for SqliteTransaction {
    fn drop(&mut self) {
        if !self.connection.is_autocommit() {
            self.connection.execute_batch("ROLLBACK").unwrap();
        }
    }
}

#[async_trait]
impl SchemaTransaction for SqliteTransaction {
    async fn fetch(
        &mut self,
        sql: &str,
        parameters: &[&str],
    ) -> Result<Vec<Vec<Cell>>, StoreError> {
        Ok(fetch(&self.connection, sql, parameters)?)
    }

    async fn execute(&mut self, sql: &str) -> Result<(), StoreError> {
        self.changes.fetch_add(1, Ordering::SeqCst);
        self.connection.execute(sql, [])?;
        Ok(())
    }

    async fn commit(self: Box<Self>) -> Result<(), StoreError> {
        self.connection.execute_batch("COMMIT")?;
        Ok(())
    }
}

fn fetch(
    connection: &Connection,
    sql: &str,
    parameters: &[&str],
) -> rusqlite::Result<Vec<Vec<Cell>>> {
    // Cached, so that a statement that was prepared for another schema is met.
    let mut statement = connection.prepare_cached(sql)?;
    let columns = statement.column_count();
    let rows = statement.query_map(params_from_iter(parameters), |row| {
        (0..columns).map(|column| cell(row.get_ref(column)?)).collect()
    })?;
    rows.collect()
}

fn cell(value: ValueRef<'_>) -> rusqlite::Result<Cell> {
    match value {
        ValueRef::Null => Ok(Cell::Null),
        ValueRef::Integer(value) => Ok(Cell::Integer(value)),
        ValueRef::Text(text) => Ok(Cell::Text(String::from_utf8_lossy(text).into_owned())),
        other => panic!("a schema is not described by {other:?}"),
    }
}

fn text(cell: Cell) -> String {
    match cell {
        Cell::Integer(value) => value.to_string(),
        Cell::Null => "NULL".to_owned(),
        Cell::Text(text) => text,
    }
}

/// A place in the process for a table that is not known before the test runs.
pub(crate) fn entry(table: TableModel) -> &'static ModelEntry {
    Box::leak(Box::new(ModelEntry::new("Leaked", table)))
}

pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(work)
}

/// The model of most tests.
#[derive(Debug, Model)]
#[model(table = "airline")]
#[expect(dead_code, reason = "only its declaration counts")]
pub(crate) struct Airline {
    #[model(key)]
    id: i64,
    iata: String,
    name: Option<String>,
}
