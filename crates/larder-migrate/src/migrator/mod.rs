//! The migrator of one database.

mod conclude;
mod ensure;
mod entry;
mod journal;
mod look;
mod missing;
mod record;
mod repair;
mod verdict;
mod want;
mod work;

use std::{fmt, sync::Arc};

use larder_model::{Catalog, Dialect, Plan, Policy, Scope};

use crate::{
    Applied, Connector, Dump, LockHolder, MigrateError, MigrateOptions, ModelRef, Planned,
    RepairAction, SchemaSignal, Standing, Status, Target,
    context::Context,
    identity, introspect,
    lock::{clear_stale, current_holder},
    migrator::ensure::Request,
    registry::{Registry, epoch},
    signal,
};

/// Brings the tables of one database into the shape of their models. Cheap to clone.
///
/// A migrator keeps up to two connections: one for its work, which its clones use one after the
/// other, and one for [`Migrator::signal`].
#[derive(Clone)]
pub struct Migrator {
    context: Arc<Context>,
}

impl Migrator {
    /// A migrator of the database that `connector` leads to. Nothing is opened.
    #[must_use]
    pub fn new(connector: Arc<dyn Connector>, options: MigrateOptions) -> Self {
        Self { context: Arc::new(Context::new(connector, options)) }
    }

