//! Another wall clock for a program under test (libfaketime): the monotonic clock and the uptime
//! stay as they are.

use std::path::PathBuf;
use std::process::Command;

use super::{PROGRAM, Place, Ran, left_out};

/// The library; where it is not installed, the test is left out.
pub fn library() -> Option<PathBuf> {
    let places = [
        "x86_64-linux-gnu",
        "aarch64-linux-gnu",
        "arm-linux-gnueabihf",
        "riscv64-linux-gnu",
        "",
    ];
    let found = places
        .iter()
        .map(|place| {
            PathBuf::from("/usr/lib")
                .join(place)
                .join("faketime/libfaketime.so.1")
        })
        .find(|path| path.exists());
    if found.is_none() {
        left_out("libfaketime is not installed");
    }
    found
}

/// The wall clock is so many seconds ahead for this program.
pub fn ahead(command: &mut Command, library: &PathBuf, seconds: i64) {
    command
        .env("LD_PRELOAD", library)
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
        .env("FAKETIME", format!("{seconds:+}"));
}

/// The wall clock is so many seconds ahead as stands in this file.
pub fn ahead_by_file(command: &mut Command, library: &PathBuf, file: &PathBuf) {
    command
        .env("LD_PRELOAD", library)
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
        .env("FAKETIME_NO_CACHE", "1")
        .env("FAKETIME_TIMESTAMP_FILE", file);
}

/// Run a verb with the wall clock so many seconds ahead.
pub fn run(place: &Place, library: &PathBuf, seconds: i64, verb: &[&str]) -> Ran {
    let mut command = place.command(Command::new(PROGRAM), verb);
    ahead(&mut command, library, seconds);
    Ran::of(command.output().unwrap())
}
