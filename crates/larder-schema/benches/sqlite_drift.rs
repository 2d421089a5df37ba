//! What it costs on SQLite to ask whether somebody else changed a schema.

#![expect(clippy::print_stdout, reason = "the figures are the output")]

mod drift;

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}?mode=rwc", folder.path().join("drift.db").display());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(drift::compare("SQLite", &url));
}
