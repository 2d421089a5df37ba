//! What the schema cache saves a process that starts, on PostgreSQL. Needs `LARDER_POSTGRES_URL`.

#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a benchmark tells and times")]

mod workflow;

use larder::migrate::{Connector as _, UrlConnector};

async fn run(url: &str, sql: &str) {
    let mut session = UrlConnector::new(url).connect().await.unwrap();
    session.run(sql).await.unwrap();
    session.close().await;
}

#[tokio::main]
async fn main() {
    let Ok(server) = std::env::var("LARDER_POSTGRES_URL") else {
        println!("LARDER_POSTGRES_URL is not set");
        return;
    };
    let name = format!("larder_bench_{}", std::process::id());
    run(&server, &format!("CREATE DATABASE {name}")).await;
    let (rest, _) = server.rsplit_once('/').unwrap();
    workflow::compare("PostgreSQL", &format!("{rest}/{name}")).await;
    run(&server, &format!("DROP DATABASE {name} WITH (FORCE)")).await;
}
