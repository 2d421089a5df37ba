//! Statements outside of transactions.
//!
//! Guards that a statement which leaves something on its connection is the last one there.

use std::sync::Arc;

use async_trait::async_trait;
use larder_core::{Clock, Health, SystemClock};
use larder_database_url::{MySqlTarget, MySqlTls};

use super::{
    begin, error, health,
    pool::{Left, Pool, Pooled},
    run::{self, Order, Ran, Wanted},
    scan::{Scan, Verb, scan},
};
use crate::{
    DatabaseIdentity, DatabaseOptions, DatabaseUrl, Engine, Executed, Params, QueryError, RowLimit,
    RowSet,
    driver::{Driver, DriverTransaction},
};

/// How many rows beyond the wanted one are read, so that the connection can be kept. More than
/// these cost more than a new connection.
const SURPLUS_ROWS_MAX: usize = 1_000;

/// A pool of connections to one database.
#[derive(Debug)]
pub(super) struct MySqlDriver {
    pool: Pool,
    clock: Arc<dyn Clock>,
    identity: DatabaseIdentity,
    scope: String,
    tls: MySqlTls,
}

/// Opens a database.
pub(in crate::driver) async fn connect(
    url: &DatabaseUrl,
    options: &DatabaseOptions,
) -> Result<Box<dyn Driver>, QueryError> {
    let target = MySqlTarget::parse(url)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let pool = Pool::open(&target, options, Arc::clone(&clock)).await?;
    let session = pool.session();
    let scope = format!("mysql{}", session.server_id);
    let identity = DatabaseIdentity::new(&format!("{scope}/{}", session.database));
    Ok(Box::new(MySqlDriver { pool, clock, identity, scope, tls: target.tls() }))
}

impl MySqlDriver {
    fn order<'a>(&'a self, sql: &'a str, scan: &'a Scan, params: &'a Params) -> Order<'a> {
        let types = &self.pool.session().types;
        Order { sql, scan, params, types, surplus_max: SURPLUS_ROWS_MAX }
    }

    /// Runs a statement, once more if the connection turns out to have been broken before, and
    /// the server either never saw the statement or may see it twice.
    async fn run<W: Wanted>(&self, order: Order<'_>, wanted: W) -> Result<W::Found, QueryError> {
        let mut connection = self.pool.acquire().await?;
        let outcome = run_on(&mut connection, order, wanted).await;
        let may_run_again = |error: &QueryError| {
            connection.was_idle()
                && error::is_lost(error)
                && (order.scan.repeatable || error::was_never_seen(error))
        };
        match outcome {
            Err(error) if may_run_again(&error) => {
                drop(connection);
                let mut connection = self.pool.acquire_fresh().await?;
                run_on(&mut connection, order, wanted).await
            }
            outcome => outcome,
        }
    }
}

async fn run_on<W: Wanted>(
    connection: &mut Pooled,
    order: Order<'_>,
    wanted: W,
) -> Result<W::Found, QueryError> {
    connection.leave(Left::Unknown);
    let Ran { outcome, in_step } = wanted.run(connection, order).await;
    if in_step {
        connection.leave(if order.scan.session { Left::Changed } else { Left::Alike });
    }
    outcome
}

/// A transaction that is begun by hand would go on for whoever gets the connection next.
fn scan_and_refuse_transactions(sql: &str) -> Result<Scan, QueryError> {
    let scan = scan(sql);
    if scan.has(Verb::Savepoint) || scan.has(Verb::Transaction) {
        return Err(QueryError::TransactionControl);
    }
    Ok(scan)
}

#[async_trait]
impl Driver for MySqlDriver {
    async fn fetch(
        &self,
        sql: &str,
        params: &Params,
        limit: RowLimit,
    ) -> Result<RowSet, QueryError> {
        let scan = scan_and_refuse_transactions(sql)?;
        let order = self.order(sql, &scan, params);
        self.run(order, run::Rows(limit)).await
    }

    async fn execute(&self, sql: &str, params: &Params) -> Result<Executed, QueryError> {
        let scan = scan_and_refuse_transactions(sql)?;
        let order = self.order(sql, &scan, params);
        self.run(order, run::Effect).await
    }

    async fn begin(&self) -> Result<Box<dyn DriverTransaction>, QueryError> {
        Ok(Box::new(begin::begin(&self.pool).await?))
    }

    async fn health(&self) -> Result<Health, QueryError> {
        health::ask(self, self.pool.session(), self.tls, &*self.clock).await
    }

    async fn close(&self) {
        self.pool.close().await;
    }

    fn identity(&self) -> &DatabaseIdentity {
        &self.identity
    }

    /// A statement may name the tables of every database of the server.
    fn scope(&self) -> &str {
        &self.scope
    }

    fn session(&self) -> &str {
        &self.pool.session().identity
    }

    fn engine(&self) -> Engine {
        self.pool.session().engine
    }
}
