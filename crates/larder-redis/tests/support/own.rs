//! Servers of a test's own, to be killed, paused and reconfigured.

use larder_redis::RedisConfig;
use larder_services::{Options, Server, Service, Setup};

/// Starts the servers of a setup.
pub(crate) fn service(setup: Setup) -> Service {
    service_with(setup, &[])
}

/// Starts the servers of a setup with further arguments.
pub(crate) fn service_with(setup: Setup, args: &[&str]) -> Service {
    let options = Options::new().with_args(args.iter().copied());
    larder_services::start_with(setup, &options).unwrap_or_else(|error| panic!("{error}"))
}

/// The configuration for all servers of a setup.
pub(crate) fn config(service: &Service) -> RedisConfig {
    super::from_url(service.url())
}

/// The configuration for one server alone.
pub(crate) fn config_of(server: &Server) -> RedisConfig {
    super::from_url(&format!("redis://127.0.0.1:{}", server.port()))
}

/// Sends a command that has to succeed.
pub(crate) fn command(server: &Server, words: &[&str]) -> larder_services::Reply {
    server.commanded(words).unwrap_or_else(|error| panic!("{error}"))
}

/// A server has at most so many connections over TCP, once it has noticed which are closed.
pub(crate) async fn connections_are_bounded(server: &Server, most: usize) {
    super::eventually(&format!("{} has at most {most} connections", server.name()), async || {
        (connections(server) <= most).then_some(())
    })
    .await;
}

/// How many connections over TCP a server has.
pub(crate) fn connections(server: &Server) -> usize {
    let list = command(server, &["CLIENT", "LIST", "TYPE", "normal"]);
    let list = list.text().unwrap_or_default().to_owned();
    // The test's own way to the server is a socket, which has no port.
    list.lines().filter(|line| line.contains(" addr=127.0.0.1:")).count()
}
