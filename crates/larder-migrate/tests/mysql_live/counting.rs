//! A session that counts what it is asked.

use async_trait::async_trait;
use larder_migrate::{Cell, Param, Session, SessionError};
use larder_model::Dialect;

#[derive(Debug)]
pub(crate) struct Counting {
    pub(crate) inner: Box<dyn Session>,
    pub(crate) asked: usize,
}

impl Counting {
    pub(crate) fn new(inner: Box<dyn Session>) -> Self {
        Self { inner, asked: 0 }
    }

    /// How often it was asked since the last time.
    pub(crate) fn take(&mut self) -> usize {
        std::mem::take(&mut self.asked)
    }
}

#[async_trait]
impl Session for Counting {
    fn dialect(&self) -> Dialect {
        self.inner.dialect()
    }

    async fn fetch(
        &mut self,
        sql: &str,
        params: &[Param<'_>],
    ) -> Result<Vec<Vec<Cell>>, SessionError> {
        self.asked += 1;
        self.inner.fetch(sql, params).await
    }

    async fn execute(&mut self, sql: &str, params: &[Param<'_>]) -> Result<u64, SessionError> {
        self.asked += 1;
        self.inner.execute(sql, params).await
    }

    async fn run(&mut self, sql: &str) -> Result<(), SessionError> {
        self.asked += 1;
        self.inner.run(sql).await
    }

    async fn begin(&mut self) -> Result<(), SessionError> {
        self.inner.begin().await
    }

    async fn commit(&mut self) -> Result<(), SessionError> {
        self.inner.commit().await
    }

    async fn rollback(&mut self) -> Result<(), SessionError> {
        self.inner.rollback().await
    }

    async fn close(self: Box<Self>) {
        self.inner.close().await;
    }
}
