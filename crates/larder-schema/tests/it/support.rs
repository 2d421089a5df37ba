//! A database as the schema cache sees one: tables that are there or not, in memory.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use larder_model::{
    Class, ColumnModel, Dialect, Fingerprint, Identifier, LockLevel, ModelEntry, Step, TableModel,
    TableName, Undo,
};
use larder_schema::{
    BackOff, ModelRef, Plan, Policy, Schema, SchemaOptions, SchemaSignal, SchemaStore, Standing,
    StoreError,
};
use tokio::sync::Semaphore;

/// How a table is, compared with its model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// As the model wants it.
    Right,
    /// In a way that nothing additive mends.
    Wrong,
}

/// A database that several stores may lead to.
#[derive(Debug, Default)]
pub(crate) struct FakeDatabase {
    tables: Mutex<BTreeMap<String, Shape>>,
    /// Tables whose check fails.
    broken: Mutex<BTreeSet<String>>,
    ddl: AtomicU64,
}

/// A way to a [`FakeDatabase`].
#[derive(Debug)]
pub(crate) struct FakeStore {
    pub(crate) database: Arc<FakeDatabase>,
    /// A pass takes one of these and keeps it.
    permits: Semaphore,
    /// The tables of each pass, whether or not it was let through.
    passes: Mutex<Vec<Vec<String>>>,
    signals: AtomicUsize,
    fails: AtomicBool,
    signal_fails: AtomicBool,
    /// Whether a pass looks first and is held afterwards.
    looks_first: AtomicBool,
}

#[derive(Debug, thiserror::Error)]
#[error("the database is on fire")]
pub(crate) struct OnFire;

impl FakeDatabase {
    /// Changes a table as somebody else would; `None` drops it.
    pub(crate) fn set(&self, table: &str, shape: Option<Shape>) {
        let mut tables = self.tables.lock().unwrap();
        match shape {
            Some(shape) => tables.insert(table.to_owned(), shape),
            None => tables.remove(table),
        };
        self.ddl.fetch_add(1, Ordering::SeqCst);
    }

    /// A change of something else.
    pub(crate) fn unrelated_change(&self) {
        self.ddl.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn shape(&self, table: &str) -> Option<Shape> {
        self.tables.lock().unwrap().get(table).copied()
    }

    /// Has every check of a table fail from now on, or no more.
    pub(crate) fn break_table(&self, table: &str, is_broken: bool) {
        let mut broken = self.broken.lock().unwrap();
        if is_broken {
            broken.insert(table.to_owned())
        } else {
            broken.remove(table)
        };
    }
}

impl FakeStore {
    pub(crate) fn new() -> Arc<Self> {
        Self::of(&Arc::default())
    }

    pub(crate) fn of(database: &Arc<FakeDatabase>) -> Arc<Self> {
        Arc::new(Self {
            database: Arc::clone(database),
            permits: Semaphore::new(Semaphore::MAX_PERMITS),
            passes: Mutex::default(),
            signals: AtomicUsize::new(0),
            fails: AtomicBool::new(false),
            signal_fails: AtomicBool::new(false),
            looks_first: AtomicBool::new(false),
        })
    }

    pub(crate) fn schema(self: &Arc<Self>) -> Schema {
        self.schema_with(options())
    }

    pub(crate) fn schema_with(self: &Arc<Self>, options: SchemaOptions) -> Schema {
        Schema::new(Arc::<Self>::clone(self), options)
    }

    /// How many passes there were.
    pub(crate) fn passes(&self) -> usize {
        self.passes.lock().unwrap().len()
    }

    /// The tables of the last pass.
    pub(crate) fn last_pass(&self) -> Vec<String> {
        self.passes.lock().unwrap().last().cloned().unwrap_or_default()
    }

    /// How often the signal was asked for.
    pub(crate) fn signals(&self) -> usize {
        self.signals.load(Ordering::SeqCst)
    }

    /// Holds every further pass until [`FakeStore::let_through`].
    pub(crate) fn hold(&self) {
        self.permits.forget_permits(Semaphore::MAX_PERMITS);
    }

    /// Holds every further pass when it has looked at the tables.
    pub(crate) fn hold_after_the_look(&self) {
        self.looks_first.store(true, Ordering::SeqCst);
        self.hold();
    }

    pub(crate) fn let_through(&self, passes: usize) {
        self.permits.add_permits(passes);
    }

    /// Waits until there were this many passes.
    pub(crate) async fn wait_for_passes(&self, passes: usize) {
        wait_until(|| self.passes() >= passes).await;
    }

    pub(crate) fn fail(&self, fails: bool) {
        self.fails.store(fails, Ordering::SeqCst);
    }

    pub(crate) fn fail_signal(&self, fails: bool) {
        self.signal_fails.store(fails, Ordering::SeqCst);
    }

