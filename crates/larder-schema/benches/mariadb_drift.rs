//! What it costs on MariaDB to ask whether somebody else changed a schema. Needs `LARDER_MARIADB_URL`.

#![expect(clippy::print_stdout, reason = "the figures are the output")]

mod drift;

fn main() {
    drift::main("MariaDB", "LARDER_MARIADB_URL", "");
}
