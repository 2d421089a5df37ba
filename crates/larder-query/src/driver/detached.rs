//! Work that ends also if nobody waits for it.
//!
//! Guards that no connection returns to a pool inside an open transaction: what begins and ends
//! transactions runs in a task of its own, which a dropped future does not stop.

use crate::{DatabaseError, DatabaseErrorKind, QueryError};

/// Runs to its end also if the returned future is dropped.
pub(super) async fn detached<T: Send + 'static>(
    work: impl Future<Output = Result<T, QueryError>> + Send + 'static,
) -> Result<T, QueryError> {
    match tokio::spawn(work).await {
        Ok(outcome) => outcome,
        // It panicked, or its runtime is over.
        Err(died) => Err(DatabaseError::new(DatabaseErrorKind::Other, None, died).into()),
    }
}
