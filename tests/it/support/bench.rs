//! One database behind one far tier, and as many "processes" on them as a scenario wants.

use std::{
    panic::{self, AssertUnwindSafe},
    sync::Arc,
    time::Duration,
};

use futures_util::FutureExt as _;
use larder::{Database, Larder, Near, OpenError, Params, RowSet, query::RowLimit};
use tokio::sync::MutexGuard;

use super::{
    Engine, FarTier, TestDatabase,
    databases::{connect, run},
    random_name,
};

/// Which tiers a process has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tiers {
    Far,
    NearAndFar,
}

pub(crate) const TIERS: [Tiers; 2] = [Tiers::Far, Tiers::NearAndFar];

/// One cell of the matrix.
#[derive(Debug)]
pub(crate) struct Bench {
    pub(crate) engine: Engine,
    pub(crate) far: FarTier,
    database: TestDatabase,
    /// Statements that no cache hears of.
    raw: Database,
    namespace: String,
    far_time_limit: Duration,
    _alone: Option<MutexGuard<'static, ()>>,
}

/// A machine that is busy with other tests is no reason for a miss.
const PATIENT: Duration = Duration::from_secs(20);

impl Bench {
    pub(crate) async fn new(engine: Engine, far: FarTier) -> Self {
        let _alone = engine.alone().await;
        let database = TestDatabase::create(engine).await;
        let raw = connect(&database.url).await;
        let namespace = random_name("it");
        Self { engine, far, database, raw, namespace, far_time_limit: PATIENT, _alone }
    }

    /// The same with a time limit for the far tier as services have it.
    pub(crate) fn with_far_time_limit(self, far_time_limit: Duration) -> Self {
        Self { far_time_limit, ..self }
    }

    /// Runs a scenario, and removes what it leaves behind however it ends.
    pub(crate) async fn run<F: Future<Output = ()>>(self, scenario: impl FnOnce(Arc<Self>) -> F) {
        let bench = Arc::new(self);
        let outcome = AssertUnwindSafe(scenario(Arc::clone(&bench))).catch_unwind().await;
        bench.raw.close().await;
        bench.database.remove().await;
        if let Err(panic) = outcome {
            panic::resume_unwind(panic);
        }
    }

    /// Another process, and nothing is stored yet.
    pub(crate) async fn process(&self, tiers: Tiers) -> Larder {
        let larder = self.second_process(tiers).await;
        larder.clear().await.applied().unwrap();
        larder
    }

    /// Another process, which finds what the others have stored. It has a pool, a cache and a
    /// connection to the far tier of its own.
    pub(crate) async fn second_process(&self, tiers: Tiers) -> Larder {
        self.try_process(tiers).await.unwrap_or_else(|error| {
            panic!("{:?} and {:?} can not be opened: {error:?}", self.engine, self.far)
        })
    }

    /// As [`Bench::second_process`], for a far tier that may not be there.
    pub(crate) async fn try_process(&self, tiers: Tiers) -> Result<Larder, OpenError> {
        self.open(&self.database, tiers).await
    }

    /// A process in front of another database, with the same far tier and namespace.
    pub(crate) async fn process_on(&self, database: &TestDatabase, tiers: Tiers) -> Larder {
        self.open(database, tiers).await.unwrap()
    }

    async fn open(&self, database: &TestDatabase, tiers: Tiers) -> Result<Larder, OpenError> {
        let builder = Larder::builder().database(&database.url).namespace(&self.namespace);
        let builder = match tiers {
            Tiers::Far => builder.without_near(),
            Tiers::NearAndFar => builder.near(Near::mebibytes(16)),
        };
        self.far.attach(builder.far_time_limit(self.far_time_limit)).build().await
    }

    /// Runs statements that no cache hears of.
    pub(crate) async fn behind_its_back(&self, statements: &[&str]) {
        for sql in statements {
            run(&self.raw, sql).await;
        }
    }

    /// The answer of the database itself.
    pub(crate) async fn uncached(&self, sql: &str, params: &Params) -> RowSet {
        let rows = self.raw.fetch(sql, params, RowLimit::All).await;
        rows.unwrap_or_else(|error| panic!("{sql}: {error:?}"))
    }

    /// Asks twice and compares both answers, a miss and a hit, with the uncached one.
    pub(crate) async fn miss_and_hit(&self, larder: &Larder, sql: &str) -> RowSet {
        let expected = self.uncached(sql, &Params::new()).await;
        for is_hit in [false, true] {
            let query = larder.query(sql);
            assert!(query.uncacheable().is_none(), "{sql}: {:?}", query.uncacheable());
            let rows = query.fetch_all().await;
            let rows = rows.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
            assert_eq!(rows.source().is_hit(), is_hit, "{sql}: {}", rows.source());
            assert_same(&rows, &expected, sql);
        }
        expected
    }
}

/// Byte for byte: columns, declared types, types and values of the rows, and their JSON text.
pub(crate) fn assert_same(rows: &RowSet, expected: &RowSet, what: &str) {
    let json = |rows: &RowSet| serde_json::to_string(rows).unwrap();
    assert_eq!(format!("{:?}", rows.columns()), format!("{:?}", expected.columns()), "{what}");
    // A text of a megabyte helps nobody in a message.
    assert!(json(rows) == json(expected), "{what}: the JSON texts differ");
    assert!(rows.encode() == expected.encode(), "{what}: the encoded rows differ");
}
