//! Which database, and where in it the registry is.

use std::{sync::Arc, time::Duration};

use clap::Args;
use larder::{
    OpenError, Settings,
    migrate::{Connector, MigrateOptions, Migrator, UrlConnector},
};

use super::plain::name;
use crate::{failure::Failure, target::database_url};

/// What the command line says about the database and its registry.
#[derive(Clone, Debug, Args)]
pub(super) struct Place {
    /// The database: a URL, or the path of an existing SQLite file [env: DATABASE_URL, or
    /// DB_ENGINE, DB_HOST, DB_PORT, DB_USER, DB_PASSWORD and DB_NAME]
    #[arg(long, value_name = "URL|PATH")]
    database: Option<String>,

    #[command(flatten)]
    pub(super) registry: Registry,
}

/// What the command line says about the registry.
#[derive(Clone, Debug, Args)]
pub(super) struct Registry {
    /// The application whose models they are, where several share one registry
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    #[arg(value_parser = name)]
    application: String,

    /// PostgreSQL: the schema of the registry, and of tables whose models name none
    #[arg(long, value_name = "SCHEMA", default_value = "public", value_parser = name)]
    schema: String,

    /// What the names of the registry's tables begin with
    #[arg(long, value_name = "PREFIX", default_value = "dataflow_", value_parser = name)]
    prefix: String,

    /// How long to wait for others that migrate, in whole seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=86_400))]
    lock_timeout: u64,
}

impl Place {
    pub(super) fn connector(&self) -> Result<Arc<dyn Connector>, Failure> {
        let settings = Settings::from_env()?;
        let url = self.database.clone().or(settings.database_url);
        let url = url.ok_or(OpenError::NoDatabase)?;
        Ok(Arc::new(UrlConnector::new(database_url(&url)?)))
    }

    pub(super) fn migrator(&self) -> Result<Migrator, Failure> {
        Ok(Migrator::new(self.connector()?, self.registry.options()))
    }
}

impl Registry {
    pub(super) fn options(&self) -> MigrateOptions {
        MigrateOptions::new()
            .with_application(&*self.application)
            .with_schema(&*self.schema)
            .with_prefix(&*self.prefix)
            .with_lock_timeout(Duration::from_secs(self.lock_timeout))
    }
}
