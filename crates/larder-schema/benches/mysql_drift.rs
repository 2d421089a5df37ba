//! What it costs on MySQL to ask whether somebody else changed a schema. Needs `LARDER_MYSQL_URL`.

#![expect(clippy::print_stdout, reason = "the figures are the output")]

mod drift;

fn main() {
    drift::main("MySQL", "LARDER_MYSQL_URL", "");
}
