//! What it costs on PostgreSQL to ask whether somebody else changed a schema. Needs `LARDER_POSTGRES_URL`.

#![expect(clippy::print_stdout, reason = "the figures are the output")]

mod drift;

fn main() {
    drift::main("PostgreSQL", "LARDER_POSTGRES_URL", " WITH (FORCE)");
}
