//! Statements on one connection.
//!
//! Guards that whoever owns the connection learns whether it is still in step with the server: an
//! answer that is not read to its end would be the next statement's.

use std::{fmt::Write as _, sync::Arc};

use futures_util::{TryStreamExt as _, stream::BoxStream};
use sqlx::{
    AssertSqlSafe, Connection as _, Either, Executor as _, MySqlConnection, Row as _,
    SqlSafeStr as _, Statement as _,
    mysql::{MySqlArguments, MySqlQueryResult, MySqlRow, MySqlStatement},
};

use super::{
    arguments::arguments,
    error,
    rows::{self, Format},
    scan::{Scan, Verb},
    types::Types,
};
use crate::{Columns, Executed, Params, QueryError, RowLimit, RowSet};

/// A statement that is to be run, with its parameters.
#[derive(Clone, Copy)]
pub(super) struct Order<'a> {
    pub(super) sql: &'a str,
    pub(super) scan: &'a Scan,
    pub(super) params: &'a Params,
    pub(super) types: &'a Types,
    /// How many rows that nobody wants are read, so that the connection can be kept.
    pub(super) surplus_max: usize,
}

/// What came of it.
pub(super) struct Ran<T> {
    pub(super) outcome: Result<T, QueryError>,
    /// Whether the next statement would get its own answer.
    pub(super) in_step: bool,
}

impl<T> Ran<T> {
    fn failed(error: QueryError) -> Self {
        let in_step = error::keeps_connection(&error);
        Self { outcome: Err(error), in_step }
    }
}

/// What a statement is run for.
pub(super) trait Wanted: Copy + Send {
    type Found: Send;

    fn run(
        self,
        connection: &mut MySqlConnection,
        order: Order<'_>,
    ) -> impl Future<Output = Ran<Self::Found>> + Send;
}

/// For its rows.
#[derive(Clone, Copy)]
pub(super) struct Rows(pub(super) RowLimit);

/// For what it does.
#[derive(Clone, Copy)]
pub(super) struct Effect;

impl Wanted for Rows {
    type Found = RowSet;

    async fn run(self, connection: &mut MySqlConnection, order: Order<'_>) -> Ran<RowSet> {
        let ran = fetch(connection, order, self.0).await;
        if !forget_outdated(connection, &ran).await {
            return ran;
        }
        fetch(connection, order, self.0).await
    }
}

impl Wanted for Effect {
    type Found = Executed;

    async fn run(self, connection: &mut MySqlConnection, order: Order<'_>) -> Ran<Executed> {
        let ran = execute(connection, order).await;
        if !forget_outdated(connection, &ran).await {
            return ran;
        }
        execute(connection, order).await
    }
}

/// What a server says that does not prepare a statement again by itself although its tables
/// changed: the character set of a column is another one (MySQL), or it tried too often. Neither
/// statement was begun.
const OUTDATED: [u16; 2] = [1615, 3988];

/// Forgets the prepared statements of a connection if one of them turned out to be outdated.
async fn forget_outdated<T>(connection: &mut MySqlConnection, ran: &Ran<T>) -> bool {
    let number = ran.outcome.as_ref().err().and_then(error::number);
    ran.in_step
        && number.is_some_and(|number| OUTDATED.contains(&number))
        && connection.clear_cached_statements().await.is_ok()
}

async fn fetch(connection: &mut MySqlConnection, order: Order<'_>, limit: RowLimit) -> Ran<RowSet> {
    let way = match Way::find(connection, order).await {
        Ok(way) => way,
        Err(error) => return Ran::failed(error),
    };
    let (format, prepared) = (way.format(), way.prepared());
    let mut steps = way.start(connection, order.sql);
    let mut collected = Collected::default();
    let mut surplus = 0;
    let in_step = loop {
        match steps.try_next().await {
            Ok(Some(Either::Right(row))) if collected.is_settled() => {
                drop(row);
                surplus += 1;
                if surplus > order.surplus_max {
                    break false;
                }
            }
            Ok(Some(Either::Right(row))) => collected.push(&row, format, limit),
            Ok(Some(Either::Left(_))) => collected.ended = collected.set.is_some(),
            Ok(None) => break true,
            Err(source) => {
                let ran = Ran::failed(error::map(source).into());
                // What follows a row that is all that was asked for may fail as it likes.
                let is_enough = collected.error.is_none() && collected.is_settled();
                if is_enough {
                    break ran.in_step;
                }
                return ran;
            }
        }
    };
    drop(steps);
    if let Some(error) = collected.error {
        return Ran { outcome: Err(error), in_step };
    }
    match (collected.set, prepared) {
        (Some(set), _) => Ran { outcome: Ok(set), in_step },
        (None, Some(statement)) => {
            let columns = describe(connection, order, &statement).await;
            Ran { outcome: columns.map(RowSet::new), in_step }
        }
        (None, None) => Ran { outcome: Ok(RowSet::new(Columns::default())), in_step },
    }
}

/// The rows so far.
#[derive(Default)]
struct Collected {
    set: Option<RowSet>,
    error: Option<QueryError>,
    /// Whether a result with rows has ended.
    ended: bool,
    is_enough: bool,
}

impl Collected {
    /// Whether no further row changes anything.
    const fn is_settled(&self) -> bool {
        self.is_enough || self.error.is_some()
    }

    fn push(&mut self, row: &MySqlRow, format: Format, limit: RowLimit) {
        if self.ended {
            self.error = Some(QueryError::SeveralResults);
            return;
        }
        match rows::values(row, format) {
            Ok(values) => {
                let header = || RowSet::new(rows::columns(row.columns()));
                self.set.get_or_insert_with(header).push(values);
                self.is_enough = limit == RowLimit::One;
            }
            Err(error) => self.error = Some(error),
        }
    }
}

