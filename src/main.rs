//! Parse the command line, run one verb, map the outcome to an exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    nullrouted::cli::main()
}
