//! A pooler that gives every transaction, and every statement outside of one, the next connection.

use std::sync::Arc;

use async_trait::async_trait;
use larder_migrate::{
    Cell, Connector, MigrateError, Migrator, ModelRef, Param, Session, SessionError, Standing,
};
use larder_model::{Dialect, Policy};

use crate::support::{Scratch, ensure_one, indexed, options, table};

#[derive(Debug)]
struct Pooler(Arc<dyn Connector>);

#[async_trait]
impl Connector for Pooler {
    async fn connect(&self) -> Result<Box<dyn Session>, SessionError> {
        let inner = [self.0.connect().await?, self.0.connect().await?];
        Ok(Box::new(Pooled { inner, at: 0, is_pinned: false }))
    }
}

#[derive(Debug)]
struct Pooled {
    inner: [Box<dyn Session>; 2],
    at: usize,
    is_pinned: bool,
}

impl Pooled {
    fn next(&mut self) -> &mut dyn Session {
        if !self.is_pinned {
            self.at = 1 - self.at;
        }
        &mut *self.inner[self.at]
    }
}

#[async_trait]
impl Session for Pooled {
    fn dialect(&self) -> Dialect {
        self.inner[0].dialect()
    }

    async fn fetch(
        &mut self,
        sql: &str,
        params: &[Param<'_>],
    ) -> Result<Vec<Vec<Cell>>, SessionError> {
        self.next().fetch(sql, params).await
    }

    async fn execute(&mut self, sql: &str, params: &[Param<'_>]) -> Result<u64, SessionError> {
        self.next().execute(sql, params).await
    }

    async fn run(&mut self, sql: &str) -> Result<(), SessionError> {
        let ran = self.next().run(sql).await;
        self.is_pinned |= sql.starts_with("BEGIN");
        ran
    }

    async fn begin(&mut self) -> Result<(), SessionError> {
        let begun = self.next().begin().await;
        self.is_pinned = true;
        begun
    }

    async fn commit(&mut self) -> Result<(), SessionError> {
        let done = self.next().commit().await;
        self.is_pinned = false;
        done
    }

    async fn rollback(&mut self) -> Result<(), SessionError> {
        let done = self.next().rollback().await;
        self.is_pinned = false;
        done
    }

    async fn close(self: Box<Self>) {
        for session in self.inner {
            session.close().await;
        }
    }
}

pub(crate) async fn a_transaction_goes_through_a_pooler_and_a_session_does_not(scratch: &Scratch) {
    let pooler = Arc::new(Pooler(scratch.connector()));
    let migrator = Migrator::new(pooler, options());
    let standing = ensure_one(&migrator, "Airline", &table("airline", &["seats"])).await;
    assert!(matches!(standing, Standing::Migrated { .. }), "{standing:?}");
    scratch.run("INSERT INTO airline (id) VALUES (1)").await;
    // An index on a table that is in use is built outside of transactions.
    let indexed = indexed("airline", &["seats"], "seats");
    let models = [ModelRef::new("Airline", &indexed)];
    let pooled = migrator.ensure(&models, Policy::Safe).await;
    assert!(matches!(pooled, Err(MigrateError::Pooled)), "{pooled:?}");
    assert_eq!(scratch.migrator().status().await.unwrap().migrations.len(), 1);
    let standing = scratch.migrator().ensure(&models, Policy::Safe).await.unwrap().remove(0);
    assert!(matches!(standing, Standing::Migrated { .. }), "{standing:?}");
}
