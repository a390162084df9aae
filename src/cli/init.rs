//! `init`: a commented configuration to start from.

use std::io::{self, Write};
use std::path::Path;

use super::{Exit, Outcome, Stop, output};
use crate::shown;

/// The configuration that is shipped.
const SHIPPED: &str = include_str!("../../config/nullrouted.toml");

/// Write it where there is none.
pub(super) fn run(path: &Path) -> Outcome {
    let stop = |why: &str| Stop::failed(format!("{}: {why}", shown::path(path)));
    let written = std::fs::File::create_new(path).and_then(|mut file| {
        let written = file.write_all(SHIPPED.as_bytes());
        written.and_then(|()| file.sync_all()).inspect_err(|_| {
            // Half of it would be taken for a configuration.
            let _ = std::fs::remove_file(path);
        })
    });
    match written {
        Ok(()) => {
            let named = match path == Path::new(super::CONFIG) {
                true => String::new(),
                false => format!(" -c {}", shown::path(path)),
            };
            output::results(|out| {
                let path = shown::path(path);
                writeln!(
                    out,
                    "{path} is written; put your own prefixes under [protect] in it"
                )?;
                writeln!(
                    out,
                    "next: nullrouted{named} check, nullrouted{named} plan, nullrouted{named} refresh"
                )
            })?;
            Ok(Exit::Done)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            Err(stop("there is a file already; it was not changed"))
        }
        Err(error) => Err(stop(&format!("{error}; nothing was written"))),
    }
}
