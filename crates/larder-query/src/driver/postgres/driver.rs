//! The driver: statements outside of transactions, and what is asked of the server as a whole.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use larder_core::Health;
use larder_database_url::PostgresTarget;
use larder_sql::{Dialect, StatementKind, analyze};

use super::{
    begin, error, health,
    pool::{Checkout, Pool},
    session::{STATEMENTS_MAX, Scope},
    setup,
};
use crate::{
    DatabaseErrorKind, DatabaseIdentity, DatabaseOptions, DatabaseUrl, Engine, Executed, Params,
    QueryError, RowLimit, RowSet,
    driver::{Driver, DriverTransaction},
};

/// A pool of connections to one PostgreSQL database.
pub(super) struct PostgresDriver {
    pool: Arc<Pool>,
    identity: DatabaseIdentity,
}

impl PostgresDriver {
    pub(super) async fn connect(
        url: &DatabaseUrl,
        options: &DatabaseOptions,
    ) -> Result<Self, QueryError> {
        let connect = PostgresTarget::parse(url)?.connect_options();
        let connect = connect.statement_cache_capacity(STATEMENTS_MAX);
        let pool = Arc::new(Pool::new(connect, options));
        let mut first = pool.acquire().await?;
        let identity = setup::identity(first.session()?.connection()).await?;
        Ok(Self { pool, identity })
    }

    /// Whether the connection broke while it was idle. Then the others that are idle are closed:
    /// whatever ended the one, it is likely that they are gone too.
    fn broke_while_idle(&self, checkout: &Checkout, broken: &QueryError) -> bool {
        let did = checkout.was_idle()
            && broken.database_kind() == Some(DatabaseErrorKind::Connection)
            && error::is_broken(broken);
        if did {
            self.pool.close_idle();
        }
        did
    }
}

impl fmt::Debug for PostgresDriver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresDriver")
            .field("pool", &self.pool)
            .field("identity", &self.identity)
            .finish()
    }
}

#[async_trait]
impl Driver for PostgresDriver {
    async fn fetch(
        &self,
        sql: &str,
        params: &Params,
        limit: RowLimit,
    ) -> Result<RowSet, QueryError> {
        let mut checkout = self.pool.acquire().await?;
        let outcome = checkout.session()?.fetch(sql, params, limit, Scope::Alone).await;
        match outcome {
            Err(broken) if self.broke_while_idle(&checkout, &broken) && only_reads(sql) => {
                checkout.renew().await?;
                checkout.session()?.fetch(sql, params, limit, Scope::Alone).await
            }
            outcome => outcome,
        }
    }

    async fn execute(&self, sql: &str, params: &Params) -> Result<Executed, QueryError> {
        let mut checkout = self.pool.acquire().await?;
        let outcome = checkout.session()?.execute(sql, params, Scope::Alone).await;
        if let Err(broken) = &outcome {
            self.broke_while_idle(&checkout, broken);
        }
        outcome
    }

    async fn begin(&self) -> Result<Box<dyn DriverTransaction>, QueryError> {
        Ok(Box::new(begin::begin(&self.pool).await?))
    }

    async fn health(&self) -> Result<Health, QueryError> {
        health::ask(self, self.pool.connect_options(), self.pool.connections_max()).await
    }

    async fn close(&self) {
        let pool = Arc::clone(&self.pool);
        // Goes on if nobody waits any more.
        let _ = tokio::spawn(async move { pool.close().await }).await;
    }

    fn identity(&self) -> &DatabaseIdentity {
        &self.identity
    }

    fn session(&self) -> &str {
        self.pool.fingerprint()
    }

    fn is_uniform(&self) -> bool {
        self.pool.is_uniform()
    }

    fn engine(&self) -> Engine {
        Engine::Postgres
    }
}

/// Whether a statement is known to do nothing but read, so that it may be run once more, however
/// far it came.
fn only_reads(sql: &str) -> bool {
    analyze(sql, Dialect::PostgreSql)
        .is_ok_and(|analysis| analysis.kind == StatementKind::Read && analysis.cacheability.is_ok())
}
