//! From a setup's name to its running servers.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    error::{Error, Result},
    find::{Engine, Program, resolve},
    instance::{memcached, mysql, postgres, python, redis, redis_company},
    options::Options,
    run::Run,
    server::Server,
    service::Service,
    setup::Setup,
};

/// What every kind of server is made from.
#[derive(Clone, Copy)]
pub(crate) struct Plan<'a> {
    pub(crate) setup: Setup,
    pub(crate) options: &'a Options,
    pub(crate) run: &'a Arc<Run>,
}

/// Servers, and how each setup that they serve is reached.
pub(crate) type Launched = (Vec<Server>, BTreeMap<Setup, String>);

pub(crate) fn launch(setup: Setup, options: &Options, run: &Arc<Run>) -> Result<Service> {
    let plan = Plan { setup: setup.served_by(), options, run };
    let (servers, urls) = match plan.setup {
        Setup::Mariadb | Setup::MariadbTls | Setup::MariadbUnix => mysql::mariadb(plan)?,
        Setup::Memcached
        | Setup::MemcachedAuth
        | Setup::MemcachedFleet
        | Setup::MemcachedNew
        | Setup::MemcachedTls
        | Setup::MemcachedUnix => memcached::launch(plan)?,
        Setup::Mysql | Setup::MysqlTls => mysql::mysql(plan)?,
        Setup::Postgres | Setup::PostgresNew | Setup::PostgresTls | Setup::PostgresUnix => {
            postgres::launch(plan)?
        }
        Setup::Python => python::launch(plan)?,
        Setup::RedisCluster => redis_company::cluster(plan)?,
        Setup::RedisReplicated => redis_company::replicated(plan)?,
        Setup::RedisSentinel => redis_company::sentinel(plan)?,
        Setup::Redis
        | Setup::RedisAcl
        | Setup::RedisNew
        | Setup::RedisTls
        | Setup::RedisUnix
        | Setup::Valkey
        | Setup::ValkeyNew => redis::launch(plan)?,
    };
    Ok(Service { setup, servers, urls, ca: run.authority().certificate().to_owned() })
}

impl Plan<'_> {
    /// The program of an engine.
    pub(crate) fn program(&self, engine: Engine) -> Result<Program> {
        resolve(engine).map_err(|why| Error::Unavailable { setup: self.setup, why })
    }

    /// The documented port of a server, or any other.
    pub(crate) fn port(&self, index: u16) -> Result<u16> {
        self.run.port(self.setup, index)
    }

    /// The setup's URL as the only one.
    pub(crate) fn served_at(&self, servers: Vec<Server>, url: String) -> Launched {
        (servers, BTreeMap::from([(self.setup, url)]))
    }
}
