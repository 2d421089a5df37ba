//! What the schema cache saves a process that starts, on a SQLite file.

#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a benchmark tells and times")]

mod workflow;

#[tokio::main]
async fn main() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}?mode=rwc", folder.path().join("workflow.db").display());
    workflow::compare("SQLite", &url).await;
}
