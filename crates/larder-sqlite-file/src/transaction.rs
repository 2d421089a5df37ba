//! Write transactions that wait for their turn.
//!
//! Invariant: a transaction that will write takes the write lock at its start. One that starts
//! as a reader and wants to write later can be refused at once, whatever the busy timeout.

use std::{thread, time::Duration};

use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior};

/// How long, and at which pace, the write lock is asked for.
///
/// The pause doubles from [`first`](Self::first) to [`longest`](Self::longest), and each one is
/// shortened at random by up to half, so that processes that collided once do not do so again.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Retry {
    /// The sum of all pauses after which the lock is given up. Default: 30 s.
    pub deadline: Duration,
    /// The first pause. Default: 100 µs.
    pub first: Duration,
    /// The longest pause. Default: 20 ms.
    pub longest: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(30),
            first: Duration::from_micros(100),
            longest: Duration::from_millis(20),
        }
    }
}

impl Retry {
    /// The default pace with another deadline.
    #[must_use]
    pub fn within(deadline: Duration) -> Self {
        Self { deadline, ..Self::default() }
    }

    /// Repeats what fails because of somebody else's lock.
    pub(crate) fn run<T>(
        &self,
        mut attempt: impl FnMut() -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        let mut waited = Duration::ZERO;
        let mut step = self.first;
        loop {
            match attempt() {
                Err(error) if is_busy(&error) && waited < self.deadline => {}
                outcome => return outcome,
            }
            let pause = step.mul_f64(rand::random_range(0.5..=1.0)).min(self.deadline - waited);
            // There is no event to wait for: the lock's holder is another process. Parking is
            // sleeping that an unpark meant for something else merely shortens.
            thread::park_timeout(pause);
            waited += pause.max(Duration::from_micros(1));
            step = (step * 2).min(self.longest);
        }
    }
}

/// Runs `work` in a transaction that holds the write lock from its start, and commits.
///
/// The work runs once, and only after the lock was won; if it fails, everything is rolled back.
/// Afterwards the connection's busy timeout is [`Retry::deadline`].
///
/// # Errors
/// Those of the work; [`is_busy`] ones if the lock was not won in time; those of the commit,
/// in which case nothing was written.
pub fn immediate<T, E>(
    connection: &mut Connection,
    retry: &Retry,
    work: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
) -> Result<T, E>
where
    E: From<rusqlite::Error>,
{
    // SQLite's own waiting starts at a millisecond and has no jitter, so it is off meanwhile.
    connection.busy_timeout(Duration::ZERO)?;
    let begin = || Transaction::new_unchecked(connection, TransactionBehavior::Immediate);
    let begun = retry.run(begin);
    connection.busy_timeout(retry.deadline)?;
    let transaction = begun?;
    let value = work(&transaction)?;
    transaction.commit()?;
    Ok(value)
}

/// Whether the error means that somebody else holds a lock, so that a later try may succeed.
#[must_use]
pub fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn busy() -> rusqlite::Error {
        let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY);
        rusqlite::Error::SqliteFailure(code, None)
    }

    #[test]
    fn a_lock_that_is_given_back_is_won() {
        let mut refusals = 5;
        let outcome = Retry::within(Duration::from_secs(5)).run(|| {
            refusals -= 1;
            if refusals > 0 { Err(busy()) } else { Ok(7) }
        });
        assert_eq!(outcome.ok(), Some(7));
    }

    #[test]
    fn a_lock_that_is_never_given_back_is_given_up() {
        let mut attempts = 0;
        let outcome = Retry::within(Duration::from_millis(2)).run(|| {
            attempts += 1;
            Err::<(), _>(busy())
        });
        assert!(outcome.is_err_and(|error| is_busy(&error)));
        assert!(attempts > 2, "{attempts} attempts");
    }

    #[test]
    fn other_errors_are_not_repeated() {
        let mut attempts = 0;
        let outcome = Retry::default().run(|| {
            attempts += 1;
            Err::<(), _>(rusqlite::Error::InvalidQuery)
        });
        assert!(outcome.is_err());
        assert_eq!(attempts, 1);
    }

    #[test]
    fn failed_work_leaves_nothing_behind() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE t(x)").unwrap();
        let outcome = immediate(&mut connection, &Retry::default(), |transaction| {
            transaction.execute("INSERT INTO t VALUES (1)", [])?;
            Err::<(), _>(rusqlite::Error::InvalidQuery)
        });
        assert!(outcome.is_err());
        let rows: i64 =
            connection.query_row("SELECT count(*) FROM t", [], |row| row.get(0)).unwrap();
        assert_eq!(rows, 0);
        assert!(connection.is_autocommit());
    }
}
