//! A transaction on a pooled connection.
//!
//! Guards that no connection returns to the pool inside an open transaction, at whatever point a
//! future is dropped: beginning, committing and rolling back each run in a task of their own,
//! which owns the connection and ends also if nobody waits for it. And that a commit of what the
//! server has given up is no success.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::runtime::Handle;

use super::{
    error,
    pool::{Checkout, Pool},
    session::{Scope, Session, interrupted},
};
use crate::{
    Executed, Params, QueryError, RowLimit, RowSet,
    driver::{DriverTransaction, detached::detached},
};

/// A transaction under way.
#[derive(Debug)]
pub(super) struct PostgresTransaction {
    /// Empty once the transaction has ended.
    checkout: Option<Checkout>,
    /// Whether a statement failed, so that the server may have given the transaction up.
    has_failed: bool,
    /// Where to roll back when this is dropped outside of any runtime.
    runtime: Handle,
}

/// Begins a transaction.
pub(super) async fn begin(pool: &Arc<Pool>) -> Result<PostgresTransaction, QueryError> {
    let mut checkout = pool.acquire().await?;
    detached(async move {
        let mut begun = checkout.session()?.command("BEGIN").await;
        if begun.as_ref().is_err_and(error::is_broken) && checkout.was_idle() {
            // It broke while it was idle, and nothing was begun.
            checkout.renew().await?;
            begun = checkout.session()?.command("BEGIN").await;
        }
        begun?;
        // If nobody waits any more, dropping this rolls back.
        let runtime = Handle::current();
        Ok(PostgresTransaction { checkout: Some(checkout), has_failed: false, runtime })
    })
    .await
}

/// Rolls back. Where that is not possible, the connection is closed, which does the same.
async fn roll_back(mut checkout: Checkout) {
    let Ok(session) = checkout.session() else { return };
    if session.is_busy() {
        // The rest of an answer is on its way, and a statement perhaps still running.
        return;
    }
    if session.command("ROLLBACK").await.is_err() {
        session.abandon();
    }
}

impl PostgresTransaction {
    fn session(&mut self) -> Result<&mut Session, QueryError> {
        let session = self.checkout.as_mut().ok_or_else(interrupted)?.session()?;
        if session.is_busy() { Err(interrupted()) } else { Ok(session) }
    }

    fn note<T>(&mut self, outcome: Result<T, QueryError>) -> Result<T, QueryError> {
        self.has_failed |= outcome.is_err();
        outcome
    }
}

impl Drop for PostgresTransaction {
    fn drop(&mut self) {
        if let Some(checkout) = self.checkout.take() {
            let _context = self.runtime.enter();
            self.runtime.spawn(roll_back(checkout));
        }
    }
}

#[async_trait]
impl DriverTransaction for PostgresTransaction {
    async fn fetch(
        &mut self,
        sql: &str,
        params: &Params,
        limit: RowLimit,
    ) -> Result<RowSet, QueryError> {
        let session = self.session()?;
        let outcome = session.fetch(sql, params, limit, Scope::Transaction).await;
        self.note(outcome)
    }

    async fn execute(&mut self, sql: &str, params: &Params) -> Result<Executed, QueryError> {
        let outcome = self.session()?.execute(sql, params, Scope::Transaction).await;
        self.note(outcome)
    }

    async fn commit(mut self: Box<Self>) -> Result<(), QueryError> {
        detached(async move {
            self.session()?;
            let mut checkout = self.checkout.take().ok_or_else(interrupted)?;
            // Once a statement has failed, the server answers a commit with a rollback and calls
            // that a success. Any other statement before it is refused then.
            let commit = if self.has_failed { "SELECT 1; COMMIT" } else { "COMMIT" };
            let outcome = checkout.session()?.command(commit).await;
            if outcome.is_err() {
                roll_back(checkout).await;
            }
            outcome
        })
        .await
    }

    async fn rollback(mut self: Box<Self>) -> Result<(), QueryError> {
        detached(async move {
            if let Some(checkout) = self.checkout.take() {
                roll_back(checkout).await;
            }
            Ok(())
        })
        .await
    }
}
