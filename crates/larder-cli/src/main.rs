//! The `larder` command; everything it does lives in the library beside it.

use std::process::ExitCode;

fn main() -> ExitCode {
    larder_cli::run()
}