/// The columns of a statement that returned no row. The driver does not hand out those that came
/// with the answer. Those from when the statement was prepared are outdated if it has a `*` and its
/// table gained a column since: it is then prepared once more, as a text of its own.
async fn describe(
    connection: &mut MySqlConnection,
    order: Order<'_>,
    statement: &MySqlStatement,
) -> Result<Columns, QueryError> {
    if !order.scan.star || statement.columns().is_empty() {
        return Ok(rows::columns(statement.columns()));
    }
    // No other statement is spelled like this, and the oldest of the cached statements makes room.
    let nonce = larder_core::Epoch::random();
    let sql = format!("/*{nonce:?}*/{}", order.sql);
    let fresh = connection.prepare(AssertSqlSafe(sql).into_sql_str()).await.map_err(error::map)?;
    Ok(rows::columns(fresh.columns()))
}

async fn execute(connection: &mut MySqlConnection, order: Order<'_>) -> Ran<Executed> {
    let way = match Way::find(connection, order).await {
        Ok(way) => way,
        Err(error) => return Ran::failed(error),
    };
    let mut steps = way.start(connection, order.sql);
    let mut executed = Executed::default();
    loop {
        match steps.try_next().await {
            Ok(Some(Either::Left(done))) => {
                executed.rows_affected += done.rows_affected();
                // 0 says that there is none.
                let id = i64::try_from(done.last_insert_id()).ok().filter(|id| *id > 0);
                executed.last_insert_id = id.or(executed.last_insert_id);
            }
            Ok(Some(Either::Right(_))) => {}
            Ok(None) => return Ran { outcome: Ok(executed), in_step: true },
            Err(source) => return Ran::failed(error::map(source).into()),
        }
    }
}

/// Runs a statement of ours and collects its rows, without preparing it.
pub(super) async fn fetch_text(
    connection: &mut MySqlConnection,
    sql: &str,
) -> Result<RowSet, QueryError> {
    let rows = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).fetch_all(connection).await;
    let rows = rows.map_err(error::map)?;
    let header = rows.first().map(|row| rows::columns(row.columns())).unwrap_or_default();
    let mut set = RowSet::new(header);
    for row in &rows {
        set.push(rows::values(row, Format::Text)?);
    }
    Ok(set)
}

type Steps<'a> = BoxStream<'a, Result<Either<MySqlQueryResult, MySqlRow>, sqlx::Error>>;

/// The number of "this command is not supported in the prepared statement protocol yet".
const NOT_PREPARABLE: u16 = 1295;

/// MySQL remembers the types that a prepared statement was first given, and turns later parameters
/// into these: after a number, a text is 0. Each list of types therefore has a statement of its
/// own, told apart by a comment.
fn spelled_for(order: Order<'_>) -> Arc<str> {
    let Order { sql, params, types, .. } = order;
    if params.is_empty() || !types.are_remembered {
        return sql.into();
    }
    let mut text = String::with_capacity(sql.len() + 2 * params.len() + 4);
    text.push_str("/*");
    for param in params {
        // The numbers of the types are small and never change.
        let _ = write!(text, "{:02x}", param.param_type() as u8);
    }
    text.push_str("*/");
    text.push_str(sql);
    text.into()
}

/// How a statement reaches the server.
enum Way {
    Prepared { statement: MySqlStatement, arguments: MySqlArguments },
    Text,
}

impl Way {
    /// Statements about rows are prepared, also without parameters: the rows of prepared
    /// statements are exact, while in text a `FLOAT` has six digits.
    async fn find(connection: &mut MySqlConnection, order: Order<'_>) -> Result<Self, QueryError> {
        let Order { scan, params, .. } = order;
        let takes_none = scan.parameters == 0 && params.is_empty();
        let is_about_rows = matches!(scan.verbs.as_slice(), [Verb::Call | Verb::Rows]);
        if takes_none && !is_about_rows {
            return Ok(Self::Text);
        }
        if scan.verbs.len() > 1 {
            let reason = "several statements in one text take no parameters";
            return Err(QueryError::ParameterSyntax { reason });
        }
        let text = AssertSqlSafe(spelled_for(order)).into_sql_str();
        let statement = match connection.prepare(text).await {
            Ok(statement) => statement,
            Err(source) => {
                let error = error::map(source).into();
                return match error::number(&error) {
                    Some(NOT_PREPARABLE) if takes_none => Ok(Self::Text),
                    Some(NOT_PREPARABLE) => {
                        let reason = "the server takes none for this kind of statement";
                        Err(QueryError::ParameterSyntax { reason })
                    }
                    _ => Err(error),
                };
            }
        };
        // The server knows best how many there are.
        let expected = match statement.parameters() {
            Some(Either::Right(count)) => count,
            _ => scan.parameters,
        };
        let arguments = arguments(params, expected, order.types)?;
        Ok(Self::Prepared { statement, arguments })
    }

    const fn format(&self) -> Format {
        match self {
            Self::Prepared { .. } => Format::Binary,
            Self::Text => Format::Text,
        }
    }

    fn prepared(&self) -> Option<MySqlStatement> {
        match self {
            Self::Prepared { statement, .. } => Some(statement.clone()),
            Self::Text => None,
        }
    }

    fn start<'c>(self, connection: &'c mut MySqlConnection, sql: &str) -> Steps<'c> {
        match self {
            Self::Prepared { statement, arguments } => {
                connection.fetch_many(sqlx::query_with(statement.into_sql(), arguments))
            }
            Self::Text => connection.fetch_many(sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))),
        }
    }
}
