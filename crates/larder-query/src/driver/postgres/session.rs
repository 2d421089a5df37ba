//! One connection and the statements that it has prepared.
//!
//! Guards that a connection on which something is under way says so, at whatever point a future
//! is dropped; and that a schema that changed under a prepared statement is not an error.

mod prepare;

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use larder_core::Tick;
use sqlx::{
    ConnectOptions as _, Connection as _, Either, Executor as _, Statement as _,
    postgres::{PgConnectOptions, PgConnection, PgStatement, PgTypeInfo},
};

use super::{
    arguments, error,
    kind::Kind,
    rewrite::Fits,
    rows::Collector,
    scan::{Piece, Scan, Verb, scan},
    setup,
};
use crate::{
    Columns, DatabaseError, DatabaseErrorKind, Executed, Params, QueryError, RowLimit, RowSet,
};

/// How many prepared statements a connection keeps.
pub(super) const STATEMENTS_MAX: usize = 256;
/// In how many forms of different conversions a statement is kept.
const FORMS_MAX: usize = 8;

/// A connection.
pub(super) struct Session {
    connection: PgConnection,
    known: HashMap<Box<str>, Known>,
    opened: Tick,
    /// How often a statement of the pool may have changed the types of columns.
    changes: Arc<AtomicU64>,
    /// How often that was when all that is known was learnt.
    changes_seen: u64,
    /// Whether a statement of the transaction under way may have done so.
    has_changed_types: bool,
    /// Whether something was begun that did not come to its end.
    is_busy: bool,
    /// Whether its settings, its tables or its locks may be unlike those of the others.
    is_changed: bool,
}

/// A text, and what became of it on this connection.
struct Known {
    scan: Arc<Scan>,
    /// As the server understands it, with types that it inferred.
    inferred: Option<Arc<Prepared>>,
    /// With conversions.
    converted: Vec<(Fits, Arc<Prepared>)>,
}

/// A prepared statement.
pub(super) struct Prepared {
    pub(super) statement: PgStatement,
    pub(super) columns: Columns,
    pub(super) column_kinds: Vec<Kind>,
    pub(super) parameters: Vec<PgTypeInfo>,
    pub(super) parameter_kinds: Vec<Kind>,
}

/// Whether a statement is alone or part of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    Alone,
    Transaction,
}

/// What of the rows is wanted.
#[derive(Clone, Copy)]
enum Want {
    Rows(RowLimit),
    Nothing,
}

impl Session {
    /// Opens a connection. Also what decides about answers in its session.
    pub(super) async fn open(
        options: &PgConnectOptions,
        opened: Tick,
        changes: &Arc<AtomicU64>,
    ) -> Result<(Self, String), QueryError> {
        let mut connection = options.connect().await.map_err(error::map)?;
        let fingerprint = setup::prepare(&mut connection, options.get_options()).await?;
        let session = Self {
            connection,
            known: HashMap::new(),
            opened,
            changes: Arc::clone(changes),
            changes_seen: changes.load(Ordering::Acquire),
            has_changed_types: false,
            is_busy: false,
            is_changed: false,
        };
        Ok((session, fingerprint))
    }

    pub(super) const fn opened(&self) -> Tick {
        self.opened
    }

    /// Whether somebody else may have it.
    pub(super) const fn is_reusable(&self) -> bool {
        !self.is_busy && !self.is_changed
    }

    /// Has it closed as soon as nobody uses it any more.
    pub(super) const fn abandon(&mut self) {
        self.is_busy = true;
    }

    /// Whether something was begun that did not come to its end.
    pub(super) const fn is_busy(&self) -> bool {
        self.is_busy
    }

    pub(super) fn connection(&mut self) -> &mut PgConnection {
        &mut self.connection
    }

    pub(super) async fn ping(&mut self) -> Result<(), sqlx::Error> {
        self.connection.ping().await
    }

    pub(super) async fn close(self: Box<Self>) {
        // Whatever the server says, the connection is gone afterwards.
        let _ = self.connection.close().await;
    }

    /// Runs one of our own statements, which has neither parameters nor rows.
    pub(super) async fn command(&mut self, sql: &'static str) -> Result<(), QueryError> {
        self.is_busy = true;
        let outcome = self.connection.execute(sql).await.map_err(error::map);
        if std::mem::take(&mut self.has_changed_types) {
            // Others may have looked before the transaction ended.
            self.changes.fetch_add(1, Ordering::AcqRel);
        }
        self.settle(outcome.map(drop).map_err(QueryError::from))
    }