    /// How the models' tables stand, in the order of `models`: [`Standing::Verified`] or
    /// [`Standing::Pending`].
    ///
    /// Takes no lock and writes nothing, so that a role without the right to change the schema
    /// will do, and a database without a registry.
    ///
    /// # Errors
    /// [`MigrateError::Model`], [`MigrateError::Session`].
    ///
    /// # Cancel safety
    /// Nothing changes, at whatever point the future is dropped.
    pub async fn verify(&self, models: &[ModelRef<'_>]) -> Result<Vec<Standing>, MigrateError> {
        self.ensure(models, Policy::Verify).await
    }

    /// Brings the models' tables into shape, as far as the policy admits it; how they stand then,
    /// in the order of `models`.
    ///
    /// Models that are as they were when they were last ensured cost two statements together, and
    /// no lock. For the others, the lock is taken, and everything is looked at again; a model of
    /// which a step is refused stays as it is and stands in nobody else's way. On PostgreSQL and
    /// SQLite all changes and the registry's rows are one transaction, unless a step admits none;
    /// on MySQL and MariaDB, and for such steps, how far it came is written after each step, and a
    /// run that ended halfway is gone on with by the next.
    ///
    /// # Errors
    /// All kinds. What an error leaves behind is what its variant says.
    ///
    /// # Cancel safety
    /// Dropping the future closes the connection: a transaction is rolled back unless its commit
    /// is under way, and a step that runs in none may still be done by the server. The next call
    /// goes on from there.
    pub async fn ensure(
        &self,
        models: &[ModelRef<'_>],
        policy: Policy,
    ) -> Result<Vec<Standing>, MigrateError> {
        let request = Request { policy, planned: None, is_adoption: false };
        let (standings, _) = Box::pin(ensure::ensure(&self.context, models, request)).await?;
        Ok(standings)
    }

    /// What would have to be done to all models, whatever the policy, and the rows in its way.
    ///
    /// Takes no lock and writes nothing. Two models of one table can not be planned together.
    ///
    /// # Errors
    /// [`MigrateError::Model`], [`MigrateError::Session`].
    ///
    /// # Cancel safety
    /// Nothing changes, at whatever point the future is dropped.
    pub async fn plan(&self, models: &[ModelRef<'_>]) -> Result<Planned, MigrateError> {
        Box::pin(ensure::plan(&self.context, models)).await
    }

    /// Does what was planned, and nothing else.
    ///
    /// # Errors
    /// [`MigrateError::PlanOutdated`] if the schema is no longer the one that the plan started
    /// from, [`MigrateError::Refused`] if the policy does not admit every step, with the rows as
    /// they are now; nothing was done then. Otherwise as [`Migrator::ensure`].
    ///
    /// # Cancel safety
    /// As [`Migrator::ensure`].
    pub async fn apply(&self, planned: &Planned, policy: Policy) -> Result<Applied, MigrateError> {
        let models: Vec<_> =
            planned.models.iter().map(|of| ModelRef::new(&of.name, &of.table)).collect();
        let request = Request { policy, planned: Some(planned), is_adoption: false };
        let (standings, versions) =
            Box::pin(ensure::ensure(&self.context, &models, request)).await?;
        Ok(Applied { id: planned.id.clone(), versions, standings })
    }

    /// Records that the models' tables are as the models want them, without changing them.
    ///
    /// # Errors
    /// [`MigrateError::Incompatible`] if one of them is not; nothing is recorded then. Otherwise
    /// as [`Migrator::ensure`].
    ///
    /// # Cancel safety
    /// As [`Migrator::ensure`].
    pub async fn adopt(&self, models: &[ModelRef<'_>]) -> Result<Vec<Standing>, MigrateError> {
        let request = Request { policy: Policy::Additive, planned: None, is_adoption: true };
        let (standings, _) = Box::pin(ensure::ensure(&self.context, models, request)).await?;
        Ok(standings)
    }

    /// Says what became of a migration that failed or did not end.
    ///
    /// # Errors
    /// [`MigrateError::UnknownMigration`], [`MigrateError::NotRepairable`], and
    /// [`MigrateError::Incompatible`] if a model's migration is said to be applied and the table
    /// is not as the model wants it.
    ///
    /// # Cancel safety
    /// It is said as a whole or not at all.
    pub async fn repair(&self, version: &str, action: RepairAction) -> Result<(), MigrateError> {
        Box::pin(repair::repair(&self.context, version, action)).await
    }

    /// What the registry says. Takes no lock and writes nothing.
    ///
    /// # Errors
    /// [`MigrateError::Session`].
    ///
    /// # Cancel safety
    /// Nothing changes, at whatever point the future is dropped.
    pub async fn status(&self) -> Result<Status, MigrateError> {
        let mut seat = self.context.work().await?;
        let session = &mut *seat.session;
        let names = self.context.names(session.dialect());
        let registry = Registry::inspect(session, &self.context.options).await?;
        let status = Status {
            database_uid: registry.uid(session).await?,
            ddl_epoch: epoch(session, &names).await?,
            lock: current_holder(session, &names).await?,
            migrations: registry.migrations(session).await?,
            models: registry.all_models(session).await?,
        };
        seat.keep();
        Ok(status)
    }

    /// Removes the lease of a holder that is gone, so that [`Status::lock`] does not name it any
    /// longer; `None`: there was none. Nobody has to call this: whoever takes the lock next
    /// removes it as well.
    ///
    /// # Errors
    /// [`MigrateError::LockHeld`] if the holder is there or was heard of lately.
    ///
    /// # Cancel safety
    /// The lease is removed or not.
    pub async fn unlock_stale(&self) -> Result<Option<LockHolder>, MigrateError> {
        let mut seat = self.context.work().await?;
        let names = self.context.names(seat.session.dialect());
        let removed = clear_stale(&mut *seat.session, &names).await?;
        seat.keep();
        Ok(removed)
    }

    /// The whole schema, without the registry's own tables.
    ///
    /// # Errors
    /// [`MigrateError::Session`].
    ///
    /// # Cancel safety
    /// Nothing changes, at whatever point the future is dropped.
    pub async fn dump(&self) -> Result<Dump, MigrateError> {
        let mut seat = self.context.work().await?;
        let session = &mut *seat.session;
        let dialect = session.dialect();
        let names = self.context.names(dialect);
        let schema = (dialect == Dialect::Postgres).then(|| self.context.options.schema.clone());
        let found = introspect(session, &Target::Schema(schema)).await;
        let mut catalog = found.map_err(MigrateError::session("look at the schema"))?;
        seat.keep();
        catalog.tables.retain(|table| !names.is_own(&table.name));
        let plan = Plan::between(dialect, &Scope::Exact, &Catalog::default(), &catalog);
        let statements = plan.statements().map(str::to_owned).collect();
        Ok(Dump { dialect, fingerprint: catalog.fingerprint(), catalog, statements })
    }

    /// What tells that no schema was changed since, on a connection of its own, so that it waits
    /// for no migration.
    ///
    /// # Errors
    /// [`MigrateError::Session`].
    ///
    /// # Cancel safety
    /// Nothing changes, at whatever point the future is dropped.
    pub async fn signal(&self) -> Result<SchemaSignal, MigrateError> {
        let error = match self.signal_once().await {
            // The server may have closed a connection that was kept.
            Err(error) if error.is_transient() => error,
            signal => return signal,
        };
        tracing::debug!(%error, "asks again for the signal");
        self.signal_once().await
    }

    async fn signal_once(&self) -> Result<SchemaSignal, MigrateError> {
        let mut seat = self.context.watch().await?;
        let session = &mut *seat.session;
        let names = self.context.names(session.dialect());
        let database = signal(session).await;
        let database = database.map_err(MigrateError::session("ask for the signal"))?;
        let ddl_epoch = epoch(session, &names).await?;
        seat.keep();
        Ok(SchemaSignal { database, ddl_epoch })
    }

    /// Which database it is, whatever way led to it, without secrets; on PostgreSQL together with
    /// [`MigrateOptions::schema`]. Asked once.
    ///
    /// # Errors
    /// [`MigrateError::Session`].
    ///
    /// # Cancel safety
    /// Nothing changes, at whatever point the future is dropped.
    pub async fn identity(&self) -> Result<String, MigrateError> {
        let ask = async || {
            let mut seat = self.context.watch().await?;
            let session = &mut *seat.session;
            let found = identity(session).await;
            let mut found = found.map_err(MigrateError::session("ask which database it is"))?;
            if session.dialect() == Dialect::Postgres {
                found = format!("{found}/{}", self.context.options.schema);
            }
            seat.keep();
            Ok(found)
        };
        self.context.identity.get_or_try_init(ask).await.cloned()
    }

    /// What the operations on files, which live elsewhere, share with those on models.
    pub(crate) const fn context(&self) -> &Arc<Context> {
        &self.context
    }

    /// How migrations are run.
    #[must_use]
    pub fn options(&self) -> &MigrateOptions {
        &self.context.options
    }
}

impl fmt::Debug for Migrator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Migrator").field("options", &self.context.options).finish_non_exhaustive()
    }
}
