//! Statements that were analysed once, and the families of their answers.
//!
//! Invariant: everything that decides what an answer is, except the parameters, is part of the
//! identity of its family: database, session, text, shape, row type, how many rows were asked for.

use std::{
    any::{Any, TypeId},
    collections::BTreeSet,
    hash::{BuildHasher as _, RandomState},
    sync::{Arc, OnceLock},
};

use larder_cache::{Family, PayloadCodec};
use larder_core::{Codec, Tag};
use larder_model::ModelEntry;
use larder_sql::{Analysis, AnalyzeError, Dialect, StatementKind, TableName, Uncacheable, Writes};
use quick_cache::sync::Cache as Map;

use crate::{Engine, QueryError, Shape, catalog::Behind, private::makes_private, queries::Shared};

/// How many analysed statements are remembered.
const STATEMENTS_MAX: usize = 1_024;
/// The longest text that is remembered, in bytes; a longer one, which nobody wrote by hand, is
/// analysed each time. Together with the number it bounds the memory.
const TEXT_BYTES_MAX: usize = 16 << 10;

/// One text on one database, and what is known of it.
pub(crate) struct Statement {
    pub(crate) sql: Arc<str>,
    /// The tables and views that the text names, and what lies behind them.
    pub(crate) reads: BTreeSet<TableName>,
    pub(crate) writes: Writes,
    pub(crate) kind: Option<StatementKind>,
    /// Why the answer is not cached, if it is not.
    pub(crate) uncacheable: Option<Reason>,
    /// Whether the text is known to be one statement, which takes effect as a whole or not.
    pub(crate) is_single: bool,
    /// Whether it gives one connection of the pool something of its own.
    pub(crate) makes_private: bool,
    /// The functions that it calls, in lower case.
    pub(crate) calls: BTreeSet<Box<str>>,
    /// Whether one of them may be a function of the user's.
    pub(crate) calls_unknown: bool,
}