    /// Runs a text and collects its rows.
    pub(super) async fn fetch(
        &mut self,
        sql: &str,
        params: &Params,
        limit: RowLimit,
        scope: Scope,
    ) -> Result<RowSet, QueryError> {
        let outcome = self.run(sql, params, Want::Rows(limit), scope).await?;
        Ok(outcome.set.unwrap_or_default())
    }

    /// Runs a text for what it does.
    pub(super) async fn execute(
        &mut self,
        sql: &str,
        params: &Params,
        scope: Scope,
    ) -> Result<Executed, QueryError> {
        let outcome = self.run(sql, params, Want::Nothing, scope).await?;
        Ok(Executed { rows_affected: outcome.rows_affected, last_insert_id: None })
    }

    async fn run(
        &mut self,
        sql: &str,
        params: &Params,
        want: Want,
        scope: Scope,
    ) -> Result<Outcome, QueryError> {
        self.make_room(sql).await?;
        let scan = self.scan(sql);
        check(&scan, params, scope)?;
        self.is_changed |= scan.pieces.iter().any(|piece| piece.changes_session);
        self.is_busy = true;
        let changes_types = scan.pieces.iter().any(|piece| piece.changes_types);
        if changes_types {
            // Here too, in case that the future is dropped before the end.
            self.changes.fetch_add(1, Ordering::AcqRel);
            self.has_changed_types |= scope == Scope::Transaction;
        }
        let outcome = match &*scan.pieces {
            [piece] => self.run_one(sql, &scan, piece, params, want, scope).await,
            pieces => self.run_all(sql, pieces, want, scope).await,
        };
        if changes_types {
            self.changes.fetch_add(1, Ordering::AcqRel);
        }
        self.settle(outcome)
    }

    /// Forgets what was prepared for columns whose types may have changed since. The server keeps
    /// the types of a statement's parameters and would convert to them, with whatever is lost by
    /// that. And it forgets if there is too much of it.
    async fn make_room(&mut self, sql: &str) -> Result<(), QueryError> {
        let changes = self.changes.load(Ordering::Acquire);
        let is_full = self.known.len() >= STATEMENTS_MAX && !self.known.contains_key(sql);
        if changes == self.changes_seen && !is_full {
            return Ok(());
        }
        self.is_busy = true;
        let forgotten = self.forget().await;
        self.settle(forgotten)?;
        self.changes_seen = changes;
        if is_full {
            self.known.clear();
        }
        Ok(())
    }

    /// Notes whether the connection is in order after something came to its end.
    fn settle<T>(&mut self, outcome: Result<T, QueryError>) -> Result<T, QueryError> {
        self.is_busy = outcome.as_ref().is_err_and(error::is_broken);
        outcome
    }

    fn scan(&mut self, sql: &str) -> Arc<Scan> {
        if let Some(known) = self.known.get(sql) {
            return Arc::clone(&known.scan);
        }
        let scan = Arc::new(scan(sql));
        let known = Known { scan: Arc::clone(&scan), inferred: None, converted: Vec::new() };
        self.known.insert(sql.into(), known);
        scan
    }

    /// Several statements are one transaction, as the server has it for such a text.
    async fn run_all(
        &mut self,
        sql: &str,
        pieces: &[Piece],
        want: Want,
        scope: Scope,
    ) -> Result<Outcome, QueryError> {
        let mut all = Outcome::default();
        if pieces.is_empty() {
            return Ok(all);
        }
        if scope == Scope::Alone {
            self.connection.execute("BEGIN").await.map_err(error::map)?;
        }
        let outcome = self.run_each(sql, pieces, want, &mut all).await;
        if scope == Scope::Alone {
            let end = if outcome.is_ok() { "COMMIT" } else { "ROLLBACK" };
            let ended = self.connection.execute(end).await.map_err(error::map);
            outcome?;
            ended?;
        } else {
            outcome?;
        }
        Ok(all)
    }

    async fn run_each(
        &mut self,
        sql: &str,
        pieces: &[Piece],
        want: Want,
        all: &mut Outcome,
    ) -> Result<(), QueryError> {
        let none = Params::new();
        for piece in pieces {
            let text = sql.get(piece.text.clone()).unwrap_or_default();
            let scan = self.scan(text);
            let one = self.run_one(text, &scan, piece, &none, want, Scope::Transaction).await?;
            all.rows_affected += one.rows_affected;
            let has_columns = one.set.as_ref().is_some_and(|set| !set.columns().is_empty());
            if has_columns && all.set.replace(one.set.unwrap_or_default()).is_some() {
                return Err(QueryError::SeveralResults);
            }
        }
        Ok(())
    }

