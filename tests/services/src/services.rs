//! Several setups at once, started side by side.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
    sync::Arc,
    thread,
};

use crate::{
    deadline::Stopwatch,
    error::{Error, Result},
    instance,
    options::Options,
    progress::say,
    run::Run,
    server::Server,
    service::Service,
    setup::Setup,
};

/// The servers of several setups. Dropping it stops them all.
#[derive(Debug, Default)]
pub struct Services {
    /// By the setup that the servers are of; others may be served by them too.
    outcomes: BTreeMap<Setup, Result<Service>>,
    run: Option<Arc<Run>>,
}

impl Services {
    /// Starts the servers of these setups, and of those that their tests need besides, each
    /// server once and all of them side by side. What became of each is asked afterwards.
    ///
    /// # Errors
    /// Only if nothing can be started at all, such as with a disk that can not be written.
    pub fn start(setups: impl IntoIterator<Item = Setup>) -> Result<Self> {
        let wanted = servers_for(setups);
        if wanted.is_empty() {
            return Ok(Self::default());
        }
        Ok(Self::start_in(wanted, &Run::shared()?))
    }

    pub(crate) fn start_in(wanted: BTreeSet<Setup>, run: &Arc<Run>) -> Self {
        let start = |setup| {
            let watch = Stopwatch::start();
            let outcome = instance::launch(setup, &Options::shared(), run);
            if outcome.is_ok() {
                say(&format!("{setup} is up after {:.1} s", watch.elapsed().as_secs_f64()));
            }
            (setup, outcome)
        };
        thread::scope(|scope| {
            let starting: Vec<_> =
                wanted.into_iter().map(|setup| scope.spawn(move || start(setup))).collect();
            let outcomes = starting.into_iter().map(|thread| {
                thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            });
            Self { outcomes: outcomes.collect(), run: Some(Arc::clone(run)) }
        })
    }

    /// The running servers of a setup, or why there are none. `None` if it was not asked for.
    #[must_use]
    pub fn outcome(&self, setup: Setup) -> Option<Result<&Service, &Error>> {
        self.outcomes.get(&setup.served_by()).map(Result::as_ref)
    }

    /// Everything that runs.
    pub fn running(&self) -> impl Iterator<Item = &Service> {
        self.outcomes.values().filter_map(|outcome| outcome.as_ref().ok())
    }

    /// What was asked for and does not run.
    pub fn missing(&self) -> impl Iterator<Item = (Setup, &Error)> {
        let outcomes = self.outcomes.iter();
        outcomes.filter_map(|(setup, outcome)| Some((*setup, outcome.as_ref().err()?)))
    }

    /// Makes a program end when this process ends, however that happens, as the servers do. It is
    /// no longer in our process group, so an interrupt from the terminal reaches it that way too.
    pub fn tie(&self, program: &mut Command) {
        if let Some(run) = &self.run {
            run.place(program);
        }
    }

    /// The variables that the tests of everything that runs expect.
    #[must_use]
    pub fn environment(&self) -> BTreeMap<String, String> {
        self.running().flat_map(Service::environment).collect()
    }
}

impl Drop for Services {
    fn drop(&mut self) {
        // All of them are asked before the first one is waited for.
        let servers = self.running().flat_map(Service::servers);
        servers.filter(|server| !server.outlives_us()).for_each(Server::ask_to_stop);
    }
}

/// The setups whose servers serve these and their company.
pub(crate) fn servers_for(setups: impl IntoIterator<Item = Setup>) -> BTreeSet<Setup> {
    let with_company = |setup: Setup| [setup].into_iter().chain(setup.company().iter().copied());
    setups.into_iter().flat_map(with_company).map(Setup::served_by).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_server_is_started_once_and_nobody_is_alone() {
        let wanted = [Setup::MysqlTls, Setup::Mysql, Setup::Python, Setup::Redis];
        let servers: Vec<Setup> = servers_for(wanted).into_iter().collect();
        assert_eq!(servers, [Setup::Memcached, Setup::Mysql, Setup::Python, Setup::Redis]);
    }
}
