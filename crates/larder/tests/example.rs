//! The example in `examples/airport.rs` does what it says.

#[path = "../examples/airport.rs"]
#[expect(dead_code, reason = "its `main` is for `cargo run --example airport`")]
mod airport;

#[tokio::test]
async fn the_airport_example_runs() {
    airport::tour().await.unwrap();
}