    async fn run_one(
        &mut self,
        sql: &str,
        scan: &Scan,
        piece: &Piece,
        params: &Params,
        want: Want,
        scope: Scope,
    ) -> Result<Outcome, QueryError> {
        let was_known = self.known.get(sql).is_some_and(|known| known.inferred.is_some());
        let outcome = self.attempt(sql, scan, piece, params, want, scope).await;
        match outcome {
            Err(outdated) if was_known && error::is_outdated(&outdated) => {
                // Whatever was prepared may be of another schema. What failed is undone.
                self.forget().await?;
                if scope == Scope::Transaction && outdated.database_kind().is_some() {
                    return Err(outdated);
                }
                self.attempt(sql, scan, piece, params, want, scope).await
            }
            outcome => outcome,
        }
    }

    /// Forgets all that was prepared, here and in the driver, which would answer with it.
    async fn forget(&mut self) -> Result<(), QueryError> {
        for known in self.known.values_mut() {
            (known.inferred, known.converted) = (None, Vec::new());
        }
        self.connection.clear_cached_statements().await.map_err(error::map)?;
        Ok(())
    }

    async fn attempt(
        &mut self,
        sql: &str,
        scan: &Scan,
        piece: &Piece,
        params: &Params,
        want: Want,
        scope: Scope,
    ) -> Result<Outcome, QueryError> {
        let prepared = self.prepared(sql, scan, params, scope).await?;
        let arguments = arguments::arguments(params, &prepared)?;
        let query = prepared.statement.query_with(arguments);
        let mut outcome = Outcome::default();
        let mut collector = Collector::new(&prepared, want.limit());
        let mut stream = (&mut self.connection).fetch_many(query);
        while let Some(step) = next(&mut stream).await? {
            match step {
                Either::Left(done) if piece.verb == Verb::Write => {
                    outcome.rows_affected += done.rows_affected();
                }
                Either::Left(_) => {}
                Either::Right(row) => {
                    let is_enough = collector.add(row)?;
                    let may_stop = piece.verb == Verb::Read && !piece.names_write;
                    if is_enough && may_stop && scope == Scope::Alone {
                        drop(stream);
                        // The rest is still on its way, so nobody else gets this connection.
                        self.is_changed = true;
                        outcome.set = Some(collector.into_set());
                        return Ok(outcome);
                    }
                }
            }
        }
        drop(stream);
        if matches!(want, Want::Rows(_)) {
            outcome.set = Some(collector.finish(&mut self.connection).await?);
        }
        Ok(outcome)
    }
}

/// The next step of a statement.
async fn next<T>(
    stream: &mut futures_util::stream::BoxStream<'_, Result<T, sqlx::Error>>,
) -> Result<Option<T>, DatabaseError> {
    use futures_util::TryStreamExt as _;

    stream.try_next().await.map_err(error::map)
}

/// What a statement did.
#[derive(Default)]
struct Outcome {
    set: Option<RowSet>,
    rows_affected: u64,
}

impl Want {
    const fn limit(self) -> Option<RowLimit> {
        match self {
            Self::Rows(limit) => Some(limit),
            Self::Nothing => None,
        }
    }
}

/// Refuses what must not reach the server.
fn check(scan: &Scan, params: &Params, scope: Scope) -> Result<(), QueryError> {
    for piece in &scan.pieces {
        match piece.verb {
            Verb::Transaction => return Err(QueryError::TransactionControl),
            // A transaction that is begun by hand would go on for whoever is next.
            Verb::Savepoint if scope == Scope::Alone => return Err(QueryError::TransactionControl),
            _ => {}
        }
    }
    if scan.pieces.len() > 1 && !(params.is_empty() && scan.placeholders.is_empty()) {
        let reason = "several statements in one text take none";
        return Err(QueryError::ParameterSyntax { reason });
    }
    if scan.question_mark && scan.placeholders.is_empty() && !params.is_empty() {
        let reason = "PostgreSQL's are $1, $2 and so on";
        return Err(QueryError::ParameterSyntax { reason });
    }
    Ok(())
}

/// What was under way on the connection did not come to its end.
pub(super) fn interrupted() -> QueryError {
    let source = "a statement of the transaction was interrupted, and the transaction with it";
    DatabaseError::new(DatabaseErrorKind::Other, None, source).into()
}