    fn stand(&self, table: &str, policy: Policy) -> Result<Standing, StoreError> {
        if self.fails.load(Ordering::SeqCst) || self.database.broken.lock().unwrap().contains(table)
        {
            return Err(Arc::new(OnFire));
        }
        let plan = Arc::new(plan(table));
        match (self.database.shape(table), policy) {
            (Some(Shape::Right), _) => Ok(Standing::Verified),
            (_, Policy::Verify) => Ok(Standing::Pending { plan }),
            (None, _) => {
                self.database.set(table, Some(Shape::Right));
                Ok(Standing::Migrated { plan })
            }
            (Some(Shape::Wrong), Policy::Full) => {
                self.database.set(table, Some(Shape::Right));
                Ok(Standing::Migrated { plan })
            }
            (Some(Shape::Wrong), _) => {
                let refused = plan.refused(Policy::Verify, &[]);
                Ok(Standing::Refused { plan, refused })
            }
        }
    }
}

#[async_trait]
impl SchemaStore for FakeStore {
    async fn identity(&self) -> Result<String, StoreError> {
        if self.fails.load(Ordering::SeqCst) {
            return Err(Arc::new(OnFire));
        }
        Ok(format!("fake:{:p}", Arc::as_ptr(&self.database)))
    }

    async fn signal(&self) -> Result<SchemaSignal, StoreError> {
        self.signals.fetch_add(1, Ordering::SeqCst);
        if self.signal_fails.load(Ordering::SeqCst) {
            return Err(Arc::new(OnFire));
        }
        let ddl = self.database.ddl.load(Ordering::SeqCst);
        Ok(SchemaSignal::new(format!("ddl {ddl}"), 0))
    }

    async fn ensure(
        &self,
        models: &[ModelRef<'_>],
        policy: Policy,
    ) -> Vec<Result<Standing, StoreError>> {
        let tables = models.iter().map(|model| model.table.name().to_string());
        let tables: Vec<_> = tables.collect();
        self.passes.lock().unwrap().push(tables.clone());
        let look = || tables.iter().map(|table| self.stand(table, policy)).collect();
        let early = self.looks_first.load(Ordering::SeqCst).then(look);
        self.permits.acquire().await.unwrap().forget();
        early.unwrap_or_else(look)
    }
}

/// Without pauses, so that tests decide themselves what is tried again, and with a cache of its
/// own, so that tests do not evict each other's tables.
pub(crate) fn options() -> SchemaOptions {
    SchemaOptions::default().with_back_off(BackOff::NONE).with_max_size(1_000)
}

pub(crate) fn plan(table: &str) -> Plan {
    let step = Step {
        table: TableName::new(table),
        description: "create table".to_owned(),
        class: Class::Additive,
        lock: LockLevel::None,
        statements: vec!["CREATE TABLE".to_owned()],
        transactional: true,
        undo: Undo::Irreversible,
        probe: None,
        reason: None,
        interlude: None,
    };
    Plan {
        dialect: Dialect::Sqlite,
        from: Fingerprint::from_text("nothing"),
        steps: vec![step],
        unmanaged: Vec::new(),
    }
}

/// Models that are made for a test.
pub(crate) fn entries(prefix: &str, count: usize) -> Vec<&'static ModelEntry> {
    let entry = |number| {
        let name = format!("{prefix}{number}");
        ModelEntry::leaked(&name, table(&name, &["id"]))
    };
    (0..count).map(entry).collect()
}

pub(crate) async fn wait_until(is_so: impl Fn() -> bool) {
    let come = async {
        while !is_so() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), come).await.expect("it did not come to pass");
}

pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(work)
}

/// A model of a table with these columns of text, the first of which is the key.
macro_rules! model {
    ($(#[$doc:meta])* $name:ident, $table:literal, $($column:literal),+) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub(crate) struct $name;

        impl larder_model::Model for $name {
            fn entry() -> &'static larder_model::ModelEntry {
                static ENTRY: larder_model::ModelEntry =
                    larder_model::ModelEntry::new(stringify!($name), || {
                        $crate::support::table($table, &[$($column),+])
                    });
                &ENTRY
            }
        }
    };
}
pub(crate) use model;

/// A table with these columns of text, the first of which is the key.
pub(crate) fn table(name: &str, columns: &[&str]) -> TableModel {
    let mut table = TableModel::builder(Identifier::new(name).unwrap());
    for (at, column) in columns.iter().enumerate() {
        let mut column = ColumnModel::of::<String>(Identifier::new(*column).unwrap());
        column.key = at == 0;
        table = table.column(column);
    }
    table.build().unwrap()
}

model!(
    /// The model of most tests.
    Airline, "airline", "iata", "name"
);
model!(
    /// Another one.
    Airport, "airport", "iata"
);
