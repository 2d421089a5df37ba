//! Asking in the background, again and again, whether somebody else changed a schema.
//!
//! Invariants: it changes nothing in the database; after an alarm no table is trusted before it
//! was looked at; a database that can not be reached is no alarm, because then no statement
//! succeeds either.

use std::time::Duration;

use tokio::{task::JoinHandle, time::MissedTickBehavior};

use crate::Schema;

/// The task that [`Schema::watch`] started. Dropping it ends the task.
#[derive(Debug)]
#[must_use = "dropping it ends the watch"]
pub struct Watch(JoinHandle<()>);

impl Schema {
    /// How often [`Schema::watch`] usually asks.
    pub const WATCH_INTERVAL: Duration = Duration::from_secs(1);

    /// Asks the database at every interval, in a task of its own, whether any schema was changed;
    /// with a second level, also whether another process invalidated something.
    ///
    /// If so, the tables that are ensured are looked at before they are trusted again, in one pass
    /// and without changing anything. Those that are as they were stay ensured. The others count
    /// as drifted, and their next use brings them into shape as the policy says.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn watch(&self, interval: Duration) -> Watch {
        let schema = self.clone();
        Watch(tokio::spawn(async move {
            let mut ticks = tokio::time::interval(interval.max(Duration::from_millis(1)));
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                schema.look_around().await;
            }
        }))
    }

    /// Asks once, now, whether any schema was changed, and looks at the tables if so: what
    /// [`Schema::watch`] does at every interval.
    ///
    /// # Cancel safety
    /// Tables that were to be looked at are looked at by whoever uses them next.
    pub async fn look_around(&self) {
        let stamp = match self.second_level() {
            Some(second) if self.flush().await => second.stamp().await,
            _ => None,
        };
        let at = self.database.clock.now();
        let signal = match self.store().signal().await {
            Ok(signal) => {
                self.database.set_validated(at);
                Some(signal)
            }
            Err(error) => {
                let error = &*error as &dyn std::error::Error;
                tracing::debug!(error, "the database does not say whether a schema was changed");
                None
            }
        };
        self.database.settle(signal.as_ref(), stamp, &[]);
        if let Some(pilot) = self.database.board_doubted() {
            self.fly(pilot).await;
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.abort();
    }
}
