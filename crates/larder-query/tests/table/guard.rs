//! A guard that creates tables, and takes down what it was asked.

use std::{
    collections::BTreeMap,
    error::Error as StdError,
    sync::{
        Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use larder_model::{Dialect, ModelEntry};
use larder_query::{Database, Engine, ModelGuard, Params};

#[derive(Debug)]
pub(crate) struct Recorder {
    database: Database,
    ensured: Mutex<BTreeMap<&'static str, bool>>,
    /// How often a table was created.
    pub(crate) created: AtomicUsize,
    /// The tables that were said to be missing.
    pub(crate) missing: Mutex<Vec<String>>,
    /// What the next models are told to have as the epoch of their tables.
    pub(crate) epoch: AtomicU64,
}

impl Recorder {
    pub(crate) fn new(database: Database) -> Self {
        Self {
            database,
            ensured: Mutex::default(),
            created: AtomicUsize::new(0),
            missing: Mutex::default(),
            epoch: AtomicU64::new(1),
        }
    }

    pub(crate) fn dialect(&self) -> Dialect {
        match self.database.engine() {
            Engine::MariaDb => Dialect::MariaDb,
            Engine::MySql => Dialect::MySql,
            Engine::Postgres => Dialect::Postgres,
            _ => Dialect::Sqlite,
        }
    }
}

#[async_trait]
impl ModelGuard for Recorder {
    fn is_ensured(&self, model: &'static ModelEntry) -> bool {
        self.ensured.lock().unwrap().contains_key(model.name())
    }

    async fn ensure(
        &self,
        model: &'static ModelEntry,
    ) -> Result<Vec<&'static ModelEntry>, Box<dyn StdError + Send + Sync>> {
        let lowered = self.dialect().lower(model.table(), Some("public"))?;
        for sql in self.dialect().create_table(&lowered.table) {
            self.database.execute(&sql, &Params::new()).await?;
        }
        self.created.fetch_add(1, Ordering::SeqCst);
        self.ensured.lock().unwrap().insert(model.name(), true);
        Ok(vec![model])
    }

    fn epoch(&self, _model: &'static ModelEntry) -> u64 {
        self.epoch.load(Ordering::SeqCst)
    }

    fn is_missing(&self, tables: &[&str]) {
        self.missing.lock().unwrap().extend(tables.iter().map(|table| (*table).to_owned()));
        self.ensured.lock().unwrap().clear();
    }
}