/// Why an answer is not cached.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// The statement itself forbids it.
    #[error(transparent)]
    Statement(#[from] Uncacheable),
    /// An earlier statement gave one connection of the pool temporary tables, an attached
    /// database or settings of its own, so that answers depend on the connection.
    #[error("the connections of the pool differ since a statement changed the session of one")]
    PrivateSession,
    /// The statement could not be analysed.
    #[error("the statement could not be analysed")]
    Unknown(#[from] AnalyzeError),
}

/// A statement with the families of one shape, in one state of the schema.
pub(crate) struct Prepared<S: Shape> {
    pub(crate) statement: Arc<Statement>,
    /// The state of the schema that this was prepared in.
    epoch: u64,
    is_private: bool,
    /// The model that its rows are of.
    pub(crate) model: Option<&'static ModelEntry>,
    behind: OnceLock<(i64, Behind)>,
    all: OnceLock<Family<S::Rows>>,
    one: OnceLock<Family<S::Row>>,
}

/// The statements that were prepared, found by their text and shape.
pub(crate) struct Statements {
    map: Map<(u64, TypeId), Arc<dyn Any + Send + Sync>>,
    hasher: RandomState,
}

impl Statements {
    pub(crate) fn new() -> Self {
        Self { map: Map::new(STATEMENTS_MAX), hasher: RandomState::new() }
    }

    pub(crate) fn get<S: Shape>(&self, sql: &str) -> Option<Arc<Prepared<S>>> {
        let any = self.map.get(&self.slot::<S>(sql))?;
        let prepared = any.downcast::<Prepared<S>>().ok()?;
        // A statement of an earlier schema is replaced when it is asked for.
        // The hash only finds; the text decides.
        (*prepared.statement.sql == *sql).then_some(prepared)
    }

    pub(crate) fn insert<S: Shape>(&self, prepared: &Arc<Prepared<S>>) {
        if prepared.statement.sql.len() > TEXT_BYTES_MAX {
            return;
        }
        let slot = self.slot::<S>(&prepared.statement.sql);
        self.map.insert(slot, Arc::clone(prepared) as _);
    }

    fn slot<S: Shape>(&self, sql: &str) -> (u64, TypeId) {
        (self.hasher.hash_one(sql), TypeId::of::<S>())
    }
}

impl Statement {
    pub(crate) fn analyze(sql: &str, dialect: Dialect) -> Self {
        let sql_text = Arc::from(sql);
        match larder_sql::analyze(sql, dialect) {
            Ok(Analysis { kind, reads, writes, cacheability, calls, calls_unknown, .. }) => {
                let is_single = cacheability != Err(Uncacheable::MultipleStatements);
                Self {
                    sql: sql_text,
                    reads,
                    writes,
                    kind: Some(kind),
                    uncacheable: cacheability.err().map(Reason::from),
                    is_single,
                    makes_private: makes_private(sql, Some(kind), is_single, dialect),
                    calls,
                    calls_unknown,
                }
            }
            Err(error) => Self {
                sql: sql_text,
                reads: BTreeSet::new(),
                writes: if larder_sql::looks_like_read(sql, dialect) {
                    Writes::default()
                } else {
                    Writes::Everything
                },
                kind: None,
                uncacheable: Some(Reason::from(error)),
                is_single: false,
                makes_private: makes_private(sql, None, false, dialect),
                calls: words(sql),
                calls_unknown: true,
            },
        }
    }

    /// The tables that its text names.
    pub(crate) fn tables(&self) -> impl Iterator<Item = &TableName> {
        let written = match &self.writes {
            Writes::Everything => None,
            Writes::Tables(tables) => Some(tables),
        };
        self.reads.iter().chain(written.into_iter().flatten())
    }

    /// What it writes by itself. No catalog, neither one from before nor one from after, knows of
    /// a trigger that a text of several statements makes, fires and drops.
    pub(crate) fn written(&self) -> Writes {
        if self.changes_schema() && !self.is_single {
            return Writes::Everything;
        }
        self.writes.clone()
    }

    /// Whether tables, views or triggers may be others after it.
    pub(crate) fn changes_schema(&self) -> bool {
        match self.kind {
            Some(kind) => kind == StatementKind::Schema,
            None => !self.writes.is_empty(),
        }
    }

    /// A label for statistics: the tables, as far as they are known.
    fn label(&self) -> String {
        let names: Vec<_> = self.reads.iter().map(TableName::as_str).collect();
        if names.is_empty() { "query".to_owned() } else { names.join("+") }
    }
}

/// Whatever may be the name of a function in a text that was not understood.
fn words(sql: &str) -> BTreeSet<Box<str>> {
    let words = sql.split(|c: char| !c.is_alphanumeric() && !"_$".contains(c));
    words.filter(|word| !word.is_empty()).map(|word| word.to_lowercase().into()).collect()
}

impl<S: Shape> Prepared<S> {
    pub(crate) fn new(statement: Arc<Statement>, epoch: u64, is_private: bool) -> Self {
        Self {
            statement,
            epoch,
            is_private,
            model: S::model(),
            behind: OnceLock::new(),
            all: OnceLock::new(),
            one: OnceLock::new(),
        }
    }

    #[inline]
    pub(crate) const fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Learns what lies behind the names in the statement, once.
    ///
    /// # Errors
    /// The database's own.
    pub(crate) async fn resolve(&self, shared: &Shared) -> Result<(), QueryError> {
        if self.behind.get().is_none() {
            let catalog = shared.schema.catalog(&shared.database).await?;
            let behind =
                || (catalog.version, catalog.behind(&self.statement.reads, &self.statement.calls));
            self.behind.get_or_init(behind);
        }
        Ok(())
    }

    /// The state of the schema in which it was looked behind the names.
    pub(crate) fn schema_version(&self) -> Option<i64> {
        self.behind.get().map(|(version, _)| *version)
    }

    /// Why the answer is not cached, as far as it is known: views are looked into by the first
    /// fetch.
    #[inline]
    pub(crate) fn reason(&self) -> Option<&Reason> {
        static PRIVATE_SESSION: Reason = Reason::PrivateSession;
        if self.is_private {
            return Some(&PRIVATE_SESSION);
        }
        let behind = || self.behind.get()?.1.uncacheable.as_ref();
        self.statement.uncacheable.as_ref().or_else(behind)
    }

    /// The family of whole answers, if one was made already.
    #[inline]
    pub(crate) fn known_all(&self) -> Option<&Family<S::Rows>> {
        self.all.get()
    }

    /// The family of first rows, if one was made already.
    #[inline]
    pub(crate) fn known_one(&self) -> Option<&Family<S::Row>> {
        self.one.get()
    }

    pub(crate) fn all(&self, shared: &Shared) -> &Family<S::Rows> {
        let codec = PayloadCodec::new(Codec::ROWS, 0, S::decode_rows);
        self.all.get_or_init(|| self.family(shared, "all", codec))
    }

    pub(crate) fn one(&self, shared: &Shared) -> &Family<S::Row> {
        let codec = PayloadCodec::new(Codec::ROWS, 0, S::decode_row);
        self.one.get_or_init(|| self.family(shared, "one", codec))
    }

    fn family<T: Send + Sync + 'static>(
        &self,
        shared: &Shared,
        rows: &str,
        codec: PayloadCodec<T>,
    ) -> Family<T> {
        let reads = self.behind.get().map_or(&self.statement.reads, |(_, behind)| &behind.reads);
        let identity = shared.database.identity().as_str();
        let session = shared.database.session();
        // Programs of two versions that read one table, or one program before and after a change
        // of the table, have answers of their own instead of failing at each other's.
        let shape = (S::fingerprint(), shared.model_epoch(self.model));
        let tags = reads.iter().map(|table| Tag::table(shared.database.scope(), table.as_str()));
        shared
            .cache
            .family_with(&self.statement.label(), codec)
            .part(identity)
            .part(session)
            .part(&self.statement.sql)
            .part(rows)
            .part(&format!("{:016x}.{:016x}", shape.0, shape.1))
            .tags(tags)
            .ttl(shared.ttl)
            .build()
    }
}

impl Reason {
    /// Whether a caller who knows better may have the answer cached nevertheless: what it
    /// depends on is known, only not how often it changes.
    pub(crate) const fn may_be_overruled(&self) -> bool {
        matches!(
            self,
            Self::Statement(
                Uncacheable::SessionState { .. }
                    | Uncacheable::UnknownFunction { .. }
                    | Uncacheable::Volatile { .. }
            )
        )
    }
}

/// The dialect in which an engine's statements are written.
pub(crate) const fn dialect(engine: Engine) -> Dialect {
    match engine {
        Engine::Sqlite => Dialect::Sqlite,
        Engine::Postgres => Dialect::PostgreSql,
        Engine::MariaDb => Dialect::MariaDb,
        Engine::MySql => Dialect::MySql,
    }
}
